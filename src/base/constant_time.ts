/**
 * Comparison of what must not be guessed. Pure.
 *
 * @module
 */

/** Whether the bytes are the same. The time it takes tells nothing but whether their lengths are. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
