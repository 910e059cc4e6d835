/** `src/wire/l2tpd/drops.ts`: rows of dropped packets. */

import { assertStrictEquals } from "@std/assert";
import { decodeDrops, encodeDrops } from "../../../src/wire/l2tpd/drops.ts";
import { assertRefused } from "./refusals.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const NOBODY = { tunnelId: undefined, sessionId: undefined, local: undefined, port: undefined };

Deno.test("drops: what was encoded comes back, of sessions, tunnels and sockets", () => {
  const rows = [
    { ...NOBODY, tunnelId: 1, sessionId: 0xffff_ffff, reasons: new Map([["cookie_mismatch", 3]]) },
    { ...NOBODY, tunnelId: 7, reasons: new Map() },
    { ...NOBODY, local: "fd00::1", port: 0, reasons: new Map([["a", 0], ["b", Number.MAX_SAFE_INTEGER]]) },
  ];
  for (const row of rows) assertDeepStrictEquals(decodeDrops(encodeDrops(row)), row);
});

Deno.test("drops: the row's members, and further ones that a newer daemon may have", () => {
  const row = { ...NOBODY, tunnelId: 1, sessionId: 2, reasons: new Map([["x", 1]]) };
  assertStrictEquals(encodeDrops(row), '{"tunnel_id":1,"session_id":2,"drops":{"x":1}}');
  assertDeepStrictEquals(decodeDrops('{"tunnel_id":1,"session_id":2,"drops":{"x":1},"new":[]}'), row);
});

Deno.test("drops: what is refused, and the member that is named", () => {
  assertRefused(decodeDrops, "L2TPD_CMD_DROPS", [
    ["", "secret"],
    ["", "[]"],
    ["", "null"],
    [".drops", "{}"],
    [".drops", { drops: null }],
    [".drops.a", { drops: { a: "secret" } }],
    [".drops.a", { drops: { a: -1 } }],
    [".drops.a", { drops: { a: 1.5 } }],
    [".tunnel_id", { tunnel_id: "secret", drops: {} }],
    [".session_id", { session_id: 2 ** 32, drops: {} }],
    [".local", { local: 5, drops: {} }],
    [".port", { port: 65536, drops: {} }],
  ]);
});
