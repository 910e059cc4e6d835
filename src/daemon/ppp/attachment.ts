/**
 * Attaching PPP to an L2TP session, of the kernel's or the daemon's subsystem.
 *
 * @module
 */

import type { LinkClient } from "../../client/link_client.ts";
import type { PppPath, PppPathUser } from "../../driver/ppp/path.ts";
import type { Pppol2tpSocket } from "../../driver/ppp/pppol2tp_socket.ts";

/** A session to attach PPP to. */
export interface PppAttachment {
  /** Key of the network namespace. */
  readonly netns: string;
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** Our id of the session. */
  readonly sessionId: number;
  /** Name for the interface; `ppp` and the lowest free number unless given. */
  readonly interfaceName: string | undefined;
  /** Whether to lower the MSS of TCP connections to what fits. */
  readonly clampMss: boolean;
  /** Interfaces of the namespace. Borrowed for as long as the path lives. */
  readonly links: LinkClient;
  /** Receives control frames and events of the path. */
  readonly user: PppPathUser;
}

/** A session that PPP is attached to. */
export interface AttachedPpp {
  /** Its path. Owned by the caller. */
  readonly path: PppPath;
  /** Largest packet that fits the path MTU to the peer, in bytes. */
  readonly mtu: number;
}

/** Attaches PPP to a session; throws `SyscallError` ENODEV without such a session. */
export type PppAttach = (request: PppAttachment) => AttachedPpp;

/** A session of the kernel to hold. */
export interface PppHoldRequest extends Pick<PppAttachment, "netns" | "tunnelId" | "sessionId"> {
  /** Called once, when the session is gone. */
  readonly lost: () => void;
}

/** A session of the kernel held by its socket. The kernel deletes it when every copy of the socket is closed. */
export interface HeldSession extends Disposable {
  /** Its socket. Borrowed; closed by disposing of this. */
  readonly socket: Pppol2tpSocket;
  /** Largest packet that fits the path MTU to the peer, in bytes. */
  readonly mtu: number;
}
