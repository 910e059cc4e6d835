/** Every link of the documentation leads somewhere, and every page can be reached. */

import { assert, assertEquals } from "@std/assert";
import { anchorsOf, linksOf, pages, pathsOf } from "./pages.ts";

const ROOT = new URL("../../", import.meta.url);

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("links are found in text and not in code, and anchors are GitHub's", () => {
  const page =
    "# A `b` & c\n[x](y.md#z)\n```\n# no\n[no](no.md)\n```\n`[no](no.md)` [w](https://w)\n## Same\n## Same\n";
  assertEquals(linksOf("docs/p.md", page), [{ href: "y.md#z", path: "docs/y.md", anchor: "z" }]);
  assertEquals(linksOf("docs/p.md", "[t](../a/b) [h](#same)").map(({ path }) => path), [
    "a/b",
    "docs/p.md",
  ]);
  assertEquals(anchorsOf(page), ["a-b--c", "same", "same-1"]);
});

for (const page of pages()) {
  Deno.test(`links and paths of ${page}`, () => {
    for (const path of pathsOf(read(page))) assert(exists(path), `${page}: there is no ${path}`);
    for (const { href, path, anchor } of linksOf(page, read(page))) {
      assert(exists(path), `${page}: ${href}: there is no ${path}`);
      if (anchor !== undefined) {
        assert(anchorsOf(read(path)).includes(anchor), `${page}: ${href}: no such heading`);
      }
    }
  });
}

Deno.test("every page can be reached from the README", () => {
  const reached = new Set(["README.md"]);
  // A set hands out what is added while it is read.
  for (const page of reached) {
    for (const { path } of linksOf(page, read(page))) if (path.endsWith(".md")) reached.add(path);
  }
  assertEquals([...reached].sort(), pages().sort());
});
