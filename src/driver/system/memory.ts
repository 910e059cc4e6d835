/**
 * Returns unused memory to the kernel. V8 and the C library keep the memory of a burst of work for the next one.
 *
 * @module
 */

import { trimMalloc } from "../../../ffi/process/malloc.ts";

type Collect = (options: { readonly type: "major"; readonly execution: "sync" }) => void;

let collect: Collect | undefined;

/**
 * Collects the garbage of the calling thread's heap, and returns the free memory of the heap and of the C library's
 * allocator. Resolves to the time that this blocked the thread, in milliseconds: some 5 per megabyte in use. Resolves
 * to `undefined` if V8's collector is not accessible.
 */
export async function returnMemory(): Promise<number | undefined> {
  collect ??= await loadCollector();
  if (collect === undefined) return undefined;
  const before = performance.now();
  collect({ type: "major", execution: "sync" });
  trimMalloc();
  return performance.now() - before;
}

/** V8's `gc` function, which is a global only if V8 was started with `--expose-gc`. */
async function loadCollector(): Promise<Collect | undefined> {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([
    import("node:v8"),
    import("node:vm"),
  ]);
  setFlagsFromString("--expose-gc");
  const found: unknown = runInNewContext("globalThis.gc");
  setFlagsFromString("--no-expose-gc");
  return typeof found === "function" ? found as Collect : undefined;
}
