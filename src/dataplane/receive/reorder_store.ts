/**
 * Packets that wait to be put in order: the queues of all sessions of a data path, with the order of the kernel's
 * queue (reference section 4.3).
 *
 * A packet enters the queue while it still lies in the arena of its batch; only if it has to wait longer than that
 * is it copied into memory of our own ({@link ReorderStore.keep}).
 *
 * @module
 */

import { BlockPool } from "../buffers/block_pool.ts";
import { LIVE_QUEUED } from "../counters.ts";
import { type PacketMemory, packetMemory } from "../buffers/packet_batch.ts";
import type { DataSession } from "../sessions/session.ts";

const NONE = -1;

/** `block` of a packet that lies in the arena of its batch. */
const IN_BATCH = -1;
/** `block` of a node without a packet. */
const NO_PACKET = -2;

/** Bounds of the queues. */
export interface ReorderLimits {
  /** Packets that may wait in one session. */
  readonly packets: number;
  /** Bytes of frames that may wait in one session. */
  readonly bytes: number;
  /** Bytes of memory for the waiting packets of all sessions. */
  readonly poolBytes: number;
}

/** Nodes of doubly linked queues; the members are the fields of each node. */
export class ReorderStore {
  /** Where the packets that wait lie. */
  readonly pool: BlockPool;
  /** The memory of the pool. */
  readonly memory: PacketMemory;
  /** Sequence number; 0 without one. */
  ns: Int32Array = new Int32Array(0);
  /** 1 if it has a sequence number. */
  sequenced: Uint8Array = new Uint8Array(0);
  /** Where the frame begins in its memory. */
  offset: Int32Array = new Int32Array(0);
  /** Bytes of the frame. */
  length: Int32Array = new Int32Array(0);
  /** Bytes of the packet, with its header. */
  total: Int32Array = new Int32Array(0);
  /** When it has waited for too long: milliseconds of the caller's clock. */
  expires: Float64Array = new Float64Array(0);
  /** The block of the pool that it lies in; negative while it lies in the batch. */
  block: Int32Array = new Int32Array(0);
  #next: Int32Array = new Int32Array(0);
  #previous: Int32Array = new Int32Array(0);
  #free = NONE;
  readonly #limits: ReorderLimits;

  constructor(limits: ReorderLimits) {
    this.#limits = limits;
    this.pool = new BlockPool(limits.poolBytes);
    this.memory = packetMemory(this.pool.bytes);
  }

  /** A new node, in no queue yet, for a packet that lies in the batch. */
  create(
    ns: number,
    sequenced: boolean,
    offset: number,
    length: number,
    total: number,
    expires: number,
  ): number {
    if (this.#free === NONE) this.#grow();
    const node = this.#free;
    this.#free = this.#next[node]!;
    this.ns[node] = ns;
    this.sequenced[node] = sequenced ? 1 : 0;
    this.offset[node] = offset;
    this.length[node] = length;
    this.total[node] = total;
    this.expires[node] = expires;
    this.block[node] = IN_BATCH;
    return node;
  }

  /** Puts a node at the end of the session's queue. */
  append(session: DataSession, node: number): void {
    const tail = session.queueTail;
    if (tail !== NONE && this.ns[tail]! > this.ns[node]!) session.queueSorted = false;
    this.#insertAfter(session, tail, node);
  }

  /**
   * Puts a node in front of the first one with a greater number (plainly compared), else at the end. Whether it came
   * to stand in front of another.
   */
  insert(session: DataSession, node: number): boolean {
    const ns = this.ns[node]!;
    // From behind where that finds the same place: packets mostly belong near the end.
    if (session.queueSorted) {
      let before = session.queueTail;
      while (before !== NONE && this.ns[before]! > ns) before = this.#previous[before]!;
      this.#insertAfter(session, before, node);
      return node !== session.queueTail;
    }
    let after = session.queueHead;
    while (after !== NONE && this.ns[after]! <= ns) after = this.#next[after]!;
    this.#insertAfter(session, after === NONE ? session.queueTail : this.#previous[after]!, node);
    return after !== NONE;
  }

  /**
   * Copies the packet of a node from the batch into memory of our own, unless it has left the queue already. False
   * if the bounds do not allow that: then it has been removed.
   */
  keep(session: DataSession, node: number, bytes: Uint8Array): boolean {
    if (this.block[node] !== IN_BATCH) return true;
    const length = this.length[node]!;
    const fits = session.queued < this.#limits.packets && session.queuedBytes + length <= this.#limits.bytes;
    const block = fits ? this.pool.allocate(length) : NONE;
    if (block === NONE) {
      this.remove(session, node);
      return false;
    }
    const offset = this.offset[node]!;
    this.pool.bytes.set(bytes.subarray(offset, offset + length), block);
    this.offset[node] = block;
    this.block[node] = block;
    session.queuedBytes += length;
    session.counters[LIVE_QUEUED] = ++session.queued;
    return true;
  }

  /** Takes a node out of the queue. Its block, if it has one, becomes the caller's; its fields live until `create`. */
  remove(session: DataSession, node: number): void {
    const next = this.#next[node]!;
    const previous = this.#previous[node]!;
    if (previous === NONE) session.queueHead = next;
    else this.#next[previous] = next;
    if (next === NONE) session.queueTail = previous;
    else this.#previous[next] = previous;
    if (session.queueHead === NONE) session.queueSorted = true;
    if (this.block[node]! >= 0) {
      session.queuedBytes -= this.length[node]!;
      session.counters[LIVE_QUEUED] = --session.queued;
    }
    this.block[node] = NO_PACKET;
    this.#next[node] = this.#free;
    this.#free = node;
  }

  /** Puts a node behind another; behind none means at the head. */
  #insertAfter(session: DataSession, before: number, node: number): void {
    const after = before === NONE ? session.queueHead : this.#next[before]!;
    this.#previous[node] = before;
    this.#next[node] = after;
    if (before === NONE) session.queueHead = node;
    else this.#next[before] = node;
    if (after === NONE) session.queueTail = node;
    else this.#previous[after] = node;
  }

  #grow(): void {
    const old = this.ns.length;
    const size = Math.max(64, 2 * old);
    this.ns = enlarged(this.ns, new Int32Array(size));
    this.sequenced = enlarged(this.sequenced, new Uint8Array(size));
    this.offset = enlarged(this.offset, new Int32Array(size));
    this.length = enlarged(this.length, new Int32Array(size));
    this.total = enlarged(this.total, new Int32Array(size));
    this.expires = enlarged(this.expires, new Float64Array(size));
    this.block = enlarged(this.block, new Int32Array(size));
    this.#next = enlarged(this.#next, new Int32Array(size));
    this.#previous = enlarged(this.#previous, new Int32Array(size));
    for (let node = size - 1; node >= old; node--) {
      this.#next[node] = this.#free;
      this.block[node] = NO_PACKET;
      this.#free = node;
    }
  }
}

function enlarged<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
