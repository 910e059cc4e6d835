/**
 * The worker's record of a tunnel.
 *
 * @module
 */

import type { DataTunnel } from "../../../dataplane/mod.ts";
import type { Remote } from "../../../../ffi/packets/mod.ts";
import type { WorkerEndpoint } from "./endpoint.ts";
import type { WorkerPath } from "./path.ts";

/**
 * Remembers that the path to a peer refused super-datagrams (`UDP_SEGMENT`), so that the sender avoids them for a
 * while.
 */
export interface GsoBackoff {
  /** Datagrams of this many bytes or more are sent one by one, since super-datagrams of them were refused. */
  refusedBytes: number;
  /** Time until which that holds, in milliseconds of the worker's clock. */
  untilMs: number;
}

export interface WorkerTunnel {
  /** The tunnel as the data path knows it. */
  readonly tunnel: DataTunnel;
  /** The data path that contains it. */
  readonly path: WorkerPath;
  /** Key of the tunnel's network namespace. */
  readonly netnsKey: string;
  /** The socket that carries the tunnel. */
  readonly endpoint: WorkerEndpoint;
  /** The peer's address; `undefined` if it is unknown, or if the socket is connected. */
  readonly remote: Remote | undefined;
  /** The socket is connected to the peer. */
  readonly connected: boolean;
  /** The peer's refusals of super-datagrams. */
  readonly gsoBackoff: GsoBackoff;
  /** Ids of the tunnel's sessions. */
  readonly sessions: Set<number>;
}
