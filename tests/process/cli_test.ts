/**
 * The command line as a process, where no kernel with L2TP is needed: what it prints where, exit codes, pipes,
 * signals, environment. `L2TP_UNDER_TEST` says which program it is.
 */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { kernelHasL2tp } from "../guest/guest.ts";
import { type Ended, l2tp, programUnderTest, runProgram } from "../support/processes.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** The program as one word for a shell. */
const SHELL_WORDS = programUnderTest().map((word) => `'${word}'`).join(" ");

async function shell(script: string, name = "bash"): Promise<Ended> {
  return await runProgram([name, "-c", script.replaceAll("L2TP", SHELL_WORDS)]);
}

Deno.test("help goes to standard output with exit 0, however it is asked for", async () => {
  for (
    const args of [["help"], ["-help"], ["--help"], ["-h"], ["h"], ["help", "add"], ["add", "help"], [
      "show",
      "--help",
    ]]
  ) {
    const { code, stdout, stderr } = await l2tp(args);
    assertDeepStrictEquals([code, stderr], [0, ""], args.join(" "));
    assertMatch(stdout, /^Usage: l2tp /, args.join(" "));
    for (const line of stdout.split("\n")) assert(line.length <= 80, `too long: ${line}`);
  }
});

Deno.test("no words at all: usage on standard error, exit 255", async () => {
  const { code, stdout, stderr } = await l2tp([]);
  assertEquals([code, stdout], [255, ""]);
  assertMatch(stderr, /^Usage: l2tp /);
});

Deno.test("wrong input: the line that ip prints, then advice; exit code; nothing on standard output", async () => {
  const cases: [args: string[], code: number, first: string, advice: RegExp][] = [
    [["shwo"], 255, 'Command "shwo" is unknown, try "l2tp help".', /Did you mean "show"\?/],
    [["add", "tunnel", "tunel_id", "1"], 255, "Unknown command: tunel_id", /Did you mean "tunnel_id"\?/],
    [["add", "tunnel"], 255, 'Error: argument "tunnel_id" is required', /l2tp help add/],
    [["add", "tunnel", "tunnel_id", "x"], 255, 'Error: argument "x" is wrong: invalid ID', /^$/],
    [["add", "tunnel", "remote", "1.2.3"], 255, 'Error: argument "tunnel_id" is required', /help/],
    [
      ["add", "tunnel", "remote", "no.such.invalid"],
      1,
      'Error: any valid address is expected rather than "no.such.invalid".',
      /cannot be resolved/,
    ],
    [["-bogus"], 255, 'Option "-bogus" is unknown, try "l2tp help".', /^$/],
    [["show", "-force"], 255, "Unknown command: -force", /before the command/],
    [
      ["-n", "no-such-namespace", "show"],
      255,
      'Cannot open network namespace "no-such-namespace": No such file or directory',
      /ip netns list/,
    ],
    [
      ["-batch", "/no/such/file"],
      1,
      'Cannot open file "/no/such/file" for reading: No such file or directory',
      /^$/,
    ],
    [
      ["completion", "tcsh"],
      255,
      'Error: argument "tcsh" is wrong: completion is there for bash, zsh, fish',
      /^$/,
    ],
    [
      [
        "add",
        "tunnel",
        "tid",
        "70000",
        "ptid",
        "1",
        "version",
        "2",
        "local",
        "any",
        "remote",
        "10.0.0.1",
        "udp_sport",
        "1",
        "udp_dport",
        "1",
      ],
      255,
      'Error: argument "70000" is wrong: invalid ID',
      /16 bits/,
    ],
  ];
  for (const [args, code, first, advice] of cases) {
    const ended = await l2tp(args);
    const [line, ...rest] = ended.stderr.trimEnd().split("\n");
    assertDeepStrictEquals([ended.code, ended.stdout, line], [code, "", first], args.join(" "));
    assertMatch(rest.join("\n"), advice, args.join(" "));
    for (const more of rest) assertMatch(more, /^ {2}\S/, "advice is indented");
  }
});

Deno.test("with -json an error is one JSON object", async () => {
  for (const args of [["-j", "add", "tunnel"], ["add", "tunnel", "--json"], ["--json", "bogus"]]) {
    const { code, stdout, stderr } = await l2tp(args);
    const error = JSON.parse(stderr) as { error: string; exit_code: number };
    assertEquals([code, stdout, error.exit_code], [255, "", 255], args.join(" "));
    assertStrictEquals(stderr.trimEnd().split("\n").length, 1);
  }
});

Deno.test("a reader that goes away ends the program quietly", async () => {
  const { code, stdout, stderr } = await shell("L2TP man | head -n 1; echo ${PIPESTATUS[0]}");
  assertStrictEquals(code, 0);
  assertMatch(stdout, /^\.TH L2TP 8/);
  // Whether the reader went before the last byte was written is chance; a stack trace would be no chance.
  assertMatch(stdout.trimEnd(), /\n(0|141)$/);
  assertStrictEquals(stderr, "");
  const closed = await shell("L2TP help >&-; echo $?");
  assertNotMatch(closed.stderr, /\bat\b.*:\d+:\d+/);
});

Deno.test("an empty environment is enough", async () => {
  const { code, stdout } = await runProgram([...programUnderTest(), "version"], {
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin" },
  });
  assertStrictEquals(code, 0);
  assertMatch(stdout, /^l2tp \d+\.\d+\.\d+\n$/);
});

