/** Sequence policy, receive window and reorder queue against a slow model of the kernel's rules. */

import { assert, assertStrictEquals } from "@std/assert";
import { readCounters, readDrops } from "../../../src/dataplane/mod.ts";
import { encodeV2DataHeader } from "../../../src/wire/l2tp/data_header_v2.ts";
import { encodeV3DataHeader } from "../../../src/wire/l2tp/data_header_v3.ts";
import { Random } from "../../support/random.ts";
import { DataPathHarness, frame, numberOf } from "../support.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const QUEUE_LIMIT = 12;

interface Waiting {
  readonly ns: number | undefined;
  readonly expires: number;
  readonly id: number;
}

/** The kernel's rules, packet by packet. */
class Model {
  nr = 0;
  skip = true;
  oosLast = 0;
  oosCount = 0;
  queue: Waiting[] = [];
  delivered: number[] = [];
  sendSeq = false;
  rxErrors = 0;
  rxSeqDiscards = 0;
  rxOos = 0;
  full = 0;
  readonly max: number;

  constructor(version: 2 | 3, public timeout: number, public recvSeq: boolean, public lnsMode: boolean) {
    this.max = version === 2 ? 0xffff : 0xffffff;
  }

  receive(id: number, ns: number | undefined, now: number): void {
    // The policy of `l2tp_recv_common`.
    if (ns !== undefined) {
      if (!this.lnsMode && !this.sendSeq) this.sendSeq = true;
    } else {
      if (this.recvSeq) return this.discard();
      if (this.sendSeq && this.lnsMode) return this.discard();
      this.sendSeq = false;
    }
    // `l2tp_recv_data_seq` and `l2tp_recv_queue_skb`.
    const packet = { id, ns, expires: now + (this.timeout > 0 ? this.timeout : 1000) };
    if (ns === undefined) this.queue.push(packet);
    else {
      const distance = ns >= this.nr ? ns - this.nr : this.max + 1 - (this.nr - ns);
      if (distance >= Math.floor(this.max / 2)) {
        this.rxErrors++;
        return;
      }
      if (this.timeout > 0) {
        const place = this.queue.findIndex((other) => (other.ns ?? 0) > ns);
        if (place >= 0) this.rxOos++;
        this.queue.splice(place < 0 ? this.queue.length : place, 0, packet);
      } else {
        if (ns !== this.nr) {
          if (ns === (this.oosLast + 1) % (this.max + 1)) this.oosCount++;
          else this.oosCount = 0;
          this.oosLast = ns;
          if (this.oosCount > 4) this.skip = true;
          if (!this.skip) return this.discard();
        }
        this.queue.push(packet);
      }
    }
    this.dequeue(now);
    // Not in the kernel: the queue is bounded, and the newest packet is dropped.
    if (this.queue.includes(packet) && this.queue.length > QUEUE_LIMIT) {
      this.queue = this.queue.filter((other) => other !== packet);
      this.full++;
      this.rxErrors++;
    }
  }

  dequeue(now: number): void {
    while (this.queue.length > 0) {
      const head = this.queue[0]!;
      if (now > head.expires) {
        this.discard();
        this.skip = true;
        this.queue.shift();
        continue;
      }
      if (head.ns !== undefined) {
        if (this.skip) {
          this.skip = false;
          this.nr = head.ns;
        }
        if (head.ns !== this.nr) return;
      }
      this.queue.shift();
      this.delivered.push(head.id);
      if (head.ns !== undefined) this.nr = (this.nr + 1) % (this.max + 1);
    }
  }

  discard(): void {
    this.rxSeqDiscards++;
    this.rxErrors++;
  }
}

/** The order in which a sender's numbers arrive. */
interface Weather {
  /** One in so many packets is lost, late, repeated, without a number, or random. 0: none. */
  readonly lost: number;
  readonly late: number;
  readonly repeated: number;
  readonly unsequenced: number;
  readonly anywhere: number;
}

