/**
 * The main thread's handles of endpoints, tunnels and sessions. Counters are read from shared memory without the
 * worker. Changes are synchronous: they return after the worker has executed them.
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

/** The part of a data plane that its handles use. */
export interface HandleOwner {
  /** Sends a command to the worker and waits for the answer; throws as `SyncCaller.call`. */
  readonly call: (command: WorkerCommand) => unknown;
  /** The counter slots. */
  readonly slots: CounterSlots;
  /** Difference between this thread's `performance.now()` and the worker's, in milliseconds. */
  readonly clockOffset: number;
  /** Drops an endpoint from the data plane's table. */
  readonly forget: (endpoint: EndpointHandle) => void;
}

/** Id and counters of a handle. The counters stay readable after the removal, as a copy. */
class CountedObject {
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

  /** Called after the worker has released the object: copies the last counters and frees the slot. */
  markRemoved(slots: CounterSlots): void {
    if (this.#removed) return;
    this.#removed = true;
    // A copy, since the slot in shared memory will be reused.
    this.#view = Float64Array.from(this.#view);
    slots.free(this.#slot);
  }
}

/** A local socket that carries tunnels. */
export class EndpointHandle {
  readonly #owner: HandleOwner;
  readonly #counted: CountedObject;
  /** Tunnels of this endpoint; only the handles change the set. */
  readonly tunnels: Set<TunnelHandle> = new Set();

  /** Called by `DataPlane.addEndpoint` only. */
  constructor(owner: HandleOwner, id: ObjectId, slot: number) {
    this.#owner = owner;
    this.#counted = new CountedObject(owner, id, slot);
  }

  /** Id, unique within the data plane and never reused. */
  get id(): ObjectId {
    return this.#counted.id;
  }

  /** Counts packets that belong to no session, by drop reason. Never throws. */
  drops(): Record<DropReason, number> {
    return readDrops(this.#counted.view);
  }

  /**
   * Removes the endpoint, and its tunnels with their sessions. When this returns, the worker no longer touches any of
   * their descriptors. A second call does nothing.
   *
   * @throws {DataPlaneClosed} after a crash; the descriptors are not touched any more then either
   */
  remove(): void {
    if (this.#counted.removed) return;
    this.#owner.call({ op: "removeEndpoint", id: this.id });
    for (const tunnel of this.tunnels) tunnel.markRemoved();
    this.#counted.markRemoved(this.#owner.slots);
    this.#owner.forget(this);
  }
}

/** A tunnel of an endpoint. */
export class TunnelHandle {
  readonly #owner: HandleOwner;
  readonly #counted: CountedObject;
  /** The socket that carries the tunnel. */
  readonly endpoint: EndpointHandle;
  /** Sessions of this tunnel; only the handles change the set. */
  readonly sessions: Set<SessionHandle> = new Set();

  /** Called by `DataPlane.addTunnel` only. */
  constructor(owner: HandleOwner, id: ObjectId, slot: number, endpoint: EndpointHandle) {
    this.#owner = owner;
    this.#counted = new CountedObject(owner, id, slot);
    this.endpoint = endpoint;
  }

  /** Id, unique within the data plane and never reused. */
  get id(): ObjectId {
    return this.#counted.id;
  }

  /**
   * The kernel's counters of a tunnel: the sums over all its sessions, removed ones included. After the removal, the
   * last values.
   */
  counters(): Counters {
    return readCounters(this.#counted.view);
  }

  /**
   * Time of the last delivered data packet, as `performance.now()` of this thread; `undefined` if there was none. For
   * a control connection, which sends Hello only while the peer is silent (RFC 2661 section 5.5).
   */
  lastDelivery(): number | undefined {
    const at = this.#counted.view[LIVE_LAST_RECEIVED]!;
    return at === 0 ? undefined : at + this.#owner.clockOffset;
  }

  /**
   * Removes the tunnel and its sessions. When this returns, the worker no longer touches any of their devices. A
   * second call does nothing.
   *
   * @throws {DataPlaneClosed}
   */
  remove(): void {
    if (this.#counted.removed) return;
    this.#owner.call({ op: "removeTunnel", id: this.id });
    this.markRemoved();
  }

  /** Called by the endpoint's handle after the worker has released the tunnel. */
  markRemoved(): void {
    for (const session of this.sessions) session.markRemoved();
    this.#counted.markRemoved(this.#owner.slots);
    this.endpoint.tunnels.delete(this);
  }
}

/** A session of a tunnel. */
export class SessionHandle {
  readonly #owner: HandleOwner;
  readonly #counted: CountedObject;
  readonly tunnel: TunnelHandle;
  /** PPP attached to the session; set and cleared by the PPP handle. */
  ppp: PppHandle | undefined;

  /** Called by `DataPlane.addSession` only. */
  constructor(owner: HandleOwner, id: ObjectId, slot: number, tunnel: TunnelHandle) {
    this.#owner = owner;
    this.#counted = new CountedObject(owner, id, slot);
    this.tunnel = tunnel;
  }

  /** Id, unique within the data plane and never reused. */
  get id(): ObjectId {
    return this.#counted.id;
  }

  /** The kernel's counters of a session. After the removal, the last values. Never throws. */
  counters(): Counters {
    return readCounters(this.#counted.view);
  }

  /** Sequence numbers and length of the reorder queue. After the removal, the last values. Never throws. */
  live(): LiveState {
    return readLiveState(this.#counted.view);
  }

  /** Counts dropped packets by drop reason. Never throws. */
  drops(): Record<DropReason, number> {
    return readDrops(this.#counted.view);
  }

  /**
   * Changes attributes; omitted members keep their values. {@link live} returns the new values afterwards. Does
   * nothing after the removal.
   *
   * @throws {DataPlaneClosed}
   */
  change(changes: SessionChanges): void {
    if (this.#counted.removed) return;
    this.#owner.call({ op: "changeSession", id: this.id, changes });
  }

  /**
   * Removes the session. When this returns, the worker no longer touches its device. A second call does nothing.
   *
   * @throws {DataPlaneClosed}
   */
  remove(): void {
    if (this.#counted.removed) return;
    this.ppp?.events.ending?.();
    this.#owner.call({ op: "removeSession", id: this.id });
    this.markRemoved();
  }

  /** Called by the tunnel's handle after the worker has released the session. */
  markRemoved(): void {
    this.ppp?.markLost();
    this.#counted.markRemoved(this.#owner.slots);
    this.tunnel.sessions.delete(this);
  }
}
