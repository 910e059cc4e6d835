/** PPP in configurations: `apply` and `save`, as whole command lines. */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { Errno } from "../../../../src/base/errno.ts";
import type { PppLinkStatus, PppRequest } from "../../../../src/client/daemon/ppp_client.ts";
import type { PppStatus } from "../../../../src/model/ppp/status.ts";
import { FakeHost } from "../../../support/fake_host.ts";
import { FILE, hostWith, LYON, PARIS } from "./fixture.ts";
import { assertDeepStrictEquals } from "../../../support/assertions.ts";

const SECRET_FILE = "/etc/l2tp/secrets";
const DIALIN = `${LYON.slice(0, LYON.indexOf("seq"))}interface = "ppp7"

[tunnel.lyon.session.one.ppp]
user = "alice"
secret-file = "${SECRET_FILE}"
mtu = 1400
`;

/** A host with that file, its secrets and a daemon, in which PPP that was asked for runs. */
async function withPpp(): Promise<FakeHost> {
  const host = hostWith(DIALIN);
  host.daemon = "running";
  host.files.set(SECRET_FILE, ["alice wonderland"]);
  assertStrictEquals((await host.run("apply")).code, 0);
  const [{ settings: { secrets: _, ...settings }, ...id }] = host.home.pppRequests as [PppRequest];
  host.home.pppSessions.push({ ...id, interfaceName: "ppp7", settings, status: {} as PppStatus });
  return host;
}

Deno.test("apply: PPP is run by the daemon, which is started for it, on sessions of the kernel, too", async () => {
  const host = hostWith(DIALIN);
  host.files.set(SECRET_FILE, ["alice wonderland"]);
  const planned = await host.run("apply --dry-run");
  assertMatch(planned.out, /^\+ {3}ppp\.user = "alice"\n\+ {3}ppp\.secret-file = "\/etc\/l2tp\/secrets"$/m);
  assertDeepStrictEquals([host.starts, host.home.pppRequests], [0, []]);
  const { code, out, err } = await host.run("apply");
  assertDeepStrictEquals([code, err], [0, "Started l2tp daemon (process 4242): it runs PPP.\n"]);
  assertNotMatch(out, /wonderland/);
  const [request] = host.home.pppRequests;
  assertEquals([request!.dataplane, request!.tunnelId, request!.sessionId], ["kernel", 3, 11]);
  const { interfaceName, user, secrets, mtu } = request!.settings;
  assertEquals([interfaceName, user, mtu], ["ppp7", "alice", 1400]);
  assertEquals(secrets, [{ name: "alice", secret: "wonderland" }]);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("apply: PPP that is as the file says is not asked for again; a changed file of secrets is handed over", async () => {
  const host = await withPpp();
  assertStrictEquals((await host.run("apply")).out, "Nothing to do: 1 tunnel untouched.\n");
  host.files.set(SECRET_FILE, ["alice looking-glass"]);
  const { code, out } = await host.run("apply");
  assertStrictEquals(code, 0);
  assertMatch(
    out,
    /^~ session one \(11\)[^]*\n\+ {3}ppp\.secret-file = ".*" # changed since\n1 of 1 change made/,
  );
  assertNotMatch(out, /looking-glass/);
  assertEquals(host.home.pppChanges.map(({ settings }) => settings.secrets), [[
    { name: "alice", secret: "looking-glass" },
  ]]);
  assertStrictEquals(host.home.pppRequests.length, 1);
  host.home.l2tp.commands.length = 0;
  host.files.set(FILE, DIALIN.replace("1400", "1300").split("\n"));
  await host.run("apply");
  assertEquals(host.home.pppChanges.slice(1).map(({ tunnelId, sessionId }) => [tunnelId, sessionId]), [
    [3, 11],
  ]);
  assertEquals(host.home.pppRequests.map(({ settings }) => settings.mtu), [1400, 1300]);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("apply: without its secrets PPP's tunnel is not touched, and the place is named", async () => {
  const host = hostWith(DIALIN + PARIS.replaceAll("[tunnel.paris", "\n[tunnel.paris"));
  host.daemon = "running";
  const { code, out, err } = await host.run("apply");
  assertStrictEquals(code, 1);
  assertMatch(out, /^2 of 4 changes made/m);
  assertStrictEquals(
    err,
    `${FILE}:16:15: tunnel lyon: secret-file "${SECRET_FILE}" cannot be read: No such file or directory\n` +
      "  Nothing was done for this tunnel.\n",
  );
  assertEquals([...host.home.l2tp.tunnels.keys()], [1]);
});

Deno.test("apply: PPP that the daemon refuses undoes its tunnel", async () => {
  const host = hostWith(DIALIN);
  host.daemon = "running";
  host.files.set(SECRET_FILE, ["alice wonderland"]);
  host.home.pppRefusal = Errno.EEXIST;
  const { code, err } = await host.run("apply");
  assertStrictEquals(code, 2);
  assertMatch(err, /The changes of tunnel lyon \(3\) are undone\./);
  assertStrictEquals(host.home.l2tp.tunnels.size, 0);
});

Deno.test("save: PPP that runs, with the path of its secrets; secrets of no file are named", async () => {
  const host = await withPpp();
  const { code, out, err } = await host.run("save");
  assertDeepStrictEquals([code, err], [0, ""]);
  assert(
    out.endsWith(
      'pw_type = "ppp"\ninterface = "ppp7"\n\n[tunnel.3.session.11.ppp]\nuser = "alice"\n' +
        `secret-file = "${SECRET_FILE}"\nmtu = 1400\n`,
    ),
    out,
  );
  host.files.set(FILE, out.split("\n"));
  assertStrictEquals((await host.run("apply")).out, "Nothing to do: 1 tunnel untouched.\n");
  const [running] = host.home.pppSessions as [PppLinkStatus];
  host.home.pppSessions[0] = { ...running, settings: { require: ["chap"] as const } };
  assertStrictEquals(
    (await host.run("save")).err,
    "Not saved: secrets of PPP on session 11 of tunnel 3, which are not from a file\n",
  );
});
