/**
 * The one reader of untrusted JSON objects: a member is returned only if it has its type and is within its bounds.
 * Errors name the member and never its value, which may be secret. Pure.
 *
 * @module
 */

import { DecodeError } from "./errors.ts";
import { parseHex } from "./hex.ts";

/** A flat JSON object of strings, numbers and booleans. */
export type JsonObject = { readonly [name: string]: string | number | boolean };

/**
 * Reads the members of an object, once each. Methods throw `DecodeError` if the member is absent or wrong. Whether
 * further members are allowed is up to the caller: {@link end} refuses them.
 */
export class JsonObjectReader {
  readonly #what: string;
  readonly #members = new Map<string, unknown>();

  /**
   * Reads an object that `JSON.parse` returned, which errors call `what`.
   *
   * @throws {DecodeError} if it is not an object
   */
  constructor(value: unknown, what: string) {
    this.#what = what;
    if (!isObject(value)) {
      throw jsonError(what, "it is not an object");
    }
    for (const [name, member] of Object.entries(value)) this.#members.set(name, member);
  }

  /**
   * Reads an object in JSON, which errors call `what`.
   *
   * @throws {DecodeError} if the text is not JSON, or not an object
   */
  static parse(text: string, what: string): JsonObjectReader {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // The error's message quotes the text, which may be secret.
      throw jsonError(what, "it is not JSON");
    }
    return new JsonObjectReader(value, what);
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

  /** Reads a string of 1 to `max` bytes in UTF-8. */
  utf8(name: string, max: number): string {
    const value = this.#take(name);
    if (typeof value !== "string" || value === "" || new TextEncoder().encode(value).length > max) {
      throw this.error(name, `it must be a string of 1 to ${max} bytes`);
    }
    return value;
  }

  /** Reads one of these strings. */
  choice<T extends string>(name: string, choices: readonly T[]): T {
    return this.#choiceOf(name, this.#take(name), choices);
  }

  /** Reads an integer from `min` to `max`. */
  integer(name: string, max: number, min = 0): number {
    return this.#integerOf(name, this.#take(name), max, min);
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

  /** Reads a string for which `isRight` holds. The error says that it must be `what`. */
  textThat(name: string, isRight: (text: string) => boolean, what: string): string {
    return this.#textThat(name, this.#take(name), isRight, what);
  }

  /** Returns a reader of the object. */
  object(name: string): JsonObjectReader {
    return new JsonObjectReader(this.#take(name), this.#path(name));
  }

  /** Reads a list of at most `max` objects, each by `read`. */
  objects<T>(name: string, max: number, read: (item: JsonObjectReader) => T): T[] {
    return this.#list(name, max).map((item, i) =>
      read(new JsonObjectReader(item, `${this.#path(name)}[${i}]`))
    );
  }

  /** Reads a list of at most `max` strings, each one of the choices. */
  choices<T extends string>(name: string, choices: readonly T[], max: number): T[] {
    return this.#list(name, max).map((item) => this.#choiceOf(name, item, choices));
  }

  /** Reads a list of at most `max` strings, for each of which `isRight` holds. The error says that it must be `what`. */
  textsThat(name: string, max: number, isRight: (text: string) => boolean, what: string): string[] {
    return this.#list(name, max).map((item) => this.#textThat(name, item, isRight, what));
  }

  /** Reads an object whose members are integers from 0 to `max`; returns them by name. */
  integers(name: string, max: number): Map<string, number> {
    const value = this.#take(name);
    if (!isObject(value)) throw this.error(name, "it is not an object");
    return new Map(
      Object.entries(value).map(([key, member]) => [key, this.#integerOf(`${name}.${key}`, member, max, 0)]),
    );
  }

  /** Returns names and values of the members that have not been read, without a check. */
  rest(): [name: string, value: unknown][] {
    const members = [...this.#members];
    this.#members.clear();
    return members;
  }

  /** Reads the member if it is this value. Returns whether it is. */
  takeIf(name: string, value: string | number | boolean): boolean {
    if (this.#members.get(name) !== value) return false;
    this.#members.delete(name);
    return true;
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
    return jsonError(this.#path(name), reason);
  }

  #path(name: string): string {
    return `${this.#what}.${name}`;
  }

  #list(name: string, max: number): unknown[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > max) {
      throw this.error(name, `it must be a list of at most ${max} items`);
    }
    return value;
  }

  #choiceOf<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw this.error(name, `it must be one of ${choices.join(", ")}`);
    return choice;
  }

  #integerOf(name: string, value: unknown, max: number, min: number): number {
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
      throw this.error(name, `it must be an integer from ${min} to ${max}`);
    }
    // JSON can express -0, which the addition turns into 0.
    return value + 0;
  }

  #textThat(name: string, value: unknown, isRight: (text: string) => boolean, what: string): string {
    if (typeof value !== "string" || !isRight(value)) throw this.error(name, `it must be ${what}`);
    return value;
  }

  #take(name: string): unknown {
    if (!this.#members.has(name)) throw this.error(name, "it is absent");
    const value = this.#members.get(name);
    this.#members.delete(name);
    return value;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The offset is 0: after `JSON.parse` the position in the text is unknown. */
function jsonError(field: string, reason: string): DecodeError {
  return new DecodeError({ field, offset: 0, needed: 0, had: 0 }, reason);
}
