/**
 * The L2TP subsystem of the kernel as a machine: netlink requests go in; replies, notifications and what is to be
 * remembered come out. It follows `net/l2tp/` of Linux 6.12; `docs/userspace-subsystem.md` lists where it differs on
 * purpose. Effects on the system go through {@link Platform}.
 *
 * @module
 */

import { L2TP_PWTYPE } from "../model/pseudowire.ts";
import { Errno } from "../base/errno.ts";
import { SyscallError } from "../base/errors.ts";
import type { Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";
import { GENL_ID_CTRL } from "../wire/genl/ctrl.ts";
import { beginGenl, GENL_HDRLEN } from "../wire/genl/header.ts";
import { parseL2tpRequest } from "../wire/genl/l2tp/attributes.ts";
import { L2TP_CMD, L2TP_GENL_VERSION, L2TP_PWTYPE } from "../wire/genl/l2tp/constants.ts";
import {
  decodeSessionChanges,
  decodeSessionCreate,
  decodeSessionKey,
  encodeSession,
} from "../wire/genl/l2tp/session.ts";
import { decodeTunnelCreate, decodeTunnelKey, encodeTunnel } from "../wire/genl/l2tp/tunnel.ts";
import { encodeAcknowledgement } from "../wire/netlink/answer.ts";
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_HDRLEN } from "../wire/netlink/constants.ts";
import { type Acknowledgement, encodeMessage, type NetlinkMessage } from "../wire/netlink/message.ts";
import {
  LEFTOVER_EXTACK,
  POLICY_EXTACK,
  PolicyError,
  type RequestAttributes,
} from "../wire/netlink/policy.ts";
import type { Answer, Caller, Consequences, Restoration, SubsystemOptions } from "./api.ts";
import { controller, SUBSYSTEM_FAMILY_ID } from "./controller.ts";
import { debugfsText } from "./debugfs.ts";
import { debugTunnels } from "./debug_views.ts";
import { dumpDatagrams } from "./dump.ts";
import type { Platform, SessionPath } from "./ports.ts";
import type { SubsystemRecord } from "./records.ts";
import { Refusal } from "./refusal.ts";
import { restoreRecords } from "./restore.ts";
import { createSession, findSession, modifySession, pppMtuOf, removeSession } from "./session_rules.ts";
import { Tables } from "./tables.ts";
import { createTunnel, findTunnel, removeTunnel } from "./tunnel_rules.ts";
import { viewSession, viewTunnel } from "./views.ts";
import { RequestEffects, type Result, type SubsystemState } from "./work.ts";

export type { Answer, Caller, Consequences, Restoration, SubsystemOptions } from "./api.ts";
export { SUBSYSTEM_FAMILY_ID, SUBSYSTEM_GROUP_ID } from "./controller.ts";

/** Messages of lower types are the protocol's own and mean nothing as requests (NLMSG_MIN_TYPE). */
const NLMSG_MIN_TYPE = 0x10;

const COMMANDS: ReadonlySet<number> = new Set(Object.values(L2TP_CMD));
const DUMP_COMMANDS: ReadonlySet<number> = new Set([L2TP_CMD.TUNNEL_GET, L2TP_CMD.SESSION_GET]);

const NO_ERROR: Acknowledgement = { errno: 0, extack: undefined, attributeOffset: undefined };

/** The L2TP subsystem, for any number of network namespaces. */
export class Subsystem {
  readonly #state: SubsystemState;

