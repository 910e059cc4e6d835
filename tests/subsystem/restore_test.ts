/** `src/subsystem/restore.ts`: what comes back after a crash is what was there. */

import { assert, assertEquals } from "@std/assert";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { decodeChange, encodeChange, type SubsystemRecord } from "../../src/subsystem/records.ts";
import { Subsystem } from "../../src/subsystem/subsystem.ts";
import { formatTrace } from "../../src/subsystem/trace.ts";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import {
  encodeSessionCommand,
  encodeSessionCreate,
  encodeSessionModify,
} from "../../src/wire/genl/l2tp/session.ts";
import { encodeTunnelCommand, encodeTunnelCreate } from "../../src/wire/genl/l2tp/tunnel.ts";
import { Random, setting } from "../support/random.ts";
import { SubsystemFixture } from "./fixture.ts";
import { FakePlatform } from "./fake_platform.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x12c0ffee);

/** A journal that does what it is told. */
class Journal {
  readonly records: Map<string, SubsystemRecord> = new Map();

  /** Writes down what a line of JSON says. */
  write(line: string): void {
    const change = decodeChange(JSON.parse(line));
    switch (change.change) {
      case "putTunnel":
        this.records.set(`${change.tunnel.netns} ${change.tunnel.tunnelId}`, change.tunnel);
        break;
      case "putSession": {
        const { netns, tunnelId, sessionId } = change.session;
        this.records.set(`${netns} ${tunnelId} ${sessionId}`, change.session);
        break;
      }
      case "deleteTunnel": {
        const tunnel = `${change.netns} ${change.tunnelId}`;
        for (const key of [...this.records.keys()]) {
          if (key === tunnel || key.startsWith(`${tunnel} `)) this.records.delete(key);
        }
        break;
      }
      case "deleteSession":
        this.records.delete(`${change.netns} ${change.tunnelId} ${change.sessionId}`);
    }
  }

  sorted(): SubsystemRecord[] {
    return [...this.records.keys()].sort().map((key) => this.records.get(key)!);
  }
}

/** Records in the order of a journal's keys. */
function sorted(subsystem: Subsystem): SubsystemRecord[] {
  const journal = new Journal();
  for (const record of subsystem.records()) {
    journal.write(JSON.stringify(encodeChange(
      record.kind === "tunnel"
        ? { change: "putTunnel", tunnel: record }
        : { change: "putSession", session: record },
    )));
  }
  return journal.sorted();
}

Deno.test("restore(): after any requests the journal has what the tables have, and makes the same again", () => {
  for (let round = 0; round < 30; round++) {
    const random = new Random(SEED + round);
    const bench = new SubsystemFixture();
    const journal = new Journal();
    const flag = (): boolean => random.oneIn(2);
    for (let i = 0; i < 300; i++) {
      bench.caller = { ...bench.caller, netns: random.pick(["a", "b"]) };
      const tunnelId = random.below(6);
      const sessionId = random.below(8);
      const key = flag() ? { tunnelId, sessionId } : { interfaceName: `l2tpeth${random.below(8)}` };
      const six = flag();
      const requests = [
        () =>
          encodeTunnelCreate({
            tunnelId,
            peerTunnelId: random.next(),
            version: random.oneIn(3) ? 2 : 3,
            encap: flag() ? "udp" : "ip",
            local: six ? random.pick(["::", "fd00::9"]) : random.pick(["0.0.0.0", "10.0.0.9"]),
            peer: six ? "fd00::2" : "10.0.0.2",
            localPort: flag() ? 1000 + random.below(4) : undefined,
            peerPort: flag() ? random.below(65536) : undefined,
            udpChecksum: flag(),
            checksumTx: flag(),
            checksumRx: flag(),
          }),
        () =>
          encodeSessionCreate({
            tunnelId,
            sessionId,
            peerSessionId: random.next(),
            pseudowire: flag() ? "eth" : "ppp",
            l2spec: flag() ? "default" : "none",
            cookie: flag() ? random.bytes(1 + random.below(8)) : undefined,
            peerCookie: flag() ? random.bytes(8) : undefined,
            interfaceName: random.pick([undefined, "foo0", "x%d"]),
            sendSeq: flag(),
            recvSeq: flag(),
            lnsMode: flag(),
            reorderTimeoutMs: random.below(1000),
          }),
        () => encodeSessionModify(key, { sendSeq: flag(), reorderTimeoutMs: random.below(9) }),
        () => encodeSessionCommand(L2TP_CMD.SESSION_DELETE, key),
        () => encodeTunnelCommand(L2TP_CMD.TUNNEL_DELETE, tunnelId),
      ];
      // More is made than deleted.
      const request = requests[random.pick([0, 0, 1, 1, 1, 1, 1, 2, 2, 3, random.oneIn(4) ? 4 : 1])]!;
      const { answer } = bench.ask(request());
      for (const change of answer.journalEntries) journal.write(JSON.stringify(encodeChange(change)));
    }
    bench.assertConsistent();
    assertDeepStrictEquals(journal.sorted(), sorted(bench.subsystem), `round ${round}`);
    assert(bench.subsystem.tunnelCount > 2 && bench.subsystem.sessionCount > 2, `round ${round}: too few`);

    const again = new SubsystemFixture();
    // The crash has left some of the devices.
    for (const [name, device] of bench.platform.devices) if (flag()) again.platform.devices.set(name, device);
    const { leftOut, journalEntries } = again.subsystem.restore(journal.sorted().reverse());
    assertEquals([leftOut, journalEntries], [[], []], `round ${round}`);
    assertDeepStrictEquals(sorted(again.subsystem), journal.sorted(), `round ${round}`);
    again.assertConsistent();
    for (const netns of ["a", "b"]) {
      bench.caller = { ...bench.caller, netns };
      again.caller = { ...again.caller, netns };
      for (const command of [L2TP_CMD.TUNNEL_GET, L2TP_CMD.SESSION_GET]) {
        assertEquals(again.list(command), bench.list(command));
      }
    }
    assertDeepStrictEquals(
      [...again.platform.paths].map((path) => path.record).sort(byId),
      [...bench.platform.paths].map((path) => path.record).sort(byId)
        .map((record) => sessionOf(bench.subsystem, record)),
    );
  }
});