Deno.test("the folder it runs in has no say", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/deno.json`, "{ broken");
    await Deno.writeTextFile(`${folder}/package.json`, "{ broken");
    assertStrictEquals((await l2tp(["version"], { cwd: folder })).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("completion: the bash script completes words of the grammar", async () => {
  const { stdout, stderr } = await shell(`
    l2tp() { L2TP "$@"; }
    source <(l2tp completion bash)
    try() { COMP_LINE=$1; COMP_POINT=\${#1}; COMPREPLY=(); _l2tp; echo "\${COMPREPLY[@]}"; }
    try 'l2tp ad'
    try 'l2tp add session seq '
    try 'l2tp tunnel sh'
    try 'l2tp -js'
    try 'l2tp -dataplane=u'`);
  assertStrictEquals(stderr, "");
  assertEquals(stdout.trimEnd().split("\n"), ["add", "none send recv both", "show", "-json", "user"]);
});

/** Runs the action with a folder for a daemon, and ends the daemon that was started there. */
async function withRuntimeFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-process-" });
  try {
    await action(folder);
  } finally {
    for (const pid of daemonsOf(folder)) Deno.kill(pid, "SIGKILL");
    await Deno.remove(folder, { recursive: true });
  }
}

/** Processes that `l2tp daemon` of this folder is. */
function daemonsOf(folder: string): number[] {
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    try {
      const words = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
      const env = Deno.readTextFileSync(`/proc/${name}/environ`).split("\0");
      if (words.includes("daemon") && env.includes(`L2TP_RUNTIME_DIR=${folder}`)) found.push(Number(name));
    } catch {
      // No process, or it has ended.
    }
  }
  return found;
}

const ADD = "add tunnel tid 1 ptid 2 local 127.0.0.1 remote 127.0.0.2 udp_sport 47011 udp_dport 47012".split(
  " ",
);

Deno.test("a kernel without L2TP that is asked for: the line that ip prints, which module, what to do; exit 1", async (t) => {
  if (await kernelHasL2tp()) return;
  const env = { L2TP_DATAPLANE: "kernel", L2TP_RUNTIME_DIR: "/no/such/folder" };
  for (const args of [["show"], ["-j", "show", "tunnel"], ADD, ["monitor"], ["flush"]]) {
    await t.step(args.join(" "), async () => {
      const { code, stdout, stderr } = await l2tp(args, { env });
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, /RTNETLINK answers: No such file or directory/);
      assertMatch(stderr, /l2tp_netlink/);
    });
  }
  const batch = await l2tp(["-batch", "-"], { stdin: "show tunnel\n", env });
  assertStrictEquals(batch.code, 1);
  assertMatch(batch.stderr, /^Command failed -:1$/m);
});

Deno.test("no subsystem at all: nothing is listed, nothing can be listened to, nothing is started", async () => {
  await withRuntimeFolder(async (folder) => {
    const env = { L2TP_DATAPLANE: "user", L2TP_RUNTIME_DIR: folder };
    for (const [args, out] of [[["show"], ""], [["-j", "show"], "[]\n"], [["flush"], ""]] as const) {
      assertDeepStrictEquals(await l2tp(args, { env }), { code: 0, stdout: out, stderr: "" }, args.join(" "));
    }
    const deleted = await l2tp(["del", "tunnel", "tid", "5"], { env });
    assertStrictEquals(deleted.code, 2);
    assertMatch(deleted.stderr, /^RTNETLINK answers: No such device\n {2}There is no tunnel 5 /);
    const monitor = await l2tp(["monitor"], { env });
    assertEquals([monitor.code, monitor.stdout], [1, ""]);
    assertMatch(monitor.stderr, /^Error: no L2TP here.*\n.*api\.sock\.\n/);
    assertEquals([...Deno.readDirSync(folder)], []);
    const long = { ...env, L2TP_RUNTIME_DIR: `/${"x".repeat(120)}` };
    assertMatch((await l2tp(["show"], { env: long })).stderr, /cannot be the path of a socket/);
  });
});

Deno.test("the first tunnel in userspace starts the daemon, which serves what comes after", async () => {
  await withRuntimeFolder(async (folder) => {
    const env = { L2TP_RUNTIME_DIR: folder };
    const user = (...args: string[]): Promise<Ended> => l2tp(["-dataplane", "user", ...args], { env });
    const added = await user(...ADD);
    assertDeepStrictEquals([added.code, added.stdout], [0, ""]);
    const [, pid] =
      /^Started l2tp daemon \(process (\d+)\): tunnels run in userspace\.\n$/.exec(added.stderr) ?? [];
    assertDeepStrictEquals(daemonsOf(folder), [Number(pid)]);
    const [tunnel] = JSON.parse((await user("-j", "-s", "show")).stdout);
    assertEquals([tunnel.tunnel_id, tunnel.dataplane, tunnel.sessions], [1, "user", []]);
    assertMatch((await user("debugfs")).stdout, /^TUNNEL 1 peer 2 from 127\.0\.0\.1 to 127\.0\.0\.2$/m);
    const again = await user(...ADD);
    assertStrictEquals(again.code, 2);
    assertMatch(again.stderr, /^RTNETLINK answers: File exists\n {2}Tunnel 1 /);
    assertDeepStrictEquals(await user("del", "tunnel", "tid", "1"), { code: 0, stdout: "", stderr: "" });
    assertDeepStrictEquals(await user("show"), { code: 0, stdout: "", stderr: "" });
    const second = await user("daemon");
    assertStrictEquals(second.code, 1);
  });
});

Deno.test("a daemon that cannot start: its last words, exit 1", async () => {
  await withRuntimeFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const env = { L2TP_DATAPLANE: "user", L2TP_RUNTIME_DIR: `${folder}/file/below` };
    const { code, stdout, stderr } = await l2tp(ADD, { env });
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^Error: the l2tp daemon could not be started\.\n {2}The reason:\n {4}\S/);
  });
});
