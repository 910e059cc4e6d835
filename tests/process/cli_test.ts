/**
 * The command line as a process, where no kernel with L2TP is needed: what it prints where, exit codes, pipes,
 * signals, environment. `L2TP_UNDER_TEST` says which program it is.
 */

import assert from "node:assert/strict";
import { kernelHasL2tp } from "../bench/guest.ts";
import { type Ended, l2tp, programUnderTest, runProgram } from "../support/processes.ts";

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
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    assert.match(stdout, /^Usage: l2tp /, args.join(" "));
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, `too long: ${line}`);
  }
});

Deno.test("no words at all: usage on standard error, exit 255", async () => {
  const { code, stdout, stderr } = await l2tp([]);
  assert.deepEqual([code, stdout], [255, ""]);
  assert.match(stderr, /^Usage: l2tp /);
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
    assert.deepEqual([ended.code, ended.stdout, line], [code, "", first], args.join(" "));
    assert.match(rest.join("\n"), advice, args.join(" "));
    for (const more of rest) assert.match(more, /^ {2}\S/, "advice is indented");
  }
});

Deno.test("with -json an error is one JSON object", async () => {
  for (const args of [["-j", "add", "tunnel"], ["add", "tunnel", "--json"], ["--json", "bogus"]]) {
    const { code, stdout, stderr } = await l2tp(args);
    const error = JSON.parse(stderr) as { error: string; exit_code: number };
    assert.deepEqual([code, stdout, error.exit_code], [255, "", 255], args.join(" "));
    assert.equal(stderr.trimEnd().split("\n").length, 1);
  }
});

Deno.test("a reader that goes away ends the program quietly", async () => {
  const { code, stdout, stderr } = await shell("L2TP man | head -n 1; echo ${PIPESTATUS[0]}");
  assert.equal(code, 0);
  assert.match(stdout, /^\.TH L2TP 8/);
  // Whether the reader went before the last byte was written is chance; a stack trace would be no chance.
  assert.match(stdout.trimEnd(), /\n(0|141)$/);
  assert.equal(stderr, "");
  const closed = await shell("L2TP help >&-; echo $?");
  assert.doesNotMatch(closed.stderr, /\bat\b.*:\d+:\d+/);
});

Deno.test("an empty environment is enough", async () => {
  const { code, stdout } = await runProgram([...programUnderTest(), "version"], {
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin" },
  });
  assert.equal(code, 0);
  assert.match(stdout, /^l2tp \d+\.\d+\.\d+\n$/);
});

Deno.test("the folder it runs in has no say", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/deno.json`, "{ broken");
    await Deno.writeTextFile(`${folder}/package.json`, "{ broken");
    assert.equal((await l2tp(["version"], { cwd: folder })).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("completion: the bash script completes words of the grammar", async () => {
  const { stdout, stderr } = await shell(`
    l2tp() { L2TP "$@"; }
    source <(l2tp completion bash)
    try() { COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _l2tp; echo "\${COMPREPLY[@]}"; }
    try l2tp ad
    try l2tp add session seq ''
    try l2tp tunnel sh
    try l2tp -js`);
  assert.equal(stderr, "");
  assert.deepEqual(stdout.trimEnd().split("\n"), ["add", "none send recv both", "show", "-json"]);
});

Deno.test("a kernel without L2TP: the line that ip prints, which module, what to do; exit 1", async (t) => {
  if (await kernelHasL2tp()) return;
  for (
    const args of [
      ["show"],
      ["-j", "show", "tunnel"],
      ["add", "tunnel", "tid", "1", "ptid", "1", "encap", "ip", "local", "any", "remote", "127.0.0.1"],
      ["monitor"],
      ["flush"],
    ]
  ) {
    await t.step(args.join(" "), async () => {
      const { code, stdout, stderr } = await l2tp(args);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /RTNETLINK answers: No such file or directory/);
      assert.match(stderr, /l2tp_netlink/);
    });
  }
  const batch = await l2tp(["-batch", "-"], { stdin: "show tunnel\n" });
  assert.equal(batch.code, 1);
  assert.match(batch.stderr, /^Command failed -:1$/m);
});
