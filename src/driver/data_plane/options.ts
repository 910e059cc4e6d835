/**
 * What the data path in its worker is started with, and what its endpoints, tunnels and sessions are added with.
 *
 * @module
 */

import type { L2Spec, Pseudowire, SessionChanges } from "../../model/session.ts";
import type { EndpointKind, PeerAddress } from "../../dataplane/mod.ts";
import type { TraceEvent } from "../../subsystem/trace.ts";
import type { InetAddress } from "../../../ffi/sockets/sockaddr.ts";
import type { DeviceFacts } from "./commands.ts";
import type { EndpointHandle } from "./handles.ts";
import type { DataPlaneClosed } from "./sync_call.ts";
import type { PppEvents } from "./ppp_handle.ts";

/** A control message that came in by an endpoint. */
export interface ControlMessage {
  /** The endpoint. */
  readonly endpoint: EndpointHandle;
  /** The message from its flags word on (over IP, without the four zero bytes before it); the receiver's own. */
  readonly bytes: Uint8Array;
  /** Who sent it; the port is 0 over IP. */
  readonly source: Required<InetAddress>;
}

/** What a {@link DataPlane} is started with. */
export interface DataPlaneOptions {
  /** The module that the worker runs: `data_worker.ts` beside this one unless given. */
  readonly workerUrl?: URL | undefined;
  /** Most endpoints, tunnels and sessions together; 131072 unless given. */
  readonly slots?: number | undefined;
  /** Whether checksums are computed by WebAssembly, if the engine can; true unless given. */
  readonly simd?: boolean | undefined;
  /** How long the worker may take to start and to answer, in milliseconds; 10 seconds unless given. */
  readonly timeoutMs?: number | undefined;
  /** Takes control messages; they are dropped without it. When it is slow, messages are lost: see `lost`. */
  readonly onControl?: ((message: ControlMessage) => void) | undefined;
  /** Takes trace events while they are turned on. When it is slow, events are lost: see `lost`. */
  readonly onTrace?: ((event: TraceEvent) => void) | undefined;
  /** Told once if the worker ends with an uncaught exception. Operations throw {@link DataPlaneClosed} from then on. */
  readonly onCrash?: ((error: DataPlaneClosed) => void) | undefined;
}

/** What an endpoint is added with. */
export interface EndpointOptions {
  /** A socket, blocking or not. The caller's, to be closed after the endpoint's removal only. */
  readonly fd: number;
  /** What kind of socket it is. */
  readonly kind: EndpointKind;
  /** UDP: send many datagrams as one message where they are alike. Default false. */
  readonly gso?: boolean | undefined;
  /** UDP: the socket sends no checksums, and is to send them only with such messages. Default false. */
  readonly noChecksumTx?: boolean | undefined;
  /** UDP: the socket gives many datagrams as one message (`setUdpGro`). Default false. */
  readonly gro?: boolean | undefined;
}

/** What a tunnel is added with. */
export interface TunnelOptions {
  /** Names its network namespace: session ids are unique within one. All tunnels of an endpoint have the same. */
  readonly netnsKey: string;
  /** Our id. */
  readonly tunnelId: number;
  /** The peer's id. */
  readonly peerTunnelId: number;
  /** Protocol version. Version 2 needs UDP. */
  readonly version: 2 | 3;
  /** The socket it runs over. */
  readonly endpoint: EndpointHandle;
  /**
   * Whom it sends to, and accepts packets from. Without it (or without port, over UDP) nothing can be sent unless the
   * endpoint is connected, and without it packets from anybody are accepted.
   */
  readonly peer?: PeerAddress | undefined;
  /** Send without an address, as the socket is connected. Default false. */
  readonly connected?: boolean | undefined;
}

/** What a session is added with; flags and the timeout are off unless given. */
export interface SessionOptions extends SessionChanges {
  /** Our id. */
  readonly sessionId: number;
  /** The peer's id. */
  readonly peerSessionId: number;
  /** What it carries. */
  readonly pseudowire: Pseudowire;
  /** Version 3: the sublayer; the default one unless given. */
  readonly l2spec?: L2Spec | undefined;
  /** Version 3: put into our packets, up to 8 bytes. */
  readonly cookie?: Uint8Array | undefined;
  /** Version 3: required in received packets, up to 8 bytes. */
  readonly peerCookie?: Uint8Array | undefined;
  /**
   * A non-blocking TAP device, for an Ethernet session; received frames are dropped without it. The caller's, to be
   * closed after the session's removal only.
   */
  readonly tapFd?: number | undefined;
  /** What the device can do; by default it has no header of the driver's, and nothing is joined. */
  readonly tap?: DeviceFacts | undefined;
}

/** What PPP is attached to a session with. */
export interface PppPathOptions extends PppEvents {
  /** A non-blocking TUN device. The caller's, to be closed after the removal of PPP or session only. */
  readonly tunFd: number;
  /** What the device can do. */
  readonly device: DeviceFacts;
  /** Whether TCP is told of segments that fit the packets agreed on. */
  readonly clampMss: boolean;
}

/** Reports of the worker that had to be left out because too many were under way. */
export interface LostReports {
  /** Control messages. */
  readonly control: number;
  /** Trace events. */
  readonly trace: number;
}
