/**
 * Which sessions BPF programs carry. A session that they can carry has a worker as well, which takes what the programs
 * leave to it, and everything while they cannot: as its peer has no route, or its device is in another network namespace.
 * That is looked at again whenever routes, addresses, interfaces or IPsec policies change.
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

/** Changes come in bursts. */
const SETTLE_MS = 20;
/** Nobody says that a path's MTU was found to be smaller, or that a peer has begun to send sequence numbers. */
const REFRESH_MS = 10_000;
/** What passes: too many descriptors (ENFILE, EMFILE), too little memory. */
const TRANSIENT: readonly number[] = [23, 24, Errno.ENOMEM];

/** What the sessions are carried with. All is borrowed. */
export interface BpfSessionsParts {
  /** The namespaces that tunnels are in. */
  readonly namespaces: NetworkNamespaces;
  /** Says whether there are to be any, and tells the administrator why there are none. */
  readonly offloads: SystemOffloads;
  /** Tells the administrator what is not as it should be. */
  readonly log: (line: string) => void;
}

/** The sessions of all network namespaces. */
export class BpfSessions implements Disposable {
  readonly #parts: BpfSessionsParts;
  readonly #namespaces = new Map<string, NamespaceSessions>();
  #isRefused = false;

  /** None yet. */
  constructor(parts: BpfSessionsParts) {
    this.#parts = parts;
  }

  /**
   * Has the programs carry a session, if they can and are to. What the kernel refuses is said and done without.
   *
   * @returns `undefined` if they never will
   */
  add(request: BpfRequest): BpfSessionHandle | undefined {
    const { offloads, log } = this.#parts;
    const ends = offloads.bpf && !this.#isRefused ? bpfEnds(request) : undefined;
    if (ends === undefined) return undefined;
    let place: NamespaceSessions;
    try {
      place = this.#namespaces.get(request.netns) ?? this.#open(request.netns);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.#isRefused = !TRANSIENT.includes(error.errno);
      offloads.refused("bpf", reasonOf(error));
      return undefined;
    }
    try {
      return place.add(request, ends);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      log(`BPF programs do not carry session ${request.session.sessionId}: ${error.message}`);
      return undefined;
    }
  }

  #open(netns: string): NamespaceSessions {
    const place = new NamespaceSessions(this.#parts, netns, () => this.#namespaces.delete(netns));
    this.#namespaces.set(netns, place);
    return place;
  }

  /** Ends all. */
  [Symbol.dispose](): void {
    for (const place of this.#namespaces.values()) place.close();
  }
}

/** What the kernel says, with the verifier's last words. */
function reasonOf(error: SyscallError): string {
  const words = error instanceof BpfProgramError ? error.log.trimEnd().split("\n") : [];
  // The very last line counts instructions.
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

  /** @throws {SyscallError} ENOSPC if there are too many */
  add(request: BpfRequest, ends: BpfEnds): BpfSessionHandle {
    const parts = {
      path: this.#path,
      namespaces: this.#parts.namespaces,
      changed: () => this.#refresh([carried]),
      stopped: () => {
        this.#sessions.delete(carried);
        this.#closeIfEmpty();
      },
      failed: (error: unknown) => this.#report(error),
    };
    let carried: BpfCarriedSession;
    try {
      carried = new BpfCarriedSession(parts, request, ends);
    } catch (error) {
      this.#closeIfEmpty();
      throw error;
    }
    this.#sessions.add(carried);
    this.#refresh([carried]);
    return carried;
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
      // The timer still looks.
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

  /** Looks at sessions again. Never throws: then they stay as they are. */
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

  /** Says the same only once in a row. */
  #report(error: unknown): void {
    if (!(error instanceof Error)) throw error;
    if (error.message === this.#lastReported) return;
    this.#lastReported = error.message;
    this.#parts.log(`BPF programs: ${error.message}`);
  }
}
