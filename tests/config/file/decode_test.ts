/** Configurations, good and bad: what they say, or what is wrong with them and where. */

import { assert, assertEquals } from "@std/assert";
import { SESSION_SETTINGS, TUNNEL_SETTINGS } from "../../../src/config/schema/schema.ts";
import { decode, problemsOf } from "../decoding.ts";

const TUNNEL = `[tunnel.a]
tunnel_id = 1
peer_tunnel_id = 2
encap = "ip"
remote = "10.0.0.2"
`;
const UDP = `[tunnel.u]
tunnel_id = 5
peer_tunnel_id = 6
remote = "10.0.0.2"
udp_sport = 5000
udp_dport = 5001
`;
const SESSION = `[tunnel.a.session.s]
session_id = 10
peer_session_id = 20
`;

/** Each bad file with all that is said of it. */
const BAD: [name: string, text: string, ...problems: string[]][] = [
  ["no TOML", "[tunnel.a\n", "1:10: illegal character in key"],
  [
    "a key twice",
    "[tunnel.a]\nmtu = 1\nmtu = 2\n",
    "3:1: trying to redefine an already defined table or value",
  ],
  ["unknown at the root", `tunel = 1\n${TUNNEL}`, '1:1: unknown key "tunel"'],
  ["unknown in a tunnel", `${TUNNEL}  remot = "x"\n`, '6:3: unknown key "remot" in [tunnel.a]'],
  [
    "unknown in a session",
    `${TUNNEL}${SESSION}mtuu = 1400\n`,
    '9:1: unknown key "mtuu" in [tunnel.a.session.s]',
  ],
  ["unknown in a class", `${TUNNEL}[class.tunnel.c]\nx = 1\n`, '7:1: unknown key "x" in [class.tunnel.c]'],
  ["unknown kind of class", `[class.tunel.c]\nx = 1\n`, '1:8: unknown key "tunel" in [class]'],
  ["no table", "tunnel = 5\n", "1:1: tunnel must be a table"],
  ["an array of tables", "[[tunnel]]\n", "1:3: tunnel must be a table"],
  ["a tunnel without a name", "[tunnel]\ntunnel_id = 1\n", "2:1: tunnel_id must be a table"],
  [
    "missing in a tunnel",
    "\n  [tunnel.a]\n",
    "2:11: tunnel a needs peer_tunnel_id",
    "2:11: tunnel a needs remote",
    "2:11: tunnel a needs tunnel_id",
    "2:11: tunnel a needs udp_dport with encap udp",
    "2:11: tunnel a needs udp_sport with encap udp",
  ],
  [
    "missing in a session",
    `${TUNNEL}[tunnel.a.session.s]\n`,
    "6:19: session s of tunnel a needs peer_session_id",
    "6:19: session s of tunnel a needs session_id",
  ],
  ["an id of 0", TUNNEL.replace("= 1", "= 0"), "2:13: tunnel_id must be a whole number from 1 to 4294967295"],
  [
    "a broken id",
    TUNNEL.replace("= 1", "= 1.5"),
    "2:13: tunnel_id must be a whole number from 1 to 4294967295",
  ],
  [
    "an id in text",
    TUNNEL.replace("= 1", '= "1"'),
    "2:13: tunnel_id must be a whole number from 1 to 4294967295",
  ],
  [
    "a huge id",
    TUNNEL.replace("= 1", "= 4294967296"),
    "2:13: tunnel_id must be a whole number from 1 to 4294967295",
  ],
  ["a port", UDP.replace("5000", "65536"), "5:13: udp_sport must be a whole number from 1 to 65535"],
  ["an encapsulation", TUNNEL.replace('"ip"', '"gre"'), '4:9: encap must be "ip" or "udp"'],
  ["a version", `${TUNNEL}version = 4\n`, "6:11: version must be 2 or 3"],
  ["a boolean", `${UDP}udp_csum = "on"\n`, "7:12: udp_csum must be true or false"],
  [
    "a hook in one text",
    `${TUNNEL}on_up = "/bin/true"\n`,
    '6:9: on_up must be a list of a program and its arguments, like ["/etc/l2tp/up", "fast"]',
  ],
  [
    "a hook of nothing",
    `${TUNNEL}on_down = []\n`,
    '6:11: on_down must be a list of a program and its arguments, like ["/etc/l2tp/up", "fast"]',
  ],
  [
    "a hook for a shell to find",
    `${TUNNEL}${SESSION}on_pre_down = ["echo", "x"]\n`,
    "9:16: on_pre_down[0] must be the absolute path of a program",
  ],
  [
    "a hook's argument",
    `[defaults.session]\non_up = ["/bin/echo", 5]\n`,
    "2:23: on_up[1] must be a string without NUL",
  ],
  [
    "a hook's time",
    `${TUNNEL}hook_timeout = 0\n`,
    "6:16: hook_timeout must be a whole number from 1 to 3600",
  ],
  ["a hook's waiting", `${TUNNEL}hook_wait = 1\n`, "6:13: hook_wait must be true or false"],
  [
    "a namespace by its path",
    `${TUNNEL}${SESSION}netns = "/run/netns/blue"\n`,
    "9:9: netns must be the name of a network namespace, as ip netns list has it",
  ],
  [
    "a namespace of PPP",
    `${TUNNEL}${SESSION}pw_type = "ppp"\nnetns = "blue"\ninterface = "pw0"\n`,
    "10:1: netns needs pw_type eth",
    "11:1: interface needs pw_type eth",
  ],
  [
    "a namespace for an interface without a name",
    `[defaults.session]\nnetns = "blue"\n${TUNNEL}${SESSION}interface = "pw%d"\n`,
    "2:1: session s of tunnel a needs a complete interface name, because it has a netns",
  ],
  ["an address", `${TUNNEL}local = "10.0.0.256"\n`, '6:9: local must be an address, or "any"'],
  ["a host name for us", `${TUNNEL}local = "host.example"\n`, '6:9: local must be an address, or "any"'],
  ["any for the peer", TUNNEL.replace("10.0.0.2", "any"), "5:10: remote must be an address or host name"],
  [
    "a mistyped peer",
    TUNNEL.replace("10.0.0.2", "10.0.0.2.3"),
    "5:10: remote must be an address or host name",
  ],
  [
    "both IP versions",
    `${TUNNEL}local = "::1"\n`,
    "5:10: local is ::1 and remote 10.0.0.2: IPv4 and IPv6 do not mix",
  ],
  [
    "a link-local peer",
    TUNNEL.replace("10.0.0.2", "fe80::2"),
    "5:10: remote is link-local and needs its interface",
  ],
  [
    "two links",
    `${TUNNEL.replace("10.0.0.2", "fe80::2%a")}local = "fe80::1%b"\n`,
    "5:10: local is on b and remote on a: both must be on the same link",
  ],
  [
    "a scope for nothing",
    TUNNEL.replace("10.0.0.2", "fd00::2%eth0"),
    "5:10: remote has an interface behind %: only link-local addresses (fe80::/10) take one",
  ],
  ["ports over IP", `${TUNNEL}udp_sport = 5\n`, "6:1: udp_sport does not apply to encap ip"],
  [
    "IPv6 checksums over IPv4",
    `${UDP}udp6_csum_tx = true\n`,
    "7:1: udp6_csum_tx is for IPv6, and this is IPv4",
  ],
  [
    "IPv4 checksums over IPv6",
    `${UDP.replace("10.0.0.2", "fd00::2")}udp_csum = true\n`,
    "7:1: udp_csum is for IPv4, and this is IPv6",
  ],
  ["version 2 over IP", `${TUNNEL}version = 2\n`, "4:9: version 2 needs encap udp"],
  [
    "version 2 with long ids",
    `${
      UDP.replace("= 5\n", "= 65536\n")
    }version = 2\n[tunnel.u.session.s]\nsession_id = 70000\npeer_session_id = 1\n`,
    "2:13: tunnel_id must be at most 65535 in version 2, which has 16 bits for it",
    "9:14: session_id must be at most 65535 in version 2, which has 16 bits for it",
  ],
  [
    "version 2 with what it has not",
    `${UDP}version = 2\n[tunnel.u.session.s]\nsession_id = 1\npeer_session_id = 1\npw_type = "eth"\n` +
    'cookie = "00112233"\nl2spec_type = "none"\nmtu = 1400\n',
    "11:1: a version 2 tunnel carries ppp only",
    "12:1: cookie does not apply to version 2",
    "13:1: l2spec_type does not apply to version 2",
    "14:1: mtu needs pw_type eth",
  ],
  [
    "PPP with an interface",
    `${TUNNEL}${SESSION}pw_type = "ppp"\ninterface = "p"\nup = true\naddresses = []\nbridge = "b"\n`,
    "10:1: interface needs pw_type eth",
    "11:1: up needs pw_type eth",
    "12:1: addresses needs pw_type eth",
    "13:1: bridge needs pw_type eth",
  ],
  [
    "a cookie's size",
    `${TUNNEL}${SESSION}cookie = "0011"\n`,
    "9:10: cookie must have 8 or 16 hex digits, and has 4",
  ],
  [
    "a peer cookie's size",
    `${TUNNEL}${SESSION}peer_cookie = "001122334455667"\n`,
    "9:15: peer_cookie must have 8 or 16 hex digits, and has 15",
  ],
  [
    "a cookie's digits",
    `${TUNNEL}${SESSION}cookie = "0011223x"\n`,
    "9:10: cookie must have hex digits only, 8 or 16 of them",
  ],
  [
    "a cookie as a number",
    `${TUNNEL}${SESSION}cookie = 11223344\n`,
    "9:10: cookie must be a string of 8 or 16 hex digits",
  ],
  [
    "sequence numbers without sublayer",
    `${TUNNEL}${SESSION}l2spec_type = "none"\nseq = "send"\n`,
    "10:7: seq is send and l2spec_type none: sequence numbers are in the sublayer",
  ],
  ["a sequence", `${TUNNEL}${SESSION}seq = "yes"\n`, '9:7: seq must be "none", "send", "recv" or "both"'],
  ["an mtu", `${TUNNEL}${SESSION}mtu = 67\n`, "9:7: mtu must be a whole number from 68 to 65535"],
  [
    "a name",
    `${TUNNEL}${SESSION}interface = "much-too-long-name"\n`,
    "9:13: interface must be the name of an interface: 1 to 15 bytes, without slash, colon and blank",
  ],
  [
    "addresses in text",
    `${TUNNEL}${SESSION}addresses = "10.1.1.1/24"\n`,
    '9:13: addresses must be a list, like ["192.168.1.1/24"]',
  ],
  [
    "an address among others",
    `${TUNNEL}${SESSION}addresses = [\n  "10.1.1.1/24",\n  "10.1.1.2/33",\n]\n`,
    '11:3: addresses[1] must be an address like "192.168.1.1/24"',
  ],
  [
    "an address twice",
    `${TUNNEL}${SESSION}addresses = ["10.1.1.1/24", "10.1.1.1/16"]\n`,
    "9:29: addresses[1] is given twice",
  ],
  [
    "a tunnel id twice",
    `${TUNNEL}${TUNNEL.replace("tunnel.a", "tunnel.b")}`,
    "7:13: tunnel_id 1 is already used by tunnel a",
  ],
  [
    "a session id twice",
    `${TUNNEL}${SESSION}${SESSION.replace("session.s", "session.t")}`,
    "10:14: session_id 10 is already used by session s of tunnel a",
  ],
  [
    "a session id in two tunnels, one over IP",
    `${TUNNEL}${SESSION}${UDP}${SESSION.replace("tunnel.a", "tunnel.u")}`,
    "16:14: session_id 10 is already used by session s of tunnel a",
  ],
  [
    "an interface twice",
    `${TUNNEL}${SESSION}interface = "pw0"\n${UDP}[tunnel.u.session.s]\nsession_id = 11\npeer_session_id = 1\ninterface = "pw0"\n`,
    "19:13: interface pw0 is already used by session s of tunnel a",
  ],
  [
    "an unknown class",
    `${TUNNEL}class = "offce"\n[class.tunnel.office]\n`,
    '6:9: there is no class "offce" for a tunnel',
  ],
  [
    "a class of the other kind",
    `${TUNNEL}class = ["a", "b"]\n[class.tunnel.a]\n[class.session.b]\n`,
    '6:15: there is no class "b" for a tunnel',
  ],
  [
    "a class that is none",
    `${TUNNEL}class = 5\n`,
    "6:9: class must be the name of a class, or a list of names",
  ],
  [
    "what cannot be shared",
    `${TUNNEL}${SESSION}[defaults.session]\ninterface = "pw0"\n[class.tunnel.c]\ntunnel_id = 1\n`,
    "10:1: interface cannot be shared: each needs its own",
    "12:1: tunnel_id cannot be shared: each needs its own",
  ],
  [
    "a contradiction from a class",
    `${TUNNEL}class = "c"\n[class.tunnel.c]\nudp_csum = true\n`,
    "8:1: udp_csum does not apply to encap ip",
  ],
  [
    "several at once, in the file's order",
    `${TUNNEL.replace("= 2", "= -2")}x = 1\n${SESSION}mtu = "x"\n`,
    "3:18: peer_tunnel_id must be a whole number from 1 to 4294967295",
    '6:1: unknown key "x" in [tunnel.a]',
    "10:7: mtu must be a whole number from 68 to 65535",
  ],
];

