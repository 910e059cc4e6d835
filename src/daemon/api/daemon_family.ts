/**
 * Requests of the "l2tpd" family, the daemon's own beside the "l2tp" family: introducing a client, subscriptions, dumps
 * and PPP.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { DecodeError, NetlinkError, SyscallError } from "../../base/errors.ts";
import type { PendingTunnel } from "../../model/pending_tunnel.ts";
import type { DropCounts } from "../../model/drop_counts.ts";
import type { SessionOffloads } from "../../model/session_offloads.ts";
import { PROGRAM_VERSION } from "../../model/version.ts";
import { dumpDatagrams } from "../../subsystem/dump.ts";
import type { Subsystem } from "../../subsystem/subsystem.ts";
import { encodeAbout } from "../../wire/l2tpd/about.ts";
import { encodeDeclared } from "../../wire/l2tpd/declared.ts";
import { encodeDrops } from "../../wire/l2tpd/drops.ts";
import { L2TPD_FAMILY_ID } from "../../wire/l2tpd/constants.ts";
import { encodeL2tpdText, L2TPD_CMD, textPieces } from "../../wire/l2tpd/family.ts";
import { encodeOffloads } from "../../wire/l2tpd/offloads.ts";
import { decodePppRequest, encodePppStatuses } from "../../wire/l2tpd/ppp.ts";
import { encodeAcknowledgement } from "../../wire/netlink/answer.ts";
import { NLM_F_ACK, NLM_F_REQUEST } from "../../wire/netlink/constants.ts";
import { type Acknowledgement, encodeMessage, type NetlinkMessage } from "../../wire/netlink/message.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import type { PppSessions } from "../ppp/sessions.ts";

/** The answer to such a request. */
export interface DaemonFamilyAnswer {
  /** Datagrams for the client. */
  readonly replies: readonly Uint8Array[];
  /** Further datagrams, made when they are iterated. */
  readonly dump: Iterator<Uint8Array, void, void> | undefined;
}

/** Dependencies of the requests. All is borrowed. */
export interface DaemonFamilyParts {
  /** The namespaces that clients work in. */
  readonly namespaces: NetworkNamespaces;
  /** The tables. */
  readonly subsystem: Subsystem;
  /** Dropped packets of each session and socket of the namespace that dropped any. */
  readonly drops: (netns: string) => Iterable<DropCounts>;
  /** The offloads that work for each session of the namespace. */
  readonly offloads: (netns: string) => Iterable<SessionOffloads>;
  /** Tunnels of the configuration file that are not there as it says; none but in the namespace of the file. */
  readonly pendingTunnels: (netns: string) => Iterable<PendingTunnel>;
  /** The PPP sessions. */
  readonly ppp: PppSessions;
}

/** TEXT of each message of a dump about a network namespace. */
type Dump = (parts: DaemonFamilyParts, netns: string) => Iterable<string>;

/** Dumps by command. */
const DUMPS = new Map<number, Dump>([
  [L2TPD_CMD.ABOUT, () => [encodeAbout({ version: PROGRAM_VERSION })]],
  [L2TPD_CMD.DEBUGFS, ({ subsystem }, netns) => textPieces(subsystem.debugfs(netns))],
  [L2TPD_CMD.DROPS, ({ drops }, netns) => rows(drops(netns), encodeDrops)],
  [L2TPD_CMD.OFFLOADS, ({ offloads }, netns) => rows(offloads(netns), encodeOffloads)],
  [L2TPD_CMD.DECLARED, ({ pendingTunnels }, netns) => rows(pendingTunnels(netns), encodeDeclared)],
  [L2TPD_CMD.PPP_STATUS, ({ ppp }, netns) => encodePppStatuses(ppp.statuses(netns))],
]);

function* rows<T>(values: Iterable<T>, encode: (value: T) => string): Generator<string> {
  for (const value of values) yield encode(value);
}

/** Version of the API, in the reply to HELLO. */
const API_VERSION = "1";

const SUCCESS = { errno: 0, extack: undefined, attributeOffset: undefined };

