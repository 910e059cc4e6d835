/**
 * `src/cli/commands/batch.ts`: the lines of `ip -batch` (comments, continuation, quotes), where it stops, with which exit code,
 * and that doing many lines at a time looks like doing them one by one.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Errno } from "../../../src/base/errno.ts";
import { SyscallError } from "../../../src/base/errors.ts";
import { logicalLines, splitWords } from "../../../src/cli/commands/batch.ts";
import { UsageError } from "../../../src/cli/grammar/usage_error.ts";
import { FakeHost, type Outcome } from "../../support/fake_host.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const TUNNEL = "add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2";
const OK: Outcome = { code: 0, out: "", err: "" };

/** Runs the lines as a file called "f". */
async function batch(
  host: FakeHost,
  lines: readonly (string | undefined)[],
  options = "",
): Promise<Outcome> {
  host.files.set("f", lines);
  return await host.run(`${options} -batch f`);
}

function tunnelIds(host: FakeHost): number[] {
  return [...host.home.l2tp.tunnels.keys()];
}

Deno.test("splitWords() splits at white space and keeps quoted words together", () => {
  const table: [text: string, words: string[]][] = [
    ["", []],
    ["   ", []],
    ["a", ["a"]],
    ["a b  c", ["a", "b", "c"]],
    ["  a\tb\r", ["a", "b"]],
    ["\t", []],
    ['"a b" c', ["a b", "c"]],
    ["'a b' c", ["a b", "c"]],
    [`"it's" 'say "x"'`, ["it's", 'say "x"']],
    ['""', [""]],
    ["a '' b", ["a", "", "b"]],
    // A quote inside a word is nothing special; behind a closing one a new word begins.
    ["it's 5\" x", ["it's", '5"', "x"]],
    ['"a"b', ["a", "b"]],
    ["'a''b'", ["a", "b"]],
    ['  "a"  ', ["a"]],
    ["a\u00a0b", ["a\u00a0b"]],
  ];
  for (const [text, words] of table) assertEquals(splitWords(text), words, JSON.stringify(text));
});

Deno.test("splitWords() refuses a quote without an end", () => {
  for (const text of ['"', "'", 'a "b', "a 'b c", '"a" "b', "'\"", "a b \"c d'"]) {
    const error = assertThrows(() => splitWords(text), UsageError);
    assertEquals([error.message, error.exitCode], ["Unterminated quoted string", 1], text);
  }
});

Deno.test("logicalLines(): comments go, continued lines are joined, numbers are those of the last line", () => {
  const lines = [
    "one",
    "# a comment",
    "two # behind it",
    "thr\\",
    "ee",
    "fo\\",
    "u\\",
    "r # end",
    "not \\ here",
    "# comment \\",
    "five",
    "",
    "six\\",
  ];
  const read = [...logicalLines(lines)].map((logical) => [logical!.line, logical!.text]);
  assertEquals(read, [
    [1, "one"],
    [2, ""],
    [3, "two "],
    [5, "three"],
    [8, "four "],
    [9, "not \\ here"],
    [10, ""],
    [11, "five"],
    [12, ""],
    [13, "six"],
  ]);
  assertEquals([...logicalLines([])], []);
});

Deno.test("logicalLines() passes on where the next line may be long in coming, within a continued line too", () => {
  assertEquals([...logicalLines(["a\\", undefined, "b", undefined])], [
    undefined,
    { text: "ab", line: 2 },
    undefined,
  ]);
});

Deno.test("batch: comments, blank lines, continuations, quotes, lines of ip", async () => {
  const host = new FakeHost();
  const outcome = await batch(host, [
    "# tunnels",
    "",
    "   ",
    TUNNEL,
    "add tunnel tunnel_id 2 peer_tunnel_id 2 \\",
    "  encap ip local 10.0.0.1 \\",
    "  remote 10.0.0.2   # the second",
    "ip l2tp " + TUNNEL.replace("tunnel_id 1", "tunnel_id 3"),
    "l2tp " + TUNNEL.replace("tunnel_id 1", "tunnel_id 4"),
    "\tadd session tunnel_id 1 session_id 10 peer_session_id 20 name 'pw0'",
    'tunnel add tunnel_id "5" peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2\r',
  ]);
  assertDeepStrictEquals(outcome, OK);
  assertEquals(tunnelIds(host), [1, 2, 3, 4, 5]);
  assertStrictEquals(host.home.l2tp.sessions[0]!.interfaceName, "pw0");
  assertStrictEquals(host.leaks, 0);
});

