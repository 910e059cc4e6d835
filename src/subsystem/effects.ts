/**
 * The state of the subsystem, and the effects that a request has beside its reply.
 *
 * @module
 */

import { SyscallError } from "../base/errors.ts";
import { L2TP_CMD } from "../wire/genl/l2tp/constants.ts";
import { encodeSession } from "../wire/genl/l2tp/session.ts";
import { encodeTunnel } from "../wire/genl/l2tp/tunnel.ts";
import { NLM_F_ACK } from "../wire/netlink/constants.ts";
import { encodeMessage, type NetlinkMessage } from "../wire/netlink/message.ts";
import type { Platform } from "./ports.ts";
import type { JournalEntry } from "./records.ts";
import type { SessionEntry, Tables, TunnelEntry } from "./tables.ts";
import type { TraceEvent } from "./trace.ts";
import { viewSession, viewTunnel } from "./views.ts";

/** The state that the rules work on. */
export interface SubsystemState {
  /** The tunnels and sessions. */
  readonly tables: Tables;
  /** Sockets, devices and data paths of the system. */
  readonly platform: Platform;
  /** Limit of tunnels in all namespaces together. */
  readonly tunnelsMax: number;
  /** Limit of sessions in all namespaces together. */
  readonly sessionsMax: number;
  /** Pseudowire types (L2TP_PWTYPE) that sessions may have. */
  readonly pseudowireTypes: ReadonlySet<number>;
}

/** The reply to a command, without netlink headers. */
export interface Result {
  /** A reply without its header. */
  readonly reply?: { readonly flags: number; readonly payload: Uint8Array };
  /** The replies of a dump, without headers. */
  readonly dump?: Iterable<Uint8Array>;
}

/** Header fields that the replies and notifications of one request share. */
export type ReplyHeader = Pick<NetlinkMessage, "type" | "sequence" | "portId">;

/** Collects the effects of one request, in order. */
export class RequestEffects {
  /** Datagrams for the multicast group. */
  readonly notifications: Uint8Array[] = [];
  /** Entries for the journal. */
  readonly journalEntries: JournalEntry[] = [];
  /** Trace events. */
  readonly traces: TraceEvent[] = [];
  /** Errors during a removal or an undo, which cannot fail the request. */
  readonly cleanupErrors: SyscallError[] = [];
  readonly #header: ReplyHeader | undefined;

  /** Without a header there is no requester, and nothing is announced. */
  constructor(header?: ReplyHeader) {
    this.#header = header;
  }

  /** Runs an action of a removal; a `SyscallError` goes to {@link cleanupErrors}. */
  attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.cleanupErrors.push(error);
    }
  }

  /** Announces a command on a tunnel. */
  notifyTunnel(
    command:
      | typeof L2TP_CMD.TUNNEL_CREATE
      | typeof L2TP_CMD.TUNNEL_DELETE
      | typeof L2TP_CMD.TUNNEL_MODIFY,
    tunnel: TunnelEntry,
  ): void {
    this.#notify(() => encodeTunnel(command, viewTunnel(tunnel)));
  }

  /** Announces a command on a session. */
  notifySession(
    command:
      | typeof L2TP_CMD.SESSION_CREATE
      | typeof L2TP_CMD.SESSION_DELETE
      | typeof L2TP_CMD.SESSION_MODIFY,
    session: SessionEntry,
  ): void {
    this.#notify(() => encodeSession(command, viewSession(session)));
  }

  /** As in Linux 6.1 and later, a failing notification does not undo the command. */
  #notify(encode: () => Uint8Array): void {
    const header = this.#header;
    if (header === undefined) return;
    this.attempt(() => {
      // The kernel sends this flag, too; it has no meaning in a notification.
      this.notifications.push(encodeMessage({ ...header, flags: NLM_F_ACK, payload: encode() }));
    });
  }
}
