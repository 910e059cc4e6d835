/**
 * The server of the daemon's API on a Unix socket. Each datagram holds netlink messages of the "l2tp" and the "l2tpd"
 * family. Requests of all clients are processed one after another.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { DecodeError, SyscallError } from "../../base/errors.ts";
import type { EventHub } from "../../base/event_hub.ts";
import { EventFd } from "../../../ffi/process/eventfd.ts";
import { Epoll, EPOLLIN, EPOLLOUT } from "../../../ffi/process/epoll.ts";
import type { UnixConnection } from "../../../ffi/sockets/unix.ts";
import type { UnixListener } from "../../../ffi/sockets/unix_listener.ts";
import type { Answer, Consequences } from "../../subsystem/subsystem.ts";
import type { TraceEvent } from "../../subsystem/trace.ts";
import { L2TPD_FAMILY_ID } from "../../wire/l2tpd/constants.ts";
import {
  encodeL2tpdControl,
  encodeL2tpdText,
  L2TPD_CMD,
  L2TPD_CONTROL_MAX,
  type L2tpdControl,
} from "../../wire/l2tpd/family.ts";
import { encodeTrace } from "../../wire/l2tpd/trace.ts";
import { encodeAcknowledgement } from "../../wire/netlink/answer.ts";
import { NLM_F_DUMP } from "../../wire/netlink/constants.ts";
import { decodeMessages, encodeMessage, type NetlinkMessage } from "../../wire/netlink/message.ts";
import { ClientConnection } from "./client_connection.ts";
import { type DaemonFamilyAnswer, daemonFamilyAnswer, type DaemonFamilyParts } from "./daemon_family.ts";
import type { DaemonEvents } from "../events.ts";
import type { Commit } from "../journal/commit.ts";
import { JournalError } from "../journal/journal.ts";

/** Longest datagram of a client, as of a netlink socket in practice. */
const REQUEST_MAX = 64 * 1024;
/** Descriptors that may come with one datagram. */
const FDS_MAX = 8;
/** Most clients at a time. */
const CLIENTS_MAX = 256;
/** Time limit for a client's HELLO. */
const HELLO_TIMEOUT_MS = 10_000;

/** Most requests that are processed, and committed to disk, together. */
const GROUP_SIZE = 64;

/** Pause after accepting a client has failed. */
const ACCEPT_PAUSE_MS = 1000;

const LISTENER_TAG = 0;
const WAKE_TAG = 1;
const FIRST_CLIENT_TAG = 2;

/** Dependencies of the server. All is borrowed. */
export interface ServerParts extends DaemonFamilyParts {
  /** The listening socket. */
  readonly listener: UnixListener;
  /** Events of other parts of the daemon for clients: notifications, traces, control messages. */
  readonly events: EventHub<DaemonEvents>;
  /** Makes the effects of requests last. Called before anybody learns of them. */
  readonly commit: Commit;
  /** Turns trace events of the data plane on or off. */
  readonly setTrace: (on: boolean) => void;
  /** Called whenever a client is being served. */
  readonly noteActivity: () => void;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/** The server. */
export class Server {
  readonly #parts: ServerParts;
  readonly #epoll = Epoll.open(64);
  readonly #wake = EventFd.open();
  readonly #clients = new Map<number, ClientConnection>();
  readonly #buffer = new Uint8Array(new ArrayBuffer(REQUEST_MAX));
  #nextTag = FIRST_CLIENT_TAG;
  #stopping = false;