Deno.test("batch: an empty file, and files that cannot be opened", async () => {
  assertDeepStrictEquals(await batch(new FakeHost(), []), OK);
  assertEquals(await new FakeHost().run("-b nowhere"), {
    code: 1,
    out: "",
    err: 'Cannot open file "nowhere" for reading: No such file or directory\n',
  });
});

Deno.test("batch: listings see what the lines before made, and come in their place", async () => {
  const host = new FakeHost();
  const { code, out } = await batch(host, [
    TUNNEL,
    "show tunnel",
    TUNNEL.replace("tunnel_id 1", "tunnel_id 3"),
    "add session tid 3 sid 1 psid 1 seq both",
    "show session",
    "del tunnel tid 1",
    "show tunnel",
  ], "-o");
  assertStrictEquals(code, 0);
  assertEquals(out.split("\n").map((line) => line.slice(0, 21)), [
    "Tunnel 1, encap IP\\  ",
    "Session 1 in tunnel 3",
    "Tunnel 3, encap IP\\  ",
    "",
  ]);
});

Deno.test("batch: the first line that the kernel refuses ends it with 1, under its number", async () => {
  const host = new FakeHost();
  const outcome = await batch(host, [
    TUNNEL,
    "",
    TUNNEL,
    TUNNEL.replace("tunnel_id 1", "tunnel_id 3"),
    "show tunnel",
  ]);
  assertEquals(outcome, {
    code: 1,
    out: "",
    err: "RTNETLINK answers: File exists\n" +
      "  Tunnel 1 (IP from 10.0.0.1 to 10.0.0.2, peer tunnel 2) has that id.\n" +
      "  Choose another tunnel_id, or delete it first: l2tp del tunnel tunnel_id 1\n" +
      "Command failed f:3\n",
  });
  assertEquals(tunnelIds(host), [1]);
});

Deno.test("batch: the first line that is wrong ends it with 255; what was in front of it is done", async () => {
  for (
    const bad of [
      "bogus",
      "add tunnel tunnel_id abc",
      "add tunnel",
      "add tunnel tid 5 ptid 5 local",
      "-bogus show",
    ]
  ) {
    const host = new FakeHost();
    const { code, out, err } = await batch(host, [
      TUNNEL,
      bad,
      TUNNEL.replace("tunnel_id 1", "tunnel_id 3"),
    ]);
    assertEquals([code, out], [255, ""], bad);
    assert(err.endsWith("Command failed f:2\n"), err);
    assertEquals(tunnelIds(host), [1], bad);
  }
  const host = new FakeHost();
  const quote = await batch(host, [TUNNEL, "show 'x"]);
  assertEquals([quote.code, quote.err], [1, "Unterminated quoted string\nCommand failed f:2\n"]);
  assertEquals(tunnelIds(host), [1]);
});

Deno.test("batch -force goes on after errors of both kinds and ends with 1", async () => {
  const host = new FakeHost();
  const { code, err } = await batch(host, [
    TUNNEL,
    TUNNEL,
    "bogus",
    "show 'x",
    "add session tid 9 sid 1 psid 1",
    TUNNEL.replace("tunnel_id 1", "tunnel_id 3"),
    "del tunnel tid 9",
  ], "-force");
  assertStrictEquals(code, 1);
  assertEquals([...err.matchAll(/^Command failed f:(\d+)$/gm)].map(([, line]) => Number(line)), [
    2,
    3,
    4,
    5,
    7,
  ]);
  assertEquals(tunnelIds(host), [1, 3]);
  assertDeepStrictEquals(await batch(new FakeHost(), [TUNNEL], "-force"), OK);
});

