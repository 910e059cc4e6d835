/** `metrics`: the numbers of `show -s`, of either subsystem, labelled with the namespace. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { FakeHost } from "../../support/fake_host.ts";
import { labelKey, readExposition } from "../../support/exposition.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const TUNNEL = "add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2";
const SESSION = "add session tunnel_id 1 session_id 10 peer_session_id 20 name pw0";

Deno.test("metrics: counters of both subsystems are those of show -s", async () => {
  for (const dataplane of ["kernel", "user"]) {
    const host = new FakeHost();
    host.daemon = "running";
    await host.prepare(`-dataplane ${dataplane} ${TUNNEL}`, `-dataplane ${dataplane} ${SESSION}`);
    const { code, out, err } = await host.run(`-dataplane ${dataplane} metrics`);
    assertDeepStrictEquals([code, err], [0, ""]);
    const read = readExposition(out);
    const [tunnel] = JSON.parse((await host.run(`-dataplane ${dataplane} -s -j show`)).out);
    const [session] = tunnel.sessions;
    const key = labelKey({ netns: "", tunnel_id: 1, session_id: 10 });
    const at = (name: string): number | undefined => read.get(`l2tp_session_${name}_total`)?.samples.get(key);
    const { tx_packets, tx_bytes, rx_packets, rx_bytes, rx_errors } = session.stats;
    assertDeepStrictEquals(
      [at("transmit_packets"), at("transmit_bytes"), at("receive_packets"), at("receive_bytes")],
      [tx_packets, tx_bytes, rx_packets, rx_bytes],
    );
    assertStrictEquals(at("receive_errors"), rx_errors);
    assertEquals([...read.get("l2tp_build_info")!.samples.keys()], [
      labelKey({ version: "0.1.0", dataplane }),
    ]);
    assertStrictEquals(host.leaks, 0);
  }
});

Deno.test("metrics: drops and offloads where the daemon tells them", async () => {
  const host = new FakeHost();
  host.home.l2tp.hasFamily = false;
  host.daemon = "running";
  await host.prepare(TUNNEL, SESSION);
  host.home.drops.push(
    '{"tunnel_id":1,"session_id":10,"drops":{"cookie_mismatch":3}}',
    '{"local":"10.0.0.1","port":0,"drops":{"no_tunnel":5}}',
  );
  host.home.offloads.push('{"tunnel_id":1,"session_id":10,"offloads":["tap","gso"]}');
  const read = readExposition((await host.run("metrics")).out);
  const id = { netns: "", tunnel_id: 1, session_id: 10 };
  const value = (name: string, labels: Record<string, string | number>): number | undefined =>
    read.get(name)?.samples.get(labelKey(labels));
  assertStrictEquals(value("l2tp_session_drops_total", { ...id, reason: "cookie_mismatch" }), 3);
  const socket = { netns: "", local: "10.0.0.1", port: 0, reason: "no_tunnel" };
  assertStrictEquals(value("l2tp_socket_drops_total", socket), 5);
  assertStrictEquals(value("l2tp_session_offload", { ...id, offload: "gso" }), 1);
  assertStrictEquals(value("l2tp_session_offload", { ...id, offload: "gro" }), 0);
});

Deno.test("metrics: the namespace's name is a label; where no subsystem is, there are no tunnels", async () => {
  const host = new FakeHost();
  host.addNamespace("blue").l2tp.hasFamily = false;
  const { code, out } = await host.run("-n blue metrics");
  assertStrictEquals(code, 0);
  assertStrictEquals(readExposition(out).get("l2tp_tunnels")?.samples.get(labelKey({ netns: "blue" })), 0);
  assertStrictEquals(host.starts, 0);
});

Deno.test("metrics takes --dashboard and no other word", async () => {
  const host = new FakeHost();
  assertEquals(await host.run("metrics all"), {
    code: 255,
    out: "",
    err: "Unknown command: all\n  See: l2tp help metrics\n",
  });
  assertStrictEquals((await host.run("metrics -dashboard")).code, 0);
});
