/**
 * `src/cli/output/json.ts`: the members of `ip -j l2tp show` in their order, what this program adds behind them, and the
 * layout of `-pretty`.
 */

import { assert, assertMatch, assertStrictEquals } from "@std/assert";
import type { SessionDetails } from "../../../src/cli/output/details.ts";
import { formatJson, sessionJson, tunnelJson } from "../../../src/cli/output/json.ts";
import { type TextStyle, textStyle } from "../../../src/cli/output/text.ts";
import type { Dataplane } from "../../../src/client/subsystem.ts";
import type { Options } from "../../../src/cli/grammar/options.ts";
import type { Session } from "../../../src/model/session.ts";
import type { Tunnel } from "../../../src/model/tunnel.ts";
import { goldenText, hexBytes } from "../../support/golden.ts";
import {
  COUNTERS,
  sampleIpTunnel,
  sampleSession,
  sampleTunnel,
  sampleTunnel6,
} from "../../support/samples.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

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
const STATS = styleOf({ statistics: true });
const DETAILS = styleOf({ details: true });

Deno.test("tunnelJson(): the members of ip -j l2tp show tunnel, then version and IPsec", () => {
  const table: [tunnel: Tunnel, ip: string][] = [
    [
      sampleTunnel({ tunnelId: 1, peerTunnelId: 2 }),
      '{"tunnel_id":1,"encap":"UDP","local":"10.0.0.1","peer":"10.0.0.2","peer_tunnel":2,"local_port":5000,' +
      '"peer_port":6000,"checksum":false',
    ],
    [
      sampleIpTunnel({ tunnelId: 2, peerTunnelId: 22, peer: "10.0.0.3" }),
      '{"tunnel_id":2,"encap":"IP","local":"10.0.0.1","peer":"10.0.0.3","peer_tunnel":22',
    ],
    [
      sampleTunnel6({ tunnelId: 3, peerTunnelId: 33, checksumTx: false }),
      '{"tunnel_id":3,"encap":"UDP","local":"fd00::1","peer":"fd00::2","peer_tunnel":33,"local_port":5000,' +
      '"peer_port":6000,"checksum_tx":false,"checksum_rx":true',
    ],
  ];
  for (const [tunnel, ip] of table) {
    assertStrictEquals(
      JSON.stringify(tunnelJson(tunnel, PLAIN)),
      `${ip},"version":3,"using_ipsec":false,"dataplane":"kernel"}`,
    );
  }
});

Deno.test("tunnelJson(): what is unknown or not there", () => {
  const odd = tunnelJson(
    sampleTunnel({ encap: undefined, udpChecksum: undefined, version: 9, usingIpsec: true }),
    PLAIN,
  );
  assertStrictEquals(
    JSON.stringify(odd),
    '{"tunnel_id":3000,"encap":"??","local":"10.0.0.1","peer":"10.0.0.2","peer_tunnel":4000,"version":9,' +
      '"using_ipsec":true,"dataplane":"kernel"}',
  );
  const unconnected = tunnelJson(sampleTunnel({ localPort: undefined, peerPort: undefined }), PLAIN);
  assertDeepStrictEquals([unconnected.local_port, unconnected.peer_port], [0, 0]);
});

const FULL: Session = sampleSession({
  sessionId: 10,
  tunnelId: 1,
  peerSessionId: 20,
  peerTunnelId: 2,
  interfaceName: "v4",
  cookie: hexBytes("01020304"),
  peerCookie: hexBytes("0506070801020304"),
  sendSeq: true,
  recvSeq: true,
});

Deno.test("sessionJson(): the members of ip -j l2tp show session, but flags are booleans and always there", () => {
  assertStrictEquals(
    JSON.stringify(sessionJson(FULL, undefined, PLAIN)),
    '{"session_id":10,"tunnel_id":1,"peer_session_id":20,"peer_tunnel_id":2,"interface":"v4","cookie":"01020304",' +
      '"peer_cookie":"0506070801020304","reorder_timeout":0,"send_seq":true,"recv_seq":true,"pw_type":"eth",' +
      '"lns_mode":false,"using_ipsec":false,"dataplane":"kernel"}',
  );
  const ppp = sampleSession({
    pseudowireType: 7,
    interfaceName: undefined,
    lnsMode: true,
    reorderTimeoutMs: 9,
  });
  assertStrictEquals(
    JSON.stringify(sessionJson(ppp, undefined, PLAIN)),
    '{"session_id":1000,"tunnel_id":3000,"peer_session_id":2000,"peer_tunnel_id":4000,"reorder_timeout":9,' +
      '"send_seq":false,"recv_seq":false,"pw_type":"ppp","lns_mode":true,"using_ipsec":false,"dataplane":"kernel"}',
  );
});

