/**
 * The benchmark of the Internet checksum: `deno run tests/benchmarks/checksum_bench.ts`. WebAssembly against plain
 * TypeScript, in turn, in one run.
 */

import { type Checksummer, PlainChecksum } from "../../src/dataplane/checksum/internet_checksum.ts";
import { openWasmChecksum } from "../../src/dataplane/checksum/wasm_checksum.ts";
import { spread } from "../support/pairs.ts";
import { Random } from "../support/random.ts";

const PAIRS = 31;
/** Bytes that one measurement sums. */
const BYTES = 32e6;
/** Offsets of the packets in turn, as after headers in slots of 2 KiB: half of them are unaligned. */
const STARTS = [16, 2062, 4112, 6159, 8208, 10_254, 12_304, 14_351];

/** Bytes a nanosecond, which is GB/s. */
function rate(summer: Checksummer, length: number): number {
  const times = Math.ceil(BYTES / length);
  let sum = 0;
  const started = performance.now();
  for (let i = 0; i < times; i++) sum += summer.sum(STARTS[i & 7]!, length);
  const took = performance.now() - started;
  if (sum === 0) throw new Error("nothing was summed");
  return times * length / took / 1e6;
}

const memory = new WebAssembly.Memory({ initial: 2 });
new Uint8Array(memory.buffer).set(new Random(1).bytes(memory.buffer.byteLength));
const plain = new PlainChecksum(memory.buffer);
const wasm = openWasmChecksum(memory);
if (wasm === undefined) console.log("NOT RUN: the checksum as WebAssembly needs an engine with vectors");
else {
  for (const [name, length] of [["64 B", 64], ["1,440 B", 1440], ["64 KiB", 65_536]] as const) {
    const pairs = Array.from({ length: PAIRS + 3 }, () => [rate(wasm, length), rate(plain, length)] as const)
      // The engine compiles each of the two while they run for the first time.
      .slice(3);
    const show = (values: readonly number[]): string => spread(values).median.toFixed(2);
    const ratio = spread(pairs.map(([a, b]) => a / b));
    console.log(
      `checksum of ${name}, WebAssembly / TypeScript: ` +
        `${show(pairs.map(([a]) => a))} / ${show(pairs.map(([, b]) => b))} GB/s   ` +
        `ratio ${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}), ${PAIRS} pairs`,
    );
  }
}
