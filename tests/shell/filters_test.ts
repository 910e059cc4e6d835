/** `src/shell/filters.ts`: what comes out of the filters, however the output comes in. */

import { assertStrictEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../src/cli/grammar/usage_error.ts";
import { LineFilter, readFilters } from "../../src/shell/filters.ts";

const TEXT = "Tunnel 1\n  From a to b\n\nTunnel 2\n  From c to d\n";

/** What comes out, the output coming in pieces of every length. */
function filtered(...parts: string[]): string {
  const pipeline = readFilters(parts.map((part) => part.split(" ")));
  const outs = [1, 3, 7, TEXT.length].map((size) => {
    const filter = new LineFilter(pipeline);
    let out = "";
    for (let at = 0; at < TEXT.length; at += size) out += filter.push(TEXT.slice(at, at + size));
    return out + filter.end();
  });
  assertStrictEquals(new Set(outs).size, 1);
  return outs[0]!;
}

Deno.test("filters: what comes out", () => {
  const table: [parts: string[], expected: string][] = [
    [["include Tunnel"], "Tunnel 1\nTunnel 2\n"],
    [["inc to"], "  From a to b\n  From c to d\n"],
    [["include From c"], "  From c to d\n"],
    [["include ^Tunnel|d$"], "Tunnel 1\nTunnel 2\n  From c to d\n"],
    [["exclude From"], "Tunnel 1\n\nTunnel 2\n"],
    [["exclude ^$", "exclude From"], "Tunnel 1\nTunnel 2\n"],
    [["include nothing"], ""],
    [["count"], "4\n"],
    [["include Tunnel", "count"], "2\n"],
    [["include nothing", "cou"], "0\n"],
    [["count", "include 4"], "4\n"],
    [["count", "include 5"], ""],
    [["count", "count"], "1\n"],
    [[], TEXT],
    [["json"], TEXT],
  ];
  for (const [parts, expected] of table) assertStrictEquals(filtered(...parts), expected, parts.join(" | "));
});

Deno.test("filters: an end without a newline is a line, too", () => {
  const filter = new LineFilter(readFilters([["include", "x"]]));
  assertStrictEquals(filter.push("ax\nbx"), "ax\n");
  assertStrictEquals(filter.end(), "bx\n");
  assertStrictEquals(filter.end(), "");
});

Deno.test("readFilters(): JSON is asked of the command", () => {
  assertStrictEquals(readFilters([["json"], ["include", "mtu"]]).json, true);
  assertStrictEquals(readFilters([["count"]]).json, false);
  assertStrictEquals(readFilters([["count"]]).counts, true);
});

Deno.test("readFilters() refuses what is wrong, and says what would be right", () => {
  const table: [parts: string[][], message: string][] = [
    [[[]], 'Error: argument "include, exclude, count, json" is required'],
    [[["grep", "x"]], 'Error: argument "grep" is wrong: filters are include, exclude, count, json'],
    [[["include"]], 'Error: argument "TEXT of include" is required'],
    [[["include", "("]], 'Error: argument "(" is wrong: it is not a regular expression'],
    [[["count", "x"]], 'Error: argument "x" is wrong: count takes nothing'],
    [[["count"], ["json"]], 'Error: argument "json" is wrong: it must be right after the command'],
  ];
  for (const [parts, message] of table) {
    const error = assertThrows(() => readFilters(parts), UsageError);
    assertStrictEquals(error.message, message);
  }
});
