/**
 * The C library's allocator, which Deno and V8 take memory from for all that is not in V8's heap.
 *
 * @module
 */

import { daemonLibc } from "../packet_libc.ts";

/**
 * Gives back to the system what is free in all arenas, by whole pages, also between what is in use: `malloc_trim`. It
 * takes some milliseconds for tens of megabytes.
 */
export function trimMalloc(): void {
  daemonLibc().malloc_trim(0n);
}