Deno.test("batch -json: errors are lines of JSON with file and line, and no others", async () => {
  const host = new FakeHost();
  const { code, err } = await batch(host, [TUNNEL, TUNNEL, "bogus"], "-json -force");
  assertStrictEquals(code, 1);
  const errors = err.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(errors.map(({ error, file, line, code }) => [error, file, line, code]), [
    ["RTNETLINK answers: File exists", "f", 2, "EEXIST"],
    ['Command "bogus" is unknown, try "l2tp help".', "f", 3, undefined],
  ]);
});

Deno.test("batch: options of the batch hold for its lines, and those of a line for that line", async () => {
  const host = new FakeHost();
  await host.prepare(TUNNEL);
  const { out } = await batch(host, ["show tunnel", "show tunnel -j", "show tunnel"], "-o");
  assertEquals(out.split("\n").map((line) => line[0]), ["T", "[", "T", undefined]);
  const json = await batch(host, ["show tunnel", "-p show tunnel"], "-j");
  assert(json.out.startsWith("[{") && json.out.includes("\n[ {\n"));
});

Deno.test("batch: other commands cannot be part of one", async () => {
  for (const line of ["monitor", "help", "version", "man", "completion bash", "complete x", "keep 1"]) {
    const { code, out, err } = await batch(new FakeHost(), [line]);
    assertEquals([code, out], [255, ""], line);
    assertMatch(err, /^Command ".*" cannot be part of a batch\.\nCommand failed f:1\n$/, line);
  }
});

Deno.test("batch: a line's own namespace is used or refused, but not passed over in silence", async () => {
  for (const line of [`-n blue ${TUNNEL}`, `${TUNNEL} -n blue`, `-netns=blue ${TUNNEL}`]) {
    const host = new FakeHost();
    const blue = host.addNamespace("blue");
    blue.links.add("eth0");
    blue.links.addAddress("eth0", "10.0.0.1", 24);
    const { code } = await batch(host, [line]);
    assertStrictEquals(host.home.l2tp.tunnels.size, 0, `${line}: made in the wrong namespace`);
    if (code === 0) assertStrictEquals(blue.l2tp.tunnels.size, 1, line);
    else assertStrictEquals(code, 255, line);
  }
});

Deno.test("batch: a batch within a batch is refused", async () => {
  const { code } = await batch(new FakeHost(), ["-batch g"]);
  assertStrictEquals(code, 255);
});

Deno.test("batch -netns: all lines are about that namespace", async () => {
  const host = new FakeHost();
  const blue = host.addNamespace("blue");
  blue.links.add("eth0");
  blue.links.addAddress("eth0", "10.0.0.1", 24);
  assertDeepStrictEquals(await batch(host, [TUNNEL], "-n blue"), OK);
  assertDeepStrictEquals([blue.l2tp.tunnels.size, host.home.l2tp.tunnels.size], [1, 0]);
});

