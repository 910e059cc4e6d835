/**
 * The C library's allocator, which Deno and V8 use for all memory outside V8's heap.
 *
 * @module
 */

import { daemonLibc } from "../packet_libc.ts";

/**
 * Returns free pages of all arenas to the kernel, also those between used ones (`malloc_trim`). Takes some
 * milliseconds for tens of megabytes.
 */
export function trimMalloc(): void {
  daemonLibc().malloc_trim(0n);
}
