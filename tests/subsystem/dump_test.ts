/** `src/subsystem/dump.ts`, `tables.ts`: dumps in order, in pieces, while the tables change. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { DUMP_DATAGRAM_MAX, dumpDatagrams } from "../../src/subsystem/dump.ts";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { encodeSessionCommand } from "../../src/wire/genl/l2tp/session.ts";
import { encodeTunnelCommand } from "../../src/wire/genl/l2tp/tunnel.ts";
import { decodeDone, decodeMessages } from "../../src/wire/netlink/message.ts";
import { Random, setting } from "../support/random.ts";
import { idOf, readDump, SubsystemFixture } from "./fixture.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x12c0ffee);

Deno.test("dumps: ascending tunnels, ascending sessions, of one namespace, version 2's session 0 left out", () => {
  const bench = new SubsystemFixture();
  assertEquals(bench.list(L2TP_CMD.TUNNEL_GET), []);
  assertEquals(bench.list(L2TP_CMD.SESSION_GET), []);
  for (const tunnelId of [4_000_000_000, 7, 0, 30]) {
    bench.addTunnel({ tunnelId, localPort: undefined, version: tunnelId === 7 ? 2 : 3 });
    for (const sessionId of [5, 0, 0xffff_ffff, 1]) {
      bench.addSession({ tunnelId, sessionId, pseudowire: "ppp" });
    }
  }
  bench.caller = { ...bench.caller, netns: "b" };
  bench.addTunnel({ tunnelId: 1 });
  assertEquals(bench.list(L2TP_CMD.TUNNEL_GET), ["1"]);
  bench.caller = { ...bench.caller, netns: "a" };
  assertEquals(bench.list(L2TP_CMD.TUNNEL_GET), ["0", "7", "30", "4000000000"]);
  assertEquals(
    bench.list(L2TP_CMD.SESSION_GET),
    [0, 7, 30, 4_000_000_000].flatMap((tunnel) =>
      [0, 1, 5, 0xffff_ffff].filter((session) => tunnel !== 7 || session !== 0)
        .map((session) => `${tunnel}/${session}`)
    ),
  );
});

Deno.test("dumps: datagrams are full but not too long, and made only when asked for", () => {
  const bench = new SubsystemFixture();
  for (let tunnelId = 0; tunnelId < 500; tunnelId++) bench.addTunnel({ tunnelId, localPort: undefined });
  bench.platform.calls.length = 0;
  const dump = bench.startDump(L2TP_CMD.TUNNEL_GET);
  assertStrictEquals(bench.platform.calls.length, 0);
  const first = dump.next().value!;
  assert(first.length <= DUMP_DATAGRAM_MAX && first.length > DUMP_DATAGRAM_MAX - 1300, `${first.length}`);
  const shown = decodeMessages(first).length;
  assertStrictEquals(bench.platform.calls.length, shown, "none was read that was not told");
  assertStrictEquals(readDump(dump).length, 500 - shown);
  // Giving up is fine.
  const other = bench.startDump(L2TP_CMD.TUNNEL_GET);
  other.next();
  assertStrictEquals(other.return?.().done, true);
});

Deno.test("dumps: what is there all the time is told once, in order, whatever comes and goes meanwhile", () => {
  for (let round = 0; round < 20; round++) {
    const random = new Random(SEED + round);
    const bench = new SubsystemFixture();
    const stable = new Set<string>();
    const addTunnel = (tunnelId: number): void => void bench.addTunnel({ tunnelId, localPort: undefined });
    const addSession = (tunnelId: number, sessionId: number): void =>
      void bench.addSession({ tunnelId, sessionId, pseudowire: "ppp" });
    for (let tunnelId = 0; tunnelId < 60; tunnelId++) {
      addTunnel(tunnelId);
      for (let sessionId = 0; sessionId < 10; sessionId++) {
        addSession(tunnelId, sessionId);
        // Even tunnels and sessions stay.
        if (tunnelId % 2 === 0 && sessionId % 2 === 0) stable.add(`${tunnelId}/${sessionId}`);
      }
    }
    const dump = bench.startDump(L2TP_CMD.SESSION_GET);
    const seen: string[] = [];
    for (let step = dump.next(); step.done !== true; step = dump.next()) {
      seen.push(...decodeMessages(step.value).filter((message) => message.type !== 3).map(idOf));
      for (let n = 0; n < 40; n++) {
        const tunnelId = random.below(60);
        const sessionId = 1 + 2 * random.below(5);
        const gone = 1 + 2 * random.below(30);
        bench.ask(encodeSessionCommand(L2TP_CMD.SESSION_DELETE, { tunnelId, sessionId }));
        if (
          random.oneIn(2) && bench.ask(encodeTunnelCommand(L2TP_CMD.TUNNEL_GET, tunnelId)).ack?.errno === 0
        ) {
          addSession(tunnelId, sessionId);
        }
        bench.ask(encodeTunnelCommand(L2TP_CMD.TUNNEL_DELETE, gone));
        if (random.oneIn(2)) addTunnel(gone);
      }
      bench.assertConsistent();
    }
    const order = seen.map((id) => id.split("/").map(Number)).map(([tunnel, session]) =>
      1000 * tunnel! + session!
    );
    assertDeepStrictEquals(
      order,
      [...new Set(order)].sort((a, b) => a - b),
      `round ${round}: in order, once`,
    );
    const told = new Set(seen);
    assertEquals([...stable].filter((id) => !told.has(id)), [], `round ${round}: nothing is missing`);
  }
});

Deno.test("dumps: the namespace may vanish and come back meanwhile", () => {
  const bench = new SubsystemFixture();
  for (let tunnelId = 0; tunnelId < 300; tunnelId++) bench.addTunnel({ tunnelId, localPort: undefined });
  const dump = bench.startDump(L2TP_CMD.TUNNEL_GET);
  const last = decodeMessages(dump.next().value!).map(idOf).at(-1)!;
  bench.subsystem.dropNamespace("a");
  bench.addTunnel({ tunnelId: 1 });
  bench.addTunnel({ tunnelId: 1000, localPort: undefined });
  assert(Number(last) > 1);
  assertEquals(readDump(dump), ["1000"]);
});

Deno.test("dumps: a failure on the way is told at the end, behind what was read", () => {
  function* payloads(): Generator<Uint8Array> {
    yield Uint8Array.of(4, 1, 0, 0);
    throw new SyscallError("read", Errno.ENOMEM);
  }
  const datagrams = [...dumpDatagrams({ type: 0x20, sequence: 1, portId: 2 }, payloads())];
  assertStrictEquals(datagrams.length, 2);
  assertStrictEquals(decodeDone(decodeMessages(datagrams[1]!)[0]!).errno, Errno.ENOMEM);
});
