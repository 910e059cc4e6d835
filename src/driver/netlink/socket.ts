/**
 * Netlink sockets of the running kernel.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { SOCKADDR_NL } from "../../../ffi/layout.ts";
import { AF_NETLINK, encodeNetlink } from "../../../ffi/sockets/sockaddr.ts";
import { MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC, SOCK_RAW, Socket } from "../../../ffi/sockets/socket.ts";
import type { NetlinkTransport } from "./ports.ts";

const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;

/** The kernel sends dumps in datagrams of up to 32 KiB to readers with a buffer of that size. */
const FIRST_BUFFER_SIZE = 32 * 1024;

const KERNEL = encodeNetlink(0);

/** A socket for requests. */
export class NetlinkSocket implements NetlinkTransport {
  readonly #socket: Socket;
  readonly #reader: DatagramReader;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#reader = new DatagramReader(socket);
  }

  /**
   * Opens a socket of the netlink protocol in the calling thread's network namespace.
   *
   * @throws {SyscallError}
   */
  static open(protocol: number): NetlinkSocket {
    using stack = new DisposableStack();
    const socket = stack.use(Socket.open(AF_NETLINK, SOCK_RAW, protocol));
    socket.setOption(SOL_NETLINK, NETLINK_CAP_ACK, 1);
    socket.setOption(SOL_NETLINK, NETLINK_EXT_ACK, 1);
    const transport = new NetlinkSocket(socket);
    stack.move();
    return transport;
  }

  /**
   * Port id of the socket, which replies carry. The kernel assigns it when the first datagram is sent; 0 until then.
   */
  get portId(): number {
    return portIdOf(this.#socket.localName());
  }

  send(datagram: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(datagram, KERNEL);
  }

  async sendInBackground(datagram: Uint8Array<ArrayBuffer>): Promise<void> {
    const sent = await this.#socket.sendInBackground(datagram, KERNEL);
    // The other thread reports failure without an errno. No datagram was delivered, so this repeats the call to get
    // the error.
    if (!sent) this.#socket.send(datagram, KERNEL);
  }

  receive(): Uint8Array {
    return this.#reader.read(0)!;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Reads whole datagrams from the kernel, into a buffer that grows with the longest. */
export class DatagramReader {
  readonly #socket: Socket;
  #buffer = new Uint8Array(new ArrayBuffer(FIRST_BUFFER_SIZE));

  /** The caller keeps ownership of the socket. */
  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Reads the next datagram. Returns `undefined` if there is none and `flags` contains `MSG_DONTWAIT`. Borrowed:
   * valid until the next call.
   *
   * @throws {SyscallError} ENOBUFS if notifications were lost
   */
  read(flags: number): Uint8Array | undefined {
    for (;;) {
      try {
        const length = this.#socket.receive(this.#buffer, flags | MSG_PEEK | MSG_TRUNC);
        if (length > this.#buffer.length) {
          this.#buffer = new Uint8Array(new ArrayBuffer(2 ** Math.ceil(Math.log2(length))));
        }
        const taken = this.#socket.receive(this.#buffer, flags);
        // Any process may send to this socket's port id; only port 0 is the kernel.
        if (portIdOf(this.#socket.sender) === 0) return this.#buffer.subarray(0, taken);
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
        if (error.errno === Errno.EINTR) continue;
        if (error.errno === Errno.EAGAIN && (flags & MSG_DONTWAIT) !== 0) return undefined;
        throw error;
      }
    }
  }
}

function portIdOf(name: Uint8Array): number {
  const view = new DataView(name.buffer, name.byteOffset, name.byteLength);
  return view.getUint32(SOCKADDR_NL.fields.nl_pid.offset, HOST_IS_LITTLE_ENDIAN);
}
