/**
 * Local sockets with message boundaries (`AF_UNIX`, `SOCK_SEQPACKET`; `unix(7)`). Messages can carry descriptors, and
 * each side can read the other's credentials.
 *
 * An errno other than EAGAIN counts only if it occurs twice: in one of many thousand failures, the runtime changes
 * the errno before it is read, and a wrong value must not end a connection.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { cmsgLength, cmsgSpace, findCmsg, writeCmsg } from "./control_messages.ts";
import { checked, lastErrno } from "../errno.ts";
import { OwnedFd } from "../fd.ts";
import { CMSGHDR, IOVEC, MSGHDR, UCRED } from "../layout.ts";
import { Address, pinned, wordOf } from "../memory.ts";
import { daemonLibc, localLibc } from "../packet_libc.ts";
import { AF_UNIX, encodeUnix } from "./sockaddr.ts";
import { MSG_DONTWAIT, MSG_TRUNC, SO_RCVTIMEO, Socket, SOL_SOCKET } from "./socket.ts";

/** Sockets that preserve order and message boundaries (`bits/socket_type.h`). */
export const SOCK_SEQPACKET = 5;
/** Socket type flag: calls fail with EAGAIN instead of blocking. */
export const SOCK_NONBLOCK = 0o4000;
/** Socket type flag: child processes do not inherit the socket. */
export const SOCK_CLOEXEC = 0o2000000;

const SO_PEERCRED = 17;
const SO_SNDTIMEO = 21;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x08;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

/** Maximum number of descriptors in one message (`SCM_MAX_FD`). */
export const MAX_FDS = 253;

const HEADER = MSGHDR.fields;

/** A received message. */
export interface UnixMessage {
  /** Bytes of the message in the buffer; 0 if the other side has closed the connection. */
  readonly length: number;
  /** Descriptors in the message, with close-on-exec; the receiver owns them. */
  readonly fds: OwnedFd[];
  /** The message was longer than the buffer; the rest is lost. */
  readonly truncated: boolean;
  /** The message carried more descriptors than allowed. Then all of them are closed, and `fds` is empty. */
  readonly fdsRefused: boolean;
}

/** Options for receiving. */
export interface UnixReceiveOptions {
  /** Maximum number of descriptors to accept; none unless given. */
  readonly maxFds?: number;
  /** Do not block, even on a blocking connection. */
  readonly dontWait?: boolean;
}

/** Credentials of the other side at its `connect` or `listen`, in the ids of this process's own namespaces. */
export interface PeerCredentials {
  /** Process id; 0 if the process is not visible from here. */
  readonly pid: number;
  /** Effective user id. */
  readonly uid: number;
  /** Effective group id. */
  readonly gid: number;
}

/** A connection of a local socket. */
export class UnixConnection extends OwnedFd {
  readonly #header = pinned(MSGHDR.size);
  readonly #headerWords = new Uint32Array(this.#header.buffer);
  readonly #headerPointer = Deno.UnsafePointer.of(this.#header)!;
  readonly #iovec = pinned(IOVEC.size);
  readonly #iovecWords = new Uint32Array(this.#iovec.buffer);

