/** Where keys and values stand in TOML. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Path, Positions } from "../../../src/config/file/positions.ts";
import { parseToml } from "../../../src/apply/toml.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** TOML in which a `^` in a comment line points at a place in the line above it. */
const TEXT = `# a comment with [a.table] and = in it
title = "one"
"quoted key" = 'single "quotes"'
a.b . "c\\u0041d" = 1
[ tunnel . paris ] # behind
x=true
list = [ 10, [ 20, 30 ], # comment, with a comma
  40 ]
text = """
[not.a.table]
y = 1 "" and \\""" more """""
raw = '''
it's [no.table]'''
inline = { p = 1, q.r = [ { s = 2 } ] }
date = 1979-05-27 07:32:00
[[many]]
n = 1
[[many]]
n = 2
[many.below]
m = 3
`;

const PLACES: [path: Path, key: [number, number], value: [number, number]][] = [
  [["title"], [2, 1], [2, 9]],
  [["quoted key"], [3, 1], [3, 16]],
  [["a"], [4, 1], [4, 1]],
  [["a", "b", "cAd"], [4, 7], [4, 20]],
  [["tunnel", "paris"], [5, 12], [5, 12]],
  [["tunnel", "paris", "x"], [6, 1], [6, 3]],
  [["tunnel", "paris", "list", 0], [7, 10], [7, 10]],
  [["tunnel", "paris", "list", 1, 1], [7, 20], [7, 20]],
  [["tunnel", "paris", "list", 2], [8, 3], [8, 3]],
  [["tunnel", "paris", "text"], [9, 1], [9, 8]],
  [["tunnel", "paris", "raw"], [12, 1], [12, 7]],
  [["tunnel", "paris", "inline", "p"], [14, 12], [14, 16]],
  [["tunnel", "paris", "inline", "q", "r", 0, "s"], [14, 29], [14, 33]],
  [["tunnel", "paris", "date"], [15, 1], [15, 8]],
  [["many", 0, "n"], [17, 1], [17, 5]],
  [["many", 1, "n"], [19, 1], [19, 5]],
  [["many", 1, "below", "m"], [21, 1], [21, 5]],
];

Deno.test("positions of keys and values, whatever TOML stands around them", () => {
  assert("root" in parseToml(TEXT), "the text is TOML");
  for (const [eol, text] of [["\n", TEXT], ["\r\n", TEXT.replaceAll("\n", "\r\n")]] as const) {
    const positions = new Positions(text);
    for (const [path, [keyLine, keyColumn], [line, column]] of PLACES) {
      const name = `${JSON.stringify(path)} with ${JSON.stringify(eol)}`;
      assertDeepStrictEquals(positions.key(path), { line: keyLine, column: keyColumn }, name);
      assertDeepStrictEquals(positions.value(path), { line, column }, name);
    }
  }
});

Deno.test("positions: every key that the parser finds has its own place", () => {
  const positions = new Positions(TEXT);
  const walk = (value: unknown, path: Path): void => {
    if (path.length > 0) {
      const { line, column } = positions.key(path);
      const rest = TEXT.split("\n")[line - 1]!.slice(column - 1);
      const last = path.at(-1)!;
      const starts = typeof last === "number" ? /^[[{0-9m]/ : /^["a-z]/;
      assertMatch(rest, starts, JSON.stringify(path));
      if (typeof last === "string" && last !== "cAd" && last !== "quoted key") {
        assert(rest.startsWith(last));
      }
    }
    if (typeof value !== "object" || value === null || value instanceof Date) return;
    for (const [key, inner] of Object.entries(value)) {
      walk(inner, [...path, Array.isArray(value) ? Number(key) : key]);
    }
  };
  const parsed = parseToml(TEXT);
  assert("root" in parsed);
  walk(parsed.root, []);
});

Deno.test("positions: what is nowhere is at the table around it, and at last at the beginning", () => {
  const positions = new Positions(TEXT);
  assertEquals(positions.key(["tunnel", "paris", "missing"]), { line: 5, column: 12 });
  assertEquals(positions.key(["nothing"]), { line: 1, column: 1 });
  assertEquals(new Positions("").key([]), { line: 1, column: 1 });
});

Deno.test("positions: texts that are no TOML come to an end", () => {
  for (
    const text of [
      "[",
      "=",
      "]",
      "a",
      "a = [",
      "a = {",
      'a = "',
      "a = '''",
      "[[",
      "a = [1 2",
      "\ufeff[x",
      "x.=.=[",
    ]
  ) {
    new Positions(text);
  }
});
