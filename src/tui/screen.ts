/**
 * A screen of character cells, and the terminal output that changes one screen into another.
 *
 * @module
 */

import { glyphsOf } from "./width.ts";

/** Style bits of a cell, combined with `|`. */
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

/** Mask of the colours in {@link STYLE}. */
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

/** A grid of character cells. */
export class Screen {
  /** Number of columns. */
  readonly columns: number;
  /** Number of rows. */
  readonly rows: number;
  /** Character of each cell, row by row; `""` is the right half of a wide character. */
  readonly texts: string[];
  /** Style of each cell, row by row. */
  readonly styles: Uint8Array;

  /** Creates a blank screen. */
  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.texts = new Array<string>(columns * rows).fill(" ");
    this.styles = new Uint8Array(columns * rows);
  }

  /** Writes text, clipped at the end of the row and outside of the screen. Returns the next column. */
  put(row: number, column: number, text: string, style: number = STYLE.plain): number {
    if (row < 0 || row >= this.rows) return column;
    let at = column;
    for (const { text: glyph, width } of glyphsOf(text)) {
      if (at < 0 || at + width > this.columns) break;
      const cell = row * this.columns + at;
      // Overwriting one half of a wide character erases the other half.
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

  /** Sets the style of a whole row. */
  paintRow(row: number, style: number): void {
    if (row >= 0 && row < this.rows) {
      this.styles.fill(style, row * this.columns, (row + 1) * this.columns);
    }
  }

  /** Replaces non-ASCII characters by `?`. */
  toAscii(): void {
    for (const [cell, text] of this.texts.entries()) {
      if (text === "" || text > "~") this.#set(cell, text === "" ? " " : "?", this.styles[cell]!);
    }
  }

  /** Returns the rows as text without trailing blanks. */
  lines(): string[] {
    return Array.from(
      { length: this.rows },
      (_, row) => this.texts.slice(row * this.columns, (row + 1) * this.columns).join("").trimEnd(),
    );
  }
}

/** Unchanged cells to rewrite instead of moving the cursor: the escape sequence has about this length. */
const REWRITE_LIMIT = 6;

/**
 * Returns the output that changes a terminal from `before` to `after`, limited to changed cells. Clears the terminal
 * first if `before` is undefined or has another size.
 */
export function screenUpdate(before: Screen | undefined, after: Screen, colored: boolean): string {
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

/** Writes cells in ascending order. */
class CellWriter {
  readonly #screen: Screen;
  readonly #colored: boolean;
  #out = "";
  #style = 0;
  #row = -1;
  /** Column after the last written cell. */
  #column = 0;

  constructor(screen: Screen, colored: boolean) {
    this.#screen = screen;
    this.#colored = colored;
  }

  write(row: number, column: number): void {
    const { columns, texts } = this.#screen;
    // Writing the left half of a wide character also writes its right half.
    const first = texts[row * columns + column] === "" ? column - 1 : column;
    if (row === this.#row && first < this.#column) return;
    if (row !== this.#row || first - this.#column > REWRITE_LIMIT) {
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
