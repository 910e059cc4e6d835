import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  decodeChapValue,
  decodeMsChapResponse,
  decodeMsChapV2Response,
  encodeChapValue,
  encodeMsChapResponse,
  encodeMsChapV2Response,
  formatMsChapFailure,
  formatMsChapV2Success,
  type MsChapFailure,
  parseMsChapFailure,
  parseMsChapV2Success,
} from "../../../src/wire/ppp/chap.ts";
import { assertDecodeError } from "../../support/decode_errors.ts";
import { hexBytes } from "../../support/golden.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** Bytes that count up from `first`. */
function counting(first: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => first + i);
}

Deno.test("CHAP, RFC 1994 section 4.1: both ways", () => {
  const content = { value: hexBytes("010203"), name: hexBytes("6c6e73") };
  assertEquals(encodeChapValue(content), hexBytes("03 010203 6c6e73"));
  assertEquals(decodeChapValue(hexBytes("03 010203 6c6e73")), content);
  assertEquals(decodeChapValue(hexBytes("01 09")), { value: hexBytes("09"), name: hexBytes("") });
});

Deno.test("decodeChapValue() rejects truncated data, an empty value and an overlong name", () => {
  const table: [data: Uint8Array, field: string, offset: number, needed: number, had: number][] = [
    [hexBytes(""), "Value-Size", 0, 1, 0],
    [hexBytes("00 6c"), "Value", 0, 1, 1],
    [hexBytes("03 0102"), "Value", 1, 3, 2],
    [new Uint8Array(2 + 257).fill(1), "Name", 2, 256, 257],
  ];
  for (const [data, field, offset, needed, had] of table) {
    assertDecodeError(() => decodeChapValue(data), { field, offset, needed, had }, `${data.length} bytes`);
  }
  assertStrictEquals(decodeChapValue(new Uint8Array(2 + 256).fill(1)).name.length, 256);
});

Deno.test("MS-CHAP's responses, RFC 2433 section 6, RFC 2759 section 4: both ways", () => {
  const ntResponse = counting(0x80, 24);
  const one = Uint8Array.of(...new Uint8Array(24), ...ntResponse, 1);
  assertEquals(encodeMsChapResponse(ntResponse), one);
  assertEquals(decodeMsChapResponse(one), { ntResponse, usesNt: true });
  assertStrictEquals(decodeMsChapResponse(Uint8Array.of(...one.subarray(0, 48), 0)).usesNt, false);
  const peerChallenge = counting(0x10, 16);
  const two = Uint8Array.of(...peerChallenge, ...new Uint8Array(8), ...ntResponse, 0);
  assertEquals(encodeMsChapV2Response({ peerChallenge, ntResponse }), two);
  assertEquals(decodeMsChapV2Response(two), { peerChallenge, ntResponse });
  for (const had of [0, 48, 50]) {
    for (const decode of [decodeMsChapResponse, decodeMsChapV2Response]) {
      const facts = { field: "Response", offset: 0, needed: 49, had };
      assertDecodeError(() => decode(new Uint8Array(had)), facts, `${had} bytes`);
    }
  }
});

Deno.test("MS-CHAP's Failure, RFC 2759 section 6: both ways", () => {
  const challenge = counting(0, 16);
  const table: [failure: MsChapFailure, text: string][] = [
    [
      { error: 691, retry: true, challenge, version: 3, message: "Wrong E=1 V=9" },
      "E=691 R=1 C=000102030405060708090A0B0C0D0E0F V=3 M=Wrong E=1 V=9",
    ],
    [{ error: 648, retry: false, challenge: undefined, version: 2, message: undefined }, "E=648 R=0 V=2"],
    [{ error: 5, retry: false, challenge: undefined, version: undefined, message: "" }, "E=5 R=0 M="],
  ];
  for (const [failure, text] of table) {
    assertStrictEquals(formatMsChapFailure(failure), text);
    assertDeepStrictEquals(parseMsChapFailure(text), failure);
  }
});

Deno.test("parseMsChapFailure(): missing and malformed fields", () => {
  const none = { retry: false, challenge: undefined, version: undefined, message: undefined };
  assertEquals(parseMsChapFailure("E=691"), { ...none, error: 691 });
  assertEquals(parseMsChapFailure("E=691 C=12 V=x R=2"), { ...none, error: 691 });
  // Messages may have several lines.
  assertStrictEquals(parseMsChapFailure("E=691 R=0 M=a\nb")?.message, "a\nb");
  for (const text of ["", "R=1 E=691", "E= R=0", "E=x", "E=12345678901", "Access denied"]) {
    assertStrictEquals(parseMsChapFailure(text), undefined, text);
  }
});

Deno.test("MS-CHAP version 2's Success, RFC 2759 section 5: both ways", () => {
  const text = "S=407A5589115FD0D6209F510FE9C04566932CDA56";
  const bytes = hexBytes("407a5589115fd0d6209f510fe9c04566932cda56");
  assertEquals(parseMsChapV2Success(text), bytes);
  assertEquals(parseMsChapV2Success(`${text} M=Welcome`), bytes);
  assertStrictEquals(formatMsChapV2Success(bytes, "Welcome"), `${text} M=Welcome`);
  for (const wrong of ["", text.slice(0, -1), `${text}0`, ` ${text}`, text.replace("S", "s")]) {
    assertStrictEquals(parseMsChapV2Success(wrong), undefined, wrong);
  }
});
