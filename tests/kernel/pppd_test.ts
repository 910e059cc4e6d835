/** PPP against pppd, which is on a session of the kernel; ours is on one of the kernel, or in userspace. */

import { assertMatch } from "@std/assert";
import { JOINS, METHODS } from "../interop/ppp_checks.ts";
import { PppHosts, type PppJoin, serverSettings } from "../interop/ppp_hosts.ts";
import { CLIENT, Pppd } from "../interop/pppd.ts";
import {
  checkPppdAsks,
  checkPppdEnds,
  checkPppdRefuses,
  checkSecondChoice,
  checkTransfer,
  checkWeAsk,
  checkWeRefuse,
  type LinkToPppd,
  up,
} from "../interop/pppd_checks.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { until } from "../support/until.ts";
import { requireL2tp } from "./kernel.ts";

/** Each way. */
const TCP_BYTES = 100_000_000;
/** Ids at `b`. */
const PPPD_SESSION = { tunnelId: 2, sessionId: 12 } as const;
const USUAL: PppJoin = { version: 2, family: 4 };

/** A session whose end at `b` is pppd's. */
function join(pair: Pair, hosts: PppHosts, how: PppJoin): LinkToPppd {
  const parting = hosts.join(how);
  return {
    netns: { ours: pair.a.name, its: pair.b.name },
    run: (settings) => hosts.run("a", settings),
    status: () => hosts.status("a"),
    interfaceName: () => hosts.interfaceName("a"),
    start: (options) => Pppd.start({ netns: pair.b, link: PPPD_SESSION, options }),
    [Symbol.asyncDispose]: () => parting[Symbol.asyncDispose](),
  };
}

for (const dataplane of ["kernel", "user"] as const) {
  Deno.test(`PPP of ours in ${dataplane} and pppd`, async (t) => {
    requireL2tp();
    await using pair = await Pair.create();
    await using daemon = await TestDaemon.start();
    using hosts = new PppHosts(pair, daemon, { a: dataplane, b: "kernel" });
    const step = (
      name: string,
      check: (link: LinkToPppd) => Promise<void>,
      how: PppJoin = USUAL,
    ): Promise<boolean> =>
      t.step(name, async () => {
        await using link = join(pair, hosts, how);
        await check(link);
      });

    let rows = 0;
    for (const how of JOINS) {
      for (const method of ["none", ...METHODS] as const) {
        const name = `version ${how.version} over IPv${how.family}: we ask pppd for ${method}`;
        if (await step(name, (link) => checkWeAsk(link, method), how)) rows++;
      }
    }
    console.log(`PPP, ${dataplane} and pppd: ${2 * rows} of 40 cells of the matrix pass`);

    for (const method of METHODS) {
      await step(
        `pppd asks us for ${method}, and hands us our address`,
        (link) => checkPppdAsks(link, method),
      );
      await step(
        `${method}: pppd's secret is wrong, and we refuse it`,
        (link) => checkWeRefuse(link, method),
      );
      await step(
        `${method}: our secret is wrong, and pppd refuses it`,
        (link) => checkPppdRefuses(link, method),
      );
    }
    await step("a pppd that refuses what we prefer gets what it takes", checkSecondChoice);
    await step("100 MB of TCP each way by hash", (link) => checkTransfer(link, TCP_BYTES));
    await step("pppd ends the link: we are told", checkPppdEnds);
    await step("our session is deleted: pppd ends", async (link) => {
      link.run(serverSettings("chap"));
      await using peer = await link.start(CLIENT);
      await up(link);
      hosts.deleteSession("a");
      await until(() => peer.ended, "pppd ends");
      // The kernel sends no event before it deletes a session.
      const expected = dataplane === "user"
        ? /LCP terminated by peer/
        : /LCP terminated by peer|No response to/;
      assertMatch(await peer.end(), expected);
    });
    await step("pppd falls silent: its echo replies are missed", async (link) => {
      link.run(serverSettings("chap"));
      await using _pppd = await link.start(CLIENT);
      await up(link);
      await pair.b.ip("link set cable down");
      try {
        await until(() => link.status()?.end?.reason === "peerUnresponsive", "we miss it");
      } finally {
        await pair.b.ip("link set cable up");
      }
    });
  });
}
