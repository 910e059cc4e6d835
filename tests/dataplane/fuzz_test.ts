/**
 * Every decapsulation path against a million damaged packets: nothing throws, no frame lies outside its packet, and
 * every packet is accounted for.
 *
 * The seed is printed. `L2TP_FUZZ_SEED` and `L2TP_FUZZ_COUNT` set seed and count where the environment may be read.
 */

import { assert } from "@std/assert";
import {
  type DataSession,
  type DataTunnel,
  DROP_REASONS,
  type DropReason,
  type Endpoint,
  readDrops,
} from "../../src/dataplane/mod.ts";
import { hexBytes } from "../support/golden.ts";
import { Random, setting } from "../support/random.ts";
import { BATCH, DataPathHarness, HEADROOM, peerOf, SLOT, type Source, writeName } from "./support.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x12c0ffee);
const COUNT = setting("L2TP_FUZZ_COUNT", 1_000_000);

/** Longest frame; longer ones would exercise the same code. */
const LONGEST_FRAME = 96;

/** Reasons that the fuzz cannot cause: those of sent packets and devices. */
const UNREACHABLE: readonly DropReason[] = [
  "device_full",
  "tx_too_short",
  "tx_too_long",
  "tx_ppp_closed",
  "tx_failed",
  // Counted by the driver.
  "ppp_control_flood",
  "ppp_control_full",
  "tx_bad_offload",
];

/**
 * PPP frames of IP, with and without Address, Control and a full Protocol field; half of them have the right IP
 * version.
 */
const PPP_PACKETS: readonly Uint8Array[] = [
  "ff03 0021 45",
  "0021 45",
  "21 45",
  "ff03 57 60",
  "0057 45",
  "21 60",
]
  .map(hexBytes);

/** The sessions of an endpoint, some of which share their ids with those of others. */
class Site {
  readonly sessions: DataSession[] = [];

  constructor(
    readonly harness: DataPathHarness,
    readonly endpoint: Endpoint,
    readonly tunnels: readonly DataTunnel[],
    readonly firstId: number,
    readonly random: Random,
  ) {
    for (let i = 0; i < 12; i++) this.addSession(i);
  }

  /** Adds a session with random options at an index. */
  addSession(place: number): void {
    const { random } = this;
    const tunnel = this.tunnels[place % this.tunnels.length]!;
    this.sessions[place] = this.harness.session(tunnel, {
      sessionId: this.firstId + place,
      pseudowire: tunnel.version === 2 || random.oneIn(4) ? "ppp" : "eth",
      l2spec: random.oneIn(3) ? "none" : "default",
      peerCookie: random.bytes(random.pick([0, 0, 3, 4, 8])),
      sendSeq: random.oneIn(2),
      recvSeq: random.oneIn(5),
      lnsMode: random.oneIn(3),
      reorderTimeoutMs: random.pick([0, 10, 200]),
      consumer: random.oneIn(8) ? undefined : "consumer",
    });
    this.sessions[place].ppp?.change({ ipv4: random.oneIn(2), ipv6: random.oneIn(2) });
  }

  replaceSession(place: number): void {
    const { harness } = this;
    const old = this.sessions[place]!;
    harness.path.removeSession(old);
    harness.sessions.splice(harness.sessions.indexOf(old), 1);
    this.addSession(place);
  }

  /** Writes a valid packet for one of the sessions to `bytes` at `at`, and returns its length. */
  write(bytes: Uint8Array, at: number): number {
    const { random } = this;
    const session = random.pick(this.sessions);
    const fields = new DataView(bytes.buffer, bytes.byteOffset);
    const start = at;
    if (this.endpoint.kind === "ip4") at += 20;
    const sequence = random.oneIn(5) ? undefined : (session.nr + this.#jump()) & session.nrMax;
    if (session.tunnel.version === 2) at = this.#writeV2(session, sequence, bytes, fields, at);
    else {
      if (this.endpoint.isUdp) {
        fields.setUint32(at, 0x00030000);
        at += 4;
      }
      fields.setUint32(at, random.oneIn(30) ? 0 : session.sessionId);
      bytes.set(session.peerCookie, at + 4);
      at += 4 + session.peerCookie.length;
      if (session.hasSublayer) {
        fields.setUint32(at, sequence === undefined ? 0 : 0x40000000 | sequence);
        at += 4;
      }
    }
    const length = random.below(LONGEST_FRAME);
    for (let i = 0; i < length; i++) bytes[at + i] = i < 2 && random.oneIn(2) ? 0xff - 0xfc * i : 0xc5;
    if (session.isPpp && random.oneIn(2)) bytes.set(random.pick(PPP_PACKETS).subarray(0, length), at);
    at += length;
    if (this.endpoint.kind === "ip4") {
      bytes.fill(0, start, start + 20);
      bytes[start] = 0x45;
      bytes[start + 9] = 115;
      fields.setUint16(start + 2, at - start);
    }
    return at - start;
  }

  #writeV2(
    session: DataSession,
    ns: number | undefined,
    bytes: Uint8Array,
    fields: DataView,
    at: number,
  ): number {
    const { random } = this;
    const form = random.next();
    const flags = 2 | (form & 0x4300) | (ns === undefined ? 0 : 0x0800);
    fields.setUint16(at, flags);
    at += (flags & 0x4000) === 0 ? 2 : 4;
    fields.setUint16(at, session.tunnel.tunnelId);
    fields.setUint16(at + 2, session.sessionId);
    at += 4;
    if (ns !== undefined) {
      fields.setUint16(at, ns);
      at += 4;
    }
    if ((flags & 0x0200) !== 0) {
      const padding = random.below(8);
      fields.setUint16(at, padding);
      bytes.fill(0, at + 2, at + 2 + padding);
      at += 2 + padding;
    }
    return at;
  }

