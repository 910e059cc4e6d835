/**
 * The benchmark: `deno task bench`. Whole processes against their peers, in turn, in one run; prints medians, spread
 * and the ratio pair by pair. What needs a kernel with L2TP runs in the guest where this one has none. Options go to the
 * part about tunnels of other makes: `deno task bench --quick --json FILE`.
 *
 * @module
 */

import { kernelHasL2tp, runInGuest } from "../guest/guest.ts";
import { pairedRow, timePairs } from "../support/pairs.ts";
import { ensurePackages } from "../tools/debian.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const DENO = Deno.execPath();
const BINARY = `${ROOT}dist/l2tp`;
const RUNS = 31;

async function run(command: readonly string[], accepted: readonly number[]): Promise<number> {
  const [program, ...args] = command;
  const started = performance.now();
  const { code } = await new Deno.Command(program!, { args, stdin: "null", stdout: "null", stderr: "null" })
    .output();
  const seconds = (performance.now() - started) / 1000;
  if (!accepted.includes(code)) throw new Error(`${command.join(" ")}: exit ${code}`);
  return seconds;
}

async function startUp(): Promise<void> {
  const empty = await Deno.makeTempFile({ suffix: ".js" });
  const emptyProgram = (): Promise<number> =>
    run([DENO, "run", "-A", "--no-config", "--no-lock", empty], [0]);
  // Without kernel L2TP, `show` asks the kernel, looks for a daemon, and finds nothing to show.
  const runtimeDir = await Deno.makeTempDir();
  Deno.env.set("L2TP_RUNTIME_DIR", runtimeDir);
  for (const [args, accepted] of [[["version"], [0]], [["show"], [0]]] as const) {
    for (
      const [name, program] of [
        ["dist/l2tp", [BINARY]],
        ["main.ts", [DENO, "run", "-A", "--no-check", "--no-config", "--no-lock", `${ROOT}main.ts`]],
      ] as const
    ) {
      const times = await timePairs(
        `start here: ${name} ${args.join(" ")} / empty Deno program`,
        RUNS,
        () => run([...program, ...args], accepted),
        emptyProgram,
      );
      console.log(pairedRow(times));
    }
  }
  await Deno.remove(empty);
  await Deno.remove(runtimeDir, { recursive: true });
  Deno.env.delete("L2TP_RUNTIME_DIR");
}

/** The Internet checksum, WebAssembly against TypeScript. */
async function checksum(): Promise<void> {
  const { success } = await new Deno.Command(DENO, {
    args: ["run", "--no-check", "--no-lock", `${ROOT}tests/benchmarks/checksum_bench.ts`],
    stdin: "null",
  }).spawn().status;
  if (!success) Deno.exit(1);
}

/** The userspace data path, natively, alone and against tunnels of other makes; the live status view, and completion. */
async function userspace(): Promise<boolean> {
  await ensurePackages(["iproute2", "iperf3", "tmux"], "the benchmark of the userspace subsystem");
  let isGood = true;
  for (
    const [script, args] of [
      ["packets_bench.ts", []],
      ["status_bench.ts", []],
      ["ppp_bench.ts", []],
      ["completion_bench.ts", []],
      ["peers_bench.ts", Deno.args],
    ] as const
  ) {
    const { success } = await new Deno.Command(DENO, {
      args: ["run", "-A", "--no-check", "--no-lock", `${ROOT}tests/benchmarks/${script}`, ...args],
      env: { L2TP_UNDER_TEST: BINARY },
      stdin: "null",
    }).spawn().status;
    isGood &&= success;
  }
  return isGood;
}

/** On a kernel that has L2TP: this one, or the guest's. */
async function onKernel(script: string): Promise<boolean> {
  const command = [DENO, "run", "-A", "--no-check", "--no-lock", `${ROOT}tests/benchmarks/${script}`];
  const env = { L2TP_UNDER_TEST: BINARY };
  if (Deno.uid() === 0 && await kernelHasL2tp()) {
    const [program, ...args] = command;
    return (await new Deno.Command(program!, { args, env, stdin: "null" }).spawn().status).success;
  }
  console.log(
    "in the guest (software emulation, where compiled-at-run-time code is 20 to 40 times slower, C about 10):",
  );
  const { code, timedOut } = await runInGuest({ command, env, timeoutSeconds: 1800, memoryMib: 3072 });
  if (timedOut) console.error(`${script}: the guest took too long`);
  return code === 0;
}

const compile = new Deno.Command(DENO, { args: ["task", "--quiet", "compile"], cwd: ROOT, stdin: "null" });
if (!(await compile.spawn().status).success) Deno.exit(1);
console.log(`dist/l2tp: ${((await Deno.stat(BINARY)).size / 1e6).toFixed(1)} MB`);
await startUp();
await checksum();
let isGood = true;
if (Deno.uid() === 0) {
  isGood = await userspace();
} else {
  console.log("NOT RUN: the userspace data path needs root");
  if (Deno.env.get("CI") === "true") isGood = false;
}
await ensurePackages(["iproute2", "iperf3"], "the benchmark");
for (const script of ["kernel_bench.ts", "l2tpeth_bench.ts"]) isGood = await onKernel(script) && isGood;
Deno.exit(isGood ? 0 : 1);
