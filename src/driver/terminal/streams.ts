/**
 * Synchronous output to the process's standard streams.
 *
 * @module
 */

const encoder = new TextEncoder();

/** An object with `writeSync`, such as `Deno.stdout`. */
interface Writer {
  writeSync(bytes: Uint8Array): number;
}

/** A stream did not accept all output, for example because the disk is full. */
export class OutputError extends Error {
  /** Set explicitly, since minification renames the class. */
  override readonly name = "OutputError";
}

/**
 * Writes the whole text.
 *
 * @throws {Deno.errors.BrokenPipe} if the other end is closed
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
