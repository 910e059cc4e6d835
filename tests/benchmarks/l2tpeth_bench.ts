/**
 * The data path in userspace against the kernel's own, l2tpeth: one TCP stream over UDP/IPv4, on a kernel that has
 * L2TP. `deno run -A tests/benchmarks/l2tpeth_bench.ts` as root, or in the guest by `deno task bench`.
 *
 * Both ends of a tunnel are of the same kind, all have the same MTU inside, and they are measured in turn. Where the
 * processors are emulated, as in the guest, only the ratio means anything, and it is worse than on a real machine for
 * what is compiled at run time.
 */

import { ratioByRound } from "./figures/statistics.ts";
import { show, showSpread } from "./figures/tables.ts";
import { type Spread, spread } from "../support/pairs.ts";
import { gigabitsSent, runTcp } from "./peers/measure.ts";
import { ours } from "./peers/ours.ts";
import { busySeconds, processorSeconds } from "./peers/programs.ts";
import { Tunnel } from "./peers/tunnel.ts";

const ROUNDS = 5;
const MTU = "mtu 1400";
const VARIANTS = [
  ours("kernel", "the kernel's l2tpeth", { dataplane: "kernel", words: MTU }),
  ours("kernel-csum", "the kernel's l2tpeth, udp_csum on", {
    dataplane: "kernel",
    words: `udp_csum on ${MTU}`,
  }),
  ours("user", "userspace", { words: MTU }),
  ours("user-bpf", "userspace by BPF", { words: MTU, offload: "bpf" }),
];
/** Of those, the kernel's. */
const KERNEL_VARIANTS = 2;

/** Results of a tunnel by round. */
class Found {
  readonly rates = new Map<number, number>();
  /** Busy cores of the whole machine, iperf3 included, and those of either end's process, for each Gbit/s. */
  readonly machine = new Map<number, number>();
  readonly a = new Map<number, number>();
  readonly b = new Map<number, number>();
}

async function measure(tunnel: Tunnel, round: number, found: Found): Promise<void> {
  const read = (): readonly number[] => [busySeconds(), ...tunnel.pids.map((pid) => processorSeconds([pid]))];
  const before = read();
  const report = await runTcp(tunnel);
  const gigabits = gigabitsSent(report);
  const [machine, a, b] = read().map((seconds, i) => (seconds - before[i]!) / gigabits);
  found.rates.set(round, report.end.sum_received.bits_per_second);
  found.machine.set(round, machine!);
  if (a !== undefined) found.a.set(round, a);
  if (b !== undefined) found.b.set(round, b);
}

const spreadOf = (values: ReadonlyMap<number, number>): Spread | undefined =>
  values.size === 0 ? undefined : spread([...values.values()]);

await using stack = new AsyncDisposableStack();
const all: { readonly tunnel: Tunnel; readonly found: Found }[] = [];
for (const variant of VARIANTS) {
  const tunnel = stack.use(await Tunnel.open(variant));
  // Warm up the JIT compiler.
  await runTcp(tunnel, { seconds: 1 });
  all.push({ tunnel, found: new Found() });
}
for (let round = 0; round < ROUNDS; round++) {
  for (const { tunnel, found } of round % 2 === 0 ? all : all.toReversed()) {
    await measure(tunnel, round, found);
  }
}
console.log(`one TCP stream over UDP/IPv4, ${MTU} inside, ${ROUNDS} rounds, median (range):`);
for (const { tunnel, found } of all) {
  const perEnd = found.a.size === 0
    ? ""
    : `, of which the process at a ${showSpread(spreadOf(found.a))}, at b ${showSpread(spreadOf(found.b))}`;
  console.log(
    `${tunnel.variant.what.padEnd(36)}${
      showSpread(spreadOf(found.rates), 1e6)
    } Mbit/s, busy cores of the machine for ` +
      `each Gbit/s ${showSpread(spreadOf(found.machine))}${perEnd}`,
  );
}
for (const user of all.slice(KERNEL_VARIANTS)) {
  for (const peer of all.slice(0, KERNEL_VARIANTS)) {
    const medians = spreadOf(user.found.rates)!.median / spreadOf(peer.found.rates)!.median;
    const pairs = ratioByRound(user.found.rates, peer.found.rates);
    console.log(
      `${user.tunnel.variant.what} / ${peer.tunnel.variant.what}: ratio of medians ${show(medians)}, ` +
        `round by round ${showSpread(pairs)}`,
    );
  }
}
for (const { tunnel } of all) {
  const fragments = await tunnel.fragments();
  if (fragments > 0) {
    throw new Error(`${tunnel.variant.what}: ${fragments} fragments: its packets did not fit the cable`);
  }
}
