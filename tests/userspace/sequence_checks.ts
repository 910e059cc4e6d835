/**
 * What sequence numbers are for: what comes in the wrong order, and what never comes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { frame, FrameSocket, numberOf } from "../support/traffic.ts";
import { type HostName, type Hosts, other, type Wire } from "./wire.ts";

/** Of the first frame. */
const FRAME_BYTES = 200;
/** What may be on its way at once: TAP devices drop what waits beyond their queue's length. */
const BURST = 10;
/** Frames that are sent behind a disturbance at most until things are as usual again. */
const FLUSH_MAX = 500;
const FLUSH_NAP_MS = 20;

/** What became of numbered frames. */
export interface Passage {
  /** How many were sent. */
  readonly sent: number;
  /** Numbers of those that arrived, in the order of their arrival. */
  readonly arrived: readonly number[];
  /** How many the receiving end dropped: out of its turn, waited too long, or behind what was delivered already. */
  readonly dropped: number;
  /** How many the receiving end put in front of others. */
  readonly outOfSequence: number;
}

/** Whether each is greater than the one before. */
export function isInOrder(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
}

/** Makes a cable disturb what it carries, and ends that. */
export interface Disturber {
  /** Begins. */
  readonly disturb: () => void | Promise<void>;
  /** Ends it; resolves when nothing is under way any more. */
  readonly calm: () => Promise<void>;
}

/**
 * Sends numbered frames over a cable that disturbs all but the first, which tells the receiver where numbers begin.
 * At the end frames follow until one arrives in its turn, since what waits in a reorder queue looks at its clock
 * when another one comes.
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
    assert.ok(number < count + FLUSH_MAX, "things do not become as usual");
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
  assert.deepEqual(arrived, Array.from({ length: sent }, (_, i) => i));
  assert.equal(dropped, 0);
  assert.ok(outOfSequence > 0, "some were out of sequence");
}

/** What arrives is in order; the rest was dropped by the receiver, or before it. */
export function assertThinned({ sent, arrived, dropped }: Passage, lost: number): void {
  assert.ok(isInOrder(arrived), `in order: ${arrived.join(" ")}`);
  assert.equal(arrived.length + dropped + lost, sent);
  assert.ok(arrived.length > 0 && dropped + lost > 0);
}
