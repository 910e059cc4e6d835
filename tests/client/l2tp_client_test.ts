/** `src/client/l2tp_client.ts` and `genl_family.ts` against the L2TP subsystem in memory. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ZERO_COUNTERS } from "../../src/model/counters.ts";
import { Errno } from "../../src/base/errno.ts";
import { FamilyMissingError, NetlinkError, NetlinkProtocolError } from "../../src/base/errors.ts";
import { resolveFamily } from "../../src/client/genl_family.ts";
import { L2tpClient, type L2tpClientOptions } from "../../src/client/l2tp_client.ts";
import { NetlinkConnection } from "../../src/driver/netlink/connection.ts";
import type { TunnelParameters } from "../../src/model/tunnel.ts";
import { encodeFamily } from "../../src/wire/genl/ctrl.ts";
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from "../../src/wire/netlink/constants.ts";
import { ack, FakeTransport, type KernelFunction, refuse, reply } from "../support/fake_kernel.ts";
import { FakeL2tpKernel, FAMILY_ID, GROUP_ID } from "../support/fake_l2tp_kernel.ts";
import { FakeLinks } from "../support/fake_links.ts";
import { sampleIpTunnel, sampleSession, sampleTunnel } from "../support/samples.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

const TUNNEL: TunnelParameters = {
  tunnelId: 3000,
  peerTunnelId: 4000,
  encap: "udp",
  local: "10.0.0.1",
  peer: "10.0.0.2",
  localPort: 5000,
  peerPort: 6000,
};
const SESSION = { tunnelId: 3000, sessionId: 1000, peerSessionId: 2000, interfaceName: "l2e0" };
const KEY = { tunnelId: 3000, sessionId: 1000 };

/** A client of a subsystem in memory; the requests of finding the family are already forgotten. */
function open(
  options?: L2tpClientOptions,
): { client: L2tpClient; kernel: FakeL2tpKernel; links: FakeLinks; transport: FakeTransport } {
  const links = new FakeLinks();
  links.add("eth0");
  links.addAddress("eth0", "10.0.0.1", 24);
  const kernel = new FakeL2tpKernel(links);
  const transport = new FakeTransport(kernel.handle);
  const connection = new NetlinkConnection(transport);
  const client = new L2tpClient(connection, resolveFamily(connection, "l2tp"), options);
  transport.requests.length = 0;
  return { client, kernel, links, transport };
}

/** A client of a kernel that answers everything the same way. */
function openOn(kernel: KernelFunction): L2tpClient {
  const connection = new NetlinkConnection(new FakeTransport(kernel));
  return new L2tpClient(connection, { name: "l2tp", id: FAMILY_ID, groups: new Map() });
}

Deno.test("resolveFamily() asks the controller and reads id and groups", () => {
  const kernel = new FakeL2tpKernel(new FakeLinks());
  const transport = new FakeTransport(kernel.handle);
  const family = resolveFamily(new NetlinkConnection(transport), "l2tp");
  assertDeepStrictEquals(family, { name: "l2tp", id: FAMILY_ID, groups: new Map([["l2tp", GROUP_ID]]) });
  assertDeepStrictEquals(transport.requests.map(({ type, flags }) => [type, flags]), [[
    16,
    NLM_F_REQUEST | NLM_F_ACK,
  ]]);
});

Deno.test("resolveFamily() throws FamilyMissingError where there is no such family", () => {
  const kernel = new FakeL2tpKernel(new FakeLinks());
  kernel.hasFamily = false;
  const connection = new NetlinkConnection(new FakeTransport(kernel.handle));
  const error = assertThrows(() => resolveFamily(connection, "l2tp"), FamilyMissingError);
  assertStrictEquals(error.family, "l2tp");
});

Deno.test("resolveFamily() passes other refusals on, and an acknowledgement without a family is none", () => {
  const denied = new NetlinkConnection(new FakeTransport((request) => [refuse(request, Errno.EPERM)]));
  assertFields(assertThrows(() => resolveFamily(denied, "l2tp")), {
    name: "NetlinkError",
    errno: Errno.EPERM,
  });
  const empty = new NetlinkConnection(new FakeTransport((request) => [ack(request)]));
  assertThrows(() => resolveFamily(empty, "l2tp"), NetlinkProtocolError);
});

Deno.test("L2tpClient.family is the one it was given, and requests carry its id", () => {
  const family = { name: "l2tp", id: 0x31, groups: new Map([["l2tp", 12]]) };
  const transport = new FakeTransport((request) =>
    request.type === 16 ? [reply(request, encodeFamily(family)), ack(request)] : [ack(request)]
  );
  const connection = new NetlinkConnection(transport);
  const client = new L2tpClient(connection, resolveFamily(connection, "l2tp"));
  client.noop();
  assertDeepStrictEquals(client.family, family);
  assertStrictEquals(transport.requests.at(-1)!.type, 0x31);
});

