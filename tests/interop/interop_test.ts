/**
 * The subsystem in userspace at one end, the kernel's own at the other, in the test guest: everything Ethernet goes
 * through, whichever of them began.
 */

import { assert, assertEquals, assertStrictEquals, fail } from "@std/assert";
import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { isKernelAtLeast, kernelRelease } from "../../src/driver/system/kernel_release.ts";
import { OFFLOADS, type Offloads, parseOffloads } from "../../src/model/offloads.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { sh } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { requireL2tp } from "../kernel/kernel.ts";
import { Bridges } from "../userspace/bridges.ts";
import {
  checkCounters,
  checkDownAndUp,
  checkFragments,
  checkJumbo,
  checkMtu,
  checkMulticast,
  checkNothingArrives,
} from "../userspace/checks.ts";
import {
  assertReordered,
  assertThinned,
  type Disturber,
  sendDisturbed,
} from "../userspace/sequence_checks.ts";
import { computeChecksums } from "./checksums.ts";
import { checkNarrowPath } from "../userspace/narrow_path.ts";
import { checkSharedPort } from "../userspace/shared_port.ts";
import { type HostName, Hosts, userClient, Wire, type WireOptions } from "../userspace/wire.ts";
import { VARIANTS } from "./variants.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const MEGABYTE = 1_000_000;
/** Each way; the emulated machine takes 10 to 30 seconds for both. */
const LARGE_BYTES = 100 * MEGABYTE;

const FRAMES = 200;

const CARRIERS: readonly (WireOptions & { readonly name: string })[] = [
  { name: "UDP over IPv4", encap: "udp", family: 4 },
  { name: "UDP over IPv6", encap: "udp", family: 6 },
  { name: "IPv4", encap: "ip", family: 4 },
  { name: "IPv6", encap: "ip", family: 6 },
];

/** The end that is in userspace; the other one is the kernel's. */
const USER: HostName = "a";

function open(daemon: TestDaemon, netns: string, name: HostName): L2tpClient {
  return name === USER ? userClient(daemon, netns) : inNamespace(netns, () => L2tpClient.open());
}

