/** `src/subsystem/`: the state after the platform fails halfway. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Errno } from "../../src/base/errno.ts";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { encodeSessionCommand, encodeSessionCreate } from "../../src/wire/genl/l2tp/session.ts";
import { encodeTunnelCommand } from "../../src/wire/genl/l2tp/tunnel.ts";
import { SESSION, SubsystemFixture } from "./fixture.ts";
import type { PlatformCall } from "./fake_platform.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

Deno.test("SESSION_CREATE: a failure at each step leaves nothing behind", () => {
  const steps: [call: PlatformCall, pseudowire: "eth" | "ppp", undone: PlatformCall[]][] = [
    ["createEthernetDevice", "eth", []],
    ["startSession", "eth", ["delete"]],
    ["startSession", "ppp", []],
  ];
  for (const [call, pseudowire, undone] of steps) {
    const bench = new SubsystemFixture();
    bench.addTunnel();
    bench.platform.failNext(call, Errno.ENOMEM);
    bench.platform.calls.length = 0;
    const { answer, ack } = bench.ask(encodeSessionCreate({ ...SESSION, pseudowire }));
    assertStrictEquals(ack?.errno, Errno.ENOMEM, call);
    assertEquals(bench.platform.calls.slice(bench.platform.calls.indexOf(call) + 1), undone, call);
    const { journalEntries, traces, notifications, cleanupErrors } = answer;
    assertEquals({ journalEntries, traces, notifications, cleanupErrors }, {
      journalEntries: [],
      traces: [],
      notifications: [],
      cleanupErrors: [],
    });
    bench.assertConsistent();
    bench.addSession({ pseudowire });
  }
});

Deno.test("SESSION_CREATE: if undoing fails as well, the first failure is the answer and the second is told", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel();
  bench.platform.failNext("startSession", Errno.ENOMEM);
  bench.platform.failNext("delete", Errno.EBUSY);
  const { answer, ack } = bench.ask(encodeSessionCreate(SESSION));
  assertStrictEquals(ack?.errno, Errno.ENOMEM);
  assertEquals(answer.cleanupErrors.map((mishap) => mishap.errno), [Errno.EBUSY]);
  assertStrictEquals(bench.subsystem.sessionCount, 0);
});

Deno.test("deleting cannot fail: errors of the platform are reported, and everything is removed", () => {
  for (const call of ["stop", "delete", "close"] as const) {
    const bench = new SubsystemFixture();
    bench.addTunnel();
    bench.addSession();
    bench.addSession({ sessionId: 1001 });
    bench.platform.failNext(call, Errno.EBADF);
    const { answer } = bench.succeed(encodeTunnelCommand(L2TP_CMD.TUNNEL_DELETE, 3000));
    assertEquals(answer.cleanupErrors.map((mishap) => mishap.call), [call]);
    bench.assertConsistent();
    assertStrictEquals(bench.platform.devices.size, 0);
  }
});

Deno.test("what cannot be notified of happens all the same", () => {
  const bench = new SubsystemFixture();
  bench.platform.failNext("counters", Errno.ENOMEM);
  const created = bench.addTunnel().answer;
  assertDeepStrictEquals([
    created.notifications.length,
    created.cleanupErrors.length,
    created.journalEntries.length,
  ], [
    0,
    1,
    1,
  ]);
  bench.addSession();
  bench.platform.failNext("state", Errno.ENOMEM);
  const key = { tunnelId: 3000, sessionId: 1000 };
  const deleted = bench.succeed(encodeSessionCommand(L2TP_CMD.SESSION_DELETE, key)).answer;
  assertDeepStrictEquals([
    deleted.notifications.length,
    deleted.cleanupErrors.length,
    deleted.journalEntries.length,
  ], [
    0,
    1,
    1,
  ]);
  bench.assertConsistent();
});

Deno.test("an unexpected error of the platform is thrown on, and the tables stay consistent", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel();
  const socket = [...bench.platform.sockets][0]!;
  socket.startSession = (): never => {
    throw new TypeError("bug");
  };
  assertThrows(() => bench.ask(encodeSessionCreate(SESSION)), TypeError);
  bench.assertConsistent();
});
