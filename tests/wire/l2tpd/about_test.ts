/** `src/wire/l2tpd/about.ts`: what the daemon is. */

import { assertEquals } from "@std/assert";
import { decodeAbout, encodeAbout } from "../../../src/wire/l2tpd/about.ts";
import { assertRefused } from "./refusals.ts";

Deno.test("about: the version comes back; further members are for newer clients", () => {
  assertEquals(decodeAbout(encodeAbout({ version: "0.1.0" })), { version: "0.1.0" });
  assertEquals(decodeAbout('{"version":"2","build":{}}'), { version: "2" });
});

Deno.test("about: what is refused, and the member that is named", () => {
  assertRefused(decodeAbout, "L2TPD_CMD_ABOUT", [
    ["", ""],
    ["", '"secret"'],
    [".version", {}],
    [".version", { version: 1 }],
    [".version", { version: "" }],
    [".version", { version: "secret".repeat(50) }],
  ]);
});
