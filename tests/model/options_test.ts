/** Options of sessions and checksums of tunnels: picking, defaults, and which of them apply. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  changeableOptions,
  changedOptions,
  DEFAULT_CHANGEABLE_OPTIONS,
  headerOptions,
} from "../../src/model/session.ts";
import {
  applicableChecksums,
  completeChecksums,
  DEFAULT_UDP_CHECKSUMS,
  udpChecksums,
  usesChecksums,
} from "../../src/model/tunnel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const OPTIONS = {
  l2spec: "none",
  cookie: Uint8Array.of(1, 2, 3, 4),
  peerCookie: undefined,
  sendSeq: true,
  recvSeq: false,
  lnsMode: true,
  reorderTimeoutMs: 20,
} as const;

Deno.test("headerOptions() and changeableOptions() pick their members, and together all options", () => {
  const { sendSeq, recvSeq, lnsMode, reorderTimeoutMs, ...header } = OPTIONS;
  const session = { ...OPTIONS, sessionId: 1 };
  assertEquals(headerOptions(session), header);
  assertEquals(changeableOptions(session), { sendSeq, recvSeq, lnsMode, reorderTimeoutMs });
  assertEquals({ ...headerOptions(session), ...changeableOptions(session) }, OPTIONS);
});

Deno.test("changedOptions(): absent and undefined members stay, all others change", () => {
  const before = changeableOptions(OPTIONS);
  assertEquals(changedOptions({}, before), before);
  assertEquals(changedOptions({ sendSeq: undefined }, before), before);
  assertDeepStrictEquals(changedOptions({ sendSeq: false, lnsMode: false, reorderTimeoutMs: 0 }, before), {
    ...DEFAULT_CHANGEABLE_OPTIONS,
  });
  assertEquals(changedOptions({ recvSeq: true }, before), { ...before, recvSeq: true });
});

Deno.test("applicableChecksums(): by encapsulation and IP version", () => {
  const none = { udpChecksum: undefined, checksumTx: undefined, checksumRx: undefined };
  const given = { udpChecksum: true, checksumTx: false, checksumRx: true };
  assertEquals(applicableChecksums(given, "udp", false), { ...none, udpChecksum: true });
  assertEquals(applicableChecksums(given, "udp", true), { ...given, udpChecksum: undefined });
  for (const encap of ["ip", undefined] as const) {
    assertEquals([applicableChecksums(given, encap, false), applicableChecksums(given, encap, true)], [
      none,
      none,
    ]);
  }
});

Deno.test("completeChecksums(), udpChecksums(), usesChecksums()", () => {
  assertEquals(completeChecksums({}), DEFAULT_UDP_CHECKSUMS);
  assertEquals(completeChecksums({ udpChecksum: true, checksumTx: undefined, checksumRx: false }), {
    udpChecksum: true,
    checksumTx: true,
    checksumRx: false,
  });
  assertEquals(udpChecksums({ ...DEFAULT_UDP_CHECKSUMS, local: "::" }), DEFAULT_UDP_CHECKSUMS);
  const off = { udpChecksum: false, checksumTx: false, checksumRx: false };
  assertEquals([usesChecksums(off, false), usesChecksums(off, true)], [false, false]);
  assertStrictEquals(usesChecksums({ ...off, udpChecksum: true }, false), true);
  assertStrictEquals(usesChecksums({ ...off, checksumTx: true }, true), true);
  assertStrictEquals(usesChecksums({ ...off, checksumRx: true }, true), true);
});
