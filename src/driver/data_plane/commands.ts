/**
 * What the main thread and the worker of the data path say to each other. Everything here is plain data; objects are
 * named by numbers that the main thread gives out and never gives out again.
 *
 * @module
 */

import type { L2Spec, Pseudowire, SessionChanges } from "../../model/session.ts";
import type { EndpointKind, PppChanges } from "../../dataplane/mod.ts";
import type { TraceEvent } from "../../subsystem/trace.ts";

/** Number of an object; 0 is none. */
export type ObjectId = number;

/** The worker is to serve a socket. */
export interface AddEndpoint {
  /** What to do. */
  readonly op: "addEndpoint";
  /** Number of the object. */
  readonly id: ObjectId;
  /** Number of the counter slot. */
  readonly slot: number;
  /** Number of the socket. */
  readonly fd: number;
  /** What kind of socket it is. */
  readonly kind: EndpointKind;
  /** Whether it takes many datagrams as one message. */
  readonly gso: boolean;
  /** Whether it gives many datagrams as one message. */
  readonly gro: boolean;
  /** Whether it sends no checksums, but where that cannot be helped. */
  readonly noChecksumTx: boolean;
}

/** The worker is to know a tunnel. */
export interface AddTunnel {
  /** What to do. */
  readonly op: "addTunnel";
  /** Number of the object. */
  readonly id: ObjectId;
  /** Number of its counter slot. */
  readonly slot: number;
  /** The endpoint it runs over. */
  readonly endpoint: ObjectId;
  /** Names the network namespace. */
  readonly netnsKey: string;
  /** Our id. */
  readonly tunnelId: number;
  /** The peer's id. */
  readonly peerTunnelId: number;
  /** Protocol version. */
  readonly version: 2 | 3;
  /** Address in hex. */
  readonly peer?: { readonly address: string; readonly port?: number; readonly scopeId?: number };
  /** Whether the socket is connected. */
  readonly connected: boolean;
}

/** What a device can do. */
export interface DeviceFacts {
  /** Whether each of its frames begins with a `struct virtio_net_hdr`. */
  readonly virtio: boolean;
  /** Whether to write TCP segments to it joined. */
  readonly joinTcp: boolean;
  /** Whether to write UDP datagrams to it joined. */
  readonly joinUdp: boolean;
}

/** The worker is to carry a session. */
export interface AddSession {
  /** What to do. */
  readonly op: "addSession";
  /** Number of the object. */
  readonly id: ObjectId;
  /** Number of its counter slot. */
  readonly slot: number;
  /** The tunnel that carries it. */
  readonly tunnel: ObjectId;
  /** Our id. */
  readonly sessionId: number;
  /** The peer's id. */
  readonly peerSessionId: number;
  /** What it carries. */
  readonly pseudowire: Pseudowire;
  /** The sublayer. */
  readonly l2spec?: L2Spec;
  /** In our packets; in hex. */
  readonly cookie?: string;
  /** In received packets; in hex. */
  readonly peerCookie?: string;
  /** What can be changed later on. */
  readonly changes: SessionChanges;
  /** Number of the device. */
  readonly tapFd?: number;
  /** What the device can do. */
  readonly tap: DeviceFacts;
}

/** The worker is to treat a session otherwise. */
export interface ChangeSession {
  /** What to do. */
  readonly op: "changeSession";
  /** Number of the object. */
  readonly id: ObjectId;
  /** What can be changed later on. */
  readonly changes: SessionChanges;
}

/** The worker is to carry the PPP of a session. */
export interface AttachPpp {
  /** What to do. */
  readonly op: "attachPpp";
  /** Number of the PPP. */
  readonly id: ObjectId;
  /** The session. */
  readonly session: ObjectId;
  /** Number of the TUN device. */
  readonly tunFd: number;
  /** What the device can do. */
  readonly device: DeviceFacts;
  /** Whether TCP is told of segments that fit. */
  readonly clampMss: boolean;
}

/** The worker is to treat the packets of a PPP otherwise; nothing is to be done if that has gone. */
export interface ChangePpp {
  /** What to do. */
  readonly op: "changePpp";
  /** Number of the PPP. */
  readonly id: ObjectId;
  /** What is to change. */
  readonly changes: PppChanges;
}

