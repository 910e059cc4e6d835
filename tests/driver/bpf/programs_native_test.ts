/**
 * The programs of `src/dataplane/bpf/` on the running kernel: their output byte for byte, the packets that they pass
 * on unchanged, and their counters. Addresses and ids are made up; nothing is sent.
 */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type BpfSession,
  COUNTERS,
  decapsulate,
  DECAPSULATION,
  decapsulationKey,
  decapsulationValue,
  encapsulate,
  ENCAPSULATION,
  encapsulationValue,
  numberKey,
} from "../../../src/dataplane/bpf/mod.ts";
import { formatHex } from "../../../src/base/hex.ts";
import { parseIpAddress } from "../../../src/base/ip_address.ts";
import { encodeV3DataHeader } from "../../../src/wire/l2tp/data_header_v3.ts";
import { BpfMap, BpfProgramError, loadBpfProgram, type SharedValues } from "../../../ffi/kernel/bpf.ts";
import type { OwnedFd } from "../../../ffi/fd.ts";
import { lastErrno } from "../../../ffi/errno.ts";
import { daemonLibc } from "../../../ffi/packet_libc.ts";
import { MARK, runBpf } from "../../support/bpf_run.ts";
import { Random } from "../../support/random.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

// Opened here, because a library opened within a test counts as a leak.
lastErrno();
daemonLibc();

const NEXT = -1;
/** TC_ACT_REDIRECT. */
const REDIRECTED = 7;
/** The devices that packets of test runs come from and go to. */
const LOOPBACK = 1;
const SLOT = 3;
const FRAME_MAX = 1400;

/** Programs and maps with one session, of one end. */
class Kernel implements Disposable {
  readonly encapsulate: OwnedFd;
  readonly decapsulate: OwnedFd;
  readonly #counts: SharedValues;
  readonly #stack: DisposableStack;

  constructor(session: BpfSession) {
    using stack = new DisposableStack();
    const encapsulation = stack.use(BpfMap.create("test_encap", "hash", ENCAPSULATION, 4));
    const decapsulation = stack.use(BpfMap.create("test_decap", "hash", DECAPSULATION, 4));
    const counters = stack.use(BpfMap.create("test_counters", "array", COUNTERS, 4));
    encapsulation.add(numberKey(session.device), encapsulationValue(session));
    decapsulation.add(decapsulationKey(session), decapsulationValue(session));
    const maps = {
      encapsulation: encapsulation.number,
      decapsulation: decapsulation.number,
      counters: counters.number,
    };
    this.#counts = stack.use(counters.share());
    this.encapsulate = stack.use(loadBpfProgram("test_encap", encapsulate(maps)));
    this.decapsulate = stack.use(loadBpfProgram("test_decap", decapsulate(maps)));
    this.#stack = stack.move();
  }