Deno.test("L2tpClient: one request for each call, with the right command", () => {
  const { client, kernel, transport } = open();
  client.noop();
  client.createTunnel(TUNNEL);
  client.announceTunnel(3000);
  client.tunnel(3000);
  client.tunnels();
  client.createSession(SESSION);
  client.modifySession(KEY, { lnsMode: true });
  client.session(KEY);
  client.sessions();
  client.deleteSession(KEY);
  client.deleteTunnel(3000);
  assertEquals(kernel.commands, [
    "NOOP",
    "TUNNEL_CREATE",
    "TUNNEL_MODIFY",
    "TUNNEL_GET",
    "TUNNEL_GET",
    "SESSION_CREATE",
    "SESSION_MODIFY",
    "SESSION_GET",
    "SESSION_GET",
    "SESSION_DELETE",
    "TUNNEL_DELETE",
  ]);
  assertEquals(
    transport.requests.map(({ flags }) => flags === (NLM_F_REQUEST | NLM_F_DUMP) ? "dump" : flags),
    [5, 5, 5, 5, "dump", 5, 5, 5, "dump", 5, 5],
  );
  assertStrictEquals(transport.unread, 0);
});

Deno.test("L2tpClient.createTunnel(), tunnel() and tunnels(): what was made is what is there", () => {
  const { client } = open();
  assertEquals(client.tunnels(), []);
  client.createTunnel(TUNNEL);
  client.createTunnel({ tunnelId: 1, peerTunnelId: 2, encap: "ip", local: "10.0.0.1", peer: "10.0.0.3" });
  const ip = sampleIpTunnel({ tunnelId: 1, peerTunnelId: 2, peer: "10.0.0.3" });
  assertDeepStrictEquals(client.tunnel(3000), sampleTunnel());
  assertDeepStrictEquals(client.tunnel(1), ip);
  assertDeepStrictEquals(client.tunnels(), [ip, sampleTunnel()]);
  assertDeepStrictEquals(
    client.tunnels({ counters: false }),
    [ip, sampleTunnel()].map((tunnel) => ({ ...tunnel, counters: ZERO_COUNTERS })),
  );
});

Deno.test("L2tpClient.createSession(), session() and sessions(): what was made is what is there", () => {
  const { client, links } = open();
  client.createTunnel(TUNNEL);
  const cookie = Uint8Array.of(1, 2, 3, 4);
  client.createSession({ ...SESSION, cookie, sendSeq: true, reorderTimeoutMs: 20, lnsMode: true });
  const expected = sampleSession({ cookie, sendSeq: true, reorderTimeoutMs: 20, lnsMode: true });
  assertDeepStrictEquals(client.session(KEY), expected);
  assertDeepStrictEquals(client.session({ interfaceName: "l2e0" }), expected);
  assertDeepStrictEquals(client.sessions(), [expected]);
  assertDeepStrictEquals(client.sessions({ counters: false }), [{ ...expected, counters: ZERO_COUNTERS }]);
  assert(links.byName("l2e0"));
  client.createSession({ tunnelId: 3000, sessionId: 1001, peerSessionId: 1, pseudowire: "ppp" });
  assertStrictEquals(client.session({ tunnelId: 3000, sessionId: 1001 })!.interfaceName, undefined);
});

Deno.test("L2tpClient.tunnel() and session() are undefined for what is not there, and only then", () => {
  const { client, kernel } = open();
  assertStrictEquals(client.tunnel(3000), undefined);
  assertStrictEquals(client.session(KEY), undefined);
  assertStrictEquals(client.session({ interfaceName: "no" }), undefined);
  for (const errno of [Errno.EPERM, Errno.ENOENT, Errno.EINVAL]) {
    kernel.refuseNext("TUNNEL_GET", errno);
    kernel.refuseNext("SESSION_GET", errno);
    assertFields(assertThrows(() => client.tunnel(3000)), { errno, operation: "L2TP_CMD_TUNNEL_GET" });
    assertFields(assertThrows(() => client.session(KEY)), { errno, operation: "L2TP_CMD_SESSION_GET" });
  }
});

Deno.test("L2tpClient.tunnel() and session() do not take an acknowledgement without a reply", () => {
  const client = openOn((request) => [ack(request)]);
  assertFields(assertThrows(() => client.tunnel(1)), {
    name: "NetlinkProtocolError",
    operation: "L2TP_CMD_TUNNEL_GET",
  });
  assertFields(assertThrows(() => client.session(KEY)), {
    name: "NetlinkProtocolError",
    operation: "L2TP_CMD_SESSION_GET",
  });
});

