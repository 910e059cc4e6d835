/** PPP on sessions of the real kernel, run by the daemon under test: between kernels, and between kernel and userspace. */

import { assert, assertStrictEquals } from "@std/assert";
import {
  checkRefused,
  checkRow,
  checkTornDown,
  checkTransfer,
  JOINS,
  METHODS,
} from "../interop/ppp_checks.ts";
import { PppHosts, SECRET } from "../interop/ppp_hosts.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { requireL2tp } from "./kernel.ts";

const MEGABYTE = 1_000_000;

for (const dataplanes of [{ a: "kernel", b: "kernel" }, { a: "user", b: "kernel" }] as const) {
  const { a, b } = dataplanes;
  Deno.test(`PPP between ${a} and ${b}`, async (t) => {
    requireL2tp();
    await using pair = await Pair.create();
    await using daemon = await TestDaemon.start();
    using hosts = new PppHosts(pair, daemon, dataplanes);

    let rows = 0;
    for (const join of JOINS) {
      for (const method of ["none", ...METHODS] as const) {
        const name = `version ${join.version} over IPv${join.family}, ${method}: IPv4 and IPv6`;
        if (await t.step(name, () => checkRow(hosts, join, method))) rows++;
      }
    }
    console.log(`PPP, ${a} and ${b}: ${2 * rows} of 40 cells of the matrix pass`);

    for (const method of METHODS) {
      await t.step(`${method}: a wrong secret is refused`, () => checkRefused(hosts, method));
    }
    await t.step("TCP by hash", () => checkTransfer(hosts, { version: 2, family: 4 }, 5 * MEGABYTE));
    await t.step(
      "version 3 over IP: TCP by hash",
      () => checkTransfer(hosts, { version: 3, family: 4, encap: "ip" }, MEGABYTE),
    );
    // The kernel sends no event before it deletes a session.
    await t.step(
      "the session of b is deleted: the other end notices",
      () => checkTornDown(hosts, "b", ["terminatedByPeer", "peerUnresponsive"]),
    );

    await t.step("no secret is in what the daemon says", () => {
      assert(daemon.said.includes("alice"));
      assertStrictEquals(daemon.said.includes(SECRET), false);
    });
  });
}
