/** `src/driver/system/hook_runner.ts`: real programs, their environment, and their ends. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { HookError } from "../../../src/base/hook_error.ts";
import { HookRunner } from "../../../src/driver/system/hook_runner.ts";
import { bindLibc } from "../../../ffi/libc.ts";
import { Namespace } from "../../support/namespaces.ts";
import { until } from "../../support/until.ts";

bindLibc();

interface Case {
  readonly script: string;
  readonly environment?: Record<string, string>;
  readonly timeoutMs?: number;
  readonly netns?: string;
}

/** Runs a shell script as a hook named "h". */
function run(
  runner: HookRunner,
  { script, environment = {}, timeoutMs = 30_000, netns }: Case,
): Promise<void> {
  const command = ["/bin/sh", "-c", script, "sh", "a b", "$HOME"];
  return runner.run({ name: "h", command, environment, timeoutMs, netns });
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** Resolves to the error of a hook. */
async function troubleOf(running: Promise<void>): Promise<[string, string]> {
  try {
    await running;
  } catch (error) {
    assert(error instanceof HookError, String(error));
    return [error.failure, error.message];
  }
  throw new Error("It did not fail");
}

Deno.test("HookRunner: only its own environment and arguments, no input, no descriptors, the root folder", async () => {
  const lines: string[] = [];
  const runner = new HookRunner((line) => lines.push(line));
  using _file = Deno.openSync("/etc/services");
  const script =
    'env | sort; pwd; cat; printf "%s|%s\\n" "$1" "$2"; readlink /proc/$$/fd/0; ls -l /proc/$$/fd >&2';
  await run(runner, { script, environment: { L2TP_EVENT: "up", PATH: "/usr/bin:/bin" } });
  assert(
    lines.some((line) => / 2 -> pipe:/.test(line)) && !lines.some((line) => line.includes("/etc/services")),
  );
  const own = lines.map((line) => line.replace(/^h: /, "")).filter((line) =>
    !/^(_|PWD|SHLVL|OLDPWD)=/.test(line)
  );
  assertEquals(own.filter((line) => !/^(total|l[rwx-]{9} )/.test(line)), [
    "L2TP_EVENT=up",
    "PATH=/usr/bin:/bin",
    "/",
    "a b|$HOME",
    "/dev/null",
  ]);
});

Deno.test("HookRunner: the errors of hooks", async () => {
  const runner = new HookRunner(() => {});
  assertEquals(await troubleOf(run(runner, { script: "exit 3" })), [
    "failed",
    "h ended with exit code 3",
  ]);
  assertEquals(await troubleOf(run(runner, { script: "kill -TERM $$" })), [
    "failed",
    "h was ended by SIGTERM",
  ]);
  const missing = { name: "h", environment: {}, timeoutMs: 1000, netns: undefined };
  const [trouble, message] = await troubleOf(runner.run({ ...missing, command: ["/no/such/program"] }));
  assertStrictEquals(trouble, "notStarted");
  assertMatch(message, /^h cannot be started: /);
  const plain = await Deno.makeTempFile();
  assertStrictEquals((await troubleOf(runner.run({ ...missing, command: [plain] })))[0], "notStarted");
  await Deno.remove(plain);
});

Deno.test("HookRunner: a hook beyond its time limit is killed with its children", async () => {
  const lines: string[] = [];
  const runner = new HookRunner((line) => lines.push(line));
  const script = "sleep 1000 & echo $!; echo $$; wait";
  const [trouble, message] = await troubleOf(run(runner, { script, timeoutMs: 300 }));
  assertEquals([trouble, message], ["timeout", "h took longer than 0.3 s and was killed"]);
  assertStrictEquals(lines.length, 2);
  for (const line of lines) {
    const pid = Number(line.replace("h: ", ""));
    await until(() => !isAlive(pid), `${line} is dead`);
  }
});

Deno.test("HookRunner: an interrupt ends running and waiting hooks, and not later ones", async () => {
  const lines: string[] = [];
  const runner = new HookRunner((line) => lines.push(line));
  const running = Array.from({ length: 12 }, () => troubleOf(run(runner, { script: "echo on; sleep 1000" })));
  await until(() => lines.length === 8, "eight run");
  runner.interrupt();
  assertEquals(
    await Promise.all(running),
    running.map(() => ["interrupted", "h was interrupted"]),
  );
  assertStrictEquals(lines.length, 8, "the others waited for their turn");
  await run(runner, { script: "echo more" });
  assertStrictEquals(lines.at(-1), "h: more");
  await runner.settled();
});

Deno.test("HookRunner: at most eight run at a time, and all run", async () => {
  const lines: string[] = [];
  const runner = new HookRunner((line) => lines.push(line));
  const folder = await Deno.makeTempDir();
  try {
    // Each records how many are running.
    const script = `mkdir ${folder}/$$; ls ${folder} | wc -l; sleep 0.05; rmdir ${folder}/$$`;
    await Promise.all(
      Array.from({ length: 20 }, () => run(runner, { script, environment: { PATH: "/usr/bin:/bin" } })),
    );
    const counts = lines.map((line) => Number(line.replace("h: ", "")));
    assertStrictEquals(counts.length, 20);
    assert(Math.max(...counts) <= 8, lines.join());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("HookRunner: output is truncated if it is too long, and stripped of control characters", async () => {
  const lines: string[] = [];
  const runner = new HookRunner((line) => lines.push(line));
  const environment = { PATH: "/usr/bin:/bin" };
  await run(runner, {
    script: "printf '\\033[31mred\\ttab\\n'; head -c 3000 /dev/zero | tr '\\0' x",
    environment,
  });
  assertEquals(lines, ["h: [31mred tab", `h: ${"x".repeat(500)}…`]);
  lines.length = 0;
  await run(runner, { script: "seq 100000", environment });
  assertStrictEquals(lines.length, 201);
  assertEquals(lines.slice(-2), ["h: 200", "h: further lines omitted"]);
});

Deno.test("HookRunner: a child that a hook leaves running does not block", async () => {
  const lines: string[] = [];
  const runner = new HookRunner((line) => lines.push(line));
  await run(runner, { script: "sleep 1000 & echo $!" });
  const pid = Number(lines[0]!.replace("h: ", ""));
  assert(isAlive(pid));
  Deno.kill(pid, "SIGKILL");
});

Deno.test("HookRunner: in another network namespace; a missing one is reported", async () => {
  await using namespace = await Namespace.create("hook");
  await namespace.ip("link add here type veth peer name there");
  const lines: string[] = [];
  const runner = new HookRunner((line) => lines.push(line));
  const script = "grep -c ' here:' /proc/net/dev";
  await run(runner, { script, netns: namespace.name, environment: { PATH: "/usr/bin:/bin" } });
  assertEquals(lines, ["h: 1"]);
  const [trouble, message] = await troubleOf(run(runner, { script, netns: "no-such-netns" }));
  assertStrictEquals(trouble, "notStarted");
  assertMatch(message, /no-such-netns/);
});
