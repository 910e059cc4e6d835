/** What the documentation says is held against what the project is. */

import { assert, assertEquals } from "@std/assert";
import { goldenText } from "../support/golden.ts";
import { DOCUMENTED_SCREENS } from "../tui/screens.ts";
import { RULES } from "../../src/doctor/rules.ts";
import { SESSION_RULES, TUNNEL_RULES } from "../../src/status/health.ts";
import { ERROR_RULES } from "../../src/status/health_errors.ts";
import { pages } from "./pages.ts";

const ROOT = new URL("../../", import.meta.url);

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

Deno.test("the screens of the live view are those that the tests keep", () => {
  const guide = read("docs/guides/monitoring.md");
  for (const name of DOCUMENTED_SCREENS) {
    assert(guide.includes(`\`\`\`\n${goldenText(`tui/${name}.txt`)}\`\`\`\n`), name);
  }
});

Deno.test("every task is in the guide to tests, and no page names another", () => {
  const { tasks } = JSON.parse(read("deno.json")) as { tasks: Record<string, unknown> };
  const namedIn = (text: string): string[] =>
    [...new Set([...text.matchAll(/deno(?:@\S+)? task ([\w:]+)/g)].map(([, name]) => name!))].sort();
  assertEquals(namedIn(read("docs/development/tests.md")), Object.keys(tasks).sort());
  for (const page of pages()) {
    for (const name of namedIn(read(page))) assert(name in tasks, `${page}: deno task ${name}`);
  }
});

Deno.test("troubleshooting names every problem of status and every check of doctor, and no other", () => {
  const page = read("docs/guides/troubleshooting.md");
  const [problems, checks] = page.split("\n## Doctor\n");
  const named = (text: string): string[] =>
    [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!).sort();
  // These names are not of rules: two of tunnels of the configuration file, one of the daemon.
  const rules = [...SESSION_RULES, ...TUNNEL_RULES, ...ERROR_RULES].map(({ problem }) => problem);
  const all = new Set([...rules, "declared_waiting", "declared_failed", "daemon_gone"]);
  assertEquals(named(problems!), [...all].sort());
  assertEquals(named(checks!), RULES.map(({ check }) => check).sort());
});

Deno.test("configurations in the guides are those of the examples", () => {
  const guide = read("docs/guides/hooks.md");
  const [, block] = /^```toml\n([^`]+)```$/m.exec(guide) ?? [];
  assert(block !== undefined && read("examples/hooks.toml").includes(block));
});

Deno.test("the README can be read in five minutes", () => {
  const readme = read("README.md");
  assert(readme.trimEnd().split("\n").length <= 200, "at most 200 lines");
  assert(new TextEncoder().encode(readme).length <= 12_000, "at most 12 kB");
});
