/**
 * Inputs for both `ip l2tp` and the program under test, each in its own namespace with the addresses 10.0.0.1/24 and
 * fd00::1/64. Groups start without tunnels; the commands of a group build on each other.
 *
 * @module
 */

import type { DifferenceName } from "./differences.ts";

/** One command given to both. */
export interface Case {
  /** Global options and the words behind `l2tp`, as a shell would have them. */
  readonly line: string;
  /** The input must be refused. */
  readonly bad: boolean;
  /** The documented difference it shows; it must differ, and in that way. */
  readonly differs?: DifferenceName;
  /** Standard input of both. */
  readonly stdin?: string;
}

/** Commands that build on each other. */
export interface Group {
  readonly name: string;
  readonly cases: readonly Case[];
}

function good(...lines: readonly string[]): Case[] {
  return lines.map((line) => ({ line, bad: false }));
}

function bad(...lines: readonly string[]): Case[] {
  return lines.map((line) => ({ line, bad: true }));
}

function differs(name: DifferenceName, ...lines: readonly string[]): Case[] {
  return lines.map((line) => ({ line, bad: false, differs: name }));
}

function badly(name: DifferenceName, ...lines: readonly string[]): Case[] {
  return lines.map((line) => ({ line, bad: true, differs: name }));
}

function batch(
  stdin: string,
  options: { readonly bad?: boolean; readonly differs?: DifferenceName } = {},
): Case {
  return {
    line: "-batch -",
    stdin,
    bad: options.bad ?? false,
    ...(options.differs !== undefined && { differs: options.differs }),
  };
}

function group(name: string, ...cases: readonly (readonly Case[])[]): Group {
  return { name, cases: cases.flat() };
}

const UDP = "encap udp local 10.0.0.1 remote 10.0.0.2";
const UDP6 = "encap udp local fd00::1 remote fd00::2";
const IP = "encap ip local 10.0.0.1 remote 10.0.0.2";
const IP6 = "encap ip local fd00::1 remote fd00::2";

