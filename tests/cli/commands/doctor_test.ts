/** `doctor`: text, JSON and exit code, over either subsystem or none. */

import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { DaemonError } from "../../../src/driver/daemon_api/error.ts";
import { FakeHost } from "../../support/fake_host.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const TUNNEL = "add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2";
const SESSION = "add session tunnel_id 1 session_id 10 peer_session_id 20 name pw0 mtu 1400 up";

Deno.test("doctor: exit 0 where there is nothing to fix, 1 otherwise, with what to do indented", async () => {
  const host = new FakeHost();
  await host.prepare(TUNNEL, SESSION);
  const { code, out, err } = await host.run("doctor");
  assertDeepStrictEquals([code, err], [0, ""], out);
  assertMatch(out, /^ok {8}interfaces: All session interfaces are up\.$/m);
  host.home.l2tp.unreachable.add("10.0.0.2");
  const broken = await host.run("doctor");
  assertStrictEquals(broken.code, 1);
  assertMatch(broken.out, /^error {5}paths: Tunnel 1: no route to .*\n {10}Add a route\. To check: /m);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("doctor -json: one object with all findings", async () => {
  const host = new FakeHost();
  await host.prepare(TUNNEL, SESSION.replace(" up", ""));
  const { code, out } = await host.run("-j doctor");
  const json = JSON.parse(out);
  assertEquals([code, json.ok], [1, false]);
  assertEquals(json.findings.filter(({ check }: { check: string }) => check === "interfaces"), [{
    check: "interfaces",
    level: "warning",
    text: "Session 10 in tunnel 1: pw0 is down.",
    fix: ["ip link set pw0 up"],
  }]);
});

Deno.test("doctor: without a subsystem, and with a daemon in trouble, it still tells the rest; it starts nothing", async () => {
  for (const daemon of ["absent", new DaemonError("silent", "/run/l2tp/api.sock")] as const) {
    const host = new FakeHost();
    host.home.l2tp.hasFamily = false;
    host.daemon = daemon;
    // Found silent, it is not asked again.
    if (daemon !== "absent") host.daemonFacts = { ...host.daemonFacts, trouble: "silent" };
    const { code, out, err } = await host.run("doctor");
    assertDeepStrictEquals([code, err], [daemon === "absent" ? 0 : 1, ""], out);
    assertMatch(out, /has no L2TP: tunnels run in userspace/);
    assertMatch(out, daemon === "absent" ? /paths: There are no tunnels/ : /paths: Not checked/);
    assertStrictEquals(host.starts, 0);
  }
});

Deno.test("doctor takes no words", async () => {
  assertStrictEquals((await new FakeHost().run("doctor now")).code, 255);
});
