/**
 * Endpoints, tunnels and sessions of the data path as the main thread holds them. What they count is read from shared
 * memory and costs the worker nothing; what changes them waits until the worker has done it.
 *
 * @module
 */

import type { Counters } from "../../model/counters.ts";
import type { SessionChanges } from "../../model/session.ts";
import {
  type DropReason,
  LIVE_LAST_RECEIVED,
  type LiveState,
  readCounters,
  readDrops,
  readLiveState,
} from "../../dataplane/mod.ts";
import { type CounterSlots, slotView } from "./counter_slots.ts";
import type { ObjectId, WorkerCommand } from "./commands.ts";
import type { PppHandle } from "./ppp_handle.ts";

/** What the handles need of their data plane. */
export interface HandleOwner {
  /** Has the worker execute a command; throws what `SyncCaller.call` throws. */
  readonly call: (command: WorkerCommand) => unknown;
  /** Where the counters are. */
  readonly slots: CounterSlots;
  /** What to add to the worker's time to get this thread's `performance.now()`. */
  readonly clockOffset: number;
  /** Forgets an endpoint. */
  readonly forget: (endpoint: EndpointHandle) => void;
}

/** What the three kinds have in common: a number and a view of counters, which outlives the object as a copy. */
class Counted {
  readonly id: ObjectId;
  #view: Float64Array;
  readonly #slot: number;
  #removed = false;

  constructor(owner: HandleOwner, id: ObjectId, slot: number) {
    this.id = id;
    this.#slot = slot;
    this.#view = slotView(owner.slots.memory, slot);
  }

  get view(): Float64Array {
    return this.#view;
  }

  get removed(): boolean {
    return this.#removed;
  }

  /** The worker has let go: keeps the last numbers and frees the slot. */
  settle(slots: CounterSlots): void {
    if (this.#removed) return;
    this.#removed = true;
    // A copy out of shared memory, since somebody else's numbers will be there.
    this.#view = Float64Array.from(this.#view);
    slots.free(this.#slot);
  }
}

/** A local socket that tunnels run over. */
export class EndpointHandle {
  readonly #owner: HandleOwner;
  readonly #counted: Counted;
  /** Its tunnels. Read only, for everybody else. */
  readonly tunnels: Set<TunnelHandle> = new Set();

  /** Made by `DataPlane.addEndpoint`. */
  constructor(owner: HandleOwner, id: ObjectId, slot: number) {
    this.#owner = owner;
    this.#counted = new Counted(owner, id, slot);
  }

  /** Its number, unique in its data plane for all time. */
  get id(): ObjectId {
    return this.#counted.id;
  }

  /** Packets that belong to no session, by reason of their being dropped. Does not throw. */
  drops(): Record<DropReason, number> {
    return readDrops(this.#counted.view);
  }

  /**
   * Removes it, and its tunnels with their sessions: when this returns, the worker touches none of their descriptors
   * any more. Does nothing the second time.
   *
   * @throws {DataPlaneDead} after a crash, when the descriptors are not touched any more either
   */
  remove(): void {
    if (this.#counted.removed) return;
    this.#owner.call({ op: "removeEndpoint", id: this.id });
    for (const tunnel of this.tunnels) tunnel.settle();
    this.#counted.settle(this.#owner.slots);
    this.#owner.forget(this);
  }
}

/** A tunnel. */
export class TunnelHandle {
  readonly #owner: HandleOwner;
  readonly #counted: Counted;
  /** The endpoint it runs over. */
  readonly endpoint: EndpointHandle;
  /** Its sessions. Read only, for everybody else. */
  readonly sessions: Set<SessionHandle> = new Set();

  /** Made by `DataPlane.addTunnel`. */
  constructor(owner: HandleOwner, id: ObjectId, slot: number, endpoint: EndpointHandle) {
    this.#owner = owner;
    this.#counted = new Counted(owner, id, slot);
    this.endpoint = endpoint;
  }

  /** Its number, unique in its data plane for all time. */
  get id(): ObjectId {
    return this.#counted.id;
  }

  /** The kernel's counters of a tunnel, over all its sessions past and present. The last ones once it is removed. */
  counters(): Counters {
    return readCounters(this.#counted.view);
  }

  /** When the last data packet was delivered, as `performance.now()` of this thread; `undefined`: none yet. */
  lastDelivery(): number | undefined {
    const at = this.#counted.view[LIVE_LAST_RECEIVED]!;
    return at === 0 ? undefined : at + this.#owner.clockOffset;
  }

  /**
   * Removes it and its sessions: when this returns, the worker touches none of their devices any more. Does nothing
   * the second time.
   *
   * @throws {DataPlaneDead}
   */
  remove(): void {
    if (this.#counted.removed) return;
    this.#owner.call({ op: "removeTunnel", id: this.id });
    this.settle();
  }

  /** For the endpoint's handle: the worker has let go. */
  settle(): void {
    for (const session of this.sessions) session.settle();
    this.#counted.settle(this.#owner.slots);
    this.endpoint.tunnels.delete(this);
  }
}

/** A session. */
export class SessionHandle {
  readonly #owner: HandleOwner;
  readonly #counted: Counted;
  /** The tunnel that carries it. */
  readonly tunnel: TunnelHandle;
  /** The PPP on it; `undefined` if there is none. Kept by that. */
  ppp: PppHandle | undefined;

  /** Made by `DataPlane.addSession`. */
  constructor(owner: HandleOwner, id: ObjectId, slot: number, tunnel: TunnelHandle) {
    this.#owner = owner;
    this.#counted = new Counted(owner, id, slot);
    this.tunnel = tunnel;
  }

  /** Its number, unique in its data plane for all time. */
  get id(): ObjectId {
    return this.#counted.id;
  }

  /** The kernel's counters. The last ones once it is removed. Does not throw. */
  counters(): Counters {
    return readCounters(this.#counted.view);
  }

  /** Sequence numbers and queue. The last ones once it is removed. Does not throw. */
  live(): LiveState {
    return readLiveState(this.#counted.view);
  }

  /** Packets dropped, by reason. Does not throw. */
  drops(): Record<DropReason, number> {
    return readDrops(this.#counted.view);
  }

  /**
   * Changes it; members that are left out stay as they are. {@link live} tells the new ones when this returns. Does
   * nothing once it is removed.
   *
   * @throws {DataPlaneDead}
   */
  change(changes: SessionChanges): void {
    if (this.#counted.removed) return;
    this.#owner.call({ op: "changeSession", id: this.id, changes });
  }

  /**
   * Removes it: when this returns, the worker does not touch its device any more. Does nothing the second time.
   *
   * @throws {DataPlaneDead}
   */
  remove(): void {
    if (this.#counted.removed) return;
    this.ppp?.events.ending?.();
    this.#owner.call({ op: "removeSession", id: this.id });
    this.settle();
  }

  /** For the tunnel's handle: the worker has let go. */
  settle(): void {
    this.ppp?.lose();
    this.#counted.settle(this.#owner.slots);
    this.tunnel.sessions.delete(this);
  }
}
