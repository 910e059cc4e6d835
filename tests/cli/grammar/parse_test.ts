/**
 * `src/cli/grammar/parse.ts` and the tables of `src/cli/grammar/grammar.ts`: which words mean what. The rules for verbs, keywords and
 * options are those of `ip l2tp` and `ip`.
 */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { Arguments } from "../../../src/cli/grammar/arguments.ts";
import {
  KEYWORDS,
  keywordsBehind,
  PPP_KEYWORDS,
  requiredFor,
  type Use,
  VERBS,
} from "../../../src/cli/grammar/grammar.ts";
import { OPTIONS, type Options } from "../../../src/cli/grammar/options.ts";
import { type Invocation, parseLine } from "../../../src/cli/grammar/parse.ts";
import { UsageError } from "../../../src/cli/grammar/usage_error.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

function parse(line: string, defaults?: Options): Invocation {
  return parseLine(line.split(" ").filter((word) => word !== ""), defaults);
}

/** The line's verb and its arguments. */
function parseTable(line: string): { verb: string; arguments: Arguments; ignored: readonly string[] } {
  const { command } = parse(line);
  assert(command !== undefined && "arguments" in command, `${line}: no command about tunnels`);
  return command;
}

function assertRefused(line: string, message: string, advice?: readonly string[]): void {
  const error = assertThrows(() => parse(line), UsageError);
  assertEquals([error.message, error.exitCode], [message, 255], line);
  if (advice !== undefined) assertEquals(error.advice, advice, line);
}

Deno.test("parseLine(): verbs by every prefix, earlier rows first", () => {
  const table: [words: string, verb: string][] = [
    ["a ad add", "add"],
    ["d de del dele delet delete", "del"],
    ["s sh sho show l ls lst li lis list", "show"],
    ["h he hel help", "help"],
    ["se set", "set"],
    ["flush", "flush"],
    ["m mo mon monito monitor", "monitor"],
    ["st sta statu status", "status"],
    ["top", "top"],
    ["v ver version", "version"],
    ["completion", "completion"],
    ["complete", "complete"],
    ["man", "man"],
    ["keep", "keep"],
  ];
  for (const [words, verb] of table) {
    for (const word of words.split(" ")) {
      const line = ["add", "del", "set"].includes(verb) ? `${word} tunnel` : word;
      assertStrictEquals(parse(line).command!.verb, verb, word);
    }
  }
});

Deno.test("parseLine(): no verb, and verbs that do not exist", () => {
  assertStrictEquals(parse("").command, undefined);
  assertStrictEquals(parse("-json").command, undefined);
  for (const word of ["bogus", "addd", "SHOW", "f", "flus", "k", "comp", "t", "tu", "x", "-"]) {
    assertRefused(word, `Command "${word}" is unknown, try "l2tp help".`);
  }
});

Deno.test("parseLine() suggests the word that was probably meant", () => {
  const table: [line: string, message: string, advice: string[]][] = [
    ["shwo", 'Command "shwo" is unknown, try "l2tp help".', ['Did you mean "show"?']],
    ["delte tunnel", 'Command "delte" is unknown, try "l2tp help".', ['Did you mean "delete"?']],
    ["tunnle", 'Command "tunnle" is unknown, try "l2tp help".', ['Did you mean "tunnel"?']],
    ["tunnel shwo", 'Command "shwo" is unknown, try "l2tp help".', ['Did you mean "show"?']],
    ["qqqqqqq", 'Command "qqqqqqq" is unknown, try "l2tp help".', []],
    // Nobody types these two by accident.
    ["keeep", 'Command "keeep" is unknown, try "l2tp help".', []],
    ["add tunnel tunel_id 1", "Unknown command: tunel_id", [
      'Did you mean "tunnel_id"?',
      "See: l2tp help add",
    ]],
    ["add tunnel TUNNEL_ID 1", "Unknown command: TUNNEL_ID", ["See: l2tp help add"]],
    ["show tunnel qqqqqqq", "Unknown command: qqqqqqq", ["See: l2tp help show"]],
    // A keyword that a session has is no help for a tunnel.
    ["del tunnel cooki 1", "Unknown command: cooki", ["See: l2tp help del"]],
    // A value without its keyword.
    ["del pw0", "Unknown command: pw0", ['Did you mean "session name pw0"?', "See: l2tp help del"]],
    ["set session pw0", "Unknown command: pw0", ['Did you mean "name pw0"?', "See: l2tp help set"]],
    ["del tunnel pw0", "Unknown command: pw0", ["See: l2tp help del"]],
    ["show session 10", "Unknown command: 10", ['Did you mean "session_id 10"?', "See: l2tp help show"]],
    ["show tunnel 10", "Unknown command: 10", ['Did you mean "tunnel_id 10"?', "See: l2tp help show"]],
    ["show 10", "Unknown command: 10", [
      'Did you mean "tunnel_id 10" or "session_id 10"?',
      "See: l2tp help show",
    ]],
  ];
  for (const [line, message, advice] of table) assertRefused(line, message, advice);
});