  /** Starts without tunnels. */
  constructor(platform: Platform, options: SubsystemOptions = {}) {
    this.#state = {
      platform,
      tables: new Tables(),
      tunnelsMax: options.tunnelsMax ?? Infinity,
      sessionsMax: options.sessionsMax ?? Infinity,
      pseudowireTypes: new Set(options.pseudowireTypes ?? [L2TP_PWTYPE.ETH, L2TP_PWTYPE.PPP]),
    };
  }

  /** Tunnels of all namespaces. */
  get tunnelCount(): number {
    return this.#state.tables.tunnelCount;
  }

  /** Sessions of all namespaces. */
  get sessionCount(): number {
    return this.#state.tables.sessionCount;
  }

  /** Keys of the network namespaces that have tunnels. */
  get namespaces(): readonly string[] {
    return this.#state.tables.namespaces;
  }

  /** Records of all that is there, each tunnel before its sessions: what a journal could start anew with. */
  records(): Iterable<SubsystemRecord> {
    return this.#state.tables.records();
  }

  /**
   * Answers a request to the "l2tp" family or to the controller. Whatever the message holds, nothing is thrown but what
   * the platform throws beside `SyscallError`.
   */
  request(message: NetlinkMessage, caller: Caller): Answer {
    const header = { type: message.type, sequence: message.sequence, portId: caller.portId };
    const work = new RequestEffects(header);
    const replies: Uint8Array[] = [];
    const note = new RequestNote();
    let end = NO_ERROR;
    let dump: Iterator<Uint8Array, void, void> | undefined;
    try {
      const result = this.#dispatch(message, caller, work, note);
      if (result.reply !== undefined) replies.push(encodeMessage({ ...header, ...result.reply }));
      if (result.dump !== undefined) dump = dumpDatagrams(header, result.dump);
      end = { ...NO_ERROR, extack: note.extack };
    } catch (error) {
      end = refusal(error, note);
    }
    // The end of a dump is its acknowledgement.
    const wanted = (message.flags & NLM_F_ACK) !== 0 && dump === undefined;
    if (wanted || end.errno !== 0) replies.push(encodeAcknowledgement(message, caller.portId, end));
    return { replies, dump, ...consequences(work), notifications: work.notifications };
  }

  /** Makes tunnels and sessions again from records, in any order; devices that are still there are taken over. */
  restore(records: Iterable<SubsystemRecord>): Restoration {
    const work = new RequestEffects();
    return { leftOut: restoreRecords(this.#state, records, work), ...consequences(work) };
  }

  /** Takes away a tunnel whose socket its owner has closed, with its sessions. Nobody is notified, as by the kernel. */
  dropTunnel(netns: string, tunnelId: number): Consequences {
    const work = new RequestEffects();
    this.#drop(netns, tunnelId, work);
    return consequences(work);
  }

  /** Takes away all tunnels of a network namespace that is gone. Nobody is notified, as by the kernel. */
  dropNamespace(netns: string): Consequences {
    const work = new RequestEffects();
    for (const { record } of this.#state.tables.tunnelsOf(netns)) this.#drop(netns, record.tunnelId, work);
    return consequences(work);
  }

  #drop(netns: string, tunnelId: number, work: RequestEffects): void {
    const tunnel = this.#state.tables.tunnel(netns, tunnelId);
    if (tunnel === undefined) return;
    removeTunnel(this.#state, tunnel, work);
    work.journalEntries.push({ change: "deleteTunnel", netns, tunnelId });
  }

  /** The tunnels of a network namespace as they are when they are asked for; the tables may change meanwhile. */
  *tunnels(netns: string): Generator<Tunnel, void, void> {
    for (const tunnel of this.#state.tables.tunnelsOf(netns)) yield viewTunnel(tunnel);
  }

  /** The sessions of a network namespace as they are when they are asked for; the tables may change meanwhile. */
  *sessions(netns: string): Generator<Session, void, void> {
    for (const session of this.#state.tables.sessionsOf(netns)) {
      // With version 2 it stands for the tunnel itself.
      if (session.record.sessionId === 0 && session.tunnel.record.version === 2) continue;
      yield viewSession(session);
    }
  }

  /** What carries a session's packets; `undefined` if there is none. The platform made it, and may cast it back. */
  sessionPath(netns: string, tunnelId: number, sessionId: number): SessionPath | undefined {
    return this.#state.tables.session(netns, tunnelId, sessionId)?.path;
  }

  /** Bytes that an IP packet in a PPP session may have, so that it passes the way whole; `undefined` without session. */
  pppMtu(netns: string, tunnelId: number, sessionId: number): number | undefined {
    const session = this.#state.tables.session(netns, tunnelId, sessionId);
    return session && pppMtuOf(session);
  }

  /** The text of the debug file `l2tp/tunnels` of a network namespace, in parts. */
  debugfs(netns: string): Iterable<string> {
    return debugfsText(debugTunnels(this.#state.tables, netns));
  }

  #dispatch(message: NetlinkMessage, caller: Caller, work: RequestEffects, note: RequestNote): Result {
    const { type, flags, payload } = message;
    if ((flags & NLM_F_REQUEST) === 0 || type < NLMSG_MIN_TYPE) return {};
    if (type !== SUBSYSTEM_FAMILY_ID && type !== GENL_ID_CTRL) throw new Refusal(Errno.ENOENT);
    if (payload.length < GENL_HDRLEN) throw new Refusal(Errno.EINVAL);
    const command = payload[0]!;
    const isDump = (flags & NLM_F_DUMP) === NLM_F_DUMP;
    if (type === GENL_ID_CTRL) return controller(command, isDump, payload);
    const known = isDump ? DUMP_COMMANDS : COMMANDS;
    if (!known.has(command)) throw new Refusal(Errno.EOPNOTSUPP);
    if (command !== L2TP_CMD.NOOP && !caller.privileged) throw new Refusal(Errno.EPERM);
    if (isDump) return { dump: this.#dump(command, caller.netns) };
    const attributes = parseL2tpRequest(payload);
    note.parsed(attributes);
    return this.#do(command, attributes, caller, work);
  }

  #dump(command: number, netns: string): Iterable<Uint8Array> {
    return command === L2TP_CMD.TUNNEL_GET ? this.#tunnelReplies(netns) : this.#sessionReplies(netns);
  }

  *#tunnelReplies(netns: string): Generator<Uint8Array, void, void> {
    for (const tunnel of this.tunnels(netns)) yield encodeTunnel(L2TP_CMD.TUNNEL_GET, tunnel);
  }

  *#sessionReplies(netns: string): Generator<Uint8Array, void, void> {
    for (const session of this.sessions(netns)) yield encodeSession(L2TP_CMD.SESSION_GET, session);
  }

  #do(command: number, attributes: RequestAttributes, caller: Caller, work: RequestEffects): Result {
    const machine = this.#state;
    const { netns } = caller;
    switch (command) {
      case L2TP_CMD.NOOP:
        return { reply: { flags: 0, payload: beginGenl(command, L2TP_GENL_VERSION).written } };
      case L2TP_CMD.TUNNEL_CREATE:
        work.notifyTunnel(command, createTunnel(machine, decodeTunnelCreate(attributes), caller, work));
        return {};
      case L2TP_CMD.TUNNEL_DELETE: {
        const tunnel = findTunnel(machine, netns, decodeTunnelKey(attributes));
        work.notifyTunnel(command, tunnel);
        this.#drop(netns, tunnel.record.tunnelId, work);
        return {};
      }
      case L2TP_CMD.TUNNEL_MODIFY:
        work.notifyTunnel(command, findTunnel(machine, netns, decodeTunnelKey(attributes)));
        return {};
      case L2TP_CMD.TUNNEL_GET: {
        const tunnel = findTunnel(machine, netns, decodeTunnelKey(attributes));
        // The kernel's reply has this flag, which means nothing there.
        return { reply: { flags: NLM_F_ACK, payload: encodeTunnel(command, viewTunnel(tunnel)) } };
      }
      case L2TP_CMD.SESSION_CREATE: {
        const tunnel = findTunnel(machine, netns, decodeTunnelKey(attributes));
        const session = createSession(machine, tunnel, decodeSessionCreate(attributes), work);
        work.notifySession(command, session);
        return {};
      }
      case L2TP_CMD.SESSION_DELETE: {
        const session = findSession(machine, netns, decodeSessionKey(attributes));
        const { tunnelId, sessionId } = session.record;
        work.notifySession(command, session);
        removeSession(machine, session, work);
        work.journalEntries.push({ change: "deleteSession", netns, tunnelId, sessionId });
        return {};
      }
      case L2TP_CMD.SESSION_MODIFY: {
        const session = findSession(machine, netns, decodeSessionKey(attributes));
        modifySession(session, decodeSessionChanges(attributes), work);
        work.notifySession(command, session);
        return {};
      }
      case L2TP_CMD.SESSION_GET: {
        const session = findSession(machine, netns, decodeSessionKey(attributes));
        return { reply: { flags: 0, payload: encodeSession(command, viewSession(session)) } };
      }
      default:
        throw new Refusal(Errno.EOPNOTSUPP);
    }
  }
}

/** What reading a request has shown that its acknowledgement is to tell. */
class RequestNote {
  /** Text for the extended acknowledgement. */
  extack: string | undefined;

  /** The attributes were read; the kernel tells of bytes it could not read, and goes on. */
  parsed(attributes: RequestAttributes): void {
    if (attributes.leftover > 0) this.extack = LEFTOVER_EXTACK;
  }
}

/** The error number, and what else is known, for what a command has thrown. Anything unexpected is thrown on. */
function refusal(error: unknown, { extack }: RequestNote): Acknowledgement {
  if (error instanceof PolicyError) {
    const attributeOffset = NLMSG_HDRLEN + error.offset;
    return { errno: error.errno, extack: POLICY_EXTACK, attributeOffset };
  }
  if (error instanceof Refusal || error instanceof SyscallError) {
    return { errno: error.errno, extack, attributeOffset: undefined };
  }
  throw error;
}

function consequences({ journalEntries, traces, cleanupErrors }: RequestEffects): Consequences {
  return { journalEntries: journalEntries, traces, cleanupErrors: cleanupErrors };
}
