/**
 * The commands that the main thread sends to the data path's worker, and the reports that the worker sends back. All
 * of them are plain data. The main thread assigns the ids of objects and never reuses one.
 *
 * @module
 */

import type { DataSessionParameters, SessionChanges, SessionCookies } from "../../model/session.ts";
import type { EndpointKind, PppChanges } from "../../dataplane/mod.ts";
import type { TraceEvent } from "../../subsystem/trace.ts";

/** Id of an endpoint, tunnel, session or PPP attachment within one data plane; from 1 on. */
export type ObjectId = number;

/** Adds a socket that the worker serves. */
export interface AddEndpoint {
  readonly op: "addEndpoint";
  readonly id: ObjectId;
  /** Index of the endpoint's counter slot. */
  readonly slot: number;
  /** Descriptor of the socket; the main thread owns it. */
  readonly fd: number;
  readonly kind: EndpointKind;
  /** The socket may send super-datagrams (`UDP_SEGMENT`). */
  readonly gso: boolean;
  /** The socket returns coalesced datagrams (`UDP_GRO`). */
  readonly gro: boolean;
  /** The socket omits UDP checksums, except on super-datagrams, which need them. */
  readonly noChecksumTx: boolean;
}

/** Adds a tunnel to an endpoint. */
export interface AddTunnel {
  readonly op: "addTunnel";
  readonly id: ObjectId;
  /** Index of the tunnel's counter slot. */
  readonly slot: number;
  readonly endpoint: ObjectId;
  /** Key of the tunnel's network namespace. */
  readonly netnsKey: string;
  readonly tunnelId: number;
  readonly peerTunnelId: number;
  readonly version: 2 | 3;
  /** The peer's address, in hex, with its UDP port and IPv6 scope id. */
  readonly peer?: { readonly address: string; readonly port?: number; readonly scopeId?: number };
  /** The socket is connected to the peer. */
  readonly connected: boolean;
}

/** What a TUN or TAP device supports. */
export interface DeviceFacts {
  /** Every frame of the device begins with a `struct virtio_net_hdr`. */
  readonly virtio: boolean;
  /** The device accepts TCP segments coalesced into super-frames. */
  readonly coalesceTcp: boolean;
  /** The device accepts UDP datagrams coalesced into super-frames. */
  readonly coalesceUdp: boolean;
}

/** Parameters of a session in a command. Cookies are in hex, because JSON has no bytes. */
export interface SessionCommandParameters extends Omit<DataSessionParameters, keyof SessionCookies> {
  /** Cookie of sent packets. */
  readonly cookie?: string | undefined;
  /** Cookie required in received packets. */
  readonly peerCookie?: string | undefined;
}

/** Adds a session to a tunnel. */
export interface AddSession {
  readonly op: "addSession";
  readonly id: ObjectId;
  /** Index of the session's counter slot. */
  readonly slot: number;
  readonly tunnel: ObjectId;
  readonly session: SessionCommandParameters;
  /** Descriptor of the TAP device; the main thread owns it. */
  readonly tapFd?: number;
  readonly tap: DeviceFacts;
}

/** Changes attributes of a session. */
export interface ChangeSession {
  readonly op: "changeSession";
  readonly id: ObjectId;
  readonly changes: SessionChanges;
}

/** Attaches PPP to a session. */
export interface AttachPpp {
  readonly op: "attachPpp";
  /** Id of the PPP attachment. */
  readonly id: ObjectId;
  readonly session: ObjectId;
  /** Descriptor of the TUN device; the main thread owns it. */
  readonly tunFd: number;
  readonly device: DeviceFacts;
  /** The worker clamps the MSS option of TCP handshakes to the negotiated MTU. */
  readonly clampMss: boolean;
}

/** Changes which packets of a PPP attachment pass, and their framing. Does nothing if the attachment was removed. */
export interface ChangePpp {
  readonly op: "changePpp";
  readonly id: ObjectId;
  readonly changes: PppChanges;
}

/** Sends a PPP control frame. Does nothing if the attachment was removed. */
export interface SendPpp {
  readonly op: "sendPpp";
  readonly id: ObjectId;
  /** Protocol field (2 bytes) and payload, in hex. */
  readonly frame: string;
}

/** Removes an object together with its children. The worker no longer touches their descriptors afterwards. */
export interface RemoveObject {
  readonly op: "removeEndpoint" | "removeTunnel" | "removeSession" | "detachPpp";
  readonly id: ObjectId;
}

/** Turns trace events on or off. */
export interface SetTrace {
  readonly op: "setTrace";
  readonly on: boolean;
}

/** `now` returns the worker's `performance.now()`, in milliseconds; `exit` ends the worker. */
export interface PlainCommand {
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

/** The only message that the main thread posts to the worker: it starts the worker's loop. */
export interface StartMessage {
  /** Memory of the `SyncCaller`, which the worker serves. */
  readonly callMemory: SharedArrayBuffer;
  /** The eventfd that signals a waiting call; the main thread owns it. */
  readonly wakeFd: number;
  /** Memory of the counter slots. */
  readonly counters: SharedArrayBuffer;
  /** Counters of reports in flight and dropped ({@link REPORTS}). */
  readonly reports: SharedArrayBuffer;
  /** The worker computes checksums with WebAssembly SIMD, where the engine supports it. */
  readonly simd: boolean;
}

/** The worker serves calls from now on. */
export interface ReadyReport {
  readonly type: "ready";
}

/** The worker received a control message. */
export interface ControlReport {
  readonly type: "control";
  /** The endpoint that received it. */
  readonly endpoint: ObjectId;
  /** The message from its flags word on. */
  readonly bytes: Uint8Array;
  /** The sender's socket address, a `struct sockaddr_in` or `sockaddr_in6`. */
  readonly name: Uint8Array;
}

/** The worker received a PPP control frame. */
export interface PppReport {
  readonly type: "ppp";
  readonly id: ObjectId;
  /** Protocol field (2 bytes) and payload. */
  readonly frame: Uint8Array<ArrayBuffer>;
}

/** The device of a PPP attachment was deleted, and the worker no longer touches its descriptor. */
export interface PppLostReport {
  readonly type: "pppLost";
  readonly id: ObjectId;
}

/** Trace events of one iteration of the worker's loop, in order. */
export interface TraceReport {
  readonly type: "trace";
  readonly events: readonly TraceEvent[];
}

/** A message from the worker to the main thread. */
export type Report = ReadyReport | ControlReport | PppReport | PppLostReport | TraceReport;

/** Indexes into the shared counters of reports: those in flight, and those dropped. */
export const REPORTS = {
  /** Control messages that the main thread has not processed yet. */
  controlInFlight: 0,
  /** Control messages dropped because too many were in flight. */
  controlLost: 1,
  /** Trace reports that the main thread has not processed yet. */
  traceInFlight: 2,
  /** Trace events dropped because too many were in flight. */
  traceLost: 3,
  /** Memory ({@link pppReportBytes}) of PPP control frames that the main thread has not processed yet, in bytes. */
  pppInFlight: 4,
} as const;

/** Number of counters in {@link REPORTS}. */
export const REPORTS_LENGTH = 5;

/** Memory of a posted message apart from its frame, in bytes: an estimate on the high side. */
const MESSAGE_BYTES = 512;

/** Memory that a PPP control frame of `frameBytes` occupies while in flight, in bytes. */
export function pppReportBytes(frameBytes: number): number {
  return MESSAGE_BYTES + frameBytes;
}
