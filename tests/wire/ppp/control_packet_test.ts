import { assertEquals } from "@std/assert";
import {
  type ControlPacket,
  decodeControlPacket,
  decodeMagicData,
  decodeRejectedProtocol,
  decodeTimeRemaining,
  encodeControlPacket,
  encodeMagicData,
  encodeRejectedProtocol,
  encodeTimeRemaining,
} from "../../../src/wire/ppp/control_packet.ts";
import { assertDecodeError } from "../../support/decode_errors.ts";
import { hexBytes } from "../../support/golden.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

Deno.test("control packet, RFC 1661 section 5: both ways", () => {
  const table: [packet: ControlPacket, bytes: string][] = [
    [{ code: 1, identifier: 7, data: hexBytes("0104 0578") }, "01 07 0008 0104 0578"],
    [{ code: 6, identifier: 255, data: hexBytes("") }, "06 ff 0004"],
    [{ code: 9, identifier: 0, data: new Uint8Array(300) }, `09 00 0130 ${"00".repeat(300)}`],
  ];
  for (const [packet, bytes] of table) {
    assertEquals(encodeControlPacket(packet), hexBytes(bytes));
    assertDeepStrictEquals(decodeControlPacket(hexBytes(bytes)), packet);
  }
});

Deno.test("decodeControlPacket() ignores padding", () => {
  assertEquals(decodeControlPacket(hexBytes("02 03 0005 aa 0000 0000")), {
    code: 2,
    identifier: 3,
    data: hexBytes("aa"),
  });
});

Deno.test("decodeControlPacket() rejects truncated packets and a Length below the header's", () => {
  const field = "control packet";
  const bytes = hexBytes("01 07 0008 0104 0578");
  for (let length = 0; length < bytes.length; length++) {
    const facts = { field, offset: 0, needed: length < 4 ? 4 : 8, had: length };
    assertDecodeError(() => decodeControlPacket(bytes.subarray(0, length)), facts, `${length} bytes`);
  }
  for (const length of [0, 1, 2, 3]) {
    const facts = { field: "Length", offset: 2, needed: 4, had: length };
    assertDecodeError(
      () => decodeControlPacket(Uint8Array.of(1, 1, 0, length, 0)),
      facts,
      `Length ${length}`,
    );
  }
});

Deno.test("LCP's data, RFC 1661 sections 5.7 to 5.9, RFC 1570 section 1: both ways", () => {
  const rejected = { protocol: 0x80fd, information: hexBytes("0102 0004") };
  assertEquals(encodeRejectedProtocol(rejected), hexBytes("80fd 0102 0004"));
  assertDeepStrictEquals(decodeRejectedProtocol(hexBytes("80fd 0102 0004")), rejected);

  const magic = { magic: 0xdeadbeef, data: hexBytes("6869") };
  assertEquals(encodeMagicData(magic), hexBytes("deadbeef 6869"));
  assertDeepStrictEquals(decodeMagicData(hexBytes("deadbeef 6869")), magic);

  const remaining = { magic: 0x80000001, seconds: 0xffffffff, message: hexBytes("21") };
  assertEquals(encodeTimeRemaining(remaining), hexBytes("80000001 ffffffff 21"));
  assertDeepStrictEquals(decodeTimeRemaining(hexBytes("80000001 ffffffff 21")), remaining);
});

Deno.test("LCP's data cut at every byte is refused, with field and offset", () => {
  for (let had = 0; had < 2; had++) {
    const facts = { field: "Rejected-Protocol", offset: 0, needed: 2, had };
    assertDecodeError(() => decodeRejectedProtocol(new Uint8Array(had)), facts, `${had} bytes`);
  }
  for (let had = 0; had < 4; had++) {
    const facts = { field: "Magic-Number", offset: 0, needed: 4, had };
    assertDecodeError(() => decodeMagicData(new Uint8Array(had)), facts, `${had} bytes`);
    assertDecodeError(() => decodeTimeRemaining(new Uint8Array(had)), facts, `${had} bytes`);
  }
  for (let had = 0; had < 4; had++) {
    const facts = { field: "Seconds-Remaining", offset: 4, needed: 4, had };
    assertDecodeError(() => decodeTimeRemaining(new Uint8Array(4 + had)), facts, `${had} bytes`);
  }
});
