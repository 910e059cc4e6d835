import { assertEquals } from "@std/assert";
import { sharedNames, sourceTexts } from "./names.ts";

Deno.test("sharedNames(): names that more than one file exports", () => {
  const files = new Map([
    [
      "a.ts",
      "export function f(): void;\nexport function f(a?: 1): void {}\nexport const A = 1;\nconst B = 2;",
    ],
    ["b.ts", "export type A = 1;\nexport { f } from './a.ts';\nexport class B {}"],
  ]);
  assertEquals([...sharedNames(files)], [["A", ["a.ts", "b.ts"]]]);
});

Deno.test("one exported name means one thing", () => {
  assertEquals([...sharedNames(sourceTexts())], []);
});