  /** Borrows the parts, whose events it listens to from now on. */
  constructor(parts: ServerParts) {
    this.#parts = parts;
    const { events } = parts;
    events.on("notifications", ({ netns, messages }) => this.#notify(netns, messages));
    events.on("trace", (event) => this.#trace(event));
    events.on("control", ({ netns, control }) => this.#control(netns, control));
  }

  /** Serves clients; resolves after {@link stop}. */
  async run(): Promise<void> {
    this.#epoll.add(this.#parts.listener.number, EPOLLIN, LISTENER_TAG);
    this.#epoll.add(this.#wake.number, EPOLLIN, WAKE_TAG);
    while (!this.#stopping) {
      const count = await this.#epoll.waitInBackground(-1);
      for (let i = 0; i < count && !this.#stopping; i++) this.#ready(this.#epoll.tag(i));
    }
    for (const tag of [...this.#clients.keys()]) this.#drop(tag);
    this.#epoll.close();
    this.#wake.close();
  }

  /** Ends {@link run}. */
  stop(): void {
    this.#stopping = true;
    this.#wake.signal();
  }

  /** Sends a trace event to the clients of its namespace that subscribed. */
  #trace(event: TraceEvent): void {
    const payload = encodeL2tpdText(L2TPD_CMD.TRACE, encodeTrace(event));
    for (const [tag, client] of this.#clients) {
      if (!client.tracing || (client.netns !== event.netns)) continue;
      client.notify(
        encodeMessage({ type: L2TPD_FAMILY_ID, flags: 0, sequence: 0, portId: client.portId, payload }),
      );
      this.#flush(tag, client);
    }
  }

  /** Sends a control message to the clients of the namespace that subscribed. */
  #control(netns: string, control: L2tpdControl): void {
    if (control.message.length > L2TPD_CONTROL_MAX) return;
    const payload = encodeL2tpdControl(control);
    for (const [tag, client] of this.#clients) {
      if (!client.controlling || client.netns !== netns) continue;
      client.notify(
        encodeMessage({ type: L2TPD_FAMILY_ID, flags: 0, sequence: 0, portId: client.portId, payload }),
      );
      this.#flush(tag, client);
    }
  }

  #ready(tag: number): void {
    if (tag === LISTENER_TAG) this.#accept();
    else if (tag === WAKE_TAG) this.#wake.reset();
    else {
      const client = this.#clients.get(tag);
      if (client !== undefined) this.#serve(tag, client);
    }
  }

  #accept(): void {
    let socket: UnixConnection | undefined;
    try {
      socket = this.#parts.listener.accept();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.#pauseAccepting(error.message);
      return;
    }
    if (socket === undefined) return;
    if (this.#clients.size >= CLIENTS_MAX) {
      this.#parts.log(`refused a client: ${CLIENTS_MAX} clients are connected`);
      socket.close();
      return;
    }
    const tag = this.#nextTag++;
    const client = new ClientConnection(socket, tag);
    try {
      this.#epoll.add(socket.number, EPOLLIN, tag);
    } catch (error) {
      client[Symbol.dispose]();
      if (!(error instanceof SyscallError)) throw error;
      this.#pauseAccepting(error.message);
      return;
    }
    this.#clients.set(tag, client);
    const timer = setTimeout(() => {
      if (client.netns === undefined && this.#clients.get(tag) === client) this.#drop(tag);
    }, HELLO_TIMEOUT_MS);
    Deno.unrefTimer(timer);
  }

  /** The connection stays in the backlog, so accepting again at once would spin. */
  #pauseAccepting(reason: string): void {
    this.#parts.log(`not accepting clients for 1 s: ${reason}`);
    const { listener } = this.#parts;
    this.#epoll.modify(listener.number, 0, LISTENER_TAG);
    const timer = setTimeout(() => {
      if (!this.#epoll.closed && !listener.closed) this.#epoll.modify(listener.number, EPOLLIN, LISTENER_TAG);
    }, ACCEPT_PAUSE_MS);
    Deno.unrefTimer(timer);
  }

  #serve(tag: number, client: ClientConnection): void {
    this.#parts.noteActivity();
    if (client.stalled || client.requests.length > 0) this.#flush(tag, client);
    else this.#receive(tag, client);
    // One group a turn, so that other clients are served in between.
    if (client.requests.length > 0 && !client.stalled) {
      this.#take(tag, client, client.requests.splice(0, GROUP_SIZE));
      this.#flush(tag, client);
    }
    if (client.requests.length === 0) client.fds.close();
  }

  /** Receives the next datagram of requests. */
  #receive(tag: number, client: ClientConnection): void {
    try {
      const received = client.socket.receive(this.#buffer, { maxFds: FDS_MAX });
      if (received === undefined) return;
      client.fds.add(received.fds);
      if (received.length === 0 || received.truncated || received.fdsRefused) return this.#drop(tag);
      const messages = decodeMessages(this.#buffer.slice(0, received.length));
      // Descriptors can be matched to a request only if the datagram holds exactly one.
      if (received.fds.length > 0 && messages.length !== 1) return this.#drop(tag);
      client.requests.push(...messages);
    } catch (error) {
      // Not netlink: drop the client.
      if (!(error instanceof SyscallError || error instanceof DecodeError)) throw error;
      this.#drop(tag);
    }
  }

  /** Processes requests. Replies and notifications are sent after all of them are committed to disk. */
  #take(tag: number, client: ClientConnection, messages: readonly NetlinkMessage[]): void {
    const answers: (Answer | DaemonFamilyAnswer)[] = [];
    const journalEntries: Consequences["journalEntries"][number][] = [];
    const traces: TraceEvent[] = [];
    const cleanupErrors: SyscallError[] = [];
    for (const message of messages) {
      const answer = this.#answer(client, message);
      answers.push(answer);
      if (answer.dump !== undefined) client.dumping = true;
      if (!("journalEntries" in answer)) continue;
      journalEntries.push(...answer.journalEntries);
      traces.push(...answer.traces);
      cleanupErrors.push(...answer.cleanupErrors);
    }
    try {
      this.#parts.commit({ journalEntries, traces, cleanupErrors });
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      // Nothing that is not on disk may be acknowledged.
      this.#parts.log(error.message);
      return this.#drop(tag);
    }
    for (const answer of answers) {
      for (const reply of answer.replies) client.send(reply);
      if (answer.dump !== undefined) client.send(answer.dump);
      if ("notifications" in answer) this.#notify(client.netns!, answer.notifications);
    }
    for (const event of traces) this.#trace(event);
  }

  #answer(client: ClientConnection, message: NetlinkMessage): Answer | DaemonFamilyAnswer {
    // As in the kernel, one dump a client at a time, which bounds its queue.
    if ((message.flags & NLM_F_DUMP) === NLM_F_DUMP && client.dumping) {
      const busy = { errno: Errno.EBUSY, extack: undefined, attributeOffset: undefined };
      return { replies: [encodeAcknowledgement(message, client.portId, busy)], dump: undefined };
    }
    if (message.type === L2TPD_FAMILY_ID || client.netns === undefined) {
      const answer = daemonFamilyAnswer(message, client, this.#parts);
      if (client.tracing) this.#parts.setTrace(true);
      return answer;
    }
    return this.#parts.subsystem.request(message, {
      netns: client.netns,
      portId: client.portId,
      // The mode of the socket admits privileged clients only.
      privileged: true,
      takeFd: () => client.fds.take()?.release(),
    });
  }

