/**
 * The kernel's L2TP subsystem as a state machine: netlink requests go in; replies, notifications and journal
 * entries come out. It follows `net/l2tp/` of Linux 6.12; `docs/userspace-subsystem.md` lists the intended differences.
 * All effects on the system go through {@link Platform}.
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
import { L2TP_CMD, L2TP_GENL_VERSION } from "../wire/genl/l2tp/constants.ts";
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
import { USERSPACE_L2TP_FAMILY_ID } from "../wire/l2tpd/constants.ts";
import { controller } from "./controller.ts";
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
import { RequestEffects, type Result, type SubsystemState } from "./effects.ts";

export type { Answer, Caller, Consequences, Restoration, SubsystemOptions } from "./api.ts";
export { SUBSYSTEM_GROUP_ID } from "./controller.ts";

/** Messages of lower types are netlink's own, and no requests (NLMSG_MIN_TYPE). */
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

  /** Count of tunnels in all namespaces. */
  get tunnelCount(): number {
    return this.#state.tables.tunnelCount;
  }

  /** Count of sessions in all namespaces. */
  get sessionCount(): number {
    return this.#state.tables.sessionCount;
  }

  /** Keys of the network namespaces that have tunnels. */
  get namespaces(): readonly string[] {
    return this.#state.tables.namespaces;
  }

  /** All records, each tunnel before its sessions: the content of a compact journal. */
  records(): Iterable<SubsystemRecord> {
    return this.#state.tables.records();
  }

  /**
   * Answers a request to the "l2tp" family or to the controller. No message makes it throw; only errors of
   * the platform that are no `SyscallError` pass through.
   */
  request(message: NetlinkMessage, caller: Caller): Answer {
    const header = { type: message.type, sequence: message.sequence, portId: caller.portId };
    const effects = new RequestEffects(header);
    const replies: Uint8Array[] = [];
    const note = new RequestNote();
    let end = NO_ERROR;
    let dump: Iterator<Uint8Array, void, void> | undefined;
    try {
      const result = this.#dispatch(message, caller, effects, note);
      if (result.reply !== undefined) replies.push(encodeMessage({ ...header, ...result.reply }));
      if (result.dump !== undefined) dump = dumpDatagrams(header, result.dump);
      end = { ...NO_ERROR, extack: note.extack };
    } catch (error) {
      end = refusal(error, note);
    }
    // NLMSG_DONE acknowledges a dump.
    const wanted = (message.flags & NLM_F_ACK) !== 0 && dump === undefined;
    if (wanted || end.errno !== 0) replies.push(encodeAcknowledgement(message, caller.portId, end));
    return { replies, dump, ...consequences(effects), notifications: effects.notifications };
  }

  /** Restores tunnels and sessions from records, in any order. Devices that still exist are taken over. */
  restore(records: Iterable<SubsystemRecord>): Restoration {
    const effects = new RequestEffects();
    return { leftOut: restoreRecords(this.#state, records, effects), ...consequences(effects) };
  }

  /**
   * Removes a tunnel, whose socket its owner has closed, with its sessions. Like the kernel, it sends no
   * notification.
   */
  dropTunnel(netns: string, tunnelId: number): Consequences {
    const effects = new RequestEffects();
    this.#drop(netns, tunnelId, effects);
    return consequences(effects);
  }

  /** Removes all tunnels of a network namespace that is gone. Like the kernel, it sends no notification. */
  dropNamespace(netns: string): Consequences {
    const effects = new RequestEffects();
    for (const { record } of this.#state.tables.tunnelsOf(netns)) this.#drop(netns, record.tunnelId, effects);
    return consequences(effects);
  }

  #drop(netns: string, tunnelId: number, effects: RequestEffects): void {
    const tunnel = this.#state.tables.tunnel(netns, tunnelId);
    if (tunnel === undefined) return;
    removeTunnel(this.#state, tunnel, effects);
    effects.journalEntries.push({ change: "deleteTunnel", netns, tunnelId });
  }

  /**
   * Yields the tunnels of a network namespace, each as it is at that moment. The tables may change meanwhile.
   */
  *tunnels(netns: string): Generator<Tunnel, void, void> {
    for (const tunnel of this.#state.tables.tunnelsOf(netns)) yield viewTunnel(tunnel);
  }

  /**
   * Yields the sessions of a network namespace, each as it is at that moment. The tables may change
   * meanwhile.
   */
  *sessions(netns: string): Generator<Session, void, void> {
    for (const session of this.#state.tables.sessionsOf(netns)) {
      // In version 2, session 0 stands for the tunnel itself.
      if (session.record.sessionId === 0 && session.tunnel.record.version === 2) continue;
      yield viewSession(session);
    }
  }

  /**
   * The data path of a session; `undefined` without session. The platform created it, and may cast it back.
   */
  sessionPath(netns: string, tunnelId: number, sessionId: number): SessionPath | undefined {
    return this.#state.tables.session(netns, tunnelId, sessionId)?.path;
  }

  /** Largest IP packet in a PPP session, in bytes, that fits the path MTU; `undefined` without session. */
  pppMtu(netns: string, tunnelId: number, sessionId: number): number | undefined {
    const session = this.#state.tables.session(netns, tunnelId, sessionId);
    return session && pppMtuOf(session);
  }

  /** Yields the text of the debug file `l2tp/tunnels` of a network namespace in parts. */
  debugfs(netns: string): Iterable<string> {
    return debugfsText(debugTunnels(this.#state.tables, netns));
  }

  #dispatch(message: NetlinkMessage, caller: Caller, effects: RequestEffects, note: RequestNote): Result {
    const { type, flags, payload } = message;
    if ((flags & NLM_F_REQUEST) === 0 || type < NLMSG_MIN_TYPE) return {};
    if (type !== USERSPACE_L2TP_FAMILY_ID && type !== GENL_ID_CTRL) throw new Refusal(Errno.ENOENT);
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
    return this.#do(command, attributes, caller, effects);
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

  #do(command: number, attributes: RequestAttributes, caller: Caller, effects: RequestEffects): Result {
    const state = this.#state;
    const { netns } = caller;
    switch (command) {
      case L2TP_CMD.NOOP:
        return { reply: { flags: 0, payload: beginGenl(command, L2TP_GENL_VERSION).written } };
      case L2TP_CMD.TUNNEL_CREATE:
        effects.notifyTunnel(command, createTunnel(state, decodeTunnelCreate(attributes), caller, effects));
        return {};
      case L2TP_CMD.TUNNEL_DELETE: {
        const tunnel = findTunnel(state, netns, decodeTunnelKey(attributes));
        effects.notifyTunnel(command, tunnel);
        this.#drop(netns, tunnel.record.tunnelId, effects);
        return {};
      }
      case L2TP_CMD.TUNNEL_MODIFY:
        effects.notifyTunnel(command, findTunnel(state, netns, decodeTunnelKey(attributes)));
        return {};
      case L2TP_CMD.TUNNEL_GET: {
        const tunnel = findTunnel(state, netns, decodeTunnelKey(attributes));
        // The kernel sends this flag, too; it has no meaning in a reply.
        return { reply: { flags: NLM_F_ACK, payload: encodeTunnel(command, viewTunnel(tunnel)) } };
      }
      case L2TP_CMD.SESSION_CREATE: {
        const tunnel = findTunnel(state, netns, decodeTunnelKey(attributes));
        const session = createSession(state, tunnel, decodeSessionCreate(attributes), effects);
        effects.notifySession(command, session);
        return {};
      }
      case L2TP_CMD.SESSION_DELETE: {
        const session = findSession(state, netns, decodeSessionKey(attributes));
        const { tunnelId, sessionId } = session.record;
        effects.notifySession(command, session);
        removeSession(state, session, effects);
        effects.journalEntries.push({ change: "deleteSession", netns, tunnelId, sessionId });
        return {};
      }
      case L2TP_CMD.SESSION_MODIFY: {
        const session = findSession(state, netns, decodeSessionKey(attributes));
        modifySession(session, decodeSessionChanges(attributes), effects);
        effects.notifySession(command, session);
        return {};
      }
      case L2TP_CMD.SESSION_GET: {
        const session = findSession(state, netns, decodeSessionKey(attributes));
        return { reply: { flags: 0, payload: encodeSession(command, viewSession(session)) } };
      }
      default:
        throw new Refusal(Errno.EOPNOTSUPP);
    }
  }
}

/** Facts about a request that its acknowledgement carries. */
class RequestNote {
  /** Text of the extended acknowledgement. */
  extack: string | undefined;

  /** Notes bytes that could not be parsed: the kernel reports them, and executes the command. */
  parsed(attributes: RequestAttributes): void {
    if (attributes.leftover > 0) this.extack = LEFTOVER_EXTACK;
  }
}

/** The acknowledgement for an error that a command has thrown. Unexpected errors are thrown again. */
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
  return { journalEntries, traces, cleanupErrors };
}
