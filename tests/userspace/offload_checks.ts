/**
 * Frames with offloaded segmentation and checksums: TCP over IPv6 and UDP datagrams arrive with correct checksums.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { AF_INET } from "../../src/base/inet.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { PacketArena, ReceiveVector, Remote, SendVector } from "../../ffi/packets/mod.ts";
import { poll, POLLIN } from "../../ffi/process/poll.ts";
import { encodeInet } from "../../ffi/sockets/sockaddr.ts";
import { openUdp } from "../../ffi/sockets/udp.ts";
import { Random } from "../support/random.ts";
import { transfer } from "../support/traffic.ts";
import { type HostName, type Hosts, other, type Wire } from "./wire.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const UDP_PORT = 5011;

/** A counter of `/proc/net/snmp`, such as `Tcp: InCsumErrors`. */
export function snmp(hosts: Hosts, name: HostName, protocol: string, field: string): number {
  const text = inNamespace(hosts[name].netns, () => Deno.readTextFileSync("/proc/thread-self/net/snmp"));
  const [names, values] = text.split("\n").filter((line) => line.startsWith(`${protocol}: `))
    .map((line) => line.split(" ")) as [string[], string[]];
  return Number(values[names.indexOf(field)]);
}

/** Packets with wrong checksums, by host and protocol, so far. */
export function checksumErrors(hosts: Hosts): number[] {
  return (["a", "b"] as const).flatMap((name) =>
    ["Tcp", "Udp", "Icmp"].map((protocol) => snmp(hosts, name, protocol, "InCsumErrors"))
  );
}

/** TCP over IPv6 through the wire. */
export async function transferIpv6(hosts: Hosts, wire: Wire, bytes: number): Promise<void> {
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
export async function checkDatagrams(hosts: Hosts, wire: Wire, from: HostName): Promise<void> {
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
    assertStrictEquals(send.send(sender.number, 0, 1), 1);
    const arrived: Uint8Array[] = [];
    while (arrived.length < Math.ceil(total / size)) {
      await poll([{ fd: receiver, events: POLLIN }], 5000);
      const count = receive.receive(receiver.number);
      assert(count > 0, `${arrived.length} of ${Math.ceil(total / size)} datagrams of ${size} bytes`);
      for (let i = 0; i < count; i++) {
        arrived.push(arena.bytes.slice(receive.start(i), receive.start(i) + receive.length(i)));
      }
    }
    assertDeepStrictEquals(arrived.map(({ length }) => length), [
      ...new Array(Math.floor(total / size)).fill(size),
      ...(total % size === 0 ? [] : [total % size]),
    ]);
    assertEquals(Uint8Array.from(arrived.flatMap((each) => [...each])), bytes);
  }
}
