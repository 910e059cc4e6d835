/**
 * Sequence numbers as they come in: the policy, the window, putting packets in order. §4.2, §4.3.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import type { Attributes } from "./api.ts";
import { eventually, KEY } from "./fixture.ts";
import type { Case, Trial } from "./case.ts";
import { wire } from "./cases_data.ts";
import { CARRIERS, data, frame, OVER_UDP } from "./wire.ts";

/** Flags of session 11 as they are now. */
function sendSeq(t: Trial): boolean {
  return t.fixture.api.client.session({ tunnelId: 1, sessionId: 11 })!.sendSeq;
}

type Policy = readonly [
  rule: string,
  session: Attributes,
  sequence: number | undefined,
  delivered: boolean,
  sendSeqAfter: boolean,
];

const POLICY: readonly Policy[] = [
  ["a number, nothing set: SEND_SEQ is turned on", {}, 7, true, true],
  ["a number, LNS_MODE: SEND_SEQ stays off", { LNS_MODE: 1 }, 7, true, false],
  ["a number, SEND_SEQ: it stays on", { SEND_SEQ: 1 }, 7, true, true],
  ["a number, RECV_SEQ: taken, SEND_SEQ is turned on", { RECV_SEQ: 1 }, 7, true, true],
  ["a number, RECV_SEQ and LNS_MODE: taken", { RECV_SEQ: 1, LNS_MODE: 1 }, 7, true, false],
  ["none, nothing set: taken", {}, undefined, true, false],
  ["none, LNS_MODE: taken", { LNS_MODE: 1 }, undefined, true, false],
  ["none, RECV_SEQ: dropped", { RECV_SEQ: 1 }, undefined, false, false],
  ["none, RECV_SEQ and LNS_MODE: dropped", { RECV_SEQ: 1, LNS_MODE: 1 }, undefined, false, false],
  [
    "none, RECV_SEQ and SEND_SEQ: dropped, SEND_SEQ stays on",
    { RECV_SEQ: 1, SEND_SEQ: 1 },
    undefined,
    false,
    true,
  ],
  ["none, SEND_SEQ: taken, SEND_SEQ is turned off", { SEND_SEQ: 1 }, undefined, true, false],
  ["none, SEND_SEQ and LNS_MODE: dropped", { SEND_SEQ: 1, LNS_MODE: 1 }, undefined, false, true],
];

function policy([rule, session, sequence, delivered, after]: Policy): Case {
  return {
    name: `§4.2 ${rule}`,
    run: (t) => {
      const { eth, peer } = wire(t, OVER_UDP, session);
      const packet = data("udp", frame(1), sequence === undefined ? {} : { sequence });
      peer.send(packet);
      if (delivered) {
        eth.expect(frame(1));
        eventually(() => t.sessionStats(), { RX_PACKETS: 1, RX_BYTES: packet.length });
      } else {
        eventually(() => t.sessionStats(), { RX_SEQ_DISCARDS: 1, RX_ERRORS: 1 });
        assertEquals(t.tunnelStats(), {}, "errors are the session's alone");
        eth.expectNothing();
      }
      assertStrictEquals(sendSeq(t), after);
    },
  };
}

/** Received packets, the delivered ones in order, and the counters beside RX_PACKETS and RX_BYTES. */
interface Course {
  readonly rule: string;
  readonly session?: Attributes;
  /** Sequence numbers; `undefined` is a packet without one, `{sleep}` a pause in milliseconds. */
  readonly come: readonly (number | undefined | { readonly sleep: number })[];
  /** Positions among the packets that come of what is delivered. */
  readonly delivered: readonly number[];
  readonly counters?: Readonly<Record<string, number>>;
}

const HALF = 0x7fffff;
const LONG = { RECV_TIMEOUT: 20_000 };
const SHORT = { RECV_TIMEOUT: 100 };
const PAUSE = { sleep: 400 };

