/**
 * Sessions that BPF programs carry (`l2tp daemon offload bpf`): at both ends and at one, over cables that pass TCP on in
 * one piece and over those that have it cut; and sessions that come to the worker and go back to the programs.
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { AF_INET } from "../../src/base/inet.ts";
import { LinkClient } from "../../src/client/link_client.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { openNetns } from "../../ffi/kernel/netns.ts";
import { encodeInet } from "../../ffi/sockets/sockaddr.ts";
import { openUdp } from "../../ffi/sockets/udp.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Namespace, Pair } from "../support/namespaces.ts";
import { until } from "../support/until.ts";
import { checkCounters, checkFragments, checkMtu } from "./checks.ts";
import { checkDatagrams, checksumErrors, transferIpv6 } from "./offload_checks.ts";
import { type HostName, Hosts, userClient, Wire, type WireOptions } from "./wire.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const MEGABYTE = 1_000_000;
/** Longer packets are segmented by the kernel before they reach a veth cable. */
const CUT = 1_400;
const WHOLE = 65_536;

const WITHOUT_CHECKSUMS = { checksumTx: false, checksumRx: false };
const CARRIERS: readonly (WireOptions & { readonly name: string })[] = [
  { name: "IPv4", family: 4, cookieA: 8, cookieB: 4 },
  { name: "IPv4, no sublayer, cookies of odd lengths", family: 4, cookieA: 3, session: { l2spec: "none" } },
  { name: "IPv6", family: 6, cookieA: 4, cookieB: 8, tunnel: WITHOUT_CHECKSUMS },
];

/** Reports whether BPF programs carry the session of an end of the wire. */
function isCarried(hosts: Hosts, wire: Wire, name: HostName): boolean {
  const { sessionId } = wire.ids(name);
  return hosts[name].l2tp.offloads().some((each) =>
    each.sessionId === sessionId && each.offloads.includes("bpf")
  );
}

/** Frames that went to the worker by the device: those that the programs take do not get there. */
function framesLeft(hosts: Hosts, wire: Wire, name: HostName): number {
  return inNamespace(
    hosts[name].netns,
    () => {
      const line = Deno.readTextFileSync("/proc/thread-self/net/dev").split("\n")
        .find((each) => each.trim().startsWith(`${wire.device}:`))!;
      return Number(line.trim().split(/[\s:]+/)[10]);
    },
  );
}

/** Has TCP cross the cable as so many bytes at most. */
async function setCable(pair: Pair, bytes: number): Promise<void> {
  for (const host of [pair.a, pair.b]) await host.ip(`link set cable gso_max_size ${bytes}`);
}

async function checkTraffic(hosts: Hosts, options: WireOptions, isMirrored: boolean): Promise<void> {
  const before = checksumErrors(hosts);
  await using wire = new Wire(hosts, options);
  await wire.ping({ count: 1 });
  await wire.transfer(8 * MEGABYTE);
  await Promise.all(Array.from({ length: 4 }, () => wire.transfer(MEGABYTE)));
  await transferIpv6(hosts, wire, 4 * MEGABYTE);
  await checkDatagrams(hosts, wire, "a");
  await checkDatagrams(hosts, wire, "b");
  await checkMtu(hosts, wire);
  if (isMirrored) await wire.assertMirrored();
  assertDeepStrictEquals(checksumErrors(hosts), before);
  for (const name of ["a", "b"] as const) {
    if (!isCarried(hosts, wire, name)) continue;
    const { txPackets } = wire.counters(name);
    const left = framesLeft(hosts, wire, name);
    // ARP, neighbours, UDP to be cut, and what is longer than the way takes.
    assert(
      left < 300 && txPackets > 10 * left,
      `${left} of ${txPackets} frames of ${name} went to the worker`,
    );
  }
}