Deno.test("parseLine(): keywords are never shortened and are case-sensitive", () => {
  for (const word of ["tunnel_i", "tun", "Tunnel", "sessio", "enca", "loca", "peer", "cooki", "u", "bogus"]) {
    assertRefused(`add tunnel ${word}`, `Unknown command: ${word}`);
  }
});

Deno.test("parseLine(): every keyword of every use, with its alias", () => {
  const line =
    "add tunnel session tunnel_id 1 peer_tunnel_id 2 session_id 3 peer_session_id 4 encap ip version 3 " +
    "local 10.0.0.1 remote 10.0.0.2 udp_sport 5 udp_dport 6 udp_csum on udp6_csum_tx off udp6_csum_rx off " +
    "name pw0 cookie 01020304 peer_cookie 0102030405060708 l2spec_type none seq both reorder_timeout 7 lns_mode on " +
    "pw_type eth up mtu 1400 master br0 addr 10.1.0.1/24 netns blue";
  const expected: Arguments = {
    tunnel: true,
    session: true,
    tunnelId: 1,
    peerTunnelId: 2,
    sessionId: 3,
    peerSessionId: 4,
    encap: "ip",
    version: 3,
    local: { text: "10.0.0.1", type: "address", address: "10.0.0.1", scope: undefined },
    remote: { text: "10.0.0.2", type: "address", address: "10.0.0.2", scope: undefined },
    localPort: 5,
    peerPort: 6,
    udpChecksum: true,
    checksumTx: false,
    checksumRx: false,
    interfaceName: "pw0",
    cookie: Uint8Array.of(1, 2, 3, 4),
    peerCookie: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    l2spec: "none",
    sequence: "both",
    reorderTimeoutMs: 7,
    lnsMode: true,
    pseudowire: "eth",
    up: true,
    mtu: 1400,
    bridge: "br0",
    addresses: [{ address: "10.1.0.1", prefixLength: 24 }],
    netns: "blue",
  };
  const command = parseTable(line);
  assertDeepStrictEquals(command.arguments, expected);
  assertEquals(command.ignored, []);
  const short = line.replaceAll(/(tunnel|session)_id/g, (word) => word === "tunnel_id" ? "tid" : "sid")
    .replaceAll("peer_tid", "ptid").replaceAll("peer_sid", "psid");
  assert(short.includes(" ptid 2 sid 3 psid 4 "));
  assertDeepStrictEquals(parseTable(short).arguments, expected);
});

Deno.test("parseLine(): words may come in any order, and objects are marks among them", () => {
  const expected = parseTable("del session tunnel_id 1 session_id 2").arguments;
  for (const line of ["del tunnel_id 1 session_id 2 session", "del session_id 2 session tunnel_id 1"]) {
    assertDeepStrictEquals(parseTable(line).arguments, expected, line);
  }
});

