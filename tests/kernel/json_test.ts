/**
 * Every form of `l2tp`'s JSON through the real jq.
 */

import { assertMatch, assertStrictEquals } from "@std/assert";
import type { Namespace } from "../support/namespaces.ts";
import { l2tp, programUnderTest, runProgram } from "../support/processes.ts";
import { clientIn, openHost, requireL2tp, until } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** Applies a jq filter to the text; returns one value per input value. */
async function jq(text: string, filter: string): Promise<unknown[]> {
  const { code, stdout, stderr } = await runProgram(["jq", "-c", filter], { stdin: text });
  assertDeepStrictEquals([code, stderr], [0, ""]);
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

const V4 = { local: "10.0.0.1", peer: "10.0.0.2" };
const V6 = { local: "fd00::1", peer: "fd00::2" };

/** A tunnel of each kind, a session with everything and one with nothing. */
function populate(host: Namespace): void {
  using client = clientIn(host);
  const ports = { localPort: 5000, peerPort: 6000 };
  client.createTunnel({ tunnelId: 1, peerTunnelId: 11, encap: "udp", udpChecksum: true, ...V4, ...ports });
  client.createTunnel({ tunnelId: 2, peerTunnelId: 12, encap: "udp", checksumTx: false, ...V6, ...ports });
  client.createTunnel({ tunnelId: 3, peerTunnelId: 4294967295, encap: "ip", ...V4 });
  client.createSession({
    tunnelId: 1,
    sessionId: 10,
    peerSessionId: 20,
    interfaceName: 'l"2\\',
    cookie: Uint8Array.of(1, 2, 3, 4),
    peerCookie: Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe, 0xba, 0xbe),
    sendSeq: true,
    lnsMode: true,
    reorderTimeoutMs: 1000,
    l2spec: "none",
  });
  client.createSession({ tunnelId: 3, sessionId: 4294967295, peerSessionId: 21, interfaceName: "l2e1" });
  client.createSession({ tunnelId: 2, sessionId: 12, peerSessionId: 22, pseudowire: "ppp" });
}

const KERNEL = { dataplane: "kernel" };
const TUNNELS = [
  {
    ...{ tunnel_id: 1, encap: "UDP", ...V4, peer_tunnel: 11, local_port: 5000, peer_port: 6000 },
    ...{ checksum: true, version: 3, using_ipsec: false, ...KERNEL },
  },
  {
    ...{ tunnel_id: 2, encap: "UDP", ...V6, peer_tunnel: 12, local_port: 5000, peer_port: 6000 },
    ...{ checksum_tx: false, checksum_rx: true, version: 3, using_ipsec: false, ...KERNEL },
  },
  { tunnel_id: 3, encap: "IP", ...V4, peer_tunnel: 4294967295, version: 3, using_ipsec: false, ...KERNEL },
];
const PLAIN = { reorder_timeout: 0, send_seq: false, recv_seq: false };
const SESSIONS = [
  {
    ...{ session_id: 10, tunnel_id: 1, peer_session_id: 20, peer_tunnel_id: 11, interface: 'l"2\\' },
    ...{ cookie: "01020304", peer_cookie: "deadbeefcafebabe", reorder_timeout: 1000, send_seq: true },
    ...{ recv_seq: false, pw_type: "eth", lns_mode: true, using_ipsec: false, ...KERNEL },
  },
  {
    ...{ session_id: 12, tunnel_id: 2, peer_session_id: 22, peer_tunnel_id: 12, ...PLAIN },
    ...{ pw_type: "ppp", lns_mode: false, using_ipsec: false, ...KERNEL },
  },
  {
    ...{ session_id: 4294967295, tunnel_id: 3, peer_session_id: 21, peer_tunnel_id: 4294967295 },
    ...{ interface: "l2e1", ...PLAIN, pw_type: "eth", lns_mode: false, using_ipsec: false, ...KERNEL },
  },
];

const NO_PACKETS = {
  ...{ tx_packets: 0, tx_bytes: 0, tx_errors: 0, rx_packets: 0, rx_bytes: 0, rx_errors: 0 },
  ...{ rx_seq_discards: 0, rx_oos_packets: 0, rx_cookie_discards: 0, rx_invalid: 0 },
};
const DOWN = { up: false, operstate: "down" };
const DETAILS = [
  { l2spec_type: "none", link: { ...DOWN, mtu: 1446 } },
  { l2spec_type: "default", link: null },
  { l2spec_type: "default", link: { ...DOWN, mtu: 1458 } },
];

