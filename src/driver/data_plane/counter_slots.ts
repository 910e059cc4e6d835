/**
 * The shared memory that holds the data path's counters, divided into slots of one counter view each.
 *
 * @module
 */

import { SyscallError } from "../../base/errors.ts";
import { COUNTERS_BYTES, COUNTERS_LENGTH } from "../../dataplane/mod.ts";

/** Default number of slots. */
const DEFAULT_SLOTS = 131_072;

const ENOSPC = 28;

/** The counter view of a slot. The caller must know that the slot is still allocated to it. */
export function slotView(memory: SharedArrayBuffer, slot: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(memory, slot * COUNTERS_BYTES, COUNTERS_LENGTH);
}

/** Allocates counter slots. */
export class CounterSlots {
  /** The shared memory of all slots. The kernel provides its pages on first use. */
  readonly memory: SharedArrayBuffer;
  readonly #capacity: number;
  readonly #free: number[] = [];
  /** Slots from this index on were never allocated. */
  #firstUnused = 0;

  /** Creates `capacity` free slots. */
  constructor(capacity: number = DEFAULT_SLOTS) {
    this.#capacity = capacity;
    this.memory = new SharedArrayBuffer(capacity * COUNTERS_BYTES);
  }

  /** Number of allocated slots. */
  get used(): number {
    return this.#firstUnused - this.#free.length;
  }

  /**
   * Allocates a slot, filled with zeros.
   *
   * @throws {SyscallError} ENOSPC if all slots are allocated
   */
  allocate(): number {
    const slot = this.#free.pop();
    if (slot !== undefined) {
      slotView(this.memory, slot).fill(0);
      return slot;
    }
    if (this.#firstUnused === this.#capacity) throw new SyscallError("allocating a counter slot", ENOSPC);
    return this.#firstUnused++;
  }

  /** Frees a slot. No thread may write to it any more. */
  free(slot: number): void {
    this.#free.push(slot);
  }
}
