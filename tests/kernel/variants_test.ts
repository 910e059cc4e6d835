/**
 * The eight ways to build a session that the reference captures were made with, each built with `l2tp` at both ends
 * of a cable: the kernel's own tables as captured, the MTU as captured, and packets through it.
 */

import { assert, assertEquals, assertMatch, assertStrictEquals, fail } from "@std/assert";
import { type Namespace, Pair } from "../support/namespaces.ts";
import { l2tp, runProgram } from "../support/processes.ts";
import { clientIn, debugfsOf, deleteTunnels, linksIn, requireL2tp, sysctl } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** One end: what is typed behind what both ends of all variants have, and what the kernel's tables then say. */
interface End {
  readonly tunnel: string;
  readonly session: string;
  /** debugfs, counters and reference counts aside; `…` is a sequence number above 0. */
  readonly debugfs: string;
}

interface Variant {
  readonly name: string;
  /** Of the interface at a and at b: what cookies and sublayer leave of the cable's 1500. */
  readonly mtu: { readonly a: number; readonly b: number };
  readonly pings: boolean;
  readonly a: End;
  readonly b: End;
}

/** Ids as everywhere in the captures: a has tunnel 3000 and session 1000, b has 4000 and 2000. */
const IDS = {
  a: {
    tunnel: "tunnel_id 3000 peer_tunnel_id 4000",
    session: "tunnel_id 3000 session_id 1000 peer_session_id 2000",
  },
  b: {
    tunnel: "tunnel_id 4000 peer_tunnel_id 3000",
    session: "tunnel_id 4000 session_id 2000 peer_session_id 1000",
  },
} as const;

const V4 = {
  a: { typed: "local 10.0.0.1 remote 10.0.0.2", shown: "from 10.0.0.1 to 10.0.0.2" },
  b: { typed: "local 10.0.0.2 remote 10.0.0.1", shown: "from 10.0.0.2 to 10.0.0.1" },
};
const V6 = {
  a: { typed: "local fd00::1 remote fd00::2", shown: "from fd00::1 to fd00::2" },
  b: { typed: "local fd00::2 remote fd00::1", shown: "from fd00::2 to fd00::1" },
};
const PORTS = {
  a: { typed: "udp_sport 5000 udp_dport 6000", shown: " source port 5000, dest port 6000\n" },
  b: { typed: "udp_sport 6000 udp_dport 5000", shown: " source port 6000, dest port 5000\n" },
};
const PORTS_1701 = {
  a: { typed: "udp_sport 1701 udp_dport 1701", shown: " source port 1701, dest port 1701\n" },
  b: { typed: "udp_sport 1701 udp_dport 1701", shown: " source port 1701, dest port 1701\n" },
};
const LONG_COOKIES = {
  a: { cookie: "deadbeefcafebabe", peer: "01020304" },
  b: { cookie: "01020304", peer: "deadbeefcafebabe" },
};
const SHORT_COOKIES = {
  a: { cookie: "0a0b0c0d", peer: "11121314" },
  b: { cookie: "11121314", peer: "0a0b0c0d" },
};

/** Parameters of one side of a variant. */
interface Parts {
  readonly addresses: typeof V4;
  readonly ports?: typeof PORTS;
  /** Further words of the tunnel. */
  readonly tunnel?: string;
  /** Further words of the session, for a and for b. */
  readonly session?: readonly [a: string, b: string];
  readonly cookies?: typeof LONG_COOKIES;
  /** "R/S": whether the kernel shows that sequence numbers are required and sent; for a and for b. */
  readonly flags?: readonly [a: string, b: string];
  /** Type and length of the L2-specific sublayer. */
  readonly l2specific?: string;
  /** Reports whether sequence numbers have increased. */
  readonly counted?: boolean;
}

