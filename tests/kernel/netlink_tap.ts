/**
 * Listens to all netlink traffic of a namespace through an nlmon interface: the same neutral witness for `ip` and
 * for the program under test.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { interfaceIndex } from "../../ffi/sockets/resolve.ts";
import { MSG_DONTWAIT, MSG_TRUNC, SOCK_RAW, Socket, SOL_SOCKET } from "../../ffi/sockets/socket.ts";
import { decodeMessages, type NetlinkMessage } from "../../src/wire/netlink/message.ts";
import { NETLINK_GENERIC, NLM_F_REQUEST } from "../../src/wire/netlink/constants.ts";
import type { Namespace } from "../support/namespaces.ts";

const AF_PACKET = 17;
const ETH_P_ALL = 0x0300; // in network order
const SO_RCVBUFFORCE = 33;
const INTERFACE = "nlmon0";

/** An open ear. */
export class NetlinkTap implements Disposable {
  readonly #socket: Socket;
  readonly #buffer = new Uint8Array(new ArrayBuffer(64 * 1024));

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Makes the interface in the namespace and listens to it. */
  static async open(namespace: Namespace): Promise<NetlinkTap> {
    await namespace.ip(`link add ${INTERFACE} type nlmon`);
    await namespace.ip(`link set ${INTERFACE} up`);
    return inNamespace(namespace.name, () => {
      const socket = Socket.open(AF_PACKET, SOCK_RAW, ETH_P_ALL);
      socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, 8 * 1024 * 1024);
      // struct sockaddr_ll: family, protocol, ifindex, hatype, pkttype, halen, address
      const address = new Uint8Array(20);
      const view = new DataView(address.buffer);
      view.setUint16(0, AF_PACKET, HOST_IS_LITTLE_ENDIAN);
      view.setUint16(2, ETH_P_ALL, HOST_IS_LITTLE_ENDIAN);
      view.setInt32(4, interfaceIndex(INTERFACE)!, HOST_IS_LITTLE_ENDIAN);
      socket.bind(address);
      return new NetlinkTap(socket);
    });
  }

  /** The generic-netlink messages sent to the kernel since the last call, their memory their own. */
  takeRequests(): NetlinkMessage[] {
    const requests: NetlinkMessage[] = [];
    for (;;) {
      let length: number;
      try {
        length = this.#socket.receive(this.#buffer, MSG_DONTWAIT | MSG_TRUNC);
      } catch (error) {
        if (error instanceof SyscallError && error.code === "EAGAIN") return requests;
        throw error;
      }
      const from = this.#socket.sender;
      const protocol = (from[2]! << 8) | from[3]!;
      if (protocol !== NETLINK_GENERIC) continue;
      // The device shows both directions alike; only what goes to the kernel asks for something.
      const messages = decodeMessages(this.#buffer.slice(0, length));
      requests.push(...messages.filter((message) => (message.flags & NLM_F_REQUEST) !== 0));
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
