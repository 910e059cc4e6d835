/**
 * The terminal that the process was started on, for programs that take each key.
 *
 * @module
 */

import { writeText } from "./streams.ts";

const BUFFER_SIZE = 4096;

/** What a terminal has that tells no size. */
const USUAL_SIZE = { columns: 80, rows: 24 };

/** Asks for marks around what is pasted (bracketed paste), and no longer for them. */
const PASTE_MARKS = { on: "\x1b[?2004h", off: "\x1b[?2004l" };

/** What ends a process that does nothing about it, and what a shell shows for it. */
const ENDING_SIGNALS = [["SIGTERM", 143], ["SIGHUP", 129]] as const;

/** What becomes of keys. */
export type TerminalMode = "editing" | "running" | "left";

/** Standard input and output of a process that somebody sits before. Leaves the terminal as it was. */
export class LineTerminal implements Disposable {
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  readonly #cleanUp = new DisposableStack();
  #mode: TerminalMode = "left";

  /** From now on the terminal's Ctrl-C ends nobody who does not ask to be told of it. */
  constructor() {
    this.#listen("SIGINT", () => {});
    for (const [signal, code] of ENDING_SIGNALS) {
      this.#listen(signal, () => {
        if (this.#mode === "editing") this.write("\n");
        this.setMode("left");
        Deno.exit(code);
      });
    }
  }

  #listen(signal: Deno.Signal, action: () => void): void {
    Deno.addSignalListener(signal, action);
    this.#cleanUp.defer(() => Deno.removeSignalListener(signal, action));
  }

  /** Width and height, in characters. */
  size(): { readonly columns: number; readonly rows: number } {
    try {
      const size = Deno.consoleSize();
      return size.columns > 0 && size.rows > 0 ? size : USUAL_SIZE;
    } catch {
      return USUAL_SIZE;
    }
  }

  /** Writes at once. */
  write(text: string): void {
    writeText(Deno.stdout, text);
  }

  /** What was typed since the last call, once there is any; `undefined` when the terminal has gone. */
  async read(): Promise<Uint8Array | undefined> {
    try {
      const count = await Deno.stdin.read(this.#buffer);
      return count === null ? undefined : this.#buffer.slice(0, count);
    } catch {
      // EIO: whoever held the terminal's other end is no more.
      return undefined;
    }
  }

  /**
   * `editing`: each key comes as it is typed, with marks around what is pasted. `running`: keys that are typed wait and
   * are not shown, and Ctrl-C is a signal. `left`: as it was.
   */
  setMode(mode: TerminalMode): void {
    if (mode === this.#mode) return;
    try {
      Deno.stdin.setRaw(mode !== "left", { cbreak: mode === "running" });
      if (mode === "editing") this.write(PASTE_MARKS.on);
      else if (this.#mode === "editing") this.write(PASTE_MARKS.off);
    } catch {
      // The terminal has gone; reading tells.
    }
    this.#mode = mode;
  }

  /** Calls back when the size has changed; the result ends that. */
  onResize(action: () => void): Disposable {
    Deno.addSignalListener("SIGWINCH", action);
    return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGWINCH", action) };
  }

  [Symbol.dispose](): void {
    this.setMode("left");
    this.#cleanUp[Symbol.dispose]();
  }
}