function end(side: "a" | "b", parts: Parts): End {
  const { addresses, ports, cookies } = parts;
  const at = side === "a" ? 0 : 1;
  const encap = ports === undefined ? "ip" : "udp";
  const typedCookies = cookies === undefined
    ? ""
    : ` cookie ${cookies[side].cookie} peer_cookie ${cookies[side].peer}`;
  const [tunnelId, peerTunnelId, sessionId, peerSessionId] = side === "a"
    ? [3000, 4000, 1000, 2000]
    : [4000, 3000, 2000, 1000];
  const flags = parts.flags?.[at] ?? "-/-";
  const numbers = parts.counted ? "…/…" : "0/0";
  const shownNumbers = flags === "-/-" ? "" : `   nr ${numbers.replace("/", ", ns ")}\n`;
  const shownCookies = cookies === undefined
    ? ""
    : `   cookie ${cookies[side].cookie}\n   peer cookie ${cookies[side].peer}\n`;
  return {
    tunnel: `${IDS[side].tunnel} encap ${encap} ${addresses[side].typed} ${ports?.[side].typed ?? ""} ${
      parts.tunnel ?? ""
    }`,
    session: `${IDS[side].session}${typedCookies} ${parts.session?.[at] ?? ""}`,
    debugfs: `
TUNNEL ${tunnelId} peer ${peerTunnelId} ${addresses[side].shown}
${ports?.[side].shown ?? ""} L2TPv3, ${encap.toUpperCase()}
 1 sessions
  SESSION ${sessionId}, peer ${peerSessionId}, ETH
${shownNumbers}   config 0/0/${flags}/-/LAC 00000000 0
   offset 0 l2specific ${parts.l2specific ?? "1/4"}
${shownCookies}   ${numbers}
   interface l2e0
`,
  };
}

function variant(name: string, [a, b]: readonly [a: number, b: number], parts: Parts, pings = true): Variant {
  return { name, mtu: { a, b }, pings, a: end("a", parts), b: end("b", parts) };
}

const BOTH: Parts["flags"] = ["R/S", "R/S"];

/** In the order and with the names of the captures. */
const VARIANTS: readonly Variant[] = [
  variant("1: IP over IPv4, defaults", [1458, 1458], { addresses: V4 }),
  variant(
    "2: UDP over IPv4, cookies, sequence numbers both ways, no sublayer",
    [1442, 1446],
    {
      addresses: V4,
      ports: PORTS,
      cookies: LONG_COOKIES,
      session: ["seq both l2spec_type none", "seq both l2spec_type none"],
      flags: BOTH,
      l2specific: "0/0",
    },
    false,
  ),
  variant("3: UDP over IPv4, cookies, no sublayer", [1442, 1446], {
    addresses: V4,
    ports: PORTS,
    cookies: LONG_COOKIES,
    session: ["l2spec_type none", "l2spec_type none"],
    l2specific: "0/0",
  }),
  variant("4: UDP over IPv4, sequence numbers both ways, checksums", [1446, 1446], {
    addresses: V4,
    ports: PORTS,
    tunnel: "udp_csum on",
    session: ["seq both", "seq both"],
    flags: BOTH,
    counted: true,
  }),
  variant("5: UDP over IPv4, sequence numbers one way, short cookies", [1442, 1442], {
    addresses: V4,
    ports: PORTS_1701,
    tunnel: "udp_csum off",
    cookies: SHORT_COOKIES,
    session: ["seq send", "seq recv"],
    // b is configured to require them only: as a LAC it also sends them once it receives one.
    flags: ["-/S", "R/S"],
    counted: true,
  }),
  variant("6: UDP over IPv6", [1426, 1426], {
    addresses: V6,
    ports: PORTS,
    session: ["seq both", "seq both"],
    flags: BOTH,
    counted: true,
  }),
  variant("7: UDP over IPv6, no checksums", [1426, 1426], {
    addresses: V6,
    ports: PORTS,
    tunnel: "udp6_csum_tx off udp6_csum_rx off",
  }),
  variant("8: IP over IPv6", [1438, 1438], { addresses: V6 }),
];

async function build(namespace: Namespace, { tunnel, session }: End, address: string): Promise<void> {
  const ended = await l2tp(["-n", namespace.name, "-batch", "-"], {
    stdin: `add tunnel ${tunnel}\nadd session name l2e0 ${session} addr ${address} up\n`,
  });
  assertDeepStrictEquals(ended, { code: 0, stdout: "", stderr: "" });
}

