/**
 * The subsystem against requests that began as sensible ones and were damaged, and a platform that sometimes fails: nothing
 * is thrown, every request that must be answered is, and tables, platform and journal agree.
 *
 * `L2TP_FUZZ_SEED` and `L2TP_FUZZ_COUNT` set seed and count where the environment may be read.
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Errno } from "../../src/base/errno.ts";
import { decodeRecord, encodeRecord, type JournalEntry } from "../../src/subsystem/records.ts";
import { L2TP_ATTR, L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { GENL_ID_CTRL } from "../../src/wire/genl/ctrl.ts";
import { decodeEvent } from "../../src/wire/genl/l2tp/event.ts";
import { beginGenl } from "../../src/wire/genl/header.ts";
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from "../../src/wire/netlink/constants.ts";
import { decodeMessages, type NetlinkMessage } from "../../src/wire/netlink/message.ts";
import { Random, setting } from "../support/random.ts";
import { readDump, SubsystemFixture } from "./fixture.ts";
import type { PlatformCall } from "./fake_platform.ts";
import { USERSPACE_L2TP_FAMILY_ID } from "../../src/wire/l2tpd/constants.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x12c0ffee);
const COUNT = Math.min(setting("L2TP_FUZZ_COUNT", 100_000), 1_000_000);

const A = L2TP_ATTR;
const C = L2TP_CMD;
const U8_ATTRIBUTES = [A.PROTO_VERSION, A.L2SPEC_TYPE, A.RECV_SEQ, A.SEND_SEQ, A.LNS_MODE, A.UDP_CSUM];
const NAMES = ["foo0", "foo%d", "l2tpeth0", "l2tpeth1", "", ".", "a/b", "%d%d", "sixteen bytes it has"];
const CALLS: PlatformCall[] = [
  "openTunnelSocket",
  "createEthernetDevice",
  "startSession",
  "change",
  "stop",
  "delete",
  "close",
  "state",
  "counters",
];

/** A payload of a command that may well succeed. */
function payloadOf(command: number, random: Random): Uint8Array {
  const out = beginGenl(command, 1);
  const often = (action: () => unknown): void => {
    if (!random.oneIn(40)) action();
  };
  const seldom = (action: () => unknown): void => {
    if (random.oneIn(4)) action();
  };
  often(() => out.u32(A.CONN_ID, random.below(5)));
  switch (command) {
    case C.TUNNEL_CREATE: {
      often(() => out.u32(A.PEER_CONN_ID, random.next()));
      often(() => out.u8(A.PROTO_VERSION, random.pick([2, 3, 3, 3, 9])));
      often(() => out.u16(A.ENCAP_TYPE, random.pick([0, 0, 1, 1, 2])));
      const six = random.oneIn(3);
      often(() => out.bytes(six ? A.IP6_SADDR : A.IP_SADDR, random.bytes(six ? 16 : 4)));
      often(() => out.bytes(six ? A.IP6_DADDR : A.IP_DADDR, random.bytes(six ? 16 : 4)));
      seldom(() => out.u16(A.UDP_SPORT, random.below(4)));
      seldom(() => out.u16(A.UDP_DPORT, random.below(65536)));
      seldom(() => out.flag(A.UDP_ZERO_CSUM6_TX));
      if (random.oneIn(20)) out.u32(A.FD, random.below(200));
      break;
    }
    case C.SESSION_CREATE:
      often(() => out.u32(A.SESSION_ID, random.below(8)));
      often(() => out.u32(A.PEER_SESSION_ID, random.next()));
      often(() => out.u16(A.PW_TYPE, random.pick([5, 5, 5, 7, 7, 4, 12])));
      seldom(() => out.bytes(A.COOKIE, random.bytes(random.below(10))));
      seldom(() => out.string(A.IFNAME, random.pick(NAMES)));
      break;
    case C.SESSION_DELETE:
    case C.SESSION_GET:
    case C.SESSION_MODIFY:
      often(() => out.u32(A.SESSION_ID, random.below(8)));
      seldom(() => out.string(A.IFNAME, random.pick(NAMES)));
      seldom(() => out.u64(A.RECV_TIMEOUT, BigInt(random.next()) << BigInt(random.below(33))));
  }
  seldom(() => out.u8(random.pick(U8_ATTRIBUTES), random.below(4)));
  return out.written.slice();
}

/** Damages a payload: bits, bytes, lengths, its end. */
function damage(payload: Uint8Array, random: Random): Uint8Array {
  if (payload.length === 0) return payload;
  const at = random.below(payload.length);
  switch (random.below(5)) {
    case 0:
      payload[at]! ^= 1 << random.below(8);
      return payload;
    case 1:
      payload[at] = random.next();
      return payload;
    case 2:
      payload[at & ~3] = random.below(24);
      return payload;
    case 3:
      return payload.subarray(0, at);
    default:
      return Uint8Array.from([...payload, ...random.bytes(random.below(20))]);
  }
}

/** What the changes of every answer add up to: keys of what is there. */
class Ledger {
  readonly keys: Set<string> = new Set();

