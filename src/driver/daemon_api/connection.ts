/**
 * Connections to `l2tp daemon`, the L2TP subsystem in userspace: netlink datagrams over a local socket.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { openFile } from "../../../ffi/fd.ts";
import { UnixConnection } from "../../../ffi/sockets/unix.ts";
import { L2TPD_FAMILY_ID } from "../../wire/l2tpd/constants.ts";
import { decodeL2tpdText, encodeL2tpdRequest, L2TPD_CMD } from "../../wire/l2tpd/family.ts";
import { DaemonError } from "./error.ts";
import { NetlinkConnection } from "../netlink/connection.ts";
import type { NetlinkTransport } from "../netlink/ports.ts";

/** Longest datagram that the daemon sends. */
const BUFFER_SIZE = 64 * 1024;

/** Default time limit for an answer. */
const ANSWER_LIMIT_MS = 30_000;

const ECONNRESET = 104;

/** Options of a connection. */
export interface DaemonSocketOptions {
  /** Time limit for an answer, in milliseconds. Default 30 seconds. */
  readonly timeoutMs?: number;
}

/** A connection for requests about the network namespace in which it was opened. */
export class DaemonSocket implements NetlinkTransport {
  /** Path of the daemon's socket. */
  readonly path: string;
  readonly #connection: UnixConnection;
  readonly #buffer = new Uint8Array(new ArrayBuffer(BUFFER_SIZE));
  #version = "";

  private constructor(path: string, connection: UnixConnection) {
    this.path = path;
    this.#connection = connection;
  }

  /**
   * Connects to the daemon whose socket has the path, and introduces the calling thread's network namespace to it.
   *
   * @throws {DaemonError}
   * @throws {NetlinkError} if the daemon refuses this namespace
   * @throws {SyscallError}
   */
  static connect(path: string, options: DaemonSocketOptions = {}): DaemonSocket {
    using stack = new DisposableStack();
    const timeoutMs = options.timeoutMs ?? ANSWER_LIMIT_MS;
    const socket = stack.use(new DaemonSocket(path, connectTo(path, timeoutMs)));
    using netns = openFile("/proc/thread-self/ns/net");
    new NetlinkConnection(socket).request(
      {
        operation: "L2TPD_CMD_HELLO",
        type: L2TPD_FAMILY_ID,
        payload: encodeL2tpdRequest(L2TPD_CMD.HELLO),
        fds: [netns.number],
      },
      ({ payload }) => socket.#version = decodeL2tpdText(payload),
    );
    stack.move();
    return socket;
  }

  /** Version of the daemon's API. */
  get version(): string {
    return this.#version;
  }

  /** Process id of the daemon. */
  get daemonPid(): number {
    return this.#connection.peerCredentials().pid;
  }

  /** Transfers ownership of the connection. This object must not be used any more. */
  release(): UnixConnection {
    return new UnixConnection(this.#connection.release());
  }

  send(datagram: Uint8Array<ArrayBuffer>, fds: readonly number[] = []): void {
    try {
      if (!this.#connection.send(datagram, fds)) throw new DaemonError("silent", this.path);
    } catch (error) {
      throw daemonErrorOf(error, this.path);
    }
  }

  receive(): Uint8Array {
    try {
      const datagram = readDatagram(this.#connection, this.#buffer, this.path, false);
      if (datagram === undefined) throw new DaemonError("silent", this.path);
      return datagram;
    } catch (error) {
      throw daemonErrorOf(error, this.path);
    }
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/**
 * Receives the next datagram into the buffer; `undefined` if there is none now (`dontWait`) or none came in time.
 *
 * @throws {DaemonError}
 */
export function readDatagram(
  connection: UnixConnection,
  buffer: Uint8Array<ArrayBuffer>,
  path: string,
  dontWait: boolean,
): Uint8Array | undefined {
  let message;
  try {
    message = connection.receive(buffer, { dontWait });
  } catch (error) {
    throw daemonErrorOf(error, path);
  }
  if (message === undefined) return undefined;
  if (message.length === 0) throw new DaemonError("ended", path);
  if (message.truncated) throw new DaemonError("garbled", path);
  return buffer.subarray(0, message.length);
}

function connectTo(path: string, timeoutMs: number): UnixConnection {
  try {
    return UnixConnection.connect(path, { timeoutMs });
  } catch (error) {
    if (error instanceof RangeError) throw new DaemonError("badPath", path);
    if (!(error instanceof SyscallError)) throw error;
    switch (error.errno) {
      case Errno.ENOENT:
      case Errno.ENOTDIR:
      case Errno.ECONNREFUSED:
        throw new DaemonError("absent", path);
      case Errno.EACCES:
      case Errno.EPERM:
        throw new DaemonError("forbidden", path);
      // The backlog is full: the daemon does not accept connections.
      case Errno.EAGAIN:
        throw new DaemonError("silent", path);
      default:
        throw error;
    }
  }
}

function daemonErrorOf(error: unknown, path: string): unknown {
  const gone = error instanceof SyscallError && (error.errno === Errno.EPIPE || error.errno === ECONNRESET);
  return gone ? new DaemonError("ended", path) : error;
}
