/**
 * PPPoL2TP sockets, which connect a PPP session of the kernel to the PPP driver. If tunnel and session were created
 * by netlink, {@link Pppol2tpSocket.openSession} attaches to the session. On kernels without L2TP's netlink interface
 * (it comes with L2TPv3), {@link Pppol2tpSocket.openTunnel} first creates the tunnel on a UDP socket, and
 * `openSession` creates the session.
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

/** Identifies the tunnel of a PPPoL2TP socket. */
export interface Pppol2tpTunnel {
  /** Local tunnel id. */
  readonly tunnelId: number;
  /** The peer's tunnel id. */
  readonly peerTunnelId: number;
  /** Protocol version; 3 unless given. */
  readonly version?: number | undefined;
  /** The peer's address as text; the kernel uses only its family. */
  readonly peer?: string | undefined;
  /** The peer's UDP port, which the kernel ignores. */
  readonly peerPort?: number | undefined;
}

/** Identifies the session of a PPPoL2TP socket, with the attributes to change. */
export interface Pppol2tpSession extends SessionChanges {
  /** Local session id. */
  readonly sessionId: number;
  /** The peer's session id. */
  readonly peerSessionId: number;
}

/**
 * A connected PPPoL2TP socket. Closing it deletes its session; a tunnel lives as long as its UDP socket. Frames that
 * arrive before the socket has a PPP channel never reach the channel, so open one at once.
 */
export class Pppol2tpSocket implements Disposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Creates the tunnel of a connected UDP socket, or attaches to the existing tunnel. The result is a management
   * socket, which has the tunnel's counters and no session. In the calling thread's network namespace.
   *
   * @throws {SyscallError} EBADF, ENOTSOCK, EINVAL if `udp` cannot carry a tunnel, EBUSY if it carries one, EINVAL
   * for tunnel id 0; from `socket`: EAFNOSUPPORT, EPROTONOSUPPORT without the kernel's module
   * @throws {RangeError} if an id of version 2 has more than 16 bits
   */
  static openTunnel(tunnel: Pppol2tpTunnel, udp: OwnedFd): Pppol2tpSocket {
    return Pppol2tpSocket.#open(tunnel, { sessionId: 0, peerSessionId: 0 }, udp.number);
  }

  /**
   * Attaches to the PPP session of the tunnel, or creates it, and changes the given attributes. In the calling
   * thread's network namespace.
   *
   * @throws {SyscallError} ENOENT if there is no such tunnel, EEXIST if the session has a socket, EPROTOTYPE if the
   * session does not carry PPP, EINVAL for tunnel id 0; from `socket`: EAFNOSUPPORT, EPROTONOSUPPORT without the
   * kernel's module
   * @throws {RangeError} if a session id is 0, or an id of version 2 has more than 16 bits
   */
  static openSession(tunnel: Pppol2tpTunnel, session: Pppol2tpSession): Pppol2tpSocket {
    // With session id 0, the kernel would open a management socket.
    if (session.sessionId === 0 || session.peerSessionId === 0) {
      throw new RangeError("Cannot open PPP session: session ids must not be 0");
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

  /** The socket's descriptor, which this object owns. */
  get fd(): OwnedFd {
    return this.#socket;
  }

  /**
   * Changes attributes of the session; omitted members keep their values.
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
   * Reads the changeable attributes of the session. The peer may have turned `sendSeq` on or off, and the kernel
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
   * The session's counters. On a management socket: the tunnel's, or those of the tunnel's PPP session with this id.
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

  /** Closes the socket, which deletes the session. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

function flag(value: boolean | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