Deno.test("bad files: each with its message, line and column", () => {
  for (const [name, text, ...problems] of BAD) {
    assertEquals(problemsOf(text).sort(), [...problems].sort(), `${name}:\n${text}`);
  }
});

Deno.test("bad files: problems are in the order of the file, and what was probably meant is said", () => {
  const { problems } = decode(`${TUNNEL}remot = "x"\nlocl = "y"\n`);
  assertEquals(problems.map(({ line, advice }) => [line, ...advice]), [
    [6, 'Did you mean "remote"?'],
    [7, 'Did you mean "local"?'],
  ]);
  const [unknown] = decode(`${TUNNEL}class = "offce"\n[class.tunnel.office]\n`).problems;
  assertEquals(unknown?.advice, ['Did you mean "office"?', "A class is a table: [class.tunnel.offce]"]);
});

/** Good files, with the settings of the first tunnel and of its first session, by key, as TOML. */
const GOOD: [name: string, text: string, tunnel: Record<string, string>, session?: Record<string, string>][] =
  [
    ["nothing", "", {}],
    ["empty tables", "[defaults.tunnel]\n[class.session]\n[tunnel]\n", {}],
    [
      "the least over IP",
      TUNNEL,
      { tunnel_id: "1", peer_tunnel_id: "2", encap: '"ip"', remote: '"10.0.0.2"' },
    ],
    [
      "everything of a tunnel over UDP",
      `${UDP}local = "any"\nudp_csum = true\nversion = 3\n`,
      {
        tunnel_id: "5",
        peer_tunnel_id: "6",
        remote: '"10.0.0.2"',
        udp_sport: "5000",
        udp_dport: "5001",
        local: '"any"',
        udp_csum: "true",
        version: "3",
      },
    ],
    [
      "addresses are canonical, and those of links have their interface",
      `${TUNNEL.replace("10.0.0.2", "FE80:0::0002%eth0")}local = "fe80::1"\n`,
      { tunnel_id: "1", peer_tunnel_id: "2", encap: '"ip"', remote: '"fe80::2%eth0"', local: '"fe80::1"' },
    ],
    [
      "a host's name",
      TUNNEL.replace("10.0.0.2", "peer.example"),
      { tunnel_id: "1", peer_tunnel_id: "2", encap: '"ip"', remote: '"peer.example"' },
    ],
    [
      "defaults, classes and own, in this order",
      `[defaults.tunnel]
encap = "ip"
udp_csum = true
[defaults.session]
mtu = 1300
up = false
seq = "both"
[class.session.a]
mtu = 1400
up = true
[class.session.b]
mtu = 1450
lns_mode = true
[class.tunnel.far]
remote = "10.9.9.9"
[tunnel.t]
class = "far"
tunnel_id = 1
peer_tunnel_id = 2
[tunnel.t.session.s]
class = ["a", "b"]
session_id = 3
peer_session_id = 4
seq = "none"
`,
      { encap: '"ip"', udp_csum: "true", remote: '"10.9.9.9"', tunnel_id: "1", peer_tunnel_id: "2" },
      { mtu: "1450", up: "true", seq: '"none"', lns_mode: "true", session_id: "3", peer_session_id: "4" },
    ],
    [
      "everything of a session",
      `${TUNNEL}${SESSION}interface = "pw0"\npw_type = "eth"\ncookie = "00112233"\n` +
      'peer_cookie = "0011223344556677"\nl2spec_type = "default"\nseq = "recv"\nreorder_timeout = 50\n' +
      'lns_mode = true\nmtu = 1400\nnetns = "blue"\nbridge = "none"\naddresses = ["10.1.1.1/24", "fd00::1"]\nup = true\n',
      { tunnel_id: "1", peer_tunnel_id: "2", encap: '"ip"', remote: '"10.0.0.2"' },
      {
        session_id: "10",
        peer_session_id: "20",
        interface: '"pw0"',
        pw_type: '"eth"',
        cookie: '"00112233"',
        peer_cookie: '"0011223344556677"',
        l2spec_type: '"default"',
        seq: '"recv"',
        reorder_timeout: "50",
        lns_mode: "true",
        netns: '"blue"',
        mtu: "1400",
        bridge: '"none"',
        addresses: '["10.1.1.1/24", "fd00::1/128"]',
        up: "true",
      },
    ],
    [
      "hooks",
      `${TUNNEL}on_up = ["/bin/a", "b c", "$d"]\non_pre_down = ["/bin/a"]\non_down = ["/bin/a"]\n` +
      `hook_wait = false\nhook_timeout = 60\n`,
      {
        tunnel_id: "1",
        peer_tunnel_id: "2",
        encap: '"ip"',
        remote: '"10.0.0.2"',
        on_up: '["/bin/a", "b c", "$d"]',
        on_pre_down: '["/bin/a"]',
        on_down: '["/bin/a"]',
        hook_wait: "false",
        hook_timeout: "60",
      },
    ],
    [
      "inline tables and dotted keys are the same",
      'tunnel.a = { tunnel_id = 1, peer_tunnel_id = 2, encap = "ip", remote = "10.0.0.2", session.s.session_id = 1, ' +
      "session.s.peer_session_id = 2 }\n",
      { tunnel_id: "1", peer_tunnel_id: "2", encap: '"ip"', remote: '"10.0.0.2"' },
      { session_id: "1", peer_session_id: "2" },
    ],
    [
      "the same session id in two tunnels over UDP, and in version 2",
      `${UDP}[tunnel.u.session.s]\nsession_id = 1\npeer_session_id = 2\n` +
      `${
        UDP.replace("tunnel.u", "tunnel.v").replace("= 5\n", "= 7\n")
      }[tunnel.v.session.s]\nsession_id = 1\npeer_session_id = 2\n`,
      { tunnel_id: "5", peer_tunnel_id: "6", remote: '"10.0.0.2"', udp_sport: "5000", udp_dport: "5001" },
      { session_id: "1", peer_session_id: "2" },
    ],
  ];

