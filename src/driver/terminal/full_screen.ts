/**
 * The terminal as a full-screen program uses it: keys one by one, the size, the other screen; and everything as it was
 * before, however the program ends short of SIGKILL.
 *
 * @module
 */

import { EventFd } from "../../../ffi/process/eventfd.ts";
import { OwnedFd } from "../../../ffi/fd.ts";
import { poll, POLLIN } from "../../../ffi/process/poll.ts";
import { writeText } from "./streams.ts";

/** How large a terminal is, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** What happened at a terminal: something was typed, its size changed, the program is to end, or nothing in time. */
export type TerminalEvent =
  | { readonly type: "typed"; readonly text: string }
  | { readonly type: "resized" }
  | { readonly type: "ended" }
  | { readonly type: "timeout" };

/** The other screen, without cursor, without wrapping at the edge. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J";
const LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

/** Signals that ask a program to end. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** Bytes that are read at a time: more than anyone types, and a paste comes in several. */
const READ_BYTES = 1024;

/** What a terminal of an unknown size has. */
const USUAL_SIZE: TerminalSize = { columns: 80, rows: 24 };

/** The terminal of standard input and output, taken over until it is disposed. */
export class FullScreenTerminal implements Disposable {
  /** Standard input, which is not ours to close. */
  readonly #input = new OwnedFd(0);
  readonly #wake = EventFd.open();
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(READ_BYTES);
  #resized = false;
  #ended = false;
  #disposed = false;
  readonly #onResize = (): void => {
    this.#resized = true;
    this.#wake.signal();
  };
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake.signal();
  };

  private constructor() {}

  /** Takes the terminal over. */
  static open(): FullScreenTerminal {
    const terminal = new FullScreenTerminal();
    Deno.addSignalListener("SIGWINCH", terminal.#onResize);
    for (const signal of ENDING) Deno.addSignalListener(signal, terminal.#onEnd);
    try {
      terminal.#enter();
    } catch (error) {
      terminal[Symbol.dispose]();
      throw error;
    }
    return terminal;
  }

  #enter(): void {
    Deno.stdin.setRaw(true);
    writeText(Deno.stdout, ENTER);
  }

  #leave(): void {
    // Its other end may be gone: then there is nothing to restore.
    try {
      writeText(Deno.stdout, LEAVE);
    } catch { /* nobody sees it */ }
    try {
      Deno.stdin.setRaw(false);
    } catch { /* nobody types */ }
  }

  /** How large it is now. */
  get size(): TerminalSize {
    try {
      const { columns, rows } = Deno.consoleSize();
      // A serial console may not know.
      return columns > 0 && rows > 0 ? { columns, rows } : USUAL_SIZE;
    } catch {
      return USUAL_SIZE;
    }
  }

  /** Writes at once. */
  write(text: string): void {
    writeText(Deno.stdout, text);
  }

  /** Resolves to what happens next, at the latest after so many milliseconds. One wait at a time. */
  async next(timeoutMs: number): Promise<TerminalEvent> {
    const noticed = this.#noticed();
    if (noticed !== undefined) return noticed;
    const [input = 0] = await poll(
      [{ fd: this.#input, events: POLLIN }, { fd: this.#wake, events: POLLIN }],
      Math.max(0, Math.ceil(timeoutMs)),
    );
    return this.#noticed() ?? (input === 0 ? { type: "timeout" } : this.#read());
  }

  /** What a signal told. */
  #noticed(): TerminalEvent | undefined {
    if (this.#ended) return { type: "ended" };
    if (!this.#resized) return undefined;
    this.#resized = false;
    this.#wake.reset();
    return { type: "resized" };
  }

  #read(): TerminalEvent {
    let length: number | null;
    try {
      length = Deno.stdin.readSync(this.#buffer);
    } catch {
      // A terminal that was hung up answers with an error.
      length = null;
    }
    if (length === null) return { type: "ended" };
    return { type: "typed", text: this.#decoder.decode(this.#buffer.subarray(0, length), { stream: true }) };
  }

  /** Gives the terminal back and stops this process, as Ctrl-Z does; goes on once it is continued. */
  suspend(): void {
    this.#leave();
    Deno.kill(Deno.pid, "SIGSTOP");
    this.#enter();
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#leave();
    Deno.removeSignalListener("SIGWINCH", this.#onResize);
    for (const signal of ENDING) Deno.removeSignalListener(signal, this.#onEnd);
    this.#input.release();
    this.#wake.close();
  }
}
