/**
 * The shared memory that the data path counts in, given out in slots of one counter view each.
 *
 * @module
 */

import { SyscallError } from "../../base/errors.ts";
import { COUNTERS_BYTES, COUNTERS_LENGTH } from "../../dataplane/mod.ts";

/** Slots unless another number is given. */
const DEFAULT_SLOTS = 131_072;

const ENOSPC = 28;

/** The view of a slot. Whoever holds it must know whether the slot is still given to them. */
export function slotView(memory: SharedArrayBuffer, slot: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(memory, slot * COUNTERS_BYTES, COUNTERS_LENGTH);
}

/** The slots: which are free. */
export class CounterSlots {
  /** The memory; the system provides it where it is touched. */
  readonly memory: SharedArrayBuffer;
  readonly #capacity: number;
  readonly #free: number[] = [];
  /** Slots from here on have never been used. */
  #fresh = 0;

  /** All free. */
  constructor(capacity: number = DEFAULT_SLOTS) {
    this.#capacity = capacity;
    this.memory = new SharedArrayBuffer(capacity * COUNTERS_BYTES);
  }

  /** Slots in use. */
  get used(): number {
    return this.#fresh - this.#free.length;
  }

  /**
   * Takes a slot, all zero.
   *
   * @throws {SyscallError} ENOSPC if all are in use
   */
  take(): number {
    const slot = this.#free.pop();
    if (slot !== undefined) {
      slotView(this.memory, slot).fill(0);
      return slot;
    }
    if (this.#fresh === this.#capacity) throw new SyscallError("taking a counter slot", ENOSPC);
    return this.#fresh++;
  }

  /** Gives a slot back, which nobody writes to any more. */
  free(slot: number): void {
    this.#free.push(slot);
  }
}
