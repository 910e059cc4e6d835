/**
 * Sockets. Calls are synchronous: on a blocking socket, `receive` blocks the calling thread. Use `MSG_DONTWAIT` or a
 * receive timeout if the other side may stay silent.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { checked } from "../errno.ts";
import { OwnedFd } from "../fd.ts";
import { IOVEC, MSGHDR } from "../layout.ts";
import { libc } from "../libc.ts";

/** Datagrams; socket types are in `bits/socket_type.h`. */
export const SOCK_DGRAM = 2;
/** Raw packets. */
export const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
/** Level of the options below. */
export const SOL_SOCKET = 1;
/** Send without checksums (UDP over IPv4). */
export const SO_NO_CHECK = 11;
/** Size of the receive buffer; needs no privilege up to the kernel's limit. */
export const SO_RCVBUF = 8;
/** Time limit of a blocking receive. */
export const SO_RCVTIMEO = 20;
/** Size of the receive buffer beyond the kernel's limit; needs CAP_NET_ADMIN. */
export const SO_RCVBUFFORCE = 33;
/** Leave the datagram in the queue. */
export const MSG_PEEK = 0x02;
/** Return the datagram's full length even if the buffer is shorter. */
export const MSG_TRUNC = 0x20;
/** Fail with EAGAIN instead of blocking. */
export const MSG_DONTWAIT = 0x40;

/** Large enough for any socket address. */
const NAME_SIZE = 128;

/** Memory outside V8's heap. Its address stays the same for as long as the array lives. */
function pinned(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(size));
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}

/** A `struct msghdr` with one buffer and room for a socket address. */
class MessageHeader {
  readonly name = pinned(NAME_SIZE);
  readonly pointer: Deno.PointerObject;
  readonly #header = pinned(MSGHDR.size);
  readonly #iovec = pinned(IOVEC.size);
  readonly #headerView = new DataView(this.#header.buffer);
  readonly #iovecView = new DataView(this.#iovec.buffer);
  #buffer: Uint8Array<ArrayBuffer> | undefined;

  constructor() {
    const { msg_name, msg_iov, msg_iovlen } = MSGHDR.fields;
    this.#headerView.setBigUint64(msg_name.offset, addressOf(this.name), HOST_IS_LITTLE_ENDIAN);
    this.#headerView.setBigUint64(msg_iov.offset, addressOf(this.#iovec), HOST_IS_LITTLE_ENDIAN);
    this.#headerView.setBigUint64(msg_iovlen.offset, 1n, HOST_IS_LITTLE_ENDIAN);
    this.pointer = Deno.UnsafePointer.of(this.#header)!;
  }

  /** Sets the buffer, which this object keeps alive. */
  set(buffer: Uint8Array<ArrayBuffer>, nameLength: number): void {
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#iovecView.setBigUint64(IOVEC.fields.iov_base.offset, addressOf(buffer), HOST_IS_LITTLE_ENDIAN);
      this.#iovecView.setBigUint64(IOVEC.fields.iov_len.offset, BigInt(buffer.length), HOST_IS_LITTLE_ENDIAN);
    }
    this.#headerView.setUint32(MSGHDR.fields.msg_namelen.offset, nameLength, HOST_IS_LITTLE_ENDIAN);
  }

  get nameLength(): number {
    return this.#headerView.getUint32(MSGHDR.fields.msg_namelen.offset, HOST_IS_LITTLE_ENDIAN);
  }
}

/** A socket of any family. */
export class Socket extends OwnedFd {
  #out: MessageHeader | undefined;
  #in: MessageHeader | undefined;

  /**
   * Opens a socket, with close-on-exec unless `inheritable`.
   *
   * @throws {SyscallError}
   */
  static open(family: number, type: number, protocol: number, options?: { inheritable?: boolean }): Socket {
    const flags = options?.inheritable === true ? 0 : SOCK_CLOEXEC;
    const call = `socket(${family}, ${type}, ${protocol})`;
    return new Socket(checked(call, libc.socket(family, type | flags, protocol)));
  }

