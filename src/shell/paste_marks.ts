/**
 * Bracketed paste: marks that a terminal sends before and after pasted text. Pure.
 *
 * @module
 */

/** A mark. */
export type PasteMark = "pasteBegins" | "pasteEnds";

const MARKS: readonly (readonly [PasteMark, Uint8Array])[] = [
  ["pasteBegins", Uint8Array.from("\x1b[200~", (char) => char.charCodeAt(0))],
  ["pasteEnds", Uint8Array.from("\x1b[201~", (char) => char.charCodeAt(0))],
];

/** Bytes of a mark that no other key begins with. */
const TELLING_BYTES = 4;

/** Separates marks from the other input of a terminal. */
export class PasteMarks {
  #begun: Uint8Array = new Uint8Array(0);

  /** The marks in the bytes, and the bytes between them. An incomplete mark is kept for the next call. */
  split(bytes: Uint8Array): (PasteMark | Uint8Array)[] {
    const all = new Uint8Array([...this.#begun, ...bytes]);
    this.#begun = new Uint8Array(0);
    const parts: (PasteMark | Uint8Array)[] = [];
    let from = 0;
    const upTo = (end: number): void => {
      if (end > from) parts.push(all.subarray(from, end));
    };
    for (let at = 0; at < all.length; at++) {
      const mark = MARKS.find(([, mark]) => mark.every((byte, i) => all[at + i] === byte));
      if (mark !== undefined) {
        upTo(at);
        parts.push(mark[0]);
        from = at + mark[1].length;
        at = from - 1;
      } else if (isBegun(all.subarray(at))) {
        upTo(at);
        this.#begun = all.slice(at);
        return parts;
      }
    }
    upTo(all.length);
    return parts;
  }
}

function isBegun(end: Uint8Array): boolean {
  return end.length >= TELLING_BYTES && MARKS.some(([, mark]) => end.every((byte, i) => mark[i] === byte));
}
