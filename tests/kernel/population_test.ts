/**
 * Many tunnels on a real kernel: made, listed completely, picked, deleted.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { l2tp, runProgram } from "../support/processes.ts";
import { clientIn, deleteTunnels, linkNames, openHost, requireL2tp, until } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const COUNT = 1000;
/** Apart from the tunnels' ids, so that one taken for the other shows. */
const SESSION_BASE = 100_000;

function batch(): string {
  const lines: string[] = [];
  for (let id = 1; id <= COUNT; id++) {
    lines.push(
      `l2tp add tunnel tunnel_id ${id} peer_tunnel_id ${id + COUNT} encap udp ` +
        `local 10.0.0.1 remote 10.0.0.2 udp_sport ${10_000 + id} udp_dport ${20_000 + id}`,
      `l2tp add session name s${id} tunnel_id ${id} session_id ${SESSION_BASE + id} ` +
        `peer_session_id ${2 * SESSION_BASE + id}`,
    );
  }
  return lines.join("\n") + "\n";
}

/** jq's answer to the filter, itself JSON. */
async function jq(json: string, filter: string): Promise<unknown> {
  const { code, stdout, stderr } = await runProgram(["jq", "-c", filter], { stdin: json });
  assertDeepStrictEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

Deno.test(`${COUNT} tunnels with a session each`, async (t) => {
  requireL2tp();
  await using host = await openHost("many");
  using client = clientIn(host);
  const ids = Array.from({ length: COUNT }, (_, i) => i + 1);
  try {
    await t.step("made by one batch", async () => {
      const file = await Deno.makeTempFile();
      try {
        await Deno.writeTextFile(file, batch());
        assertDeepStrictEquals(await l2tp(["-n", host.name, "-batch", file]), {
          code: 0,
          stdout: "",
          stderr: "",
        });
      } finally {
        await Deno.remove(file);
      }
    });
    await t.step("listed completely by the library", () => {
      const tunnels = client.tunnels().toSorted((a, b) => a.tunnelId - b.tunnelId);
      assertDeepStrictEquals(tunnels.map(({ tunnelId }) => tunnelId), ids);
      assertDeepStrictEquals(tunnels.map(({ localPort }) => localPort), ids.map((id) => 10_000 + id));
      const sessions = client.sessions().toSorted((a, b) => a.tunnelId - b.tunnelId);
      assertDeepStrictEquals(
        sessions.map(({ tunnelId, sessionId, interfaceName }) => [tunnelId, sessionId, interfaceName]),
        ids.map((id) => [id, SESSION_BASE + id, `s${id}`]),
      );
    });
    await t.step("listed completely by l2tp -j show", async () => {
      const { code, stdout, stderr } = await l2tp(["-n", host.name, "-j", "show"]);
      assertDeepStrictEquals([code, stderr], [0, ""]);
      assertDeepStrictEquals(await jq(stdout, "map(.tunnel_id) | sort"), ids);
      assertDeepStrictEquals(
        await jq(stdout, "map({(.tunnel_id | tostring): [.sessions[] | .session_id, .interface]}) | add"),
        Object.fromEntries(ids.map((id) => [id, [SESSION_BASE + id, `s${id}`]])),
      );
    });
    await t.step("picked by filters", async () => {
      const lines = [
        "show session tunnel_id 500",
        "show session tunnel_id 9999",
        "show tunnel udp_dport 20777",
      ];
      const { stdout } = await l2tp(["-n", host.name, "-j", "-batch", "-"], {
        stdin: lines.join("\n") + "\n",
      });
      const [sessions, none, tunnels, ...more] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
      assertEquals(more, []);
      assertDeepStrictEquals(
        sessions.map((row: Record<string, unknown>) => [row["tunnel_id"], row["session_id"]]),
        [[500, SESSION_BASE + 500]],
      );
      assertEquals(none, []);
      assertEquals(tunnels.map((row: Record<string, unknown>) => row["tunnel_id"]), [777]);
    });
    await t.step("emptied by l2tp flush", async () => {
      const ended = await l2tp(["-n", host.name, "-s", "flush"]);
      assertDeepStrictEquals(ended, { code: 0, stdout: `Deleted ${COUNT} tunnels\n`, stderr: "" });
      await until("all are gone", () => client.tunnels().length === 0 && client.sessions().length === 0);
      await until("all interfaces are gone", () => !linkNames(host).some((name) => name.startsWith("s")));
    });
  } finally {
    await deleteTunnels(host);
  }
});

Deno.test("a batch that fails in the middle", async (t) => {
  requireL2tp();
  await using host = await openHost("half");
  using client = clientIn(host);
  const ids = Array.from({ length: 40 }, (_, i) => i + 1);
  // Tunnel 21 cannot be made: port 10_005 is tunnel 5's.
  const broken = 21;
  const stdin = ids.flatMap((id) => [
    `add tunnel tunnel_id ${id} peer_tunnel_id ${id} local 10.0.0.1 remote 10.0.0.2 ` +
    `udp_sport ${id === broken ? 10_005 : 10_000 + id} udp_dport 6000`,
    `add session name s${id} tunnel_id ${id} session_id ${id} peer_session_id ${id}`,
  ]).join("\n") + "\n";
  const line = 2 * broken - 1;
  const state = (): unknown => ({
    tunnels: client.tunnels().map(({ tunnelId }) => tunnelId).toSorted((a, b) => a - b),
    sessions: client.sessions().map(({ sessionId }) => sessionId).toSorted((a, b) => a - b),
    links: linkNames(host).filter((name) => name.startsWith("s")).length,
  });
  const expected = (left: number[]): unknown => ({ tunnels: left, sessions: left, links: left.length });
  const comesTo = async (left: number[]): Promise<void> => {
    await until(`tunnels ${left}`, () => JSON.stringify(state()) === JSON.stringify(expected(left)));
  };
  const told = "RTNETLINK answers: Address already in use\n" +
    `  Tunnel 5 (UDP from 10.0.0.1 port 10005 to 10.0.0.2 port 6000, peer tunnel 5) has UDP port 10005.\n` +
    `  Choose another udp_sport; each tunnel needs its own.\nCommand failed -:${line}\n`;
  await t.step("stops at the error, and undoes the line", async () => {
    const ended = await l2tp(["-n", host.name, "-batch", "-"], { stdin });
    assertEquals(ended, { code: 1, stdout: "", stderr: told });
    await comesTo(ids.filter((id) => id < broken));
  });
  await deleteTunnels(host);
  await until("all interfaces are gone", () => !linkNames(host).some((name) => name.startsWith("s")));
  await t.step("goes on with -force", async () => {
    const { code, stdout, stderr } = await l2tp(["-n", host.name, "-force", "-batch", "-"], { stdin });
    assertEquals([code, stdout], [1, ""]);
    const orphan = `RTNETLINK answers: No such device\n` +
      `  There is no tunnel ${broken} in this network namespace.\n`;
    assert(stderr.startsWith(`${told}${orphan}`), stderr);
    assertMatch(stderr, new RegExp(`\nCommand failed -:${line + 1}\n$`));
    await comesTo(ids.filter((id) => id !== broken));
  });
  await deleteTunnels(host);
});