  /**
   * Binds to an address made by one of the encoders in `sockaddr.ts`.
   *
   * @throws {SyscallError}
   */
  bind(address: Uint8Array<ArrayBuffer>): void {
    checked("bind", libc.bind(this.number, address, address.length));
  }

  /**
   * Connects to an address made by one of the encoders in `sockaddr.ts`.
   *
   * @throws {SyscallError}
   */
  connect(address: Uint8Array<ArrayBuffer>): void {
    checked("connect", libc.connect(this.number, address, address.length));
  }

  /**
   * The local address, encoded.
   *
   * @throws {SyscallError}
   */
  localName(): Uint8Array<ArrayBuffer> {
    return this.#name("getsockname", (name, length) => libc.getsockname(this.number, name, length));
  }

  /**
   * The peer's address, encoded.
   *
   * @throws {SyscallError}
   */
  peerName(): Uint8Array<ArrayBuffer> {
    return this.#name("getpeername", (name, length) => libc.getpeername(this.number, name, length));
  }

  #name(
    call: string,
    ask: (name: Uint8Array<ArrayBuffer>, length: Uint8Array<ArrayBuffer>) => number,
  ): Uint8Array<ArrayBuffer> {
    const name = new Uint8Array(NAME_SIZE);
    const length = new Uint32Array([NAME_SIZE]);
    checked(call, ask(name, new Uint8Array(length.buffer)));
    return name.slice(0, length[0]);
  }

  /**
   * Sets an option: an `int`, or the bytes of a struct.
   *
   * @throws {SyscallError}
   */
  setOption(level: number, name: number, value: number | Uint8Array<ArrayBuffer>): void {
    const bytes = typeof value === "number" ? new Uint8Array(new Int32Array([value]).buffer) : value;
    checked(`setsockopt(${level}, ${name})`, libc.setsockopt(this.number, level, name, bytes, bytes.length));
  }

  /**
   * Reads an option whose value is an `int`.
   *
   * @throws {SyscallError}
   */
  option(level: number, name: number): number {
    const value = new Int32Array(1);
    const length = new Uint32Array([4]);
    const call = `getsockopt(${level}, ${name})`;
    checked(
      call,
      libc.getsockopt(
        this.number,
        level,
        name,
        new Uint8Array(value.buffer),
        new Uint8Array(length.buffer),
      ),
    );
    return value[0]!;
  }

  /**
   * Sends one datagram to the address, or without one to the connected peer.
   *
   * @throws {SyscallError}
   */
  send(bytes: Uint8Array<ArrayBuffer>, to?: Uint8Array): number {
    const message = this.#out ??= new MessageHeader();
    if (to !== undefined) message.name.set(to);
    message.set(bytes, to?.length ?? 0);
    return checked("sendmsg", Number(libc.sendmsg(this.number, message.pointer, 0)));
  }

  /**
   * Sends one datagram on another thread. Until the promise resolves, the bytes must not change, and this socket must
   * not send. Resolves to whether the datagram was sent; the errno of the other thread is not accessible.
   */
  async sendInBackground(bytes: Uint8Array<ArrayBuffer>, to?: Uint8Array): Promise<boolean> {
    const message = this.#out ??= new MessageHeader();
    if (to !== undefined) message.name.set(to);
    message.set(bytes, to?.length ?? 0);
    return await libc.sendmsg_background(this.number, message.pointer, 0) >= 0;
  }

  /**
   * Receives one datagram into the buffer and returns its length. With `MSG_TRUNC`, that may exceed the buffer's
   * length.
   *
   * @throws {SyscallError}
   */
  receive(into: Uint8Array<ArrayBuffer>, flags: number): number {
    const message = this.#in ??= new MessageHeader();
    message.set(into, NAME_SIZE);
    return checked("recvmsg", Number(libc.recvmsg(this.number, message.pointer, flags)));
  }

  /** Address of the sender of the datagram received last. Borrowed: valid until the next receive. */
  get sender(): Uint8Array<ArrayBuffer> {
    return this.#in === undefined ? new Uint8Array(0) : this.#in.name.subarray(0, this.#in.nameLength);
  }
}
