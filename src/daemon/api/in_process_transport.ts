/**
 * The daemon as its own client: requests that go to its subsystem without a socket.
 *
 * @module
 */

import { resolveFamily } from "../../client/genl_family.ts";
import { UserL2tpClient } from "../../client/daemon/client.ts";
import { NetlinkConnection } from "../../driver/netlink/connection.ts";
import type { NetlinkTransport } from "../../driver/netlink/ports.ts";
import { L2TP_GENL_NAME } from "../../wire/genl/l2tp/constants.ts";
import { decodeMessages } from "../../wire/netlink/message.ts";
import type { Server } from "./server.ts";

/** Carries requests about one namespace to the server. They are answered when `send` returns. */
class OwnTransport implements NetlinkTransport {
  readonly #server: Server;
  readonly #netns: string;
  #answers: Uint8Array[] = [];

  constructor(server: Server, netns: string) {
    this.#server = server;
    this.#netns = netns;
  }

  send(datagram: Uint8Array<ArrayBuffer>, fds: readonly number[] = []): void {
    for (const message of decodeMessages(datagram)) {
      this.#answers.push(...this.#server.request(this.#netns, message, fds));
    }
  }

  /** @throws {ReferenceError} if nothing was asked */
  receive(): Uint8Array {
    const answer = this.#answers.shift();
    if (answer === undefined) throw new ReferenceError("Cannot receive: nothing was asked");
    return answer;
  }

  [Symbol.dispose](): void {
    this.#answers = [];
  }
}

/** A client of the server in this process, for the namespace with the key, which somebody else holds. */
export function openInProcessClient(server: Server, netns: string): UserL2tpClient {
  using stack = new DisposableStack();
  const connection = stack.use(new NetlinkConnection(new OwnTransport(server, netns)));
  const client = new UserL2tpClient(connection, resolveFamily(connection, L2TP_GENL_NAME));
  stack.move();
  return client;
}
