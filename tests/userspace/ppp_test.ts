/** PPP between two sessions of the userspace subsystem, run by the daemon under test. */

import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { PppLinkStatus } from "../../src/client/daemon/ppp_client.ts";
import { NetlinkError } from "../../src/base/errors.ts";
import {
  checkRefused,
  checkRow,
  checkTornDown,
  checkTransfer,
  JOINS,
  METHODS,
} from "../interop/ppp_checks.ts";
import { ADDRESSES, clientSettings, PppHosts, SECRET, serverSettings, USER } from "../interop/ppp_hosts.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { l2tp, programUnderTest } from "../support/processes.ts";
import { ping } from "../support/traffic.ts";
import { until } from "../support/until.ts";

const MEGABYTE = 1_000_000;
/** The daemon offers its metrics in this machine's own namespace. */
const METRICS = `127.0.0.1:${30_000 + Deno.pid % 10_000}`;

Deno.test("PPP in userspace", async (t) => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start({ args: ["metrics", METRICS] });
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
      `the session of ${name} is deleted: the other end learns it at once`,
      () => checkTornDown(hosts, name, ["terminatedByPeer"]),
    );
  }

  await t.step("a silent peer is detected, and PPP restarts by itself when it returns", async () => {
    await using _parting = hosts.join({ version: 2, family: 4 });
    hosts.run("a", serverSettings("chap"));
    hosts.run("b", clientSettings());
    await hosts.up();
    await pair.a.ip("link set cable down");
    await until(() => hosts.status("b")?.end?.reason === "peerUnresponsive", "b misses a");
    assertStrictEquals(hosts.status("b")!.ipcp?.state === "Opened", false);
    await pair.a.ip("link set cable up");
    await hosts.up();
  });

  await t.step(
    "a new secret is used without a restart; PPP can be run again after its end",
    async () => {
      await using _parting = hosts.join({ version: 2, family: 4 });
      const { ppp, l2tp } = hosts.b;
      const b = { dataplane: "user", tunnelId: 2, sessionId: 12 } as const;
      hosts.run("a", serverSettings("chap"));
      hosts.run("b", clientSettings("wrong"));
      await until(() => hosts.status("b")?.end?.reason === "authenticationFailed", "b is refused");
      const secretsFrom = { file: "/etc/secrets", stamp: "2" };
      ppp.renewSecrets({ ...b, settings: { secrets: clientSettings().secrets, secretsFrom } });
      await hosts.up();
      const { settings } = ppp.sessions()[0] as PppLinkStatus;
      assertEquals([settings.user, settings.secretsFrom, "secrets" in settings], [
        USER,
        secretsFrom,
        false,
      ]);
      ppp.end(b);
      assertEquals(ppp.sessions(), []);
      assertNotStrictEquals(l2tp.session(b), undefined);
      await until(() => hosts.status("a")?.end?.reason === "terminatedByPeer", "a is told");
      for (const change of [() => ppp.end(b), () => ppp.renewSecrets({ ...b, settings: {} })]) {
        assertStrictEquals(assertThrows(change, NetlinkError).code, "ENODEV");
      }
      hosts.run("b", clientSettings());
      await hosts.up();
    },
  );

  await t.step("invalid changes are refused and have no effect", async () => {
    await using _parting = hosts.join({ version: 2, family: 4 });
    const code = (action: () => void): string | undefined => {
      try {
        action();
      } catch (error) {
        assert(error instanceof NetlinkError, String(error));
        return error.code;
      }
      return undefined;
    };
    const { ppp } = hosts.a;
    const request = { dataplane: "user", tunnelId: 1, sessionId: 11, settings: {} } as const;
    assertStrictEquals(code(() => ppp.run({ ...request, sessionId: 99 })), "ENODEV");
    assertStrictEquals(code(() => ppp.run({ ...request, tunnelId: 0 })), "EINVAL");
    assertStrictEquals(code(() => ppp.run({ ...request, settings: { mru: 5 } })), "EINVAL");
    assertStrictEquals(code(() => ppp.run({ ...request, settings: { interfaceName: "lo" } })), "EEXIST");
    assertStrictEquals(code(() => ppp.run({ ...request, dataplane: "kernel" })), "ENODEV");
    assertEquals(ppp.sessions(), []);
    assertStrictEquals(
      code(() => ppp.run({ ...request, settings: { interfaceName: "ppp-one" } })),
      undefined,
    );
    assertStrictEquals(hosts.interfaceName("a"), "ppp-one");
    assertStrictEquals(code(() => ppp.run(request)), "EBUSY");
  });

  await t.step("packets too short for IPv6: IPv4 goes on without it", async () => {
    await using _parting = hosts.join({ version: 2, family: 4 });
    hosts.run("a", { ...serverSettings("none"), mtu: 1200 });
    hosts.run("b", clientSettings());
    await hosts.up();
    await ping(hosts.b.netns, ADDRESSES.a, { count: 2 });
    const told = /session 11 .*: IPv6 disabled: it needs an MTU of 1280, the link has 1200/;
    await until(() => told.test(daemon.said), "it is said that no IPv6 passes");
    assertStrictEquals(hosts.status("a")!.end, undefined);
  });

  await t.step("a peer with our own name and secret is refused", async () => {
    await using _parting = hosts.join({ version: 2, family: 4 });
    hosts.run("a", { ...serverSettings("chap"), user: USER });
    hosts.run("b", clientSettings());
    await until(() => hosts.status("a")?.end !== undefined, "a has refused");
    assertStrictEquals(hosts.status("a")!.end!.reason, "authenticationFailed");
  });

  await t.step("an exhausted pool is reported", async () => {
    await using _parting = hosts.join({ version: 2, family: 4 });
    const { ipv4, ...settings } = serverSettings("none");
    const pool = [ADDRESSES.a, ADDRESSES.a] as const;
    hosts.run("a", { ...settings, ipv4: { ...ipv4 || {}, pool } });
    hosts.run("b", clientSettings());
    await until(() => daemon.said.includes("address pool 192.0.2.1-192.0.2.1 is exhausted"), "it is said");
  });

  await t.step("no output, reply or file of the daemon contains a secret", async () => {
    await using _parting = hosts.join({ version: 2, family: 4 });
    const env = { L2TP_RUNTIME_DIR: daemon.folder, L2TP_DATAPLANE: "user" };
    const told: string[] = [daemon.said];
    await using traced = new Deno.Command(programUnderTest()[0], {
      args: [...programUnderTest().slice(1), "-n", pair.a.name, "monitor", "--trace", "-j"],
      env,
      stdout: "piped",
      stderr: "piped",
      stdin: "null",
    }).spawn();
    await new Promise((resolve) => setTimeout(resolve, 500));
    hosts.run("a", serverSettings("chap"));
    hosts.run("b", clientSettings());
    await hosts.up();
    for (const words of ["-d -s -j show", "-d -s show", "status -j", "debugfs", "metrics", "save -f -"]) {
      const { stdout, stderr } = await l2tp(["-n", pair.a.name, ...words.split(" ")], { env });
      told.push(stdout, stderr);
    }
    const metrics = await (await fetch(`http://${METRICS}/metrics`)).text();
    const name = hosts.interfaceName("a");
    assert(metrics.includes(`interface="${name}"`), metrics);
    told.push(metrics);
    traced.kill("SIGINT");
    const { stdout, stderr } = await traced.output();
    told.push(new TextDecoder().decode(stdout), new TextDecoder().decode(stderr));
    for (const { name, isFile } of Deno.readDirSync(daemon.folder)) {
      if (isFile) told.push(await Deno.readTextFile(`${daemon.folder}/${name}`));
    }
    told.push(daemon.said);
    assert(told.some((text) => text.includes(USER)) && told.some((text) => text.includes("ppp0")));
    for (const text of told) assertStrictEquals(text.includes(SECRET), false);
  });
});
