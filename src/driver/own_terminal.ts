/**
 * The terminal that the process was started on, for programs that take each key.
 *
 * @module
 */

import { writeText } from "./streams.ts";

const BUFFER_SIZE = 4096;

/** What a terminal has that tells no size. */
const USUAL_SIZE = { columns: 80, rows: 24 };

/** What ends a process that does nothing about it, and what a shell shows for it. */
const ENDING_SIGNALS = [["SIGTERM", 143], ["SIGHUP", 129]] as const;

/** Standard input and output of a process that somebody sits before. Leaves the terminal as it was. */
export class OwnTerminal implements Disposable {
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  readonly #cleanUp = new DisposableStack();
  #raw = false;

  /** From now on the terminal's Ctrl-C ends nobody who does not ask to be told of it. */
  constructor() {
    this.#listen("SIGINT", () => {});
    for (const [signal, code] of ENDING_SIGNALS) {
      this.#listen(signal, () => {
        this.setRaw(false);
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

  /** Takes each key as it is typed, or (`false`) leaves editing and signals to the terminal. */
  setRaw(raw: boolean): void {
    if (raw === this.#raw) return;
    try {
      Deno.stdin.setRaw(raw);
    } catch {
      // The terminal has gone; reading tells.
    }
    this.#raw = raw;
  }

  /** Calls back when the size has changed; the result ends that. */
  onResize(action: () => void): Disposable {
    Deno.addSignalListener("SIGWINCH", action);
    return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGWINCH", action) };
  }

  [Symbol.dispose](): void {
    this.setRaw(false);
    this.#cleanUp[Symbol.dispose]();
  }
}
