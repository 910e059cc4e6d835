/** `ffi/sockets/sockaddr.ts`: socket addresses both ways, against hand-written bytes and malformed ones. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  decodeInet,
  decodeL2tpIp,
  encodeInet,
  encodeL2tpIp,
  encodeNetlink,
  encodePppol2tp,
} from "../../ffi/sockets/sockaddr.ts";
import { formatHex } from "../../src/base/hex.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import { assertDecodeError } from "../support/decode_errors.ts";
import { hexBytes } from "../support/golden.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const V4 = parseIpAddress("10.0.0.1")!;
const V6 = parseIpAddress("fe80::1")!;
const V6_HEX = "fe80" + "00".repeat(13) + "01";

Deno.test("encodeInet() and decodeInet(): port and address in network order, scope in host order", () => {
  const four = "0200" + "06a5" + "0a000001" + "00".repeat(8);
  assertStrictEquals(formatHex(encodeInet({ address: V4, port: 1701 })), four);
  assertDeepStrictEquals(decodeInet(hexBytes(four)), { address: V4, port: 1701, scopeId: 0 });
  const six = "0a00" + "06a5" + "00000000" + V6_HEX + "03000000";
  assertStrictEquals(formatHex(encodeInet({ address: V6, port: 1701, scopeId: 3 })), six);
  assertEquals(decodeInet(hexBytes(six)), { address: V6, port: 1701, scopeId: 3 });
  assertStrictEquals(
    formatHex(encodeInet({ address: V6, port: 65535 })),
    "0a00ffff00000000" + V6_HEX + "00000000",
  );
  // IPv4 has no scope.
  assertStrictEquals(formatHex(encodeInet({ address: V4, port: 1701, scopeId: 9 })), four);
});

Deno.test("encodeL2tpIp() and decodeL2tpIp(): the connection id in host order", () => {
  const four = "0200" + "0000" + "0a000001" + "b80b0000" + "00000000";
  assertStrictEquals(formatHex(encodeL2tpIp({ address: V4, connectionId: 3000 })), four);
  assertDeepStrictEquals(decodeL2tpIp(hexBytes(four)), { address: V4, connectionId: 3000, scopeId: 0 });
  const six = "0a00" + "0000" + "00000000" + V6_HEX + "02000000" + "ffffffff";
  assertStrictEquals(formatHex(encodeL2tpIp({ address: V6, connectionId: 0xffffffff, scopeId: 2 })), six);
  assertEquals(decodeL2tpIp(hexBytes(six)), { address: V6, connectionId: 0xffffffff, scopeId: 2 });
});

Deno.test("encodeNetlink(): family and port id", () => {
  assertStrictEquals(formatHex(encodeNetlink(0)), "1000" + "0000" + "00000000" + "00000000");
  assertStrictEquals(formatHex(encodeNetlink(0xfffff001)), "1000" + "0000" + "01f0ffff" + "00000000");
});

Deno.test("encodePppol2tp(): the four addresses, distinguished by their length", () => {
  const ids = { tunnelId: 1, sessionId: 2, peerTunnelId: 3, peerSessionId: 4 };
  const head = "1800" + "01000000" + "00000000";
  const four = "0200" + "06a5" + "0a000001" + "00".repeat(8);
  const six = "0a00" + "06a5" + "00000000" + V6_HEX + "00000000";
  const peer4 = { address: V4, port: 1701 };
  const peer6 = { address: V6, port: 1701 };
  const table: [version: 2 | 3, peer: { address: Uint8Array; port: number }, fd: number, expected: string][] =
    [
      [2, peer4, 7, head + "07000000" + four + "0100" + "0200" + "0300" + "0400"],
      [2, peer6, 7, head + "07000000" + "0100" + "0200" + "0300" + "0400" + six],
      [3, peer4, -1, head + "ffffffff" + four + "01000000" + "02000000" + "03000000" + "04000000"],
      [3, peer6, -1, head + "ffffffff" + "01000000" + "02000000" + "03000000" + "04000000" + six],
    ];
  const lengths = [38, 50, 46, 58];
  for (const [i, [version, peer, fd, expected]] of table.entries()) {
    const bytes = encodePppol2tp({ version, fd, peer, ...ids });
    assertStrictEquals(formatHex(bytes), expected);
    assertStrictEquals(bytes.length, lengths[i]);
  }
});

Deno.test("encoders refuse addresses of another length, and return new buffers", () => {
  for (const length of [0, 3, 5, 15, 17]) {
    const address = new Uint8Array(length);
    assertThrows(() => encodeInet({ address, port: 1 }), RangeError, undefined, `${length}`);
    assertThrows(() => encodeL2tpIp({ address, connectionId: 1 }), RangeError, undefined, `${length}`);
  }
  const first = encodeInet({ address: V4, port: 1 });
  first.fill(0xff);
  assertStrictEquals(formatHex(encodeInet({ address: V4, port: 1 })), "020000010a0000010000000000000000");
});

Deno.test("decodeInet() and decodeL2tpIp() refuse bytes that are too short or of another family", () => {
  const inet = encodeInet({ address: V4, port: 1 });
  const inet6 = encodeInet({ address: V6, port: 1 });
  const l2tp6 = encodeL2tpIp({ address: V6, connectionId: 1 });
  const table: Uint8Array[] = [
    new Uint8Array(0),
    new Uint8Array(1),
    inet.subarray(0, 2),
    inet.subarray(0, 15),
    inet6.subarray(0, 27),
    encodeNetlink(0),
    new Uint8Array(128),
  ];
  for (const bytes of table) {
    const facts = { field: "sockaddr", offset: 0, needed: 16, had: bytes.length };
    assertDecodeError(() => decodeInet(bytes), facts, `${bytes.length} bytes`);
  }
  for (const bytes of [...table.slice(0, 4), l2tp6.subarray(0, 31), encodeNetlink(0)]) {
    const facts = { field: "sockaddr_l2tpip", offset: 0, needed: 16, had: bytes.length };
    assertDecodeError(() => decodeL2tpIp(bytes), facts, `${bytes.length} bytes`);
  }
});

Deno.test("decodeInet() reads from a longer buffer at an odd address, and copies", () => {
  const room = new Uint8Array(128);
  room.set(encodeInet({ address: V6, port: 9, scopeId: 4 }), 5);
  const read = decodeInet(room.subarray(5));
  room.fill(0);
  assertEquals(read, { address: V6, port: 9, scopeId: 4 });
});
