/**
 * Every decoder of `src/wire/` against a million damaged copies of real messages. Decoders may throw nothing but
 * `DecodeError`, and decoded values must survive encoding and decoding.
 *
 * The seed is printed. `L2TP_FUZZ_SEED` and `L2TP_FUZZ_COUNT` set seed and count where the environment may be read:
 * `L2TP_FUZZ_SEED=1 deno test --allow-read=. --allow-env tests/wire/fuzz_test.ts`.
 */

import { assert } from "@std/assert";
import { DecodeError } from "../../src/base/errors.ts";
import { decodeFamily, encodeFamily } from "../../src/wire/genl/ctrl.ts";
import { decodeGenl } from "../../src/wire/genl/header.ts";
import { decodeEvent } from "../../src/wire/genl/l2tp/event.ts";
import { decodeSession, encodeSession } from "../../src/wire/genl/l2tp/session.ts";
import { decodeTunnel, encodeTunnel } from "../../src/wire/genl/l2tp/tunnel.ts";
import { AttributeReader } from "../../src/wire/netlink/attribute.ts";
import {
  decodeDone,
  decodeError,
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
} from "../../src/wire/netlink/message.ts";
import { decodeAddress, decodeLink } from "../../src/wire/rtnl/link.ts";
import { refuse } from "../support/fake_kernel.ts";
import { goldenBytes, goldenNames } from "../support/golden.ts";
import { Random, setting } from "../support/random.ts";
import { sampleSession, sampleTunnel6 } from "../support/samples.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x12c0ffee);
const COUNT = setting("L2TP_FUZZ_COUNT", 1_000_000);

/** Lengths that are likely to reveal faults. */
const LENGTHS = [0, 1, 3, 4, 5, 8, 15, 16, 17, 20, 0x7fff, 0x8000, 0xffff];

/** Bytes used of a sample: the rest of long samples repeats the same structure. */
const LONGEST = 512;

/** Samples: the captures, and messages with extended acknowledgements and all optional attributes. */
function seeds(): Uint8Array[] {
  const message = (type: number, payload: Uint8Array): NetlinkMessage => ({
    type,
    flags: 2,
    sequence: 1,
    portId: 2,
    payload,
  });
  const request = message(0x20, Uint8Array.of(1, 1, 0, 0, 8, 0, 9, 0, 1, 0, 0, 0));
  const session = sampleSession({
    cookie: new Uint8Array(8),
    peerCookie: new Uint8Array(4),
    usingIpsec: true,
    reorderTimeoutMs: 5,
  });
  const tunnel = sampleTunnel6({ checksumTx: false, checksumRx: false, usingIpsec: true });
  const made = [
    refuse(request, 22, { extack: "Attribute failed policy validation", offset: 20 }),
    refuse(request, 34, { extack: "no", offset: 16, capped: false }),
    message(0x20, encodeSession(8, session)),
    message(0x20, encodeTunnel(3, tunnel)),
    message(1, new Uint8Array(0)),
    message(3, Uint8Array.of(0xea, 0xff, 0xff, 0xff, 8, 0, 1, 0, 98, 97, 100, 0)),
  ];
  return [...goldenNames().map(goldenBytes), ...made.map(encodeMessage)].map((bytes) =>
    bytes.slice(0, LONGEST)
  );
}