Deno.test("batch: one connection for all lines", async () => {
  const host = new FakeHost();
  const lines = [
    TUNNEL,
    "show",
    "add session tid 1 sid 1 psid 1 up",
    "set session tid 1 sid 1 seq both",
    "flush",
  ];
  assertStrictEquals((await batch(host, lines)).code, 0);
  assertStrictEquals(host.transports.length, 2);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("batch: 1,000 tunnels with 1,000 sessions", async () => {
  for (const background of [true, false]) {
    const host = new FakeHost();
    host.background = background;
    const lines = Array.from({ length: 1000 }, (_, i) => [
      `add tunnel tid ${i + 1} ptid ${i + 1} encap ip local 10.0.0.1 remote 10.0.0.2`,
      `add session tid ${i + 1} sid ${i + 1} psid 1`,
    ]).flat();
    assertDeepStrictEquals(await batch(host, lines), OK);
    assertEquals([host.home.l2tp.tunnels.size, host.home.l2tp.sessions.length], [1000, 1000]);
    assert(host.home.l2tp.sessions.every(({ sessionId }, i) => sessionId === i + 1));
  }
});

Deno.test("batch: a refusal anywhere among 200 creations ends it there, and nothing behind it stays", async () => {
  for (const bad of [1, 2, 63, 64, 65, 66, 127, 128, 129, 199, 200]) {
    const lines = Array.from({ length: 200 }, (_, i) => TUNNEL.replace("tunnel_id 1", `tunnel_id ${i + 1}`));
    lines[bad - 1] = `add session tid 999 sid ${bad} psid 1`;
    const host = new FakeHost();
    const { code, err } = await batch(host, lines);
    assertStrictEquals(code, 1, `line ${bad}`);
    assertMatch(err, new RegExp(`^RTNETLINK answers: No such device\\n[^]*\\nCommand failed f:${bad}\\n$`));
    assertDeepStrictEquals(tunnelIds(host), Array.from({ length: bad - 1 }, (_, i) => i + 1), `line ${bad}`);
    const forced = new FakeHost();
    assertStrictEquals((await batch(forced, lines, "-force")).code, 1);
    assertStrictEquals(forced.home.l2tp.tunnels.size, 199, `line ${bad}`);
  }
});

Deno.test("batch: with -force every one of many refusals is told, in order", async () => {
  const lines = Array.from({ length: 200 }, (_, i) => `add session tid 999 sid ${i + 1} psid 1`);
  const { err } = await batch(new FakeHost(), lines, "-force");
  const numbers = [...err.matchAll(/^Command failed f:(\d+)$/gm)].map(([, line]) => Number(line));
  assertDeepStrictEquals(numbers, Array.from({ length: 200 }, (_, i) => i + 1));
});

Deno.test("batch: a line of options only does nothing", async () => {
  assertDeepStrictEquals(await batch(new FakeHost(), ["-s", "-j -d"]), OK);
});

Deno.test("batch: a file that cannot be read to its end, and a defect behind it", async () => {
  const host = new FakeHost();
  function* failing(error: Error): Generator<string> {
    yield TUNNEL;
    throw error;
  }
  host.files.set(
    "f",
    { [Symbol.iterator]: () => failing(new SyscallError("read", Errno.EBADF)) } as unknown as string[],
  );
  assertStrictEquals((await host.run("-b f")).code, 1);
  host.files.set("g", { [Symbol.iterator]: () => failing(new TypeError("defect")) } as unknown as string[]);
  await assertRejects(() => host.run("-b g"), TypeError);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("batch: what waits is done before the reading of the next line may take long", async () => {
  const host = new FakeHost();
  const seen: number[] = [];
  function* slowly(): Generator<string | undefined> {
    yield TUNNEL;
    yield undefined;
    seen.push(host.home.l2tp.tunnels.size);
    yield TUNNEL.replace("tunnel_id 1", "tunnel_id 3");
    yield undefined;
    seen.push(host.home.l2tp.tunnels.size);
  }
  host.files.set("f", { [Symbol.iterator]: slowly } as unknown as string[]);
  assertDeepStrictEquals(await host.run("-b f"), OK);
  assertEquals(seen, [1, 2]);
});

Deno.test("batch: a kernel without L2TP fails the first line that needs it", async () => {
  const host = new FakeHost();
  host.home.l2tp.hasFamily = false;
  host.env.set("L2TP_DATAPLANE", "kernel");
  const { code, err } = await batch(host, ["# nothing", TUNNEL]);
  assertStrictEquals(code, 1);
  assertMatch(err, /^RTNETLINK answers: No such file or directory\n[^]*\nCommand failed f:2\n$/);
  const wrong = await batch(host, ["add tunnel tid abc"]);
  assertStrictEquals(wrong.code, 255);
});

Deno.test("batch: a socket that fails is told as what it is, not as a file that cannot be opened", async () => {
  const host = new FakeHost();
  const lines = [
    TUNNEL,
    undefined,
    TUNNEL.replace("tunnel_id 1", "tunnel_id 3"),
  ];
  function* failing(): Generator<string | undefined> {
    for (const [i, line] of lines.entries()) {
      // The connection is there from the first line on.
      if (i === 2) host.transports[0]!.inject(new SyscallError("recvmsg", Errno.ENOBUFS));
      yield line;
    }
  }
  host.files.set("f", { [Symbol.iterator]: failing } as unknown as string[]);
  const { code, err } = await host.run("-b f");
  assertStrictEquals(code, 1);
  assertMatch(err, /No buffer space available/);
  assertNotMatch(err, /Cannot open file/);
});
