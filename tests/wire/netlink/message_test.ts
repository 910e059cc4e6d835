/** `src/wire/netlink/message.ts`: datagrams of messages, and the messages that end an exchange. */

import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { formatHex } from "../../../src/base/hex.ts";
import {
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from "../../../src/wire/netlink/constants.ts";
import {
  type Acknowledgement,
  decodeDone,
  decodeError,
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
} from "../../../src/wire/netlink/message.ts";
import { assertDecodeError } from "../../support/decode_errors.ts";
import { refuse } from "../../support/fake_kernel.ts";
import { goldenBytes, goldenMessages, goldenNames, hexBytes } from "../../support/golden.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const HEADER = "18000000 2000 0503 07000000 48020000";
const MESSAGE: NetlinkMessage = {
  type: 0x20,
  flags: 0x305,
  sequence: 7,
  portId: 0x248,
  payload: hexBytes("04010000 aabbccdd"),
};

Deno.test("encodeMessage() and decodeMessages(): one message both ways", () => {
  const bytes = hexBytes(HEADER + "04010000 aabbccdd");
  assertStrictEquals(formatHex(encodeMessage(MESSAGE)), formatHex(bytes));
  assertDeepStrictEquals(decodeMessages(bytes), [MESSAGE]);
});

Deno.test("encodeMessage() pads to four bytes and says the unpadded length", () => {
  for (let length = 0; length < 9; length++) {
    const payload = new Uint8Array(length).fill(0xee);
    const bytes = encodeMessage({ ...MESSAGE, payload });
    assertStrictEquals(bytes.length, 16 + 4 * Math.ceil(length / 4));
    assertStrictEquals(new DataView(bytes.buffer).getUint32(0, true), 16 + length);
    assertStrictEquals(
      formatHex(bytes.subarray(16)),
      "ee".repeat(length).padEnd(2 * (bytes.length - 16), "0"),
    );
    assertEquals(decodeMessages(bytes)[0]!.payload, payload);
  }
});

Deno.test("encodeMessage() cuts header fields to their width", () => {
  const wide = encodeMessage({
    type: 0x12345,
    flags: 0x1ffff,
    sequence: -1,
    portId: 2 ** 32 + 5,
    payload: new Uint8Array(0),
  });
  assertStrictEquals(formatHex(wide), "10000000" + "4523" + "ffff" + "ffffffff" + "05000000");
});

Deno.test("decodeMessages() reads several messages of one datagram, with and without padding between them", () => {
  const one = encodeMessage({ ...MESSAGE, payload: hexBytes("01") });
  const two = encodeMessage({ ...MESSAGE, sequence: 8, payload: hexBytes("0203040506") });
  const both = new Uint8Array([...one, ...two]);
  for (const end of [both.length, both.length - 3]) {
    const messages = decodeMessages(both.subarray(0, end));
    assertEquals(messages.map((message) => [message.sequence, formatHex(message.payload)]), [
      [7, "01"],
      [8, "0203040506"],
    ]);
  }
  assertEquals(decodeMessages(new Uint8Array(0)), []);
});

Deno.test("decodeMessages() works at odd addresses, and its payloads borrow", () => {
  const room = new Uint8Array(64).fill(0xa5);
  room.set(encodeMessage(MESSAGE), 13);
  const [message] = decodeMessages(room.subarray(13, 13 + 24));
  assertDeepStrictEquals(message, MESSAGE);
  room[13 + 16] = 0x77;
  assertStrictEquals(message!.payload[0], 0x77);
});

Deno.test("decodeMessages() refuses truncated and impossible headers", () => {
  const good = formatHex(encodeMessage(MESSAGE));
  const table: [name: string, bytes: string, offset: number, had: number][] = [
    ["one byte", "18", 0, 1],
    ["fifteen bytes", good.slice(0, 30), 0, 15],
    ["length 0", "00000000" + good.slice(8), 0, 24],
    ["length 15", "0f000000" + good.slice(8), 0, 24],
    ["length past the end", "19000000" + good.slice(8), 0, 24],
    ["length of 4 GiB", "ffffffff" + good.slice(8), 0, 24],
    ["second header cut short", good + "10000000", 24, 4],
    ["second length past the end", good + "11000000" + good.slice(8, 32), 24, 16],
  ];
  for (const [name, bytes, offset, had] of table) {
    assertDecodeError(
      () => decodeMessages(hexBytes(bytes)),
      { field: "nlmsghdr", offset, needed: 16, had },
      name,
    );
  }
});

Deno.test("decodeMessages() and encodeMessage() give captured datagrams back byte for byte", () => {
  const names = goldenNames();
  assert(names.length >= 32, `${names.length} captures`);
  for (const name of names) {
    const again = goldenMessages(name).map((message) => formatHex(encodeMessage(message))).join("");
    assertStrictEquals(again, formatHex(goldenBytes(name)), name);
  }
});

Deno.test("decodeError() reads captured acknowledgements and refusals", () => {
  const plain = { extack: undefined, attributeOffset: undefined };
  const table: [name: string, expected: Acknowledgement][] = [
    ["l2tp/tunnel_create_udp4_ack", { errno: 0, ...plain }],
    ["l2tp/tunnel_create_exists_error", { errno: 17, ...plain }],
    ["rtnl/link_missing_error", { errno: 19, ...plain }],
  ];
  for (const [name, expected] of table) {
    const [message] = goldenMessages(name);
    assertStrictEquals(message!.type, NLMSG_ERROR);
    assertDeepStrictEquals(decodeError(message!), expected, name);
  }
});

const REQUEST: NetlinkMessage = {
  type: 0x20,
  flags: NLM_F_REQUEST | NLM_F_ACK,
  sequence: 9,
  portId: 5,
  payload: hexBytes("01010000 08000900 b80b0000"),
};

Deno.test("decodeError() finds the extended acknowledgement behind a capped and behind a whole request", () => {
  for (const capped of [true, false]) {
    const facts: [extack: string | undefined, offset: number | undefined][] = [
      ["Attribute failed policy validation", 20],
      ["text only", undefined],
      [undefined, 4],
      ["", 0],
    ];
    for (const [extack, offset] of facts) {
      const message = refuse(REQUEST, 34, { extack, offset, capped });
      const expected = { errno: 34, extack, attributeOffset: offset };
      assertDeepStrictEquals(decodeError(message), expected, `${extack} ${offset} capped ${capped}`);
    }
  }
});

Deno.test("decodeError() takes the padding of the request into account", () => {
  const odd = { ...REQUEST, payload: hexBytes("0101000001") };
  const message = refuse(odd, 22, { extack: "odd", offset: 16, capped: false });
  assertEquals(decodeError(message), { errno: 22, extack: "odd", attributeOffset: 16 });
});

Deno.test("decodeError() passes over attributes it does not know (cookie, policy)", () => {
  const payload = hexBytes(
    "deffffff" + "10000000 2000 0500 01000000 00000000" + // header of the request
      "0c000300 0102030405060708" + "0c000480 08000100 01000000" + "08000100 626164 00",
  );
  const message = { ...REQUEST, type: NLMSG_ERROR, flags: NLM_F_CAPPED | NLM_F_ACK_TLVS, payload };
  assertEquals(decodeError(message), { errno: 34, extack: "bad", attributeOffset: undefined });
});

Deno.test("decodeError() reads attributes only if the flag is set", () => {
  const { flags, ...rest } = refuse(REQUEST, 22, { extack: "hidden" });
  const expected = { errno: 22, extack: undefined, attributeOffset: undefined };
  assertDeepStrictEquals(decodeError({ ...rest, flags: flags & ~NLM_F_ACK_TLVS }), expected);
});

Deno.test("decodeError() refuses what is too short or has malformed attributes", () => {
  const whole = refuse(REQUEST, 22, { offset: 20 });
  for (const length of [0, 4, 19]) {
    const message = { ...whole, payload: whole.payload.subarray(0, length) };
    assertDecodeError(
      () => decodeError(message),
      { field: "nlmsgerr", offset: 0, needed: 20, had: length },
      `${length}`,
    );
  }
  const cut = { ...whole, payload: whole.payload.subarray(0, 26) };
  assertDecodeError(
    () => decodeError(cut),
    { field: "nlattr", offset: 20, needed: 4, had: 6 },
    "cut attribute",
  );
  const short = {
    ...whole,
    payload: new Uint8Array([...whole.payload.subarray(0, 20), ...hexBytes("06000200 1400 0000")]),
  };
  assertDecodeError(
    () => decodeError(short),
    { field: "attribute 2", offset: 24, needed: 4, had: 2 },
    "short offset",
  );
});

Deno.test("decodeError() ignores an impossible length of the echoed request", () => {
  for (const echoed of ["00000000", "0f000000", "ffffffff", "00010000"]) {
    const bytes = refuse(REQUEST, 22, { extack: "seen", capped: false }).payload.slice();
    bytes.set(hexBytes(echoed), 4);
    const message = { ...REQUEST, type: NLMSG_ERROR, flags: NLM_F_ACK_TLVS, payload: bytes };
    let read: Acknowledgement | undefined;
    try {
      read = decodeError(message);
    } catch (error) {
      assertStrictEquals((error as Error).name, "DecodeError", echoed);
    }
    if (read !== undefined) assertStrictEquals(read.errno, 22, echoed);
    assertNotStrictEquals(read?.extack, "seen", echoed);
  }
});

Deno.test("decodeDone() reads the end of a dump, with an error, without, and of old kernels", () => {
  const plain = { extack: undefined, attributeOffset: undefined };
  assertDeepStrictEquals(decodeDone(goldenMessages("l2tp/tunnel_dump_done")[0]!), { errno: 0, ...plain });
  assertDeepStrictEquals(decodeDone(goldenMessages("rtnl/address_dump_done")[0]!), { errno: 0, ...plain });
  const done = (payload: string, flags = NLM_F_MULTI): NetlinkMessage => ({
    ...REQUEST,
    type: NLMSG_DONE,
    flags,
    payload: hexBytes(payload),
  });
  assertEquals(decodeDone(done("ffffffff")), { errno: 1, ...plain });
  assertDeepStrictEquals(decodeDone(done("")), { errno: 0, ...plain });
  assertDeepStrictEquals(decodeDone(done("ff")), { errno: 0, ...plain });
  const extended = done("eaffffff 08000100 62616400 08000200 14000000", NLM_F_MULTI | NLM_F_ACK_TLVS);
  assertEquals(decodeDone(extended), { errno: 22, extack: "bad", attributeOffset: 20 });
  const cut = done("eaffffff 09000100 62616400", NLM_F_MULTI | NLM_F_ACK_TLVS);
  assertDecodeError(() => decodeDone(cut), { field: "nlattr", offset: 4, needed: 4, had: 8 }, "cut");
});

Deno.test("decodeError() and decodeDone() treat a positive number as an error", () => {
  const payload = hexBytes("11000000" + "10000000 2000 0500 01000000 00000000");
  assertStrictEquals(decodeError({ ...REQUEST, type: NLMSG_ERROR, flags: NLM_F_CAPPED, payload }).errno, 17);
  assertStrictEquals(
    decodeDone({ ...REQUEST, type: NLMSG_DONE, flags: NLM_F_MULTI, payload: hexBytes("11000000") }).errno,
    17,
  );
});