  write(change: JournalEntry): void {
    switch (change.change) {
      case "putTunnel":
        assertDeepStrictEquals(decodeRecord(encodeRecord(change.tunnel)), change.tunnel);
        this.keys.add(`${change.tunnel.netns}/${change.tunnel.tunnelId}`);
        break;
      case "putSession":
        assertDeepStrictEquals(decodeRecord(encodeRecord(change.session)), change.session);
        this.keys.add(`${change.session.netns}/${change.session.tunnelId}/${change.session.sessionId}`);
        break;
      case "deleteTunnel": {
        const tunnel = `${change.netns}/${change.tunnelId}`;
        for (const key of this.keys) {
          if (key === tunnel || key.startsWith(`${tunnel}/`)) this.keys.delete(key);
        }
        break;
      }
      case "deleteSession":
        this.keys.delete(`${change.netns}/${change.tunnelId}/${change.sessionId}`);
    }
  }
}

Deno.test(`requests: ${COUNT} of them, damaged, seed ${SEED}: always answered, never thrown, all agrees`, () => {
  const random = new Random(SEED);
  const bench = new SubsystemFixture({ tunnelsMax: 8, sessionsMax: 30 });
  const { platform, subsystem } = bench;
  const ledger = new Ledger();
  const commands = [
    C.TUNNEL_CREATE,
    C.SESSION_CREATE,
    C.SESSION_CREATE,
    C.SESSION_CREATE,
    ...Object.values(C),
  ];
  const outcomes = new Map<string, number>();
  for (let i = 0; i < COUNT; i++) {
    bench.caller = { ...bench.caller, netns: random.pick(["a", "b"]), privileged: !random.oneIn(50) };
    const command = random.pick(commands);
    let payload = payloadOf(command, random);
    for (let n = random.below(6); n > 3; n--) payload = damage(payload, random);
    const flags = (random.oneIn(60) ? 0 : NLM_F_REQUEST) | (random.oneIn(10) ? 0 : NLM_F_ACK) |
      (random.oneIn(20) ? NLM_F_DUMP : 0) | (random.oneIn(50) ? random.below(0x10000) : 0);
    const type = random.oneIn(100) ? random.pick([GENL_ID_CTRL, 3, 0x30]) : USERSPACE_L2TP_FAMILY_ID;
    const message: NetlinkMessage = { ...bench.message(payload, flags), type };
    if (random.oneIn(20)) platform.failNext(random.pick(CALLS), Errno.ENOMEM);
    try {
      const { answer, ack, messages } = bench.send(message);
      for (const change of answer.journalEntries) ledger.write(change);
      for (const bytes of answer.notifications) decodeEvent(decodeMessages(bytes)[0]!.payload);
      if (answer.dump === undefined) {
        if ((flags & NLM_F_ACK) !== 0) assert(ack !== undefined, "acknowledged");
        const refused = (ack?.errno ?? 0) !== 0;
        if (refused) {
          assertStrictEquals(answer.journalEntries.length + answer.notifications.length + messages.length, 0);
        }
        const outcome = `${command} ${ack?.errno ?? "-"}`;
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      } else {
        drain(answer.dump);
      }
    } catch (error) {
      throw new Error(`seed ${SEED}, request ${i}: ${payload.toHex()}`, { cause: error });
    }
    if (i % 50 !== 0) continue;
    bench.assertConsistent();
    const keys = [...subsystem.records()].map((record) =>
      `${record.netns}/${record.tunnelId}` + (record.kind === "session" ? `/${record.sessionId}` : "")
    );
    assertEquals([...ledger.keys].sort(), keys.sort(), `request ${i}`);
    platform.calls.length = 0;
  }
  // A fuzz that is refused at the door tests nothing.
  for (const command of Object.values(C)) {
    assert((outcomes.get(`${command} 0`) ?? 0) > COUNT / 2000, `command ${command}: ${[...outcomes]}`);
  }
  for (const errno of [Errno.EEXIST, Errno.EINVAL, Errno.ENOMEM, Errno.EPROTONOSUPPORT, Errno.ERANGE]) {
    assert((outcomes.get(`${C.SESSION_CREATE} ${errno}`) ?? 0) > 0, `SESSION_CREATE with error ${errno}`);
  }
});

/** Reads a dump to its end, whatever that is. */
function drain(dump: Iterator<Uint8Array, void, void>): void {
  let last: number | undefined;
  for (let step = dump.next(); step.done !== true; step = dump.next()) {
    last = decodeMessages(step.value).at(-1)?.type;
  }
  assertStrictEquals(last, 3);
}

Deno.test("requests: noise is answered, too", () => {
  const random = new Random(SEED);
  const bench = new SubsystemFixture();
  for (let i = 0; i < 10_000; i++) {
    const payload = random.bytes(random.below(64));
    if (payload.length > 0) payload[0]! %= 10;
    const { ack } = bench.ask(payload);
    assert(ack !== undefined);
  }
  bench.assertConsistent();
  readDump(bench.startDump(C.SESSION_GET));
});