/** Damages `bytes[0, length)` in place. Returns the new length. */
function damage(bytes: Uint8Array, length: number, all: readonly Uint8Array[], random: Random): number {
  if (length === 0) return 0;
  // Mostly after the message's header: a damaged header is refused at once.
  const at = length > 20 && !random.oneIn(6) ? 16 + random.below(length - 16) : random.below(length);
  switch (random.below(8)) {
    case 0: // one bit
      bytes[at]! ^= 1 << random.below(8);
      return length;
    case 1: // one byte
      bytes[at] = random.next();
      return length;
    case 2: { // a length of an attribute, where those mostly are
      const aligned = at & ~3;
      const value = random.oneIn(2) ? random.pick(LENGTHS) : random.below(length - aligned + 6);
      bytes[aligned] = value;
      bytes[aligned + 1] = value >> 8;
      return length;
    }
    case 3: // a type of an attribute
      bytes[(at & ~3) + 2] = random.below(40);
      bytes[(at & ~3) + 3] = random.oneIn(4) ? 0x80 : 0;
      return length;
    case 4: // the length of the first message
      bytes[0] = random.oneIn(2) ? length : random.pick(LENGTHS);
      bytes[1] = random.oneIn(2) ? length >> 8 : 0;
      return length;
    case 5: // the end is missing
      return at;
    case 6: { // a part of another message
      const other = random.pick(all);
      const part = other.subarray(random.below(other.length)).subarray(0, 1 + random.below(32));
      const end = Math.min(at + part.length, LONGEST);
      bytes.set(part.subarray(0, end - at), at);
      return Math.max(length, end);
    }
    default: { // noise
      const end = Math.min(length, at + 1 + random.below(12));
      for (let i = at; i < end; i++) bytes[i] = random.next();
      return length;
    }
  }
}

/** Reads every attribute with every getter that its length allows. */
function walk(reader: AttributeReader, depth = 0): number {
  let count = 0;
  while (reader.next()) {
    count++;
    if (reader.length >= 8) reader.u64();
    if (reader.length >= 4) reader.u32();
    if (reader.length >= 2) reader.u16();
    if (reader.length >= 1) reader.u8();
    if (reader.string().length > reader.length) throw new RangeError("A string is longer than its bytes");
    if (reader.bytes().length !== reader.fixed(reader.length).length) throw new RangeError("Lengths differ");
    if (depth < 2) count += walk(reader.nested(), depth + 1);
  }
  return count;
}

/** Calls getters without checking the length: they may throw DecodeError. */
function blindly(payload: Uint8Array, random: Random): void {
  const reader = new AttributeReader(payload, random.below(24));
  const size = random.below(20);
  while (reader.next()) {
    switch (random.below(5)) {
      case 0:
        reader.u8();
        break;
      case 1:
        reader.u16();
        break;
      case 2:
        reader.u32();
        break;
      case 3:
        reader.u64();
        break;
      default:
        reader.fixed(size);
    }
  }
}

/** Decoded values must survive encoding and decoding. */
function again<T>(value: T, write: (value: T) => Uint8Array, read: (payload: Uint8Array) => T): void {
  assertDeepStrictEquals(read(write(value)), value);
}

interface Decoder {
  readonly name: string;
  readonly decode: (message: NetlinkMessage, random: Random, verify: boolean) => void;
}

const readTunnel = (payload: Uint8Array): ReturnType<typeof decodeTunnel> =>
  decodeTunnel(decodeGenl(payload).attributes);
const readSession = (payload: Uint8Array): ReturnType<typeof decodeSession> =>
  decodeSession(decodeGenl(payload).attributes);

const DECODERS: readonly Decoder[] = [
  {
    name: "decodeFamily",
    decode: ({ payload }, _, verify) => {
      const family = decodeFamily(payload);
      if (verify) again(family, encodeFamily, decodeFamily);
    },
  },
  {
    name: "decodeTunnel",
    decode: ({ payload }, _, verify) => {
      const tunnel = readTunnel(payload);
      // An encapsulation without a name cannot be written.
      if (verify && tunnel.encap !== undefined) again(tunnel, (value) => encodeTunnel(4, value), readTunnel);
    },
  },
  {
    name: "decodeSession",
    decode: ({ payload }, _, verify) => {
      const session = readSession(payload);
      if (verify && Number.isSafeInteger(session.reorderTimeoutMs)) {
        again(session, (value) => encodeSession(8, value), readSession);
      }
    },
  },
  { name: "decodeEvent", decode: ({ payload }) => void decodeEvent(payload) },
  { name: "decodeLink", decode: ({ payload }) => void decodeLink(payload) },
  { name: "decodeAddress", decode: ({ payload }) => void decodeAddress(payload) },
  { name: "decodeError", decode: (message) => void decodeError(message) },
  { name: "decodeDone", decode: (message) => void decodeDone(message) },
  {
    name: "AttributeReader, looking first",
    decode: ({ payload }) => void walk(new AttributeReader(payload, 4)),
  },
  { name: "AttributeReader, blindly", decode: ({ payload }, random) => blindly(payload, random) },
];

