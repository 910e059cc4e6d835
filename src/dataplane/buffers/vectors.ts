/**
 * The receive path's output: frames for devices, and control messages for the owner of the control connection. Both
 * vectors are bounded: a full one calls its owner's `drain` during the batch.
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
 * Frames to deliver, in order, as a reusable struct of arrays. Entry i is the frame of `lengths[i]` bytes from
 * `offsets[i]` of `memories[i]`, for `sessions[i]`. A memory is either the batch or the data path's reorder memory,
 * so there are two base addresses.
 *
 * The frames are valid until {@link FrameVector.flush} returns; flush before the batch's arena is filled again.
 * `drain` may call only `undelivered` of the data path. One vector serves one data path.
 */
export class FrameVector {
  /** The session of each frame. */
  readonly sessions: DataSession[] = [];
  /** The memory that holds each frame. */
  readonly memories: PacketMemory[] = [];
  /** Offset of each frame in its memory. */
  readonly offsets: Int32Array;
  /** Length of each frame in bytes. */
  readonly lengths: Int32Array;
  /** Number of frames. */
  count = 0;
  readonly #blocks: Int32Array;
  readonly #drain: (frames: FrameVector) => void;
  #pool: BlockPool | undefined;

  /** Holds at most `capacity` frames; `drain` writes them to their devices. */
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

  /** Adds a frame that lies in a block of the pool. The vector takes over the block and frees it on `flush`. */
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

  /** Delivers the frames and empties the vector. Does nothing if it is empty. */
  flush(): void {
    if (this.count === 0) return;
    try {
      this.#drain(this);
    } finally {
      // Also if writing fails: the frames are lost then, but their blocks must not be.
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
 * Control messages, in order. Entry i has `lengths[i]` bytes from `offsets[i]` of `batches[i].bytes`, beginning at
 * its flags word (over IP, without the four zero bytes). `endpoints[i]` received it from the source at byte
 * `nameOffsets[i]` of `batches[i].names`. Valid until {@link ControlVector.flush} returns.
 */
export class ControlVector {
  /** The endpoint that received each message. */
  readonly endpoints: Endpoint[] = [];
  /** The batch that holds each message. */
  readonly batches: PacketBatch[] = [];
  /** Offset of each message in the arena. */
  readonly offsets: Int32Array;
  /** Length of each message in bytes. */
  readonly lengths: Int32Array;
  /** Offset of each source in the memory of the names, in bytes; a multiple of 4. */
  readonly nameOffsets: Int32Array;
  /** Number of messages. */
  count = 0;
  readonly #drain: (messages: ControlVector) => void;

  /** Holds at most `capacity` messages; `drain` processes them. */
  constructor(capacity: number, drain: (messages: ControlVector) => void) {
    if (capacity < 1) throw new RangeError(`Cannot hold ${capacity} control messages`);
    this.offsets = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.nameOffsets = new Int32Array(capacity);
    this.#drain = drain;
  }

  /** Adds the message at `offset`, which is all or the end of packet `index` of the batch. */
  push(endpoint: Endpoint, batch: PacketBatch, index: number, offset: number, length: number): void {
    if (this.count === this.offsets.length) this.flush();
    const at = this.count++;
    this.endpoints[at] = endpoint;
    this.batches[at] = batch;
    this.offsets[at] = offset;
    this.lengths[at] = length;
    this.nameOffsets[at] = batch.nameOffsets[index]!;
  }

  /** Passes the messages to `drain` and empties the vector. Does nothing if it is empty. */
  flush(): void {
    if (this.count === 0) return;
    try {
      this.#drain(this);
    } finally {
      this.count = 0;
    }
  }
}

/** The outputs of the receive path. */
export interface ReceiveOutput {
  /** Frames for devices. */
  readonly frames: FrameVector;
  readonly control: ControlVector;
  /** PPP control frames, which begin at their Protocol field; the field is complete. */
  readonly ppp: FrameVector;
}
