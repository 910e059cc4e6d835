/** `src/wire/genl/l2tp/session.ts`: requests as `ip l2tp` sends them, replies as the kernel does. */

import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { formatHex } from "../../../../src/base/hex.ts";
import { ZERO_COUNTERS } from "../../../../src/model/counters.ts";
import type {
  Session,
  SessionChanges,
  SessionKey,
  SessionParameters,
} from "../../../../src/model/session.ts";
import { decodeGenl } from "../../../../src/wire/genl/header.ts";
import { L2TP_ATTR, L2TP_CMD } from "../../../../src/wire/genl/l2tp/constants.ts";
import {
  decodeSession,
  encodeSession,
  encodeSessionCommand,
  encodeSessionCreate,
  encodeSessionDump,
  encodeSessionModify,
} from "../../../../src/wire/genl/l2tp/session.ts";
import { AttributeReader, AttributeWriter } from "../../../../src/wire/netlink/attribute.ts";
import { assertDecodeError } from "../../../support/decode_errors.ts";
import { goldenMessages, goldenPayload, hexBytes } from "../../../support/golden.ts";
import { COUNTERS, sampleSession } from "../../../support/samples.ts";
import { assertDeepStrictEquals } from "../../../support/assertions.ts";

/** Numbers and payloads of a request's attributes, in order. */
function attributesOf(payload: Uint8Array): [number, string][] {
  const { attributes } = decodeGenl(payload);
  const all: [number, string][] = [];
  while (attributes.next()) all.push([attributes.type, formatHex(attributes.bytes())]);
  return all;
}

const PLAIN: SessionParameters = { tunnelId: 3000, sessionId: 1000, peerSessionId: 2000 };
const COOKIE = hexBytes("deadbeefcafebabe");
const PEER_COOKIE = hexBytes("01020304");

Deno.test("encodeSessionCreate() sends what `ip l2tp add session` sends", () => {
  const full = encodeSessionCreate({
    ...PLAIN,
    cookie: COOKIE,
    peerCookie: PEER_COOKIE,
    sendSeq: true,
    recvSeq: true,
    interfaceName: "l2e0",
  });
  assertStrictEquals(formatHex(full), formatHex(goldenPayload("l2tp/session_create_request")));
  const bare = encodeSessionCreate({ tunnelId: 3001, sessionId: 1001, peerSessionId: 2001, l2spec: "none" });
  assertStrictEquals(formatHex(bare), formatHex(goldenPayload("l2tp/session_create_no_l2spec_request")));
});

const BASE: [number, string][] = [
  [9, "b80b0000"],
  [10, "00000000"],
  [11, "e8030000"],
  [12, "d0070000"],
  [1, "0500"],
  [5, "01"],
  [6, "04"],
];

Deno.test("encodeSessionCreate(): each parameter and the attributes it becomes", () => {
  const table: [name: string, changes: Partial<SessionParameters>, expected: [number, string][]][] = [
    ["plain", {}, BASE],
    ["peer tunnel", { peerTunnelId: 4000 }, BASE.with(1, [10, "a00f0000"])],
    ["eth", { pseudowire: "eth" }, BASE],
    ["ppp", { pseudowire: "ppp" }, BASE.with(4, [1, "0700"])],
    ["default sublayer", { l2spec: "default" }, BASE],
    ["no sublayer", { l2spec: "none" }, [...BASE.slice(0, 5), [5, "00"], [6, "00"]]],
    ["seq recv", { recvSeq: true }, [...BASE, [18, "01"]]],
    ["seq send", { sendSeq: true }, [...BASE, [19, "01"]]],
    ["seq none", { sendSeq: false, recvSeq: false }, BASE],
    ["cookies", { cookie: COOKIE, peerCookie: PEER_COOKIE }, [
      ...BASE,
      [15, "deadbeefcafebabe"],
      [16, "01020304"],
    ]],
    ["name", { interfaceName: "pw%d" }, [...BASE, [8, "7077256400"]]],
    ["LNS mode", { lnsMode: true }, [...BASE, [20, "01"]]],
    ["no LNS mode", { lnsMode: false }, BASE],
    ["timeout", { reorderTimeoutMs: 1500 }, [...BASE, [22, "dc05000000000000"]]],
    ["timeout of 49 days", { reorderTimeoutMs: 0xffffffff }, [...BASE, [22, "ffffffff00000000"]]],
    ["no timeout", { reorderTimeoutMs: 0 }, [...BASE, [22, "0000000000000000"]]],
    ["everything", {
      cookie: PEER_COOKIE,
      peerCookie: COOKIE,
      sendSeq: true,
      recvSeq: true,
      interfaceName: "a",
      lnsMode: true,
      reorderTimeoutMs: 1,
    }, [
      ...BASE,
      [18, "01"],
      [19, "01"],
      [15, "01020304"],
      [16, "deadbeefcafebabe"],
      [8, "6100"],
      [20, "01"],
      [22, "0100000000000000"],
    ]],
  ];
  for (const [name, changes, expected] of table) {
    const payload = encodeSessionCreate({ ...PLAIN, ...changes });
    assertStrictEquals(formatHex(payload.subarray(0, 4)), "05010000", name);
    assertDeepStrictEquals(attributesOf(payload), expected, name);
  }
});

