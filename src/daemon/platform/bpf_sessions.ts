/**
 * Decides which sessions BPF programs carry. Every session has a worker as well, which handles the packets that the
 * programs leave to it, and all packets while the programs cannot carry the session: its peer has no route, or its device
 * is in another network namespace. The decision is refreshed when routes, addresses, interfaces or IPsec policies change.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { hasIpsecPolicies } from "../../client/kernel/ipsec_policies.ts";
import { LinkClient } from "../../client/link_client.ts";
import { BpfDataPath } from "../../driver/bpf/data_path.ts";
import { openNetworkChanges, openPolicyChanges } from "../../driver/netlink/network_changes.ts";
import type { NotificationSource } from "../../driver/netlink/ports.ts";
import { BpfProgramError } from "../../../ffi/kernel/bpf.ts";
import {
  BpfCarriedSession,
  type BpfEnds,
  bpfEnds,
  type BpfRequest,
  type BpfSessionHandle,
} from "./bpf_session.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import type { SystemOffloads } from "./offloads.ts";

/** Delay before a refresh: changes come in bursts. */
const SETTLE_MS = 20;
/** Interval of refreshes: path MTU discovery, and a peer that starts to send sequence numbers, cause no notification. */
const REFRESH_MS = 10_000;
/** Errors after which a later attempt may succeed: ENFILE, EMFILE, ENOMEM. */
const TRANSIENT: readonly number[] = [23, 24, Errno.ENOMEM];

/** Dependencies of {@link BpfSessions}. All is borrowed. */
export interface BpfSessionsParts {
  /** The namespaces that tunnels are in. */
  readonly namespaces: NetworkNamespaces;
  /** Tells whether BPF is wanted, and logs why it is unavailable. */
  readonly offloads: SystemOffloads;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/** The sessions of all network namespaces. */
export class BpfSessions implements Disposable {
  readonly #parts: BpfSessionsParts;
  readonly #namespaces = new Map<string, NamespaceSessions>();
  #isRefused = false;

  /** Without a session so far. */
  constructor(parts: BpfSessionsParts) {
    this.#parts = parts;
  }

  /**
   * Adds a session that the programs shall carry when they can. A refusal of the kernel is logged; then the worker alone
   * carries the session.
   *
   * @returns `undefined` if the programs can never carry it
   */
  add(request: BpfRequest): BpfSessionHandle | undefined {
    const { offloads, log } = this.#parts;
    const ends = offloads.bpf && !this.#isRefused ? bpfEnds(request) : undefined;
    if (ends === undefined) return undefined;
    let sessions: NamespaceSessions;
    try {
      sessions = this.#namespaces.get(request.netns) ?? this.#open(request.netns);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.#isRefused = !TRANSIENT.includes(error.errno);
      offloads.refused("bpf", reasonOf(error));
      return undefined;
    }
    try {
      return sessions.add(request, ends);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      log(`BPF programs cannot carry session ${request.session.sessionId}: ${error.message}`);
      return undefined;
    }
  }

  #open(netns: string): NamespaceSessions {
    const sessions = new NamespaceSessions(this.#parts, netns, () => this.#namespaces.delete(netns));
    this.#namespaces.set(netns, sessions);
    return sessions;
  }

  /** Stops carrying all sessions. */
  [Symbol.dispose](): void {
    for (const sessions of this.#namespaces.values()) sessions.close();
  }
}

/** The error's message, with the last message of the verifier. */
function reasonOf(error: SyscallError): string {
  const words = error instanceof BpfProgramError ? error.log.trimEnd().split("\n") : [];
  // The last line of the log counts instructions.
  const last = words.at(-2);
  return last === undefined ? error.message : `${error.message}: ${last}`;
}

/** The sessions of one network namespace. */
class NamespaceSessions {
  readonly #parts: BpfSessionsParts;
  readonly #netns: string;
  readonly #onEmpty: () => void;
  readonly #path: BpfDataPath;
  readonly #sources: readonly NotificationSource[];
  readonly #sessions = new Set<BpfCarriedSession>();
  readonly #timer: ReturnType<typeof setInterval>;
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;
  #refreshMs = 0;
  #lastReported = "";
  #isClosed = false;

  constructor(parts: BpfSessionsParts, netns: string, onEmpty: () => void) {
    this.#parts = parts;
    this.#netns = netns;
    this.#onEmpty = onEmpty;
    const { namespaces } = parts;
    using stack = new DisposableStack();
    this.#path = stack.use(new BpfDataPath());
    this.#sources = namespaces.run(netns, () => {
      const policies = openPolicyChanges();
      return [stack.use(openNetworkChanges()), ...(policies === undefined ? [] : [stack.use(policies)])];
    });
    namespaces.holdAgain(netns);
    stack.move();
    this.#timer = setInterval(() => this.#refresh(this.#sessions), REFRESH_MS);
    for (const source of this.#sources) this.#listen(source);
  }

  /** @throws {SyscallError} ENOSPC if all slots are taken */
  add(request: BpfRequest, ends: BpfEnds): BpfSessionHandle {
    const parts = {
      path: this.#path,
      namespaces: this.#parts.namespaces,
      changed: () => this.#refresh([session]),
      stopped: () => {
        this.#sessions.delete(session);
        this.#closeIfEmpty();
      },
      failed: (error: unknown) => this.#report(error),
    };
    let session: BpfCarriedSession;
    try {
      session = new BpfCarriedSession(parts, request, ends);
    } catch (error) {
      this.#closeIfEmpty();
      throw error;
    }
    this.#sessions.add(session);
    this.#refresh([session]);
    return session;
  }

  #closeIfEmpty(): void {
    if (this.#sessions.size === 0) this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#refreshTimer);
    for (const source of this.#sources) source.close();
    this.#path[Symbol.dispose]();
    this.#parts.namespaces.release(this.#netns);
    this.#onEmpty();
  }

  async #listen(source: NotificationSource): Promise<void> {
    try {
      while (await source.next() !== undefined) this.#refreshSoon();
    } catch (error) {
      // The timer still refreshes.
      this.#report(error);
    }
  }

  #refreshSoon(): void {
    if (this.#isClosed || this.#refreshTimer !== undefined) return;
    this.#refreshTimer = setTimeout(() => {
      this.#refreshTimer = undefined;
      this.#refresh(this.#sessions);
    }, Math.max(SETTLE_MS, this.#refreshMs));
  }

  /** Installs or removes sessions as the namespace is now. An error is logged, and the sessions stay as they are. */
  #refresh(sessions: Iterable<BpfCarriedSession>): void {
    const started = performance.now();
    try {
      this.#parts.namespaces.run(this.#netns, () => {
        using links = LinkClient.open();
        const conditions = { links, hasPolicies: hasIpsecPolicies(), routes: new Map() };
        for (const session of sessions) session.install(conditions);
      });
    } catch (error) {
      this.#report(error);
    }
    this.#refreshMs = performance.now() - started;
  }

  /** Logs an error, unless it is the same as the last one. */
  #report(error: unknown): void {
    if (!(error instanceof Error)) throw error;
    if (error.message === this.#lastReported) return;
    this.#lastReported = error.message;
    this.#parts.log(`BPF programs: ${error.message}`);
  }
}
