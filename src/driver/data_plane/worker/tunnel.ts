/**
 * A tunnel in the worker.
 *
 * @module
 */

import type { DataTunnel } from "../../../dataplane/mod.ts";
import type { Remote } from "../../../../ffi/packets/mod.ts";
import type { WorkerEndpoint } from "./endpoint.ts";
import type { WorkerPath } from "./path.ts";

/** What was learnt of messages of many datagrams on one way. */
export interface MessageHistory {
  /** Datagrams of so many bytes and more are sent one by one, because together they were refused. */
  refused: number;
  /** Until when that counts, in milliseconds of the worker's clock. */
  until: number;
}

/** A tunnel. */
export interface WorkerTunnel {
  /** What the data path knows it by. */
  readonly tunnel: DataTunnel;
  /** The data path it is in. */
  readonly path: WorkerPath;
  /** Key of the network namespace that this is the data path of. */
  readonly netnsKey: string;
  /** The socket it runs over. */
  readonly endpoint: WorkerEndpoint;
  /** Where it sends to; `undefined`: nowhere, or where the socket is connected to. */
  readonly remote: Remote | undefined;
  /** Whether the socket is connected. */
  readonly connected: boolean;
  /** What was learnt of messages of many datagrams to its peer. */
  readonly messages: MessageHistory;
  /** Numbers of its sessions. */
  readonly sessions: Set<number>;
}