const BY_IDS: SessionKey = { tunnelId: 3000, sessionId: 1000 };
const BY_NAME: SessionKey = { interfaceName: "l2e0" };

Deno.test("encodeSessionCommand() names a session by ids, as `ip l2tp` does, or by interface", () => {
  const { SESSION_DELETE, SESSION_GET } = L2TP_CMD;
  const deleted = encodeSessionCommand(SESSION_DELETE, BY_IDS);
  assertStrictEquals(formatHex(deleted), formatHex(goldenPayload("l2tp/session_delete_request")));
  const byIds: [number, string][] = [[9, "b80b0000"], [11, "e8030000"]];
  const byName: [number, string][] = [[8, "6c32653000"]];
  for (const command of [SESSION_DELETE, SESSION_GET] as const) {
    assertStrictEquals(encodeSessionCommand(command, BY_IDS)[0], command);
    assertDeepStrictEquals(attributesOf(encodeSessionCommand(command, BY_IDS)), byIds);
    assertDeepStrictEquals(attributesOf(encodeSessionCommand(command, BY_NAME)), byName);
  }
});

Deno.test("encodeSessionDump() sends what `ip l2tp show session` sends", () => {
  assertStrictEquals(formatHex(encodeSessionDump()), formatHex(goldenPayload("l2tp/session_dump_request")));
});

Deno.test("encodeSessionModify() sends the changes that are there, off as well as on", () => {
  const key: [number, string][] = [[9, "b80b0000"], [11, "e8030000"]];
  const table: [changes: SessionChanges, expected: [number, string][]][] = [
    [{}, key],
    [{ recvSeq: true }, [...key, [18, "01"]]],
    [{ recvSeq: false }, [...key, [18, "00"]]],
    [{ sendSeq: true }, [...key, [19, "01"]]],
    [{ sendSeq: false }, [...key, [19, "00"]]],
    [{ lnsMode: true }, [...key, [20, "01"]]],
    [{ lnsMode: false }, [...key, [20, "00"]]],
    [{ reorderTimeoutMs: 0 }, [...key, [22, "0000000000000000"]]],
    [{ reorderTimeoutMs: 250 }, [...key, [22, "fa00000000000000"]]],
    [{ sendSeq: undefined, lnsMode: undefined }, key],
  ];
  for (const [changes, expected] of table) {
    const payload = encodeSessionModify(BY_IDS, changes);
    assertStrictEquals(formatHex(payload.subarray(0, 4)), "07010000");
    assertDeepStrictEquals(attributesOf(payload), expected, JSON.stringify(changes));
  }
  assertEquals(attributesOf(encodeSessionModify(BY_NAME, { lnsMode: true })), [[8, "6c32653000"], [
    20,
    "01",
  ]]);
});

/** Sessions of the captured dump: one with all options, and one without. */
const DUMPED: Session[] = [
  sampleSession({ cookie: COOKIE, peerCookie: PEER_COOKIE, sendSeq: true, recvSeq: true }),
  sampleSession({
    tunnelId: 3001,
    sessionId: 1001,
    peerTunnelId: 4001,
    peerSessionId: 2001,
    interfaceName: "l2tpeth0",
  }),
];

Deno.test("decodeSession() reads the kernel's dump; nothing of the first session is left in the second", () => {
  const read = goldenMessages("l2tp/session_dump_reply")
    .map(({ payload }) => decodeSession(decodeGenl(payload).attributes));
  assertDeepStrictEquals(read, DUMPED);
});

Deno.test("encodeSession() gives the kernel's dump back byte for byte", () => {
  for (const [i, { payload }] of goldenMessages("l2tp/session_dump_reply").entries()) {
    assertStrictEquals(formatHex(encodeSession(L2TP_CMD.SESSION_GET, DUMPED[i]!)), formatHex(payload));
  }
});

