/**
 * Decodes the keys in a terminal's input.
 *
 * @module
 */

/** Names of the keys that are not characters. */
export type NamedKey =
  | "up"
  | "down"
  | "left"
  | "right"
  | "pageUp"
  | "pageDown"
  | "home"
  | "end"
  | "enter"
  | "escape"
  | "backspace"
  | "deleteLine"
  | "tab"
  | "interrupt"
  | "redraw"
  | "suspend";

/** A key: a character or a named key. */
export type Key = { readonly character: string } | { readonly name: NamedKey };

const CONTROLS: ReadonlyMap<string, NamedKey> = new Map([
  ["\x03", "interrupt"],
  ["\x04", "interrupt"],
  ["\x08", "backspace"],
  ["\x09", "tab"],
  ["\x0a", "enter"],
  ["\x0c", "redraw"],
  ["\x0d", "enter"],
  ["\x15", "deleteLine"],
  ["\x1a", "suspend"],
  ["\x7f", "backspace"],
]);

/** Keys by the part after `ESC [` or `ESC O`. Terminals and modes differ in the sequence for a key. */
const SEQUENCES: ReadonlyMap<string, NamedKey> = new Map([
  ["A", "up"],
  ["B", "down"],
  ["C", "right"],
  ["D", "left"],
  ["H", "home"],
  ["F", "end"],
  ["M", "enter"],
  ["1~", "home"],
  ["7~", "home"],
  ["4~", "end"],
  ["8~", "end"],
  ["5~", "pageUp"],
  ["6~", "pageDown"],
]);

/** A complete escape sequence. Modifier parameters do not affect the key. */
// deno-lint-ignore no-control-regex -- this is what keys send
const SEQUENCE = /^\x1b(?:\[([0-9;?<=>]*)([ -/]*)([@-~])|O([A-Za-z]))/;
/** An incomplete escape sequence. */
// deno-lint-ignore no-control-regex -- this is what keys send
const PARTIAL = /^\x1b(?:\[[0-9;?<=>]*[ -/]*|O)?$/;

/** Decodes keys. A sequence may arrive in pieces. Escape counts as a key once nothing follows it. */
export class KeyReader {
  #rest = "";

  /** A sequence has begun. The caller must call {@link flush} if no more input arrives soon. */
  get isPending(): boolean {
    return this.#rest !== "";
  }

  /** Decodes received input. Returns the complete keys. */
  push(text: string): Key[] {
    let rest = this.#rest + text;
    const keys: Key[] = [];
    while (rest !== "" && !PARTIAL.test(rest)) {
      const [key, length] = firstKey(rest);
      if (key !== undefined) keys.push(key);
      rest = rest.slice(length);
    }
    this.#rest = rest;
    return keys;
  }

  /** Ends an incomplete sequence, which then counts as the Escape key. */
  flush(): Key[] {
    const rest = this.#rest;
    this.#rest = "";
    return rest === "" ? [] : [{ name: "escape" }];
  }
}

/** Returns the first key, or `undefined` for an unknown one, and the length of its sequence. */
function firstKey(text: string): [key: Key | undefined, length: number] {
  const match = SEQUENCE.exec(text);
  if (match !== null) {
    const [whole, parameters = "", , final = "", letter] = match;
    const name = SEQUENCES.get(letter ?? (final === "~" ? `${parameters.split(";")[0]}~` : final));
    return [name === undefined ? undefined : { name }, whole.length];
  }
  if (text.startsWith("\x1b")) return [{ name: "escape" }, 1];
  const character = String.fromCodePoint(text.codePointAt(0)!);
  const name = CONTROLS.get(character);
  if (name !== undefined) return [{ name }, character.length];
  return [character < " " ? undefined : { character }, character.length];
}