/** All groups. */
export const GROUPS: readonly Group[] = [
  group(
    "nothing there",
    good("show tunnel", "show session", "-o show tunnel", "-s -d show session", "-p show tunnel"),
    good("-j show tunnel", "-j show session", "-j -p show tunnel", "-j -p show session"),
    bad("del tunnel tunnel_id 1", "del session tunnel_id 1 session_id 1", "del session session_id 1"),
    bad("add session tunnel_id 1 session_id 1 peer_session_id 1"),
  ),
  group(
    "UDP over IPv4",
    good(
      `add tunnel tunnel_id 1 peer_tunnel_id 2 ${UDP} udp_sport 5000 udp_dport 6000`,
      "show tunnel",
      "-j show tunnel",
      "-j -p show tunnel",
      "-o show tunnel",
      "show session",
      "add session tunnel_id 1 session_id 10 peer_session_id 20",
      "show session",
      "-j show session",
      "-j -p show session",
      "-c show session",
      "-c=always show session",
      "-c=never show session",
      "-color=auto show session",
      "del session tunnel_id 1 session_id 10",
      "show session",
      "del tunnel tunnel_id 1",
      "show tunnel",
    ),
  ),
  group(
    "UDP checksums",
    good(
      `add tunnel tunnel_id 1 peer_tunnel_id 2 ${UDP} udp_sport 5001 udp_dport 6000 udp_csum on`,
      `add tunnel tunnel_id 2 peer_tunnel_id 2 ${UDP} udp_sport 5002 udp_dport 6000 udp_csum off`,
      `add tunnel tunnel_id 3 peer_tunnel_id 2 ${UDP6} udp_sport 5003 udp_dport 6000`,
      `add tunnel tunnel_id 4 peer_tunnel_id 2 ${UDP6} udp_sport 5004 udp_dport 6000 udp6_csum_tx off`,
      `add tunnel tunnel_id 5 peer_tunnel_id 2 ${UDP6} udp_sport 5005 udp_dport 6000 udp6_csum_rx off`,
      `add tunnel tunnel_id 6 peer_tunnel_id 2 ${UDP6} udp_sport 5006 udp_dport 6000 udp6_csum_rx off udp6_csum_tx off`,
      `add tunnel tunnel_id 7 peer_tunnel_id 2 ${UDP6} udp_sport 5007 udp_dport 6000 udp6_csum_rx on udp6_csum_tx on`,
      `add tunnel tunnel_id 8 peer_tunnel_id 2 ${UDP6} udp_sport 5008 udp_dport 6000 udp_csum on`,
      `add tunnel tunnel_id 9 peer_tunnel_id 2 ${UDP} udp_sport 5009 udp_dport 6000 udp6_csum_tx off`,
      "show tunnel",
      "-j show tunnel",
      "-j -p show tunnel",
    ),
  ),
  group(
    "IP encapsulation",
    good(
      `add tunnel tunnel_id 3000 peer_tunnel_id 4000 ${IP}`,
      `add tunnel tunnel_id 3001 peer_tunnel_id 4001 ${IP6}`,
      `add tunnel tunnel_id 3002 peer_tunnel_id 4002 ${IP} udp_sport 5 udp_dport 6`,
      "show tunnel",
      "-j show tunnel",
      "add session tunnel_id 3000 session_id 1 peer_session_id 2 name first",
      "add session tunnel_id 3001 session_id 2 peer_session_id 2 name second",
      "show session",
      "-j show session",
    ),
    differs("oneline", "-o show tunnel", "-oneline show session"),
    good("del tunnel tunnel_id 3000", "show session", "del tunnel tid 3001", "del tunnel tid 3002"),
  ),
  group(
    "session settings",
    good(
      `add tunnel tid 1 ptid 2 ${IP}`,
      "add session tid 1 sid 10 psid 20 name s10 cookie 01020304 peer_cookie 05060708",
      "show session",
      "-j show session",
      "del session tid 1 sid 10",
      "add session tid 1 sid 11 psid 20 name s11 cookie DEADBEEFCAFEBABE peer_cookie 0506070801020304 seq both",
      "show session",
      "-j show session",
      "-j -p show session",
      "-c show session",
      "del session tid 1 sid 11",
      "add session tid 1 sid 12 psid 20 name s12 seq send",
      "show session",
      "-j show session",
      "del session tid 1 sid 12",
      "add session tid 1 sid 13 psid 20 name s13 seq recv l2spec_type none",
      "show session",
      "del session tid 1 sid 13",
      "add session tid 1 sid 14 psid 20 name s14 seq send seq recv",
      "show session",
      "del session tid 1 sid 14",
      "add session tid 1 sid 15 psid 20 name s15 seq both seq none l2spec_type DEFAULT",
      "show session",
      "del session tid 1 sid 15",
      "add session tid 1 sid 16 psid 20 name s16 seq BOTH l2spec_type NONE cookie aAbBcCdD",
      "show session",
      "-j show session",
      "del session tid 1 sid 16",
      "add session tid 1 ptid 77 sid 17 psid 20 name s%d",
      "show session",
      "del session tid 1 sid 17",
      "add session tid 1 sid 0x12 psid 020",
      "show session",
    ),
  ),
  group(
    "forms of words and numbers",
    good(
      `a tunnel tunnel_id 0x10 peer_tunnel_id 010 ${IP}`,
      `ad tunnel tunnel_id ' +17' peer_tunnel_id 4294967295 ${IP}`,
      `add tunnel tunnel_id 5 tunnel_id 18 peer_tunnel_id 1 ${IP}`,
      `add tunnel tid 19 ptid 1 encap udp encap ip local 10.0.0.9 local 10.0.0.1 remote 10.0.0.2`,
      "add tunnel tid 20 ptid 1 encap ip local 0x0a.0.0.1 remote 012.0.0.2",
      "add tunnel tid 21 ptid 1 encap ip local 10.0.0.1 remote 10",
      "add tunnel tid 22 ptid 1 encap ip local 0.0.0.0 remote 10.0.0.2",
      "add tunnel tid 23 ptid 1 encap ip local :: remote fd00:0::2",
      "add tunnel tid 24 ptid 1 local 10.0.0.1 remote 10.0.0.2 udp_sport 0x1f40 udp_dport 017500",
      "add tunnel tid 25 ptid 1 encap ip local 10.0.0.1 remote 10.0.0.2 offset 5 peer_offset x",
      "s tunnel",
      "sh tunnel",
      "l tunnel",
      "ls tunnel",
      "list tunnel",
      "lst tunnel",
      "show tunnel session",
      "-json show tunnel",
      "--json show tunnel",
      "-js -pre show tunnel",
      "-br show tunnel",
      "-4 -N -r show tunnel",
      "-f inet show tunnel",
      "-- show tunnel",
      "d tunnel tid 16",
      "de tunnel tid 17",
      "delete tunnel tid 18",
      "del tid 19 tunnel",
    ),
    differs(
      "ignored keywords",
      `add session tid 20 sid 30 psid 30 name x30 udp_sport 5 remote 1.2.3.4 encap ip`,
    ),
    differs("ignored keywords", "del session tid 20 sid 30 cookie 01020304"),
    good("show session"),
  ),
  group(
    "both objects at once",
    good(
      `add tunnel session tid 1 ptid 2 sid 3 psid 4 ${IP} name both0`,
      `add session tunnel tid 2 ptid 3 sid 4 psid 5 ${UDP} udp_sport 5000 udp_dport 5000 name both1 seq both`,
      "show tunnel",
      "show session tunnel",
      "del tunnel tid 1 sid 3",
      "show tunnel",
      "del tunnel session tid 2 sid 4",
      "show session",
    ),
  ),
  group(
    "both objects, the second refused",
    badly("atomic", `add tunnel session tid 7 ptid 2 sid 9 psid 4 ${IP} name lo`),
  ),
  group(
    "both objects, the first refused",
    good(`add tunnel tid 1 ptid 2 ${IP}`),
    differs("atomic", `add tunnel session tid 1 ptid 2 sid 9 psid 4 ${IP} name both2`),
  ),
  group(
    "fields that leak in ip",
    good(
      `add tunnel tid 1 ptid 2 ${IP}`,
      `add tunnel tid 2 ptid 2 ${UDP} udp_sport 5000 udp_dport 5000`,
      "add session tid 1 sid 1 psid 2 cookie 01020304 peer_cookie 0506070801020304 name leak1",
      "add session tid 1 sid 2 psid 2 name leak2",
      "add session tid 1 sid 3 psid 2 name leak3",
      "add session tid 1 sid 4 psid 2 name leak4",
    ),
    differs("stale fields", "show session", "-j show session"),
    differs(
      "filters",
      "show tunnel tunnel_id 1",
      "-j show tunnel tid 2",
      "show tunnel tid 99",
      "-j show tunnel tid 99",
    ),
    differs("filters", "show session tid 1 sid 2", "-j show session tid 1 sid 99", "show session sid 3"),
  ),
  group(
    "what the kernel refuses",
    good(
      `add tunnel tid 1 ptid 2 ${IP}`,
      `add tunnel tid 2 ptid 2 ${UDP} udp_sport 5000 udp_dport 5000`,
      "add session tid 1 sid 1 psid 2 name have",
      "add session tid 2 sid 7 psid 2 name have7",
    ),
    bad(
      `add tunnel tid 1 ptid 2 ${IP}`,
      `add tunnel tid 1 ptid 2 ${UDP} udp_sport 5001 udp_dport 5000`,
      `add tunnel tid 3 ptid 2 ${UDP} udp_sport 5000 udp_dport 5000`,
      "add tunnel tid 3 ptid 2 encap ip local 10.9.9.9 remote 10.0.0.2",
      "add tunnel tid 3 ptid 2 encap udp local 10.9.9.9 remote 10.0.0.2 udp_sport 5002 udp_dport 1",
      "add tunnel tid 3 ptid 2 encap ip local fd00::9 remote fd00::2",
      "add tunnel tid 3 ptid 2 encap ip local 10.0.0.1 remote 11.0.0.2",
      "add tunnel tid 3 ptid 2 encap udp local 10.0.0.1 remote 11.0.0.2 udp_sport 5002 udp_dport 1",
      "add tunnel tid 3 ptid 2 encap ip local fd00::1 remote fd01::2",
      "add tunnel tid 3 ptid 2 encap ip local 10.0.0.1 remote fd00::2",
      "add tunnel tid 3 ptid 2 encap udp local fd00::1 remote 10.0.0.2 udp_sport 5002 udp_dport 1",
      "add tunnel tid 3 ptid 2 encap ip local 10.0.0.1 remote 224.0.0.1",
      "add tunnel tid 3 ptid 2 encap ip local fe80::1 remote fe80::2",
      "add session tid 1 sid 1 psid 2",
      "add session tid 2 sid 1 psid 2",
      "add session tid 1 sid 7 psid 2",
      "add session tid 1 sid 2 psid 2 name have",
      "add session tid 1 sid 2 psid 2 name lo",
      "add session tid 1 sid 2 psid 2 name a:b",
      "add session tid 1 sid 2 psid 2 name .",
      "add session tid 99 sid 2 psid 2",
      "del tunnel tid 99",
      "del session tid 1 sid 99",
      "del session tid 99 sid 1",
      "del session tid 2 sid 1",
      "del session sid 1",
    ),
    good("show session", "show tunnel"),
  ),
  group(
    "wrong words",
    bad(
      "add tunnel tunnel_id",
      "add tunnel tunnel_id abc",
      "add tunnel tunnel_id ''",
      "add tunnel tunnel_id -1",
      "add tunnel tunnel_id 4294967296",
      "add tunnel tunnel_id 0x",
      "add tunnel tunnel_id 08",
      "add tunnel tunnel_id 1x",
      "add tunnel tunnel_id 1.5",
      "add tunnel peer_tunnel_id x",
      "add session session_id x",
      "add session peer_session_id x",
      "add tunnel udp_sport 70000",
      "add tunnel udp_dport -5",
      "add tunnel udp_dport http",
      "add tunnel udp_csum maybe",
      "add tunnel udp_csum ON",
      "add tunnel udp6_csum_rx 1",
      "add tunnel udp6_csum_tx yes",
      "add tunnel encap foo",
      "add tunnel encap UDP",
      "add tunnel encap ''",
      "add session cookie 0102",
      "add session cookie ''",
      "add session cookie 0123456z",
      "add session cookie 0x010203",
      "add session peer_cookie 010203040506070",
      "add session peer_cookie zzzzzzzz",
      "add session seq foo",
      "add session l2spec_type foo",
      "add session name 1234567890123456",
      "add session name ''",
      "add session name a/b",
      "add session name 'a b'",
      "add tunnel local ''",
      "add tunnel remote 1.2.3.",
      "add tunnel remote 1.2.3.4.5",
      "add tunnel remote 256.1.1.1",
      "add tunnel remote ::g",
      "add tunnel remote 1.2.3.4/24",
      "add tunnel local 1:2:3:4:5:6:7:8:9",
      "add tunnel remote no.such.host.invalid",
      "add bogus",
      "add ''",
      "add tunnel Tunnel_id 5",
      "add tunnel tunnel",
      "add tunnel",
      "add session",
      "add tunnel tunnel_id 0",
      "add tunnel tunnel_id 1",
      "add tunnel tunnel_id 1 peer_tunnel_id 2",
      "add tunnel tunnel_id 1 peer_tunnel_id 2 local 10.0.0.1",
      "add tunnel tunnel_id 1 peer_tunnel_id 2 remote 10.0.0.1",
      "add tunnel tunnel_id 1 peer_tunnel_id 2 local 10.0.0.1 remote any encap ip",
      `add tunnel tunnel_id 1 peer_tunnel_id 2 ${UDP}`,
      `add tunnel tunnel_id 1 peer_tunnel_id 2 ${UDP} udp_dport 5`,
      `add tunnel tunnel_id 1 peer_tunnel_id 2 ${UDP} udp_sport 5`,
      `add tunnel tunnel_id 1 peer_tunnel_id 2 ${UDP} udp_sport 0 udp_dport 5`,
      "add session tunnel_id 1",
      "add session tunnel_id 1 session_id 1",
      "add session tunnel_id 1 peer_session_id 1",
      "add session session_id 1 peer_session_id 1",
      "add tunnel session tunnel_id 1",
      "add tunnel session tunnel_id 1 peer_session_id 1 session_id 1",
      "add tunnel session tunnel_id 1 peer_session_id 1 session_id 1 encap",
      "del tunnel",
      "del session",
      "del session tunnel_id 1",
      "del tunnel session tunnel_id 1",
      "del tunnel_id 1",
      "show bogus",
      "show tunnel bogus",
      "show tunnel tunnel_id",
      "show tunnel tunnel_id x",
    ),
    badly("words first", "add tunnel remote no.such.host.invalid bogus"),
    badly(
      "program name",
      "bogus",
      "''",
      "shows",
      "sx",
      "helpme",
      "foo bar",
      "-bogus show tunnel",
      "--bogus show tunnel",
    ),
    badly("usage", "", "add", "del", "add help", "add tunnel h", "help", "h"),
    badly("network namespaces", "-n no-such-namespace show tunnel"),
    differs("more than ip", "show", "show tid 5", "-V"),
    good("show tunnel", "show session"),
  ),
  group(
    "local any and host names",
    differs("any works", "add tunnel tid 1 ptid 2 encap ip local any remote 10.0.0.2"),
    differs("any works", "add tunnel tid 2 ptid 2 encap ip local default remote fd00::2"),
    differs("host names", "add tunnel tid 3 ptid 2 encap ip local 127.0.0.1 remote localhost"),
  ),
  group(
    "batches",
    [
      batch(`l2tp add tunnel tid 1 ptid 2 ${IP} # comment\n\n# whole line\nl2tp show tunnel\n`),
      batch(
        `l2tp add tunnel \\\n tid 2 ptid 2 \\\n${IP}\nl2tp add session tid 2 sid 2 psid 2 name "quoted"\n`,
      ),
      batch(
        `l2tp add session tid 2 sid 3 psid 2 name 'single'\nl2tp del session tid 2 sid 3\nl2tp show tunnel`,
      ),
      batch("l2tp show tunnel\nl2tp del tunnel tid 99\nl2tp show session\n", { bad: true }),
      batch("\n\n# nothing\n"),
      batch('l2tp add tunnel "abc\n', { bad: true, differs: "batch errors" }),
      batch("l2tp show tunnel\nl2tp add tunnel bogus\nl2tp show tunnel\n", {
        bad: true,
        differs: "batch errors",
      }),
      {
        ...batch("l2tp del tunnel tid 99\nl2tp show tunnel\nl2tp del tunnel tid 98\n"),
        bad: true,
        line: "-force -batch -",
      },
      {
        ...batch("l2tp add tunnel bogus\nl2tp del tunnel tid 97\n", { bad: true, differs: "batch errors" }),
        line: "-force -b -",
      },
      { ...batch("", { bad: true }), line: "-batch /no/such/file" },
      { ...batch("l2tp show tunnel\nl2tp show session\n"), line: "-j -b -" },
    ],
    good("show tunnel", "show session"),
  ),
];
