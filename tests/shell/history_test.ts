/** `src/shell/history.ts`: no cookie gets into the history, however the line is written. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { HISTORY_SIZE, historyOf, rememberedLine } from "../../src/shell/history.ts";

Deno.test("rememberedLine(): cookies are replaced by their placeholder, everything else stays", () => {
  const table: [line: string, expected: string | undefined][] = [
    ["show tunnel", "show tunnel"],
    ["  show  tunnel ", "show  tunnel"],
    ["", undefined],
    ["   ", undefined],
    [
      "add session tunnel_id 1 session_id 12345678 peer_session_id 0x1234 cookie 00112233 peer_cookie 0011223344556677",
      "add session tunnel_id 1 session_id 12345678 peer_session_id 0x1234 cookie HEXSTR peer_cookie HEXSTR",
    ],
    ["add ses coo deadbeef peer_c cafebabe name pw0", "add ses coo HEXSTR peer_c HEXSTR name pw0"],
    ["ip l2tp add session cookie deadbeef", "ip l2tp add session cookie HEXSTR"],
    ["l2tp add session cookie deadbeef", "l2tp add session cookie HEXSTR"],
    ["session add cookie 'deadbeef' name pw0", "session add cookie HEXSTR name pw0"],
    ['add session cookie "deadbeef', "add session cookie HEXSTR"],
    ["show session cookie deadbeef | count", "show session cookie HEXSTR | count"],
    ["show session | include deadbeef", "show session | include HEXSTR"],
    // Lines that are wrong, for which the user types it again.
    ["add session cokie deadbeef", "add session cokie HEXSTR"],
    ["add session cookie=deadbeefdeadbeef", "add session HEXSTR"],
    ["add session cookie 0xdeadbeef", "add session cookie HEXSTR"],
    ["add session cookie tooshort", "add session cookie HEXSTR"],
    ["bogus deadbeef", "bogus HEXSTR"],
    ["add session c deadbeef", "add session c HEXSTR"],
    ["# cookie deadbeef", "# cookie HEXSTR"],
    ["show # add session cookie deadbeef", "show # add session cookie HEXSTR"],
    // Numbers that look like one, but are ids.
    ["show tunnel tunnel_id 12345678", "show tunnel tunnel_id 12345678"],
    ["sh tu tu 12345678", "sh tu tu 12345678"],
    ["add session name deadbeef", "add session name deadbeef"],
  ];
  for (const [line, expected] of table) assertStrictEquals(rememberedLine(line), expected, line);
});

Deno.test("rememberedLine(): a line is one line, and not too long", () => {
  assertStrictEquals(rememberedLine("show\ntunnel"), "show tunnel");
  assertStrictEquals(rememberedLine(`show ${"x".repeat(5000)}`), undefined);
});

Deno.test("historyOf(): the last first, none twice, no more than there is room for", () => {
  assertEquals(historyOf(["a", "b", "", "a", "c"]), ["c", "a", "b"]);
  const many = Array.from({ length: 2 * HISTORY_SIZE }, (_, i) => `show tunnel tunnel_id ${i}`);
  assertStrictEquals(historyOf(many).length, HISTORY_SIZE);
  assertStrictEquals(historyOf(many)[0], many.at(-1));
});
