/**
 * PPP links for tests: settings with reproducible random bytes, a scripted peer, and two connected links.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { PPP_CRYPTO } from "../../src/driver/ppp/crypto.ts";
import { type PppEffect, PppLink, type PppOptions, type ProxyLcp } from "../../src/engine/ppp/mod.ts";
import { PPP_CODE, PPP_PROTOCOL } from "../../src/wire/ppp/constants.ts";
import {
  type ControlPacket,
  decodeControlPacket,
  encodeControlPacket,
} from "../../src/wire/ppp/control_packet.ts";
import { decodePppFrame, encodePppFrame } from "../../src/wire/ppp/frame.ts";
import { decodeOptions, encodeOptions, type PppOption } from "../../src/wire/ppp/options.ts";
import { hexBytes } from "../support/golden.ts";
import { Random } from "../support/random.ts";

/** Settings of a test; the others have defaults. */
export type TestOptions = Partial<PppOptions>;

/** Settings with the real algorithms and random bytes from this seed. */
export function pppOptions(options: TestOptions = {}, seed = 1): PppOptions {
  const random = new Random(seed);
  return { crypto: PPP_CRYPTO, random: (count) => random.bytes(count), ...options };
}

/** A packet with its protocol. */
export interface Sent extends ControlPacket {
  readonly protocol: number;
}

/** Decodes the packet in a frame. */
export function readFrame(frame: Uint8Array): Sent {
  const { protocol, payload } = decodePppFrame(frame);
  return { protocol, ...decodeControlPacket(payload) };
}

/** Encodes a packet as a frame. */
export function makeFrame(
  protocol: number,
  code: number,
  identifier: number,
  data: Uint8Array | readonly PppOption[] = [],
): Uint8Array {
  const bytes = data instanceof Uint8Array ? data : encodeOptions(data);
  return encodePppFrame(protocol, encodeControlPacket({ code, identifier, data: bytes }));
}

/** Names of codes, for scripts. */
const CODE_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(PPP_CODE).map(([name, code]) => [code, name]),
);

/**
 * A link whose peer is the test's script. Sent packets wait until the test takes them, and the test advances the clock.
 */
export class ScriptedPeer {
  /** The link. */
  readonly link: PppLink;
  /** Current time, in milliseconds. */
  now = 0;
  /** Effects other than frames since they were last taken. */
  events: PppEffect[] = [];
  #sent: Sent[] = [];
  /** The last Configure-Request that LCP sent. */
  #asked: Sent | undefined;

  /** Creates a link; opens it with its lower layer up unless the options differ. */
  constructor(options: TestOptions = {}, proxy?: ProxyLcp, isStarted = true) {
    this.link = new PppLink(pppOptions(options), proxy);
    if (!isStarted) return;
    this.link.open(this.now);
    this.link.lowerUp(this.now);
    this.drain();
  }

  /** Takes the effects after a direct call of the link. */
  drain(): void {
    for (const effect of this.link.takeEffects()) {
      if (effect.effect === "send") {
        const packet = readFrame(effect.frame);
        const { protocol, code } = packet;
        if (protocol === PPP_PROTOCOL.LCP && code === PPP_CODE.CONFIGURE_REQUEST) this.#asked = packet;
        this.#sent.push(packet);
      } else this.events.push(effect);
    }
  }

  /** Returns the packets sent since the last call. */
  takeSent(): Sent[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  /** Returns the single packet sent since the last call, which must have this protocol and code. */
  sent(protocol: number, code: number): Sent {
    const sent = this.takeSent();
    const shown = sent.map((packet) => `${packet.protocol.toString(16)} ${packet.code}`);
    assertEquals(shown, [`${protocol.toString(16)} ${code}`]);
    return sent[0]!;
  }

  /** Returns the codes of the packets sent since the last call, by name. */
  sentNames(): string[] {
    return this.takeSent().map(({ code }) => CODE_NAMES[code] ?? String(code));
  }

  /** Delivers a frame to the link. */
  receive(frame: Uint8Array): void {
    this.link.receive(frame, this.now);
    this.drain();
  }

  /** Delivers a packet to the link. */
  gets(
    protocol: number,
    code: number,
    identifier: number,
    data: Uint8Array | readonly PppOption[] = [],
  ): void {
    this.receive(makeFrame(protocol, code, identifier, data));
  }

  /** Advances the clock and calls `timeout` at each deadline. */
  wait(ms: number): void {
    const end = this.now + ms;
    for (let step = 0;; step++) {
      const deadline = this.link.deadline();
      if (deadline === undefined || deadline > end) break;
      if (step === 10_000) throw new Error("It goes on for ever");
      this.now = Math.max(this.now, deadline);
      this.link.timeout(this.now);
      this.drain();
    }
    this.now = end;
  }

  /** Returns the effects other than frames since the last call. */
  takeEvents(): PppEffect[] {
    const events = this.events;
    this.events = [];
    return events;
  }

  /**
   * Opens LCP: the peer acknowledges our Configure-Request and requests these options. Other sent packets stay to be
   * taken.
   */
  openLcp(peer: readonly PppOption[] = []): void {
    this.gets(PPP_PROTOCOL.LCP, PPP_CODE.CONFIGURE_REQUEST, 1, peer);
    this.takeSent();
    const { identifier, data } = this.#asked!;
    this.gets(PPP_PROTOCOL.LCP, PPP_CODE.CONFIGURE_ACK, identifier, data);
    assert(this.events.some(({ effect }) => effect === "linkUp"));
  }
}

/** Decodes the options of a packet. */
export function optionsOf(packet: ControlPacket): PppOption[] {
  return decodeOptions(packet.data);
}

/** Two links and the cable between them, which loses, duplicates and reorders frames. */
export class Pair {
  readonly a: PppLink;
  readonly b: PppLink;
  /** Current time, in milliseconds. */
  now = 0;
  /** Effects other than frames, of each end. */
  readonly events: { readonly a: PppEffect[]; readonly b: PppEffect[] } = { a: [], b: [] };
  /** Number of frames sent by both ends. */
  frames = 0;
  readonly #flying: { at: number; to: "a" | "b"; frame: Uint8Array }[] = [];
  readonly #random: Random;
  readonly #cable: Cable;

