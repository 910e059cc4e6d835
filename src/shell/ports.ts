/**
 * Ports of interactive mode, beside those of the command line. `main.ts` passes the real ones.
 *
 * @module
 */

import type { Options } from "../cli/grammar/options.ts";
import type { CliPorts } from "../cli/ports.ts";

/** The terminal. */
export interface Terminal {
  /** Width and height, in characters. */
  size(): { readonly columns: number; readonly rows: number };
  /** Writes at once. */
  write(text: string): void;
  /** Resolves to the input since the last call, once there is any; `undefined` when the terminal is gone. */
  read(): Promise<Uint8Array | undefined>;
  /**
   * `editing`: each key arrives at once, with marks around pasted text (bracketed paste). `running`: keys wait, and Ctrl-C
   * is a signal.
   */
  setMode(mode: "editing" | "running"): void;
  /** Calls back when the size has changed. Disposing the result ends that. */
  onResize(action: () => void): Disposable;
}

/** Lines that outlive the shell. */
export interface HistoryStore {
  /** All of them, the oldest first; none if they cannot be read. */
  load(): readonly string[];
  /** Adds one. */
  add(line: string): void;
}

/** Ports of interactive mode. */
export interface ShellPorts {
  /** The terminal. */
  readonly terminal: Terminal;
  /** Lines of earlier sessions. */
  readonly history: HistoryStore;
  /** Runs a command line. `main.ts` passes its own `run`, so that the bundler keeps that in the file of the start. */
  run(words: readonly string[], cli: CliPorts, defaults: Options): Promise<number>;
  /** Name of this host. */
  readonly host: string;
  /** Name of the present network namespace; `undefined` if `ip netns` gave it none. */
  netnsName(): string | undefined;
  /** Moves back into the network namespace that the program was started in. */
  leaveNetns(): void;
}