  count(name: Exclude<keyof typeof COUNTERS, "keySize" | "valueSize">): number {
    return Number(this.#counts.get(SLOT, COUNTERS[name]));
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** The shape of a session's packets. */
interface Shape {
  readonly family: 4 | 6;
  readonly cookie: number;
  readonly l2spec: "none" | "default";
}

const SHAPES: readonly Shape[] = ([4, 6] as const).flatMap((family) =>
  [0, 1, 4, 8].flatMap((cookie) =>
    (["none", "default"] as const).map((l2spec) => ({ family, cookie, l2spec }))
  )
);

function sessionOf({ family, cookie, l2spec }: Shape): BpfSession {
  const address = (host: number): Uint8Array =>
    parseIpAddress(family === 4 ? `10.1.0.${host}` : `fd01::${host}`)!;
  const bytes = new Uint8Array(cookie).map((_, i) => 0xc0 + i);
  return {
    ...{ slot: SLOT, device: LOOPBACK, outDevice: LOOPBACK, localPort: 5001, peerPort: 6002, l2spec },
    mtu: FRAME_MAX + (family === 4 ? 28 : 48) + 8 + cookie + (l2spec === "none" ? 0 : 4),
    local: address(1),
    peer: address(2),
    sessionId: 0x01020304,
    peerSessionId: 0xa1a2a3a4,
    cookie: bytes,
    peerCookie: bytes.map((byte) => byte ^ 0x0f),
  };
}

/** The same session at the peer. */
function peerOf(session: BpfSession): BpfSession {
  const { local, peer, localPort, peerPort, sessionId, peerSessionId, cookie, peerCookie } = session;
  return {
    ...session,
    ...{ local: peer, peer: local, localPort: peerPort, peerPort: localPort },
    ...{ sessionId: peerSessionId, peerSessionId: sessionId, cookie: peerCookie, peerCookie: cookie },
  };
}

/** A frame whose payload is just as long as its headers say, enough for tests without segmentation. */
function frame(random: Random, length: number, type = 0x0800): Uint8Array {
  const bytes = random.bytes(length);
  new DataView(bytes.buffer).setUint16(12, type);
  // The kernel checks that it begins as its EtherType requires.
  bytes[14] = type === 0x86dd ? 0x60 : 0x45;
  return bytes;
}

/** The packet of a session's frame, with 0 for IPv4's identification and checksum. */
function packetOf(session: BpfSession, inner: Uint8Array): Uint8Array {
  const { local, peer, localPort, peerPort, cookie, l2spec, peerSessionId } = session;
  const l2tp = encodeV3DataHeader({ encap: "udp", hasSublayer: l2spec === "default" }, {
    sessionId: peerSessionId,
    cookie,
  });
  const ip = local.length === 4 ? 20 : 40;
  const out = new Uint8Array(14 + ip + 8 + l2tp.length + inner.length);
  const view = new DataView(out.buffer);
  view.setUint16(12, ip === 20 ? 0x0800 : 0x86dd);
  const length = out.length - 14;
  if (ip === 20) {
    out.set([0x45, 0, length >> 8, length & 0xff, 0, 0, 0, 0, 64, 17], 14);
    out.set(local, 26);
    out.set(peer, 30);
  } else {
    out.set([0x60, 0, 0, 0, (length - 40) >> 8, (length - 40) & 0xff, 17, 64], 14);
    out.set(local, 22);
    out.set(peer, 38);
  }
  view.setUint16(14 + ip, localPort);
  view.setUint16(14 + ip + 2, peerPort);
  view.setUint16(14 + ip + 4, length - ip);
  out.set(l2tp, 14 + ip + 8);
  out.set(inner, 14 + ip + 8 + l2tp.length);
  return out;
}

/** Writes the checksum of the IPv4 header behind an Ethernet header. */
function sumIpv4(packet: Uint8Array): Uint8Array {
  const view = new DataView(packet.buffer, packet.byteOffset);
  view.setUint16(24, 0);
  let sum = 0;
  for (let at = 14; at < 34; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  view.setUint16(24, ~sum & 0xffff);
  return packet;
}

Deno.test("frames become packets, and packets become frames again, in all shapes", () => {
  const random = new Random(0xbbf);
  for (const shape of SHAPES) {
    const session = sessionOf(shape);
    using own = new Kernel(session);
    using peer = new Kernel(peerOf(session));
    const lengths = [54, 60, 61, 1000, FRAME_MAX];
    const types = [0x0800, 0x86dd];
    let bytes = 0;
    for (const length of lengths) {
      for (const type of types) {
        const what = `${JSON.stringify(shape)}, ${length} bytes of ${type.toString(16)}`;
        const inner = frame(random, length, type);
        const sent = runBpf(own.encapsulate, inner);
        // A mark applies only to the packet it was set on.
        assertDeepStrictEquals([sent.verdict, sent.mark], [REDIRECTED, 0], what);
        const expected = packetOf(session, inner);
        if (shape.family === 4) {
          // Any identification will do.
          expected.set(sent.packet.subarray(18, 20), 18);
          sumIpv4(expected);
        }
        // The neighbour's address is not written yet.
        assertStrictEquals(formatHex(sent.packet.subarray(14)), formatHex(expected.subarray(14)), what);
        sent.packet.set(expected.subarray(0, 14));
        const received = runBpf(peer.decapsulate, sent.packet);
        assertDeepStrictEquals([received.verdict, received.mark], [REDIRECTED, 0], what);
        assertStrictEquals(formatHex(received.packet), formatHex(inner), what);
        bytes += 8 + shape.cookie + (shape.l2spec === "none" ? 0 : 4) + length;
      }
    }
    const packets = lengths.length * types.length;
    assertDeepStrictEquals([own.count("txPackets"), own.count("txBytes"), own.count("txErrors")], [
      packets,
      bytes,
      0,
    ]);
    assertDeepStrictEquals([peer.count("rxPackets"), peer.count("rxBytes")], [packets, bytes]);
  }
});

Deno.test("frames that need more than headers are passed on unchanged", () => {
  const random = new Random(1);
  using kernel = new Kernel(sessionOf({ family: 4, cookie: 8, l2spec: "default" }));
  const cases: Record<string, Uint8Array> = {
    ARP: frame(random, 60, 0x0806),
    "a VLAN tag": frame(random, 60, 0x8100),
    "one byte too many": frame(random, FRAME_MAX + 1),
  };
  for (const [what, given] of Object.entries(cases)) {
    const { verdict, packet } = runBpf(kernel.encapsulate, given);
    assertStrictEquals(verdict, NEXT, what);
    assertStrictEquals(formatHex(packet), formatHex(given), what);
  }
  using other = new Kernel({
    ...sessionOf({ family: 4, cookie: 8, l2spec: "default" }),
    device: LOOPBACK + 1,
  });
  assertStrictEquals(runBpf(other.encapsulate, frame(random, 60)).verdict, NEXT, "another device's");
  assertStrictEquals(kernel.count("txPackets"), 0);
});

Deno.test("packets that are not of the session are passed on unchanged", () => {
  const random = new Random(2);
  for (const family of [4, 6] as const) {
    const session = sessionOf({ family, cookie: 8, l2spec: "default" });
    using kernel = new Kernel(peerOf(session));
    const inner = frame(random, 100);
    const packet = (): Uint8Array => {
      const made = packetOf(session, inner);
      return family === 4 ? sumIpv4(made) : made;
    };
    const ip = family === 4 ? 20 : 40;
    const [udp, l2tp] = [14 + ip, 14 + ip + 8];
    const change = (at: number, value: number, fix = true) => (): Uint8Array => {
      const changed = packet();
      changed[at] = value;
      return family === 4 && fix ? sumIpv4(changed) : changed;
    };
    const cases: Record<string, () => Uint8Array> = {
      "a packet for another host": change(0, 2),
      "another source": change(14 + ip - (ip === 20 ? 5 : 17), 99),
      "another destination": change(14 + ip - 1, 99),
      "another source port": change(udp + 1, 99),
      "another destination port": change(udp + 3, 99),
      "a UDP length that is not the packet's": change(udp + 5, 99),
      "a UDP checksum": change(udp + 6, 1),
      "a control message": change(l2tp, 0x80),
      "version 2": change(l2tp + 1, 2),
      "another session": change(l2tp + 7, 99),
      "a wrong cookie": change(l2tp + 8, 99),
      "a wrong cookie, at its end": change(l2tp + 15, 99),
      "another protocol": change(family === 4 ? 23 : 20, 6),
      "a length that is not the packet's": change(family === 4 ? 17 : 19, 99),
      "bytes behind the packet": () => Uint8Array.from([...packet(), 0, 0]),
      "no whole frame": () => {
        const cut = packetOf(session, inner.subarray(0, 13));
        return family === 4 ? sumIpv4(cut) : cut;
      },
      "no whole L2TP header": () => packet().subarray(0, l2tp + 7),
      ...(family === 4
        ? {
          "options of IP": change(14, 0x46),
          "a first fragment": change(20, 0x20),
          "a later fragment": change(21, 1),
          "a wrong header checksum": change(22, 63, false),
        }
        : { "version 4 in IPv6": change(14, 0x40) }),
    };
    for (const [what, make] of Object.entries(cases)) {
      const given = make();
      const ran = runBpf(kernel.decapsulate, given);
      assertEquals([ran.verdict, ran.mark], [NEXT, MARK], `IPv${family}: ${what}`);
      assertStrictEquals(formatHex(ran.packet), formatHex(given), what);
    }
    assertStrictEquals(kernel.count("rxPackets"), 0);
    assertStrictEquals(runBpf(kernel.decapsulate, packet()).verdict, REDIRECTED);
    assertStrictEquals(kernel.count("yielded"), 0);
    assertStrictEquals(
      runBpf(kernel.decapsulate, change(l2tp + 16, 0x40)()).verdict,
      NEXT,
      "a sequence number",
    );
    assertStrictEquals(kernel.count("yielded"), 1);
    assertStrictEquals(runBpf(kernel.decapsulate, packet()).verdict, NEXT, "the worker's from then on");
    assertStrictEquals(
      runBpf(kernel.encapsulate, frame(random, 100)).verdict,
      NEXT,
      "the worker's from then on",
    );
    assertStrictEquals(kernel.count("rxPackets"), 1);
  }
});

Deno.test("with any change in its headers, a packet is delivered as it was sent or passed on unchanged", () => {
  const random = new Random(3);
  for (const family of [4, 6] as const) {
    const session = sessionOf({ family, cookie: 4, l2spec: "default" });
    using kernel = new Kernel(peerOf(session));
    const inner = frame(random, 80);
    const headers = packetOf(session, inner).length - inner.length;
    let delivered = 0;
    for (let round = 0; round < 2000; round++) {
      const packet = packetOf(session, inner);
      for (let changes = random.below(3); changes >= 0; changes--) {
        // Except the EtherType: the kernel would not treat it as an IP packet at all.
        packet[14 + random.below(headers - 14)]! ^= 1 << random.below(8);
      }
      if (family === 4 && random.below(4) > 0) sumIpv4(packet);
      const ran = runBpf(kernel.decapsulate, packet);
      if (ran.verdict === REDIRECTED) {
        delivered++;
        assertStrictEquals(formatHex(ran.packet), formatHex(inner));
      } else {
        assertStrictEquals(ran.verdict, NEXT);
        assertStrictEquals(formatHex(ran.packet), formatHex(packet));
      }
    }
    // Type of service, TTL, identification, flow label and the sublayer's reserved bits are not checked.
    assert(delivered > 50 && delivered < 1500, `${delivered} delivered`);
    assertStrictEquals(kernel.count("rxPackets"), delivered);
  }
});

Deno.test("a program that the verifier rejects is reported with the verifier's log", () => {
  const error = assertThrows(() => loadBpfProgram("test_bad", new Uint8Array(8)), BpfProgramError);
  assert(error.log.length > 0);
});