/** Decoders by message type, so that most attempts are nearly valid. */
const LIKELY: ReadonlyMap<number, readonly number[]> = new Map([
  [2, [6]],
  [3, [7]],
  [16, [0, 4]],
  [20, [5]],
  [0x20, [1, 2, 3]],
]);

Deno.test(`all decoders: ${COUNT} damaged messages, seed ${SEED}, only DecodeError`, () => {
  const random = new Random(SEED);
  const all = seeds();
  const room = new Uint8Array(LONGEST + 64);
  const accepted = DECODERS.map(() => 0);
  const refused = DECODERS.map(() => 0);
  let whole = 0;
  let broken = 0;
  /** Returns whether the decoder accepted the message. */
  function attempt(action: () => void, what: string, bytes: Uint8Array): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (error instanceof DecodeError && error.offset >= 0 && error.offset <= bytes.length) return false;
      throw new Error(`${what}, seed ${SEED}, bytes ${bytes.toHex()}`, { cause: error });
    }
  }
  const { stackTraceLimit } = Error;
  // Stack traces would take most of the time.
  Error.stackTraceLimit = 0;
  try {
    for (let i = 0; i < COUNT; i++) {
      const seed = random.pick(all);
      const start = random.below(8);
      room.set(seed, start);
      let length = seed.length;
      const bytes = room.subarray(start, start + LONGEST + 32);
      for (let n = random.below(4); n >= 0; n--) length = damage(bytes, length, all, random);
      const datagram = bytes.subarray(0, length);
      let messages: NetlinkMessage[] = [];
      if (attempt(() => messages = decodeMessages(datagram), "decodeMessages", datagram)) whole++;
      else broken++;
      // A damaged header must not prevent tests of the rest.
      const message = messages[0] ??
        {
          type: seed[4]!,
          flags: random.next() & 0xffff,
          sequence: 0,
          portId: 0,
          payload: datagram.subarray(16),
        };
      const likely = LIKELY.get(seed[4]!) ?? [8];
      // Occasionally use a decoder of another message type.
      const tried = random.oneIn(4)
        ? [random.pick(likely), random.below(DECODERS.length)]
        : [random.pick(likely)];
      for (const index of tried) {
        const { name, decode } = DECODERS[index]!;
        const verify = (i & 63) === 0;
        if (attempt(() => decode(message, random, verify), name, message.payload)) accepted[index]!++;
        else refused[index]!++;
      }
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  // A fuzz test in which all or no messages are accepted tests nothing.
  assert(
    whole > COUNT / 20 && broken > COUNT / 20,
    `decodeMessages: ${whole} accepted, ${broken} refused`,
  );
  for (const [index, { name }] of DECODERS.entries()) {
    const share = `${name}: ${accepted[index]} accepted, ${refused[index]} refused`;
    assert(accepted[index]! > COUNT / 200 && refused[index]! > COUNT / 2000, share);
  }
  console.log(`fuzz: seed ${SEED}, ${COUNT} messages, ${whole} whole`);
});

Deno.test("all decoders: every message of every capture, cut at every byte, only DecodeError", () => {
  for (const bytes of seeds()) {
    for (let length = 0; length <= bytes.length; length++) {
      const datagram = bytes.subarray(0, length);
      const payload = bytes.subarray(Math.min(16, length), length);
      for (const type of [2, 3, 16, 20, 0x20]) {
        const message = { type, flags: 0x300, sequence: 0, portId: 0, payload };
        for (
          const decode of [
            () => decodeMessages(datagram),
            ...DECODERS.map(({ decode }) => () => decode(message, new Random(1), false)),
          ]
        ) {
          try {
            decode();
          } catch (error) {
            if (!(error instanceof DecodeError)) {
              throw new Error(`bytes ${datagram.toHex()}`, { cause: error });
            }
          }
        }
      }
    }
  }
});
