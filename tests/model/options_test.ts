/** Options of sessions and checksums of tunnels: picking, defaults, and which of them apply. */

import assert from "node:assert/strict";
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
  assert.deepEqual(headerOptions(session), header);
  assert.deepEqual(changeableOptions(session), { sendSeq, recvSeq, lnsMode, reorderTimeoutMs });
  assert.deepEqual({ ...headerOptions(session), ...changeableOptions(session) }, OPTIONS);
});

Deno.test("changedOptions(): absent and undefined members stay, all others change", () => {
  const before = changeableOptions(OPTIONS);
  assert.deepEqual(changedOptions({}, before), before);
  assert.deepEqual(changedOptions({ sendSeq: undefined }, before), before);
  assert.deepEqual(changedOptions({ sendSeq: false, lnsMode: false, reorderTimeoutMs: 0 }, before), {
    ...DEFAULT_CHANGEABLE_OPTIONS,
  });
  assert.deepEqual(changedOptions({ recvSeq: true }, before), { ...before, recvSeq: true });
});

Deno.test("applicableChecksums(): by encapsulation and IP version", () => {
  const none = { udpChecksum: undefined, checksumTx: undefined, checksumRx: undefined };
  const given = { udpChecksum: true, checksumTx: false, checksumRx: true };
  assert.deepEqual(applicableChecksums(given, "udp", false), { ...none, udpChecksum: true });
  assert.deepEqual(applicableChecksums(given, "udp", true), { ...given, udpChecksum: undefined });
  for (const encap of ["ip", undefined] as const) {
    assert.deepEqual([applicableChecksums(given, encap, false), applicableChecksums(given, encap, true)], [
      none,
      none,
    ]);
  }
});

Deno.test("completeChecksums(), udpChecksums(), usesChecksums()", () => {
  assert.deepEqual(completeChecksums({}), DEFAULT_UDP_CHECKSUMS);
  assert.deepEqual(completeChecksums({ udpChecksum: true, checksumTx: undefined, checksumRx: false }), {
    udpChecksum: true,
    checksumTx: true,
    checksumRx: false,
  });
  assert.deepEqual(udpChecksums({ ...DEFAULT_UDP_CHECKSUMS, local: "::" }), DEFAULT_UDP_CHECKSUMS);
  const off = { udpChecksum: false, checksumTx: false, checksumRx: false };
  assert.deepEqual([usesChecksums(off, false), usesChecksums(off, true)], [false, false]);
  assert.equal(usesChecksums({ ...off, udpChecksum: true }, false), true);
  assert.equal(usesChecksums({ ...off, checksumTx: true }, true), true);
  assert.equal(usesChecksums({ ...off, checksumRx: true }, true), true);
});
