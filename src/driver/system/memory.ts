/**
 * Giving memory back to the system that is not in use: V8 and the C library keep what a burst of work took, for the
 * next one.
 *
 * @module
 */

import { trimMalloc } from "../../../ffi/process/malloc.ts";

type Collect = (options: { readonly type: "major"; readonly execution: "sync" }) => void;

let collect: Collect | undefined;

/**
 * Collects the garbage of the calling thread's heap and gives back what is free then, there and in the C library's
 * allocator. Resolves to how long that held the thread, in milliseconds: some 5 for each megabyte that is in use;
 * `undefined` where V8 does not give its collector away.
 */
export async function giveMemoryBack(): Promise<number | undefined> {
  collect ??= await loadCollector();
  if (collect === undefined) return undefined;
  const before = performance.now();
  collect({ type: "major", execution: "sync" });
  trimMalloc();
  return performance.now() - before;
}

/** V8's own function, which is in no global object unless V8 was started for that. */
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
