/**
 * Reads an object that came as JSON from somewhere that may have got it wrong: every member must be asked for, have
 * its type and be within its bounds, and there must be no other. Pure.
 *
 * @module
 */

import { DecodeError } from "./errors.ts";
import { parseHex } from "./hex.ts";

/** A plain object whose members are text, numbers and truth values, as JSON has them. */
export type JsonObject = { readonly [name: string]: string | number | boolean };

/** Reads the members of an object, once each. */
export class JsonObjectReader {
  readonly #what: string;
  readonly #members = new Map<string, unknown>();

  /**
   * Reads `value`, which errors call `what`.
   *
   * @throws {DecodeError} if it is no object
   */
  constructor(value: unknown, what: string) {
    this.#what = what;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw jsonError(what, "it is no object");
    }
    for (const [name, member] of Object.entries(value)) this.#members.set(name, member);
  }

  /** Whether there is such a member that has not been read. */
  has(name: string): boolean {
    return this.#members.has(name);
  }

  /** Text of 1 to `max` UTF-16 units. */
  text(name: string, max: number): string {
    const value = this.#take(name);
    if (typeof value !== "string" || value.length === 0 || value.length > max) {
      throw this.error(name, `it must be text of 1 to ${max} characters`);
    }
    return value;
  }

  /** One of the texts. */
  choice<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.#take(name);
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw this.error(name, `it must be one of ${choices.join(", ")}`);
    return choice;
  }

  /** An integer from 0 to `max`. */
  integer(name: string, max: number): number {
    const value = this.#take(name);
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max) {
      throw this.error(name, `it must be an integer from 0 to ${max}`);
    }
    // JSON can say -0.
    return value + 0;
  }

  /** A truth value. */
  boolean(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== "boolean") throw this.error(name, "it must be true or false");
    return value;
  }

  /** The bytes of 1 to `max` pairs of hex digits. */
  hex(name: string, max: number): Uint8Array {
    const value = this.#take(name);
    const bytes = typeof value === "string" ? parseHex(value) : undefined;
    if (bytes === undefined || bytes.length === 0 || bytes.length > max) {
      throw this.error(name, `it must be 1 to ${max} bytes in hex digits`);
    }
    return bytes;
  }

  /** What `read` reads if there is such a member. */
  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return this.has(name) ? read(name) : undefined;
  }

  /** @throws {DecodeError} if there are members that nobody has read */
  end(): void {
    for (const name of this.#members.keys()) throw this.error(name, "there is no such member");
  }

  /** The error for a member that is wrong. */
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

/** Where it is in the text is not known any more. */
function jsonError(field: string, reason: string): DecodeError {
  return new DecodeError({ field, offset: 0, needed: 0, had: 0 }, reason);
}
