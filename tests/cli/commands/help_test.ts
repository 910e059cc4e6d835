/** Help, the manual page and completion, all made from the grammar's tables: nothing in them is missing or made up. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { completionScript } from "../../../src/cli/commands/completion.ts";
import { helpFor, KEYWORDS, requiredFor, VERBS } from "../../../src/cli/grammar/grammar.ts";
import { DAEMON_KEYWORDS, daemonKeywordText } from "../../../src/cli/grammar/daemon_keywords.ts";
import { EXIT_CODES } from "../../../src/cli/errors/exit_codes.ts";
import { readOptions } from "../../../src/daemon/settings/options.ts";
import { OPTIONS } from "../../../src/cli/grammar/options.ts";
import {
  help,
  keywordText,
  optionText,
  shortUsage,
  shownOptions,
  shownVerbs,
} from "../../../src/cli/commands/help.ts";
import { manualPage } from "../../../src/cli/commands/man.ts";
import { matching, typing } from "../../../src/cli/grammar/next_words.ts";
import { parseLine } from "../../../src/cli/grammar/parse.ts";
import { UsageError } from "../../../src/cli/grammar/usage_error.ts";
import { PPP_SETTINGS, SESSION_SETTINGS, TUNNEL_SETTINGS } from "../../../src/config/schema/schema.ts";
import { PROGRAM_VERSION } from "../../../src/model/version.ts";
import { FakeHost } from "../../support/fake_host.ts";
import { Random } from "../../support/random.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** The text on one line, however it was broken. */
function flat(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

/** What the last of the words may become by the grammar alone. */
function completionsOf(words: readonly string[]): string[] {
  return matching(typing(words)).map(({ word }) => word);
}

Deno.test("help names every verb and every option that people use, and no hidden one", () => {
  const text = flat(help([]));
  for (const { words, help: line, rare } of shownVerbs()) {
    assert(text.includes(` ${words[0]} ${line} `), words[0]);
    assertStrictEquals(flat(shortUsage()).includes(` ${words[0]} ${line} `), rare !== true, words[0]);
  }
  for (const option of shownOptions()) {
    assert(text.includes(` ${optionText(option)} ${option.help} `), option.words[0]);
  }
  assertNotMatch(help([]), /^ {2}(complete|keep) /m);
  assertStrictEquals(shownVerbs().length, VERBS.length - 2);
});

Deno.test("help VERB names every keyword of the verb with its line, and no other", () => {
  const actions = [["add", "add"], ["set", "set"], ["delete", "del"], ["show", "filter"], [
    "flush",
    "filter",
  ]];
  for (const [verb, action] of actions) {
    const text = help([verb!]);
    const words = new Set([...text.matchAll(/^ {2}([a-z0-9_]+)(?: |$)/gm)].map(([, word]) => word));
    for (const keyword of KEYWORDS) {
      const uses = keyword.uses.filter((use) =>
        use.startsWith(`${action} `) && use !== `${action} ${keyword.word}`
      );
      assertStrictEquals(words.has(keyword.word), uses.length > 0, `${verb}: ${keyword.word}`);
      for (const use of uses) {
        assert(
          flat(text).includes(` ${keywordText(keyword)} ${helpFor(keyword, [use])} `),
          `${use}: ${keyword.word}`,
        );
      }
    }
  }
});

Deno.test("help says that name selects the session in set and del, and names it in add", () => {
  for (const verb of ["set", "del"]) {
    const text = flat(help([verb]));
    assert(text.includes(`${verb} session needs, unless name selects the session:`), verb);
    assert(text.includes(" name NAME selects the session by the name "), verb);
  }
  assertMatch(flat(help(["add"])), / name NAME name of the session's interface \(default l2tpethN\) /);
  assertMatch(flat(help(["show"])), / name NAME name that the session's interface had at creation /);
  // A keyword has help of its own only for commands that take it.
  for (const { word, uses, helpByUse = {} } of KEYWORDS) {
    for (const use of Object.keys(helpByUse)) {
      assert((uses as readonly string[]).includes(use), `${word}: ${use}`);
    }
  }
});

Deno.test("help daemon and the manual page explain every keyword of the daemon, and the daemon reads each", () => {
  const page = manualPage().replaceAll("\\-", "-").replaceAll("\n", " ");
  for (const keyword of DAEMON_KEYWORDS) {
    const text = daemonKeywordText(keyword);
    assert(flat(help(["daemon"])).includes(` ${text} ${keyword.help} `), text);
    assert(flat(help(["daemon"])).split("run the userspace")[0]!.includes(`[ ${text} ]`), text);
    assert(page.includes(`.B ${text} ${keyword.help}`), text);
    const { word, placeholder } = keyword;
    assertStrictEquals(readOptions([word], undefined), `${placeholder} is missing after ${word}`);
  }
});

Deno.test("the manual page lists every exit code with what it means", () => {
  const [, part = ""] = manualPage().split(".SH EXIT STATUS\n");
  const status = part.split(".SH ")[0]!;
  assertEquals([...status.matchAll(/^\.B (\d+)$/gm)].map(([, code]) => Number(code)), [0, 1, 2, 255]);
  assertEquals(EXIT_CODES.map(({ code }) => code), [0, 1, 2, 255]);
  for (const { meanings } of EXIT_CODES) {
    for (const meaning of meanings) {
      assert(flat(status).toLowerCase().includes(meaning.toLowerCase()), meaning);
    }
  }
});

Deno.test("help VERB names what the verb cannot do without before what it can", () => {
  for (const use of ["add tunnel", "add session", "set session", "del tunnel"] as const) {
    const [verb, object] = use.split(" ");
    const text = help([verb!]);
    // The part about this object: tunnels come first.
    const cut = text.lastIndexOf(`${verb} session`, text.lastIndexOf("\n  tunnel_id ID"));
    const part = object === "tunnel" ? text.slice(0, cut) : text.slice(cut);
    const place = (word: string): number => part.search(new RegExp(`^  ${word}( |$)`, "m"));
    const mine = KEYWORDS.filter(({ uses, word }) => uses.includes(use) && word !== object);
    // Over IP: ports are needed over UDP only.
    const required = requiredFor(use, { encap: "ip" });
    const needed = mine.filter((keyword) => required.includes(keyword.word)).map(({ word }) => place(word));
    const optional = mine.filter((keyword) => !required.includes(keyword.word)).map(({ word }) =>
      place(word)
    );
    assert(!needed.includes(-1) && !optional.includes(-1), use);
    assert(Math.max(...needed) < Math.min(Infinity, ...optional), use);
  }
});

Deno.test("help TOPIC: every verb by every prefix, tunnel, session, and nothing else", () => {
  for (const { words } of VERBS) assertMatch(help([words[0]!]), /^Usage: l2tp /);
  assertStrictEquals(help(["sh"]), help(["show"]));
  assertMatch(help(["tunnel"]), / peer_tunnel_id ID /);
  assertNotMatch(help(["tunnel"]), / cookie HEXSTR /);
  assertMatch(help(["session"]), / cookie HEXSTR /);
  assertNotMatch(help(["session"]).split("Filters for")[0]!, / encap /);
  const error = assertThrows(() => help(["bogus"]), UsageError);
  assertEquals([error.message, error.exitCode], ['Command "bogus" is unknown, try "l2tp help".', 255]);
});

Deno.test("help fits into the 80 columns of a terminal, and ends with a newline", () => {
  const topics = [...VERBS.map(({ words }) => words[0]!), "tunnel", "session"];
  for (const text of [help([]), shortUsage(), ...topics.map((topic) => help([topic]))]) {
    for (const line of text.split("\n")) assert(line.length <= 80, line);
    assert(text.endsWith("\n"));
  }
});

Deno.test("help: on standard output with 0, as verb, as option and behind a verb", async () => {
  const host = new FakeHost();
  const table: [line: string, topic: string[]][] = [
    ["help", []],
    ["-h", []],
    ["--help", []],
    ["help add", ["add"]],
    ["add help", ["add"]],
    ["add tunnel tid 1 help", ["add"]],
    ["add -h", ["add"]],
    ["add tunnel -help", ["add"]],
    ["del tunnel tid 1 -h", ["del"]],
    ["show --help", ["show"]],
    ["monitor -h", ["monitor"]],
    ["help tunnel", ["tunnel"]],
  ];
  for (const [line, topic] of table) {
    assertDeepStrictEquals(await host.run(line), { code: 0, out: help(topic), err: "" }, line);
  }
  assertStrictEquals((await host.run("help bogus")).code, 255);
  assertStrictEquals(host.transports.length, 0);
});

Deno.test("help says each option's short form only if it means that option", () => {
  for (const option of shownOptions()) {
    const [, short] = /^-([^, ]), /.exec(optionText(option)) ?? [];
    if (short === undefined) continue;
    const [asShort, asLong] = [short, option.words[0]!].map((word) =>
      parseLine(option.placeholder === undefined ? [`-${word}`] : [`-${word}`, "x"]).options
    );
    assertEquals(asShort, asLong, `-${short} is not -${option.words[0]}`);
  }
});

Deno.test("help: the examples can be read", () => {
  const examples = help([]).split("Examples:\n")[1]!.replaceAll(/\\\n */g, "").trim().split("\n");
  assertStrictEquals(examples.length, 4);
  for (const example of examples) {
    const words = example.trim().replace(/ \|.*$/, "").split(" ");
    const { command } = parseLine(words.slice(1));
    assert(command !== undefined && "arguments" in command, example);
    assertEquals(command.ignored, [], example);
  }
});

Deno.test("the manual page names every keyword, verb and option that people use, and the version", () => {
  const page = manualPage();
  const oneLine = page.replaceAll("\n", " ");
  const roff = (text: string): string =>
    text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...");
  for (const { words } of shownVerbs()) assert(page.includes(`.B ${roff(words.join(" | "))}`), words[0]);
  for (const keyword of KEYWORDS) {
    const text = `.B ${roff(keywordText(keyword))} ${roff(keyword.help)}`;
    assert(oneLine.includes(text), keyword.word);
    for (const other of Object.values(keyword.helpByUse ?? {})) assert(oneLine.includes(roff(other)), other);
    if (keyword.alias !== undefined) assert(oneLine.includes(`Also ${keyword.alias}.`), keyword.alias);
  }
  for (const option of shownOptions()) {
    assert(page.includes(`.B ${roff(optionText(option))}\n`), option.words[0]);
  }
  assert(page.startsWith(`.TH L2TP 8 "2026-11-29" "l2tp ${PROGRAM_VERSION}"`));
  assertNotMatch(page, /^\.B (complete|keep) /m);
});

Deno.test("the manual pages are plain roff: known requests only, no line that begins with one by accident", () => {
  const known = /^\.(TH|SH|TP|PP|B|BR|br|EX|EE)( |$)/;
  for (const line of `${manualPage()}${manualPage(["l2tp.toml"])}`.split("\n")) {
    if (/^[.']/.test(line)) assertMatch(line, known);
    // An unescaped hyphen would be shown as a typographic one, which nobody can copy to a shell.
    else assertNotMatch(line, /(^| |\[ ?)-[a-z]/, line);
    assertNotMatch(line, /[^\x20-\x7e]/, line);
  }
});

Deno.test("man prints the page", async () => {
  assertDeepStrictEquals(await new FakeHost().run("man"), { code: 0, out: manualPage(), err: "" });
  assertDeepStrictEquals(await new FakeHost().run("man l2tp"), { code: 0, out: manualPage(), err: "" });
  const configPage = await new FakeHost().run("man l2tp.toml");
  assertDeepStrictEquals(configPage, { code: 0, out: manualPage(["l2tp.toml"]), err: "" });
  assertStrictEquals((await new FakeHost().run("man l2tp.conf")).code, 255);
  assertStrictEquals((await new FakeHost().run("man l2tp l2tp.toml")).code, 255);
});

Deno.test("the manual page of the configuration file names every key, its help and its default", () => {
  const page = manualPage(["l2tp.toml"]).replaceAll("\n", " ");
  const roff = (text: string): string =>
    text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...");
  for (const { key, help, fallback } of [...TUNNEL_SETTINGS, ...SESSION_SETTINGS, ...PPP_SETTINGS]) {
    assert(page.includes(`.B ${roff(key)} = `), key);
    assert(page.includes(roff(help)), help);
    if (fallback !== undefined) assert(page.includes(`Default: ${roff(fallback)}.`), key);
  }
});

Deno.test("completionsOf(): what may come next", () => {
  const verbs = ["add", "delete", "show", "help", "set", "flush", "monitor", "daemon", "debugfs", "version"];
  verbs.push("shell", "metrics", "service", "doctor", "completion", "man", "status", "top");
  verbs.push("apply", "check", "save", "import");
  const table: [words: string, expected: string[]][] = [
    ["", [...verbs, "tunnel", "session"]],
    ["s", ["show", "set", "shell", "service", "status", "session", "save"]],
    ["comp", ["completion"]],
    ["x", []],
    ["tunnel ", ["add", "delete", "set", "show", "flush"]],
    ["tunnel s", ["set", "show"]],
    ["add ", ["tunnel", "session"]],
    ["add t", ["tunnel"]],
    ["add tunnel encap ", ["ip", "udp"]],
    ["add tunnel encap u", ["udp"]],
    ["add session seq ", ["none", "send", "recv", "both"]],
    ["add session l2spec_type n", ["none"]],
    ["add tunnel udp_csum o", ["on", "off"]],
    ["tunnel add encap i", ["ip"]],
    ["add tunnel tunnel_id ", []],
    ["add tunnel local 10.0.0.1 re", ["remote"]],
    ["del tunnel ", ["session", "tunnel_id", "session_id"]],
    ["set session re", ["reorder_timeout"]],
    ["show session co", ["cookie"]],
    ["-j sho", ["show"]],
    ["-n blue sho", ["show"]],
    ["--netns=blue sho", ["show"]],
    ["-n ", []],
    ["completion ", ["bash", "zsh", "fish"]],
    ["completion z", ["zsh"]],
    ["service ", ["systemd"]],
    ["metrics --", ["--dashboard", ...completionsOf(["show", "--"])]],
    ["help ad", ["add"]],
    ["monitor ", []],
    ["monitor -j", ["-json"]],
    ["monitor --tr", ["--trace"]],
    ["daemon --f", ["--fresh", "--foreground"]],
    ["apply --pr", ["--prune", "--pretty"]],
    ["-dataplane ", ["auto", "kernel", "user"]],
    ["-dataplane u", ["user"]],
    ["-dataplane user sho", ["show"]],
    ["-js", ["-json"]],
    ["--js", ["--json"]],
    ["show -d", ["-details", "-dataplane"]],
    ["show --pre", ["--pretty"]],
    ["bogus ", []],
    ["bogus x y", []],
  ];
  for (const [line, expected] of table) {
    assertEquals(completionsOf(line.split(" ")).sort(), expected.sort(), line);
  }
  assertStrictEquals(completionsOf([]).length, verbs.length + 2);
});

Deno.test("completionsOf(): keywords of the command that are not there yet, each of which the command takes", () => {
  const offered = completionsOf("add tunnel tunnel_id 1 encap udp ".split(" "));
  const mine = KEYWORDS.filter(({ uses, word }) =>
    uses.includes("add tunnel") && !["tunnel", "tunnel_id", "encap"].includes(word)
  );
  assertEquals(offered, mine.map(({ word }) => word));
  const alias = completionsOf("add tunnel tid 1 ".split(" "));
  assert(!alias.includes("tunnel_id"));
});

Deno.test("completionsOf() offers a keyword again that may be repeated", () => {
  assertEquals(completionsOf("add session addr 10.0.0.1/24 add".split(" ")), ["addr"]);
});

Deno.test("completionsOf() in front of the command offers all options, behind it those that may stand there", () => {
  const shown = OPTIONS.filter((option) => option.help !== undefined);
  assertEquals(completionsOf(["-"]).sort(), shown.map(({ words }) => `-${words[0]}`).sort());
  const behind = completionsOf(["show", "-"]);
  assertEquals(
    behind.sort(),
    shown.filter(({ anywhere }) => anywhere).map(({ words }) => `-${words[0]}`).sort(),
  );
  assert(!behind.includes("-batch"));
});

Deno.test("completionsOf() never throws, whatever the words, and offers only what begins like the last", () => {
  const random = new Random(0xc0de);
  const words = [
    ...VERBS.flatMap(({ words }) => words),
    ...KEYWORDS.flatMap(({ word, alias }) => (alias === undefined ? [word] : [word, alias])),
    ...OPTIONS.flatMap(({ words }) => words.map((word) => `-${word}`)),
    ...[
      "",
      "-",
      "--",
      "---",
      "-n=",
      "--netns=x",
      "=",
      "x",
      "10.0.0.1",
      "é",
      "\\",
      "__proto__",
      "constructor",
      "toString",
    ],
  ];
  for (let i = 0; i < 20_000; i++) {
    const line = Array.from({ length: random.below(8) }, () => {
      const word = random.pick(words);
      return random.oneIn(4) ? word.slice(0, random.below(word.length + 1)) : word;
    });
    const last = line.at(-1) ?? "";
    for (const candidate of completionsOf(line)) {
      assert(candidate !== "" && candidate.startsWith(last), `${JSON.stringify(line)}: ${candidate}`);
    }
  }
});

Deno.test("complete prints one candidate on a line, and never fails", async () => {
  const host = new FakeHost();
  assertDeepStrictEquals(await host.run(["complete", "add", "tunnel", "encap", ""]), {
    code: 0,
    out: "ip\nudp\n",
    err: "",
  });
  assertDeepStrictEquals(await host.run(["complete", "-bogus", ""]), {
    code: 0,
    out: await host.run("complete").then(({ out }) => out),
    err: "",
  });
  assertDeepStrictEquals(await host.run(["complete", "bogus", "x"]), { code: 0, out: "", err: "" });
  assertStrictEquals(host.transports.length, 0);
});

Deno.test("completion: a script for each shell that asks l2tp complete, and no other shells", async () => {
  const host = new FakeHost();
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, out } = await host.run(`completion ${shell}`);
    assertStrictEquals(code, 0);
    assertStrictEquals(out, completionScript([shell]));
    assertMatch(out, /l2tp complete /);
    assert(out.includes(`l2tp completion ${shell}`));
  }
  assertStrictEquals((await host.run("completion")).err, 'Error: argument "bash, zsh, fish" is required\n');
  for (const shell of ["tcsh", "constructor", "__proto__", ""]) {
    const { code, err } = await host.run(["completion", shell]);
    assertStrictEquals(code, 255, shell);
    assertStrictEquals(err, `Error: argument "${shell}" is wrong: completion is there for bash, zsh, fish\n`);
  }
});
