/**
 * Validates untrusted JSON objects: every member must have the expected type and bounds, and unknown members are
 * errors.
 *
 * @module
 */

import { DecodeError } from "./errors.ts";
import { parseHex } from "./hex.ts";

/** A flat JSON object of strings, numbers and booleans. */
export type JsonObject = { readonly [name: string]: string | number | boolean };

/** Reads the members of an object. Each member can be read once. All getters throw `DecodeError` for a bad value. */
export class JsonObjectReader {
  readonly #what: string;
  readonly #members = new Map<string, unknown>();

  /**
   * Reads `value`; errors name it `what`.
   *
   * @throws {DecodeError} if `value` is not an object
   */
  constructor(value: unknown, what: string) {
    this.#what = what;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw jsonError(what, "it is not an object");
    }
    for (const [name, member] of Object.entries(value)) this.#members.set(name, member);
  }

  /** Reports whether a member is present and has not been read. */
  has(name: string): boolean {
    return this.#members.has(name);
  }

  /** Reads a string of 1 to `max` UTF-16 units. */
  text(name: string, max: number): string {
    const value = this.#take(name);
    if (typeof value !== "string" || value.length === 0 || value.length > max) {
      throw this.error(name, `it must be a string of 1 to ${max} characters`);
    }
    return value;
  }

  /** Reads one of these strings. */
  choice<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.#take(name);
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw this.error(name, `it must be one of ${choices.join(", ")}`);
    return choice;
  }

  /** Reads an integer from 0 to `max`. */
  integer(name: string, max: number): number {
    const value = this.#take(name);
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max) {
      throw this.error(name, `it must be an integer from 0 to ${max}`);
    }
    // JSON can express -0, which the addition turns into 0.
    return value + 0;
  }

  /** Reads a boolean. */
  boolean(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== "boolean") throw this.error(name, "it must be true or false");
    return value;
  }

  /** Reads 1 to `max` bytes in hex digits. */
  hex(name: string, max: number): Uint8Array {
    const value = this.#take(name);
    const bytes = typeof value === "string" ? parseHex(value) : undefined;
    if (bytes === undefined || bytes.length === 0 || bytes.length > max) {
      throw this.error(name, `it must be 1 to ${max} bytes in hex digits`);
    }
    return bytes;
  }

  /** Calls `read` if the member is present; otherwise returns `undefined`. */
  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return this.has(name) ? read(name) : undefined;
  }

  /** @throws {DecodeError} if a member has not been read */
  end(): void {
    for (const name of this.#members.keys()) throw this.error(name, "there is no such member");
  }

  /** Creates the error for an invalid member. */
  error(name: string, reason: string): DecodeError {
    return jsonError(`${this.#what}.${name}`, reason);
  }

  #take(name: string): unknown {
    if (!this.#members.has(name)) throw this.error(name, "it is absent");
    const value = this.#members.get(name);
    this.#members.delete(name);
    return value;
  }
}

/** The offset is 0: after `JSON.parse` the position in the text is unknown. */
function jsonError(field: string, reason: string): DecodeError {
  return new DecodeError({ field, offset: 0, needed: 0, had: 0 }, reason);
}
