/**
 * Comparison of secrets.
 *
 * @module
 */

/** Reports whether two byte strings are equal. Its running time reveals only whether their lengths differ. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