/** debugfs without what differs from run to run: reference counts, packets, and how far sequence numbers are. */
function lasting(debugfs: string): string {
  return debugfs
    .replaceAll(/^ {3}refcnt \d+\n/gm, "")
    .replaceAll(/, refcnt \d+\/\d+/g, "")
    .replaceAll(/^ 00000000 rx \d+\/\d+\/\d+ rx \d+\/\d+\/\d+\n/gm, "")
    .replaceAll(/ tx \d+\/\d+\/\d+ rx \d+\/\d+\/\d+$/gm, "")
    .replaceAll(/^ {3}nr [1-9]\d*, ns [1-9]\d*$/gm, "   nr …, ns …")
    .replaceAll(/^ {3}[1-9]\d*\/[1-9]\d*$/gm, "   …/…");
}

/** `patience`: arguments of ping for its time limit. */
async function ping(
  from: Namespace,
  to: string,
  ...patience: readonly string[]
): Promise<{ code: number; received: number }> {
  const command = ["ip", "netns", "exec", from.name, "ping", "-c", "3", "-i", "0.2", ...patience, to];
  const { code, stdout, stderr } = await runProgram(command);
  const [, sent, received] = /^(\d+) packets transmitted, (\d+) received/m.exec(stdout) ??
    fail(`${stdout}${stderr}`);
  assert(Number(sent) >= 3);
  return { code, received: Number(received) };
}

async function checkPackets({ a, b }: Pair): Promise<void> {
  assertDeepStrictEquals(await ping(a, "192.168.7.2", "-w", "10"), { code: 0, received: 3 });
  for (const namespace of [a, b]) {
    using client = clientIn(namespace);
    for (const { counters } of [client.tunnels()[0]!, client.sessions()[0]!]) {
      assert(counters.txPackets >= 3n && counters.rxPackets >= 3n, "packets were counted");
      const { txErrors, rxErrors, rxCookieDiscards, rxSeqDiscards } = counters;
      assertEquals([txErrors, rxErrors, rxCookieDiscards, rxSeqDiscards], [0n, 0n, 0n, 0n]);
    }
  }
}

/**
 * Without a sublayer there is no place for sequence numbers, so packets that must have one are dropped: all of them,
 * in both directions.
 */
async function checkLoss({ a, b }: Pair): Promise<void> {
  const both = await Promise.all([
    ping(a, "192.168.7.2", "-W", "1"),
    ping(b, "192.168.7.1", "-W", "1"),
  ]);
  assertDeepStrictEquals(both, [{ code: 1, received: 0 }, { code: 1, received: 0 }]);
  for (const namespace of [a, b]) {
    using client = clientIn(namespace);
    const { counters } = client.sessions()[0]!;
    assert(counters.txPackets > 0n, "packets were sent");
    assertStrictEquals(counters.rxPackets, 0n);
    assert(counters.rxSeqDiscards > 0n, "they came and were dropped for their missing sequence number");
    assertStrictEquals(counters.rxErrors, counters.rxSeqDiscards);
    assertStrictEquals(counters.rxCookieDiscards, 0n);
    const dropped = new RegExp(`^ {3}0/0 tx \\d+/\\d+/0 rx 0/0/${counters.rxErrors}$`, "m");
    assertMatch(debugfsOf(namespace), dropped);
  }
}

Deno.test("the eight variants of the captures", async (t) => {
  requireL2tp();
  await using pair = await Pair.create();
  const sides = [["a", pair.a, "192.168.7.1/24"], ["b", pair.b, "192.168.7.2/24"]] as const;
  // IPv6 on the tunnel's interfaces would announce itself when it likes. In variant 5 a packet of b's that comes
  // before one of a's has no sequence number yet and makes a stop sending them.
  for (const [, namespace] of sides) sysctl(namespace, "net/ipv6/conf/default/disable_ipv6", "1");
  let pinged = 0;
  for (const variant of VARIANTS) {
    await t.step(variant.name, async () => {
      await Promise.all(sides.map(([side, namespace, address]) => build(namespace, variant[side], address)));
      if (variant.pings) await checkPackets(pair);
      else await checkLoss(pair);
      for (const [side, namespace] of sides) {
        assertStrictEquals(lasting(debugfsOf(namespace)), variant[side].debugfs);
        using links = linksIn(namespace);
        assertStrictEquals(links.link("l2e0")?.mtu, variant.mtu[side]);
      }
      if (variant.pings) pinged++;
    });
    await Promise.all(sides.map(([, namespace]) => deleteTunnels(namespace)));
  }
  console.log(`variants: ${pinged} of ${VARIANTS.length} ping (variant 2 must not)`);
});