Deno.test("L2tpClient.modifySession() changes what is given and nothing else", () => {
  const { client } = open();
  client.createTunnel(TUNNEL);
  client.createSession({ ...SESSION, sendSeq: true, recvSeq: true });
  client.modifySession(KEY, { sendSeq: false, reorderTimeoutMs: 100 });
  assertDeepStrictEquals(client.session(KEY), sampleSession({ recvSeq: true, reorderTimeoutMs: 100 }));
  client.modifySession({ interfaceName: "l2e0" }, { lnsMode: true, reorderTimeoutMs: 0 });
  assertDeepStrictEquals(client.session(KEY), sampleSession({ recvSeq: true, lnsMode: true }));
});

Deno.test("L2tpClient.deleteSession() and deleteTunnel() delete; a tunnel takes its sessions along", () => {
  const { client, links } = open();
  client.createTunnel(TUNNEL);
  client.createSession(SESSION);
  client.createSession({ ...SESSION, sessionId: 1001, interfaceName: "l2e1" });
  client.deleteSession({ interfaceName: "l2e0" });
  assertEquals(client.sessions().map(({ sessionId }) => sessionId), [1001]);
  client.deleteTunnel(3000);
  assertEquals([client.tunnels(), client.sessions()], [[], []]);
  assertStrictEquals(links.byName("l2e1"), undefined);
});

Deno.test("L2tpClient: what the kernel refuses, with the name of the command", () => {
  const { client } = open();
  const table: [action: () => void, operation: string, errno: number][] = [
    [
      () => client.createTunnel({ ...TUNNEL, local: "10.9.9.9" }),
      "L2TP_CMD_TUNNEL_CREATE",
      Errno.EADDRNOTAVAIL,
    ],
    [() => client.createTunnel({ ...TUNNEL, peer: "fd00::2" }), "L2TP_CMD_TUNNEL_CREATE", Errno.EINVAL],
    [() => client.deleteTunnel(1), "L2TP_CMD_TUNNEL_DELETE", Errno.ENODEV],
    [() => client.announceTunnel(1), "L2TP_CMD_TUNNEL_MODIFY", Errno.ENODEV],
    [() => client.createSession(SESSION), "L2TP_CMD_SESSION_CREATE", Errno.ENODEV],
    [() => client.modifySession(KEY, {}), "L2TP_CMD_SESSION_MODIFY", Errno.ENODEV],
    [() => client.deleteSession(KEY), "L2TP_CMD_SESSION_DELETE", Errno.ENODEV],
  ];
  for (const [action, operation, errno] of table) {
    assertFields(assertThrows(action), { name: "NetlinkError", operation, errno }, operation);
  }
  const denied = open();
  denied.kernel.privileged = false;
  denied.client.noop();
  assertFields(assertThrows(() => denied.client.tunnels()), {
    operation: "L2TP_CMD_TUNNEL_GET",
    errno: Errno.EPERM,
  });
  assertFields(assertThrows(() => denied.client.sessions()), {
    operation: "L2TP_CMD_SESSION_GET",
    errno: Errno.EPERM,
  });
});

Deno.test("L2tpClient.createTunnel() tries again while what it deleted itself is still going", () => {
  const { client, kernel } = open();
  client.createTunnel(TUNNEL);
  kernel.lingering = 4;
  client.deleteTunnel(3000);
  kernel.commands.length = 0;
  client.createTunnel(TUNNEL);
  assertEquals(kernel.commands, Array(5).fill("TUNNEL_CREATE"));
  assertDeepStrictEquals(client.tunnel(3000), sampleTunnel());
});

Deno.test("L2tpClient.createTunnel() tries again for an address in use as well", () => {
  const { client, kernel } = open();
  client.createTunnel(TUNNEL);
  client.deleteTunnel(3000);
  kernel.refuseNext("TUNNEL_CREATE", Errno.EADDRINUSE);
  client.createTunnel(TUNNEL);
  assert(kernel.tunnels.has(3000));
});

Deno.test("L2tpClient.createSession() tries again after a session was deleted", () => {
  const { client, kernel } = open();
  client.createTunnel(TUNNEL);
  client.createSession(SESSION);
  kernel.lingering = 3;
  client.deleteSession(KEY);
  kernel.commands.length = 0;
  client.createSession(SESSION);
  assertEquals(kernel.commands, Array(4).fill("SESSION_CREATE"));
});

Deno.test("L2tpClient.createTunnel() does not try again if it deleted nothing", () => {
  const { client, kernel } = open();
  client.createTunnel(TUNNEL);
  kernel.commands.length = 0;
  assertFields(assertThrows(() => client.createTunnel(TUNNEL)), { errno: Errno.EEXIST });
  assertEquals(kernel.commands, ["TUNNEL_CREATE"]);
});

