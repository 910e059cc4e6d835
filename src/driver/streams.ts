/**
 * Writing to the process's standard streams, synchronously.
 *
 * @module
 */

const encoder = new TextEncoder();

/** What has `writeSync`. */
interface Writer {
  writeSync(bytes: Uint8Array): number;
}

/**
 * Writes the whole text.
 *
 * @throws {Deno.errors.BrokenPipe} once nobody reads the other end
 */
export function writeText(to: Writer, text: string): void {
  let rest = encoder.encode(text);
  while (rest.length > 0) rest = rest.subarray(to.writeSync(rest));
}
