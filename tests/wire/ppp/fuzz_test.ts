/**
 * Every decoder of `src/wire/ppp/` against a million damaged copies of real frames. Decoders may throw nothing but
 * `DecodeError`, and decoded values must survive encoding and decoding.
 *
 * The seed is printed; `L2TP_FUZZ_SEED` and `L2TP_FUZZ_COUNT` set seed and count, as for `tests/wire/fuzz_test.ts`.
 */

import { assert, assertEquals } from "@std/assert";
import { DecodeError } from "../../../src/base/errors.ts";
import {
  decodeChapValue,
  decodeMsChapResponse,
  decodeMsChapV2Response,
  encodeChapValue,
  encodeMsChapResponse,
  encodeMsChapV2Response,
  formatMsChapFailure,
  parseMsChapFailure,
  parseMsChapV2Success,
} from "../../../src/wire/ppp/chap.ts";
import {
  decodeControlPacket,
  decodeMagicData,
  decodeRejectedProtocol,
  decodeTimeRemaining,
  encodeControlPacket,
  encodeMagicData,
  encodeRejectedProtocol,
  encodeTimeRemaining,
} from "../../../src/wire/ppp/control_packet.ts";
import { decodePppFrame, encodePppFrame } from "../../../src/wire/ppp/frame.ts";
import {
  authOption,
  decodeOptions,
  encodeOptions,
  interfaceIdOption,
  ipv4Option,
  readAuth,
  readInterfaceId,
  readIpv4,
  readU16,
  readU32,
  u16Option,
  u32Option,
} from "../../../src/wire/ppp/options.ts";
import {
  decodePapMessage,
  decodePapRequest,
  encodePapMessage,
  encodePapRequest,
} from "../../../src/wire/ppp/pap.ts";
import { damage, PPP_FRAMES } from "../../support/ppp_frames.ts";
import { Random, setting } from "../../support/random.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x12c0ffee);
const COUNT = setting("L2TP_FUZZ_COUNT", 1_000_000);

/** Decoded values must survive encoding and decoding. */
function again<T>(value: T, write: (value: T) => Uint8Array, read: (bytes: Uint8Array) => T): void {
  assertDeepStrictEquals(read(write(value)), value);
}

/** Reads an option with every value reader; values that can be read must survive encoding. */
function readOption(option: { type: number; data: Uint8Array }, verify: boolean): void {
  const values = [
    readU16(option),
    readU32(option),
    readIpv4(option),
    readInterfaceId(option),
    readAuth(option),
  ];
  if (!verify) return;
  const { type } = option;
  const [u16, u32, ipv4, interfaceId, auth] = values as [number?, number?, string?, string?, "pap"?];
  if (u16 !== undefined) assertDeepStrictEquals(u16Option(type, u16), option);
  if (u32 !== undefined) assertDeepStrictEquals(u32Option(type, u32), option);
  if (ipv4 !== undefined) assertDeepStrictEquals(ipv4Option(type, ipv4), option);
  if (interfaceId !== undefined) assertDeepStrictEquals(interfaceIdOption(type, interfaceId), option);
  if (auth !== undefined) assertEquals(authOption(auth).data, option.data);
}

interface Decoder {
  readonly name: string;
  readonly decode: (data: Uint8Array, verify: boolean) => void;
}