  /** Takes over the descriptor of a connected socket. */
  constructor(fd: number) {
    super(fd);
    new Address(this.#iovec).store(this.#headerWords, wordOf(HEADER.msg_iov), 0);
    this.#headerWords[wordOf(HEADER.msg_iovlen)] = 1;
  }

  /**
   * Connects to the listener at the path. All calls on this connection block, `connect` included, but no longer than
   * the timeout, if one is given.
   *
   * @throws {SyscallError} ENOENT without a socket file, ECONNREFUSED if no process listens, EACCES, EAGAIN after the
   * timeout
   * @throws {RangeError} if the path is empty, contains a NUL or is longer than 107 bytes
   */
  static connect(path: string, options: { timeoutMs?: number } = {}): UnixConnection {
    const address = encodeUnix(path);
    using socket = Socket.open(AF_UNIX, SOCK_SEQPACKET, 0);
    if (options.timeoutMs !== undefined) {
      const timeval = timevalOf(options.timeoutMs);
      socket.setOption(SOL_SOCKET, SO_RCVTIMEO, timeval);
      socket.setOption(SOL_SOCKET, SO_SNDTIMEO, timeval);
    }
    try {
      socket.connect(address);
    } catch (error) {
      throw error instanceof SyscallError ? new SyscallError(`connect("${path}")`, error.errno) : error;
    }
    return new UnixConnection(socket.release());
  }

  /**
   * Creates the two non-blocking ends of a connection.
   *
   * @throws {SyscallError}
   */
  static pair(): [UnixConnection, UnixConnection] {
    const fds = new Int32Array(2);
    const type = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;
    checked("socketpair", daemonLibc().socketpair(AF_UNIX, type, 0, new Uint8Array(fds.buffer)));
    return [new UnixConnection(fds[0]!), new UnixConnection(fds[1]!)];
  }

  /**
   * Sends the bytes as one message, with copies of the descriptors; the caller keeps ownership of its own. Returns
   * false, and sends nothing, if the send buffer is full.
   *
   * @throws {SyscallError} EPIPE and ECONNRESET if the other side closed, EMSGSIZE if the message is too long for the
   * send buffer, EBADF, ETOOMANYREFS if too many descriptors are in flight
   * @throws {RangeError} if there are no bytes, which would look like the end of the connection, or more than 253
   * descriptors
   */
  send(bytes: Uint8Array<ArrayBuffer>, fds: readonly number[] = []): boolean {
    if (bytes.length === 0) throw new RangeError("Cannot send an empty message");
    if (fds.length > MAX_FDS) {
      throw new RangeError(`Cannot send ${fds.length} descriptors: at most ${MAX_FDS}`);
    }
    const size = 4 * fds.length;
    const control = pinned(fds.length === 0 ? 0 : cmsgSpace(size));
    if (fds.length > 0) {
      const words = new Uint32Array(control.buffer);
      const data = writeCmsg(words, 0, SOL_SOCKET, SCM_RIGHTS, size);
      words.set(fds, data >>> 2);
    }
    this.#prepare(bytes, control, control.length);
    for (let before = 0;;) {
      if (localLibc().sendmsg(this.number, this.#headerPointer, MSG_NOSIGNAL) >= 0) return true;
      const errno = lastErrno();
      if (errno === Errno.EAGAIN) return false;
      if (errno !== Errno.EINTR && errno === before) throw new SyscallError("sendmsg", errno);
      before = errno;
    }
  }

  /**
   * Receives one message into the buffer. Returns `undefined` if there is none now or, on a blocking connection, none
   * before the timeout.
   *
   * @throws {SyscallError}
   * @throws {RangeError} if the buffer is empty
   */
  receive(buffer: Uint8Array<ArrayBuffer>, options: UnixReceiveOptions = {}): UnixMessage | undefined {
    const { maxFds = 0, dontWait = false } = options;
    if (buffer.length === 0) throw new RangeError("Cannot receive into an empty buffer");
    const flags = MSG_CMSG_CLOEXEC | (dontWait ? MSG_DONTWAIT : 0);
    // Exactly the requested length: in padding, the kernel would place another descriptor.
    const control = pinned(maxFds === 0 ? 0 : cmsgSpace(4 * maxFds));
    for (let before = 0;;) {
      this.#prepare(buffer, control, maxFds === 0 ? 0 : cmsgLength(4 * maxFds));
      const length = localLibc().recvmsg(this.number, this.#headerPointer, flags);
      if (length >= 0) return this.#message(length, control);
      const errno = lastErrno();
      if (errno === Errno.EAGAIN) return undefined;
      // ECONNRESET: the other side closed before it had read everything. The error is reported once, before the data
      // it sent.
      const passes = errno === Errno.EINTR || errno === ECONNRESET;
      if (!passes && errno === before) throw new SyscallError("recvmsg", errno);
      before = errno;
    }
  }

  #message(length: number, control: Uint8Array<ArrayBuffer>): UnixMessage {
    const flags = this.#headerWords[wordOf(HEADER.msg_flags)]!;
    const fds = receivedFds(control, this.#headerWords[wordOf(HEADER.msg_controllen)]!);
    const fdsRefused = (flags & MSG_CTRUNC) !== 0;
    if (fdsRefused) {
      for (const fd of fds) fd.close();
      fds.length = 0;
    }
    return { length, fds, truncated: (flags & MSG_TRUNC) !== 0, fdsRefused };
  }

  #prepare(bytes: Uint8Array<ArrayBuffer>, control: Uint8Array<ArrayBuffer>, controlLength: number): void {
    new Address(bytes).store(this.#iovecWords, wordOf(IOVEC.fields.iov_base), 0);
    this.#iovecWords[wordOf(IOVEC.fields.iov_len)] = bytes.length;
    new Address(control).store(this.#headerWords, wordOf(HEADER.msg_control), 0);
    this.#headerWords[wordOf(HEADER.msg_controllen)] = controlLength;
  }

  /**
   * Reads the credentials of the other side.
   *
   * @throws {SyscallError}
   */
  peerCredentials(): PeerCredentials {
    const value = new Uint8Array(UCRED.size);
    const length = new Uint8Array(new Uint32Array([UCRED.size]).buffer);
    checked(
      "getsockopt(SO_PEERCRED)",
      daemonLibc().getsockopt(this.number, SOL_SOCKET, SO_PEERCRED, value, length),
    );
    const view = new DataView(value.buffer);
    const { pid, uid, gid } = UCRED.fields;
    return {
      pid: view.getInt32(pid.offset, HOST_IS_LITTLE_ENDIAN),
      uid: view.getUint32(uid.offset, HOST_IS_LITTLE_ENDIAN),
      gid: view.getUint32(gid.offset, HOST_IS_LITTLE_ENDIAN),
    };
  }
}

const ECONNRESET = 104;

/** The descriptors in a control message. */
function receivedFds(control: Uint8Array<ArrayBuffer>, length: number): OwnedFd[] {
  const words = new Uint32Array(control.buffer);
  const data = findCmsg(words, 0, length, SOL_SOCKET, SCM_RIGHTS, 0);
  if (data < 0) return [];
  const end = data - CMSGHDR.size + words[(data - CMSGHDR.size + CMSGHDR.fields.cmsg_len.offset) >>> 2]!;
  return Array.from(words.subarray(data >>> 2, end >>> 2), (fd) => new OwnedFd(fd));
}

/** Encodes a `struct timeval`. */
function timevalOf(milliseconds: number): Uint8Array<ArrayBuffer> {
  const microseconds = BigInt(Math.round(milliseconds * 1000));
  return new Uint8Array(new BigInt64Array([microseconds / 1_000_000n, microseconds % 1_000_000n]).buffer);
}
