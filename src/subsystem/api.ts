/**
 * The face of the subsystem: callers, answers, options.
 *
 * @module
 */

import type { SyscallError } from "../base/errors.ts";
import type { JournalEntry } from "./records.ts";
import type { LeftOut } from "./restore.ts";
import type { TraceEvent } from "./trace.ts";

/** The sender of a request. */
export interface Caller {
  /** Key of the network namespace that the request is for. */
  readonly netns: string;
  /** Port id of the caller's socket, which replies and notifications carry. */
  readonly portId: number;
  /** Whether the caller has CAP_NET_ADMIN in the user namespace that owns the network namespace. */
  readonly privileged: boolean;
  /**
   * The descriptor, in this process, of the file that is `fd` in the caller's process; `undefined` if the
   * caller did not send that file. The subsystem owns the descriptors that it takes.
   */
  readonly takeFd: (fd: number) => number | undefined;
}

/** Effects of a request or an event beside the answer. */
export interface Consequences {
  /** Entries that must be in the journal before the answer or a notification is sent. */
  readonly journalEntries: readonly JournalEntry[];
  /** Trace events. */
  readonly traces: readonly TraceEvent[];
  /** Failures while sockets, devices or paths were removed; the request succeeded nevertheless. */
  readonly cleanupErrors: readonly SyscallError[];
}

/** The answer to a request. */
export interface Answer extends Consequences {
  /**
   * Datagrams for the caller, in order, one message each. None for a success that needs no acknowledgement.
   */
  readonly replies: readonly Uint8Array[];
  /**
   * For a dump: further datagrams for the caller, ending with NLMSG_DONE. Each is encoded when it is asked
   * for. The tables may change meanwhile: an entry that exists for the whole dump is reported once, in
   * ascending order of ids.
   */
  readonly dump: Iterator<Uint8Array, void, void> | undefined;
  /** Datagrams for the multicast group: for its members in every network namespace. */
  readonly notifications: readonly Uint8Array[];
}

/** Result of a restoration. */
export interface Restoration extends Consequences {
  /** Records that could not be restored. They stay in the journal. */
  readonly leftOut: readonly LeftOut[];
}

/** Options of a {@link Subsystem}. */
export interface SubsystemOptions {
  /**
   * Limit of tunnels in all namespaces together; beyond it creation fails with ENOMEM. No limit unless given.
   */
  readonly tunnelsMax?: number | undefined;
  /**
   * Limit of sessions in all namespaces together; beyond it creation fails with ENOMEM. No limit unless
   * given.
   */
  readonly sessionsMax?: number | undefined;
  /** Pseudowire types that the platform can carry; Ethernet and PPP unless given. */
  readonly pseudowireTypes?: readonly number[] | undefined;
}