Deno.test("parseLine(): the object may come first; without a verb it is shown", () => {
  const table: [line: string, same: string][] = [
    ["tunnel add tunnel_id 1", "add tunnel tunnel_id 1"],
    ["session del tid 1 sid 2", "del session tid 1 sid 2"],
    ["tun show", "show tunnel"],
    ["sess s tid 4", "show session tid 4"],
    ["session set sid 2", "set session sid 2"],
    ["tunnel", "show tunnel"],
    ["session", "show session"],
    ["ses", "show session"],
    ["tunnel flush", "flush tunnel"],
    ["tunnel add session tid 1", "add tunnel session tid 1"],
  ];
  for (const [line, same] of table) assertDeepStrictEquals(parseTable(line), parseTable(same), line);
});

Deno.test("parseLine(): the last of several wins, seq adds up, addr collects", () => {
  const line =
    "add session tunnel_id 1 tid 2 encap ip encap udp seq send seq recv addr 10.0.0.1 addr ::1/64 " +
    "local 10.0.0.1 local any";
  const given = parseTable(line).arguments;
  assertEquals([given.tunnelId, given.encap, given.sequence], [2, "udp", "both"]);
  assertEquals(given.addresses!.map(({ address }) => address), ["10.0.0.1", "::1"]);
  assertStrictEquals(given.local!.type, "any");
  assertStrictEquals(parseTable("add session seq both seq none").arguments.sequence, "none");
});

Deno.test("parseLine(): keywords that mean nothing to the command are taken, and that is said once each", () => {
  const table: [line: string, ignored: string[]][] = [
    ["add session udp_sport 5 remote 10.0.0.1 encap ip", ["remote", "udp_sport", "encap"]],
    ["add tunnel name pw0 cookie 01020304 up", ["name", "cookie", "up"]],
    ["add tunnel offset 4 peer_offset x", ["offset", "peer_offset"]],
    ["add session offset 4 offset 5", ["offset"]],
    ["add tunnel session udp_sport 5 cookie 01020304", []],
    ["del tunnel encap ip", ["encap"]],
    ["del tunnel sid 5", []],
    ["set session cookie 01020304", ["cookie"]],
    ["show tunnel cookie 01020304", ["cookie"]],
    ["show cookie 01020304 encap ip", []],
  ];
  for (const [line, words] of table) {
    const expected = words.map((word) => `Ignoring option "${word}"`).sort();
    assertEquals([...parseTable(line).ignored].sort(), expected, line);
  }
});

Deno.test("parseLine(): a keyword at the end of the line lacks its value, whichever it is", () => {
  for (const { word, alias, value } of KEYWORDS) {
    for (const name of alias === undefined ? [word] : [word, alias]) {
      if (value === undefined) parse(`add ${name}`);
      else {
        assertRefused(`add tunnel ${name}`, 'Command line is not complete. Try option "help"', [
          `A value is missing: ${name} ${value.placeholder}`,
          "See: l2tp help add",
        ]);
      }
    }
  }
});

Deno.test("parseLine(): a keyword takes the next word whatever it is", () => {
  assertStrictEquals(parseTable("add session name -json").arguments.interfaceName, "-json");
  assertStrictEquals(parseTable("add session name help").arguments.interfaceName, "help");
  assertStrictEquals(parseTable("add session name tunnel").arguments.tunnel, undefined);
});

Deno.test("parseLine(): nothing behind add, del or set", () => {
  for (const [word, verb] of [["add", "add"], ["a", "add"], ["delete", "del"], ["set", "set"]]) {
    assertRefused(word!, 'Error: argument "tunnel or session" is required', [`See: l2tp help ${verb}`]);
  }
  assertEquals(parseTable("show").arguments, {});
  assertEquals(parseTable("flush").arguments, {});
});

Deno.test("parseLine(): help behind a verb, by any prefix", () => {
  for (const word of ["h", "he", "hel", "help"]) {
    assertEquals(parse(`add tunnel ${word}`).command, { verb: "help", words: ["add"] }, word);
    assertEquals(parse(`delete ${word}`).command, { verb: "help", words: ["del"] }, word);
  }
});