  #notify(netns: string, notifications: readonly Uint8Array[]): void {
    if (notifications.length === 0) return;
    for (const [tag, client] of this.#clients) {
      if (!client.listening || client.netns !== netns) continue;
      for (const notification of notifications) client.notify(notification);
      this.#flush(tag, client);
    }
  }

  #flush(tag: number, client: ClientConnection): void {
    // It may have been dropped while its requests were processed.
    if (this.#clients.get(tag) !== client) return;
    try {
      client.stalled = !client.flush();
      // While replies are queued no request is read, which bounds the queue. With requests left over, EPOLLOUT brings us
      // back at once.
      const events = client.stalled || client.requests.length > 0 ? EPOLLOUT : EPOLLIN;
      if (events === client.events) return;
      this.#epoll.modify(client.socket.number, events, tag);
      client.events = events;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.#drop(tag);
    }
  }

  #drop(tag: number): void {
    const client = this.#clients.get(tag);
    if (client === undefined) return;
    this.#clients.delete(tag);
    this.#epoll.remove(client.socket.number);
    client[Symbol.dispose]();
    if (client.netns !== undefined) this.#parts.namespaces.release(client.netns);
    if (client.tracing && ![...this.#clients.values()].some(({ tracing }) => tracing)) {
      this.#parts.setTrace(false);
    }
  }
}
