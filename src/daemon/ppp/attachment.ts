/**
 * How PPP takes hold of an L2TP session, whoever has it.
 *
 * @module
 */

import type { LinkClient } from "../../client/link_client.ts";
import type { PppPath, PppPathUser } from "../../driver/ppp/path.ts";
import type { Pppol2tpSocket } from "../../driver/ppp/pppol2tp_socket.ts";

/** Which session PPP takes hold of, and how. */
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
  /** Who is told what happens on it. */
  readonly user: PppPathUser;
}

/** A session that PPP has hold of. */
export interface AttachedPpp {
  /** Its path. */
  readonly path: PppPath;
  /** The longest packet that reaches the peer's host whole, in bytes. */
  readonly mtu: number;
}

/** Takes hold of a session; throws `SyscallError` ENODEV without such a session. */
export type PppAttach = (request: PppAttachment) => AttachedPpp;

/** Which session of the kernel is to be held, and who is told that it has gone. */
export interface PppHoldRequest extends Pick<PppAttachment, "netns" | "tunnelId" | "sessionId"> {
  /** Called once, when it has gone. */
  readonly lost: () => void;
}

/** A session of the kernel that is held: it is deleted when it is let go of, and every copy of its socket is closed. */
export interface HeldSession extends Disposable {
  /** Its socket, which stays its own. */
  readonly socket: Pppol2tpSocket;
  /** The longest packet that reaches the peer's host whole, in bytes. */
  readonly mtu: number;
}
