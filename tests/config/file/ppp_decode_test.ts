/** PPP in configurations, good and bad: what they say, or what is wrong with them and where. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { PPP_SETTINGS } from "../../../src/config/schema/schema.ts";
import { decode, problemsOf } from "../decoding.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const TUNNEL = `[tunnel.a]
tunnel_id = 1
peer_tunnel_id = 2
encap = "ip"
remote = "10.0.0.2"
`;
const SESSION = `[tunnel.a.session.s]
session_id = 10
peer_session_id = 20
`;

/** What a session's table `ppp` says, or a session, with all that is said of it. */
const BAD: readonly (readonly [name: string, lines: string, ...problems: string[]])[] = [
  ["no table", "ppp = 5\n", "9:1: ppp must be a table"],
  ["an unknown key", "userr = 'x'\n", '10:1: unknown key "userr" in [tunnel.a.session.s.ppp]'],
  ["an empty name", "user = ''\n", "10:8: ppp.user must be a string of 1 to 255 bytes"],
  ["a relative path", "secret-file = 'x'\n", "10:15: ppp.secret-file must be the absolute path of a file"],
  [
    "a way of authentication",
    "require = ['chap', 'toString']\n",
    "10:20: ppp.require[1] must be one of chap, mschapv2, mschap, pap, none",
  ],
  ["one in text", "require = 'chap'\n", '10:11: ppp.require must be a list, like ["mschapv2", "chap"]'],
  ["needed secrets", "require = ['chap']\n", "10:11: ppp.require needs ppp.secret-file"],
  [
    "an address",
    "local = '::1'\n",
    "10:9: ppp.local must be an IPv4 address; IPv6 addresses follow from interface identifiers",
  ],
  [
    "a pool the wrong way round",
    "pool = '192.0.2.9-192.0.2.3'\n",
    "10:8: ppp.pool must be FIRST-LAST, two IPv4 addresses, the lower one first",
  ],
  [
    "half a pool",
    "pool = '192.0.2.9'\n",
    "10:8: ppp.pool must be FIRST-LAST, two IPv4 addresses, the lower one first",
  ],
  [
    "name servers",
    "dns = ['1.1.1.1', '1.1.1.1', '1.1.1.2', '1.1.1.3']\n",
    "10:41: ppp.dns[3] is one too many: 2 at most",
  ],
  ["a size", "mru = 127\n", "10:7: ppp.mru must be a whole number from 128 to 65535"],
  ["a time", "echo = 3601\n", "10:8: ppp.echo must be a whole number from 0 to 3600"],
  ["a flag", "ipv6 = 'off'\n", "10:8: ppp.ipv6 must be true or false"],
  [
    "two ways to an address",
    "remote = '192.0.2.1'\npool = '192.0.2.2-192.0.2.3'\n",
    "11:1: ppp.pool is wrong: remote already gives the peer's address",
  ],
  [
    "no protocol",
    "ipv4 = false\nipv6 = false\n",
    "11:1: ppp.ipv6 is wrong: IPv4 and IPv6 cannot both be off",
  ],
  [
    "IPv4 that is off",
    "askdns = true\nipv4 = false\n",
    "10:1: ppp.askdns is wrong: it needs IPv4, which is off",
  ],
];

Deno.test("bad PPP: each table with its message, line and column", () => {
  for (const [name, lines, ...problems] of BAD) {
    const head = lines.startsWith("ppp") ? "" : "[tunnel.a.session.s.ppp]\n";
    assertEquals(problemsOf(TUNNEL + SESSION + head + lines), problems, name);
  }
});

/** Whole files, with all that is said of them. */
const BAD_FILES: readonly (readonly [name: string, text: string, ...problems: string[]])[] = [
  [
    "PPP with settings of other pseudowires",
    `${TUNNEL}${SESSION}pw_type = "eth"\ninterface = "ppp%d"\nup = true\nppp = {}\n`,
    "9:11: ppp needs pw_type ppp",
    "10:13: interface must be a complete name with a table ppp",
    "11:1: up needs pw_type eth",
  ],
  [
    "PPP from a class on Ethernet",
    `[class.session.c.ppp]\n${TUNNEL}${SESSION}class = "c"\npw_type = "eth"\n`,
    "11:11: ppp needs pw_type ppp",
  ],
  [
    "defaults of PPP that contradict themselves",
    `[defaults.session.ppp]\nipv4 = false\nipv6 = false\n${TUNNEL}${SESSION}`,
    "3:1: ppp.ipv6 is wrong: IPv4 and IPv6 cannot both be off",
  ],
];

Deno.test("bad PPP: with what other tables say", () => {
  for (const [name, text, ...problems] of BAD_FILES) assertEquals(problemsOf(text), problems, name);
});

Deno.test("PPP: settings of the defaults, of classes and of a session's own, each over those before it", () => {
  const shared = `[defaults.session.ppp]
secret-file = "/etc/secrets"
require = ["chap"]
pool = "192.0.2.10-192.0.2.20"
echo = 5
[class.session.c.ppp]
require = ["mschapv2", "pap", "pap"]
user = "server"
`;
  const pppOf = (text: string): unknown => {
    const { config, problems } = decode(shared + TUNNEL + SESSION + text);
    assertEquals(problems, [], text);
    return config.tunnels[0]!.sessions[0]!.settings.ppp;
  };
  const secretFile = "/etc/secrets";
  const pool = ["192.0.2.10", "192.0.2.20"];
  assertEquals(pppOf(""), { secretFile, require: ["chap"], pool, echoIntervalMs: 5000 });
  assertDeepStrictEquals(pppOf('class = "c"\nppp.echo = 0\nppp.mtu = 1400\n'), {
    ...{ secretFile, pool, user: "server", require: ["mschapv2", "pap"], echoIntervalMs: 0, mtu: 1400 },
  });
  // What the defaults say was not meant for those that say otherwise.
  assertStrictEquals(pppOf('pw_type = "eth"\nmtu = 1400\n'), undefined);
  assertEquals(pppOf('ppp.remote = "192.0.2.2"\n'), {
    ...{ secretFile, require: ["chap"], remote: "192.0.2.2", echoIntervalMs: 5000 },
  });
  assertEquals(pppOf("ppp.ipv4 = false\n"), {
    ...{ secretFile, require: ["chap"], ipv4: false, echoIntervalMs: 5000 },
  });
});

Deno.test("PPP: everything that can be said of it is written as it was read", () => {
  const lines = [
    'user = "alice"',
    'secret-file = "/etc/secrets"',
    'require = ["mschapv2", "none"]',
    'local = "192.0.2.1"',
    'pool = "192.0.2.2-192.0.2.3"',
    'dns = ["192.0.2.53"]',
    "askdns = true",
    "mtu = 1400",
    "mru = 1500",
    "defaultroute = true",
    "ipv4 = true",
    "ipv6 = false",
    "mss = true",
    "echo = 0",
    "echo_failures = 3",
  ];
  const { config, problems } = decode(`${TUNNEL}${SESSION}[tunnel.a.session.s.ppp]\n${lines.join("\n")}\n`);
  assertEquals(problems, []);
  const { ppp = {} } = config.tunnels[0]!.sessions[0]!.settings;
  const written = PPP_SETTINGS.map(({ key, write }) => [key, write(ppp)] as const);
  assertEquals(
    written.map(([key, text]) => `${key} = ${text}`),
    lines.toSpliced(4, 0, "remote = undefined"),
  );
});
