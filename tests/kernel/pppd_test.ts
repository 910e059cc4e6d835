/** PPP against pppd, which is on a session of the kernel; ours is on one of the kernel, or in userspace. */

import assert from "node:assert/strict";
import { JOINS, METHODS } from "../interop/ppp_checks.ts";
import { ADDRESSES, clientSettings, PppHosts, SECRET, serverSettings, USER } from "../interop/ppp_hosts.ts";
import { Pppd } from "../interop/pppd.ts";
import type { AuthMethod } from "../../src/model/ppp.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { ping, transfer } from "../support/traffic.ts";
import { requireL2tp, until } from "./kernel.ts";

const MEGABYTE = 1_000_000;
const PPPD_TUNNEL = { tunnelId: 2, sessionId: 12 } as const;
/** So that nothing but the way of authentication at hand is to be had. */
const REFUSE: Readonly<Record<AuthMethod, string>> = {
  pap: "refuse-pap",
  chap: "refuse-chap",
  mschap: "refuse-mschap",
  mschapv2: "refuse-mschap-v2",
};
const REQUIRE: Readonly<Record<AuthMethod, string>> = {
  pap: "require-pap",
  chap: "require-chap",
  mschap: "require-mschap",
  mschapv2: "require-mschap-v2",
};

/** What pppd is told when it is the one that is asked for its name. */
const CLIENT = ["noauth", "user", USER, "password", SECRET, "+ipv6", "usepeerdns"];
/** And when it asks and hands out addresses. */
const SERVER = ["name", "server", "+ipv6", `${ADDRESSES.a}:${ADDRESSES.b}`, "ms-dns", "192.0.2.53"];
const SECRETS = [`${USER} * ${SECRET} *`];

async function up(hosts: PppHosts): Promise<void> {
  await until("both protocols are up", () => {
    const { ipcp, ipv6cp } = hosts.status("a") ?? {};
    return ipcp?.state === "Opened" && ipv6cp?.state === "Opened";
  });
}

/** Pings the other end by both protocols, and is pinged by it. */
async function checkPings(hosts: PppHosts, peer: string): Promise<void> {
  const { ipcp, ipv6cp } = hosts.status("a")!;
  const device = hosts.interfaceName("a");
  await ping(hosts.a.netns, peer, { count: 2 });
  await ping(hosts.a.netns, linkLocal(ipv6cp!.peerId!), { count: 2, device });
  await ping(hosts.b.netns, ipcp!.local!, { count: 2 });
  await ping(hosts.b.netns, linkLocal(ipv6cp!.localId!), { count: 2, device: "ppp0" });
}

function linkLocal(identifier: string): string {
  return `fe80::${identifier.match(/.{4}/g)!.join(":")}`;
}

