/** `src/wire/l2tpd/offloads.ts`: rows of offloads. */

import { assertStrictEquals } from "@std/assert";
import { decodeOffloads, encodeOffloads } from "../../../src/wire/l2tpd/offloads.ts";
import { OFFLOADS } from "../../../src/model/offloads.ts";
import { assertRefused } from "./refusals.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

Deno.test("offloads: what was encoded comes back, with all, with none, and with one of a newer daemon", () => {
  for (const offloads of [OFFLOADS, [], ["tap", "unheard-of"]]) {
    const row = { tunnelId: 1, sessionId: 0xffff_ffff, offloads: [...offloads] };
    assertDeepStrictEquals(decodeOffloads(encodeOffloads(row)), row);
  }
  assertStrictEquals(
    encodeOffloads({ tunnelId: 1, sessionId: 2, offloads: ["gso"] }),
    '{"tunnel_id":1,"session_id":2,"offloads":["gso"]}',
  );
});

Deno.test("offloads: what is refused, and the member that is named", () => {
  assertRefused(decodeOffloads, "L2TPD_CMD_OFFLOADS", [
    ["", "secret"],
    ["", "7"],
    [".tunnel_id", { session_id: 1, offloads: [] }],
    [".session_id", { tunnel_id: 1, offloads: [] }],
    [".session_id", { tunnel_id: 1, session_id: "secret", offloads: [] }],
    [".offloads", { tunnel_id: 1, session_id: 1 }],
    [".offloads", { tunnel_id: 1, session_id: 1, offloads: "secret" }],
    [".offloads", { tunnel_id: 1, session_id: 1, offloads: [7] }],
    [".offloads", { tunnel_id: 1, session_id: 1, offloads: Array(65).fill("secret") }],
  ]);
});
