/**
 * The files of `examples/`, applied on a real subsystem (`L2TP_SUBJECT`: the daemon's, or the kernel's) between two
 * hosts, with packets through every session.
 */

import { assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { Namespace } from "../support/namespaces.ts";
import { ping } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { Site } from "./fixture.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);

/** Addresses that the examples have for their two sites; at site B also those of further peers. */
const WAN = { a: ["192.0.2.1/24"], b: ["192.0.2.2/24", "192.0.2.3/24", "192.0.2.4/24"] };

/** Text of an example, with paths and names of this test in place of the machine's own. */
function example(name: string, site: Site, blue = "blue"): string {
  return Deno.readTextFileSync(new URL(name, EXAMPLES))
    .replaceAll("/etc/l2tp/", `${site.folder}/`)
    .replaceAll('"blue"', `"${blue}"`);
}

/** Applies an example, which must make as many changes as there are tunnels and sessions, and none a second time. */
async function applied(site: Site, netns: Namespace, toml: string): Promise<void> {
  const changes = toml.match(/^\[tunnel\.\w[\w-]*(\.session\.\w[\w-]*)?\]$/gm)!.length;
  const path = `${site.folder}/${netns.name}.toml`;
  await Deno.writeTextFile(path, toml);
  const made = await site.run(netns, "apply", "-f", path);
  assertStrictEquals(made.code, 0, made.stderr);
  assertMatch(
    made.stdout,
    new RegExp(`^${changes} of ${changes} changes made; 0 tunnels untouched\\.$`, "m"),
  );
  const again = await site.run(netns, "apply", "--prune", "-f", path);
  assertMatch(again.stdout, /^Nothing to do: \d+ tunnels? untouched\.\n$/);
}

/** Makes the other end of an example by a command. */
async function add(site: Site, netns: Namespace, line: string): Promise<void> {
  const { code, stderr } = await site.run(netns, "add", "tunnel", "session", ...line.split(" "));
  assertStrictEquals(code, 0, stderr);
}

Deno.test("every example is applied, and packets cross", async (t) => {
  await using site = await Site.create();
  const { a, b } = site.pair;
  for (const address of WAN.a) await a.ip(`addr add ${address} dev cable`);
  for (const address of WAN.b) await b.ip(`addr add ${address} dev cable`);
  await a.ip("link add br0 type bridge");
  await b.ip("link add br0 type bridge");
  await a.ip("link set br0 up");
  await b.ip("link set br0 up");
  const seen: string[] = [];
  const step = async (names: readonly string[], run: () => Promise<void>): Promise<void> => {
    seen.push(...names);
    await t.step(names.join(", "), async () => {
      try {
        await run();
      } finally {
        for (const netns of [a, b]) assertStrictEquals((await site.run(netns, "flush")).code, 0);
      }
    });
  };

  await step(["bridge-site-a.toml", "bridge-site-b.toml"], async () => {
    await a.ip("addr add 10.1.0.1/24 dev br0");
    await b.ip("addr add 10.1.0.2/24 dev br0");
    await applied(site, a, example("bridge-site-a.toml", site));
    await applied(site, b, example("bridge-site-b.toml", site));
    await ping(a.name, "10.1.0.2");
  });

  await step(["routed-site-a.toml", "routed-site-b.toml"], async () => {
    await applied(site, a, example("routed-site-a.toml", site));
    await applied(site, b, example("routed-site-b.toml", site));
    await ping(a.name, "10.255.0.2");
    await site.settle(a);
    await site.settle(b);
    await ping(a.name, "fd00:255::2");
  });

  await step(["ppp-server.toml", "ppp-client.toml"], async () => {
    await site.secrets("alice Wonderland-1\n");
    await applied(site, a, example("ppp-server.toml", site));
    await applied(site, b, example("ppp-client.toml", site));
    await until(async () => (await b.ip("addr")).includes("198.51.100.10 peer 198.51.100.1"), "PPP is up");
    await ping(b.name, "198.51.100.1");
  });

  await step(["many-tunnels.toml"], async () => {
    await a.ip("addr flush dev br0");
    await a.ip("addr add 10.50.0.1/24 dev br0");
    await applied(site, a, example("many-tunnels.toml", site));
    const ends = [[1701, 1], [1702, 2], [1703, 3]] as const;
    for (const [port, number] of ends) {
      const id = 100 + number;
      const ids = `tunnel_id ${number} peer_tunnel_id ${id} session_id 1 peer_session_id ${id}`;
      const addresses = `local 192.0.2.${number + 1} remote 192.0.2.1`;
      const rest = `udp_sport 1701 udp_dport ${port} name branch${number} addr 10.50.${number}.2/32 up`;
      await add(site, b, `${ids} ${addresses} ${rest}`);
      await a.ip(`route add 10.50.${number}.2/32 dev br0`);
      await b.ip(`route replace 10.50.0.1/32 dev branch${number}`);
      await ping(a.name, `10.50.${number}.2`);
    }
    const management =
      "add session tunnel_id 3 session_id 2 peer_session_id 203 name mgmt addr 10.99.0.2/24 up";
    assertStrictEquals((await site.run(b, ...management.split(" "))).code, 0);
    await ping(a.name, "10.99.0.2");
  });

  await step(["hooks.toml"], async () => {
    await Deno.mkdir(`${site.folder}/hooks`);
    await Deno.copyFile(new URL("hooks/routes.sh", EXAMPLES), `${site.folder}/hooks/routes.sh`);
    await applied(site, a, example("hooks.toml", site));
    await add(
      site,
      b,
      "tunnel_id 8 peer_tunnel_id 7 session_id 80 peer_session_id 70 local 192.0.2.2 remote 192.0.2.1 " +
        "udp_sport 1707 udp_dport 1707 name link7 addr 10.255.7.2/30 addr 10.2.0.1/16 up",
    );
    assertMatch(await a.ip("route show dev link7"), /^10\.2\.0\.0\/16 via 10\.255\.7\.2 *$/m);
    await ping(a.name, "10.2.0.1");
    // Another sublayer takes another session: both hooks run.
    await Deno.writeTextFile(
      `${site.folder}/changed.toml`,
      example("hooks.toml", site).replace("session_id = 70", 'session_id = 70\nl2spec_type = "none"'),
    );
    const { code, stderr } = await site.run(a, "apply", "-f", `${site.folder}/changed.toml`);
    assertStrictEquals(code, 0, stderr);
    assertMatch(stderr, /pre-down: 10\.2\.0\.0\/16 via link7\n[^]*up: 10\.2\.0\.0\/16 via link7\n/);
  });

  await step(["namespaces.toml"], async () => {
    await using blue = await Namespace.create("blue");
    await applied(site, a, example("namespaces.toml", site, blue.name));
    await add(
      site,
      b,
      "tunnel_id 10 peer_tunnel_id 9 session_id 100 peer_session_id 90 local 192.0.2.2 remote 192.0.2.1 " +
        "udp_sport 1709 udp_dport 1709 name uplink addr 10.9.0.2/24 up",
    );
    await ping(blue.name, "10.9.0.2");
    assertNotMatch(await a.ip("link"), /uplink/);
    assertStrictEquals((await site.run(a, "flush")).code, 0);
  });

  const there = [...Deno.readDirSync(EXAMPLES)].map(({ name }) => name).filter((name) =>
    name.endsWith(".toml")
  );
  assertEquals(seen.sort(), there.sort());
});
