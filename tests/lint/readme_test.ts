/** What the README says is held against what the project is. */

import assert from "node:assert/strict";
import { DIFFERENCES } from "../kernel/differences.ts";
import { DIFFERENCES as CONFORMANCE } from "../conformance/differences.ts";
import { goldenText } from "../support/golden.ts";
import { README_SCREENS } from "../tui/screens.ts";
import { ROOMS } from "./room_table.ts";
import { schemaTables } from "./schema_table.ts";

const ROOT = new URL("../../", import.meta.url);
const readme = Deno.readTextFileSync(new URL("README.md", ROOT));

Deno.test("the README's table of differences is the one that the differential suite allows", () => {
  const table = readme.slice(readme.indexOf("### Differences"), readme.indexOf("### JSON"));
  const rows = [...table.matchAll(/^\| (.+?) \| (.+) \|$/gm)].map(([, name, text]) => [name, text]).slice(2);
  assert.deepEqual(rows, Object.entries(DIFFERENCES));
});

Deno.test("the README's table of differences from the kernel is that of the conformance suite", () => {
  const start = readme.indexOf("### Where it differs");
  const table = readme.slice(start, readme.indexOf("\n## ", start));
  const rows = [...table.matchAll(/^\| (\w+) \| (.+) \|$/gm)].map(([, name, why]) => [name, why]).slice(1);
  // Where only older kernels differ, userspace is as the newer ones are.
  const meant = Object.entries(CONFORMANCE).filter(([, { kernel, user }]) =>
    JSON.stringify(kernel) !== JSON.stringify(user)
  );
  assert.deepEqual(rows, meant.map(([name, { why }]) => [name, why]));
});

Deno.test("every room that exists is in the README's room table, with what it may import", () => {
  const isInside = (path: string): boolean =>
    ROOMS.some((room) => room.path !== path && path.startsWith(room.path));
  for (const room of ROOMS.filter(({ path }) => !isInside(path))) {
    let exists = true;
    try {
      Deno.statSync(new URL(room.path, ROOT));
    } catch {
      exists = false;
    }
    assert.equal(readme.includes(`| \`${room.path}\` |`), exists, room.path);
  }
});

Deno.test("the README's screens are those that the tests keep", () => {
  for (const name of README_SCREENS) {
    assert.ok(readme.includes(`\`\`\`\n${goldenText(`tui/${name}.txt`)}\`\`\`\n`), name);
  }
});

Deno.test("every task is in the README, and the README names no other", () => {
  const config = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as {
    tasks: Record<string, unknown>;
  };
  const named = new Set([...readme.matchAll(/deno(?:@\S+)? task ([\w:]+)/g)].map(([, name]) => name));
  assert.deepEqual([...named].sort(), Object.keys(config.tasks).sort());
});

Deno.test("the README's tables of the configuration file are the schema", () => {
  assert.ok(readme.includes(`\n\n${schemaTables()}\n`), `Put it there:\n${schemaTables()}`);
});
