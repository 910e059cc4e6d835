/** PPP between two sessions of the userspace subsystem, run by the daemon under test. */

import assert from "node:assert/strict";
import { NetlinkError } from "../../src/base/errors.ts";
import {
  checkRefused,
  checkRow,
  checkTornDown,
  checkTransfer,
  JOINS,
  METHODS,
} from "../interop/ppp_checks.ts";
import { clientSettings, PppHosts, SECRET, serverSettings } from "../interop/ppp_hosts.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { until } from "../support/until.ts";

const MEGABYTE = 1_000_000;

Deno.test("PPP in userspace", async (t) => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  using hosts = new PppHosts(pair, daemon, { a: "user", b: "user" });

  let rows = 0;
  for (const join of JOINS) {
    for (const method of ["none", ...METHODS] as const) {
      const name = `version ${join.version} over IPv${join.family}, ${method}: IPv4 and IPv6`;
      if (await t.step(name, () => checkRow(hosts, join, method))) rows++;
    }
  }
  console.log(`PPP, userspace and userspace: ${2 * rows} of 40 cells of the matrix pass`);

  for (const method of METHODS) {
    await t.step(`${method}: a wrong secret is refused`, () => checkRefused(hosts, method));
  }

  for (const join of [...JOINS, { version: 3, family: 4, encap: "ip" } as const]) {
    const { version, family, encap = "udp" } = join;
    await t.step(
      `version ${version} over IPv${family}, ${encap}: TCP by hash`,
      () => checkTransfer(hosts, join, 20 * MEGABYTE),
    );
  }

  for (const name of ["a", "b"] as const) {
    await t.step(
      `the session of ${name} is deleted: the other end is told at once`,
      () => checkTornDown(hosts, name, ["terminatedByPeer"]),
    );
  }

  await t.step("a peer that falls silent is noticed, and PPP comes back by itself when it does", async () => {
    await using _parting = hosts.join({ version: 2, family: 4 });
    hosts.run("a", serverSettings("chap"));
    hosts.run("b", clientSettings());
    await hosts.up();
    await pair.a.ip("link set cable down");
    await until(() => hosts.status("b")?.end?.reason === "peerUnresponsive", "b misses a");
    assert.equal(hosts.status("b")!.ipcp?.state === "Opened", false);
    await pair.a.ip("link set cable up");
    await hosts.up();
  });

  await t.step("what cannot be is refused and changes nothing", async () => {
    await using _parting = hosts.join({ version: 2, family: 4 });
    const code = (action: () => void): string | undefined => {
      try {
        action();
      } catch (error) {
        assert.ok(error instanceof NetlinkError, String(error));
        return error.code;
      }
      return undefined;
    };
    const { ppp } = hosts.a;
    const request = { dataplane: "user", tunnelId: 1, sessionId: 11, settings: {} } as const;
    assert.equal(code(() => ppp.run({ ...request, sessionId: 99 })), "ENODEV");
    assert.equal(code(() => ppp.run({ ...request, tunnelId: 0 })), "EINVAL");
    assert.equal(code(() => ppp.run({ ...request, settings: { mru: 5 } })), "EINVAL");
    assert.equal(code(() => ppp.run({ ...request, settings: { interfaceName: "lo" } })), "EEXIST");
    assert.equal(code(() => ppp.run({ ...request, dataplane: "kernel" })), "ENODEV");
    assert.deepEqual(ppp.sessions(), []);
    assert.equal(code(() => ppp.run({ ...request, settings: { interfaceName: "ppp-one" } })), undefined);
    assert.equal(hosts.interfaceName("a"), "ppp-one");
    assert.equal(code(() => ppp.run(request)), "EEXIST");
  });

  await t.step("no secret is in what the daemon says", () => {
    assert.ok(daemon.said.includes("alice"));
    assert.equal(daemon.said.includes(SECRET), false);
  });
});