Deno.test("encodeSession() and decodeSession(): every attribute both ways", () => {
  const table: [name: string, session: Session][] = [
    ["plain", sampleSession()],
    ["ppp without interface", sampleSession({ pseudowireType: 7, interfaceName: undefined })],
    ["cookie only", sampleSession({ cookie: PEER_COOKIE })],
    ["peer cookie only", sampleSession({ peerCookie: COOKIE })],
    [
      "cookies of odd length",
      sampleSession({ cookie: Uint8Array.of(1, 2, 3), peerCookie: Uint8Array.of(9) }),
    ],
    ["send", sampleSession({ sendSeq: true })],
    ["recv", sampleSession({ recvSeq: true })],
    ["LNS mode", sampleSession({ lnsMode: true })],
    ["IPsec", sampleSession({ usingIpsec: true })],
    ["timeout", sampleSession({ reorderTimeoutMs: 1500 })],
    ["counters", sampleSession({ counters: COUNTERS })],
    ["longest name", sampleSession({ interfaceName: "abcdefghijklmno" })],
    ["everything", {
      ...DUMPED[0]!,
      lnsMode: true,
      usingIpsec: true,
      reorderTimeoutMs: 336,
      counters: COUNTERS,
    }],
  ];
  for (const [name, session] of table) {
    const payload = encodeSession(L2TP_CMD.SESSION_GET, session);
    assertDeepStrictEquals(decodeSession(decodeGenl(payload).attributes), session, name);
    const uncounted = decodeSession(decodeGenl(payload).attributes, false);
    assertDeepStrictEquals(uncounted, { ...session, counters: ZERO_COUNTERS }, name);
  }
});

/** A reply with the session's ids and what else is written. */
function reply(write: (out: AttributeWriter) => void): AttributeReader {
  const out = new AttributeWriter().u32(L2TP_ATTR.CONN_ID, 1).u32(L2TP_ATTR.SESSION_ID, 2);
  write(out);
  return new AttributeReader(out.written);
}

Deno.test("decodeSession() gives what the kernel leaves out its resting value", () => {
  assertDeepStrictEquals(decodeSession(reply(() => {})), {
    tunnelId: 1,
    sessionId: 2,
    peerTunnelId: 0,
    peerSessionId: 0,
    pseudowireType: 0,
    interfaceName: undefined,
    cookie: undefined,
    peerCookie: undefined,
    sendSeq: false,
    recvSeq: false,
    lnsMode: false,
    usingIpsec: false,
    reorderTimeoutMs: 0,
    counters: ZERO_COUNTERS,
  });
});

Deno.test("decodeSession() passes over padding and attributes it does not know", () => {
  const attributes = reply((out) =>
    out.flag(L2TP_ATTR.PAD).u32(99, 5).u16(L2TP_ATTR.MTU, 1500).u16(L2TP_ATTR.OFFSET, 4).u8(
      L2TP_ATTR.LNS_MODE,
      1,
    )
  );
  assertStrictEquals(decodeSession(attributes).lnsMode, true);
});

Deno.test("decodeSession() owns its memory", () => {
  const bytes = encodeSession(8, DUMPED[0]!).slice();
  const session = decodeSession(decodeGenl(bytes).attributes);
  bytes.fill(0xff);
  assertDeepStrictEquals(session, DUMPED[0]);
});

Deno.test("decodeSession() refuses a reply without the session's ids", () => {
  const table: [field: string, write: AttributeWriter][] = [
    ["L2TP_ATTR_CONN_ID", new AttributeWriter().u32(L2TP_ATTR.SESSION_ID, 1)],
    ["L2TP_ATTR_SESSION_ID", new AttributeWriter().u32(L2TP_ATTR.CONN_ID, 1)],
    ["L2TP_ATTR_CONN_ID", new AttributeWriter()],
  ];
  for (const [field, { written }] of table) {
    const decode = (): unknown => decodeSession(new AttributeReader(written));
    assertDecodeError(decode, { field, offset: 0, needed: 4, had: 0 }, field);
    assertMatch(String(assertThrows(decode)), /it is absent/);
  }
});

Deno.test("decodeSession() refuses attributes that are too short", () => {
  const sizes: [type: number, needed: number][] = [
    [L2TP_ATTR.CONN_ID, 4],
    [L2TP_ATTR.SESSION_ID, 4],
    [L2TP_ATTR.PEER_CONN_ID, 4],
    [L2TP_ATTR.PEER_SESSION_ID, 4],
    [L2TP_ATTR.PW_TYPE, 2],
    [L2TP_ATTR.SEND_SEQ, 1],
    [L2TP_ATTR.RECV_SEQ, 1],
    [L2TP_ATTR.LNS_MODE, 1],
    [L2TP_ATTR.USING_IPSEC, 1],
    [L2TP_ATTR.RECV_TIMEOUT, 8],
  ];
  for (const [type, needed] of sizes) {
    const facts = { field: `attribute ${type}`, offset: 20, needed, had: needed - 1 };
    const attributes = reply((out) => out.bytes(type, new Uint8Array(needed - 1)));
    assertDecodeError(() => decodeSession(attributes), facts, `attribute ${type}`);
  }
});
