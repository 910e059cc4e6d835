/**
 * Who asks the subsystem, and what it says.
 *
 * @module
 */

import type { SyscallError } from "../base/errors.ts";
import type { JournalEntry } from "./records.ts";
import type { LeftOut } from "./restore.ts";
import type { TraceEvent } from "./trace.ts";

/** Whoever sends a request. */
export interface Caller {
  /** Key of the network namespace that the request is for. */
  readonly netns: string;
  /** Port id of the caller's socket, which replies and notifications carry. */
  readonly portId: number;
  /** Whether the caller has CAP_NET_ADMIN in the user namespace that owns the network namespace. */
  readonly privileged: boolean;
  /**
   * The descriptor, in this process, of what the caller calls `fd` and sent along; `undefined` if it sent no such one.
   * Who takes a descriptor owns it.
   */
  readonly takeFd: (fd: number) => number | undefined;
}

/** What happened without anybody being answered. */
export interface Consequences {
  /** What a journal must write before anybody learns of it. */
  readonly journalEntries: readonly JournalEntry[];
  /** Trace events. */
  readonly traces: readonly TraceEvent[];
  /** What failed while things were taken away, which nobody is refused for. */
  readonly cleanupErrors: readonly SyscallError[];
}

/** What comes of a request. */
export interface Answer extends Consequences {
  /** Datagrams for the caller, in order, one message each. None for a success that needs no acknowledgement. */
  readonly replies: readonly Uint8Array[];
  /**
   * For a dump: further datagrams for the caller, made as they are asked for, ending with NLMSG_DONE. The tables may
   * change meanwhile: what is there all the time is told once, in ascending order of ids.
   */
  readonly dump: Iterator<Uint8Array, void, void> | undefined;
  /** Datagrams for the multicast group: for its members in every network namespace. */
  readonly notifications: readonly Uint8Array[];
}

/** What came of a restoration. */
export interface Restoration extends Consequences {
  /** Records that nothing was made of. The journal still has them. */
  readonly leftOut: readonly LeftOut[];
}

/** What a {@link Subsystem} may be made with. */
export interface SubsystemOptions {
  /** Most tunnels, of all namespaces together; further ones are refused with ENOMEM. No limit unless given. */
  readonly tunnelsMax?: number | undefined;
  /** Most sessions, of all namespaces together; further ones are refused with ENOMEM. No limit unless given. */
  readonly sessionsMax?: number | undefined;
  /** Pseudowire types that the platform can carry; Ethernet and PPP unless given. */
  readonly pseudowireTypes?: readonly number[] | undefined;
}
