/** The table of metrics: stable names and labels, and values from the subsystem. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { prometheusText } from "../../src/driver/metrics/prometheus_text.ts";
import type { Counters } from "../../src/model/counters.ts";
import { OFFLOADS } from "../../src/model/offloads.ts";
import { metricNamed, METRICS } from "../../src/metrics/metrics.ts";
import type { Labels, NamespaceSnapshot, Snapshot } from "../../src/metrics/metric.ts";
import { labelKey, readExposition } from "../support/exposition.ts";
import { sampleSession, sampleTunnel } from "../support/samples.ts";

const COUNTERS: Counters = {
  txPackets: 1n,
  txBytes: 2n,
  txErrors: 3n,
  rxPackets: 4n,
  rxBytes: 2n ** 60n,
  rxSeqDiscards: 6n,
  rxOosPackets: 7n,
  rxErrors: 8n,
  rxCookieDiscards: 9n,
  rxInvalid: 10n,
};

const LINK = { index: 7, name: "pw0", up: true, state: "unknown", mtu: 1400, master: undefined };

function namespace(netns: string, more: Partial<NamespaceSnapshot> = {}): NamespaceSnapshot {
  const tunnel = { ...sampleTunnel(), tunnelId: 1, counters: { ...COUNTERS, rxInvalid: undefined } };
  const session = {
    ...sampleSession(),
    tunnelId: 1,
    sessionId: 10,
    interfaceName: "pw0",
    counters: COUNTERS,
  };
  return { netns, tunnels: [tunnel], sessions: [session], links: [LINK], drops: [], offloads: [], ...more };
}

function snapshot(...namespaces: NamespaceSnapshot[]): Snapshot {
  return { version: "1.2.3", dataplane: "user", daemon: undefined, namespaces };
}

/** Returns the value of a metric's sample with these labels. */
function valueOf(name: string, of: Snapshot, labels: Labels): number | undefined {
  const samples = [...metricNamed(name).samples(of)];
  return samples.find((sample) => labelKey(sample.labels) === labelKey(labels))?.value;
}

async function textOf(of: Snapshot): Promise<string> {
  return (await Array.fromAsync(prometheusText(of))).join("");
}

const ID = { netns: "blue", tunnel_id: 1, session_id: 10 };

Deno.test("names and labels are a public interface: existing ones never change", () => {
  const session = "netns,tunnel_id,session_id";
  const counters = [
    ...["transmit_packets", "transmit_bytes", "transmit_errors", "receive_packets", "receive_bytes"],
    ...["receive_errors", "receive_sequence_discards", "receive_out_of_sequence_packets"],
    ...["receive_cookie_discards", "receive_invalid_packets"],
  ];
  const expected: [name: string, type: string, labels: string][] = [
    ["l2tp_build_info", "gauge", "version,dataplane"],
    ["l2tp_tunnels", "gauge", "netns"],
    ["l2tp_sessions", "gauge", "netns"],
    [
      "l2tp_tunnel_info",
      "gauge",
      "netns,tunnel_id,peer_tunnel_id,version,encap,local,peer,local_port,peer_port",
    ],
    ["l2tp_session_info", "gauge", `${session},peer_session_id,interface,pw_type`],
    ["l2tp_session_up", "gauge", session],
    ["l2tp_session_mtu_bytes", "gauge", session],
    ...counters.flatMap((name): [string, string, string][] => [
      [`l2tp_session_${name}_total`, "counter", session],
      [`l2tp_tunnel_${name}_total`, "counter", "netns,tunnel_id"],
    ]),
    ["l2tp_session_drops_total", "counter", `${session},reason`],
    ["l2tp_tunnel_drops_total", "counter", "netns,tunnel_id,reason"],
    ["l2tp_socket_drops_total", "counter", "netns,local,port,reason"],
    ["l2tp_session_offload", "gauge", `${session},offload`],
    ["process_start_time_seconds", "gauge", ""],
    ["process_resident_memory_bytes", "gauge", ""],
    ["process_open_fds", "gauge", ""],
    ["process_max_fds", "gauge", ""],
  ];
  assertEquals(METRICS.map(({ name, type, labels }) => [name, type, labels.join(",")]), expected);
});

