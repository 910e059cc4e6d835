/**
 * Options of the data plane and of the endpoints, tunnels and sessions added to it.
 *
 * @module
 */

import type { DataSessionParameters } from "../../model/session.ts";
import type { EndpointKind, PeerAddress } from "../../dataplane/mod.ts";
import type { TraceEvent } from "../../subsystem/trace.ts";
import type { InetAddress } from "../../../ffi/sockets/sockaddr.ts";
import type { DeviceFacts } from "./commands.ts";
import type { EndpointHandle } from "./handles.ts";
import type { DataPlaneClosed } from "./sync_call.ts";
import type { PppEvents } from "./ppp_handle.ts";

/** A control message that an endpoint received. */
export interface ControlMessage {
  readonly endpoint: EndpointHandle;
  /**
   * The message from its flags word on, without the four zero bytes that precede it over IP. The callee owns the
   * buffer.
   */
  readonly bytes: Uint8Array;
  /** The sender's address; its port is 0 over IP. */
  readonly source: Required<InetAddress>;
}

/** Options of {@link DataPlane.start}. */
export interface DataPlaneOptions {
  /** Module that the worker runs; default `worker/main.ts`. */
  readonly workerUrl?: URL | undefined;
  /** Maximum number of endpoints, tunnels and sessions together; default 131072. */
  readonly slots?: number | undefined;
  /** The worker computes checksums with WebAssembly SIMD, where the engine supports it; default true. */
  readonly simd?: boolean | undefined;
  /** Time limit for the worker's start and for each answer, in milliseconds; default 10 seconds. */
  readonly timeoutMs?: number | undefined;
  /** Receives control messages. Without it they are dropped; if it is slow, some are dropped and counted by `lost`. */
  readonly onControl?: ((message: ControlMessage) => void) | undefined;
  /** Receives trace events while they are on. If it is slow, some are dropped and counted by `lost`. */
  readonly onTrace?: ((event: TraceEvent) => void) | undefined;
  /** Called once if the worker ends with an uncaught exception. Operations then throw {@link DataPlaneClosed}. */
  readonly onCrash?: ((error: DataPlaneClosed) => void) | undefined;
}

/** Options of an endpoint. */
export interface EndpointOptions {
  /** A socket, blocking or not. The caller owns it, and closes it only after the endpoint's removal. */
  readonly fd: number;
  readonly kind: EndpointKind;
  /** UDP: send similar datagrams as one super-datagram (`UDP_SEGMENT`); default false. */
  readonly gso?: boolean | undefined;
  /** UDP: the socket omits checksums, and must send them with super-datagrams only; default false. */
  readonly noChecksumTx?: boolean | undefined;
  /** UDP: the socket returns coalesced datagrams (`setUdpGro`); default false. */
  readonly gro?: boolean | undefined;
}

/** Options of a tunnel. */
export interface TunnelOptions {
  /**
   * Key of the network namespace, within which session ids are unique. All tunnels of an endpoint have the same key.
   */
  readonly netnsKey: string;
  readonly tunnelId: number;
  readonly peerTunnelId: number;
  /** Protocol version. Version 2 requires UDP. */
  readonly version: 2 | 3;
  /** The socket that carries the tunnel. */
  readonly endpoint: EndpointHandle;
  /**
   * The address that the tunnel sends to and accepts packets from. Without an address (or, over UDP, without a port),
   * the tunnel can send only through a connected endpoint. Without an address, it accepts packets from any source.
   */
  readonly peer?: PeerAddress | undefined;
  /** The socket is connected, so that packets are sent without an address; default false. */
  readonly connected?: boolean | undefined;
}

/** Options of a session. Flags default to false, the reorder timeout to 0. */
export interface SessionOptions extends DataSessionParameters {
  /**
   * A non-blocking TAP device, for an Ethernet session. Without it, received frames are dropped. The caller owns it,
   * and closes it only after the session's removal.
   */
  readonly tapFd?: number | undefined;
  /** What the device supports. By default its frames have no `struct virtio_net_hdr`, and nothing is coalesced. */
  readonly tap?: DeviceFacts | undefined;
}

/** Options of a PPP attachment. */
export interface PppPathOptions extends PppEvents {
  /**
   * A non-blocking TUN device. The caller owns it, and closes it only after PPP was detached or the session removed.
   */
  readonly tunFd: number;
  readonly device: DeviceFacts;
  /** The worker clamps the MSS option of TCP handshakes to the negotiated MTU. */
  readonly clampMss: boolean;
}

/** Numbers of the worker's reports that were dropped because too many were in flight. */
export interface LostReports {
  readonly control: number;
  readonly trace: number;
}