Deno.test("parseLine(): bad values are refused while reading, the first one first", () => {
  assertRefused("add tunnel tunnel_id abc encap foo", 'Error: argument "abc" is wrong: invalid ID');
  assertRefused("add tunnel encap foo tunnel_id abc", 'Unknown tunnel encapsulation "foo"');
  assertRefused("del bogus tunnel_id abc", "Unknown command: bogus");
});

Deno.test("parseLine(): options in front, one dash or two, by prefix as in ip", () => {
  const table: [words: string, options: Options][] = [
    ["-j -js -jso -json --json --j", { json: true }],
    ["-p -pretty --pretty", { pretty: true }],
    ["-s -st -stats -statistics -stat", { statistics: true }],
    ["-d -det -details", { details: true }],
    ["-o -oneline --one", { oneline: true }],
    ["-c -co -color -colour --color=always -c=always", { color: "always" }],
    ["-color=auto -c=auto --colour=auto", { color: "auto" }],
    ["-color=never", { color: "never" }],
    ["-t -timestamp --time", { timestamp: "long" }],
    ["-ts -tshort", { timestamp: "short" }],
    ["-h -help --help -he", { help: true }],
    ["-V -Version --Ver", { version: true }],
    ["-force -fo", { force: true }],
    ["-4 -6 -0 -M -B -hu -human-readable -iec -r -resolve -br -brief -N -Numeric -a -all", {}],
  ];
  for (const [words, options] of table) {
    for (const word of words.split(" ")) {
      const read = parse(`${word} show tunnel`);
      assertEquals([read.options, read.command!.verb], [options, "show"], word);
    }
  }
});

Deno.test("parseLine(): options with a value, behind a space or an equals sign", () => {
  const table: [line: string, options: Options][] = [
    ["-n blue show", { netns: "blue" }],
    ["-netns blue show", { netns: "blue" }],
    ["--netns=blue show", { netns: "blue" }],
    ["-n=blue show", { netns: "blue" }],
    ["--netns= show", { netns: "" }],
    ["-netns=a=b show", { netns: "a=b" }],
    ["-b file", { batch: "file" }],
    ["-batch - -force", { batch: "-", force: true }],
    ["-force -b file", { force: true, batch: "file" }],
    ["-f inet6 show", {}],
    ["-family inet show", {}],
    ["-rc 1000 show", {}],
    ["-rcvbuf 1000 show", {}],
  ];
  for (const [line, options] of table) assertEquals(parse(line).options, options, line);
});

Deno.test("parseLine(): options that do not exist, and values for those that take none", () => {
  const table: [word: string, shown: string][] = [
    ["-bogus", "-bogus"],
    ["--bogus", "-bogus"],
    ["-jsonx", "-jsonx"],
    ["-x", "-x"],
    ["-json=1", "-json=1"],
    ["--help=add", "-help=add"],
    ["-=x", "-=x"],
  ];
  for (const [word, shown] of table) {
    assertRefused(`${word} show`, `Option "${shown}" is unknown, try "l2tp help".`);
    assertRefused(`show tunnel ${word}`, `Option "${shown}" is unknown, try "l2tp help".`);
  }
});

Deno.test("parseLine(): -loops N of ip (how often a flush goes round) is taken like its other options", () => {
  for (const line of ["-l 5 show", "-loops 5 show"]) assertEquals(parse(line).options, {}, line);
});

Deno.test("parseLine(): -color= knows always, auto and never, as ip does, and nothing else", () => {
  for (const word of ["-color=bogus", "-c=Always", "-color=on"]) {
    assertRefused(`${word} show`, `Option "${word}" is unknown, try "l2tp help".`);
  }
});

Deno.test("parseLine(): an option at the end of the line lacks its value", () => {
  for (const line of ["-n", "-netns", "-b", "-batch", "-f", "-rc", "show -n"]) {
    assertRefused(line, 'Command line is not complete. Try option "help"');
  }
  assertRefused("show -n", 'Command line is not complete. Try option "help"', [
    "A value is missing: -n NETNS",
    "See: l2tp help",
  ]);
});

