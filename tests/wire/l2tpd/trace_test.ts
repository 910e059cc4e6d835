/** `src/wire/l2tpd/trace.ts`: trace events. */

import { assertStrictEquals } from "@std/assert";
import { L2TPD_TEXT_MAX } from "../../../src/wire/l2tpd/family.ts";
import { decodeTrace, encodeTrace } from "../../../src/wire/l2tpd/trace.ts";
import { assertRefused } from "./refusals.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

Deno.test("trace: an event comes back with its facts", () => {
  const event = { event: "session_seqnum_lns_enable", tunnel: 1, session: 2, deep: { a: [1] } };
  assertDeepStrictEquals(decodeTrace(encodeTrace(event)), event);
});

Deno.test("trace: a text is never longer than a message takes", () => {
  assertStrictEquals(encodeTrace({ event: "x".repeat(2000) }).length, L2TPD_TEXT_MAX);
});

Deno.test("trace: what is refused", () => {
  assertRefused(decodeTrace, "L2TPD_CMD_TRACE", [
    ["", "secret"],
    ["", "[]"],
    [".event", {}],
    [".event", { event: 7 }],
  ]);
});
