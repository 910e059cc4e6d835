/**
 * The daemon's own requests, beside the "l2tp" family: who is there, and what to watch.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { DecodeError, NetlinkError, SyscallError } from "../../base/errors.ts";
import { PROGRAM_VERSION } from "../../model/version.ts";
import { dumpDatagrams } from "../../subsystem/dump.ts";
import type { Subsystem } from "../../subsystem/subsystem.ts";
import { decodePppRequest } from "../../wire/l2tpd/ppp.ts";
import { encodeL2tpdText, L2TPD_CMD, L2TPD_FAMILY_ID, L2TPD_TEXT_MAX } from "../../wire/l2tpd/family.ts";
import { encodeAcknowledgement } from "../../wire/netlink/answer.ts";
import { NLM_F_ACK, NLM_F_REQUEST } from "../../wire/netlink/constants.ts";
import { type Acknowledgement, encodeMessage, type NetlinkMessage } from "../../wire/netlink/message.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import type { PppSessions } from "../ppp/sessions.ts";

/** What comes of such a request. */
export interface DaemonFamily {
  /** Datagrams for the client. */
  readonly replies: readonly Uint8Array[];
  /** Further datagrams, made as they are asked for. */
  readonly dump: Iterator<Uint8Array, void, void> | undefined;
}

/** What the requests are about. */
export interface DaemonFamilyParts {
  /** The namespaces that clients work in. */
  readonly namespaces: NetworkNamespaces;
  /** The tables. */
  readonly subsystem: Subsystem;
  /** Dropped packets, one JSON text for each thing that dropped any. */
  readonly drops: (netns: string) => Iterable<string>;
  /** What the system does for each session, one JSON text a session. */
  readonly offloads: (netns: string) => Iterable<string>;
  /** Tunnels of the configuration file that are not as it says, one JSON text each. */
  readonly declared: (netns: string) => Iterable<string>;
  /** The PPP sessions. */
  readonly ppp: PppSessions;
}

/** Version of what clients and daemon say to each other: in the reply to HELLO. */
const API_VERSION = "1";

const SUCCESS = { errno: 0, extack: undefined, attributeOffset: undefined };

/** Answers a request of the daemon's own family; before HELLO, any request. */
export function daemonFamilyAnswer(
  message: NetlinkMessage,
  client: ClientConnection,
  parts: DaemonFamilyParts,
): DaemonFamily {
  const header = { type: L2TPD_FAMILY_ID, sequence: message.sequence, portId: client.portId };
  const end = (errno: number): Uint8Array =>
    encodeAcknowledgement(message, client.portId, { ...SUCCESS, errno });
  const done = (...replies: Uint8Array[]): DaemonFamily => ({
    replies: (message.flags & NLM_F_ACK) === 0 ? replies : [...replies, end(0)],
    dump: undefined,
  });
  const refused = (errno: number): DaemonFamily => ({ replies: [end(errno)], dump: undefined });
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
    case L2TPD_CMD.DEBUGFS:
      return dump(command, pieces(parts.subsystem.debugfs(netns)));
    case L2TPD_CMD.DROPS:
      return dump(command, parts.drops(netns));
    case L2TPD_CMD.OFFLOADS:
      return dump(command, parts.offloads(netns));
    case L2TPD_CMD.DECLARED:
      return dump(command, parts.declared(netns));
    case L2TPD_CMD.PPP:
    case L2TPD_CMD.PPP_SECRETS:
    case L2TPD_CMD.PPP_END: {
      const refusal = changePpp(command, message.payload, client, parts.ppp);
      return refusal === undefined
        ? done()
        : { replies: [encodeAcknowledgement(message, client.portId, refusal)], dump: undefined };
    }
    case L2TPD_CMD.PPP_STATUS:
      return dump(command, pieces(jsonLines(parts.ppp.statuses(netns))));
    case L2TPD_CMD.ABOUT:
      return dump(command, [JSON.stringify({ version: PROGRAM_VERSION })]);
    default:
      return refused(Errno.EOPNOTSUPP);
  }

  function dump(command: number, texts: Iterable<string>): DaemonFamily {
    return { replies: [], dump: dumpDatagrams(header, payloads(command, texts)) };
  }
}

/** Takes a client in; returns an errno. */
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

/** Runs PPP on a session, gives it other secrets, or ends it; returns why not. */
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
    // What is not the daemon's own takes more than the group's right to use the daemon.
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

/** A line for each, in ASCII. */
function* jsonLines(values: Iterable<object>): Generator<string> {
  for (const value of values) {
    const json = JSON.stringify(value);
    // deno-lint-ignore no-control-regex
    yield json.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`) +
      "\n";
  }
}

function* payloads(command: number, texts: Iterable<string>): Generator<Uint8Array> {
  for (const text of texts) yield encodeL2tpdText(command, text);
}

/** The text in pieces that a message has room for. It is ASCII. */
function* pieces(parts: Iterable<string>): Generator<string> {
  let text = "";
  for (const part of parts) {
    text += part;
    for (; text.length >= L2TPD_TEXT_MAX; text = text.slice(L2TPD_TEXT_MAX)) {
      yield text.slice(0, L2TPD_TEXT_MAX);
    }
  }
  if (text !== "") yield text;
}
