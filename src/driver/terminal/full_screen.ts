/**
 * The terminal for full-screen programs: single keys, size, alternate screen. The terminal is restored however the
 * program ends, except by SIGKILL.
 *
 * @module
 */

import { EventFd } from "../../../ffi/process/eventfd.ts";
import { OwnedFd } from "../../../ffi/fd.ts";
import { poll, POLLIN } from "../../../ffi/process/poll.ts";
import type { TerminalEvent } from "../../model/terminal_event.ts";
import { writeText } from "./streams.ts";

/** Size of a terminal in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Alternate screen, without cursor and without wrapping at the right edge. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J";
const LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

/** Signals that ask a program to end. */
const TERMINATION_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** Bytes read at once: more than anyone types; pasted text comes in several reads. */
const READ_BYTES = 1024;

/** Assumed if the size is unknown. */
const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 };

/** The terminal of standard input and output, in raw mode until it is disposed of. */
export class FullScreenTerminal implements Disposable {
  /** Standard input, which this object does not close. */
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

  /** Enters the alternate screen. */
  static open(): FullScreenTerminal {
    const terminal = new FullScreenTerminal();
    Deno.addSignalListener("SIGWINCH", terminal.#onResize);
    for (const signal of TERMINATION_SIGNALS) Deno.addSignalListener(signal, terminal.#onEnd);
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
    // The terminal may have hung up; then there is nothing to restore.
    try {
      writeText(Deno.stdout, LEAVE);
    } catch { /* the output is closed */ }
    try {
      Deno.stdin.setRaw(false);
    } catch { /* the input is closed */ }
  }

  /** Current size. */
  get size(): TerminalSize {
    try {
      const { columns, rows } = Deno.consoleSize();
      // A serial console may report zeros.
      return columns > 0 && rows > 0 ? { columns, rows } : DEFAULT_SIZE;
    } catch {
      return DEFAULT_SIZE;
    }
  }

  /** Writes immediately. */
  write(text: string): void {
    writeText(Deno.stdout, text);
  }

  /** Waits for the next event, at most `timeoutMs` milliseconds. One wait at a time. */
  async next(timeoutMs: number): Promise<TerminalEvent> {
    const pending = this.#pendingSignal();
    if (pending !== undefined) return pending;
    const [input = 0] = await poll(
      [{ fd: this.#input, events: POLLIN }, { fd: this.#wake, events: POLLIN }],
      Math.max(0, Math.ceil(timeoutMs)),
    );
    return this.#pendingSignal() ?? (input === 0 ? { type: "timeout" } : this.#read());
  }

  /** The event of a signal that arrived meanwhile. */
  #pendingSignal(): TerminalEvent | undefined {
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
      // Reading from a terminal that hung up fails.
      length = null;
    }
    if (length === null) return { type: "ended" };
    return { type: "typed", text: this.#decoder.decode(this.#buffer.subarray(0, length), { stream: true }) };
  }

  /** Restores the terminal and stops this process, as Ctrl-Z does; returns after the process was continued. */
  suspend(): void {
    this.#leave();
    Deno.kill(Deno.pid, "SIGSTOP");
    this.#enter();
  }

  /** Restores the terminal. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#leave();
    Deno.removeSignalListener("SIGWINCH", this.#onResize);
    for (const signal of TERMINATION_SIGNALS) Deno.removeSignalListener(signal, this.#onEnd);
    this.#input.release();
    this.#wake.close();
  }
}
