/**
 * Listening local sockets.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { checked, lastErrno } from "../errno.ts";
import { cString, OwnedFd } from "../fd.ts";
import { GROUP } from "../layout.ts";
import { daemonLibc } from "../packet_libc.ts";
import { AF_UNIX, encodeUnix } from "./sockaddr.ts";
import { Socket } from "./socket.ts";
import { SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_SEQPACKET, UnixConnection } from "./unix.ts";

const O_RDWR = 0o2;
const O_CREAT = 0o100;
const O_CLOEXEC = 0o2000000;
const O_NOFOLLOW = Deno.build.arch === "aarch64" ? 0o100000 : 0o400000;
const LOCK_EX = 2;
const LOCK_NB = 4;
const ECONNABORTED = 103;
/** `(uid_t) -1`: keeps the owner. */
const KEEP_OWNER = 0xffff_ffff;
/** Maximum number of connections that wait to be accepted. */
const BACKLOG = 64;

/** Access to a listener. */
export interface UnixListenOptions {
  /** Permissions of the socket file; connecting requires write permission. Not subject to the umask. */
  readonly mode: number;
  /** Group of the file, by name or id; by default that of this process or of the folder, as for any file. */
  readonly group?: string | number | undefined;
}

/** A listening socket. Closing it removes its file. */
export class UnixListener extends OwnedFd {
  /** Path of the socket file. */
  readonly path: string;
  readonly #lock: OwnedFd;
  readonly #inode: number | null;

  private constructor(fd: number, path: string, lock: OwnedFd) {
    super(fd);
    this.path = path;
    this.#lock = lock;
    this.#inode = Deno.lstatSync(path).ino;
  }

  /**
   * Listens at the path. The socket file of a dead server is replaced. No client can connect before mode and group
   * are set. The file `PATH.lock` is locked for as long as the listener lives, and stays afterwards: without the
   * lock, two servers started at once could each mistake the other's socket for a dead one.
   *
   * @throws {SyscallError} EADDRINUSE if another process listens there, or the path is not a socket; ENOENT for a
   * group or folder that does not exist; EACCES, EPERM
   * @throws {RangeError} if the path is empty, contains a NUL or is longer than 107 bytes
   */
  static listen(path: string, options: UnixListenOptions): UnixListener {
    const address = encodeUnix(path);
    const { mode, group } = options;
    const gid = typeof group === "string" ? groupId(group) : group;
    using stack = new DisposableStack();
    const lock = stack.use(lockFor(path));
    const socket = stack.use(Socket.open(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0));
    bindOrReplace(socket, path, address);
    stack.defer(() => void daemonLibc().unlink(cString(path)));
    // Until `listen`, connecting fails, whatever the mode is.
    if (gid !== undefined) {
      checked(`chown("${path}", ${gid})`, daemonLibc().chown(cString(path), KEEP_OWNER, gid));
    }
    checked(`chmod("${path}")`, daemonLibc().chmod(cString(path), mode));
    checked(`listen("${path}")`, daemonLibc().listen(socket.number, BACKLOG));
    const listener = new UnixListener(socket.number, path, lock);
    socket.release();
    stack.move();
    return listener;
  }

  /**
   * Accepts the next connection, which is non-blocking; `undefined` if there is none now.
   *
   * @throws {SyscallError} EMFILE, ENFILE: the connection stays in the queue, so an immediate retry loops
   */
  accept(): UnixConnection | undefined {
    for (let before = 0;;) {
      const fd = daemonLibc().accept4(this.number, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) return new UnixConnection(fd);
      const errno = lastErrno();
      if (errno === Errno.EAGAIN || errno === Errno.EINTR || errno === ECONNABORTED) return undefined;
      // Counts only if it occurs twice, as in `unix.ts`.
      if (errno === before) throw new SyscallError("accept4", errno);
      before = errno;
    }
  }

  /** Stops listening, and removes the file unless another has replaced it. */
  override close(): void {
    if (this.closed) return;
    if (inodeOf(this.path) === this.#inode) daemonLibc().unlink(cString(this.path));
    super.close();
    this.#lock.close();
  }
}

/** Inode of the file itself, not of a link's target; `undefined` if it does not exist. */
function inodeOf(path: string): number | null | undefined {
  try {
    return Deno.lstatSync(path).ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Locks the file `PATH.lock`. */
function lockFor(path: string): OwnedFd {
  const name = `${path}.lock`;
  const flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  using lock = new OwnedFd(checked(`open("${name}")`, daemonLibc().open(cString(name), flags, 0o600)));
  if (daemonLibc().flock(lock.number, LOCK_EX | LOCK_NB) < 0) {
    const errno = lastErrno();
    if (errno === Errno.EAGAIN) throw new SyscallError(`bind("${path}")`, Errno.EADDRINUSE);
    throw new SyscallError(`flock("${name}")`, errno);
  }
  return new OwnedFd(lock.release());
}

function bindOrReplace(socket: Socket, path: string, address: Uint8Array<ArrayBuffer>): void {
  try {
    socket.bind(address);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.errno !== Errno.EADDRINUSE || !isDead(path, address)) {
      throw new SyscallError(`bind("${path}")`, error.errno);
    }
    checked(`unlink("${path}")`, daemonLibc().unlink(cString(path)));
    socket.bind(address);
  }
}

/** Returns true if the path is a socket on which no process listens. */
function isDead(path: string, address: Uint8Array<ArrayBuffer>): boolean {
  // Connecting to a file that is not a socket fails with the same error.
  if (!Deno.lstatSync(path).isSocket) return false;
  using probe = Socket.open(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
  try {
    probe.connect(address);
    return false;
  } catch (error) {
    return error instanceof SyscallError && error.errno === Errno.ECONNREFUSED;
  }
}

/**
 * Id of the group with this name, as the C library resolves it (`/etc/group`, or as nsswitch.conf says).
 *
 * @throws {SyscallError} ENOENT if there is no such group
 */
export function groupId(name: string): number {
  const entry = daemonLibc().getgrnam(cString(name));
  if (entry === null) throw new SyscallError(`getgrnam("${name}")`, Errno.ENOENT);
  const { gr_gid } = GROUP.fields;
  const view = new DataView(new Deno.UnsafePointerView(entry).getArrayBuffer(GROUP.size).slice(0));
  return view.getUint32(gr_gid.offset, HOST_IS_LITTLE_ENDIAN);
}
