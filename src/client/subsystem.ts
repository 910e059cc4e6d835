/**
 * Which L2TP subsystem to talk to: the kernel's, or the one in userspace (`l2tp daemon`). Both speak the same API.
 *
 * @module
 */

import { FamilyMissingError } from "../base/errors.ts";
import { L2TP_GENL_NAME } from "../wire/genl/l2tp/constants.ts";
import type { L2tpClient } from "./l2tp_client.ts";

/** An L2TP subsystem: that of the kernel, or `l2tp daemon`. */
export type Dataplane = "kernel" | "user";

/** Which subsystem is wanted; `auto`: the kernel's if it has one, else the one in userspace. */
export type DataplaneChoice = "auto" | Dataplane;

/**
 * What a client is wanted for. To `create` something a daemon is started where none runs. Whoever only wants to `read`
 * or delete finds a subsystem with nothing in it; whoever wants to `listen` has nobody to listen to.
 */
export type ClientPurpose = "read" | "create" | "listen";

/** Ways to the subsystem in userspace. */
export interface UserSubsystem {
  /** A client of the daemon; `undefined` if none listens. */
  connect(): Promise<L2tpClient | undefined>;
  /** A client of a subsystem in which nothing is. */
  emptyClient(): L2tpClient;
  /** Path of the journal of a daemon that ended without taking its tunnels down; `undefined` if there is none. */
  leftBehind(): string | undefined;
  /** Why there is nothing to listen to. */
  absent(): Error;
  /** Starts a daemon; `pid` is `undefined` if another was quicker. */
  start(): Promise<{ readonly client: L2tpClient; readonly pid: number | undefined }>;
}

/** Ways to the subsystems. */
export interface Subsystems {
  /** A client of the kernel; `undefined` if it has no L2TP and could load none. */
  kernel(): L2tpClient | undefined;
  /** The ways to the other one. */
  user(): UserSubsystem;
}

/** A client, and whether a daemon was started for it. */
export interface OpenedClient {
  /** The client. With `nothing` each reading makes one. */
  readonly client: L2tpClient;
  /** Process id of the daemon that was started for it. */
  readonly startedPid?: number | undefined;
  /** Whether there is no subsystem behind it, so that it finds nothing. */
  readonly isEmpty?: true;
  /** With `nothing`: path of the journal of a daemon that left tunnels behind. */
  readonly leftBehind?: string | undefined;
}

/**
 * Opens a client of the subsystem of choice in the calling thread's network namespace.
 *
 * @throws {FamilyMissingError} with choice `kernel`, if the kernel has no L2TP and could load none
 * @throws {DaemonError} if there is a daemon that cannot be talked to, or none to listen to, or none can be started
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
      // Whoever only prints what is there need not ask it.
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
