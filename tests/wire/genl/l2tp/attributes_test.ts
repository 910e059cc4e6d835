/** `src/wire/genl/l2tp/attributes.ts`: the table is complete, and rows do as they say. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { beginGenl } from "../../../../src/wire/genl/header.ts";
import {
  ATTRIBUTE,
  attributeEncoder,
  orElse,
  parseL2tpRequest,
  presentDecoder,
  replyDecoder,
  requestDecoder,
  unless,
} from "../../../../src/wire/genl/l2tp/attributes.ts";
import { L2TP_ATTR } from "../../../../src/wire/genl/l2tp/constants.ts";
import { AttributeReader, AttributeWriter } from "../../../../src/wire/netlink/attribute.ts";

const types = (bytes: Uint8Array): number[] => {
  const reader = new AttributeReader(bytes);
  const found: number[] = [];
  while (reader.next()) found.push(reader.type);
  return found;
};

Deno.test("ATTRIBUTE: each row has the number of its name; what has no row is not used", () => {
  for (const [name, { type }] of Object.entries(ATTRIBUTE)) {
    assertStrictEquals(type, L2TP_ATTR[name as keyof typeof L2TP_ATTR], name);
  }
  const rowless = Object.keys(L2TP_ATTR).filter((name) => !Object.hasOwn(ATTRIBUTE, name));
  assertEquals(rowless, ["OFFSET", "DATA_SEQ", "VLAN_ID", "MTU", "MRU", "PAD"]);
});

Deno.test("attributeEncoder(): order of the rows; unless() and orElse()", () => {
  const encode = attributeEncoder(
    ATTRIBUTE.SESSION_ID,
    orElse(ATTRIBUTE.PEER_CONN_ID, 0),
    unless(ATTRIBUTE.RECV_TIMEOUT, 0),
    ATTRIBUTE.CONN_ID,
    unless(ATTRIBUTE.LNS_MODE, false),
  );
  const written = (message: Parameters<typeof encode>[1]) =>
    types(encode(new AttributeWriter(), message).written);
  const { SESSION_ID, PEER_CONN_ID, RECV_TIMEOUT, CONN_ID, LNS_MODE } = L2TP_ATTR;
  assertEquals(written({}), [PEER_CONN_ID]);
  assertEquals(written({ tunnelId: 1, sessionId: 2, reorderTimeoutMs: 0, lnsMode: false }), [
    ...[SESSION_ID, PEER_CONN_ID, CONN_ID],
  ]);
  assertEquals(written({ tunnelId: 1, reorderTimeoutMs: 1, lnsMode: true, peerTunnelId: 3 }), [
    ...[PEER_CONN_ID, RECV_TIMEOUT, CONN_ID, LNS_MODE],
  ]);
});

Deno.test("attributeEncoder(): of a pair of addresses, the one of the IP version; no other text", () => {
  const encode = attributeEncoder(ATTRIBUTE.IP_SADDR, ATTRIBUTE.IP6_SADDR);
  const written = (local: string) => types(encode(new AttributeWriter(), { local }).written);
  assertEquals(written("10.0.0.1"), [L2TP_ATTR.IP_SADDR]);
  assertEquals(written("fe80::1"), [L2TP_ATTR.IP6_SADDR]);
  for (const text of ["", "10.0.0", "fe80:::1", "localhost"]) assertThrows(() => written(text), RangeError);
});

Deno.test("requestDecoder() has all members, presentDecoder() those that are there", () => {
  const rows = [
    ATTRIBUTE.CONN_ID,
    ATTRIBUTE.SEND_SEQ,
    ATTRIBUTE.UDP_CSUM,
    ATTRIBUTE.UDP_ZERO_CSUM6_TX,
  ] as const;
  const none = parseL2tpRequest(beginGenl(1, 1).written);
  const some = parseL2tpRequest(beginGenl(1, 1).u8(L2TP_ATTR.UDP_CSUM, 0).u8(L2TP_ATTR.SEND_SEQ, 0).written);
  const absent = { tunnelId: undefined, sendSeq: undefined, udpChecksum: false, checksumTx: true };
  assertEquals(requestDecoder(...rows)(none), absent);
  assertEquals(requestDecoder(...rows)(some), { ...absent, sendSeq: false, udpChecksum: true });
  assertEquals(presentDecoder(ATTRIBUTE.CONN_ID, ATTRIBUTE.SEND_SEQ)(some), { sendSeq: false });
});

Deno.test("replyDecoder(): what is absent, unknown, or not asked for stays as it is", () => {
  const decode = replyDecoder({ tunnelId: 7, lnsMode: true }, ATTRIBUTE.CONN_ID, ATTRIBUTE.LNS_MODE);
  const read = (out: AttributeWriter) => decode(new AttributeReader(out.written), true);
  assertEquals(read(new AttributeWriter()), { tunnelId: 7, lnsMode: true });
  const reply = new AttributeWriter().u8(L2TP_ATTR.LNS_MODE, 0).u32(L2TP_ATTR.SESSION_ID, 9).u32(16383, 1);
  assertEquals(read(reply), { tunnelId: 7, lnsMode: false });
});
