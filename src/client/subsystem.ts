/**
 * Chooses between the two L2TP subsystems with the same API: the kernel's, and the one in userspace (`l2tp daemon`).
 *
 * @module
 */

import { FamilyMissingError } from "../base/errors.ts";
import { L2TP_GENL_NAME } from "../wire/genl/l2tp/constants.ts";
import type { L2tpClient } from "./l2tp_client.ts";

/** An L2TP subsystem: that of the kernel, or `l2tp daemon`. */
export type Dataplane = "kernel" | "user";

/** The subsystem that is wanted. `auto`: the kernel's if it has L2TP, otherwise the daemon's. */
export type DataplaneChoice = "auto" | Dataplane;

/**
 * What a client is for, which matters if there is neither an L2TP kernel nor a daemon. To `create`, a daemon is started.
 * To `read` or delete, an empty subsystem takes its place. To `listen` is an error.
 */
export type ClientPurpose = "read" | "create" | "listen";

/** Access to the subsystem in userspace. */
export interface UserSubsystem {
  /** Connects to the daemon; `undefined` if none runs. */
  connect(): Promise<L2tpClient | undefined>;
  /** Returns a client of an empty subsystem. */
  emptyClient(): L2tpClient;
  /** Path of the journal that a daemon left, with tunnels in it; `undefined` without one. */
  leftBehind(): string | undefined;
  /** The error if no daemon runs. */
  absent(): Error;
  /** Starts a daemon. `pid` is `undefined` if another process started one first. */
  start(): Promise<{ readonly client: L2tpClient; readonly pid: number | undefined }>;
}

/** Access to both subsystems. */
export interface Subsystems {
  /** Opens a client of the kernel; `undefined` if it has no L2TP and could load none. */
  kernel(): L2tpClient | undefined;
  /** The subsystem in userspace. */
  user(): UserSubsystem;
}

/** A client, with the circumstances of its opening. */
export interface OpenedClient {
  /** The client. With `isEmpty`, each access creates one. */
  readonly client: L2tpClient;
  /** Process id of the daemon, if one was started for it. */
  readonly startedPid?: number | undefined;
  /** Set if there is no subsystem: the client's is empty. */
  readonly isEmpty?: true;
  /** With `isEmpty`: path of the journal of a daemon that left tunnels behind. */
  readonly leftBehind?: string | undefined;
}

/**
 * Opens a client of the subsystem of choice in the calling thread's network namespace.
 *
 * @throws {FamilyMissingError} with choice `kernel`, if the kernel has no L2TP and could load none
 * @throws {DaemonError} if the daemon cannot be reached, if none runs that could be listened to, or none can be started
 */
export async function openSubsystem(
  choice: DataplaneChoice,
  purpose: ClientPurpose,
  subsystems: Subsystems,
): Promise<OpenedClient> {
  if (choice !== "user") {
    const client = subsystems.kernel();
    if (client !== undefined) return { client };
    if (choice === "kernel") throw new FamilyMissingError(L2TP_GENL_NAME);
  }
  const user = subsystems.user();
  const client = await user.connect();
  if (client !== undefined) return { client };
  if (purpose === "read") {
    return {
      // Created on demand: most listings do without.
      get client(): L2tpClient {
        return user.emptyClient();
      },
      isEmpty: true,
      leftBehind: user.leftBehind(),
    };
  }
  if (purpose === "listen") throw user.absent();
  const started = await user.start();
  return { client: started.client, startedPid: started.pid };
}
