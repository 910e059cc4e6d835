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
  /** What was typed since the last call, once there is any; `undefined` when the terminal has gone. */
  read(): Promise<Uint8Array | undefined>;
  /**
   * `editing`: each key comes as it is typed, with marks around what is pasted (bracketed paste). `running`: keys that are
   * typed wait, and Ctrl-C is a signal.
   */
  setMode(mode: "editing" | "running"): void;
  /** Calls back when the size has changed; the result ends that. */
  onResize(action: () => void): Disposable;
}

/** Lines that outlive the shell. */
export interface HistoryStore {
  /** All of them, the oldest first; none if they cannot be read. */
  load(): readonly string[];
  /** Adds one. */
  add(line: string): void;
}

/** What interactive mode needs. */
export interface ShellPorts {
  /** The terminal. */
  readonly terminal: Terminal;
  /** Lines of earlier times. */
  readonly history: HistoryStore;
  /** Runs a command line: the one that `main.ts` runs. It comes from there, so that its file is nobody else's. */
  run(words: readonly string[], cli: CliPorts, defaults: Options): Promise<number>;
  /** Name of this host. */
  readonly host: string;
  /** Name of the present network namespace; `undefined` if `ip netns` gave it none. */
  netnsName(): string | undefined;
  /** Moves back into the network namespace that the program was started in. */
  leaveNetns(): void;
}