/** The worker is to send a control frame of a PPP; nothing is to be done if that has gone. */
export interface SendPpp {
  /** What to do. */
  readonly op: "sendPpp";
  /** Number of the PPP. */
  readonly id: ObjectId;
  /** Protocol (2 bytes) and payload; in hex. */
  readonly frame: string;
}

/** The worker is to forget an object and what hangs on it: its descriptors are not touched any more. */
export interface RemoveObject {
  /** What to do. */
  readonly op: "removeEndpoint" | "removeTunnel" | "removeSession" | "detachPpp";
  /** Number of the object. */
  readonly id: ObjectId;
}

/** Whether the worker is to tell of trace events. */
export interface SetTrace {
  /** What to do. */
  readonly op: "setTrace";
  /** Whether they are wanted. */
  readonly on: boolean;
}

/** What time it is for the worker (the answer, in milliseconds); and that it is to end. */
export interface PlainCommand {
  /** What to do. */
  readonly op: "now" | "exit";
}

/** A command to the worker. */
export type WorkerCommand =
  | AddEndpoint
  | AddTunnel
  | AddSession
  | ChangeSession
  | AttachPpp
  | ChangePpp
  | SendPpp
  | RemoveObject
  | SetTrace
  | PlainCommand;

/** The one message that a worker gets before it starts. */
export interface StartMessage {
  /** Memory of the {@link SyncCaller}, which the worker serves. */
  readonly callMemory: SharedArrayBuffer;
  /** The eventfd that says that a call waits; the main thread's. */
  readonly wakeFd: number;
  /** Counter slots. */
  readonly counters: SharedArrayBuffer;
  /** The ledger of reports ({@link REPORTS}). */
  readonly reports: SharedArrayBuffer;
  /** Whether checksums are computed by WebAssembly, if the engine can. */
  readonly simd: boolean;
}

/** The worker serves calls from now on. */
export interface ReadyReport {
  /** What it is. */
  readonly type: "ready";
}

/** A control message came in. */
export interface ControlReport {
  /** What it is. */
  readonly type: "control";
  /** The endpoint it came in by. */
  readonly endpoint: ObjectId;
  /** From the flags word on. */
  readonly bytes: Uint8Array;
  /** The sender's socket address. */
  readonly name: Uint8Array;
}

/** A control frame of PPP came in. */
export interface PppReport {
  /** What it is. */
  readonly type: "ppp";
  /** Number of the PPP. */
  readonly id: ObjectId;
  /** Protocol (2 bytes) and payload. */
  readonly frame: Uint8Array<ArrayBuffer>;
}

/** The device of a PPP has gone: the worker has let go of it. */
export interface PppLostReport {
  /** What it is. */
  readonly type: "pppLost";
  /** Number of the PPP. */
  readonly id: ObjectId;
}

/** Trace events of one turn, in order. */
export interface TraceReport {
  /** What it is. */
  readonly type: "trace";
  /** The events. */
  readonly events: readonly TraceEvent[];
}

/** A message of the worker's. */
export type Report = ReadyReport | ControlReport | PppReport | PppLostReport | TraceReport;

/** Words of the ledger of reports: how many are under way, and how many had to be left out. */
export const REPORTS = {
  /** Control messages that the main thread has not taken yet. */
  controlUnderWay: 0,
  /** Control messages that were dropped because too many were under way. */
  controlLost: 1,
  /** Trace reports that the main thread has not taken yet. */
  traceUnderWay: 2,
  /** Trace events that were dropped because there were too many. */
  traceLost: 3,
  /** Bytes of memory ({@link pppReportBytes}) of control frames of PPP that the main thread has not taken yet. */
  pppUnderWay: 4,
} as const;

/** Words in the ledger of reports. */
export const REPORTS_LENGTH = 5;

/** What a message takes beside the frame in it: an estimate on the high side. */
const MESSAGE_BYTES = 512;

/** Bytes of memory that a control frame of PPP takes while it is under way. */
export function pppReportBytes(frameBytes: number): number {
  return MESSAGE_BYTES + frameBytes;
}
