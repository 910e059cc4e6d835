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

/** A stream took not all that was written to it: its disk is full, for one. */
export class OutputError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "OutputError";
}

/**
 * Writes the whole text.
 *
 * @throws {Deno.errors.BrokenPipe} once nobody reads the other end
 * @throws {OutputError}
 */
export function writeText(to: Writer, text: string): void {
  let rest = encoder.encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(to.writeSync(rest));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe || !(error instanceof Error)) throw error;
    throw new OutputError(error.message.replace(/ \(os error \d+\)$/, ""), { cause: error });
  }
}
