/**
 * Tunnels between link-local addresses, which netlink alone cannot make: the program opens the socket and leaves a
 * keeper behind that holds it for as long as the tunnel is there.
 */

import { assert, assertEquals, assertMatch, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { type Namespace, Pair } from "../support/namespaces.ts";
import { l2tp } from "../support/processes.ts";
import { clientIn, requireL2tp, until } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** Apart from whatever another keeper of this machine keeps. */
const UDP_ID = 910_000_001;
const IP_ID = 910_000_002;

/** Process ids of the keepers of the tunnel id. */
function keepers(tunnelId: number): number[] {
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
      const verb = words.lastIndexOf("keep");
      if (verb > 0 && words[verb + 1] === String(tunnelId)) found.push(Number(name));
    } catch {
      // The process has ended since it was listed.
    }
  }
  return found;
}

/** One side's commands: a tunnel over UDP and one over IP, an address in each. */
function commands(host: 1 | 2): string {
  const other = host === 1 ? 2 : 1;
  const ends = `local fe80::${host}%cable remote fe80::${other}%cable`;
  const ports = `udp_sport ${5000 + host} udp_dport ${5000 + other}`;
  return [
    `add tunnel session tunnel_id ${UDP_ID} peer_tunnel_id ${UDP_ID} encap udp ${ends} ${ports} ` +
    `session_id ${host} peer_session_id ${other} name l2u0 addr 192.168.7.${host}/24 up`,
    `add tunnel session tunnel_id ${IP_ID} peer_tunnel_id ${IP_ID} encap ip ${ends} ` +
    `session_id 1${host} peer_session_id 1${other} name l2i0 addr 192.168.8.${host}/24 up`,
  ].join("\n") + "\n";
}

async function build(namespace: Namespace, host: 1 | 2): Promise<void> {
  const ended = await l2tp(["-n", namespace.name, "-batch", "-"], { stdin: commands(host) });
  assertDeepStrictEquals(ended, { code: 0, stdout: "", stderr: "" });
}

Deno.test("tunnels between link-local addresses", async (t) => {
  requireL2tp();
  await using pair = await Pair.create();
  const { a, b } = pair;
  using _leftovers = {
    [Symbol.dispose]: () => {
      for (const pid of [...keepers(UDP_ID), ...keepers(IP_ID)]) Deno.kill(pid);
    },
  };
  await t.step("are made, over UDP and over IP, and outlive the command", async () => {
    await Promise.all([build(a, 1), build(b, 2)]);
    for (const [namespace, local, peer] of [[a, "fe80::1", "fe80::2"], [b, "fe80::2", "fe80::1"]] as const) {
      using client = clientIn(namespace);
      assertEquals(
        client.tunnels().map((tunnel) => [tunnel.tunnelId, tunnel.encap, tunnel.local, tunnel.peer]),
        [[UDP_ID, "udp", local, peer], [IP_ID, "ip", local, peer]],
      );
    }
    assertEquals([keepers(UDP_ID).length, keepers(IP_ID).length], [2, 2]);
  });
  await t.step("carry packets", async () => {
    for (const to of ["192.168.7.2", "192.168.8.2"]) {
      const said = await a.sh("ping", "-c", "3", "-i", "0.2", "-w", "10", to);
      assertMatch(said, /^3 packets transmitted, 3 received, 0% packet loss/m);
    }
    using client = clientIn(a);
    for (const { counters } of client.tunnels()) {
      assert(counters.txPackets >= 3n && counters.rxPackets >= 3n);
    }
  });
  await t.step("go when they are deleted, and their keepers with them", async () => {
    const [atA, atB] = [clientIn(a), clientIn(b)] as const;
    using _atA = atA;
    using _atB = atB;
    // A keeper receives the deletions of every namespace, and must ignore the other side's tunnel with the same id.
    atA.deleteTunnel(UDP_ID);
    await until("one keeper ends", () => keepers(UDP_ID).length === 1);
    assertNotStrictEquals(atB.tunnel(UDP_ID), undefined);
    assertStrictEquals(keepers(IP_ID).length, 2);
    atB.deleteTunnel(UDP_ID);
    await until("the other keeper ends", () => keepers(UDP_ID).length === 0);
    const ends = await Promise.all([a, b].map(({ name }) => l2tp(["-n", name, "flush"])));
    for (const ended of ends) assertDeepStrictEquals(ended, { code: 0, stdout: "", stderr: "" });
    await until("all keepers end", () => keepers(IP_ID).length === 0);
    await until("the tunnels are gone", () => atA.tunnels().length === 0 && atB.tunnels().length === 0);
  });
  await t.step("an interface that is not there", async () => {
    const [line] = commands(1).replaceAll("%cable", "%wire").split("\n");
    const { code, stdout, stderr } = await l2tp(["-n", a.name, ...line!.split(" ")]);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(
      stderr,
      /^RTNETLINK answers: No such device\n {2}There is no interface wire here\.\n/,
    );
    using client = clientIn(a);
    assertEquals(client.tunnels(), []);
    assertEquals(keepers(UDP_ID), []);
  });
  await t.step("a session that fails takes the tunnel and its keeper with it", async () => {
    const [line] = commands(1).replace("name l2u0", "name lo").split("\n");
    const { code, stderr } = await l2tp(["-n", a.name, ...line!.split(" ")]);
    assertEquals([code, stderr.split("\n")[0]], [2, "RTNETLINK answers: File exists"]);
    using client = clientIn(a);
    await until(
      "tunnel and keeper are gone",
      () => client.tunnels().length === 0 && keepers(UDP_ID).length === 0,
    );
  });
  for (const what of ["port", "id"] as const) {
    await t.step(`deleted and made again in one batch, with the same ${what}`, async () => {
      const [line] = commands(1).split("\n");
      const again = what === "id"
        ? line!.replace("udp_sport 5001", "udp_sport 5003")
        : line!.replace(`tunnel_id ${UDP_ID}`, `tunnel_id ${IP_ID}`);
      const batch = [line, `del tunnel tunnel_id ${UDP_ID}`, again];
      const ended = await l2tp(["-n", a.name, "-batch", "-"], { stdin: batch.join("\n") + "\n" });
      using client = clientIn(a);
      try {
        assertDeepStrictEquals(ended, { code: 0, stdout: "", stderr: "" });
        const id = what === "id" ? UDP_ID : IP_ID;
        assertEquals(client.tunnels().map(({ tunnelId }) => tunnelId), [id]);
        const keeping = (): number => keepers(UDP_ID).length + keepers(IP_ID).length;
        await until("only the keeper of the second is left", () => keeping() === 1);
        assertStrictEquals(keepers(id).length, 1);
      } finally {
        for (const { tunnelId } of client.tunnels()) client.deleteTunnel(tunnelId);
      }
      await until("all keepers end", () => keepers(UDP_ID).length + keepers(IP_ID).length === 0);
    });
  }
});
