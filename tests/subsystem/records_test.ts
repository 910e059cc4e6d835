/** `src/subsystem/records.ts`: records and changes to JSON and back, and what is not taken. */

import { assert, assertStrictEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../src/base/errors.ts";
import {
  decodeChange,
  decodeRecord,
  encodeChange,
  encodeRecord,
  type JournalEntry,
  type SessionRecord,
  type SubsystemRecord,
  type TunnelRecord,
} from "../../src/subsystem/records.ts";
import { Random, setting } from "../support/random.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x12c0ffee);

const TUNNEL: TunnelRecord = {
  kind: "tunnel",
  netns: "net:[4026531840]",
  tunnelId: 3000,
  peerTunnelId: 4000,
  version: 3,
  encap: "udp",
  managed: false,
  local: "10.0.0.1",
  peer: "10.0.0.2",
  localPort: 5000,
  peerPort: 6000,
  udpChecksum: false,
  checksumTx: undefined,
  checksumRx: undefined,
};

const SESSION: SessionRecord = {
  kind: "session",
  netns: "net:[4026531840]",
  tunnelId: 3000,
  sessionId: 0xffff_ffff,
  peerSessionId: 2000,
  pseudowireType: 5,
  l2spec: "default",
  cookie: Uint8Array.of(0xde, 0xad),
  peerCookie: undefined,
  interfaceName: "l2e0",
  interfaceIndex: 17,
  mtu: 1446,
  sendSeq: true,
  recvSeq: false,
  lnsMode: false,
  reorderTimeoutMs: 333,
};

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

Deno.test("records: through JSON and back", () => {
  const ip6: TunnelRecord = {
    ...TUNNEL,
    encap: "ip",
    local: "fd00::1",
    peer: "::",
    localPort: undefined,
    peerPort: undefined,
    udpChecksum: undefined,
  };
  const udp6: TunnelRecord = {
    ...ip6,
    encap: "udp",
    managed: true,
    localPort: 0,
    peerPort: 65535,
    checksumTx: true,
    checksumRx: false,
  };
  const ppp: SessionRecord = { ...SESSION, pseudowireType: 7, interfaceName: undefined, mtu: undefined };
  const records: SubsystemRecord[] = [TUNNEL, ip6, udp6, SESSION, ppp];
  for (const record of records) assertDeepStrictEquals(decodeRecord(json(encodeRecord(record))), record);
  assertStrictEquals(
    JSON.stringify(encodeRecord(SESSION)),
    '{"kind":"session","netns":"net:[4026531840]","tunnelId":3000,"sessionId":4294967295,"peerSessionId":2000,' +
      '"pseudowireType":5,"l2spec":"default","cookie":"dead","interfaceName":"l2e0","interfaceIndex":17,"mtu":1446,' +
      '"sendSeq":true,"recvSeq":false,"lnsMode":false,"reorderTimeoutMs":333}',
  );
});

Deno.test("changes: through JSON and back", () => {
  const changes: JournalEntry[] = [
    { change: "putTunnel", tunnel: TUNNEL },
    { change: "putSession", session: SESSION },
    { change: "deleteTunnel", netns: "a", tunnelId: 0 },
    { change: "deleteSession", netns: "a", tunnelId: 1, sessionId: 2 },
  ];
  for (const change of changes) assertDeepStrictEquals(decodeChange(json(encodeChange(change))), change);
});

Deno.test("records: what is not taken, and the field that is to blame", () => {
  const tunnel = encodeRecord(TUNNEL);
  const session = encodeRecord(SESSION);
  const { peer: _, ...peerless } = tunnel;
  const table: [value: unknown, field: string][] = [
    [null, "record"],
    [[], "record"],
    ["tunnel", "record"],
    [{}, "record.kind"],
    [{ ...tunnel, kind: "other" }, "record.kind"],
    [peerless, "record.peer"],
    [{ ...tunnel, extra: 1 }, "record.extra"],
    [JSON.parse('{"__proto__": {"kind": "tunnel"}}'), "record.kind"],
    [{ ...tunnel, netns: "" }, "record.netns"],
    [{ ...tunnel, netns: 5 }, "record.netns"],
    [{ ...tunnel, netns: "x".repeat(4097) }, "record.netns"],
    [{ ...tunnel, tunnelId: -1 }, "record.tunnelId"],
    [{ ...tunnel, tunnelId: 2 ** 32 }, "record.tunnelId"],
    [{ ...tunnel, tunnelId: 1.5 }, "record.tunnelId"],
    [{ ...tunnel, tunnelId: "1" }, "record.tunnelId"],
    [{ ...tunnel, tunnelId: NaN }, "record.tunnelId"],
    [{ ...tunnel, version: 256 }, "record.version"],
    [{ ...tunnel, managed: 0 }, "record.managed"],
    [{ ...tunnel, encap: "ip" }, "record.localPort"],
    [{ ...tunnel, local: "fd00::1" }, "record.peer"],
    [{ ...tunnel, local: "fd00::1", peer: "fd00::2" }, "record.udpChecksum"],
    [{ ...tunnel, local: "10.0.0.256" }, "record.local"],
    [{ ...tunnel, checksumTx: true }, "record.checksumTx"],
    [{ ...tunnel, localPort: 65536 }, "record.localPort"],
    [{ ...tunnel, localPort: null }, "record.localPort"],
    [{ ...session, cookie: "" }, "record.cookie"],
    [{ ...session, cookie: "0" }, "record.cookie"],
    [{ ...session, cookie: "000000000000000000" }, "record.cookie"],
    [{ ...session, cookie: [0] }, "record.cookie"],
    [{ ...session, interfaceName: "a/b" }, "record.interfaceName"],
    [{ ...session, interfaceName: "a%d" }, "record.interfaceName"],
    [{ ...session, mtu: -1 }, "record.mtu"],
    [{ ...session, reorderTimeoutMs: 2 ** 53 }, "record.reorderTimeoutMs"],
    [{ ...session, l2spec: "cisco" }, "record.l2spec"],
  ];
  const { mtu: _mtu, ...mtuless } = session;
  table.push([mtuless, "record.mtu"]);
  for (const [value, field] of table) {
    const error = assertThrows(() => decodeRecord(value), DecodeError, undefined, JSON.stringify(value));
    assertStrictEquals(error.field, field, JSON.stringify(value));
  }
  const change = { change: "putTunnel", ...session };
  assertThrows(() => decodeChange(change), DecodeError);
  assertThrows(() => decodeChange({ change: "deleteTunnel", netns: "a", tunnelId: 1, more: 1 }), DecodeError);
  assertThrows(() => decodeChange(tunnel), DecodeError);
});

Deno.test("records: damaged JSON gives a record that is written the same way, or DecodeError", () => {
  const random = new Random(SEED);
  const values = [
    0,
    -0,
    -1,
    1,
    2 ** 32,
    1.5,
    "",
    "a",
    "10.0.0.9",
    "fd00::1",
    "00",
    true,
    false,
    null,
    [],
    {},
  ];
  const sound = [TUNNEL, SESSION].map(encodeRecord);
  const names = sound.flatMap((record) => Object.keys(record));
  let taken = 0;
  for (let i = 0; i < 20_000; i++) {
    const damaged: Record<string, unknown> = { ...random.pick(sound) };
    for (let n = random.below(3); n >= 0; n--) {
      const name = random.pick(names);
      if (random.oneIn(3)) delete damaged[name];
      else damaged[name] = random.pick(values);
    }
    try {
      const record = decodeRecord(json(damaged));
      assertDeepStrictEquals(decodeRecord(json(encodeRecord(record))), record);
      taken++;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  assert(taken > 500, `${taken} taken`);
});
