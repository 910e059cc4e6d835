/** `src/shell/prompt.ts`. */

import { assertStrictEquals } from "@std/assert";
import { promptOf } from "../../src/shell/prompt.ts";

Deno.test("promptOf(): host, namespace, subsystem", () => {
  assertStrictEquals(promptOf({ host: "gw1", netns: undefined, subsystem: "kernel" }), "gw1 kernel> ");
  assertStrictEquals(
    promptOf({ host: "gw1.example.net", netns: "blue", subsystem: "user" }),
    "gw1[blue] user> ",
  );
  assertStrictEquals(
    promptOf({ host: "gw1", netns: "/proc/7/ns/net", subsystem: "none" }),
    "gw1[net] none> ",
  );
});

Deno.test("promptOf(): names that are long, or that a terminal would take for something else", () => {
  assertStrictEquals(
    promptOf({ host: "h".repeat(40), netns: "a\x1b[2J", subsystem: "?" }),
    `${"h".repeat(19)}~[a?[2J] ?> `,
  );
});
