/**
 * Every offload off in turn at one end, all of them on at the other: TCP by hash, several flows of it at once, over
 * IPv4 and IPv6 inside, UDP by the datagram, sequence numbers, and ways that take no messages of many datagrams.
 */

import assert from "node:assert/strict";
import { inNamespace } from "../../src/driver/namespace.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import { OFFLOADS } from "../../src/model/offloads.ts";
import { poll, POLLIN } from "../../ffi/poll.ts";
import { PacketArena, ReceiveVector, Remote, SendVector } from "../../ffi/packets.ts";
import { AF_INET, encodeInet } from "../../ffi/sockaddr.ts";
import { openUdp } from "../../ffi/udp.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { Random } from "../support/random.ts";
import { transfer } from "../support/traffic.ts";
import { type HostName, Hosts, other, userClient, Wire, type WireOptions } from "./wire.ts";

const MEGABYTE = 1_000_000;
const UDP_PORT = 5011;

/** All that carries a tunnel. */
const CARRIERS: readonly WireOptions[] = [
  { encap: "udp", family: 4 },
  { encap: "udp", family: 6 },
  { encap: "ip", family: 4 },
  { encap: "ip", family: 6 },
];

/** A counter of `/proc/net/snmp`, such as `Tcp: InCsumErrors`. */
function snmp(hosts: Hosts, name: HostName, protocol: string, field: string): number {
  const text = inNamespace(hosts[name].netns, () => Deno.readTextFileSync("/proc/thread-self/net/snmp"));
  const [names, values] = text.split("\n").filter((line) => line.startsWith(`${protocol}: `))
    .map((line) => line.split(" ")) as [string[], string[]];
  return Number(values[names.indexOf(field)]);
}

function checksumErrors(hosts: Hosts): number[] {
  return (["a", "b"] as const).flatMap((name) =>
    ["Tcp", "Udp", "Icmp"].map((protocol) => snmp(hosts, name, protocol, "InCsumErrors"))
  );
}

/** TCP over IPv6 through the wire. */
async function transferIpv6(hosts: Hosts, wire: Wire, bytes: number): Promise<void> {
  for (const name of ["a", "b"] as const) {
    const host = hosts[name];
    host.sysctl(`net/ipv6/conf/${wire.device}/accept_dad`, "0");
    host.sysctl(`net/ipv6/conf/${wire.device}/disable_ipv6`, "0");
    const address = `fd99::${name === "a" ? 1 : 2}`;
    host.links.addAddress({ index: host.index(wire.device), address, prefixLength: 64 });
  }
  const { a, b } = hosts;
  await transfer({ from: a.netns, to: b.netns, address: "fd99::2", listen: "::" }, bytes);
}

/** A UDP message that the system cuts late, through the wire: every datagram arrives, whole and in order. */
async function checkDatagrams(hosts: Hosts, wire: Wire, from: HostName): Promise<void> {
  const to = other(from);
  const open = (name: HostName, port: number): ReturnType<typeof openUdp> =>
    inNamespace(
      hosts[name].netns,
      () => openUdp(AF_INET, { local: { address: parseIpAddress(wire.address(name))!, port } }),
    );
  using sender = open(from, 0);
  using receiver = open(to, UDP_PORT);
  const arena = new PacketArena({ slots: 80, slotSize: 2048 });
  const send = new SendVector(arena, { messages: 1 });
  const receive = new ReceiveVector(arena, { firstSlot: 16 });
  const remote = new Remote(encodeInet({ address: parseIpAddress(wire.address(to))!, port: UDP_PORT }));
  const random = new Random(0x0da7a);
  for (const [size, total] of [[500, 30_000], [22, 22 * 40 + 7], [1200, 1200 * 20]] as const) {
    const bytes = random.bytes(total);
    arena.bytes.set(bytes);
    send.clear();
    send.begin(remote, size);
    send.add(0, total);
    assert.equal(send.send(sender.number, 0, 1), 1);
    const arrived: Uint8Array[] = [];
    while (arrived.length < Math.ceil(total / size)) {
      await poll([{ fd: receiver, events: POLLIN }], 5000);
      const count = receive.receive(receiver.number);
      assert.ok(count > 0, `${arrived.length} of ${Math.ceil(total / size)} datagrams of ${size} bytes`);
      for (let i = 0; i < count; i++) {
        arrived.push(arena.bytes.slice(receive.start(i), receive.start(i) + receive.length(i)));
      }
    }
    assert.deepEqual(arrived.map(({ length }) => length), [
      ...new Array(Math.floor(total / size)).fill(size),
      ...(total % size === 0 ? [] : [total % size]),
    ]);
    assert.deepEqual(Uint8Array.from(arrived.flatMap((each) => [...each])), bytes);
  }
}

for (const list of ["all", "none", ...OFFLOADS.map((offload) => `no-${offload}`)]) {
  Deno.test(`offload ${list} at one end, all at the other`, async (t) => {
    await using pair = await Pair.create();
    await using one = await TestDaemon.start({ args: ["offload", list] });
    await using all = await TestDaemon.start({ args: ["offload", "all"] });
    using hosts = new Hosts(pair, (netns, name) => userClient(name === "a" ? one : all, netns));

    for (const carrier of CARRIERS) {
      const name = `${carrier.encap} over IPv${carrier.family}`;
      await t.step(`${name}: TCP and UDP`, async () => {
        const before = checksumErrors(hosts);
        await using wire = new Wire(hosts, { ...carrier, cookieA: 8, cookieB: 4 });
        await wire.ping({ count: 1 });
        const speed = await wire.transfer(8 * MEGABYTE);
        await Promise.all(Array.from({ length: 4 }, () => wire.transfer(MEGABYTE)));
        await transferIpv6(hosts, wire, 4 * MEGABYTE);
        await checkDatagrams(hosts, wire, "a");
        await checkDatagrams(hosts, wire, "b");
        await wire.assertMirrored();
        assert.deepEqual(checksumErrors(hosts), before);
        console.log(`offload ${list}, ${name}: 8 MB each way at ${speed.toFixed(0)} Mbit/s`);
      });

      await t.step(`${name}: with sequence numbers, and with a reorder queue`, async () => {
        for (const reorderTimeoutMs of [0, 100]) {
          const session = { sendSeq: true, recvSeq: true, reorderTimeoutMs };
          await using wire = new Wire(hosts, { ...carrier, session });
          await wire.transfer(2 * MEGABYTE);
          await checkDatagrams(hosts, wire, "a");
          await wire.assertMirrored();
        }
      });

      await t.step(`${name}: what is too long for the way goes in fragments`, async () => {
        await using wire = new Wire(hosts, { ...carrier, mtu: 1500 });
        const before = snmp(hosts, "a", "Ip", "FragCreates");
        await wire.transfer(MEGABYTE);
        await wire.assertMirrored();
        if (carrier.family === 4) assert.ok(snmp(hosts, "a", "Ip", "FragCreates") > before + 500);
      });
    }

    await t.step("show -d tells which are on", async () => {
      await using _wire = new Wire(hosts, {});
      const names = (name: "a" | "b"): readonly string[] => hosts[name].l2tp.offloads()[0]!.offloads;
      const off = list === "none" ? OFFLOADS : OFFLOADS.filter((each) => `no-${each}` === list);
      // What stands on a device's headers goes with them.
      const gone = off.includes("tap") ? [...off, "tso", "uso", "coalesce"] : off;
      assert.deepEqual(names("a"), OFFLOADS.filter((each) => !gone.includes(each)));
      assert.deepEqual(names("b"), OFFLOADS);
    });
  });
}
