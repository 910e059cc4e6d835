/**
 * What comes out of the data path on receipt: frames for devices, and control messages for whoever owns the control
 * connection. Both are bounded: when one is full, its owner's `drain` runs in the middle of the batch.
 *
 * @module
 */

import type { BlockPool } from "./block_pool.ts";
import type { Endpoint } from "../sessions/endpoint.ts";
import type { PacketBatch, PacketMemory } from "./packet_batch.ts";
import type { DataSession } from "../sessions/session.ts";

/** Marks a frame that lies in the arena of its batch. */
const NO_BLOCK = -1;

/**
 * Frames to deliver, in order, as a struct of arrays that is filled again and again. Entry i is the frame of
 * `lengths[i]` bytes from `offsets[i]` of `memories[i]`, for `sessions[i]`. A memory is either the batch or the data
 * path's reorder memory, so there are two base addresses to know.
 *
 * The frames are valid until {@link FrameVector.flush} returns; flush before the batch's arena is filled again.
 * `drain` must not call into the data path, but for accounting (`undelivered`). One vector serves one data path.
 */
export class FrameVector {
  /** The session of each frame. */
  readonly sessions: DataSession[] = [];
  /** The memory that each frame lies in. */
  readonly memories: PacketMemory[] = [];
  /** Where each frame begins in its memory. */
  readonly offsets: Int32Array;
  /** Bytes of each frame. */
  readonly lengths: Int32Array;
  /** Frames it holds now. */
  count = 0;
  readonly #blocks: Int32Array;
  readonly #drain: (frames: FrameVector) => void;
  #pool: BlockPool | undefined;

  /** At most `capacity` frames are held; `drain` is to write them out. */
  constructor(capacity: number, drain: (frames: FrameVector) => void) {
    if (capacity < 1) throw new RangeError(`Cannot hold ${capacity} frames`);
    this.offsets = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.#blocks = new Int32Array(capacity);
    this.#drain = drain;
  }

  /** Adds a frame that lies in the arena of its batch. */
  push(session: DataSession, memory: PacketMemory, offset: number, length: number): void {
    if (this.count === this.offsets.length) this.flush();
    const at = this.count++;
    this.sessions[at] = session;
    this.memories[at] = memory;
    this.offsets[at] = offset;
    this.lengths[at] = length;
    this.#blocks[at] = NO_BLOCK;
  }

  /** Adds a frame that lies in a block of the pool, whose memory is given; the block becomes the vector's, which frees it on `flush`. */
  pushBlock(
    session: DataSession,
    pool: BlockPool,
    memory: PacketMemory,
    block: number,
    offset: number,
    length: number,
  ): void {
    this.push(session, memory, offset, length);
    this.#blocks[this.count - 1] = block;
    this.#pool = pool;
  }

  /** Has the frames written out and forgets them. Does nothing when there are none. */
  flush(): void {
    if (this.count === 0) return;
    try {
      this.#drain(this);
    } finally {
      // Also when writing fails: the frames are gone then, the memory must not be.
      this.#freeBlocks();
      this.count = 0;
    }
  }

  #freeBlocks(): void {
    if (this.#pool === undefined) return;
    for (let i = 0; i < this.count; i++) {
      const block = this.#blocks[i]!;
      if (block !== NO_BLOCK) this.#pool.free(block);
    }
    this.#pool = undefined;
  }
}

/**
 * Control messages, in order: entry i has `lengths[i]` bytes from `offsets[i]` of `batches[i].bytes`, starting at
 * its flags word (over IP, the four zero bytes are off already), and came in by `endpoints[i]` from the source that
 * is at byte `nameOffsets[i]` of `batches[i].names`. Valid until {@link ControlVector.flush} returns.
 */
export class ControlVector {
  /** The endpoint that each came in by. */
  readonly endpoints: Endpoint[] = [];
  /** The batch that each lies in. */
  readonly batches: PacketBatch[] = [];
  /** Where each begins in the arena. */
  readonly offsets: Int32Array;
  /** Bytes of each. */
  readonly lengths: Int32Array;
  /** Where each source begins in the memory of the names: bytes, a multiple of 4. */
  readonly nameOffsets: Int32Array;
  /** Messages it holds now. */
  count = 0;
  readonly #drain: (messages: ControlVector) => void;

  /** At most `capacity` messages are held; `drain` is to take them. */
  constructor(capacity: number, drain: (messages: ControlVector) => void) {
    if (capacity < 1) throw new RangeError(`Cannot hold ${capacity} control messages`);
    this.offsets = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.nameOffsets = new Int32Array(capacity);
    this.#drain = drain;
  }

  /** Adds the message at `offset` that is (the end of) packet `index` of the batch. */
  push(endpoint: Endpoint, batch: PacketBatch, index: number, offset: number, length: number): void {
    if (this.count === this.offsets.length) this.flush();
    const at = this.count++;
    this.endpoints[at] = endpoint;
    this.batches[at] = batch;
    this.offsets[at] = offset;
    this.lengths[at] = length;
    this.nameOffsets[at] = batch.nameOffsets[index]!;
  }

  /** Has the messages taken and forgets them. Does nothing when there are none. */
  flush(): void {
    if (this.count === 0) return;
    try {
      this.#drain(this);
    } finally {
      this.count = 0;
    }
  }
}

/** Where received packets go. */
export interface ReceiveOutput {
  /** Frames for devices. */
  readonly frames: FrameVector;
  /** Control messages. */
  readonly control: ControlVector;
  /** PPP frames for whoever runs PPP, from the Protocol field on, which is all there. */
  readonly ppp: FrameVector;
}
