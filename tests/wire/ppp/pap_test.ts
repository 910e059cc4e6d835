import { assertEquals } from "@std/assert";
import {
  decodePapMessage,
  decodePapRequest,
  encodePapMessage,
  encodePapRequest,
} from "../../../src/wire/ppp/pap.ts";
import { assertDecodeError } from "../../support/decode_errors.ts";
import { hexBytes } from "../../support/golden.ts";

Deno.test("PAP, RFC 1334 section 2.2: both ways", () => {
  const request = { peerId: hexBytes("6a6f65"), password: hexBytes("7077") };
  assertEquals(encodePapRequest(request), hexBytes("03 6a6f65 02 7077"));
  assertEquals(decodePapRequest(hexBytes("03 6a6f65 02 7077")), request);
  const empty = { peerId: hexBytes(""), password: hexBytes("") };
  assertEquals(encodePapRequest(empty), hexBytes("00 00"));
  assertEquals(decodePapRequest(hexBytes("00 00 ff")), empty);
  assertEquals(encodePapMessage(hexBytes("6f6b")), hexBytes("02 6f6b"));
  assertEquals(decodePapMessage(hexBytes("02 6f6b")), hexBytes("6f6b"));
});

Deno.test("decodePapMessage(): data without a length is an empty message", () => {
  assertEquals(decodePapMessage(hexBytes("")), hexBytes(""));
  assertDecodeError(
    () => decodePapMessage(hexBytes("02 6f")),
    { field: "Message", offset: 0, needed: 3, had: 2 },
    "cut short",
  );
});

Deno.test("decodePapRequest(): refused when truncated at any byte", () => {
  const bytes = hexBytes("03 6a6f65 02 7077");
  for (let length = 0; length < bytes.length; length++) {
    const isId = length < 4;
    const had = isId ? length : length - 4;
    const needed = had === 0 ? 1 : isId ? 4 : 3;
    const facts = { field: isId ? "Peer-ID" : "Password", offset: isId ? 0 : 4, needed, had };
    assertDecodeError(() => decodePapRequest(bytes.subarray(0, length)), facts, `${length} bytes`);
  }
});
