/**
 * The subsystem in userspace, `l2tp daemon`, as clients see it.
 *
 * @module
 */

import { DaemonError } from "../../driver/daemon_api/error.ts";
import { daemonFiles, JOURNAL_HEADER } from "../../model/daemon_files.ts";
import type { L2tpClient } from "../l2tp_client.ts";
import { EmptySubsystem } from "./empty_subsystem.ts";
import type { UserSubsystem } from "../subsystem.ts";
import { daemonL2tpClient } from "./client.ts";

/** Longest path of a socket, in bytes (`sun_path` in `linux/un.h`). */
const SOCKET_PATH_MAX = 107;

/** Where the daemon is, or is to be. */
export interface DaemonLocatorOptions {
  /** Folder of its socket, as an absolute path. */
  readonly runtimeDir: string;
  /** Path of the network namespace to start it in; the calling thread's unless given. */
  readonly netns?: string | undefined;
  /** For how long it may be silent; 30 seconds unless given. */
  readonly answerLimitMs?: number | undefined;
}

/** The ways to the daemon of a folder. */
export class DaemonLocator implements UserSubsystem {
  readonly #options: DaemonLocatorOptions;
  readonly #path: string;

  /** Opens nothing yet. */
  constructor(options: DaemonLocatorOptions) {
    this.#options = options;
    this.#path = daemonFiles(options.runtimeDir).socket;
  }

  async connect(): Promise<L2tpClient | undefined> {
    // Looking is cheaper than loading what it takes to connect.
    if (!exists(this.#path)) return undefined;
    const { DaemonSocket } = await import("../lazy.ts");
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
    return daemonL2tpClient(new EmptySubsystem());
  }

  leftBehind(): string | undefined {
    return journalLeftIn(this.#options.runtimeDir);
  }

  absent(): Error {
    return new DaemonError("absent", this.#path);
  }

  async start(): Promise<{ readonly client: L2tpClient; readonly pid: number | undefined }> {
    const { DaemonProcess } = await import("../lazy.ts");
    const { socket, pid } = await DaemonProcess.start(this.#options);
    return { client: daemonL2tpClient(socket), pid };
  }
}

/** Path of the journal in the folder, if it tells of anything. */
export function journalLeftIn(runtimeDir: string): string | undefined {
  const { journal } = daemonFiles(runtimeDir);
  try {
    return Deno.lstatSync(journal).size > JOURNAL_HEADER.length ? journal : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it is worth trying to connect. */
function exists(path: string): boolean {
  // A folder can be there that no socket can be in; connecting tells why.
  if (new TextEncoder().encode(path).length > SOCKET_PATH_MAX) return true;
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    // What else keeps us from it, connecting will tell.
    return !(error instanceof Deno.errors.NotFound);
  }
}
