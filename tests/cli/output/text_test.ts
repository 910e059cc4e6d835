/**
 * `src/cli/output/text.ts`: the text of `ip l2tp show` byte for byte (samples of iproute2 6.1.0 on Debian 6.1.192, odd empty
 * lines included), and what this program adds to it.
 */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { pseudowireName } from "../../../src/model/pseudowire.ts";
import type { SessionDetails } from "../../../src/cli/output/details.ts";
import {
  sessionText,
  type TextStyle,
  textStyle,
  tunnelText,
  tunnelWithSessionsText,
} from "../../../src/cli/output/text.ts";
import type { Dataplane } from "../../../src/client/subsystem.ts";
import type { Options } from "../../../src/cli/grammar/options.ts";
import type { Session } from "../../../src/model/session.ts";
import type { Tunnel } from "../../../src/model/tunnel.ts";
import { hexBytes } from "../../support/golden.ts";
import {
  COUNTERS,
  sampleIpTunnel,
  sampleSession,
  sampleTunnel,
  sampleTunnel6,
} from "../../support/samples.ts";

/** A style whose surroundings are these. */
function styleOf(
  options: Options,
  terminal = false,
  env: string | undefined = undefined,
  dataplane: Dataplane = "kernel",
): TextStyle {
  return textStyle(options, { ports: { terminal, env: () => env }, l2tp: { dataplane } });
}

const PLAIN = styleOf({});
const ONELINE = styleOf({ oneline: true });
const STATS = styleOf({ statistics: true });
const DETAILS = styleOf({ details: true });

/** The sample of `ip l2tp show tunnel`. */
const TUNNELS: readonly Tunnel[] = [
  sampleTunnel({ tunnelId: 1, peerTunnelId: 2 }),
  sampleIpTunnel({ tunnelId: 2, peerTunnelId: 22, peer: "10.0.0.3" }),
  sampleTunnel6({
    tunnelId: 3,
    peerTunnelId: 33,
    local: "2001:db8::1",
    peer: "2001:db8::2",
    localPort: 5001,
    peerPort: 6001,
    checksumTx: false,
  }),
  sampleIpTunnel({ tunnelId: 4, peerTunnelId: 44, local: "2001:db8::1", peer: "2001:db8::3" }),
];

Deno.test("tunnelText() is the text of ip l2tp show tunnel", () => {
  assertStrictEquals(
    TUNNELS.map((tunnel) => tunnelText(tunnel, PLAIN)).join(""),
    `Tunnel 1, encap UDP
  From 10.0.0.1 to 10.0.0.2
  Peer tunnel 2
  UDP source / dest ports: 5000/6000
  UDP checksum: disabled
Tunnel 2, encap IP
  From 10.0.0.1 to 10.0.0.3
  Peer tunnel 22
Tunnel 3, encap UDP
  From 2001:db8::1 to 2001:db8::2
  Peer tunnel 33
  UDP source / dest ports: 5001/6001
  UDP checksum: rx
Tunnel 4, encap IP
  From 2001:db8::1 to 2001:db8::3
  Peer tunnel 44
`,
  );
});

Deno.test("tunnelText(): the words for checksums", () => {
  const table: [tunnel: Tunnel, word: string][] = [
    [sampleTunnel({ udpChecksum: true }), "enabled"],
    [sampleTunnel({ udpChecksum: false }), "disabled"],
    [sampleTunnel6(), "enabled"],
    [sampleTunnel6({ checksumRx: false }), "tx"],
    [sampleTunnel6({ checksumTx: false }), "rx"],
    [sampleTunnel6({ checksumTx: false, checksumRx: false }), "disabled"],
  ];
  for (const [tunnel, word] of table) {
    assertStrictEquals(tunnelText(tunnel, PLAIN).split("\n").at(-2), `  UDP checksum: ${word}`);
  }
});

Deno.test("tunnelText(): an encapsulation without a name, and ports that are not there", () => {
  assertStrictEquals(
    tunnelText(sampleTunnel({ encap: undefined }), PLAIN),
    "Tunnel 3000, encap ??\n  From 10.0.0.1 to 10.0.0.2\n  Peer tunnel 4000\n",
  );
  const unconnected = sampleTunnel({ localPort: undefined, peerPort: undefined });
  assertMatch(tunnelText(unconnected, PLAIN), /\n {2}UDP source \/ dest ports: 0\/0\n/);
});

