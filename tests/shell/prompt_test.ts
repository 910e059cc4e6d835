/** `src/shell/prompt.ts`. */

import assert from "node:assert/strict";
import { promptOf } from "../../src/shell/prompt.ts";

Deno.test("promptOf(): host, namespace, subsystem", () => {
  assert.equal(promptOf({ host: "gw1", netns: undefined, subsystem: "kernel" }), "gw1 kernel> ");
  assert.equal(promptOf({ host: "gw1.example.net", netns: "blue", subsystem: "user" }), "gw1[blue] user> ");
  assert.equal(promptOf({ host: "gw1", netns: "/proc/7/ns/net", subsystem: "none" }), "gw1[net] none> ");
});

Deno.test("promptOf(): names that are long, or that a terminal would take for something else", () => {
  assert.equal(
    promptOf({ host: "h".repeat(40), netns: "a\x1b[2J", subsystem: "?" }),
    `${"h".repeat(19)}~[a?[2J] ?> `,
  );
});
