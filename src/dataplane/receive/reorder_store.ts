/**
 * The reorder queues of all sessions of a data path. Their order is that of the kernel's queue
 * (`l2tp_recv_queue_skb`).
 *
 * A packet enters the queue while it still lies in the arena of its batch. Only if it must wait beyond the batch is
 * it copied into the pool ({@link ReorderStore.retain}).
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

/** Limits of the reorder queues. */
export interface ReorderLimits {
  /** Maximum number of packets queued in one session. */
  readonly packets: number;
  /** Maximum bytes of frames queued in one session. */
  readonly bytes: number;
  /** Size of the pool for the queued packets of all sessions, in bytes. */
  readonly poolBytes: number;
}

/** Nodes of doubly linked queues, as a struct of arrays: each member holds one field of every node. */
export class ReorderStore {
  /** Pool that holds the queued packets. */
  readonly pool: BlockPool;
  /** The memory of the pool. */
  readonly memory: PacketMemory;
  /** Sequence number; 0 for a packet without one. */
  ns: Int32Array = new Int32Array(0);
  /** 1 if the packet has a sequence number, else 0. */
  sequenced: Uint8Array = new Uint8Array(0);
  /** Offset of the frame in its memory. */
  offset: Int32Array = new Int32Array(0);
  /** Length of the frame in bytes. */
  length: Int32Array = new Int32Array(0);
  /** Length of the packet with its L2TP header, in bytes. */
  total: Int32Array = new Int32Array(0);
  /** Expiry time, in milliseconds of the caller's clock. */
  expires: Float64Array = new Float64Array(0);
  /** Block of the pool that holds the packet; negative while it lies in the batch. */
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

  /** Allocates a node for a packet that lies in the batch. The node is in no queue yet. */
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

  /** Appends a node to the session's queue. */
  append(session: DataSession, node: number): void {
    const tail = session.queueTail;
    if (tail !== NONE && this.ns[tail]! > this.ns[node]!) session.queueSorted = false;
    this.#insertAfter(session, tail, node);
  }

  /**
   * Inserts a node before the first one with a greater sequence number, by plain comparison as in the kernel, or at
   * the end. Returns true if a node follows it.
   */
  insert(session: DataSession, node: number): boolean {
    const ns = this.ns[node]!;
    // A sorted queue is searched from its tail, which finds the same place: most packets belong near the end.
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
   * Copies the packet of a node from the batch into the pool, unless the node has left the queue already. Returns
   * false, and removes the node, if the limits do not allow the copy.
   */
  retain(session: DataSession, node: number, bytes: Uint8Array): boolean {
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

  /**
   * Removes a node from the queue. The caller takes over its block, if it has one. Its fields stay readable until the
   * next `create`.
   */
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

  /** Inserts a node after `before`, or at the head if that is NONE. */
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