/** The sample of `ip l2tp show session`. */
const SESSIONS: readonly Session[] = [
  sampleSession({
    tunnelId: 1,
    sessionId: 10,
    peerSessionId: 20,
    peerTunnelId: 2,
    interfaceName: "l2tpeth0",
  }),
  sampleSession({
    tunnelId: 1,
    sessionId: 11,
    peerSessionId: 21,
    peerTunnelId: 2,
    interfaceName: "foo0",
    cookie: hexBytes("0123456789abcdef"),
    peerCookie: hexBytes("deadbeef"),
    sendSeq: true,
    recvSeq: true,
  }),
  sampleSession({
    tunnelId: 5,
    sessionId: 15,
    peerSessionId: 25,
    peerTunnelId: 55,
    interfaceName: "l2tpeth4",
    cookie: hexBytes("01020304"),
    peerCookie: hexBytes("0102030405060708"),
    reorderTimeoutMs: 1500,
    sendSeq: true,
    recvSeq: true,
  }),
];

Deno.test("sessionText() is the text of ip l2tp show session", () => {
  assertStrictEquals(
    SESSIONS.map((session) => sessionText(session, undefined, PLAIN)).join(""),
    `Session 10 in tunnel 1
  Peer session 20, tunnel 2
  interface name: l2tpeth0
  offset 0, peer offset 0

Session 11 in tunnel 1
  Peer session 21, tunnel 2
  interface name: foo0
  offset 0, peer offset 0
  cookie 0123456789abcdef  peer cookie deadbeef
  sequence numbering: send recv
Session 15 in tunnel 5
  Peer session 25, tunnel 55
  interface name: l2tpeth4
  offset 0, peer offset 0
  cookie 01020304  peer cookie 0102030405060708  reorder timeout: 1500
  sequence numbering: send recv
`,
  );
});

Deno.test("sessionText(): each optional part alone, with the empty lines that ip has", () => {
  const head = "Session 1000 in tunnel 3000\n  Peer session 2000, tunnel 4000\n";
  const offsets = "  offset 0, peer offset 0\n";
  const named = `${head}  interface name: l2e0\n${offsets}`;
  const table: [changes: Partial<Session>, expected: string][] = [
    [{}, `${named}\n`],
    [{ interfaceName: undefined }, `${head}${offsets}\n`],
    [{ sendSeq: true }, `${named}\n  sequence numbering: send\n`],
    [{ recvSeq: true }, `${named}\n  sequence numbering: recv\n`],
    [{ cookie: hexBytes("0a0b0c0d") }, `${named}  cookie 0a0b0c0d\n`],
    [{ peerCookie: hexBytes("0a0b0c0d") }, `${named}  peer cookie 0a0b0c0d\n`],
    [{ reorderTimeoutMs: 20 }, `${named}  reorder timeout: 20\n`],
    [
      { cookie: hexBytes("0a0b0c0d"), peerCookie: hexBytes("11121314"), sendSeq: true },
      `${named}  cookie 0a0b0c0d  peer cookie 11121314\n  sequence numbering: send\n`,
    ],
    // These are never printed.
    [{ lnsMode: true, usingIpsec: true, counters: COUNTERS, pseudowireType: 11 }, `${named}\n`],
  ];
  for (const [changes, expected] of table) {
    assertStrictEquals(
      sessionText(sampleSession(changes), undefined, PLAIN),
      expected,
      JSON.stringify(Object.keys(changes)),
    );
  }
});

