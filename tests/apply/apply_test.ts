/**
 * Configurations on a real subsystem (`L2TP_SUBJECT`: the daemon's, or the kernel's): applied twice, changed, saved and
 * applied again, with listeners and with pings that go on meanwhile.
 */

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { LinkClient } from "../../src/client/link_client.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { Namespace } from "../support/namespaces.ts";
import { Pinger } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { PING_EVERY_MS, Site, wires } from "./fixture.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** Every feature of the schema, in tunnels that need no peer. */
const EVERYTHING = (secrets: string): string =>
  `[defaults.tunnel]
local = "10.0.0.1"
[class.session.office]
bridge = "br0"
up = true
[tunnel.ip]
tunnel_id = 1
peer_tunnel_id = 4294967295
encap = "ip"
remote = "10.0.0.2"
[tunnel.ip.session.all]
class = "office"
session_id = 10
peer_session_id = 4294967295
interface = "pw0"
cookie = "00112233"
peer_cookie = "0011223344556677"
seq = "both"
reorder_timeout = 50
lns_mode = true
mtu = 1400
[tunnel.ip.session.bare]
session_id = 11
peer_session_id = 1
l2spec_type = "none"
addresses = ["10.7.0.1/24", "fd07::1/64"]
up = false
[tunnel.ip.session.sending]
session_id = 12
peer_session_id = 1
interface = "snd%d"
seq = "send"
pw_type = "eth"
[tunnel.udp]
tunnel_id = 2
peer_tunnel_id = 3
version = 3
remote = "10.0.0.2"
udp_sport = 5000
udp_dport = 6000
udp_csum = true
[tunnel.udp.session.ppp]
session_id = 10000
peer_session_id = 2
pw_type = "ppp"
seq = "recv"
[tunnel.udp6]
tunnel_id = 3
peer_tunnel_id = 3
local = "fd00::1"
remote = "fd00::2"
udp_sport = 5001
udp_dport = 6000
udp6_csum_tx = false
udp6_csum_rx = false
[tunnel.udp6.session.up]
session_id = 20000
peer_session_id = 2
up = true
addresses = ["fd08::1/64"]
[tunnel.ip6]
tunnel_id = 4
peer_tunnel_id = 4
encap = "ip"
local = "any"
remote = "fd00::2"
[tunnel.old]
tunnel_id = 5
peer_tunnel_id = 65535
version = 2
remote = "10.0.0.2"
udp_sport = 1701
udp_dport = 1701
[tunnel.old.session.ppp]
session_id = 65535
peer_session_id = 1
lns_mode = true
[tunnel.old.session.dialled]
session_id = 3
peer_session_id = 1
interface = "dialled"
[tunnel.old.session.dialled.ppp]
user = "alice"
secret-file = "${secrets}"
require = ["mschapv2", "chap"]
local = "192.0.2.1"
pool = "192.0.2.10-192.0.2.99"
dns = ["192.0.2.53", "192.0.2.54"]
askdns = true
mtu = 1300
mru = 1310
defaultroute = true
ipv6 = false
mss = true
echo = 5
echo_failures = 3
[tunnel.old.session.plain]
session_id = 4
peer_session_id = 1
ppp = {}
`;