  #jump(): number {
    const { random } = this;
    if (random.oneIn(40)) return random.next() & 0xffffff;
    return random.oneIn(3) ? random.below(6) - 1 : 0;
  }
}

/** Damages the packet of `length` bytes at `at`, and returns its new length. */
function damage(bytes: Uint8Array, at: number, length: number, random: Random): number {
  if (length === 0) return random.below(4);
  // Mostly in the headers.
  const where = at + (random.oneIn(4) ? random.below(length) : random.below(Math.min(length, 24)));
  switch (random.below(6)) {
    case 0:
      bytes[where]! ^= 1 << random.below(8);
      return length;
    case 1:
      bytes[where] = random.next();
      return length;
    case 2:
      return where - at;
    case 3:
      return length + random.below(8);
    case 4: // an extreme value
      bytes.fill(random.pick([0, 0xff, 0x7f, 0x80]), where, where + random.below(4));
      return length;
    default:
      for (let i = random.below(8); i >= 0; i--) bytes[where + i] = random.next();
      return length;
  }
}

function makeSites(harness: DataPathHarness, random: Random): Site[] {
  const sites: Site[] = [];
  const kinds = ["udp4", "udp6", "ip4", "ip6", "udp4"] as const;
  for (const [i, kind] of kinds.entries()) {
    const endpoint = harness.endpoint(kind);
    const base = 10 * i;
    const address = Uint8Array.from(peerOf(kind).address);
    const tunnels = [
      harness.tunnel(endpoint, { tunnelId: base + 1 }),
      harness.tunnel(endpoint, { tunnelId: base + 2, peer: { address } }),
      harness.tunnel(endpoint, { tunnelId: base + 3, peer: undefined }),
    ];
    if (endpoint.isUdp) tunnels.push(harness.tunnel(endpoint, { tunnelId: base + 4, version: 2 }));
    // Sessions over UDP share their ids; those over IP must not.
    sites.push(new Site(harness, endpoint, tunnels, endpoint.isUdp ? 100 : 1000 * (i + 1), random));
  }
  return sites;
}

Deno.test(`data path: ${COUNT} damaged packets, seed ${SEED}, nothing throws, every packet accounted for`, () => {
  const random = new Random(SEED);
  const harness = new DataPathHarness({ reorder: { packets: 6, bytes: 400 } }, 16);
  const sites = makeSites(harness, random);
  const bytes = harness.arena;
  let now = 0;
  for (let done = 0, round = 0; done < COUNT; round++) {
    const site = random.pick(sites);
    const peer = peerOf(site.endpoint.kind);
    const count = Math.min(COUNT - done, 1 + random.below(BATCH));
    harness.batch.count = count;
    for (let i = 0; i < count; i++) {
      const at = i * SLOT + HEADROOM;
      const from = random.oneIn(10) ? random.pick(sites) : site;
      let length = from.write(bytes, at);
      if (!random.oneIn(3)) {
        for (let n = random.below(3); n >= 0; n--) length = damage(bytes, at, length, random);
      }
      const source: Source = random.oneIn(20) ? { ...peer, port: random.below(3000) } : peer;
      harness.batch.offsets[i] = at;
      harness.batch.lengths[i] = length;
      harness.batch.nameOffsets[i] = 28 * i;
      writeName(harness.names, 28 * i, source);
      if (random.oneIn(50)) harness.names[28 * i + (site.endpoint.isIpv6 ? 23 : 7)]!++;
    }
    try {
      for (const frame of harness.receiveBatch(site.endpoint, now)) {
        assert(frame.bytes.length <= LONGEST_FRAME + 64);
        assert(frame.bytes.length >= (frame.session.isPpp ? 1 : 14));
      }
    } catch (error) {
      throw new Error(`Data path, seed ${SEED}, round ${round}`, { cause: error });
    }
    done += count;
    now += random.pick([0, 0, 1, 5, 50]);
    if (random.oneIn(100)) {
      const session = random.pick(site.sessions);
      harness.path.changeSession(session, {
        recvSeq: random.oneIn(5),
        lnsMode: random.oneIn(3),
        reorderTimeoutMs: random.pick([0, 10, 200]),
        ...(!session.isPpp && { consumer: random.oneIn(4) ? undefined : "consumer" }),
      });
    }
    if (random.oneIn(300)) site.replaceSession(random.below(12));
    if (round % 1000 === 0) harness.assertConservation();
  }
  harness.assertConservation();
  const reached = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0]));
  for (const counters of harness.views) {
    for (const [reason, count] of Object.entries(readDrops(counters))) reached[reason]! += count;
  }
  // A fuzz whose packets are all refused, or none, would test nothing.
  assert(harness.delivered > COUNT / 20, `${harness.delivered} delivered`);
  assert(harness.controls > COUNT / 200, `${harness.controls} control`);
  if (COUNT >= 100_000) {
    for (const reason of DROP_REASONS) {
      if (!UNREACHABLE.includes(reason)) assert(reached[reason]! > 0, `${reason} was never reached`);
    }
  }
  for (const session of harness.sessions.splice(0)) harness.path.removeSession(session);
  harness.assertConservation();
  console.log(`data path fuzz: seed ${SEED}, ${COUNT} packets, ${harness.delivered} delivered`, reached);
});