Deno.test("-oneline: one line for each tunnel and session, parts joined with a backslash", () => {
  assertStrictEquals(
    tunnelText(TUNNELS[0]!, ONELINE),
    "Tunnel 1, encap UDP\\  From 10.0.0.1 to 10.0.0.2\\  Peer tunnel 2\\" +
      "  UDP source / dest ports: 5000/6000\\  UDP checksum: disabled\n",
  );
  // ip leaves the newline out here, so that the next tunnel follows on the same line.
  assertStrictEquals(
    tunnelText(TUNNELS[1]!, ONELINE),
    "Tunnel 2, encap IP\\  From 10.0.0.1 to 10.0.0.3\\  Peer tunnel 22\n",
  );
  assertStrictEquals(
    sessionText(SESSIONS[1]!, undefined, ONELINE),
    "Session 11 in tunnel 1\\  Peer session 21, tunnel 2\\  interface name: foo0\\  offset 0, peer offset 0\\" +
      "  cookie 0123456789abcdef  peer cookie deadbeef\\  sequence numbering: send recv\n",
  );
  assertStrictEquals(
    sessionText(SESSIONS[0]!, undefined, ONELINE),
    "Session 10 in tunnel 1\\  Peer session 20, tunnel 2\\  interface name: l2tpeth0\\  offset 0, peer offset 0\n",
  );
});

Deno.test("textStyle(): colour always, never, or on a terminal; brighter where the background is dark", () => {
  const cyan = ["\x1b[36m", "\x1b[0m"];
  const bold = ["\x1b[1;36m", "\x1b[0m"];
  const none = ["", ""];
  const table: [
    color: "always" | "auto" | "never" | undefined,
    terminal: boolean,
    env: string | undefined,
    string[],
  ][] = [
    [undefined, true, undefined, none],
    ["never", true, undefined, none],
    ["always", false, undefined, cyan],
    ["auto", false, undefined, none],
    ["auto", true, undefined, cyan],
    ["always", false, "15;0", bold],
    ["always", false, "0;15", cyan],
    ["always", false, "15;default;6", bold],
    ["always", false, "0;7", cyan],
    ["always", false, "0;8", bold],
    ["always", false, "0;10", cyan],
    ["always", false, "0", cyan],
    ["always", false, "", cyan],
  ];
  for (const [color, terminal, env, expected] of table) {
    const style = styleOf(color === undefined ? {} : { color }, terminal, env);
    assertEquals([...style.color], expected, `${color} ${terminal} ${env}`);
  }
});

Deno.test("colour is on the line with the interface's name, its two spaces included, and nowhere else", () => {
  const style: TextStyle = styleOf({ color: "always" });
  const lines = sessionText(SESSIONS[1]!, undefined, style).split("\n");
  assertStrictEquals(lines[2], "\x1b[36m  interface name: foo0\x1b[0m");
  assertStrictEquals(lines.filter((line) => line.includes("\x1b")).length, 1);
  assertStrictEquals(tunnelText(TUNNELS[0]!, style), tunnelText(TUNNELS[0]!, PLAIN));
});

const COUNTER_TEXT = `  TX: packets 1  bytes 2  errors 3
  RX: packets 4  bytes 5  errors 6  seq_discards 7  oos_packets 8  cookie_discards 9  invalid 10
`;

Deno.test("-statistics adds counters, those that the kernel tells, exact beyond 2^53", () => {
  const tunnel = sampleTunnel({ counters: COUNTERS });
  assertStrictEquals(tunnelText(tunnel, STATS), tunnelText(tunnel, PLAIN) + COUNTER_TEXT);
  const session = sampleSession({ counters: COUNTERS });
  // No empty line in front of the counters.
  assertStrictEquals(
    sessionText(session, undefined, STATS),
    sessionText(session, undefined, PLAIN).slice(0, -1) + COUNTER_TEXT,
  );
  const big = {
    ...COUNTERS,
    txBytes: 18446744073709551615n,
    rxCookieDiscards: undefined,
    rxInvalid: undefined,
  };
  const lines = tunnelText(sampleTunnel({ counters: big }), STATS).split("\n");
  assertStrictEquals(lines.at(-3), "  TX: packets 1  bytes 18446744073709551615  errors 3");
  assertStrictEquals(lines.at(-2), "  RX: packets 4  bytes 5  errors 6  seq_discards 7  oos_packets 8");
});

const LINK = { index: 7, name: "l2e0", up: true, state: "unknown", mtu: 1446, master: 3 };

