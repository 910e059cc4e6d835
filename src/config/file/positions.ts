/**
 * Positions of keys and values in a TOML text. Parsers give values without positions. This scanner finds the positions in
 * a text that a parser has accepted, so it looks only for begins and ends (TOML 1.1). Pure.
 *
 * @module
 */

import type { SourcePosition } from "../schema/problem.ts";

/** Keys from the root on; numbers are indexes of arrays. */
export type Path = readonly (string | number)[];

/** Offsets of a key and its value in the text. */
interface Spot {
  readonly key: number;
  readonly value: number;
}

/** Finds positions of keys and values. */
export class Positions {
  readonly #lineStarts: readonly number[];
  readonly #spots: ReadonlyMap<string, Spot>;

  /** Reads the text, which must be TOML. */
  constructor(toml: string) {
    const starts = [0];
    for (let at = toml.indexOf("\n"); at >= 0; at = toml.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
    this.#spots = new Scanner(toml).scan();
  }

  /** Position of the key; if it is missing, of the nearest table around it, or of the begin of the text. */
  key(path: Path): SourcePosition {
    return this.#place(path, "key");
  }

  /** Position of the value; for a table, of its name. */
  value(path: Path): SourcePosition {
    return this.#place(path, "value");
  }

  #place(path: Path, what: keyof Spot): SourcePosition {
    for (let length = path.length; length > 0; length--) {
      const spot = this.#spots.get(nameOf(path.slice(0, length)));
      if (spot !== undefined) return this.#at(spot[what]);
    }
    return { line: 1, column: 1 };
  }

  #at(offset: number): SourcePosition {
    let [low, high] = [0, this.#lineStarts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#lineStarts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - this.#lineStarts[low]! + 1 };
  }
}

function nameOf(path: Path): string {
  return JSON.stringify(path);
}

/** Part of a dotted key. */
interface KeyPart {
  readonly name: string;
  readonly at: number;
}

class Scanner {
  readonly #text: string;
  #at: number;
  readonly #spots = new Map<string, Spot>();
  /** Number of tables in each array of tables so far. */
  readonly #tables = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
    this.#at = text.startsWith("\ufeff") ? 1 : 0;
  }

  scan(): ReadonlyMap<string, Spot> {
    let table: Path = [];
    for (;;) {
      this.#skipVoid();
      const next = this.#text[this.#at];
      if (next === undefined) return this.#spots;
      const before = this.#at;
      if (next === "[") table = this.#header();
      else this.#pair(table);
      // Text that is not TOML must not cause an endless loop.
      if (this.#at === before) this.#at++;
    }
  }

  /** `[a.b]` or `[[a.b]]`; returns the path of the table that follows. */
  #header(): Path {
    const isArray = this.#text.startsWith("[[", this.#at);
    this.#at += isArray ? 2 : 1;
    const parts = this.#key();
    this.#at += isArray ? 2 : 1;
    let path: Path = [];
    for (const [i, { name, at }] of parts.entries()) {
      path = [...path, name];
      const isLast = i === parts.length - 1;
      // The name of the table itself is a better position than the name of a table within it.
      this.#put(path, { key: at, value: at }, isLast);
      const count = this.#tables.get(nameOf(path));
      if (isLast && isArray) {
        this.#tables.set(nameOf(path), (count ?? 0) + 1);
        path = [...path, count ?? 0];
        this.#put(path, { key: at, value: at }, true);
      } else if (count !== undefined) path = [...path, count - 1];
    }
    return path;
  }

  /** `key = value`. */
  #pair(table: Path): void {
    let path = table;
    const parts = this.#key();
    this.#skipVoid();
    if (this.#text[this.#at] === "=") this.#at++;
    this.#skipVoid();
    for (const [i, { name, at }] of parts.entries()) {
      path = [...path, name];
      this.#put(path, { key: at, value: i === parts.length - 1 ? this.#at : at }, false);
    }
    this.#value(path);
  }

  #put(path: Path, spot: Spot, over: boolean): void {
    const name = nameOf(path);
    if (over || !this.#spots.has(name)) this.#spots.set(name, spot);
  }

  #value(path: Path): void {
    switch (this.#text[this.#at]) {
      case '"':
      case "'":
        this.#string();
        return;
      case "[":
        this.#at++;
        for (let i = 0; this.#goesOn("]"); i++) {
          this.#put([...path, i], { key: this.#at, value: this.#at }, false);
          this.#value([...path, i]);
          this.#comma();
        }
        return;
      case "{":
        this.#at++;
        while (this.#goesOn("}")) {
          this.#pair(path);
          this.#comma();
        }
        return;
      default:
        this.#skip(/[^,\]}\r\n#]+/y);
    }
  }

  /** Whether there is another element. Takes the end if there is none. */
  #goesOn(end: string): boolean {
    this.#skipVoid();
    const next = this.#text[this.#at];
    if (next === end) this.#at++;
    return next !== end && next !== undefined;
  }

  #comma(): void {
    this.#skipVoid();
    const next = this.#text[this.#at];
    if (next === ",") this.#at++;
    // Anything else is not TOML.
    else if (next !== "]" && next !== "}") this.#at = this.#text.length;
  }

  #key(): KeyPart[] {
    const parts: KeyPart[] = [];
    for (;;) {
      this.#skip(/[ \t]+/y);
      const at = this.#at;
      const quote = this.#text[at];
      if (quote === '"' || quote === "'") {
        this.#string();
        const inner = this.#text.slice(at + 1, this.#at - 1);
        parts.push({ name: quote === '"' ? withoutEscapes(inner) : inner, at });
      } else {
        this.#skip(/[^\s.=\]"'#]+/y);
        parts.push({ name: this.#text.slice(at, this.#at), at });
      }
      this.#skip(/[ \t]+/y);
      if (this.#text[this.#at] !== ".") return parts;
      this.#at++;
    }
  }

  #string(): void {
    this.#skip(
      /"""(?:[^\\"]|\\[^]|"{1,2}(?!"))*"{3,5}|'''(?:[^']|'{1,2}(?!'))*'{3,5}|"(?:[^\\"]|\\.)*"|'[^']*'|./y,
    );
  }

  /** Blanks, newlines and comments. */
  #skipVoid(): void {
    this.#skip(/(?:\s+|#[^\n]*)+/y);
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    if (pattern.test(this.#text)) this.#at = pattern.lastIndex;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\x1b",
};

/** The text of a basic string, from the part between its quotes. */
function withoutEscapes(text: string): string {
  return text.replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g,
    (_, two, four, eight, letter) =>
      letter === undefined
        ? String.fromCodePoint(Number.parseInt(two ?? four ?? eight, 16))
        : ESCAPES[letter] ?? letter,
  );
}
