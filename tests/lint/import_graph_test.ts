import { assert, assertEquals } from "@std/assert";
import { circles, importGraph, valueImports } from "./import_graph.ts";

Deno.test("value imports: what a file loads, and not what it takes types of", () => {
  const text = `
import { a } from "./a.ts";
import { type B, c } from "../c/c.ts";
import type { D } from "./d.ts";
import { type E } from "./e.ts";
import {
  type F,
  type G,
} from "./f.ts";
import * as h from "./h.ts";
export { i } from "./i.ts";
export type { J } from "./j.ts";
export * from "./k.ts";
import "./l.ts";
const later = await import("./m.ts");
`;
  const expected = ["src/x/a.ts", "src/c/c.ts", "src/x/h.ts", "src/x/i.ts", "src/x/k.ts", "src/x/l.ts"];
  assertEquals(valueImports("src/x/x.ts", text), expected);
});

Deno.test("circles: found wherever they begin", () => {
  const graph = new Map([["a", ["b"]], ["b", ["c", "d"]], ["c", ["b"]], ["d", []]]);
  assertEquals(circles(graph), [["b", "c", "b"]]);
  assertEquals(circles(new Map([["a", ["a"]]])), [["a", "a"]]);
  assertEquals(circles(new Map([["a", ["b", "c"]], ["b", ["c"]], ["c", []]])), []);
});

Deno.test("no files of the project import each other in a circle, types aside", () => {
  const graph = importGraph();
  assert([...graph.values()].flat().length > 500, "the graph has the project's imports");
  assertEquals(circles(graph).map((circle) => circle.join(" -> ")), []);
});
