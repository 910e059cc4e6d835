/**
 * Locates the daemon (`l2tp daemon`) of a folder, for clients of its subsystem.
 *
 * @module
 */

import { DaemonError } from "../../driver/daemon_api/error.ts";
import { daemonFiles, JOURNAL_HEADER } from "../../model/daemon_files.ts";
import type { L2tpClient } from "../l2tp_client.ts";
import type { UserSubsystem } from "../subsystem.ts";
import { emptyL2tpClient } from "./empty_subsystem.ts";

/** Longest path of a socket, in bytes (`sun_path` in `linux/un.h`). */
const SOCKET_PATH_MAX = 107;

/** The daemon to connect to or start. */
export interface DaemonLocatorOptions {
  /** Folder of its socket, as an absolute path. */
  readonly runtimeDir: string;
  /** Path of the network namespace to start it in. Default: the calling thread's. */
  readonly netns?: string | undefined;
  /** Time limit for an answer, in milliseconds. Default 30 seconds. */
  readonly answerLimitMs?: number | undefined;
}

/** Connects to the daemon of a folder, or starts it. */
export class DaemonLocator implements UserSubsystem {
  readonly #options: DaemonLocatorOptions;
  readonly #path: string;

  /** Connects to nothing yet. */
  constructor(options: DaemonLocatorOptions) {
    this.#options = options;
    this.#path = daemonFiles(options.runtimeDir).socket;
  }

  async connect(): Promise<L2tpClient | undefined> {
    // A look at the file system is cheaper than loading the modules for a connection.
    if (!exists(this.#path)) return undefined;
    const { DaemonSocket, daemonL2tpClient } = await import("../lazy.ts");
    const { answerLimitMs } = this.#options;
    try {
      return daemonL2tpClient(
        DaemonSocket.connect(this.#path, answerLimitMs === undefined ? {} : { timeoutMs: answerLimitMs }),
      );
    } catch (error) {
      if (error instanceof DaemonError && error.trouble === "absent") return undefined;
      throw error;
    }
  }

  emptyClient(): L2tpClient {
    return emptyL2tpClient();
  }

  leftBehind(): string | undefined {
    return journalLeftIn(this.#options.runtimeDir);
  }

  absent(): Error {
    return new DaemonError("absent", this.#path);
  }

  async start(): Promise<{ readonly client: L2tpClient; readonly pid: number | undefined }> {
    const { DaemonProcess, daemonL2tpClient } = await import("../lazy.ts");
    const { socket, pid } = await DaemonProcess.start(this.#options);
    return { client: daemonL2tpClient(socket), pid };
  }
}

/** Path of the journal in the folder, if it has any record. */
export function journalLeftIn(runtimeDir: string): string | undefined {
  const { journal } = daemonFiles(runtimeDir);
  try {
    return Deno.lstatSync(journal).size > JOURNAL_HEADER.length ? journal : undefined;
  } catch {
    return undefined;
  }
}

/** Reports whether an attempt to connect makes sense. */
function exists(path: string): boolean {
  // The path is too long for a socket: connecting throws the error that says so.
  if (new TextEncoder().encode(path).length > SOCKET_PATH_MAX) return true;
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    // For any other error, connecting throws the right one.
    return !(error instanceof Deno.errors.NotFound);
  }
}
