/**
 * The Internet checksum (RFC 1071) in WebAssembly SIMD, for a `WebAssembly.Memory`.
 *
 * @module
 */

import type { Checksummer } from "./internet_checksum.ts";
import { INTERNET_CHECKSUM_WASM } from "./internet_checksum_wasm.ts";

/** The engine does not run WebAssembly, or does not support its 128-bit SIMD. */
export class WasmMissingError extends Error {
  /** Set explicitly, since minification renames the class. */
  override readonly name = "WasmMissingError";

  /** `reason` says which of the two; `options.cause` is the engine's error. */
  constructor(reason: string, options?: ErrorOptions) {
    super(`Cannot compute checksums in WebAssembly: ${reason}`, options);
  }
}

/** The checksummer in WebAssembly SIMD, the faster one. */
export class WasmChecksum implements Checksummer {
  readonly #sum: (offset: number, length: number) => number;
  readonly #copy: (from: number, to: number, length: number) => number;

  /**
   * Compiles the module and binds it to the memory, which it borrows. The memory may grow, but must not be shared.
   *
   * @throws {WasmMissingError} if the engine cannot run it; use `PlainChecksum` then
   * @throws {WebAssembly.LinkError} for shared memory
   */
  constructor(memory: WebAssembly.Memory) {
    const module = compile();
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    this.#sum = exports["sum"] as (offset: number, length: number) => number;
    this.#copy = exports["copy"] as (from: number, to: number, length: number) => number;
  }

  /** See {@link Checksummer}. Offset, length and their sum must be below 2^32. */
  sum(offset: number, length: number): number {
    return this.#sum(offset, length);
  }

  /** See {@link Checksummer}. Offsets and lengths as for {@link sum}. */
  copy(from: number, to: number, length: number): number {
    return this.#copy(from, to, length);
  }
}

/** Creates a {@link WasmChecksum}; returns `undefined` if the engine cannot run it. Other errors are rethrown. */
export function openWasmChecksum(memory: WebAssembly.Memory): WasmChecksum | undefined {
  try {
    return new WasmChecksum(memory);
  } catch (error) {
    if (error instanceof WasmMissingError) return undefined;
    throw error;
  }
}

function compile(): WebAssembly.Module {
  if (typeof WebAssembly === "undefined") throw new WasmMissingError("the engine does not support it");
  const binary = Uint8Array.from(atob(INTERNET_CHECKSUM_WASM), (character) => character.charCodeAt(0));
  try {
    return new WebAssembly.Module(binary);
  } catch (cause) {
    // The binary is valid, so the engine lacks a feature that it uses.
    if (cause instanceof WebAssembly.CompileError) {
      throw new WasmMissingError("the engine does not support its SIMD instructions", { cause });
    }
    throw cause;
  }
}
