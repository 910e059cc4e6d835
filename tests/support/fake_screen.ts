/**
 * A terminal in memory: what is written to it stands on its screen, as on a real one, and a script of events is what
 * happens to it.
 *
 * @module
 */

import type { FullScreen } from "../../src/cli/ports.ts";
import type { TerminalEvent } from "../../src/model/terminal_event.ts";
import { glyphsOf } from "../../src/tui/width.ts";

/** The characters of a screen, and how each looks: the parameters of the last SGR sequence. */
export class FakeDisplay {
  columns: number;
  rows: number;
  #texts: string[] = [];
  #styles: string[] = [];
  #row = 0;
  #column = 0;
  #style = "";

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.clear();
  }

  clear(): void {
    this.#texts = new Array<string>(this.columns * this.rows).fill(" ");
    this.#styles = new Array<string>(this.columns * this.rows).fill("");
  }

  /** Another size; what was shown is garbage, as terminals make it. */
  resize(columns: number, rows: number): void {
    [this.columns, this.rows] = [columns, rows];
    this.clear();
    this.#texts.fill("#");
  }

  /** Obeys what is written; anything but cursor jumps, SGR and clearing is refused. */
  feed(text: string): void {
    for (let rest = text; rest !== "";) {
      // deno-lint-ignore no-control-regex -- that is what terminals obey
      const sequence = /^\x1b\[([0-9;]*)([A-Za-z])/.exec(rest);
      if (sequence !== null) {
        this.#obey(sequence[1]!, sequence[2]!);
        rest = rest.slice(sequence[0].length);
        continue;
      }
      const end = rest.indexOf("\x1b", 0);
      const plain = end < 0 ? rest : rest.slice(0, end);
      if (plain === "") throw new Error(`A terminal cannot obey ${JSON.stringify(rest.slice(0, 20))}`);
      for (const { text: glyph, width } of glyphsOf(plain)) this.#show(glyph, width);
      rest = rest.slice(plain.length);
    }
  }

  #obey(parameters: string, final: string): void {
    if (final === "H") {
      const [row = 1, column = 1] = parameters.split(";").map(Number);
      [this.#row, this.#column] = [row - 1, column - 1];
    } else if (final === "m") this.#style = parameters.replace(/^0;?/, "");
    else if (final === "J" && parameters === "2") this.clear();
    else throw new Error(`A terminal cannot obey ESC [ ${parameters} ${final}`);
  }

  #show(glyph: string, width: number): void {
    if (this.#column + width > this.columns || this.#row >= this.rows) {
      throw new Error(`"${glyph}" is beyond the edge, at row ${this.#row} column ${this.#column}`);
    }
    const cell = this.#row * this.columns + this.#column;
    // Half of a wide character cannot be shown.
    if (this.#texts[cell] === "" && this.#column > 0) this.#texts[cell - 1] = " ";
    if (this.#texts[cell + width] === "" && this.#column + width < this.columns) {
      this.#texts[cell + width] = " ";
    }
    this.#texts[cell] = glyph;
    this.#styles[cell] = this.#style;
    if (width === 2) [this.#texts[cell + 1], this.#styles[cell + 1]] = ["", this.#style];
    this.#column += width;
  }

  /** The rows as text, without blanks at their ends. */
  lines(): string[] {
    return Array.from(
      { length: this.rows },
      (_, row) => this.#texts.slice(row * this.columns, (row + 1) * this.columns).join("").trimEnd(),
    );
  }

  /** Style of a cell. */
  styleAt(row: number, column: number): string {
    return this.#styles[row * this.columns + column]!;
  }
}

/** A step of a script: an event, or an action of the test such as a check of the screen. */
export type ScriptStep = TerminalEvent | ((screen: FakeScreen) => void);

/** A terminal whose user follows a script. */
export class FakeScreen implements FullScreen {
  readonly display: FakeDisplay;
  /** Everything that was written, piece by piece. */
  readonly writes: string[] = [];
  suspensions = 0;
  disposals = 0;
  readonly #script: ScriptStep[];
  /** Lets time pass when nothing happens. */
  readonly #pass: (ms: number) => void;

  constructor(
    script: readonly ScriptStep[],
    pass: (ms: number) => void,
    size: { readonly columns: number; readonly rows: number } = { columns: 80, rows: 24 },
  ) {
    this.#script = [...script];
    this.#pass = pass;
    this.display = new FakeDisplay(size.columns, size.rows);
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.display.columns, rows: this.display.rows };
  }

  write(text: string): void {
    this.writes.push(text);
    this.display.feed(text);
  }

  next(timeoutMs: number): Promise<TerminalEvent> {
    for (;;) {
      const step = this.#script.shift();
      if (step === undefined) return Promise.resolve({ type: "ended" });
      if (typeof step === "function") {
        step(this);
        continue;
      }
      if (step.type === "timeout") this.#pass(timeoutMs);
      return Promise.resolve(step);
    }
  }

  suspend(): void {
    this.suspensions++;
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }
}
