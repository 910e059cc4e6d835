/**
 * The daemon as its own client: requests that go to its subsystem without a socket.
 *
 * @module
 */

import type { EventHub } from "../../base/event_hub.ts";
import { daemonL2tpClient } from "../../client/daemon/client.ts";
import type { L2tpClient } from "../../client/l2tp_client.ts";
import type { NetlinkTransport } from "../../driver/netlink/ports.ts";
import type { Subsystem } from "../../subsystem/subsystem.ts";
import { decodeMessages, type NetlinkMessage } from "../../wire/netlink/message.ts";
import { duplicateFd } from "../../../ffi/fd.ts";
import type { DaemonEvents } from "../events.ts";
import type { Commit } from "../journal/commit.ts";

/** Port id of the daemon itself. The server gives its clients greater ones. */
const OWN_PORT_ID = 1;

/** Dependencies of in-process requests. All is borrowed. */
export interface InProcessApi {
  /** The tables and rules. */
  readonly subsystem: Subsystem;
  /** Makes the effects of requests last. */
  readonly commit: Commit;
  /** Gets the notifications and traces of requests, for other clients. */
  readonly events: EventHub<DaemonEvents>;
}

/** Carries requests about one namespace to the subsystem. They are answered when `send` returns. */
class InProcessTransport implements NetlinkTransport {
  readonly #api: InProcessApi;
  readonly #netns: string;
  #answers: Uint8Array[] = [];

  constructor(api: InProcessApi, netns: string) {
    this.#api = api;
    this.#netns = netns;
  }

  /**
   * Duplicates the descriptors.
   *
   * @throws {JournalError} if a request was done and cannot be written to disk
   */
  send(datagram: Uint8Array<ArrayBuffer>, fds: readonly number[] = []): void {
    for (const message of decodeMessages(datagram)) this.#request(message, [...fds]);
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

  #request(message: NetlinkMessage, fds: number[]): void {
    const { subsystem, commit, events } = this.#api;
    const netns = this.#netns;
    const answer = subsystem.request(message, {
      netns,
      portId: OWN_PORT_ID,
      privileged: true,
      takeFd: () => {
        const fd = fds.shift();
        return fd === undefined ? undefined : duplicateFd(fd).release();
      },
    });
    commit(answer);
    events.emit("notifications", { netns, messages: answer.notifications });
    for (const event of answer.traces) events.emit("trace", event);
    this.#answers.push(...answer.replies);
    const { dump } = answer;
    for (let next = dump?.next(); next?.done === false; next = dump?.next()) this.#answers.push(next.value);
  }
}

/** A client of the subsystem in this process, for the namespace with the key, which the caller holds. */
export function openInProcessClient(api: InProcessApi, netns: string): L2tpClient {
  return daemonL2tpClient(new InProcessTransport(api, netns));
}