/** Lines of a batch, each with what jq makes of it. */
const FORMS: readonly (readonly [line: string, filter: string, expected: unknown])[] = [
  ["show tunnel -json", ".", TUNNELS],
  ["show session -json", "sort_by(.tunnel_id)", SESSIONS],
  [
    "show --json",
    ".",
    TUNNELS.map((tunnel, i) => ({ ...tunnel, sessions: [SESSIONS[i]] })),
  ],
  ["show tunnel -json -pretty", ".", TUNNELS],
  ["show tunnel -json -s", ".", TUNNELS.map((tunnel) => ({ ...tunnel, stats: NO_PACKETS }))],
  [
    "show session -json -s",
    "sort_by(.tunnel_id)",
    SESSIONS.map((session) => ({ ...session, stats: NO_PACKETS })),
  ],
  [
    "show session -json -d",
    "sort_by(.tunnel_id) | map(if .link then del(.link.ifindex) else . end)",
    SESSIONS.map((session, i) => ({ ...session, ...DETAILS[i] })),
  ],
  [
    "show -json -p -s -d",
    "map({tunnel_id, stats, sessions: [.sessions[] | [.session_id, .l2spec_type, .stats.rx_invalid]]})",
    TUNNELS.map(({ tunnel_id }, i) => ({
      tunnel_id,
      stats: NO_PACKETS,
      sessions: [[SESSIONS[i]!.session_id, DETAILS[i]!.l2spec_type, 0]],
    })),
  ],
  ["show tunnel tunnel_id 99 -json", ".", []],
  ["show session tunnel_id 99 -json -pretty", ".", []],
  ["show tunnel_id 99 -json", ".", []],
];

Deno.test("l2tp show -json and jq", async (t) => {
  requireL2tp();
  await using host = await openHost("json");
  populate(host);
  // One process for all: what each line prints is a value of its own to jq.
  const stdin = FORMS.map(([line]) => `${line}\n`).join("");
  const { code, stdout, stderr } = await l2tp(["-n", host.name, "-batch", "-"], { stdin });
  assertDeepStrictEquals([code, stderr], [0, ""]);
  const values = await jq(stdout, ".");
  assertStrictEquals(values.length, FORMS.length);
  for (const [i, [line, filter, expected]] of FORMS.entries()) {
    await t.step(line, async () => {
      assertDeepStrictEquals(await jq(JSON.stringify(values[i]), filter), [expected]);
    });
  }
  await t.step("l2tp show --json | jq, as it is typed", async () => {
    const { code, stdout, stderr } = await runProgram([
      "sh",
      "-c",
      'filter=$1; shift; "$@" | jq -r "$filter"',
      "sh",
      '.[].sessions[] | select(.pw_type == "eth") | .interface',
      ...programUnderTest(),
      "-n",
      host.name,
      "show",
      "--json",
    ]);
    assertDeepStrictEquals({ code, stdout, stderr }, { code: 0, stdout: 'l"2\\\nl2e1\n', stderr: "" });
  });
});

Deno.test("l2tp monitor -json and jq", async () => {
  requireL2tp();
  await using host = await openHost("jsonmon");
  using client = clientIn(host);
  const command = [
    ...["sh", "-c", '"$@" | jq --unbuffered -c "[.event, .timestamp != null, .tunnel.tunnel_id]"', "sh"],
    ...[...programUnderTest(), "-j", "-ts", "monitor"],
  ];
  // In a process group of its own, so that one signal ends what the shell has started.
  const child = new Deno.Command("setsid", { args: command, stdin: "null", stdout: "piped" }).spawn();
  let told = "";
  const read = (async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const piece of child.stdout) told += decoder.decode(piece, { stream: true });
  })();
  try {
    client.createTunnel({ tunnelId: 1, peerTunnelId: 11, encap: "ip", ...V4 });
    await until("jq prints what the monitor tells", () => {
      client.announceTunnel(1);
      return told !== "";
    });
    client.deleteTunnel(1);
    await until("jq prints the deletion", () => told.includes('["tunnel_deleted",true,1]\n'));
    assertMatch(told, /^(\["tunnel_modified",true,1\]\n)+\["tunnel_deleted",true,1\]\n$/);
  } finally {
    Deno.kill(-child.pid, "SIGTERM");
    await child.status;
    await read;
  }
});