Deno.test("userspace and the kernel", async (t) => {
  requireL2tp();
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  const wanted = parseOffloads(Deno.env.get("L2TP_OFFLOAD") ?? "all") as Offloads;
  if (wanted.bpf) await computeChecksums(pair);
  using hosts = new Hosts(pair, (netns, name) => open(daemon, netns, name));
  using crosswise = new Hosts(pair, (netns, name) => open(daemon, netns, name === "a" ? "b" : "a"));
  const timed = async (name: string, action: () => Promise<void>): Promise<void> => {
    const started = performance.now();
    await t.step(name, action);
    console.log(`${((performance.now() - started) / 1000).toFixed(1)} s: ${name}`);
  };

  await timed("what this kernel does for many packets at once, and what it refuses", async () => {
    await using _wire = new Wire(hosts, {});
    const hasUso = isKernelAtLeast(kernelRelease(), 6, 2);
    const { tap } = wanted;
    const possible = {
      ...wanted,
      tso: wanted.tso && tap,
      uso: wanted.uso && tap && hasUso,
      // Packets are not joined before BPF programs see them.
      gro: wanted.gro && !wanted.bpf,
    };
    const expected = OFFLOADS.filter((each) => possible[each] && (each !== "coalesce" || tap));
    assertEquals(hosts.a.l2tp.offloads().map(({ offloads }) => offloads), [expected]);
    if (wanted.uso && tap && !hasUso) {
      const refusal = /offload uso unavailable: .*EINVAL/;
      await until(() => refusal.test(daemon.said), "the refusal is said");
    }
  });

  for (const { name, options, mtu, carries } of VARIANTS) {
    for (
      const [of, ends] of [["userspace and the kernel", hosts], [
        "the kernel and userspace",
        crosswise,
      ]] as const
    ) {
      await timed(`${name}: ${of}`, async () => {
        await using wire = new Wire(ends, options);
        assertDeepStrictEquals([wire.mtu("a"), wire.mtu("b")], mtu);
        if (!carries) return await checkNothingArrives(ends, wire);
        await wire.ping();
        await wire.ping({ count: 1 }, "b");
        await checkMtu(ends, wire);
        const speed = await wire.transfer(MEGABYTE);
        console.log(`1 MB each way at ${speed.toFixed(1)} Mbit/s`);
        await wire.assertMirrored({ overtaken: isSequenced(options) });
      });
    }
  }

  for (const { name, ...carrier } of CARRIERS) {
    await timed(`${name}: counters to the byte, fragments outside, multicast, jumbo frames`, async () => {
      await checkCounters(hosts, { ...carrier, cookieA: 4, cookieB: 8 });
      await checkFragments(hosts, carrier);
      {
        await using wire = new Wire(hosts, carrier);
        await checkMulticast(hosts, wire);
      }
      await checkJumbo(hosts, carrier);
    });
    await timed(`${name}: both ends in a bridge, VLANs`, async () => {
      await using bridges = await Bridges.create(hosts, { ...carrier, cookieA: 8, cookieB: 8 });
      await bridges.check(MEGABYTE);
      await bridges.checkTagged();
      await bridges.checkVlanInterfaces();
      await bridges.checkComingBack();
    });
  }

  await timed("two kernels behind one UDP port of userspace, with the same ids", async () => {
    await checkSharedPort(hosts, (netns) => inNamespace(netns, () => L2tpClient.open()));
  });

  await timed("a path MTU smaller than that of the interface", async () => {
    await checkNarrowPath(hosts, (netns) => inNamespace(netns, () => L2tpClient.open()));
  });

  await timed("devices of either kind go down and up under TCP, which goes on", async () => {
    await checkDownAndUp(hosts, 5 * MEGABYTE);
  });

  await timed(`${LARGE_BYTES / MEGABYTE} MB of TCP each way`, async () => {
    await using wire = new Wire(hosts, { cookieA: 8, cookieB: 4 });
    const speed = await wire.transfer(LARGE_BYTES);
    console.log(`${LARGE_BYTES / MEGABYTE} MB each way at ${speed.toFixed(1)} Mbit/s`);
    await wire.assertMirrored();
  });

  // BPF programs do not carry sessions with sequence numbers, and netem counts whole packets.
  if (wanted.bpf) await computeChecksums(pair, false);
  for (const { name, ...carrier } of CARRIERS) {
    const sequenced = (reorderTimeoutMs: number): WireOptions => ({
      ...carrier,
      session: { sendSeq: true, recvSeq: true, reorderTimeoutMs },
    });
    for (const from of ["a", "b"] as const) {
      const sender = from === USER ? "userspace" : "the kernel";
      await timed(`${name}, from ${sender}: a reorder queue puts packets in order`, async () => {
        await using wire = new Wire(hosts, sequenced(10_000));
        const netem = new Netem(hosts, from, "reorder 40% delay 100ms");
        assertReordered(await sendDisturbed({ hosts, wire, from }, FRAMES, netem));
      });
      await timed(`${name}, from ${sender}: without a queue, late ones are dropped`, async () => {
        await using wire = new Wire(hosts, sequenced(0));
        const netem = new Netem(hosts, from, "reorder 40% delay 100ms");
        assertThinned(await sendDisturbed({ hosts, wire, from }, FRAMES, netem), 0);
      });
      await timed(`${name}, from ${sender}: a queue, and some packets are lost`, async () => {
        await using wire = new Wire(hosts, sequenced(200));
        const netem = new Netem(hosts, from, "loss 5% reorder 40% delay 50ms");
        const passage = await sendDisturbed({ hosts, wire, from }, FRAMES, netem);
        assert(netem.lost > 0);
        assertThinned(passage, netem.lost);
      });
    }
    await timed(`${name}: TCP with sequence numbers, reordered and lossy both ways`, async () => {
      await using wire = new Wire(hosts, sequenced(200));
      const both = (["a", "b"] as const).map((at) => new Netem(hosts, at, "loss 1% reorder 50% delay 5ms"));
      for (const netem of both) await netem.disturb();
      await wire.transfer(100_000);
      for (const netem of both) await netem.calm();
    });
  }

  await timed(
    "both subsystems at both ends over IP: each takes its own packets, and drops the other's",
    async () => {
      const options = { encap: "ip", session: { l2spec: "none" } } as const;
      await using mine = new Wire(hosts, options);
      await using other = new Wire(crosswise, options);
      await mine.ping();
      await other.ping();
      await mine.transfer(100_000);
      await other.transfer(100_000);
      await mine.assertMirrored();
      await other.assertMirrored();
      for (const [host, wire, name] of [[hosts.a, other, "a"], [crosswise.b, mine, "b"]] as const) {
        const drops = host.l2tp.drops();
        assertStrictEquals(drops.length, 1);
        // Protocol 115 goes to raw sockets as well: all that came for the kernel's tunnel, and nothing else.
        const { rxPackets } = wire.counters(name);
        assertDeepStrictEquals([...drops[0]!.reasons], [["unknown_session", Number(rxPackets)]]);
      }
    },
  );
});

/** Late packets are dropped. */
function isSequenced({ session, a }: WireOptions): boolean {
  return (session?.sendSeq ?? a?.sendSeq) === true;
}

/** Disturbances that netem applies to the packets that leave a host. */
class Netem implements Disturber {
  /** Packets that it has lost. */
  lost = 0;
  readonly #netns: string;
  readonly #words: readonly string[];

  constructor(hosts: Hosts, at: HostName, words: string) {
    this.#netns = hosts[at].netns;
    this.#words = words.split(" ");
  }

  readonly disturb = async (): Promise<void> => {
    await sh("tc", "-n", this.#netns, "qdisc", "add", "dev", "cable", "root", "netem", ...this.#words);
  };

  readonly calm = async (): Promise<void> => {
    for (;;) {
      const shown = await sh("tc", "-n", this.#netns, "-s", "qdisc", "show", "dev", "cable");
      if (!/backlog 0b 0p/.test(shown)) continue;
      this.lost = Number(/dropped (\d+)/.exec(shown)?.[1] ?? fail(shown));
      break;
    }
    await sh("tc", "-n", this.#netns, "qdisc", "del", "dev", "cable", "root");
  };
}
