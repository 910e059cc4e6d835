/**
 * Starts `l2tp daemon` in the background.
 *
 * @module
 */

import { inNamespace } from "../system/namespace.ts";
import { DaemonError } from "./error.ts";
import { DaemonSocket } from "./connection.ts";
import { daemonFiles } from "../../model/daemon_files.ts";

/** Default time limit for the first answer. */
const START_LIMIT_MS = 5000;
/** Time limit for a daemon that accepts connections and still restores thousands of tunnels. */
const RESTORE_LIMIT_MS = 60_000;
/** Time limit for the answer of another daemon after ours has exited: it may have started first. */
const RIVAL_LIMIT_MS = 1000;
const FIRST_NAP_MS = 5;
const LONGEST_NAP_MS = 50;
/**
 * Arguments of Deno. The daemon runs with other V8 options than short commands (a small young generation, since it runs
 * for long), and must not replace their code cache.
 */
const RUN = [
  "run",
  ...["--allow-all", "--no-config", "--no-lock", "--no-code-cache"],
  "--v8-flags=--max-semi-space-size=2",
];
/** Number of its last log lines in the error if it did not start. */
const LAST_WORDS = 3;

/** Options of the daemon's process. */
export interface DaemonProcessOptions {
  /** Folder of its socket. */
  readonly runtimeDir: string;
  /**
   * Path of the network namespace to start it in. Default: the calling thread's. The namespace exists as long as the
   * daemon runs in it.
   */
  readonly netns?: string | undefined;
  /** The program with its first arguments. Default: this program. */
  readonly program?: readonly string[] | undefined;
  /** Time limit for the first answer, in milliseconds. Default 5 seconds. */
  readonly limitMs?: number | undefined;
}

/** A running daemon. */
export interface StartedDaemon {
  /** A connection to it. */
  readonly socket: DaemonSocket;
  /** Its process id; `undefined` if another process started it at the same time. */
  readonly pid: number | undefined;
}

/** The daemon as a background process, which outlives this one. */
export class DaemonProcess {
  readonly #log: string;
  readonly #logSize: number;
  #ended = false;
  /** Its process id. */
  readonly pid: number;

  private constructor(options: DaemonProcessOptions) {
    this.#log = daemonFiles(options.runtimeDir).log;
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
   * Starts this program as `l2tp daemon`, in a session of its own so that no terminal's signals reach it. Resolves once
   * the daemon answers.
   *
   * @throws {DaemonError} `notStarted` if it does not answer in time
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
        // The timeout of this connection is that of the start, too short for later requests.
        socket[Symbol.dispose]();
        const lasting = DaemonSocket.connect(path);
        return { socket: lasting, pid: lasting.daemonPid === this.pid ? this.pid : undefined };
      } catch (error) {
        if (!(error instanceof DaemonError)) throw error;
        // A daemon that runs, listens and is silent restores tunnels of an earlier one.
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
  // The service manager of this program must not wait for the daemon. Only a shell can redirect output to a file.
  const script = 'unset NOTIFY_SOCKET; log=$1; shift; exec "$@" 2>>"$log"';
  return new Deno.Command("/bin/sh", {
    args: ["-c", script, "sh", log, ...itself, "daemon"],
    cwd: "/",
    // Deno reads npm's settings in HOME, and fails if they are invalid.
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