Deno.test("sessionJson() -details: the interface as it is now, null if it is not here, and the sublayer", () => {
  const link = { index: 7, name: "v4", up: true, state: "up", mtu: 1400, master: 3 };
  const tail = (details: SessionDetails | undefined): string =>
    JSON.stringify(sessionJson(FULL, details, DETAILS)).replace(/^.*"dataplane":"kernel",?/, "");
  assertStrictEquals(
    tail({ link, master: "br0", l2spec: "none" }),
    '"l2spec_type":"none","link":{"ifindex":7,"up":true,"operstate":"up","mtu":1400,"master":"br0"}}',
  );
  assertStrictEquals(
    tail({ link: { ...link, up: false, state: "down" }, master: undefined, l2spec: undefined }),
    '"link":{"ifindex":7,"up":false,"operstate":"down","mtu":1400}}',
  );
  assertStrictEquals(
    tail({ link: undefined, master: undefined, l2spec: "default" }),
    '"l2spec_type":"default","link":null}',
  );
  assertStrictEquals(tail(undefined), '"link":null}');
});

Deno.test("-statistics: all counters, exact beyond 2^53, and without those that the kernel does not tell", () => {
  const expected =
    '"stats":{"tx_packets":1,"tx_bytes":2,"tx_errors":3,"rx_packets":4,"rx_bytes":5,"rx_errors":6,' +
    '"rx_seq_discards":7,"rx_oos_packets":8,"rx_cookie_discards":9,"rx_invalid":10}}';
  assert(JSON.stringify(tunnelJson(sampleTunnel({ counters: COUNTERS }), STATS)).endsWith(`,${expected}`));
  assert(
    JSON.stringify(sessionJson(sampleSession({ counters: COUNTERS }), undefined, STATS)).endsWith(
      `,${expected}`,
    ),
  );
  const table: [value: bigint, text: string][] = [
    [0n, "0"],
    [9007199254740991n, "9007199254740991"],
    [9007199254740992n, "9007199254740992"],
    [9007199254740993n, "9007199254740993"],
    [18446744073709551615n, "18446744073709551615"],
  ];
  for (const [value, text] of table) {
    const counters = { ...COUNTERS, rxBytes: value, rxCookieDiscards: undefined, rxInvalid: undefined };
    const row = tunnelJson(sampleTunnel({ counters }), STATS);
    for (const pretty of [false, true]) {
      const written = formatJson([row], pretty);
      assertMatch(written, new RegExp(`"rx_bytes": ?${text},`), text);
      assert(!written.includes("rx_invalid"));
      // Whatever the number, it is JSON.
      assertStrictEquals(JSON.parse(written)[0].stats.tx_packets, 1);
    }
  }
});

Deno.test("formatJson() -pretty lays out as ip -j -p does", () => {
  const [header, ...rest] = goldenText("ip/pretty_json.txt").split("\n");
  assertMatch(header!, /^# iproute2/);
  const golden = rest.join("\n");
  assertStrictEquals(formatJson(JSON.parse(golden), true) + "\n", golden);
});

Deno.test("formatJson() -pretty: no rows, one, several, and sessions within tunnels", () => {
  assertStrictEquals(formatJson([], true), "[ ]");
  assertStrictEquals(formatJson([{ a: 1 }], true), '[ {\n        "a": 1\n    } ]');
  assertStrictEquals(
    formatJson([{ a: 1, b: "x" }, { a: null }], true),
    '[ {\n        "a": 1,\n        "b": "x"\n    },{\n        "a": null\n    } ]',
  );
  assertStrictEquals(
    formatJson([{ a: [{ b: 1 }], c: [] }], true),
    '[ {\n        "a": [ {\n                "b": 1\n            } ],\n        "c": [ ]\n    } ]',
  );
  assertStrictEquals(formatJson({ a: { b: true } }, true), '{\n    "a": {\n        "b": true\n    }\n}');
});

Deno.test("formatJson() without -pretty is one line, and escapes what JSON escapes", () => {
  assertStrictEquals(formatJson([], false), "[]");
  assertStrictEquals(formatJson([{ name: 'a"b\\\u0001é' }], false), '[{"name":"a\\"b\\\\\\u0001é"}]');
  assertStrictEquals(formatJson({ 'odd"key': "\n" }, true), '{\n    "odd\\"key": "\\n"\n}');
});