/** Answers a request of the daemon's own family; before HELLO, any request. */
export function daemonFamilyAnswer(
  message: NetlinkMessage,
  client: ClientConnection,
  parts: DaemonFamilyParts,
): DaemonFamilyAnswer {
  const header = { type: L2TPD_FAMILY_ID, sequence: message.sequence, portId: client.portId };
  const end = (errno: number): Uint8Array =>
    encodeAcknowledgement(message, client.portId, { ...SUCCESS, errno });
  const done = (...replies: Uint8Array[]): DaemonFamilyAnswer => ({
    replies: (message.flags & NLM_F_ACK) === 0 ? replies : [...replies, end(0)],
    dump: undefined,
  });
  const refused = (errno: number): DaemonFamilyAnswer => ({ replies: [end(errno)], dump: undefined });
  if ((message.flags & NLM_F_REQUEST) === 0) return { replies: [], dump: undefined };
  const command = message.type === L2TPD_FAMILY_ID ? message.payload[0] : undefined;
  if (command === L2TPD_CMD.HELLO) {
    const errno = hello(client, parts);
    if (errno !== 0) return refused(errno);
    const payload = encodeL2tpdText(L2TPD_CMD.HELLO, API_VERSION);
    return done(encodeMessage({ ...header, flags: 0, payload }));
  }
  const { netns } = client;
  if (netns === undefined) return refused(Errno.ENOTCONN);
  switch (command) {
    case L2TPD_CMD.LISTEN:
      client.listening = true;
      return done();
    case L2TPD_CMD.TRACE:
      client.tracing = true;
      return done();
    case L2TPD_CMD.CONTROL:
      client.controlling = true;
      return done();
    case L2TPD_CMD.PPP:
    case L2TPD_CMD.PPP_SECRETS:
    case L2TPD_CMD.PPP_END: {
      const refusal = changePpp(command, message.payload, client, parts.ppp);
      return refusal === undefined
        ? done()
        : { replies: [encodeAcknowledgement(message, client.portId, refusal)], dump: undefined };
    }
  }
  const dump = command === undefined ? undefined : DUMPS.get(command);
  if (command === undefined || dump === undefined) return refused(Errno.EOPNOTSUPP);
  return { replies: [], dump: dumpDatagrams(header, payloads(command, dump(parts, netns))) };
}

/** Introduces a client with the descriptor of its network namespace. Returns an errno, 0 for success. */
function hello(client: ClientConnection, { namespaces }: DaemonFamilyParts): number {
  if (client.netns !== undefined) return Errno.EBUSY;
  const fd = client.fds.take();
  if (fd === undefined) return Errno.EINVAL;
  try {
    client.netns = namespaces.hold(fd);
    return 0;
  } catch (error) {
    if (error instanceof SyscallError) return Errno.EINVAL;
    throw error;
  }
}

/** Runs PPP on a session, replaces its secrets, or ends it. Returns the refusal, if it is refused. */
function changePpp(
  command: number,
  payload: Uint8Array,
  client: ClientConnection,
  ppp: PppSessions,
): Acknowledgement | undefined {
  const refusal = (errno: number, extack?: string): Acknowledgement => ({ ...SUCCESS, errno, extack });
  try {
    const request = decodePppRequest(payload);
    const { dataplane, settings: { ipv4 } } = request;
    // Members of the group may use the daemon's subsystem, but not change the kernel's sessions and routes.
    const isForRoot = dataplane === "kernel" || (ipv4 && ipv4.defaultRoute === true);
    if (isForRoot && client.socket.peerCredentials().uid !== 0) return refusal(Errno.EPERM);
    if (command === L2TPD_CMD.PPP) ppp.run(client.netns!, request);
    else if (command === L2TPD_CMD.PPP_SECRETS) ppp.renewSecrets(client.netns!, request);
    else ppp.end(client.netns!, request);
    return undefined;
  } catch (error) {
    if (error instanceof NetlinkError) return refusal(error.errno, error.extack);
    if (error instanceof SyscallError) return refusal(error.errno);
    if (error instanceof DecodeError || error instanceof RangeError) {
      return refusal(Errno.EINVAL, error.message);
    }
    throw error;
  }
}

function* payloads(command: number, texts: Iterable<string>): Generator<Uint8Array> {
  for (const text of texts) yield encodeL2tpdText(command, text);
}
