/**
 * The benchmark against `ip l2tp` on a kernel that has L2TP: `deno run -A tests/benchmarks/kernel_bench.ts` as root, or in the
 * guest by `deno task bench`. Whole processes, in turn, in one boot.
 */

import { Namespace } from "../support/namespaces.ts";
import { pairedRow, timePairs } from "../support/pairs.ts";
import { programUnderTest } from "../support/processes.ts";

const TUNNELS = 1000;

async function seconds(command: readonly string[]): Promise<number> {
  const [program, ...args] = command;
  const started = performance.now();
  const { code, stderr } = await new Deno.Command(program!, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  })
    .output();
  const took = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`${command.join(" ")}: exit ${code}: ${new TextDecoder().decode(stderr)}`);
  return took;
}

/** A namespace with the addresses that the batch needs. */
async function openNamespace(): Promise<Namespace> {
  const namespace = await Namespace.create("bench");
  await namespace.ip("link add d0 type dummy");
  await namespace.ip("addr add 10.0.0.1/24 dev d0");
  await namespace.ip("link set d0 up");
  return namespace;
}

function batchText(): string {
  const lines: string[] = [];
  for (let id = 1; id <= TUNNELS; id++) {
    const ports = `udp_sport ${10000 + id} udp_dport ${20000 + id}`;
    lines.push(
      `l2tp add tunnel tunnel_id ${id} peer_tunnel_id ${id} encap udp local 10.0.0.1 remote 10.0.0.2 ${ports}`,
    );
    lines.push(
      `l2tp add session name s${id} tunnel_id ${id} session_id ${id} peer_session_id ${id} cookie 01020304`,
    );
  }
  return lines.join("\n") + "\n";
}

async function benchBatch(own: readonly string[], file: string): Promise<void> {
  // Each run in a namespace of its own: taking 1,000 tunnels down again is not what is measured.
  const timed = async (command: (netns: string) => string[]): Promise<number> => {
    await using namespace = await openNamespace();
    return await seconds(command(namespace.name));
  };
  console.log(pairedRow(
    await timePairs(
      `batch of ${TUNNELS} tunnels and ${TUNNELS} sessions: l2tp / ip`,
      3,
      () => timed((netns) => [...own, "-n", netns, "-batch", file]),
      () => timed((netns) => ["ip", "-n", netns, "-batch", file]),
    ),
  ));
}

async function benchDump(own: readonly string[], file: string, folder: string): Promise<void> {
  await using namespace = await openNamespace();
  const { name } = namespace;
  await seconds(["ip", "-n", name, "-batch", file]);
  console.log(pairedRow(
    await timePairs(
      `one process: -j show session of ${TUNNELS}: l2tp / ip`,
      7,
      () => seconds([...own, "-n", name, "-j", "show", "session"]),
      () => seconds(["ip", "-n", name, "-j", "l2tp", "show", "session"]),
    ),
  ));
  const many = `${folder}/dumps`;
  await Deno.writeTextFile(many, "l2tp show session\n".repeat(50));
  console.log(pairedRow(
    await timePairs(
      `one process: 50 times -j show session of ${TUNNELS}: l2tp / ip`,
      5,
      () => seconds([...own, "-n", name, "-j", "-batch", many]),
      () => seconds(["ip", "-n", name, "-j", "-batch", many]),
    ),
  ));
}

/** An empty Deno program: what any program of ours takes at least. */
async function emptyProgram(folder: string): Promise<string[]> {
  const empty = `${folder}/empty.js`;
  await Deno.writeTextFile(empty, "");
  return [Deno.execPath(), "run", "-A", "--no-config", "--no-lock", empty];
}

/** System time of a command, in seconds, from bash's `time`. */
async function systemSeconds(command: readonly string[]): Promise<number> {
  const { code, stderr } = await new Deno.Command("bash", {
    args: ["-c", 'TIMEFORMAT=%S; time "$@" >/dev/null', "bash", ...command],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stderr);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit ${code}: ${text}`);
  return Number(text);
}

/** Lower bound: the start of the runtime plus the kernel's work, against the whole time of `ip`. */
async function benchBounds(file: string, folder: string): Promise<void> {
  const empty = await emptyProgram(folder);
  await using filled = await openNamespace();
  await seconds(["ip", "-n", filled.name, "-batch", file]);
  console.log(pairedRow(
    await timePairs(
      `bound: empty Deno program / one listing of ${TUNNELS} by ip`,
      7,
      () => seconds(empty),
      () => seconds(["ip", "-n", filled.name, "-j", "l2tp", "show", "session"]),
    ),
  ));
  const batch = async (measure: (command: readonly string[]) => Promise<number>): Promise<number> => {
    await using namespace = await openNamespace();
    return await measure(["ip", "-n", namespace.name, "-batch", file]);
  };
  console.log(pairedRow(
    await timePairs(
      `bound: empty Deno program and the kernel's work for the batch / the batch by ip`,
      3,
      async () => await seconds(empty) + await batch(systemSeconds),
      () => batch(seconds),
    ),
  ));
}

async function benchStart(own: readonly string[], folder: string): Promise<void> {
  await using namespace = await openNamespace();
  await namespace.ip("l2tp add tunnel tunnel_id 1 peer_tunnel_id 1 encap ip local 10.0.0.1 remote 10.0.0.2");
  const empty = await emptyProgram(folder);
  console.log(pairedRow(
    await timePairs(
      "start: l2tp show / empty Deno program",
      15,
      () => seconds([...own, "-n", namespace.name, "show"]),
      () => seconds(empty),
    ),
  ));
}

const own = programUnderTest();
const folder = await Deno.makeTempDir();
const file = `${folder}/batch`;
await Deno.writeTextFile(file, batchText());
const wanted = new Set(Deno.args);
const all = wanted.size === 0;
if (all || wanted.has("start")) await benchStart(own, folder);
if (all || wanted.has("dump")) await benchDump(own, file, folder);
if (all || wanted.has("bounds")) await benchBounds(file, folder);
if (all || wanted.has("batch")) await benchBatch(own, file);
await Deno.remove(folder, { recursive: true });
