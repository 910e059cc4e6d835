/** `src/wire/l2tpd/family.ts`: messages between the daemon and its clients. */

import { assertStrictEquals, assertThrows } from "@std/assert";
import {
  decodeL2tpdControl,
  decodeL2tpdText,
  encodeL2tpdControl,
  encodeL2tpdRequest,
  encodeL2tpdText,
  L2TPD_CMD,
  L2TPD_CONTROL_MAX,
  L2TPD_TEXT_MAX,
} from "../../../src/wire/l2tpd/family.ts";
import { DecodeError } from "../../../src/base/errors.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

Deno.test("a text comes back as it was, up to the longest", () => {
  for (const text of ["", "1", "x".repeat(L2TPD_TEXT_MAX)]) {
    assertStrictEquals(decodeL2tpdText(encodeL2tpdText(L2TPD_CMD.HELLO, text)), text);
  }
});

Deno.test("a request has no text", () => {
  assertDeepStrictEquals([...encodeL2tpdRequest(L2TPD_CMD.LISTEN)], [2, 1, 0, 0]);
  assertThrows(() => decodeL2tpdText(encodeL2tpdRequest(L2TPD_CMD.LISTEN)), DecodeError);
});

Deno.test("a control message comes back with its source, up to the longest", () => {
  for (const length of [12, 1500, L2TPD_CONTROL_MAX]) {
    const message = Uint8Array.from({ length }, (_, i) => i & 0xff);
    const control = { local: "fd00::1", port: 1701, peer: "fd00::2", peerPort: 4444, message };
    const decoded = decodeL2tpdControl(encodeL2tpdControl(control));
    assertDeepStrictEquals({ ...decoded, message: Uint8Array.from(decoded.message) }, control);
  }
});

Deno.test("a control message that is not whole is a DecodeError", () => {
  const bad = [
    encodeL2tpdRequest(L2TPD_CMD.CONTROL),
    encodeL2tpdText(L2TPD_CMD.CONTROL, "{}"),
    encodeL2tpdText(L2TPD_CMD.CONTROL, '{"local":"10.0.0.1","port":1,"peer":"10.0.0.2","peerPort":2}'),
    encodeL2tpdText(L2TPD_CMD.CONTROL, "no JSON"),
    new Uint8Array(3),
  ];
  for (const payload of bad) assertThrows(() => decodeL2tpdControl(payload), DecodeError);
});