for (const dataplane of ["kernel", "user"] as const) {
  Deno.test(`PPP of ours in ${dataplane} and pppd`, async (t) => {
    requireL2tp();
    await using pair = await Pair.create();
    await using daemon = await TestDaemon.start();
    using hosts = new PppHosts(pair, daemon, { a: dataplane, b: "kernel" });
    const pppd = (options: readonly string[]): Promise<Pppd> =>
      Pppd.start({ netns: pair.b, ...PPPD_TUNNEL, options, secrets: SECRETS });

    let rows = 0;
    for (const join of JOINS) {
      for (const method of ["none", ...METHODS] as const) {
        const name = `version ${join.version} over IPv${join.family}: we ask pppd for ${method}`;
        const passed = await t.step(name, async () => {
          await using _parting = hosts.join(join);
          hosts.run("a", serverSettings(method));
          await using _pppd = await pppd(CLIENT);
          await up(hosts);
          const { auth } = hosts.status("a")!;
          const expected = method === "none" ? {} : { peer: { method, state: "succeeded", name: USER } };
          assert.deepEqual(auth, expected);
          await checkPings(hosts, ADDRESSES.b);
        });
        if (passed) rows++;
      }
    }
    console.log(`PPP, ${dataplane} and pppd: ${2 * rows} of 40 cells of the matrix pass`);

    for (const method of METHODS) {
      await t.step(`pppd asks us for ${method}, and hands us our address`, async () => {
        await using _parting = hosts.join({ version: 2, family: 4 });
        hosts.run("a", clientSettings());
        await using _pppd = await pppd(
          [...SERVER, REQUIRE[method]].map((word) =>
            word.includes(":") ? `${ADDRESSES.a}:${ADDRESSES.b}` : word
          ),
        );
        await up(hosts);
        const { auth, ipcp } = hosts.status("a")!;
        assert.deepEqual(auth, { local: { method, state: "succeeded", name: USER } });
        assert.deepEqual([ipcp?.local, ipcp?.peer, ipcp?.dns], [ADDRESSES.b, ADDRESSES.a, ["192.0.2.53"]]);
        await checkPings(hosts, ADDRESSES.a);
      });
      await t.step(`${method}: pppd's secret is wrong, and we refuse it`, async () => {
        await using _parting = hosts.join({ version: 2, family: 4 });
        hosts.run("a", serverSettings(method));
        await using peer = await pppd(CLIENT.map((word) => (word === SECRET ? "quite another" : word)));
        await until("we have refused", () => hosts.status("a")?.end !== undefined);
        const end = hosts.status("a")!.end!;
        assert.ok(end.reason === "authenticationFailed" && end.of === "peer" && end.method === method);
        await until("pppd has ended", () => peer.ended);
        assert.match(await peer.end(), /authentication failed|Failed to authenticate/i);
      });
      await t.step(`${method}: our secret is wrong, and pppd refuses it`, async () => {
        await using _parting = hosts.join({ version: 2, family: 4 });
        hosts.run("a", clientSettings("quite another"));
        await using _pppd = await pppd([...SERVER, REQUIRE[method]]);
        await until("we are told", () => hosts.status("a")?.end !== undefined);
        const { reason } = hosts.status("a")!.end!;
        assert.ok(reason === "authenticationFailed" || reason === "terminatedByPeer", reason);
      });
    }

    await t.step("a pppd that refuses what we prefer gets what it takes", async () => {
      await using _parting = hosts.join({ version: 2, family: 4 });
      hosts.run("a", { ...serverSettings("mschapv2"), require: ["mschapv2", "chap"] });
      await using _pppd = await pppd([...CLIENT, REFUSE.mschapv2, REFUSE.mschap]);
      await up(hosts);
      assert.equal(hosts.status("a")!.auth.peer?.method, "chap");
    });

    await t.step("5 MB of TCP each way by hash", async () => {
      await using _parting = hosts.join({ version: 2, family: 4 });
      hosts.run("a", serverSettings("chap"));
      await using _pppd = await pppd(CLIENT);
      await up(hosts);
      await transfer({ from: hosts.b.netns, to: hosts.a.netns, address: ADDRESSES.a }, 5 * MEGABYTE);
    });

    await t.step("pppd ends the link: we are told, and serve the next one", async () => {
      await using _parting = hosts.join({ version: 2, family: 4 });
      hosts.run("a", serverSettings("chap"));
      {
        await using peer = await pppd(CLIENT);
        await up(hosts);
        await peer.end();
        await until("we are told", () => hosts.status("a")?.end?.reason === "terminatedByPeer");
      }
    });

    await t.step("our session is deleted: pppd ends", async () => {
      await using _parting = hosts.join({ version: 2, family: 4 });
      hosts.run("a", serverSettings("chap"));
      await using peer = await pppd(CLIENT);
      await up(hosts);
      hosts.deleteSession("a");
      await until("pppd ends", () => peer.ended);
      const said = await peer.end();
      assert.match(
        said,
        dataplane === "user" ? /LCP terminated by peer/ : /LCP terminated by peer|No response to/,
      );
    });

    await t.step("pppd falls silent: its echo replies are missed", async () => {
      await using _parting = hosts.join({ version: 2, family: 4 });
      hosts.run("a", serverSettings("chap"));
      await using _pppd = await pppd(CLIENT);
      await up(hosts);
      await pair.b.ip("link set cable down");
      try {
        await until("we miss it", () => hosts.status("a")?.end?.reason === "peerUnresponsive");
      } finally {
        await pair.b.ip("link set cable up");
      }
    });
  });
}
