/** PPP of configurations on a real subsystem, between two hosts: made, changed, saved and ended by `apply` alone. */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { ping, Pinger } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { PING_EVERY_MS, Site, wires } from "./fixture.ts";

/** One end of a PPP session. */
function dialled(own: number, peer: number, ppp: string): string {
  return `[tunnel.line]
tunnel_id = 1
peer_tunnel_id = 1
version = 2
local = "10.0.0.${own}"
remote = "10.0.0.${peer}"
udp_sport = 1701
udp_dport = 1701
[tunnel.line.session.one]
session_id = 1
peer_session_id = 1
${ppp}`;
}

Deno.test("apply: PPP on a real subsystem, between two hosts that have nothing but their files", async (t) => {
  await using site = await Site.create();
  const { a, b } = site.pair;
  const secrets = await site.secrets("alice Wonderland-1\n");
  const server = dialled(
    1,
    2,
    `interface = "line-a"
[tunnel.line.session.one.ppp]
secret-file = "${secrets}"
require = ["mschapv2"]
local = "192.0.2.1"
pool = "192.0.2.10-192.0.2.10"
mtu = 1400
`,
  );
  const client = dialled(2, 1, `ppp = { user = "alice", secret-file = "${secrets}" }\n`);
  const crosses = async (mtu: number): Promise<void> => {
    await until(
      async () => (await a.ip("addr show dev line-a")).includes("192.0.2.1 peer"),
      "PPP is up at a",
    );
    await until(async () => (await b.ip("addr")).includes("192.0.2.10 peer"), "PPP is up at b");
    await ping(b.name, "192.0.2.1", { count: 1 });
    await until(async () => (await a.ip("link show dev line-a")).includes(` mtu ${mtu} `), `MTU ${mtu}`);
  };
  const nothing = "Nothing to do: 1 tunnel untouched.\n";

  await t.step("made at both ends, and a packet crosses", async () => {
    assertMatch(await site.apply(a, server, "--dry-run"), /^\+ {3}ppp\.require = \["mschapv2"\]$/m);
    assertEquals((await site.state(a) as unknown[])[0], []);
    assertMatch(await site.apply(a, server), /^2 of 2 changes made/m);
    assertMatch(await site.apply(b, client), /^2 of 2 changes made/m);
    await crosses(1400);
    assertMatch((await site.run(a, "show", "session")).stdout, /^ {2}interface name: line-a$/m);
  });

  await t.step("a second time nothing is sent; secrets are taken up while pings go on", async () => {
    using pinger = new Pinger(b.name, "192.0.2.1", { size: 100 });
    let [sent, received] = [0, 0];
    const take = (): void => void (received += pinger.replies().length);
    const timer = setInterval(() => {
      pinger.send();
      sent++;
      take();
    }, PING_EVERY_MS);
    try {
      const heard = await site.notifications(a, async () => {
        assertStrictEquals(await site.apply(a, server), nothing);
        await site.secrets("alice Wonderland-1\nbob Wonderland-2\n");
        assertMatch(
          await site.apply(a, server),
          /^\+ {3}ppp\.secret-file = .* # changed since\n1 of 1 change made/m,
        );
        assertStrictEquals(await site.apply(a, server), nothing);
        // Nobody but PPP itself has to do with a link that is up.
        await site.apply(a, `${server}${wires(1, 2).slice(wires(1, 2).indexOf("[tunnel.neighbour]"))}`);
        assertMatch(await site.apply(a, server, "--prune"), /^- tunnel 2$/m);
      });
      assertStrictEquals(heard.filter((line) => line.includes("line-a")).length, 0, heard.join("\n"));
    } finally {
      clearInterval(timer);
    }
    assert(sent > 20, `${sent} pings`);
    await until(() => (take(), received === sent), `all ${sent} replies`);
  });

  await t.step("other settings make it anew, and it comes up again", async () => {
    const narrow = server.replace("1400", "1300");
    assertMatch(
      await site.apply(a, narrow),
      /^-\/\+ session one \(1\).*, re-created\n- {3}ppp\.mtu = 1400\n\+ {3}ppp\.mtu = 1300$/m,
    );
    await crosses(1300);
    assertStrictEquals(await site.apply(a, narrow), nothing);
  });

  await t.step("saved, deleted, and made again of what was saved", async () => {
    const toml = (await site.run(a, "save")).stdout;
    assertNotMatch(toml, /Wonderland/);
    assertStrictEquals((await site.run(a, "flush")).code, 0);
    await until(async () => !(await a.ip("link")).includes("line-a"), "the end of the interface");
    assertMatch(await site.apply(a, toml), /^2 of 2 changes made/m);
    await crosses(1300);
    assertStrictEquals(await site.apply(a, server.replace("1400", "1300")), nothing);
  });

  await t.step("a session whose table went has no PPP, and the peer is told", async () => {
    const bare = dialled(2, 1, "");
    const before = site.said;
    assertMatch(await site.apply(b, bare), /^-\/\+ session one \(1\).*\n- {3}ppp\.user = "alice"$/m);
    assertNotMatch(await b.ip("link"), / ppp0: /);
    const { stdout } = await site.run(b, "-j", "-d", "show", "session");
    const [{ ppp, session_id }] = JSON.parse(stdout);
    assertEquals([ppp, session_id], [undefined, 1]);
    assertStrictEquals(await site.apply(b, bare), nothing);
    await until(
      () => site.said.slice(before.length).includes("PPP ended: the peer ended it"),
      "a is told",
    );
    await site.apply(b, client);
    await crosses(1300);
  });

  await t.step("a file of secrets that is of no use leaves everything as it is", async () => {
    await Deno.chmod(secrets, 0o644);
    const path = `${site.folder}/l2tp.toml`;
    await Deno.writeTextFile(path, server.replace("1400", "1200"));
    const { code, stderr } = await site.run(a, "apply", "-f", path);
    assertStrictEquals(code, 1);
    assertMatch(stderr, /^\S+\/l2tp\.toml:14:15: tunnel line: secret-file ".*" is readable by everyone\n/);
    await crosses(1300);
  });
});