type SessionLike = { readonly netns: string; readonly tunnelId: number; readonly sessionId: number };

function byId(a: SessionLike, b: SessionLike): number {
  return a.netns.localeCompare(b.netns) || a.tunnelId - b.tunnelId || a.sessionId - b.sessionId;
}

/** The session as modified since its path was started. */
function sessionOf(subsystem: Subsystem, key: SessionLike): SubsystemRecord | undefined {
  for (const record of subsystem.records()) {
    if (record.kind === "session" && byId(record, key) === 0) return record;
  }
  return undefined;
}

Deno.test("restore(): what cannot be is left out, with the reason, and hinders nothing else", () => {
  const bench = new SubsystemFixture();
  bench.platform.descriptors.set(5, {
    local: "10.0.0.1",
    peer: "10.0.0.2",
    localPort: 1701,
    peerPort: 1701,
    udpChecksum: true,
    checksumTx: undefined,
    checksumRx: undefined,
  });
  bench.succeed(encodeTunnelCreate({ tunnelId: 1, peerTunnelId: 1, encap: "udp", fd: 5 }));
  for (const tunnelId of [2, 3, 4]) bench.addTunnel({ tunnelId, localPort: 5000 + tunnelId });
  for (const tunnelId of [1, 2, 3, 4]) bench.addSession({ tunnelId, sessionId: 10 + tunnelId });
  const records = [...bench.subsystem.records()];

  const again = new SubsystemFixture();
  again.addTunnel({ tunnelId: 2 });
  again.platform.failNext("startSession", Errno.ENOMEM);
  const { leftOut, traces } = again.subsystem.restore([
    ...records,
    { ...records.find((record) => record.kind === "session")!, tunnelId: 9 },
  ]);
  const told = leftOut.map(({ record, reason }) => [
    record.tunnelId,
    record.kind,
    reason instanceof SyscallError ? reason.errno : reason,
  ]);
  assertEquals(told, [
    [1, "tunnel", "managed"],
    [2, "tunnel", Errno.EEXIST],
    [1, "session", "managed"],
    [2, "session", Errno.ENOMEM],
    [9, "session", Errno.ENODEV],
  ]);
  assertEquals(traces.map(formatTrace).map((text) => text.split(":").slice(0, 2).join()), [
    "register_tunnel, tunl 3",
    "register_tunnel, tunl 4",
    "register_session, sess 3/13",
    "register_session, sess 4/14",
  ]);
  again.assertConsistent();
  const reason = leftOut[1]!.reason;
  assert(reason instanceof SyscallError && reason.message.startsWith("restore tunnel 2 failed"));
});

Deno.test("restore(): the platform gets the values it chose before, and existing devices", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel({ local: "0.0.0.0", localPort: undefined });
  bench.addSession({ interfaceName: "x%d" });
  const platform = new FakePlatform();
  const asked: unknown[] = [];
  const { openTunnelSocket, createEthernetDevice } = platform;
  platform.openTunnelSocket = (request) => {
    asked.push([request.local, request.localPort]);
    return openTunnelSocket.call(platform, request);
  };
  platform.createEthernetDevice = (request) => {
    asked.push(request);
    return createEthernetDevice.call(platform, request);
  };
  new Subsystem(platform).restore(bench.subsystem.records());
  assertEquals(asked, [
    ["10.0.0.1", 49152],
    { netns: "a", name: "x0", mtu: 1446, existing: true, index: 101 },
  ]);
});