const DECODERS: readonly Decoder[] = [
  {
    name: "decodeOptions",
    decode: (data, verify) => {
      const options = decodeOptions(data);
      for (const option of options) readOption(option, verify);
      if (verify) assertEquals(encodeOptions(options), Uint8Array.from(data));
    },
  },
  {
    name: "decodeRejectedProtocol",
    decode: (data, verify) => {
      const rejected = decodeRejectedProtocol(data);
      if (verify) again(rejected, encodeRejectedProtocol, decodeRejectedProtocol);
    },
  },
  {
    name: "decodeMagicData",
    decode: (data, verify) => {
      const magic = decodeMagicData(data);
      if (verify) again(magic, encodeMagicData, decodeMagicData);
    },
  },
  {
    name: "decodeTimeRemaining",
    decode: (data, verify) => {
      const remaining = decodeTimeRemaining(data);
      if (verify) again(remaining, encodeTimeRemaining, decodeTimeRemaining);
    },
  },
  {
    name: "decodePapRequest",
    decode: (data, verify) => {
      const request = decodePapRequest(data);
      if (verify) again(request, encodePapRequest, decodePapRequest);
    },
  },
  {
    name: "decodePapMessage",
    decode: (data, verify) => {
      const message = decodePapMessage(data);
      if (verify) again(message, encodePapMessage, decodePapMessage);
    },
  },
  {
    name: "decodeChapValue",
    decode: (data, verify) => {
      const value = decodeChapValue(data);
      if (verify) again(value, encodeChapValue, decodeChapValue);
    },
  },
  {
    name: "decodeMsChapResponse",
    decode: (data, verify) => {
      const { value } = decodeChapValue(data);
      const { ntResponse } = decodeMsChapResponse(value);
      const response = decodeMsChapV2Response(value);
      if (!verify) return;
      assertEquals(decodeMsChapResponse(encodeMsChapResponse(ntResponse)).ntResponse, ntResponse);
      again(response, encodeMsChapV2Response, decodeMsChapV2Response);
    },
  },
  {
    name: "parseMsChapFailure",
    decode: (data, verify) => {
      const text = new TextDecoder().decode(data);
      parseMsChapV2Success(text);
      const failure = parseMsChapFailure(text);
      if (failure === undefined) throw new DecodeError({ field: "E", offset: 0, needed: 1, had: 0 });
      if (verify) assertDeepStrictEquals(parseMsChapFailure(formatMsChapFailure(failure)), failure);
    },
  },
];

Deno.test(`PPP's decoders: ${COUNT} damaged frames, seed ${SEED}, only DecodeError`, () => {
  const random = new Random(SEED);
  const room = new Uint8Array(512);
  const accepted = DECODERS.map(() => 0);
  const refused = DECODERS.map(() => 0);
  let whole = 0;
  let broken = 0;
  /** Returns the decoded value; `undefined` if the decoder refuses the frame. */
  function attempt<T>(action: () => T, what: string, bytes: Uint8Array): T | undefined {
    try {
      return action();
    } catch (error) {
      if (error instanceof DecodeError && error.offset >= 0 && error.offset <= bytes.length) return undefined;
      throw new Error(`${what}, seed ${SEED}, bytes ${bytes.toHex()}`, { cause: error });
    }
  }
  const { stackTraceLimit } = Error;
  // Stack traces would take most of the time.
  Error.stackTraceLimit = 0;
  try {
    for (let i = 0; i < COUNT; i++) {
      const bytes = damage(random.pick(PPP_FRAMES), room, random);
      const verify = (i & 63) === 0;
      const packet = attempt(
        () => {
          const frame = decodePppFrame(bytes);
          // A compressed Protocol field is not encoded as it was decoded.
          if (verify && (frame.protocol & 0x101) === 1) {
            again(frame, ({ protocol, payload }) => encodePppFrame(protocol, payload), decodePppFrame);
          }
          const packet = decodeControlPacket(frame.payload);
          if (verify) again(packet, encodeControlPacket, decodeControlPacket);
          return packet;
        },
        "decodePppFrame, decodeControlPacket",
        bytes,
      );
      if (packet === undefined) broken++;
      else whole++;
      // A damaged header must not prevent tests of the rest.
      const data = packet?.data ?? bytes.subarray(6);
      const index = random.below(DECODERS.length);
      const { name, decode } = DECODERS[index]!;
      if (attempt(() => (decode(data, verify), true), name, data) === true) accepted[index]!++;
      else refused[index]!++;
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  // A fuzz test in which all or no frames are accepted tests nothing.
  assert(whole > COUNT / 20 && broken > COUNT / 20, `${whole} accepted, ${broken} refused`);
  for (const [index, { name }] of DECODERS.entries()) {
    const share = `${name}: ${accepted[index]} accepted, ${refused[index]} refused`;
    assert(accepted[index]! > COUNT / 1000 && refused[index]! > COUNT / 10_000, share);
  }
  console.log(`fuzz: seed ${SEED}, ${COUNT} frames, ${whole} whole`);
});
