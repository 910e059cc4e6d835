import { assertEquals, assertStrictEquals } from "@std/assert";
import { decodePppFrame, encodePppFrame } from "../../../src/wire/ppp/frame.ts";
import { assertDecodeError } from "../../support/decode_errors.ts";
import { hexBytes } from "../../support/golden.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

Deno.test("encodePppFrame(): two bytes of protocol, then a copy of the payload", () => {
  const payload = hexBytes("0101 0004");
  const frame = encodePppFrame(0xc021, payload);
  assertEquals(frame, hexBytes("c021 0101 0004"));
  payload.fill(0xa5);
  assertEquals(frame, hexBytes("c021 0101 0004"));
});

Deno.test("decodePppFrame(): with and without Address and Control, Protocol of two bytes or one", () => {
  const table: [frame: string, protocol: number, payload: string][] = [
    ["c021 0101 0004", 0xc021, "0101 0004"],
    ["ff03 c021 0101 0004", 0xc021, "0101 0004"],
    ["21 45", 0x21, "45"],
    ["ff03 21 45", 0x21, "45"],
    ["0021 45", 0x21, "45"],
    ["fd 00", 0xfd, "00"],
    // All stations, but not unnumbered information: a compressed protocol.
    ["ff 04", 0xff, "04"],
    ["c021", 0xc021, ""],
    // The receiver rejects impossible protocols; the decoder accepts them.
    ["c020 01", 0xc020, "01"],
  ];
  for (const [frame, protocol, payload] of table) {
    assertDeepStrictEquals(decodePppFrame(hexBytes(frame)), { protocol, payload: hexBytes(payload) }, frame);
  }
});

Deno.test("decodePppFrame() borrows the payload", () => {
  const frame = hexBytes("ff03 c021 01");
  const { payload } = decodePppFrame(frame);
  frame[4] = 9;
  assertStrictEquals(payload[0], 9);
});

Deno.test("decodePppFrame() rejects a frame that ends before its payload", () => {
  const table: [frame: string, offset: number, needed: number, had: number][] = [
    ["", 0, 2, 0],
    ["c0", 0, 2, 1],
    ["ff03", 2, 2, 0],
    ["ff03 c0", 2, 2, 1],
  ];
  for (const [frame, offset, needed, had] of table) {
    assertDecodeError(
      () => decodePppFrame(hexBytes(frame)),
      { field: "Protocol", offset, needed, had },
      frame,
    );
  }
});