  constructor(a: TestOptions, b: TestOptions, cable: Cable = {}) {
    this.#random = new Random(cable.seed ?? 1);
    this.a = new PppLink(pppOptions(a, 2 * (cable.seed ?? 1)));
    this.b = new PppLink(pppOptions(b, 2 * (cable.seed ?? 1) + 1));
    this.#cable = cable;
  }

  /** Opens both links with their lower layers up. */
  start(): void {
    for (const link of [this.a, this.b]) {
      link.open(this.now);
      link.lowerUp(this.now);
    }
    this.#drain();
  }

  /** Advances the time until no event is pending, or by the limit. Returns whether no event is pending. */
  run(ms = Infinity): boolean {
    const end = this.now + ms;
    for (let step = 0; step < 20_000; step++) {
      const due = Math.min(
        this.a.deadline() ?? Infinity,
        this.b.deadline() ?? Infinity,
        ...this.#flying.map(({ at }) => at),
      );
      if (due === Infinity) return true;
      if (due > end) {
        this.now = end;
        return false;
      }
      this.now = Math.max(this.now, due);
      for (const link of [this.a, this.b]) {
        const deadline = link.deadline();
        if (deadline !== undefined && deadline <= this.now) link.timeout(this.now);
      }
      const landed = this.#flying.filter(({ at }) => at <= this.now);
      for (const flight of landed) {
        this.#flying.splice(this.#flying.indexOf(flight), 1);
        this[flight.to].receive(flight.frame, this.now);
      }
      this.#drain();
    }
    throw new Error("It goes on for ever");
  }

  /** Takes the effects after a direct call of a link. */
  drain(): void {
    this.#drain();
  }

  #drain(): void {
    for (const end of ["a", "b"] as const) {
      for (const effect of this[end].takeEffects()) {
        if (effect.effect !== "send") this.events[end].push(effect);
        else this.#fly(end === "a" ? "b" : "a", effect.frame);
      }
    }
  }

  #fly(to: "a" | "b", frame: Uint8Array): void {
    this.frames++;
    const { loss = 0, duplication = 0, delayMs = 1 } = this.#cable;
    const random = this.#random;
    if (random.below(100) < loss) return;
    const copies = random.below(100) < duplication ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      this.#flying.push({ at: this.now + 1 + random.below(delayMs), to, frame: frame.slice() });
    }
  }
}

/** Faults of a cable. */
export interface Cable {
  readonly seed?: number;
  /** Percentage of lost frames. */
  readonly loss?: number;
  /** Percentage of duplicated frames. */
  readonly duplication?: number;
  /** Maximum delay of a frame, in milliseconds; each frame has a random one. */
  readonly delayMs?: number;
}

/** The example of RFC 2433 section B.2. */
export const RFC_2433 = {
  password: "MyPw",
  challenge: hexBytes("102db5df085d3041"),
  ntResponse: hexBytes("4e9d3c8f9cfd385d5bf4d3246791956ca4c351ab409a3d61"),
} as const;

/** The example of RFC 2759 section 9.2. */
export const RFC_2759 = {
  name: "User",
  password: "clientPass",
  challenge: hexBytes("5b5d7c7d7b3f2f3e3c2c602132262628"),
  peerChallenge: hexBytes("21402324255e262a28295f2b3a337c7e"),
  ntResponse: hexBytes("82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df"),
  authenticatorResponse: hexBytes("407a5589115fd0d6209f510fe9c04566932cda56"),
} as const;
