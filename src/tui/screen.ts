/**
 * A screen of character cells, and what must be written to a terminal to turn one into another. Pure.
 *
 * @module
 */

import { glyphsOf } from "./width.ts";

/** How a cell looks: bits, joined with `|`. */
export const STYLE = {
  plain: 0,
  bold: 1,
  dim: 2,
  reverse: 4,
  red: 8,
  yellow: 16,
  green: 32,
  cyan: 64,
} as const;

/** Bits of {@link STYLE} that are colours. */
const COLORS = STYLE.red | STYLE.yellow | STYLE.green | STYLE.cyan;

const CODES: readonly (readonly [bit: number, code: number])[] = [
  [STYLE.bold, 1],
  [STYLE.dim, 2],
  [STYLE.reverse, 7],
  [STYLE.red, 31],
  [STYLE.yellow, 33],
  [STYLE.green, 32],
  [STYLE.cyan, 36],
];

/** Cells in rows. */
export class Screen {
  /** Cells in a row. */
  readonly columns: number;
  /** Rows. */
  readonly rows: number;
  /** The character of each cell, row by row; `""` is the right half of a wide one. */
  readonly texts: string[];
  /** The style of each cell. */
  readonly styles: Uint8Array;

  /** A blank one. */
  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.texts = new Array<string>(columns * rows).fill(" ");
    this.styles = new Uint8Array(columns * rows);
  }

  /** Writes text; what does not fit into the row, or the row into the screen, is left out. Returns the next column. */
  put(row: number, column: number, text: string, style: number = STYLE.plain): number {
    if (row < 0 || row >= this.rows) return column;
    let at = column;
    for (const { text: glyph, width } of glyphsOf(text)) {
      if (at < 0 || at + width > this.columns) break;
      const cell = row * this.columns + at;
      // There are no halves of wide characters.
      if (this.texts[cell] === "") this.texts[cell - 1] = " ";
      if (this.texts[cell + width] === "") this.texts[cell + width] = " ";
      this.#set(cell, glyph, style);
      if (width === 2) this.#set(cell + 1, "", style);
      at += width;
    }
    return at;
  }

  #set(cell: number, text: string, style: number): void {
    this.texts[cell] = text;
    this.styles[cell] = style;
  }

  /** Gives a whole row a style. */
  paintRow(row: number, style: number): void {
    if (row >= 0 && row < this.rows) {
      this.styles.fill(style, row * this.columns, (row + 1) * this.columns);
    }
  }

  /** Leaves out what a terminal without Unicode cannot show. */
  toAscii(): void {
    for (const [cell, text] of this.texts.entries()) {
      if (text === "" || text > "~") this.#set(cell, text === "" ? " " : "?", this.styles[cell]!);
    }
  }

  /** The rows as text, without blanks at their ends. */
  lines(): string[] {
    return Array.from(
      { length: this.rows },
      (_, row) => this.texts.slice(row * this.columns, (row + 1) * this.columns).join("").trimEnd(),
    );
  }
}

/** Cells that did not change are written again rather than jumped over, up to so many: a jump is as long. */
const JUMP_FROM = 6;

/**
 * What to write to a terminal that shows `before` so that it shows `after`: only what changed. A terminal that shows
 * nothing known, or has another size, is cleared first.
 */
export function difference(before: Screen | undefined, after: Screen, colored: boolean): string {
  const isFresh = before?.columns !== after.columns || before.rows !== after.rows;
  const shown = isFresh ? new Screen(after.columns, after.rows) : before;
  const writer = new CellWriter(after, colored);
  for (let row = 0; row < after.rows; row++) {
    const start = row * after.columns;
    for (let column = 0; column < after.columns; column++) {
      const cell = start + column;
      if (after.texts[cell] === shown.texts[cell] && after.styles[cell] === shown.styles[cell]) continue;
      writer.write(row, column);
    }
  }
  return (isFresh ? "\x1b[0m\x1b[2J" : "") + writer.end();
}

/** Writes cells in their order. */
class CellWriter {
  readonly #screen: Screen;
  readonly #colored: boolean;
  #out = "";
  #style = 0;
  #row = -1;
  /** The column behind what was written last. */
  #column = 0;

  constructor(screen: Screen, colored: boolean) {
    this.#screen = screen;
    this.#colored = colored;
  }

  write(row: number, column: number): void {
    const { columns, texts } = this.#screen;
    // The right half of a wide character comes with its left one.
    const first = texts[row * columns + column] === "" ? column - 1 : column;
    if (row === this.#row && first < this.#column) return;
    if (row !== this.#row || first - this.#column > JUMP_FROM) {
      this.#out += `\x1b[${row + 1};${first + 1}H`;
      this.#row = row;
      this.#column = first;
    }
    while (this.#column <= first) this.#cell(row * columns + this.#column);
  }

  #cell(cell: number): void {
    const { texts, styles } = this.#screen;
    const style = styles[cell]!;
    if (style !== this.#style) this.#out += styleCode(style, this.#colored);
    this.#style = style;
    this.#out += texts[cell]!;
    this.#column += texts[cell + 1] === "" ? 2 : 1;
  }

  end(): string {
    return this.#style === STYLE.plain ? this.#out : `${this.#out}\x1b[0m`;
  }
}

function styleCode(style: number, colored: boolean): string {
  const shown = colored ? style : style & ~COLORS;
  const codes = CODES.filter(([bit]) => (shown & bit) !== 0).map(([, code]) => `;${code}`);
  return `\x1b[0${codes.join("")}m`;
}