Deno.test("parseLine(): -V, -Version and -version print the version, with one dash or two; -v is none", () => {
  for (const word of ["-V", "-Version", "-version", "--version", "--Version"]) {
    assertEquals(parse(word).options, { version: true }, word);
  }
  assertRefused("-v", 'Option "-v" is unknown, try "l2tp help".');
});

Deno.test("parseLine(): options may stand anywhere, but not those that only make sense in front", () => {
  for (
    const line of [
      "show -j tunnel tid 1",
      "show tunnel -j tid 1",
      "show tunnel tid 1 -j",
      "tunnel -j show tid 1",
    ]
  ) {
    const { options, command } = parse(line);
    assertEquals(options, { json: true }, line);
    assertEquals((command as { arguments: Arguments }).arguments, { tunnel: true, tunnelId: 1 }, line);
  }
  assertEquals(parse("show -n blue -s -d -o -c -t -p -h -V").options, {
    netns: "blue",
    statistics: true,
    details: true,
    oneline: true,
    color: "always",
    timestamp: "long",
    pretty: true,
    help: true,
    version: true,
  });
  for (const word of ["-batch", "-force", "-4", "-family", "-brief", "-a"]) {
    assertRefused(`show ${word} x`, `Unknown command: ${word}`, [`Option ${word} goes before the command.`]);
  }
  assertEquals(parse("monitor -j -ts"), {
    options: { json: true, timestamp: "short" },
    command: { verb: "monitor", words: [] },
  });
});

Deno.test("parseLine(): a double dash ends the options", () => {
  assertDeepStrictEquals(parse("-j -- show tunnel"), parse("-j show tunnel"));
  assertRefused("-- -j", 'Command "-j" is unknown, try "l2tp help".');
  assertRefused("show tunnel -- -j", "Unknown command: -j");
});

Deno.test("parseLine(): the words of complete are left alone", () => {
  assertEquals(parse("complete -j show -bogus --").command, {
    verb: "complete",
    words: ["-j", "show", "-bogus", "--"],
  });
  assertEquals(parse("help add").command, { verb: "help", words: ["add"] });
});

Deno.test("parseLine(): defaults hold unless the line says otherwise, and are not changed", () => {
  const defaults: Options = { json: true, netns: "blue" };
  assertEquals(parse("show -s -n green", defaults).options, {
    json: true,
    netns: "green",
    statistics: true,
  });
  assertEquals(defaults, { json: true, netns: "blue" });
});

const USES: readonly Use[] = [...new Set(KEYWORDS.flatMap(({ uses }) => uses))];

Deno.test("the tables: no word twice, every required keyword is one that means something", () => {
  for (const [table, ppp] of [[KEYWORDS, undefined], [PPP_KEYWORDS, {}]] as const) {
    const words = table.flatMap(({ word, alias }) => (alias === undefined ? [word] : [word, alias]));
    assertStrictEquals(new Set(words).size, words.length);
    assertEquals([...keywordsBehind({ ppp }).byWord.keys()].sort(), words.toSorted());
    for (const { word, uses, value, mark } of table) {
      for (const use of USES) {
        if (table === KEYWORDS && requiredFor(use, {}).includes(word)) {
          assert(uses.includes(use), `${word} for ${use}`);
        }
      }
      assertStrictEquals(value === undefined, mark !== undefined, word);
    }
  }
  for (const use of USES) {
    for (const word of requiredFor(use, {})) {
      assert(keywordsBehind({}).byWord.has(word), `${use}: ${word}`);
    }
  }
  const verbs = VERBS.flatMap(({ words }) => words);
  assertStrictEquals(new Set(verbs).size, verbs.length);
  const options = OPTIONS.flatMap(({ words }) => words);
  assertStrictEquals(new Set(options).size, options.length);
});