const COURSES: readonly Course[] = [
  { rule: "numbers in order are delivered", come: [0, 1, 2, 3], delivered: [0, 1, 2, 3] },
  { rule: "the first number sets the next", come: [1000, 1001, 1002], delivered: [0, 1, 2] },
  {
    rule: "timeout 0: after a gap all are dropped, up to the fifth in a row; the sixth resynchronises",
    come: [10, 12, 13, 14, 15, 16, 17, 18],
    delivered: [0, 6, 7],
    counters: { RX_SEQ_DISCARDS: 5, RX_ERRORS: 5 },
  },
  {
    rule: "timeout 0: another gap starts the count anew",
    come: [10, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24],
    delivered: [0, 11, 12],
    counters: { RX_SEQ_DISCARDS: 10, RX_ERRORS: 10 },
  },
  {
    rule: "timeout 0: what was expected still counts after a gap",
    come: [10, 12, 11, 12],
    delivered: [0, 2, 3],
    counters: { RX_SEQ_DISCARDS: 1, RX_ERRORS: 1 },
  },
  {
    rule: "a number from the past is outside of the window: an error, no sequence discard",
    come: [10, 11, 10, 12],
    delivered: [0, 1, 3],
    counters: { RX_ERRORS: 1 },
  },
  {
    rule: "the window ends before half of the numbers",
    come: [10, 11 + HALF, 11 + HALF - 1, 11],
    delivered: [0, 3],
    counters: { RX_ERRORS: 2, RX_SEQ_DISCARDS: 1 },
  },
  {
    rule: "the window holds for the first number too: the upper half is refused",
    come: [HALF, 0xffffff, HALF - 1, HALF],
    delivered: [2, 3],
    counters: { RX_ERRORS: 2 },
  },
  {
    rule: "packets without number pass by, with timeout 0",
    come: [10, undefined, 11],
    delivered: [0, 1, 2],
  },
  {
    rule: "timeout: numbers out of order are put in order",
    session: LONG,
    come: [0, 2, 1, 3],
    delivered: [0, 2, 1, 3],
    counters: { RX_OOS_PACKETS: 1 },
  },
  {
    rule: "timeout: in reverse order each insertion counts",
    session: LONG,
    come: [0, 5, 4, 3, 2, 1, 6],
    delivered: [0, 5, 4, 3, 2, 1, 6],
    counters: { RX_OOS_PACKETS: 4 },
  },
  {
    rule: "timeout: what waits is given up when it has expired and something comes",
    session: SHORT,
    come: [0, 2, PAUSE, 3, 4],
    delivered: [0, 2, 3],
    counters: { RX_SEQ_DISCARDS: 1, RX_ERRORS: 1 },
  },
  {
    rule: "timeout: all that waits expires",
    session: SHORT,
    come: [0, 2, 3, 5, PAUSE, 9, 10],
    delivered: [0, 4, 5],
    counters: { RX_SEQ_DISCARDS: 3, RX_ERRORS: 3 },
  },
  {
    rule: "timeout: a number from the past is outside of the window",
    session: LONG,
    come: [5, 6, 4, 7],
    delivered: [0, 1, 3],
    counters: { RX_ERRORS: 1 },
  },
  {
    rule: "timeout: a packet without number waits behind those that wait",
    session: LONG,
    come: [0, 2, undefined, 1],
    delivered: [0, 3, 1, 2],
    counters: { RX_OOS_PACKETS: 1 },
  },
];

function course({ rule, session = {}, come, delivered, counters = {} }: Course): Case {
  return {
    name: `§4.3 ${rule}`,
    run: (t) => {
      const { eth, peer } = wire(t, OVER_UDP, session);
      let length = 0;
      let position = 0;
      for (const step of come) {
        if (typeof step === "object") {
          t.sleep(step.sleep);
          continue;
        }
        const packet = data("udp", frame(position++), step === undefined ? {} : { sequence: step });
        length = packet.length;
        peer.send(packet);
      }
      eth.expect(...delivered.map((at) => frame(at)));
      const received = { RX_PACKETS: delivered.length, RX_BYTES: delivered.length * length };
      eventually(() => t.sessionStats(), { ...received, ...counters });
      eventually(() => t.tunnelStats(), received, "errors are the session's alone");
      eth.expectNothing();
    },
  };
}

/** The cases. */
export const SEQUENCE_CASES: readonly Case[] = [
  ...POLICY.map(policy),
  {
    name: "§4.2 without sublayer RECV_SEQ drops everything",
    run: (t) => {
      const { eth, peer } = wire(t, OVER_UDP, { RECV_SEQ: 1, L2SPEC_TYPE: 0 });
      peer.send(data("udp", frame(1), { l2spec: "none" }));
      eventually(() => t.sessionStats(), { RX_SEQ_DISCARDS: 1, RX_ERRORS: 1 });
      eth.expectNothing();
    },
  },
  {
    name: "§4.2 SEND_SEQ that the peer turns on and off notifies of nothing, and shows in what is sent",
    run: (t) => {
      const { eth, peer } = wire(t);
      const said = t.fixture.notifications(() => {
        peer.send(data("udp", frame(1), { sequence: 0 }));
        eth.expect(frame(1));
        eth.send(frame(2));
        peer.expect(data("udp", frame(2), { sessionId: 21, sequence: 0 }));
        peer.send(data("udp", frame(3)));
        eth.expect(frame(3));
        eth.send(frame(4));
        peer.expect(data("udp", frame(4), { sessionId: 21 }));
      });
      assertEquals(said, []);
    },
  },
  {
    name: "§4.2 RECV_SEQ can be set while packets come",
    run: (t) => {
      const { eth, peer } = wire(t);
      peer.send(data("udp", frame(1)));
      eth.expect(frame(1));
      t.ok(L2TP_CMD.SESSION_MODIFY, { ...KEY, RECV_SEQ: 1 });
      peer.send(data("udp", frame(2)));
      eventually(() => t.sessionStats()["RX_SEQ_DISCARDS"], 1);
      t.ok(L2TP_CMD.SESSION_MODIFY, { ...KEY, RECV_SEQ: 0 });
      peer.send(data("udp", frame(3)));
      eth.expect(frame(3));
    },
  },
  ...COURSES.map(course),
  ...CARRIERS.slice(1).map((carrier): Case => ({
    name: `§4.3 ${carrier.name}: put in order, with cookies`,
    run: (t) => {
      const cookie = Uint8Array.of(1, 2, 3, 4);
      const { eth, peer } = wire(t, carrier, { ...LONG, RECV_SEQ: 1, PEER_COOKIE: cookie });
      for (const sequence of [0, 3, 1, 2, 4]) {
        peer.send(data(carrier.encap, frame(sequence), { sequence, cookie }));
      }
      eth.expect(...[0, 1, 2, 3, 4].map((number) => frame(number)));
      eventually(() => t.sessionStats()["RX_OOS_PACKETS"], 2);
    },
  })),
];
