/**
 * What comes of a request beside its reply, collected while the request is worked on. Pure.
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

/** What the rules work on. */
export interface SubsystemState {
  /** The tunnels and sessions. */
  readonly tables: Tables;
  /** What is outside. */
  readonly platform: Platform;
  /** Most tunnels, of all namespaces together. */
  readonly tunnelsMax: number;
  /** Most sessions, of all namespaces together. */
  readonly sessionsMax: number;
  /** Pseudowire types (L2TP_PWTYPE) that sessions may have. */
  readonly pseudowireTypes: ReadonlySet<number>;
}

/** What a command leads to, before it is packed. */
export interface Result {
  /** A reply without its header. */
  readonly reply?: { readonly flags: number; readonly payload: Uint8Array };
  /** The replies of a dump, without headers. */
  readonly dump?: Iterable<Uint8Array>;
}

/** What replies and notifications to one request have in common. */
export type ReplyHeader = Pick<NetlinkMessage, "type" | "sequence" | "portId">;

/** Consequences of a request, in the order in which they came about. */
export class RequestEffects {
  /** Datagrams for the multicast group. */
  readonly notifications: Uint8Array[] = [];
  /** What the journal must write. */
  readonly journalEntries: JournalEntry[] = [];
  /** Trace events. */
  readonly traces: TraceEvent[] = [];
  /** What went wrong where nobody could be refused for it: while something was taken away. */
  readonly cleanupErrors: SyscallError[] = [];
  readonly #header: ReplyHeader | undefined;

  /** Without header nobody asked for what happens, and nobody is notified of it. */
  constructor(header?: ReplyHeader) {
    this.#header = header;
  }

  /** Does something whose failure keeps nothing from going on. */
  attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.cleanupErrors.push(error);
    }
  }

  /** Notifies of a command on a tunnel. */
  notifyTunnel(
    command:
      | typeof L2TP_CMD.TUNNEL_CREATE
      | typeof L2TP_CMD.TUNNEL_DELETE
      | typeof L2TP_CMD.TUNNEL_MODIFY,
    tunnel: TunnelEntry,
  ): void {
    this.#notify(() => encodeTunnel(command, viewTunnel(tunnel)));
  }

  /** Notifies of a command on a session. */
  notifySession(
    command:
      | typeof L2TP_CMD.SESSION_CREATE
      | typeof L2TP_CMD.SESSION_DELETE
      | typeof L2TP_CMD.SESSION_MODIFY,
    session: SessionEntry,
  ): void {
    this.#notify(() => encodeSession(command, viewSession(session)));
  }

  /** As in Linux 6.1 and later, what cannot be notified of happens all the same. */
  #notify(encode: () => Uint8Array): void {
    const header = this.#header;
    if (header === undefined) return;
    this.attempt(() => {
      // The flag means nothing here; listeners get it from the kernel, too.
      this.notifications.push(encodeMessage({ ...header, flags: NLM_F_ACK, payload: encode() }));
    });
  }
}