Deno.test("BPF programs at both ends", async (t) => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start({ args: ["offload", "bpf"] });
  using hosts = new Hosts(pair, (netns) => userClient(daemon, netns));
  for (const { name, ...carrier } of CARRIERS) {
    for (const [cable, bytes] of [["whole", WHOLE], ["cut", CUT]] as const) {
      await t.step(`${name}: TCP crosses the cable ${cable}`, async () => {
        await setCable(pair, bytes);
        {
          await using wire = new Wire(hosts, carrier);
          assertEquals([isCarried(hosts, wire, "a"), isCarried(hosts, wire, "b")], [true, true]);
        }
        await checkTraffic(hosts, carrier, true);
      });
    }
    await t.step(`${name}: counters to the byte; fragments`, async () => {
      await checkCounters(hosts, carrier);
      await checkFragments(hosts, carrier);
    });
  }

  await t.step("packets that BPF programs cannot build go through the worker", async () => {
    for (
      const carrier of [
        { encap: "ip" },
        { tunnel: { udpChecksum: true } },
        { family: 6 },
        { session: { sendSeq: true } },
        { session: { recvSeq: true }, a: { sendSeq: true }, b: { sendSeq: true } },
      ] as const satisfies WireOptions[]
    ) {
      await using wire = new Wire(hosts, carrier);
      assertEquals([isCarried(hosts, wire, "a"), isCarried(hosts, wire, "b")], [false, false]);
      await wire.transfer(MEGABYTE);
      await wire.assertMirrored({ overtaken: true });
    }
  });

  await t.step("an adopted socket stays its owner's, also with BPF", async () => {
    const end = (host: number): { address: Uint8Array; port: number } => ({
      address: parseIpAddress(`10.0.0.${host}`)!,
      port: 1800 + host,
    });
    using socket = inNamespace(hosts.a.netns, () => openUdp(AF_INET, { local: end(1), noChecksumTx: true }));
    socket.connect(encodeInet(end(2)));
    await using _wire = new Wire(hosts, { tunnelA: { fd: socket.number } });
    assert(hosts.a.l2tp.offloads().every(({ offloads }) => !offloads.includes("bpf")));
    assert(hosts.b.l2tp.offloads().every(({ offloads }) => offloads.includes("bpf")));
  });
  assertStrictEquals(daemon.said, "");
});

Deno.test("BPF programs at one end, the worker at the other", async (t) => {
  await using pair = await Pair.create();
  await using bpf = await TestDaemon.start({ args: ["offload", "bpf"] });
  await using plain = await TestDaemon.start();
  using hosts = new Hosts(pair, (netns, name) => userClient(name === "a" ? bpf : plain, netns));
  for (const { name, ...carrier } of CARRIERS) {
    for (const [cable, bytes] of [["whole", WHOLE], ["cut", CUT]] as const) {
      await t.step(`${name}: TCP crosses the cable ${cable}`, async () => {
        await setCable(pair, bytes);
        {
          await using wire = new Wire(hosts, carrier);
          assertEquals([isCarried(hosts, wire, "a"), isCarried(hosts, wire, "b")], [true, false]);
        }
        // A packet that was never segmented counts as one for a worker.
        await checkTraffic(hosts, carrier, bytes === CUT);
      });
    }
  }
});