Deno.test("L2tpClient.createTunnel() does not try again if its deletion was refused", () => {
  const { client, kernel } = open();
  client.createTunnel(TUNNEL);
  assertFields(assertThrows(() => client.deleteTunnel(9)), { errno: Errno.ENODEV });
  assertFields(assertThrows(() => client.deleteSession({ tunnelId: 3000, sessionId: 9 })), {
    errno: Errno.ENODEV,
  });
  kernel.commands.length = 0;
  assertFields(assertThrows(() => client.createTunnel(TUNNEL)), { errno: Errno.EEXIST });
  assertEquals(kernel.commands, ["TUNNEL_CREATE"]);
});

Deno.test("L2tpClient.createTunnel() does not try again for any other error", () => {
  const { client, kernel } = open();
  client.createTunnel(TUNNEL);
  client.deleteTunnel(3000);
  kernel.commands.length = 0;
  assertFields(assertThrows(() => client.createTunnel({ ...TUNNEL, local: "10.9.9.9" })), {
    errno: Errno.EADDRNOTAVAIL,
  });
  assertEquals(kernel.commands, ["TUNNEL_CREATE"]);
});

Deno.test("L2tpClient.createTunnel() gives up after a second and says why", () => {
  const { client, kernel } = open();
  client.createTunnel(TUNNEL);
  client.createTunnel({ ...TUNNEL, tunnelId: 1, localPort: 5001 });
  client.deleteTunnel(1);
  kernel.commands.length = 0;
  const start = performance.now();
  assertFields(assertThrows(() => client.createTunnel(TUNNEL)), {
    name: "NetlinkError",
    errno: Errno.EEXIST,
  });
  const elapsedMs = performance.now() - start;
  // A lower bound only: a busy machine may take any time.
  assert(elapsedMs >= 900, `${elapsedMs} ms`);
  assert(kernel.commands.length > 10 && kernel.commands.length < 100, `${kernel.commands.length} tries`);
});

Deno.test("L2tpClient.createSession() asks first where the kernel would take the same id twice", () => {
  const { client, kernel, links } = open({ acceptsDuplicateSessions: true });
  kernel.acceptsDuplicates = true;
  client.createTunnel(TUNNEL);
  client.createSession(SESSION);
  kernel.commands.length = 0;
  const error = assertThrows(() => client.createSession({ ...SESSION, interfaceName: "l2e1" }), NetlinkError);
  assertEquals([error.operation, error.code], ["L2TP_CMD_SESSION_CREATE", "EEXIST"]);
  assertEquals(kernel.commands, ["SESSION_GET"]);
  assertStrictEquals(links.byName("l2e1"), undefined);
  client.createSession({ ...SESSION, sessionId: 1001, interfaceName: "l2e1" });
  assertStrictEquals(kernel.sessions.length, 2);
});

Deno.test("L2tpClient.createSession() asks by the ids, not by the interface's name", () => {
  const { client, kernel } = open({ acceptsDuplicateSessions: true });
  client.createTunnel(TUNNEL);
  client.createSession(SESSION);
  // Another session with the name of the first: the kernel's own refusal, not a wrong answer to the question.
  assertFields(assertThrows(() => client.createSession({ ...SESSION, sessionId: 1001 })), {
    errno: Errno.EEXIST,
  });
  assertEquals(kernel.commands.slice(-2), ["SESSION_GET", "SESSION_CREATE"]);
});

Deno.test("L2tpClient.createSession() does not ask where the kernel refuses a duplicate itself", () => {
  const { client, kernel } = open();
  client.createTunnel(TUNNEL);
  client.createSession(SESSION);
  kernel.commands.length = 0;
  assertFields(assertThrows(() => client.createSession({ ...SESSION, interfaceName: "l2e1" })), {
    errno: Errno.EEXIST,
  });
  assertEquals(kernel.commands, ["SESSION_CREATE"]);
});

Deno.test("L2tpClient.createTunnel() refuses what is no address before anything is sent", () => {
  const { client, transport } = open();
  assertThrows(() => client.createTunnel({ ...TUNNEL, peer: "example.org" }), RangeError);
  assertStrictEquals(transport.requests.length, 0);
});

Deno.test("L2tpClient: 10,000 sessions are listed whole", () => {
  const { client, kernel } = open();
  kernel.sessions = Array.from({ length: 10_000 }, (_, i) => sampleSession({ sessionId: i + 1 }));
  const ids = client.sessions().map(({ sessionId }) => sessionId);
  assertStrictEquals(ids.length, 10_000);
  assert(ids.every((id, i) => id === i + 1));
});

Deno.test("L2tpClient closes its connection", () => {
  const { client, transport } = open();
  client[Symbol.dispose]();
  assertStrictEquals(transport.disposals, 1);
});
