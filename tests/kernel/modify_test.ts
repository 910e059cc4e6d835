/**
 * Changes to living sessions on a real kernel, by ids and by interface name, through the library and the command
 * line; announcements of tunnels.
 */

import { assert, assertStrictEquals, assertThrows } from "@std/assert";
import { L2tpEvents } from "../../src/client/l2tp_events.ts";
import type { L2tpClient } from "../../src/client/l2tp_client.ts";
import type { Session, SessionKey } from "../../src/model/session.ts";
import type { Namespace } from "../support/namespaces.ts";
import { l2tp as program } from "../support/processes.ts";
import { clientIn, linkNames, openHost, requireL2tp, until } from "./kernel.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

const BY_IDS = { tunnelId: 1, sessionId: 10 } as const;
const BY_NAME = { interfaceName: "l2e0" } as const;
const BOTH: readonly SessionKey[] = [BY_IDS, BY_NAME];

/** Tunnel 1 with session 10, interface l2e0. */
function build(namespace: Namespace): L2tpClient {
  const client = clientIn(namespace);
  const addresses = { local: "10.0.0.1", peer: "10.0.0.2" };
  client.createTunnel({ tunnelId: 1, peerTunnelId: 2, encap: "ip", ...addresses });
  client.createSession({ tunnelId: 1, sessionId: 10, peerSessionId: 20, interfaceName: "l2e0" });
  return client;
}

/** Returns the changeable properties of the session. */
function state(client: L2tpClient): Pick<Session, "sendSeq" | "recvSeq" | "lnsMode" | "reorderTimeoutMs"> {
  const [session, ...more] = BOTH.map((key) => client.session(key)!);
  for (const other of more) assertDeepStrictEquals(other, session, "by ids and by name it is the same one");
  const { sendSeq, recvSeq, lnsMode, reorderTimeoutMs } = session!;
  return { sendSeq, recvSeq, lnsMode, reorderTimeoutMs };
}

const AT_REST = { sendSeq: false, recvSeq: false, lnsMode: false, reorderTimeoutMs: 0 };

Deno.test("sessions are changed by ids and by name", async (t) => {
  requireL2tp();
  await using host = await openHost("modify");
  using client = build(host);
  assertDeepStrictEquals(state(client), AT_REST);
  for (const key of BOTH) {
    await t.step(`${"tunnelId" in key ? "by ids" : "by name"}: one thing at a time`, () => {
      const changes = { sendSeq: true, recvSeq: true, lnsMode: true, reorderTimeoutMs: 1000 };
      let expected: typeof AT_REST = AT_REST;
      for (const [member, value] of Object.entries(changes)) {
        client.modifySession(key, { [member]: value });
        expected = { ...expected, [member]: value };
        assertDeepStrictEquals(state(client), expected);
      }
      client.modifySession(key, {});
      assertDeepStrictEquals(state(client), expected, "no change is none");
      client.modifySession(key, AT_REST);
      assertDeepStrictEquals(state(client), AT_REST);
    });
  }
  await t.step("what is not there", () => {
    const missing: readonly SessionKey[] = [
      { tunnelId: 1, sessionId: 11 },
      { tunnelId: 2, sessionId: 10 },
      { interfaceName: "l2e1" },
    ];
    for (const key of missing) {
      assertStrictEquals(client.session(key), undefined);
      assertFields(assertThrows(() => client.modifySession(key, { sendSeq: true })), { code: "ENODEV" });
      assertFields(assertThrows(() => client.deleteSession(key)), { code: "ENODEV" });
    }
  });
  await t.step("a timeout is kept in ticks, rounded up", () => {
    const readBack = (reorderTimeoutMs: number): number => {
      client.modifySession(BY_IDS, { reorderTimeoutMs });
      return state(client).reorderTimeoutMs;
    };
    const tick = readBack(1);
    // CONFIG_HZ 1000, 250 (Debian) or 100; 300 has ticks that are no whole milliseconds.
    assert([1, 4, 10].includes(tick), `a tick of ${tick} ms`);
    for (const milliseconds of [0, 1, 7, 100, 333, 1500, 86_400_001]) {
      assertStrictEquals(readBack(milliseconds), Math.ceil(milliseconds / tick) * tick);
    }
    if (tick === 4) assertStrictEquals(readBack(333), 336);
    assertStrictEquals(readBack(0), 0);
  });
  await t.step("the name is the one at creation, and deletes", async () => {
    await host.ip("link set l2e0 name renamed");
    assertStrictEquals(client.session(BY_NAME)?.sessionId, 10);
    assertStrictEquals(client.session({ interfaceName: "renamed" }), undefined);
    client.deleteSession(BY_NAME);
    await until(
      "session and interface go",
      () => client.session(BY_IDS) === undefined && !linkNames(host).includes("renamed"),
    );
    assertStrictEquals(client.tunnels().length, 1);
  });
});

Deno.test("l2tp set: sessions change, tunnels are announced", async () => {
  requireL2tp();
  await using host = await openHost("set");
  using client = build(host);
  using events = L2tpEvents.open();
  const batch = [
    "set session tunnel_id 1 session_id 10 seq both lns_mode on reorder_timeout 1000",
    "show session",
    "set session name l2e0 seq none",
    "show session",
    "session set name l2e0 seq recv lns_mode off reorder_timeout 0",
    "set tunnel tunnel_id 1",
  ];
  const ended = await program(["-n", host.name, "-batch", "-"], { stdin: batch.join("\n") + "\n" });
  const head = `Session 10 in tunnel 1\n  Peer session 20, tunnel 2\n  interface name: l2e0\n` +
    "  offset 0, peer offset 0\n";
  assertDeepStrictEquals(ended, {
    code: 0,
    stdout:
      `${head}  reorder timeout: 1000\n  sequence numbering: send recv\n${head}  reorder timeout: 1000\n`,
    stderr: "",
  });
  assertDeepStrictEquals(state(client), { ...AT_REST, recvSeq: true });

  const heard: unknown[] = [];
  for await (const event of events) {
    assert(event.type !== "eventsLost");
    if ("tunnel" in event) {
      heard.push([event.type, event.tunnel.tunnelId]);
      break;
    }
    const { sendSeq, recvSeq, lnsMode, reorderTimeoutMs } = event.session;
    heard.push([event.type, sendSeq, recvSeq, lnsMode, reorderTimeoutMs]);
  }
  assertDeepStrictEquals(heard, [
    ["sessionModified", true, true, true, 1000],
    ["sessionModified", false, false, true, 1000],
    ["sessionModified", false, true, false, 0],
    ["tunnelModified", 1],
  ]);
});