Deno.test("sessions come to the worker, and go back to BPF programs", async (t) => {
  await using pair = await Pair.create();
  const folder = await Deno.makeTempDir({ prefix: "l2tp-bpf." });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const start = { args: ["offload", "bpf"], folder };
  const daemons = [await TestDaemon.start(start)];
  stack.defer(async () => {
    for (const daemon of daemons) await daemon[Symbol.asyncDispose]();
  });
  await using other = await TestDaemon.start();
  using hosts = new Hosts(pair, (netns, name) => userClient(name === "a" ? daemons[0]! : other, netns));
  // So that a worker counts what is sent.
  await setCable(pair, CUT);
  const carried = async (wire: Wire, wanted: boolean): Promise<void> => {
    await until(() => isCarried(hosts, wire, "a") === wanted, `the programs carry it: ${wanted}`);
    await wire.transfer(100_000);
  };

  await t.step("sequence numbers are turned on, and off", async () => {
    await using wire = new Wire(hosts);
    await carried(wire, true);
    hosts.a.l2tp.modifySession(wire.ids("a"), { sendSeq: true });
    hosts.b.l2tp.modifySession(wire.ids("b"), { recvSeq: true });
    await carried(wire, false);
    hosts.b.l2tp.modifySession(wire.ids("b"), { recvSeq: false });
    hosts.a.l2tp.modifySession(wire.ids("a"), { sendSeq: false });
    await carried(wire, true);
    await wire.assertMirrored({ overtaken: true });
  });

  await t.step(
    "the peer sends sequence numbers: the session answers with its own, as in the kernel",
    async () => {
      await using wire = new Wire(hosts, { b: { sendSeq: true, lnsMode: true } });
      // The peer accepts no packet without a number before it has received one.
      await wire.ping({}, "b");
      await carried(wire, false);
      assertStrictEquals(hosts.a.l2tp.session(wire.ids("a"))!.sendSeq, true);
      await wire.assertMirrored({ overtaken: true });
    },
  );

  await t.step(
    "the peer sends sequence numbers, and checksums that the programs do not look at",
    async () => {
      const numbered = { b: { sendSeq: true, lnsMode: true }, tunnelB: { udpChecksum: true } };
      await using wire = new Wire(hosts, numbered);
      await wire.ping({}, "b");
      await carried(wire, false);
      await wire.assertMirrored({ overtaken: true });
    },
  );

  await t.step("any IPsec policy disables BPF, so that no packet bypasses it", async () => {
    await using wire = new Wire(hosts);
    await carried(wire, true);
    const policy = "src 192.0.2.1 dst 192.0.2.2 dir out";
    await hosts.a.namespace.ip(`xfrm policy add ${policy} action block`);
    await carried(wire, false);
    await hosts.a.namespace.ip(`xfrm policy del ${policy}`);
    await carried(wire, true);
  });

  await t.step("wrong cookies are counted", async () => {
    const cookie = Uint8Array.of(1, 2, 3, 4);
    await using wire = new Wire(hosts, { a: { peerCookie: cookie }, b: { cookie: cookie.toReversed() } });
    await until(() => isCarried(hosts, wire, "a"), "the programs carry it");
    await hosts.b.namespace.sh("sh", "-c", `ping -c 3 -i 0.01 -W 1 ${wire.address("a")} || true`);
    const { rxCookieDiscards, rxPackets } = wire.counters("a");
    assert(rxCookieDiscards! > 0n && rxPackets === 0n, `${rxCookieDiscards} discards`);
  });

  await t.step("the route to the peer disappears and returns", async () => {
    await using wire = new Wire(hosts);
    await carried(wire, true);
    hosts.a.change("cable", { up: false });
    await until(() => !isCarried(hosts, wire, "a"), "the programs let go of it");
    hosts.a.change("cable", { up: true });
    await carried(wire, true);
  });

  await t.step("the path MTU to the peer decreases", async () => {
    await using wire = new Wire(hosts);
    await carried(wire, true);
    try {
      for (const name of ["a", "b"] as const) hosts[name].change("cable", { mtu: 1300 });
      // A packet that is on its way just now may be too long.
      await hosts.a.namespace.sh(
        "ping",
        "-c",
        "20",
        "-i",
        "0.05",
        "-W",
        "2",
        "-s",
        "1400",
        wire.address("b"),
      );
      await wire.ping({ count: 3, size: 1400 });
      await carried(wire, true);
    } finally {
      for (const name of ["a", "b"] as const) hosts[name].change("cable", { mtu: 1500 });
    }
  });

  await t.step("the device moves to another network namespace and back", async () => {
    await using elsewhere = await Namespace.create("c");
    await using wire = new Wire(hosts);
    await carried(wire, true);
    using there = openNetns(elsewhere.name);
    const number = hosts.a.index(wire.device);
    hosts.a.change(wire.device, { netnsFd: there.number });
    await until(() => !isCarried(hosts, wire, "a"), "the programs let go of it");
    // Another device with the same index and name is not used for BPF.
    await hosts.a.namespace.ip(`link add ${wire.device} index ${number} type veth peer name stranger`);
    await hosts.a.namespace.ip(`link set ${wire.device} up`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assertStrictEquals(isCarried(hosts, wire, "a"), false);
    await hosts.a.namespace.ip(`link del ${wire.device}`);
    await elsewhere.ip(`addr add ${wire.address("a")}/24 dev ${wire.device}`);
    await elsewhere.ip(`link set ${wire.device} up`);
    await elsewhere.sh("ping", "-c", "2", "-i", "0.1", "-W", "5", wire.address("b"));
    using home = openNetns(hosts.a.netns);
    inNamespace(elsewhere.name, () => {
      using links = LinkClient.open();
      links.changeLink(links.link(wire.device)!.index, { netnsFd: home.number });
    });
    const index = hosts.a.index(wire.device);
    hosts.a.links.addAddress({ index, address: wire.address("a"), prefixLength: 24 });
    hosts.a.change(wire.device, { up: true });
    await carried(wire, true);
  });

  await t.step("the device is renamed", async () => {
    await using wire = new Wire(hosts);
    await carried(wire, true);
    await hosts.a.namespace.ip(`link set ${wire.device} down`);
    await hosts.a.namespace.ip(`link set ${wire.device} name renamed`);
    await hosts.a.namespace.ip("link set renamed up");
    await carried(wire, true);
    await hosts.a.namespace.ip("link set renamed down");
    await hosts.a.namespace.ip(`link set renamed name ${wire.device}`);
  });

  await t.step("the daemon is killed, and the next one continues", async () => {
    const wire = new Wire(hosts);
    await carried(wire, true);
    await daemons.pop()!.end("SIGKILL");
    daemons.push(await TestDaemon.start(start));
    using again = userClient(daemons[0]!, hosts.a.netns);
    const { sessionId } = wire.ids("a");
    await until(
      () => again.offloads().some((each) => each.sessionId === sessionId && each.offloads.includes("bpf")),
      "the programs carry it",
    );
    await wire.transfer(MEGABYTE);
    again.deleteTunnel(wire.ids("a").tunnelId);
    hosts.b.l2tp.deleteTunnel(wire.ids("b").tunnelId);
  });
  assertEquals([daemons[0]!.said.includes("bpf"), other.said], [false, ""]);
});
