/** `src/cli/filters.ts`: every keyword that `show` and `flush` take does filter, tunnels and sessions. */

import { assert, assertStrictEquals } from "@std/assert";
import { KEYWORDS } from "../../src/cli/grammar/grammar.ts";
import { FakeHost } from "../support/fake_host.ts";
import { hexBytes } from "../support/golden.ts";
import { sampleSession, sampleTunnel, sampleTunnel6 } from "../support/samples.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** For each keyword a value that the thing below with id 1 has, and one that it has not. */
const VALUES: Readonly<Record<string, readonly [has: string, hasNot: string]>> = {
  tunnel_id: ["1", "3"],
  peer_tunnel_id: ["11", "3"],
  session_id: ["21", "3"],
  peer_session_id: ["31", "3"],
  encap: ["udp", "ip"],
  local: ["10.0.0.1", "10.0.0.9"],
  remote: ["10.0.0.2", "10.0.0.9"],
  udp_sport: ["5000", "3"],
  udp_dport: ["6000", "3"],
  udp_csum: ["off", "on"],
  udp6_csum_tx: ["off", "on"],
  udp6_csum_rx: ["on", "off"],
  version: ["3", "2"],
  name: ["pw1", "pw9"],
  cookie: ["01020304", "01020305"],
  peer_cookie: ["0506070801020304", "05060708"],
  seq: ["send", "recv"],
  reorder_timeout: ["20", "0"],
  lns_mode: ["on", "off"],
  pw_type: ["eth", "ppp"],
};

/** One tunnel, or its IPv6 twin where the keyword is about UDP over IPv6, with one session. */
function populated(keyword: string): FakeHost {
  const host = new FakeHost();
  const { l2tp } = host.home;
  const tunnel = keyword.startsWith("udp6")
    ? sampleTunnel6({ tunnelId: 1, peerTunnelId: 11, checksumTx: false, checksumRx: true })
    : sampleTunnel({ tunnelId: 1, peerTunnelId: 11 });
  l2tp.tunnels.set(1, tunnel);
  l2tp.sessions = [
    sampleSession({
      ...{ tunnelId: 1, peerTunnelId: 11, sessionId: 21, peerSessionId: 31, interfaceName: "pw1" },
      ...{ cookie: hexBytes("01020304"), peerCookie: hexBytes("0506070801020304") },
      ...{ sendSeq: true, recvSeq: false, reorderTimeoutMs: 20, lnsMode: true },
    }),
  ];
  return host;
}

for (const object of ["tunnel", "session"] as const) {
  Deno.test(`show ${object}, flush ${object}: every keyword that they take picks`, async () => {
    const keywords = KEYWORDS.filter(({ uses, value }) =>
      value !== undefined && uses.includes(`filter ${object}`)
    ).map(({ word }) => word);
    assert(keywords.length >= 11, keywords.join());
    for (const keyword of keywords) {
      const values = VALUES[keyword];
      assert(values !== undefined, `no values for ${keyword}`);
      for (const [i, value] of values.entries()) {
        const filter = `${object} ${keyword} ${value}`;
        const picked = i === 0 ? 1 : 0;
        const host = populated(keyword);
        const { code, out, err } = await host.run(`-json show ${filter}`);
        assertDeepStrictEquals([code, err, JSON.parse(out).length], [0, "", picked], filter);
        assertDeepStrictEquals(await host.run(`flush ${filter}`), { code: 0, out: "", err: "" }, filter);
        const { tunnels, sessions } = host.home.l2tp;
        assertStrictEquals(
          object === "tunnel" ? tunnels.size : sessions.length,
          1 - picked,
          `flush ${filter}`,
        );
      }
    }
  });
}

Deno.test("flush with a keyword that only sessions have deletes no tunnel", async () => {
  const ofSessions = KEYWORDS.filter(({ uses, value }) =>
    value !== undefined && uses.includes("filter session") && !uses.includes("filter tunnel")
  );
  assert(ofSessions.length >= 8);
  for (const { word } of ofSessions) {
    const host = populated(word);
    assertStrictEquals((await host.run(`flush ${word} ${VALUES[word]![0]}`)).code, 0, word);
    assertDeepStrictEquals([host.home.l2tp.tunnels.size, host.home.l2tp.sessions.length], [1, 0], word);
  }
});
