/**
 * BPF programs at one end (`l2tp daemon offload bpf`), the kernel's own L2TP at the other, in the test guest. With
 * L2TP_OFFLOAD=bpf, all of `interop_test.ts` is about the same.
 */

import { assert, assertStrictEquals } from "@std/assert";
import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { isKernelAtLeast, kernelRelease } from "../../src/driver/system/kernel_release.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { requireL2tp } from "../kernel/kernel.ts";
import { Bridges } from "../userspace/bridges.ts";
import { checkCounters, checkFragments, checkMtu, checkMulticast } from "../userspace/checks.ts";
import { Hosts, userClient, Wire, type WireOptions } from "../userspace/wire.ts";
import { computeChecksums } from "./checksums.ts";

const MEGABYTE = 1_000_000;
const WITHOUT_CHECKSUMS = { checksumTx: false, checksumRx: false };
const CARRIERS: readonly (WireOptions & { readonly name: string })[] = [
  { name: "UDP over IPv4", cookieA: 8, cookieB: 4 },
  { name: "UDP over IPv4, no sublayer", session: { l2spec: "none" } },
  { name: "UDP over IPv6", family: 6, cookieA: 4, cookieB: 8, tunnel: WITHOUT_CHECKSUMS },
];

Deno.test("BPF programs and the kernel", async (t) => {
  requireL2tp();
  await using pair = await Pair.create();
  await computeChecksums(pair);
  await using daemon = await TestDaemon.start({ args: ["offload", "bpf"] });
  using hosts = new Hosts(
    pair,
    (netns, name) => name === "a" ? userClient(daemon, netns) : inNamespace(netns, () => L2tpClient.open()),
  );
  for (const { name, ...carrier } of CARRIERS) {
    await t.step(`${name}: TCP, lengths, neighbours`, async () => {
      await using wire = new Wire(hosts, carrier);
      assert(hosts.a.l2tp.offloads()[0]!.offloads.includes("bpf"), daemon.said);
      await wire.ping();
      await wire.ping({ count: 1 }, "b");
      await checkMtu(hosts, wire);
      const speed = await wire.transfer(5 * MEGABYTE);
      console.log(`5 MB each way at ${speed.toFixed(1)} Mbit/s`);
      await checkMulticast(hosts, wire);
      await wire.assertMirrored();
    });
    await t.step(`${name}: counters to the byte, fragments, bridges, VLANs`, async () => {
      await checkCounters(hosts, carrier);
      await checkFragments(hosts, carrier);
      await using bridges = await Bridges.create(hosts, carrier);
      await bridges.check(MEGABYTE);
      await bridges.checkTagged();
      await bridges.checkVlanInterfaces();
    });
  }
});

Deno.test("the next daemon removes what a killed one left at devices, whatever its options", async () => {
  requireL2tp();
  await using pair = await Pair.create();
  const folder = await Deno.makeTempDir({ prefix: "l2tp-bpf." });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const filters = async (): Promise<number> => {
    const shown = await Promise.all([
      pair.a.sh("tc", "filter", "show", "dev", "cable", "ingress"),
      pair.a.sh("tc", "filter", "show", "dev", "left", "egress"),
    ]);
    return shown.join("").match(/l2tp direct-action/g)?.length ?? 0;
  };
  const first = stack.use(await TestDaemon.start({ args: ["offload", "bpf"], folder }));
  {
    using l2tp = first.client(pair.a.name);
    const ends = { local: "10.0.0.1", peer: "10.0.0.2", localPort: 1701, peerPort: 1701 };
    l2tp.createTunnel({ tunnelId: 1, peerTunnelId: 1, encap: "udp", ...ends });
    l2tp.createSession({ tunnelId: 1, sessionId: 1, peerSessionId: 1, interfaceName: "left" });
  }
  // Before Linux 6.6 programs are attached by filters; since then nothing of the kind is there at all.
  const attached = isKernelAtLeast(kernelRelease(), 6, 6) ? 0 : 2;
  assertStrictEquals(await filters(), attached);
  await first.end("SIGKILL");
  assertStrictEquals(await filters(), attached);
  await using _next = await TestDaemon.start({ folder });
  assertStrictEquals(await filters(), 0);
});
