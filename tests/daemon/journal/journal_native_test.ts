/** `src/daemon/journal/journal.ts`: what is read back after crashes at any byte. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Journal, parseJournal, readJournal } from "../../../src/daemon/journal/journal.ts";
import type { JournalEntry, SessionRecord, TunnelRecord } from "../../../src/subsystem/records.ts";
import { Random } from "../../support/random.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

function tunnel(tunnelId: number, netns = "1"): TunnelRecord {
  return {
    kind: "tunnel",
    netns,
    tunnelId,
    peerTunnelId: tunnelId + 1,
    version: 3,
    encap: "udp",
    managed: false,
    local: "10.0.0.1",
    peer: "10.0.0.2",
    localPort: 1701,
    peerPort: 1701,
    udpChecksum: false,
    checksumTx: undefined,
    checksumRx: undefined,
  };
}

function session(tunnelId: number, sessionId: number, sendSeq = false): SessionRecord {
  return {
    kind: "session",
    netns: "1",
    tunnelId,
    sessionId,
    peerSessionId: sessionId,
    pseudowireType: 5,
    l2spec: "default",
    cookie: Uint8Array.of(1, 2, 3, 4),
    peerCookie: undefined,
    interfaceName: `l2tpeth${sessionId}`,
    interfaceIndex: sessionId,
    mtu: 1446,
    sendSeq,
    recvSeq: false,
    lnsMode: false,
    reorderTimeoutMs: 0,
  };
}

const CHANGES: readonly JournalEntry[] = [
  { change: "putTunnel", tunnel: tunnel(1) },
  { change: "putSession", session: session(1, 1) },
  { change: "putTunnel", tunnel: tunnel(2) },
  { change: "putSession", session: session(2, 3) },
  { change: "putSession", session: session(1, 1, true) },
  { change: "deleteSession", netns: "1", tunnelId: 2, sessionId: 3 },
  { change: "putTunnel", tunnel: tunnel(2, "other") },
  { change: "deleteTunnel", netns: "1", tunnelId: 1 },
];

/** What is there after the first `count` changes. */
function after(count: number): unknown {
  const scratch = Deno.makeTempDirSync();
  try {
    using journal = Journal.create(`${scratch}/journal`, []);
    journal.append(CHANGES.slice(0, count), () => []);
    return readJournal(`${scratch}/journal`).records;
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
}

Deno.test("a journal gives back what was there at its end", () => {
  assertEquals(after(0), []);
  assertDeepStrictEquals(after(2), [tunnel(1), session(1, 1)]);
  assertDeepStrictEquals(after(5), [tunnel(1), tunnel(2), session(1, 1, true), session(2, 3)]);
  assertDeepStrictEquals(after(8), [tunnel(2), tunnel(2, "other")]);
});

Deno.test("no journal is an empty one", () => {
  assertEquals(readJournal("/nonexistent/journal"), { records: [], damaged: [] });
});

Deno.test("a journal cut short anywhere gives back what its whole lines tell", () => {
  const scratch = Deno.makeTempDirSync();
  const path = `${scratch}/journal`;
  {
    using journal = Journal.create(path, []);
    for (const change of CHANGES) journal.append([change], () => []);
  }
  const text = Deno.readTextFileSync(path);
  Deno.removeSync(scratch, { recursive: true });
  const states = CHANGES.map((_, count) => after(count));
  states.push(after(CHANGES.length));
  for (let length = 0; length <= text.length; length++) {
    const { records, damaged } = parseJournal(text.slice(0, length));
    const lines = text.slice(0, length).split("\n").length - 1;
    assertDeepStrictEquals(records, states[Math.max(0, lines - 1)]);
    assert(damaged.length <= 1);
  }
});

Deno.test("lines that were overwritten are left out, and the others hold", () => {
  const random = new Random(7);
  const lines = CHANGES.map((change) =>
    JSON.stringify(change, (_, value) => value instanceof Uint8Array ? value.toHex() : value)
  );
  for (let round = 0; round < 500; round++) {
    const bad = random.below(lines.length);
    const text = lines.map((line, i) =>
      i === bad ? line.slice(0, random.below(line.length)) + "\u0000{]" : line
    );
    const { damaged } = parseJournal(text.join("\n") + "\n");
    assert(damaged.some(({ line }) => line === bad + 1), text[bad]);
  }
});

Deno.test("a journal that is mostly history is written anew, and holds the same", () => {
  const scratch = Deno.makeTempDirSync();
  const path = `${scratch}/journal`;
  try {
    using journal = Journal.create(path, []);
    journal.append([{ change: "putTunnel", tunnel: tunnel(9) }], () => []);
    for (let i = 0; i < 5000; i++) {
      journal.append([{ change: "putSession", session: session(9, 1, i % 2 === 0) }], () => []);
    }
    const before = readJournal(path);
    const size = Deno.statSync(path).size;
    journal.compact(2, () => before.records);
    assert(Deno.statSync(path).size < size / 1000);
    journal.append([{ change: "putSession", session: session(9, 2) }], () => []);
    assertDeepStrictEquals(readJournal(path).records, [...before.records, session(9, 2)]);
    assertStrictEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
});