Deno.test("reorder store: 600 random histories as in the model", () => {
  const random = new Random(30);
  const rare = (times: number): boolean => times > 0 && random.oneIn(times);
  let queuedMost = 0;
  let expired = 0;
  let full = 0;
  for (let history = 0; history < 600; history++) {
    const version = random.pick([2, 3] as const);
    const timeouts = random.oneIn(3) ? [0] : random.oneIn(2) ? [20] : [0, 5, 20, 100];
    const timeout = random.pick(timeouts);
    const lnsMode = random.oneIn(3);
    const recvSeq = random.oneIn(4);
    const weather: Weather = {
      lost: random.pick([0, 5, 30]),
      late: random.pick([0, 3, 10]),
      repeated: random.pick([0, 10]),
      unsequenced: random.pick([0, 0, 8]),
      anywhere: random.pick([0, 0, 15]),
    };
    const model = new Model(version, timeout, recvSeq, lnsMode);
    const harness = new DataPathHarness({ reorder: { packets: QUEUE_LIMIT } }, random.pick([1, 3, 64]));
    const endpoint = harness.endpoint("udp4");
    const session = harness.session(harness.tunnel(endpoint, { version }), {
      reorderTimeoutMs: timeout,
      recvSeq,
      lnsMode,
      pseudowire: "ppp",
    });
    const half = (model.max + 1) / 2;
    let sender = random.pick([0, 0, half - 5, half + 5, model.max - 40]);
    let now = random.below(1000);
    let id = 0;
    const late: number[] = [];
    const delivered: number[] = [];
    for (let round = 0; round < 30; round++) {
      if (random.oneIn(12)) {
        model.timeout = random.pick(timeouts);
        harness.path.changeSession(session, { reorderTimeoutMs: model.timeout });
      }
      const packets: Uint8Array[] = [];
      for (let count = 1 + random.below(6); count > 0; count--) {
        let ns: number | undefined = sender;
        if (late.length > 0 && random.oneIn(3)) ns = late.shift()!;
        else {
          sender = (sender + 1) & model.max;
          if (rare(weather.lost)) continue;
          if (rare(weather.late)) {
            late.push(ns);
            continue;
          }
          if (rare(weather.repeated)) sender = ns;
        }
        if (rare(weather.unsequenced)) ns = undefined;
        if (rare(weather.anywhere)) ns = random.below(model.max + 1);
        const header = version === 2
          ? encodeV2DataHeader({ tunnelId: 1, sessionId: 1, ns, priority: false })
          : encodeV3DataHeader({ encap: "udp", hasSublayer: true }, {
            sessionId: 1,
            cookie: new Uint8Array(0),
            sequence: ns,
          });
        packets.push(Uint8Array.of(...header, ...frame(id, 20 + random.below(600))));
        model.receive(id++, ns, now);
      }
      for (const each of harness.receive(endpoint, packets, { now })) delivered.push(numberOf(each.bytes));
      now += random.pick([0, 0, 1, 3, 7, 30, 1500]);
      const what = `history ${history}, round ${round}`;
      assertDeepStrictEquals(delivered, model.delivered, what);
      const { rxErrors, rxSeqDiscards, rxOosPackets, rxPackets } = readCounters(session.counters);
      assertDeepStrictEquals(
        [rxErrors, rxSeqDiscards, rxOosPackets, rxPackets].map(Number),
        [model.rxErrors, model.rxSeqDiscards, model.rxOos, model.delivered.length],
        what,
      );
      assertDeepStrictEquals(
        [session.nr, session.queued, session.sendSeq],
        [model.nr, model.queue.length, model.sendSeq],
        what,
      );
      queuedMost = Math.max(queuedMost, session.queued);
    }
    expired += readDrops(session.counters).expired;
    full += readDrops(session.counters).reorder_full;
    assertStrictEquals(readDrops(session.counters).reorder_full, model.full);
    harness.assertConservation();
  }
  assert(queuedMost === QUEUE_LIMIT && expired > 500 && full > 100, `${queuedMost} ${expired} ${full}`);
});