Deno.test("-details adds what ip never shows", () => {
  const tunnel = sampleTunnel({ version: 2, usingIpsec: true });
  assertStrictEquals(
    tunnelText(tunnel, DETAILS),
    tunnelText(tunnel, PLAIN) + "  version 2  ipsec on\n  dataplane kernel\n",
  );
  const session = sampleSession({ sendSeq: true, lnsMode: true });
  const head = sessionText(session, undefined, PLAIN).replace("\n\n", "\n");
  const table: [details: SessionDetails | undefined, expected: string][] = [
    [
      { link: LINK, master: "br0", l2spec: "default" },
      "  pseudowire eth  l2spec default  lns_mode on  ipsec off\n  interface up  state unknown  mtu 1446  master br0\n",
    ],
    [
      { link: { ...LINK, up: false, master: undefined }, master: undefined, l2spec: "none" },
      "  pseudowire eth  l2spec none  lns_mode on  ipsec off\n  interface down  state unknown  mtu 1446\n",
    ],
    [
      { link: undefined, master: undefined, l2spec: undefined },
      "  pseudowire eth  l2spec unknown  lns_mode on  ipsec off\n  interface renamed or in another namespace\n",
    ],
  ];
  for (const [details, expected] of table) {
    assertStrictEquals(sessionText(session, details, DETAILS), `${head}${expected}  dataplane kernel\n`);
  }
  const ppp = sampleSession({ pseudowireType: 7, interfaceName: undefined });
  const nothing = { link: undefined, master: undefined, l2spec: undefined };
  assertMatch(
    sessionText(ppp, nothing, DETAILS),
    /\n {2}pseudowire ppp {2}l2spec unknown {2}lns_mode off {2}ipsec off\n {2}dataplane kernel\n$/,
  );
  const user = styleOf({ details: true }, false, undefined, "user");
  assertMatch(tunnelText(tunnel, user), /\n {2}dataplane user\n$/);
  assertMatch(sessionText(ppp, nothing, user), /\n {2}dataplane user\n$/);
});

Deno.test("dropped packets: a line with the reasons that there were", () => {
  const drops = new Map([["cookie_mismatch", 3], ["malformed", 0], ["unknown_session", 12]]);
  const line = "cookie_mismatch 3  unknown_session 12\n";
  const none = new Map([["malformed", 0]]);
  const session = sampleSession();
  assert(sessionText(session, undefined, STATS, drops).endsWith(`\n  dropped: ${line}`));
  assertStrictEquals(sessionText(session, undefined, STATS, none), sessionText(session, undefined, STATS));
  const tunnel = sampleTunnel();
  assert(
    tunnelText(tunnel, STATS, { own: drops, socket: drops }).endsWith(
      `\n  dropped: ${line}  dropped at socket: ${line}`,
    ),
  );
  assertStrictEquals(tunnelText(tunnel, STATS, { own: none, socket: none }), tunnelText(tunnel, STATS));
  assertMatch(
    tunnelWithSessionsText(tunnel, [[session, undefined, drops]], STATS),
    /\n {4}dropped: cookie_mismatch 3/,
  );
});

Deno.test("pseudowireName(): the kernel's types, and the number of any other", () => {
  const table: [number, string][] = [[0, "none"], [4, "eth_vlan"], [5, "eth"], [7, "ppp"], [8, "ppp_ac"], [
    11,
    "ip",
  ], [
    6,
    "6",
  ], [65535, "65535"]];
  for (const [type, name] of table) assertStrictEquals(pseudowireName(type), name);
});

Deno.test("tunnelWithSessionsText(): sessions beneath their tunnel, without the lines that only scripts need", () => {
  const sessions = SESSIONS.slice(0, 2).map((session) => [session, undefined] as const);
  assertStrictEquals(
    tunnelWithSessionsText(TUNNELS[0]!, sessions, PLAIN),
    `Tunnel 1, encap UDP
  From 10.0.0.1 to 10.0.0.2
  Peer tunnel 2
  UDP source / dest ports: 5000/6000
  UDP checksum: disabled
  Session 10 in tunnel 1
    Peer session 20, tunnel 2
    interface name: l2tpeth0
  Session 11 in tunnel 1
    Peer session 21, tunnel 2
    interface name: foo0
    cookie 0123456789abcdef  peer cookie deadbeef
    sequence numbering: send recv
`,
  );
  assertStrictEquals(tunnelWithSessionsText(TUNNELS[1]!, [], PLAIN), tunnelText(TUNNELS[1]!, PLAIN));
  assertStrictEquals(tunnelWithSessionsText(TUNNELS[0]!, sessions, ONELINE).split("\n").length, 2);
});