Deno.test("apply, on a real subsystem", async (t) => {
  await using site = await Site.create();
  const { a, b } = site.pair;
  await a.ip("link add br0 type bridge");

  await t.step(
    "every feature of the schema: made, found to be there, saved, flushed, made again",
    async () => {
      const everything = EVERYTHING(await site.secrets("alice Wonderland-1\n"));
      assertMatch(await site.apply(a, everything), /^13 of 13 changes made; 0 tunnels untouched\.$/m);
      assertStrictEquals(await site.apply(a, everything, "--prune"), "Nothing to do: 5 tunnels untouched.\n");
      const made = await site.state(a);
      const saved = `${site.folder}/saved.toml`;
      const { code, stderr } = await site.run(a, "save", "-f", saved);
      assertDeepStrictEquals([code, stderr], [0, ""]);
      assertStrictEquals((await Deno.stat(saved)).mode! & 0o777, 0o600);
      assertStrictEquals((await site.run(a, "flush")).code, 0);
      await until(() =>
        inNamespace(a.name, () => {
          using links = LinkClient.open();
          return links.links().every(({ name }) => !/^(pw0|dialled|ppp0)$/.test(name));
        }), "the end of the interfaces");
      const toml = await Deno.readTextFile(saved);
      assertMatch(await site.apply(a, toml), /^13 of 13 changes made/m);
      assertDeepStrictEquals(await site.state(a), made);
      assertStrictEquals(await site.apply(a, everything, "--prune"), "Nothing to do: 5 tunnels untouched.\n");
      assertMatch(await site.apply(a, "", "--prune"), /^- tunnel 1$/m);
      assertEquals((await site.state(a) as unknown[])[0], []);
    },
  );

  await t.step("a second apply sends nothing; a change is one request", async () => {
    await site.apply(a, wires(1, 2));
    await site.apply(b, wires(2, 1));
    await site.settle(a);
    assertEquals(await site.notifications(a, async () => void await site.apply(a, wires(1, 2))), []);
    const changed = `${wires(1, 2)}reorder_timeout = 20\n`;
    const heard = await site.notifications(a, async () => {
      assertMatch(await site.apply(a, changed), /^\+ {3}reorder_timeout = 20$/m);
    });
    assertEquals(heard, ["sessionModified"]);
    const widened = await site.notifications(
      a,
      async () => void await site.apply(a, `${changed}mtu = 1300\n`),
    );
    // One event of ip is a line with the interface's number, and a line of addresses below it.
    const links = widened.filter((line) => /^\d+: /.test(line));
    assertStrictEquals(links.length, 1, widened.join("\n"));
    assertMatch(links[0]!, /^\d+: neighbour: .* mtu 1300 /);
    await site.apply(a, wires(1, 2));
  });

  await t.step(
    "a ping each 10 ms through a tunnel loses nothing while its neighbour is re-created",
    async () => {
      using pinger = new Pinger(a.name, "192.168.1.2", { size: 100 });
      let [sent, received] = [0, 0];
      const take = (): void => void (received += pinger.replies().length);
      // Neighbours are known to each other from here on.
      pinger.send();
      sent++;
      await until(() => (take(), received === 1), "the first reply");
      const timer = setInterval(() => {
        pinger.send();
        sent++;
        take();
      }, PING_EVERY_MS);
      const before = sent;
      const other = wires(1, 2).replaceAll("5000", "5002");
      try {
        assertMatch(await site.apply(a, other), /^-\/\+ tunnel neighbour \(2\), re-created$/m);
        await site.apply(b, wires(2, 1).replaceAll("5000", "5002"));
        const rest = 'seq = "both"\nmtu = 1300\n';
        assertMatch(await site.apply(a, other + rest), /^~ session w \(2\) of tunnel neighbour \(2\)$/m);
        await site.apply(a, other.slice(0, other.indexOf("[tunnel.neighbour]")), "--prune");
        await site.apply(a, wires(1, 2));
      } finally {
        clearInterval(timer);
      }
      assert(sent - before > 20, `${sent} pings`);
      await until(() => (take(), received === sent), `all ${sent} replies`);
    },
  );

  await t.step("--dry-run says what would be done, and does nothing", async () => {
    const other = wires(1, 2).replaceAll("5000", "5006");
    let planned = "";
    // Interfaces that were made just now are still finding addresses of their own.
    await site.settle(a);
    const heard = await site.notifications(a, async () => {
      planned = await site.apply(a, other, "--dry-run");
    });
    assertEquals(heard, []);
    assertMatch(planned, /^-\/\+ tunnel neighbour \(2\), re-created$/m);
    assertMatch(planned, /^2 changes to make; 1 tunnel untouched\.$/m);
    const nothing = await site.apply(a, "", "--dry-run", "--prune");
    assertMatch(nothing, /^4 changes to make; 0 tunnels untouched\.$/m);
    assertStrictEquals(await site.apply(a, wires(1, 2)), "Nothing to do: 2 tunnels untouched.\n");
  });

  await t.step(
    "an interface in another namespace: made, left alone, changed there, saved, made again",
    async () => {
      await using blue = await Namespace.create("blue");
      await blue.ip("link add br9 type bridge");
      const tunnel = (id: number, own: number, peer: number, more: string): string =>
        `[tunnel.far]\ntunnel_id = ${id}\npeer_tunnel_id = ${id}\nencap = "ip"\nlocal = "10.0.0.${own}"\n` +
        `remote = "10.0.0.${peer}"\n[tunnel.far.session.w]\nsession_id = ${id}\npeer_session_id = ${id}\n` +
        `interface = "far${own}"\naddresses = ["192.168.9.${own}/24"]\nup = true\n${more}`;
      const nothing = "Nothing to do: 3 tunnels untouched.\n";
      const file = `${wires(1, 2)}${tunnel(9, 1, 2, `netns = "${blue.name}"\n`)}`;
      await site.apply(a, file);
      await site.apply(b, `${wires(2, 1)}${tunnel(9, 2, 1, "")}`);
      await blue.sh("ping", "-q", "-c", "1", "-W", "5", "192.168.9.2");
      assertStrictEquals(await site.apply(a, file), nothing);
      await blue.sh("ping", "-q", "-c", "1", "-W", "5", "192.168.9.2");
      const changed = `${file}mtu = 1300\nbridge = "br9"\n`;
      assertMatch(await site.apply(a, changed), /^~ session w \(9\) of tunnel far \(9\)$/m);
      assertMatch(await blue.ip("link show master br9"), / far1: .* mtu 1300 /);
      const saved = `${site.folder}/saved.toml`;
      assertStrictEquals((await site.run(a, "save", "-f", saved)).stderr, "");
      const toml = await Deno.readTextFile(saved);
      assertMatch(toml, new RegExp(`^netns = "${blue.name}"$`, "m"));
      assertStrictEquals((await site.run(a, "del", "tunnel", "tunnel_id", "9")).code, 0);
      await until(async () => !(await blue.ip("link")).includes(" far1: "), "the end of the interface");
      assertMatch(await site.apply(a, toml), /^2 of 2 changes made/m);
      assertStrictEquals(await site.apply(a, changed, "--prune"), nothing);
      const gone = tunnel(8, 1, 2, 'netns = "no-such-netns"\n').replace("far1", "far3");
      await Deno.writeTextFile(`${site.folder}/gone.toml`, gone);
      const { code, stderr } = await site.run(a, "apply", "-f", `${site.folder}/gone.toml`, "--dry-run");
      assertStrictEquals(code, 1);
      assertMatch(
        stderr,
        /:13:9: tunnel far: there is no network namespace "no-such-netns"\n {2}Create it first: ip netns add/,
      );
      await site.apply(a, wires(1, 2), "--prune");
      await site.apply(b, wires(2, 1), "--prune");
    },
  );

  await t.step("Ctrl-C during a hook kills it, undoes its tunnel, and begins nothing more", async () => {
    const before = await site.state(a);
    const hooks = JSON.stringify(["/bin/sh", "-c", `echo $$ > ${site.folder}/pid; exec sleep 1000`]);
    const more = [7, 8].map((id) =>
      `[tunnel.t${id}]\ntunnel_id = ${id}\npeer_tunnel_id = ${id}\nencap = "ip"\nremote = "10.0.0.2"\non_up = ${hooks}\n`
    );
    const path = `${site.folder}/l2tp.toml`;
    await Deno.writeTextFile(path, wires(1, 2) + more.join(""));
    const child = site.spawn(a, "apply", "-f", path);
    const pidOf = (): string => {
      try {
        return Deno.readTextFileSync(`${site.folder}/pid`).trim();
      } catch {
        return "";
      }
    };
    await until(() => pidOf() !== "", "the hook runs");
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    const said = new TextDecoder().decode(stderr);
    assertStrictEquals(code, 1, said);
    assertMatch(
      said,
      /^Error: on_up of tunnel t7 was interrupted\.\n {2}The changes of tunnel t7 \(7\) are undone\.$/m,
    );
    assertMatch(said, /^Interrupted: /m);
    assertThrows(() => Deno.statSync(`/proc/${pidOf()}`), Deno.errors.NotFound);
    assertDeepStrictEquals(await site.state(a), before);
  });

  await t.step("a step that fails undoes its tunnel alone", async () => {
    const before = await site.state(a);
    const path = `${site.folder}/l2tp.toml`;
    // The interface's name is taken by the cable, so that the last step of three fails.
    const bad = wires(1, 2).replaceAll("5000", "5004").replace('"neighbour"', '"cable"') +
      '[tunnel.third]\ntunnel_id = 3\npeer_tunnel_id = 3\nencap = "ip"\nremote = "10.0.0.2"\n';
    await Deno.writeTextFile(path, bad);
    const { code, stdout, stderr } = await site.run(a, "apply", "-f", path);
    assertStrictEquals(code, 2, stderr);
    assertMatch(stdout, /^-\/\+ tunnel neighbour \(2\), re-created$/m);
    assertMatch(stderr, /^ {2}The changes of tunnel neighbour \(2\) are undone\.$/m);
    assertMatch(stdout, /^1 of 3 changes made; 1 tunnel untouched\.$/m);
    using client = site.client(a);
    client.deleteTunnel(3);
    assertDeepStrictEquals(await site.state(a), before);
  });
});
