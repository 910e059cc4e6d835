/**
 * The Internet checksum (RFC 1071) as WebAssembly with vectors, for memory that is a `WebAssembly.Memory`.
 *
 * @module
 */

import type { Checksummer } from "./internet_checksum.ts";
import { INTERNET_CHECKSUM_WASM } from "./internet_checksum_wasm.ts";

/** This engine runs no WebAssembly, or none with vectors of 128 bits. */
export class WasmMissingError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "WasmMissingError";

  /** Tells which of the two, and keeps what the engine said as the cause. */
  constructor(reason: string, options?: ErrorOptions) {
    super(`Cannot run the checksum as WebAssembly: ${reason}`, options);
  }
}

/** The checksummer for most memory in least time. */
export class WasmChecksum implements Checksummer {
  readonly #sum: (offset: number, length: number) => number;
  readonly #copy: (from: number, to: number, length: number) => number;

  /**
   * Compiles and binds it to the memory, which it borrows; the memory may grow, but must not be a shared one.
   *
   * @throws {WasmMissingError} where {@link PlainChecksum} has to do.
   * @throws {WebAssembly.LinkError} for shared memory.
   */
  constructor(memory: WebAssembly.Memory) {
    const module = compile();
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    this.#sum = exports["sum"] as (offset: number, length: number) => number;
    this.#copy = exports["copy"] as (from: number, to: number, length: number) => number;
  }

  /** See {@link Checksummer}. Offsets and lengths are below 2^32, and so must be their sum. */
  sum(offset: number, length: number): number {
    return this.#sum(offset, length);
  }

  /** See {@link Checksummer}. Offsets and lengths as for {@link sum}. */
  copy(from: number, to: number, length: number): number {
    return this.#copy(from, to, length);
  }
}

/** A {@link WasmChecksum} over the memory, or `undefined` where the engine cannot run it. Other errors are thrown on. */
export function openWasmChecksum(memory: WebAssembly.Memory): WasmChecksum | undefined {
  try {
    return new WasmChecksum(memory);
  } catch (error) {
    if (error instanceof WasmMissingError) return undefined;
    throw error;
  }
}

function compile(): WebAssembly.Module {
  if (typeof WebAssembly === "undefined") throw new WasmMissingError("the engine has no WebAssembly");
  const binary = Uint8Array.from(atob(INTERNET_CHECKSUM_WASM), (character) => character.charCodeAt(0));
  try {
    return new WebAssembly.Module(binary);
  } catch (cause) {
    // The binary is known to be right, so the engine lacks what it uses.
    if (cause instanceof WebAssembly.CompileError) {
      throw new WasmMissingError("the engine's WebAssembly has no vectors", { cause });
    }
    throw cause;
  }
}
