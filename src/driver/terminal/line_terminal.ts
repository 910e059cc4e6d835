/**
 * The terminal for line editing: the process's standard input and output, with each key delivered at once.
 *
 * @module
 */

import { writeText } from "./streams.ts";

const BUFFER_SIZE = 4096;

/** Assumed if the size is unknown. */
const DEFAULT_SIZE = { columns: 80, rows: 24 };

/** Turns bracketed paste on and off: marks around pasted text. */
const PASTE_MARKS = { on: "\x1b[?2004h", off: "\x1b[?2004l" };

/** Signals that end the process, with the exit status that a shell reports for each. */
const TERMINATION_SIGNALS = [["SIGTERM", 143], ["SIGHUP", 129]] as const;

/** `editing` delivers single keys, `running` leaves the terminal to commands, `left` is the original state. */
export type TerminalMode = "editing" | "running" | "left";

/** Standard input and output on a terminal. Restores the terminal when it is disposed of. */
export class LineTerminal implements Disposable {
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  readonly #cleanUp = new DisposableStack();
  #mode: TerminalMode = "left";

  /** From now on, Ctrl-C does not end the process; other listeners of SIGINT are still called. */
  constructor() {
    this.#listen("SIGINT", () => {});
    for (const [signal, code] of TERMINATION_SIGNALS) {
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

  /** Width and height in characters. */
  size(): { readonly columns: number; readonly rows: number } {
    try {
      const size = Deno.consoleSize();
      return size.columns > 0 && size.rows > 0 ? size : DEFAULT_SIZE;
    } catch {
      return DEFAULT_SIZE;
    }
  }

  /** Writes immediately. */
  write(text: string): void {
    writeText(Deno.stdout, text);
  }

  /** Waits for input and returns it; `undefined` if the terminal hung up. */
  async read(): Promise<Uint8Array | undefined> {
    try {
      const count = await Deno.stdin.read(this.#buffer);
      return count === null ? undefined : this.#buffer.slice(0, count);
    } catch {
      // EIO: the other end of the terminal was closed.
      return undefined;
    }
  }

  /**
   * `editing`: each key is delivered as it is typed, pasted text is marked. `running`: typed keys are queued and not
   * echoed, and Ctrl-C is a signal. `left`: the original state.
   */
  setMode(mode: TerminalMode): void {
    if (mode === this.#mode) return;
    try {
      Deno.stdin.setRaw(mode !== "left", { cbreak: mode === "running" });
      if (mode === "editing") this.write(PASTE_MARKS.on);
      else if (this.#mode === "editing") this.write(PASTE_MARKS.off);
    } catch {
      // The terminal hung up; `read` reports that.
    }
    this.#mode = mode;
  }

  /** Calls back when the size has changed, until the result is disposed of. */
  onResize(action: () => void): Disposable {
    Deno.addSignalListener("SIGWINCH", action);
    return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGWINCH", action) };
  }

  [Symbol.dispose](): void {
    this.setMode("left");
    this.#cleanUp[Symbol.dispose]();
  }
}
