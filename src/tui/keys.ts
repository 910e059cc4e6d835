/**
 * Keys, out of what a terminal sends for them. Pure.
 *
 * @module
 */

/** Keys that are no characters. */
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

/** A key: a character, or one that has a name. */
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

/** By what stands behind `ESC [` or `ESC O`: the same keys have several, by terminal and mode. */
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

/** A whole sequence; parameters of modifiers are left out of what names the key. */
// deno-lint-ignore no-control-regex -- this is what keys send
const SEQUENCE = /^\x1b(?:\[([0-9;?<=>]*)([ -/]*)([@-~])|O([A-Za-z]))/;
/** The beginning of one that may go on. */
// deno-lint-ignore no-control-regex -- this is what keys send
const PARTIAL = /^\x1b(?:\[[0-9;?<=>]*[ -/]*|O)?$/;

/** Reads keys. A sequence may come in pieces; Escape alone is one once nothing follows it. */
export class KeyReader {
  #rest = "";

  /** Whether a sequence has begun, so that {@link flush} is to be called if nothing comes soon. */
  get isPending(): boolean {
    return this.#rest !== "";
  }

  /** Takes what came; the keys that are whole. */
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

  /** Nothing more came: what has begun is a key by itself. */
  flush(): Key[] {
    const rest = this.#rest;
    this.#rest = "";
    return rest === "" ? [] : [{ name: "escape" }];
  }
}

/** The first key and the length of what stands for it; `undefined` for one that means nothing here. */
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
