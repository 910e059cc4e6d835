/**
 * Starting `l2tp daemon` in the background.
 *
 * @module
 */

import { inNamespace } from "../system/namespace.ts";
import { DaemonError } from "./error.ts";
import { DaemonSocket } from "./connection.ts";
import { daemonFiles } from "../../model/daemon_files.ts";

/** How long a daemon may take to answer. */
const START_LIMIT_MS = 5000;
/** How long one that has started may take to restore thousands of tunnels. */
const RESTORE_LIMIT_MS = 60_000;
/** For how long one that has ended is waited for: the reason may be another that was quicker. */
const RIVAL_LIMIT_MS = 1000;
const FIRST_NAP_MS = 5;
const LONGEST_NAP_MS = 50;
/**
 * It has other settings of V8 than short commands (a small young generation, since it lasts), and must not replace the
 * compiled code that is kept for those.
 */
const RUN = [
  "run",
  ...["--allow-all", "--no-config", "--no-lock", "--no-code-cache"],
  "--v8-flags=--max-semi-space-size=2",
];
/** So many of its last lines tell why it did not start. */
const LAST_WORDS = 3;

/** How to start it. */
export interface DaemonProcessOptions {
  /** Folder of its socket. */
  readonly runtimeDir: string;
  /**
   * Path of the network namespace to start it in; the calling thread's unless given. A namespace lives for as long as
   * the daemon does in it.
   */
  readonly netns?: string | undefined;
  /** The program with its first arguments; this one unless given. */
  readonly program?: readonly string[] | undefined;
  /** How long it may take to answer; 5 seconds unless given. */
  readonly limitMs?: number | undefined;
}

/** A daemon that answers. */
export interface StartedDaemon {
  /** A connection to it. */
  readonly socket: DaemonSocket;
  /** Its process id; `undefined` if it is another, which was started elsewhere at the same time. */
  readonly pid: number | undefined;
}

/** Path of what the daemon that has this folder writes when nobody else reads it. */
export function daemonLogPath(runtimeDir: string): string {
  return `${runtimeDir}/daemon.log`;
}

/** The daemon as a process of its own, which outlives this one. */
export class DaemonProcess {
  readonly #log: string;
  readonly #logSize: number;
  #ended = false;
  /** Its process id. */
  readonly pid: number;

  private constructor(options: DaemonProcessOptions) {
    this.#log = daemonLogPath(options.runtimeDir);
    this.#logSize = textOf(this.#log).length;
    const { netns } = options;
    const child = netns === undefined
      ? spawn(options, this.#log)
      : inNamespace(netns, () => spawn(options, this.#log));
    child.unref();
    child.status.then(() => this.#ended = true);
    this.pid = child.pid;
  }

  /**
   * Starts this program again as `l2tp daemon`, in a session of its own so that no terminal's signals reach it, and
   * resolves once it answers.
   *
   * @throws {DaemonError} if it does not
   */
  static async start(options: DaemonProcessOptions): Promise<StartedDaemon> {
    const path = daemonFiles(options.runtimeDir).socket;
    try {
      Deno.mkdirSync(options.runtimeDir, { recursive: true, mode: 0o755 });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DaemonError("notStarted", path, [reason]);
    }
    return await new DaemonProcess(options).#answer(path, options.limitMs ?? START_LIMIT_MS);
  }

  async #answer(path: string, limitMs: number): Promise<StartedDaemon> {
    const begin = performance.now();
    let deadline = begin + limitMs;
    let ended = false;
    for (let napMs = FIRST_NAP_MS;; napMs = Math.min(2 * napMs, LONGEST_NAP_MS)) {
      await new Promise((resolve) => setTimeout(resolve, napMs));
      if (this.#ended && !ended) {
        ended = true;
        deadline = Math.min(deadline, performance.now() + RIVAL_LIMIT_MS);
      }
      const leftMs = Math.max(1, deadline - performance.now());
      try {
        const socket = DaemonSocket.connect(path, { timeoutMs: leftMs });
        // A timeout for the start would be too short for what comes.
        socket[Symbol.dispose]();
        const lasting = DaemonSocket.connect(path);
        return { socket: lasting, pid: lasting.daemonPid === this.pid ? this.pid : undefined };
      } catch (error) {
        if (!(error instanceof DaemonError)) throw error;
        // One that listens, lives and is silent is taking over what an earlier one left.
        const busy = error.trouble === "silent" && !this.#ended &&
          performance.now() < begin + RESTORE_LIMIT_MS;
        const notYet = error.trouble === "absent" || error.trouble === "ended";
        if (!busy && (!notYet || performance.now() >= deadline)) {
          throw new DaemonError("notStarted", path, lastLines(textOf(this.#log).slice(this.#logSize)));
        }
      }
    }
  }
}

function spawn({ runtimeDir, program }: DaemonProcessOptions, log: string): Deno.ChildProcess {
  const itself = program ?? [
    Deno.execPath(),
    ...(Deno.build.standalone ? [] : [...RUN, Deno.mainModule]),
  ];
  // A service manager that started this program does not wait for the daemon; and only a shell can give a program a
  // file to write to.
  const script = 'unset NOTIFY_SOCKET; log=$1; shift; exec "$@" 2>>"$log"';
  return new Deno.Command("/bin/sh", {
    args: ["-c", script, "sh", log, ...itself, "daemon"],
    cwd: "/",
    // Deno looks for npm's settings in HOME, and stops at broken ones.
    env: { HOME: "/", L2TP_RUNTIME_DIR: runtimeDir },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

function lastLines(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").slice(-LAST_WORDS);
}
