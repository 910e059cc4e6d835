/** What exists now, for completion: `src/cli/commands/live_values.ts` through `l2tp complete`, against a host in memory. */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { DaemonError } from "../../../src/driver/daemon_api/error.ts";
import { FakeHost } from "../../support/fake_host.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

async function host(): Promise<FakeHost> {
  const host = new FakeHost();
  host.addNamespace("blue");
  host.addNamespace("red").links.add("red0");
  host.home.links.add("br0", { kind: "bridge" });
  host.home.links.add("bond0", { kind: "bond", up: true });
  host.home.links.add("veth0", { kind: "veth" });
  host.home.links.addAddress("eth0", "fe80::1", 64);
  await host.prepare(
    "add tunnel tid 9 ptid 90 encap udp local 10.0.0.1 remote 10.0.0.2 udp_sport 5000 udp_dport 6000",
    "add tunnel tid 10 ptid 11 encap ip local fd00::1 remote fd00::2",
    "add session tid 9 sid 1 psid 2 name pw0",
    "add session tid 10 sid 3 psid 4 name pw1",
    "-n blue add tunnel tid 7 ptid 8 encap ip local 127.0.0.1 remote 10.0.0.9",
  );
  return host;
}

async function complete(host: FakeHost, line: string): Promise<string[]> {
  const { code, out, err } = await host.run(["complete", ...line.split(" ")]);
  assertDeepStrictEquals([code, err], [0, ""], line);
  return out.split("\n").filter((word) => word !== "");
}

Deno.test("complete: values that exist now", async () => {
  const there = await host();
  const table: [line: string, expected: string[]][] = [
    ["show tunnel tunnel_id ", ["9", "10"]],
    ["del tunnel tid 1", ["10"]],
    ["add session tunnel_id ", ["9", "10"]],
    ["show session session_id ", ["1", "3"]],
    ["set session tid 10 sid ", ["3"]],
    ["del session tunnel_id 9 session_id ", ["1"]],
    ["show session peer_session_id ", ["2", "4"]],
    ["show tunnel peer_tunnel_id ", ["11", "90"]],
    ["show tunnel local ", ["any", "10.0.0.1", "fd00::1"]],
    ["show tunnel local fd", ["fd00::1"]],
    ["flush tunnel remote ", ["10.0.0.2", "fd00::2"]],
    ["show tunnel udp_sport ", ["5000"]],
    ["show tunnel udp_dport ", ["6000"]],
    ["set session name ", ["pw0", "pw1"]],
    ["del session name pw1", ["pw1"]],
    ["add tunnel local ", ["any", "10.0.0.1", "127.0.0.1", "fd00::1", "fe80::1%eth0"]],
    ["add session master ", ["bond0", "br0"]],
    ["add session netns ", ["blue", "red"]],
    ["-n ", ["blue", "red"]],
    ["show -netns=", ["-netns=blue", "-netns=red"]],
    ["--netns=r", ["--netns=red"]],
    // In the namespace that the line says.
    ["-n blue show tunnel tunnel_id ", ["7"]],
    ["show tunnel -netns=blue tunnel_id ", ["7"]],
    // What is to be made has no value yet.
    ["add tunnel tunnel_id ", []],
    ["add tunnel session tunnel_id ", []],
    ["add session tunnel_id 9 session_id ", []],
    ["add session name ", []],
    ["add tunnel remote ", []],
    ["show session cookie ", []],
  ];
  for (const [line, expected] of table) assertEquals(await complete(there, line), expected, line);
  assertStrictEquals(there.leaks, 0);
});

Deno.test("complete: silently nothing where nobody can be asked", async () => {
  const there = await host();
  assertEquals(await complete(there, "-n nowhere show tunnel tunnel_id "), []);
  assertEquals(await complete(there, "-dataplane user show tunnel tunnel_id "), []);
  there.daemon = new DaemonError("silent", "/run/l2tp/api.sock");
  assertEquals(await complete(there, "-dataplane user show tunnel tunnel_id "), []);
  assertEquals(await complete(there, "-dataplane user show tunnel local "), ["any"]);
  there.env.set("L2TP_DATAPLANE", "bogus");
  assertEquals(await complete(there, "show tunnel tunnel_id "), []);
  there.leftBehind = "/run/l2tp/journal";
  there.daemon = "absent";
  assertEquals(await complete(there, "-dataplane user show tunnel tunnel_id "), []);
  assertStrictEquals(there.starts, 0);
});

Deno.test("complete: an error that is this program's own is not kept quiet", async () => {
  const there = await host();
  there.daemon = new TypeError("a defect");
  await assertRejects(
    () => there.run(["complete", "-dataplane", "user", "show", "tunnel", "tid", ""]),
    TypeError,
  );
});

Deno.test("complete: the subsystem that the line says", async () => {
  const there = await host();
  there.daemon = "running";
  await there.prepare("-dataplane user add tunnel tid 77 ptid 1 encap ip local 10.0.0.1 remote 10.0.0.7");
  assertEquals(await complete(there, "-dataplane user show tunnel tid "), ["77"]);
  assertEquals(await complete(there, "show tunnel tid "), ["9", "10"]);
});
