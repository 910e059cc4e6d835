import { assertEquals } from "@std/assert";
import plugin from "./rooms.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

function messages(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, `${ROOT}${path}`, source).map((diagnostic) => `${diagnostic.id}`);
}

Deno.test("room table: what each room may and may not import", () => {
  const cases: [path: string, source: string, expected: string[]][] = [
    ["src/base/a.ts", 'import { b } from "./b.ts"; b();', []],
    ["src/base/a.ts", 'import { b } from "../model/b.ts"; b();', ["rooms/imports"]],
    ["src/wire/genl/a.ts", 'import { b } from "../../model/b.ts"; b();', []],
    ["src/wire/genl/a.ts", 'import { b } from "../../driver/b.ts"; b();', ["rooms/imports"]],
    ["src/wire/genl/a.ts", 'import { b } from "npm:b"; b();', ["rooms/imports"]],
    ["src/wire/genl/a.ts", 'export * from "../../cli/b.ts";', ["rooms/imports"]],
    ["src/cli/a.ts", 'const b = await import("../../ffi/mod.ts"); b;', ["rooms/imports"]],
    ["src/cli/a.ts", 'import { b } from "../client/mod.ts"; b();', []],
    ["src/client/a.ts", 'import { b } from "../../ffi/b.ts"; b();', ["rooms/imports"]],
    ["src/driver/a.ts", 'import { b } from "../../ffi/b.ts"; b();', []],
    ["src/driver/a.ts", 'import { b } from "../client/b.ts"; b();', ["rooms/imports"]],
    ["ffi/a.ts", 'import { b } from "../src/wire/b.ts"; b();', ["rooms/imports"]],
    ["src/config/schema/a.ts", 'import { b } from "../plan/b.ts"; b();', ["rooms/imports"]],
    ["src/config/plan/a.ts", 'import { b } from "../schema/b.ts"; b();', []],
    ["src/driver/netlink/a.ts", 'import { b } from "../data_plane/b.ts"; b();', ["rooms/imports"]],
    ["src/driver/data_plane/a.ts", 'import { b } from "./worker/b.ts"; b();', ["rooms/imports"]],
    ["src/driver/data_plane/worker/a.ts", 'import { b } from "../commands.ts"; b();', []],
    ["src/driver/data_plane/worker/a.ts", 'import { b } from "../mod.ts"; b();', ["rooms/imports"]],
    ["src/cli/run.ts", 'import { b } from "./grammar/b.ts"; b();', []],
    ["src/cli/commands/status/a.ts", 'import { b } from "../b.ts"; b();', []],
    ["main.ts", 'import { b } from "./src/cli/b.ts"; b();', []],
    ["tests/a.ts", 'import { b } from "../ffi/b.ts"; b();', []],
  ];
  for (const [path, source, expected] of cases) {
    assertEquals(messages(path, source), expected, `${path}: ${source}`);
  }
});

Deno.test("purity: pure rooms have no clock, chance, promise or environment", () => {
  for (
    const source of [
      "Date.now();",
      "performance.now();",
      "setTimeout(f, 1);",
      "Math.random();",
      "crypto.getRandomValues(a);",
      "console.log(1);",
      "Deno.env.get('A');",
      "async function f() {}",
      "const f = async () => {};",
      "new Promise(f);",
    ]
  ) {
    assertEquals(messages("src/wire/a.ts", source), ["rooms/purity"], source);
    assertEquals(messages("src/driver/a.ts", source), [], source);
  }
  assertEquals(messages("src/wire/a.ts", "const a = { Date: 1 }; a.Date;"), []);
});

Deno.test("native: only ffi/ opens libraries", () => {
  assertEquals(messages("src/driver/a.ts", "Deno.dlopen('x', {});"), ["rooms/native"]);
  assertEquals(messages("ffi/a.ts", "Deno.dlopen('x', {});"), []);
});

Deno.test("documentation: exported functions and classes have a comment, fields and types need none", () => {
  const documentation = (source: string): string[] =>
    messages("src/driver/a.ts", source).filter((id) => id === "rooms/documentation");
  assertEquals(documentation("export function f() {}"), ["rooms/documentation"]);
  assertEquals(documentation("// no\nexport class A {}"), ["rooms/documentation"]);
  assertEquals(documentation("/** Does. */\nexport function f() {}"), []);
  assertEquals(documentation("/** Is. */\nexport class A {}"), []);
  assertEquals(
    documentation("export interface A { a: number }\nexport type B = 1;\nfunction f() {}\nf();"),
    [],
  );
});
