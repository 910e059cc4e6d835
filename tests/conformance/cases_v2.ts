/**
 * Version 2: data packets of PPP sessions without attached PPP, in all forms of the header. §3.1, §4.2, §4.3, §4.5.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import type { Attributes } from "./api.ts";
import { eventually, hex } from "./fixture.ts";
import type { Case, Trial } from "./case.ts";
import { DIFFERENCES } from "./differences.ts";
import { OVER_UDP, Peer } from "./wire.ts";

const { SESSION_CREATE, SESSION_GET } = L2TP_CMD;

const PPP: Attributes = { CONN_ID: 1, SESSION_ID: 11, PEER_SESSION_ID: 21, PW_TYPE: 7 };
const LCP = "ff03 c021 0101 0004";

/** Tunnel 1 of version 2 with PPP session 11. */
function open(t: Trial, session: Attributes = {}): Peer {
  const peer = Peer.open(t, OVER_UDP);
  t.tunnel({ PROTO_VERSION: 2 });
  t.ok(SESSION_CREATE, { ...PPP, ...session });
  return peer;
}

/** A data packet with a sequence number. */
function numbered(sequence: number): Uint8Array<ArrayBuffer> {
  return hex(`0802 0001 000b ${sequence.toString(16).padStart(4, "0")} 0000 ${LCP}`);
}

type Form = readonly [rule: string, packet: string];

const FORMS: readonly Form[] = [
  ["without any field", `0002 0001 000b ${LCP}`],
  ["without address and control field of PPP", "0002 0001 000b c021 0101 0004 0000"],
  ["with Length", `4002 0010 0001 000b ${LCP}`],
  ["with a Length that is wrong, which nobody looks at", `4002 0777 0001 000b ${LCP}`],
  ["with Ns and Nr", `0802 0001 000b 0007 0000 ${LCP}`],
  ["with Offset 0", `0202 0001 000b 0000 ${LCP}`],
  ["with Offset 4", `0202 0001 000b 0004 00000000 ${LCP}`],
  ["with Priority", `0102 0001 000b ${LCP}`],
  ["with Length, Ns, Nr, Offset and Priority", `4b02 001a 0001 000b 0000 0000 0002 0000 ${LCP}`],
];

function form([rule, text]: Form): Case {
  return {
    name: `§3.1 a data packet ${rule} is counted whole`,
    run: (t) => {
      const peer = open(t);
      const packet = hex(text);
      peer.send(packet);
      eventually(() => t.sessionStats(), { RX_PACKETS: 1, RX_BYTES: packet.length });
      eventually(() => t.tunnelStats(), { RX_PACKETS: 1, RX_BYTES: packet.length });
    },
  };
}

type Course = readonly [
  rule: string,
  session: Attributes,
  come: readonly number[],
  counters: Readonly<Record<string, number>>,
];

const COURSES: readonly Course[] = [
  ["the window is 32767 numbers", {}, [10, 11 + 32_767, 11 + 32_766, 11], {
    RX_PACKETS: 2,
    RX_ERRORS: 2,
    RX_SEQ_DISCARDS: 1,
  }],
  ["after a gap five are dropped, the sixth resynchronises", {}, [1, 3, 4, 5, 6, 7, 8, 9], {
    RX_PACKETS: 3,
    RX_ERRORS: 5,
    RX_SEQ_DISCARDS: 5,
  }],
  ["numbers are put in order", { RECV_TIMEOUT: 20_000 }, [0, 2, 1, 3], { RX_PACKETS: 4, RX_OOS_PACKETS: 1 }],
];

function course([rule, session, come, counters]: Course): Case {
  return {
    name: `§4.3 version 2: ${rule}`,
    run: (t) => {
      const peer = open(t, session);
      for (const sequence of come) peer.send(numbered(sequence));
      const bytes = numbered(0).length * counters["RX_PACKETS"]!;
      eventually(() => t.sessionStats(), { ...counters, RX_BYTES: bytes });
    },
  };
}

/** The cases. */
export const V2_CASES: readonly Case[] = [
  ...FORMS.map(form),
  {
    name: "§4.2 version 2: a number turns SEND_SEQ on, none turns it off",
    run: (t) => {
      const peer = open(t);
      const sendSeq = (): boolean => t.fixture.api.client.session({ tunnelId: 1, sessionId: 11 })!.sendSeq;
      peer.send(numbered(0));
      eventually(sendSeq, true);
      peer.send(hex(`0002 0001 000b ${LCP}`));
      eventually(sendSeq, false);
    },
  },
  {
    name: "§4.2 version 2: RECV_SEQ drops packets without number",
    run: (t) => {
      const peer = open(t, { RECV_SEQ: 1 });
      peer.send(hex(`0002 0001 000b ${LCP}`));
      eventually(() => t.sessionStats(), { RX_SEQ_DISCARDS: 1, RX_ERRORS: 1 });
    },
  },
  ...COURSES.map(course),
  {
    name: "§4.5 version 2: a packet of another tunnel id than the socket's",
    run: (t) => {
      const peer = open(t);
      peer.send(hex(`0002 0009 000b ${LCP}`));
      peer.send(hex(`0002 0001 000b ${LCP}`));
      const taken = t.expected(DIFFERENCES.otherTunnelId) ? 2 : 1;
      eventually(() => t.sessionStats()["RX_PACKETS"], taken);
    },
  },
  {
    name: "§3.5 version 2: control messages and unknown sessions never reach the data path",
    run: (t) => {
      const peer = open(t);
      peer.send(hex("c802 0014 0001 0000 0000 0000 8008 0000 0000 0006"));
      peer.send(hex(`0002 0001 000c ${LCP}`));
      peer.send(hex(`0002 0001 000b ${LCP}`));
      eventually(() => t.tunnelStats(), { RX_PACKETS: 1, RX_BYTES: 14 });
    },
  },
  {
    name: "§2.6 version 2: GET of a PPP session has neither name nor cookies",
    run: (t) => {
      open(t, { SEND_SEQ: 1, RECV_SEQ: 1, LNS_MODE: 1 });
      t.ok(SESSION_GET, { CONN_ID: 1, SESSION_ID: 11 });
      const session = t.fixture.api.client.session({ tunnelId: 1, sessionId: 11 })!;
      assertEquals(
        [session.pseudowireType, session.interfaceName, session.cookie, session.peerCookie],
        [7, undefined, undefined, undefined],
      );
      assertEquals([session.sendSeq, session.recvSeq, session.lnsMode], [true, true, true]);
    },
  },
];