Deno.test("good files: what they say", () => {
  for (const [name, text, tunnel, session] of GOOD) {
    const { config, problems } = decode(text);
    assertEquals(problems, [], name);
    const [first] = config.tunnels;
    const said = <T>(
      schema: readonly { key: string; write(settings: T): string | undefined }[],
      settings?: T,
    ) =>
      Object.fromEntries(schema.flatMap(({ key, write }) => {
        const text = settings === undefined ? undefined : write(settings);
        return text === undefined ? [] : [[key, text]];
      }));
    assertEquals(said(TUNNEL_SETTINGS, first?.settings), tunnel, name);
    assertEquals(said(SESSION_SETTINGS, first?.sessions[0]?.settings), session ?? {}, name);
  }
});

Deno.test("every key of the schema is in a bad file and in a good one", () => {
  const good = JSON.stringify(GOOD);
  const bad = JSON.stringify(BAD);
  for (const { key } of [...TUNNEL_SETTINGS, ...SESSION_SETTINGS]) {
    if (!["udp6_csum_tx", "udp6_csum_rx"].includes(key)) assert(good.includes(key), `good: ${key}`);
    if (!["udp6_csum_rx", "reorder_timeout", "lns_mode"].includes(key)) {
      assert(bad.includes(key), `bad: ${key}`);
    }
  }
});
