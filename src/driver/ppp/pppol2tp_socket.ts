/**
 * PPPoL2TP sockets: what a PPP session of the kernel hangs on. There are two ways to one. Where netlink made tunnel and
 * session, {@link Pppol2tpSocket.openSession} attaches to the session. Where a kernel has no netlink interface for L2TP
 * (it comes with L2TPv3), {@link Pppol2tpSocket.openTunnel} first makes the tunnel of a UDP socket, and connecting
 * makes the session, too.
 *
 * @module
 */

import { parseIpAddress } from "../../base/ip_address.ts";
import type { Counters } from "../../model/counters.ts";
import type { SessionChanges } from "../../model/session.ts";
import type { OwnedFd } from "../../../ffi/fd.ts";
import { PPPOL2TP_SO, pppol2tpStats, SOL_PPPOL2TP } from "../../../ffi/sockets/pppol2tp.ts";
import { AF_PPPOX, encodePppol2tp, PX_PROTO_OL2TP } from "../../../ffi/sockets/sockaddr.ts";
import { SOCK_DGRAM, Socket } from "../../../ffi/sockets/socket.ts";

/** A tunnel, as far as its PPPoL2TP sockets are concerned. */
export interface Pppol2tpTunnel {
  /** Our id. */
  readonly tunnelId: number;
  /** The peer's id. */
  readonly peerTunnelId: number;
  /** Protocol version; 3 unless given. */
  readonly version?: number | undefined;
  /** The peer's address, in text, of which only the family counts. */
  readonly peer?: string | undefined;
  /** The peer's UDP port, which nobody looks at. */
  readonly peerPort?: number | undefined;
}

/** A session, as far as its PPPoL2TP socket is concerned, and what is to be changed on it. */
export interface Pppol2tpSession extends SessionChanges {
  /** Our id. */
  readonly sessionId: number;
  /** The peer's id. */
  readonly peerSessionId: number;
}

/**
 * A connected PPPoL2TP socket. When it is closed, its session is deleted; a tunnel stays for as long as its UDP socket
 * is open. Frames that arrive before the socket has a channel never reach the channel, so let it have one at once.
 */
export class Pppol2tpSocket implements Disposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Makes the tunnel of a connected UDP socket, or attaches to the tunnel if there is one: a management socket, which
   * has the tunnel's counters and no session. In the calling thread's network namespace.
   *
   * @throws {SyscallError} EBADF, ENOTSOCK, EINVAL if `udp` is none that can carry a tunnel, EBUSY if it carries one,
   * EINVAL for tunnel id 0; from `socket`: EAFNOSUPPORT, EPROTONOSUPPORT without the kernel's module
   * @throws {RangeError} if an id of version 2 has more than 16 bits
   */
  static openTunnel(tunnel: Pppol2tpTunnel, udp: OwnedFd): Pppol2tpSocket {
    return Pppol2tpSocket.#open(tunnel, { sessionId: 0, peerSessionId: 0 }, udp.number);
  }

  /**
   * Attaches to the PPP session of the tunnel, or makes it, and changes what is given. In the calling thread's network
   * namespace.
   *
   * @throws {SyscallError} ENOENT if there is no such tunnel, EEXIST if the session has a socket, EPROTOTYPE if it is
   * none of PPP, EINVAL for tunnel id 0; from `socket`: EAFNOSUPPORT, EPROTONOSUPPORT without the kernel's module
   * @throws {RangeError} if a session id is 0, or an id of version 2 has more than 16 bits
   */
  static openSession(tunnel: Pppol2tpTunnel, session: Pppol2tpSession): Pppol2tpSocket {
    // The kernel would take it for a management socket.
    if (session.sessionId === 0 || session.peerSessionId === 0) {
      throw new RangeError("Cannot open PPP session: its ids must not be 0");
    }
    return Pppol2tpSocket.#open(tunnel, session, -1);
  }

  static #open(tunnel: Pppol2tpTunnel, session: Pppol2tpSession, fd: number): Pppol2tpSocket {
    const { tunnelId, peerTunnelId } = tunnel;
    const { sessionId, peerSessionId } = session;
    const version = tunnel.version === 2 ? 2 : 3;
    const longest = Math.max(tunnelId, peerTunnelId, sessionId, peerSessionId);
    if (version === 2 && longest > 0xffff) {
      throw new RangeError(`Cannot open PPP session: id ${longest} has more than the 16 bits of version 2`);
    }
    using stack = new DisposableStack();
    const socket = stack.use(Socket.open(AF_PPPOX, SOCK_DGRAM, PX_PROTO_OL2TP));
    const peer = {
      address: parseIpAddress(tunnel.peer ?? "") ?? new Uint8Array(4),
      port: tunnel.peerPort ?? 0,
    };
    const ids = { tunnelId, sessionId, peerTunnelId, peerSessionId };
    socket.connect(encodePppol2tp({ version, fd, peer, ...ids }));
    const opened = new Pppol2tpSocket(socket);
    opened.change(session);
    stack.move();
    return opened;
  }

  /** The descriptor, which stays this object's. */
  get fd(): OwnedFd {
    return this.#socket;
  }

  /**
   * Changes the session; members that are left out stay as they are.
   *
   * @throws {SyscallError} ENOPROTOOPT on a management socket
   */
  change(changes: SessionChanges): void {
    const set = (name: number, value: number | undefined): void => {
      if (value !== undefined) this.#socket.setOption(SOL_PPPOL2TP, name, value);
    };
    set(PPPOL2TP_SO.PPPOL2TP_SO_SENDSEQ, flag(changes.sendSeq));
    set(PPPOL2TP_SO.PPPOL2TP_SO_RECVSEQ, flag(changes.recvSeq));
    set(PPPOL2TP_SO.PPPOL2TP_SO_LNSMODE, flag(changes.lnsMode));
    set(PPPOL2TP_SO.PPPOL2TP_SO_REORDERTO, changes.reorderTimeoutMs);
  }

  /**
   * What can be changed on the session, as it is now: the peer may have turned `sendSeq` on or off, and the kernel
   * rounds the timeout up.
   *
   * @throws {SyscallError} ENOPROTOOPT on a management socket
   */
  settings(): Required<SessionChanges> {
    const get = (name: number): number => this.#socket.option(SOL_PPPOL2TP, name);
    return {
      sendSeq: get(PPPOL2TP_SO.PPPOL2TP_SO_SENDSEQ) !== 0,
      recvSeq: get(PPPOL2TP_SO.PPPOL2TP_SO_RECVSEQ) !== 0,
      lnsMode: get(PPPOL2TP_SO.PPPOL2TP_SO_LNSMODE) !== 0,
      reorderTimeoutMs: get(PPPOL2TP_SO.PPPOL2TP_SO_REORDERTO),
    };
  }

  /**
   * The session's counters; of a management socket the tunnel's, or those of the tunnel's PPP session with this id.
   *
   * @throws {SyscallError} EBADR if the tunnel has no such session
   */
  counters(sessionId = 0): Counters {
    const { tunnelId: _, sessionId: __, usingIpsec: ___, ...counters } = pppol2tpStats(
      this.#socket,
      sessionId,
    );
    return { ...counters, rxCookieDiscards: undefined, rxInvalid: undefined };
  }

  /** Closes the socket, and with it deletes the session. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

function flag(value: boolean | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