Deno.test("every sample has exactly the labels of its metric, and no two samples the same values", () => {
  const drops = [
    { tunnelId: 1, sessionId: 10, local: undefined, port: undefined, reasons: new Map([["seq_old", 1]]) },
    {
      tunnelId: 1,
      sessionId: undefined,
      local: undefined,
      port: undefined,
      reasons: new Map([["too_short", 2]]),
    },
    {
      tunnelId: undefined,
      sessionId: undefined,
      local: "10.0.0.1",
      port: 1701,
      reasons: new Map([["wrong_peer", 3], ["bad_version", 4]]),
    },
  ];
  const offloads = [{ tunnelId: 1, sessionId: 10, offloads: ["gso", "brand_new"] }];
  const daemon = { startSeconds: 1, residentBytes: 2, openFds: 3, maxFds: 4 };
  const both = [namespace("blue", { drops, offloads }), namespace("", { drops, offloads })];
  const all = { ...snapshot(...both), daemon };
  for (const metric of METRICS) {
    const samples = [...metric.samples(all)];
    assert(samples.length > 0 || metric.name === "l2tp_tunnel_receive_invalid_packets_total", metric.name);
    for (const { labels } of samples) assertEquals(Object.keys(labels), metric.labels, metric.name);
    assertStrictEquals(
      new Set(samples.map(({ labels }) => labelKey(labels))).size,
      samples.length,
      metric.name,
    );
  }
  assertStrictEquals(valueOf("l2tp_session_drops_total", all, { ...ID, reason: "seq_old" }), 1);
  assertStrictEquals(
    valueOf("l2tp_tunnel_drops_total", all, { netns: "", tunnel_id: 1, reason: "too_short" }),
    2,
  );
  const socket = { netns: "blue", local: "10.0.0.1", port: 1701 };
  assertStrictEquals(valueOf("l2tp_socket_drops_total", all, { ...socket, reason: "bad_version" }), 4);
  for (const offload of [...OFFLOADS, "brand_new"]) {
    const on = offload === "gso" || offload === "brand_new" ? 1 : 0;
    assertStrictEquals(valueOf("l2tp_session_offload", all, { ...ID, offload }), on, offload);
  }
  assertEquals([...metricNamed("process_max_fds").samples(all)], [{ labels: {}, value: 4 }]);
});

Deno.test("each counter has its own metric; a counter that the kernel lacks has no sample", () => {
  const of = snapshot(namespace("blue"));
  const expected: [string, number][] = [
    ["transmit_packets", 1],
    ["transmit_bytes", 2],
    ["transmit_errors", 3],
    ["receive_packets", 4],
    ["receive_bytes", 2 ** 60],
    ["receive_sequence_discards", 6],
    ["receive_out_of_sequence_packets", 7],
    ["receive_errors", 8],
    ["receive_cookie_discards", 9],
    ["receive_invalid_packets", 10],
  ];
  for (const [name, value] of expected) {
    assertStrictEquals(valueOf(`l2tp_session_${name}_total`, of, ID), value, name);
    const tunnel = name === "receive_invalid_packets" ? undefined : value;
    assertStrictEquals(
      valueOf(`l2tp_tunnel_${name}_total`, of, { netns: "blue", tunnel_id: 1 }),
      tunnel,
      name,
    );
  }
});

Deno.test("the identifying labels of a session stay the same when its properties change", () => {
  const before = namespace("blue");
  const after = namespace("blue", {
    sessions: before.sessions.map((session) => ({
      ...session,
      sendSeq: !session.sendSeq,
      lnsMode: !session.lnsMode,
      counters: { ...COUNTERS, txBytes: 1_000_000n },
    })),
    links: [{ ...LINK, up: false, mtu: 1280 }],
  });
  for (const metric of METRICS) {
    const keys = [before, after].map((one) =>
      [...metric.samples(snapshot(one))].map(({ labels }) => labelKey(labels))
    );
    assertEquals(keys[1], keys[0], metric.name);
  }
  assertStrictEquals(valueOf("l2tp_session_mtu_bytes", snapshot(after), ID), 1280);
});

Deno.test("a session is up if its interface exists, is up, and has a carrier or an unknown state", () => {
  const table: [link: Partial<typeof LINK> | undefined, up: number][] = [
    [{}, 1],
    [{ state: "up" }, 1],
    [{ state: "down" }, 0],
    [{ state: "lowerlayerdown" }, 0],
    [{ up: false }, 0],
    [{ name: "other" }, 0],
    [undefined, 0],
  ];
  for (const [link, up] of table) {
    const of = snapshot(namespace("blue", { links: link === undefined ? [] : [{ ...LINK, ...link }] }));
    assertStrictEquals(valueOf("l2tp_session_up", of, ID), up, JSON.stringify(link));
  }
  const unknown = snapshot(namespace("blue", { links: undefined }));
  assertStrictEquals(valueOf("l2tp_session_up", unknown, ID), undefined);
});

Deno.test("the text follows the exposition format, with every sample and every character of a label", async () => {
  const odd = 'a"b\\c\nd é';
  const of = snapshot(namespace(odd), namespace(""));
  const read = readExposition(await textOf(of));
  for (const metric of METRICS) {
    const samples = [...metric.samples(of)];
    const found = read.get(metric.name);
    assertStrictEquals(found?.samples.size ?? 0, samples.length, metric.name);
    if (found === undefined) continue;
    assertEquals([found.type, found.help], [metric.type, metric.help]);
    for (const { labels, value } of samples) {
      assertStrictEquals(found.samples.get(labelKey(labels)), value, metric.name);
    }
  }
  assertStrictEquals(read.get("l2tp_tunnels")?.samples.get(labelKey({ netns: odd })), 1);
});

Deno.test("thousands of samples are written in pieces, with one header per metric", async () => {
  const [session] = namespace("").sessions;
  const sessions = Array.from({ length: 2500 }, (_, i) => ({ ...session!, sessionId: i + 1 }));
  const of = snapshot(namespace("", { sessions }));
  const pieces = await Array.fromAsync(prometheusText(of));
  assert(pieces.length > METRICS.length);
  assert(Math.max(...pieces.map((piece) => piece.split("\n").length)) <= 1003);
  const read = readExposition(pieces.join(""));
  assertStrictEquals(read.get("l2tp_session_transmit_bytes_total")?.samples.size, 2500);
});
