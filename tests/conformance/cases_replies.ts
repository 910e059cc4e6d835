/**
 * Replies to GET and dumps, attribute by attribute; SESSION_MODIFY and _DELETE. §2.4, §2.6.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import {
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_DONE,
} from "../../src/wire/netlink/constants.ts";
import { type Attributes, listAttributes, type Listed } from "./api.ts";
import { ETH, eventually, IP4, IP6, KEY, UDP4, UDP6 } from "./fixture.ts";
import type { Case } from "./case.ts";
import { DIFFERENCES } from "./differences.ts";
import {
  COOKIE,
  COOKIES,
  CSUM_OFF,
  CSUM_ON,
  flags,
  NAME,
  PEER_COOKIE,
  PORTS,
  SESSION_IDS,
  STATS,
  tunnelHead,
  V4,
  V6,
  ZERO_RX,
  ZERO_TX,
} from "./reply_lists.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const { TUNNEL_GET } = L2TP_CMD;
const { SESSION_CREATE, SESSION_DELETE, SESSION_MODIFY, SESSION_GET } = L2TP_CMD;

const TX = { UDP_ZERO_CSUM6_TX: true } as const;
const RX = { UDP_ZERO_CSUM6_RX: true } as const;

type TunnelReply = readonly [rule: string, created: Attributes, reply: readonly Listed[]];

const TUNNEL_REPLIES: readonly TunnelReply[] = [
  ["UDP over IPv4", UDP4, [...tunnelHead("00"), CSUM_OFF, ...PORTS, ...V4]],
  ["UDP over IPv4 with checksums", { ...UDP4, UDP_CSUM: 1 }, [...tunnelHead("00"), CSUM_ON, ...PORTS, ...V4]],
  ["IPv4", IP4, [...tunnelHead("01"), ...V4]],
  ["UDP over IPv6", UDP6, [...tunnelHead("00"), ...PORTS, ...V6]],
  ["UDP over IPv6, zero checksums sent", { ...UDP6, ...TX }, [...tunnelHead("00"), ZERO_TX, ...PORTS, ...V6]],
  ["UDP over IPv6, zero checksums taken", { ...UDP6, ...RX }, [
    ...tunnelHead("00"),
    ZERO_RX,
    ...PORTS,
    ...V6,
  ]],
  ["UDP over IPv6, zero checksums both ways", { ...UDP6, ...RX, ...TX }, [
    ...tunnelHead("00"),
    ZERO_TX,
    ZERO_RX,
    ...PORTS,
    ...V6,
  ]],
  ["IPv6", IP6, [...tunnelHead("01"), ...V6]],
];

function tunnelReply([rule, created, expected]: TunnelReply): Case {
  return {
    name: `§2.4 TUNNEL_GET, ${rule}: each attribute in its place`,
    run: (t) => {
      t.tunnel({}, created);
      const { replies } = t.ok(TUNNEL_GET, { CONN_ID: 1 });
      const [reply] = replies;
      assertStrictEquals(replies.length, 1);
      assertEquals(listAttributes(reply!.payload), expected);
      assertDeepStrictEquals([...reply!.payload.subarray(0, 4)], [TUNNEL_GET, 1, 0, 0]);
      assertStrictEquals(reply!.flags, NLM_F_ACK, "the flag that means nothing here");
    },
  };
}

type SessionReply = readonly [rule: string, changes: Attributes, reply: readonly Listed[]];

const SESSION_REPLIES: readonly SessionReply[] = [
  ["nothing set", {}, [...SESSION_IDS, NAME, ...flags("00", "00", "00"), STATS]],
  ["cookies", COOKIES, [...SESSION_IDS, NAME, COOKIE, PEER_COOKIE, ...flags("00", "00", "00"), STATS]],
  ["one cookie", { COOKIE: COOKIES.COOKIE }, [
    ...SESSION_IDS,
    NAME,
    COOKIE,
    ...flags("00", "00", "00"),
    STATS,
  ]],
  ["the other cookie", { PEER_COOKIE: COOKIES.PEER_COOKIE }, [
    ...SESSION_IDS,
    NAME,
    PEER_COOKIE,
    ...flags("00", "00", "00"),
    STATS,
  ]],
  ["everything set", { ...COOKIES, RECV_SEQ: 1, SEND_SEQ: 1, LNS_MODE: 1, RECV_TIMEOUT: 1000 }, [
    ...SESSION_IDS,
    NAME,
    COOKIE,
    PEER_COOKIE,
    ...flags("01", "01", "01"),
    ["RECV_TIMEOUT", "e803000000000000"],
    STATS,
  ]],
];

function sessionReply([rule, changes, expected]: SessionReply): Case {
  return {
    name: `§2.6 SESSION_GET, ${rule}: each attribute in its place`,
    run: (t) => {
      t.tunnel();
      t.session(changes);
      for (const key of [KEY, { IFNAME: "pw0" }, { CONN_ID: 77, SESSION_ID: 77, IFNAME: "pw0" }]) {
        const { replies } = t.ok(SESSION_GET, key);
        const [reply] = replies;
        assertStrictEquals(replies.length, 1);
        assertEquals(listAttributes(reply!.payload), expected);
        assertDeepStrictEquals([...reply!.payload.subarray(0, 4)], [SESSION_GET, 1, 0, 0]);
        assertStrictEquals(reply!.flags, 0);
      }
    },
  };
}

function first(reply: { payload: Uint8Array }, name: string): unknown {
  return listAttributes(reply.payload).find(([other]) => other === name)?.[1];
}

const DUMPS: readonly Case[] = [
  {
    name: "§2.4 a dump ends with DONE, of several messages, and needs no acknowledgement beside it",
    run: (t) => {
      t.tunnel();
      const flags = NLM_F_REQUEST | NLM_F_DUMP | NLM_F_ACK;
      for (const command of [TUNNEL_GET, SESSION_GET]) {
        const { code, end } = t.call(command, {}, { flags });
        assertEquals([code, end.type, end.flags & NLM_F_MULTI], ["OK", NLMSG_DONE, NLM_F_MULTI]);
        // The next answer is the next request's: nothing else was on its way.
        assertStrictEquals(t.ok(L2TP_CMD.NOOP, {}).replies.length, 1);
      }
    },
  },
  {
    name: "§2.4 §2.6 dumps of nothing",
    run: (t) => {
      for (const command of [TUNNEL_GET, SESSION_GET]) {
        const { code, replies } = t.fixture.api.dump(command);
        assertDeepStrictEquals([code, replies.length], ["OK", 0]);
      }
      t.tunnel();
      assertStrictEquals(t.fixture.api.dump(SESSION_GET).replies.length, 0);
    },
  },
  {
    name: "§2.4 a dump lists tunnels by ascending id, each as MULTI, whatever attributes ask",
    run: (t) => {
      const ids = [500, 3, 0x80000000, 77, 1];
      ids.forEach((id, i) => t.tunnel({ CONN_ID: id, UDP_SPORT: 5000 + i }));
      for (const attributes of [{}, { CONN_ID: 3 }, { CONN_ID: 9999 }]) {
        const { code, replies } = t.fixture.api.dump(TUNNEL_GET, attributes);
        assertStrictEquals(code, "OK");
        const found = replies.map(({ payload }) => listAttributes(payload)[1]);
        assertEquals(
          found,
          ["01000000", "03000000", "4d000000", "f4010000", "00000080"].map((id) => ["CONN_ID", id]),
        );
        for (const { flags } of replies) assertStrictEquals(flags & NLM_F_MULTI, NLM_F_MULTI);
      }
    },
  },
  {
    name: "§2.6 a dump lists the sessions of all tunnels, tunnels by ascending id",
    run: (t) => {
      t.tunnel({ CONN_ID: 5, UDP_SPORT: 5005 });
      t.tunnel({ CONN_ID: 2 });
      let n = 0;
      for (const [tunnel, session] of [[5, 1], [2, 9], [5, 7], [2, 3]] as const) {
        t.session({ CONN_ID: tunnel, SESSION_ID: session, IFNAME: `pw${n++}` });
      }
      const found = t.fixture.api.client.sessions().map(({ tunnelId, sessionId }) => [tunnelId, sessionId]);
      assertEquals(found.map(([tunnelId]) => tunnelId), [2, 2, 5, 5]);
      const sorted = found.toSorted(([a, b], [c, d]) => a! - c! || b! - d!);
      assertEquals(sorted, [[2, 3], [2, 9], [5, 1], [5, 7]]);
      // Before 6.10 the sessions of a tunnel come in no order to rely on.
      if (t.fixture.subject.modern) assertDeepStrictEquals(found, sorted);
    },
  },
  {
    name: "§2.6 a dump's session has the same attributes as GET's",
    run: (t) => {
      t.tunnel();
      t.session(COOKIES);
      const [dumped] = t.fixture.api.dump(SESSION_GET).replies;
      const [got] = t.ok(SESSION_GET, KEY).replies;
      assertEquals(dumped!.payload, got!.payload);
    },
  },
  {
    name: "§2.4 a dump of 200 tunnels and sessions is whole",
    run: (t) => {
      for (let id = 1; id <= 200; id++) {
        t.tunnel({ CONN_ID: id, UDP_SPORT: 10_000 + id });
      }
      const ids = t.fixture.api.client.tunnels().map(({ tunnelId }) => tunnelId);
      assertDeepStrictEquals(ids, Array.from({ length: 200 }, (_, i) => i + 1));
    },
  },
  {
    name: "§2.4 tunnels and sessions of another namespace are not listed",
    run: (t) => {
      t.tunnel();
      t.session();
      using other = t.fixture.subject.open(t.fixture.b);
      assertEquals([other.client.tunnels(), other.client.sessions()], [[], []]);
      assertStrictEquals(other.call(TUNNEL_GET, { CONN_ID: 1 }).code, "ENODEV");
      assertStrictEquals(other.call(SESSION_GET, { IFNAME: "pw0" }).code, "ENODEV");
      assertStrictEquals(other.call(SESSION_CREATE, ETH).code, "ENODEV");
    },
  },
  {
    name: "§2.6 version 2: session 0 is not listed, others are",
    run: (t) => {
      t.tunnel({ PROTO_VERSION: 2 });
      const ppp: Attributes = { CONN_ID: 1, PEER_SESSION_ID: 21, PW_TYPE: 7 };
      t.ok(SESSION_CREATE, { ...ppp, SESSION_ID: 0 });
      t.ok(SESSION_CREATE, { ...ppp, SESSION_ID: 5 });
      assertDeepStrictEquals(
        t.fixture.api.client.sessions().map(({ sessionId }) => sessionId).toSorted(),
        t.expected(DIFFERENCES.session0Listed) ? [0, 5] : [5],
      );
      assert(t.hasSession(1, 5));
    },
  },
  {
    name: "§2.5 version 2 with PPP: cookies and IFNAME are ignored, no interface is made",
    run: (t) => {
      t.tunnel({ PROTO_VERSION: 2 });
      const links = t.fixture.linkNames();
      t.ok(SESSION_CREATE, { ...ETH, PW_TYPE: 7, L2SPEC_TYPE: 1, ...COOKIES });
      const [reply] = t.ok(SESSION_GET, KEY).replies;
      assertStrictEquals(first(reply!, "PW_TYPE"), "0700");
      for (const name of ["IFNAME", "COOKIE", "PEER_COOKIE"]) {
        assertStrictEquals(first(reply!, name), undefined, name);
      }
      assertEquals(t.fixture.linkNames(), links);
      t.ok(SESSION_DELETE, KEY);
      eventually(() => t.hasSession(1, 11), false);
    },
  },
];

const MODIFY: readonly Case[] = [
  ...(["RECV_SEQ", "SEND_SEQ", "LNS_MODE"] as const).map((name): Case => ({
    name: `§2.6 SESSION_MODIFY ${name}: bit 0, on and off, by ids and by name`,
    run: (t) => {
      t.tunnel();
      t.session();
      for (const key of [KEY, { IFNAME: "pw0" }]) {
        for (const [value, read] of [[1, "01"], [2, "00"], [3, "01"], [0, "00"]] as const) {
          t.ok(SESSION_MODIFY, { ...key, [name]: value });
          assertStrictEquals(first(t.ok(SESSION_GET, KEY).replies[0]!, name), read);
        }
      }
    },
  })),
  {
    name: "§2.6 SESSION_MODIFY leaves what it does not name",
    run: (t) => {
      t.tunnel();
      t.session({ RECV_SEQ: 1, SEND_SEQ: 1, LNS_MODE: 1, RECV_TIMEOUT: 1000 });
      const before = t.ok(SESSION_GET, KEY).replies[0]!.payload;
      t.ok(SESSION_MODIFY, KEY);
      assertEquals(t.ok(SESSION_GET, KEY).replies[0]!.payload, before);
      t.ok(SESSION_MODIFY, { ...KEY, RECV_SEQ: 0 });
      const after = listAttributes(t.ok(SESSION_GET, KEY).replies[0]!.payload);
      assertEquals(after.filter(([name]) => /SEQ|LNS|TIMEOUT/.test(name)), [
        ...flags("00", "01", "01"),
        ["RECV_TIMEOUT", "e803000000000000"],
      ]);
    },
  },
  {
    name: "§2.6 SESSION_MODIFY cannot change cookies, sublayer, ids",
    run: (t) => {
      t.tunnel();
      t.session();
      const before = t.ok(SESSION_GET, KEY).replies[0]!.payload;
      t.ok(SESSION_MODIFY, {
        ...KEY,
        ...COOKIES,
        L2SPEC_TYPE: 0,
        PEER_SESSION_ID: 99,
        PEER_CONN_ID: 98,
        PW_TYPE: 7,
      });
      assertEquals(t.ok(SESSION_GET, KEY).replies[0]!.payload, before);
    },
  },
  {
    name: "§2.6 RECV_TIMEOUT is reported unless it is 0; stored in ticks, rounded up",
    run: (t) => {
      t.tunnel();
      t.session();
      const read = (ms: number): number => {
        t.ok(SESSION_MODIFY, { ...KEY, RECV_TIMEOUT: ms });
        return t.fixture.api.client.session({ tunnelId: 1, sessionId: 11 })!.reorderTimeoutMs;
      };
      const tick = read(1);
      assert([1, 4, 10].includes(tick), `a tick of ${tick} ms`);
      for (const ms of [100, 333, 1500]) assertStrictEquals(read(ms), Math.ceil(ms / tick) * tick);
      t.ok(SESSION_MODIFY, { ...KEY, RECV_TIMEOUT: 0 });
      assertStrictEquals(first(t.ok(SESSION_GET, KEY).replies[0]!, "RECV_TIMEOUT"), undefined);
    },
  },
  {
    name: "§2.6 sessions are known by the name at creation: renames are not followed",
    run: (t) => {
      t.tunnel();
      t.session();
      t.fixture.rename("pw0", "other");
      assertStrictEquals(t.call(SESSION_GET, { IFNAME: "other" }).code, "ENODEV");
      assertStrictEquals(first(t.ok(SESSION_GET, { IFNAME: "pw0" }).replies[0]!, "IFNAME"), "70773000");
      t.ok(SESSION_DELETE, { IFNAME: "pw0" });
      eventually(() => [t.hasSession(1, 11), t.fixture.links.link("other")], [false, undefined]);
    },
  },
  {
    name: "§2.6 SESSION_DELETE by ids: interface, id and name are free again, the tunnel stays",
    run: (t) => {
      t.tunnel();
      t.session();
      t.ok(SESSION_DELETE, KEY);
      const gone = (): unknown => [t.hasSession(1, 11), t.fixture.links.link("pw0")];
      if (t.expected(DIFFERENCES.deletionAtOnce)) assertEquals(gone(), [false, undefined]);
      else eventually(gone, [false, undefined]);
      assert(t.hasTunnel(1));
      t.session();
    },
  },
  {
    name: "§2.6 SESSION_DELETE by name, beside ids of another session: the name wins",
    run: (t) => {
      t.tunnel();
      t.session();
      t.session({ SESSION_ID: 12, IFNAME: "pw1" });
      t.ok(SESSION_DELETE, { ...KEY, IFNAME: "pw1" });
      eventually(() => [t.hasSession(1, 11), t.hasSession(1, 12)], [true, false]);
    },
  },
];

/** The cases. */
export const REPLY_CASES: readonly Case[] = [
  ...TUNNEL_REPLIES.map(tunnelReply),
  ...SESSION_REPLIES.map(sessionReply),
  ...DUMPS,
  ...MODIFY,
];
