/**
 * Sequence numbers under reordering and loss.
 *
 * @module
 */

import { assert, assertStrictEquals } from "@std/assert";
import { frame, FrameSocket, numberOf } from "../support/traffic.ts";
import { type HostName, type Hosts, other, type Wire } from "./wire.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** Of the first frame. */
const FRAME_BYTES = 200;
/** Frames in flight at once: TAP devices drop frames beyond their queue length. */
const BURST = 10;
/** Frames that are sent behind a disturbance at most until things are as usual again. */
const FLUSH_MAX = 500;
const FLUSH_NAP_MS = 20;

/** Result of a transfer of numbered frames. */
export interface Passage {
  /** Number of sent frames. */
  readonly sent: number;
  /** Numbers of those that arrived, in the order of their arrival. */
  readonly arrived: readonly number[];
  /** Frames that the receiver dropped: out of sequence, timed out, or older than a delivered one. */
  readonly dropped: number;
  /** Frames that the receiver reordered. */
  readonly outOfSequence: number;
}

/** Reports whether the numbers are strictly increasing. */
export function isInOrder(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
}

/** Makes a cable disturb what it carries, and ends that. */
export interface Disturber {
  /** Begins. */
  readonly disturb: () => void | Promise<void>;
  /** Ends the transfer; resolves when no frame is in flight. */
  readonly calm: () => Promise<void>;
}

/**
 * Sends numbered frames over a cable that disturbs all frames but the first, which sets the receiver's initial number.
 * At the end, sends further frames until one arrives in sequence, because a reorder queue checks its timeouts only when
 * another frame arrives.
 */
export async function sendDisturbed(
  { hosts, wire, from }: { readonly hosts: Hosts; readonly wire: Wire; readonly from: HostName },
  count: number,
  { disturb, calm }: Disturber,
): Promise<Passage> {
  const to = other(from);
  using out = new FrameSocket(hosts[from].netns, wire.device);
  using into = new FrameSocket(hosts[to].netns, wire.device);
  const before = wire.counters(to);
  const arrived: number[] = [];
  const rest = async (milliseconds: number): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    for (let next = into.take(); next !== undefined; next = into.take()) arrived.push(numberOf(next));
  };
  let number = 0;
  // Each longer than the one before: so no two are sent as one message, which a cable can but lose or delay whole.
  const send = (): void => out.send(frame(number++, { length: FRAME_BYTES + number }));
  send();
  while (arrived.length === 0) await rest(1);
  await disturb();
  while (number < count) {
    send();
    if (number % BURST === 0) await rest(1);
  }
  await calm();
  for (let last = -1; arrived.at(-1) !== last || last < 0;) {
    assert(number < count + FLUSH_MAX, "things do not become as usual");
    last = number;
    send();
    for (let naps = 0; naps < 10 && arrived.at(-1) !== last; naps++) await rest(FLUSH_NAP_MS);
  }
  const after = wire.counters(to);
  return {
    sent: number,
    arrived,
    dropped: Number(after.rxErrors - before.rxErrors),
    outOfSequence: Number(after.rxOosPackets - before.rxOosPackets),
  };
}

/** All frames arrive, in order, though they did not come so. */
export function assertReordered({ sent, arrived, dropped, outOfSequence }: Passage): void {
  assertDeepStrictEquals(arrived, Array.from({ length: sent }, (_, i) => i));
  assertStrictEquals(dropped, 0);
  assert(outOfSequence > 0, "some were out of sequence");
}

/** Asserts that frames arrive in order, and that the others were dropped by the receiver or lost before it. */
export function assertThinned({ sent, arrived, dropped }: Passage, lost: number): void {
  assert(isInOrder(arrived), `in order: ${arrived.join(" ")}`);
  assertStrictEquals(arrived.length + dropped + lost, sent);
  assert(arrived.length > 0 && dropped + lost > 0);
}
