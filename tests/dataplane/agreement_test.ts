/** The data path parses headers in place; the tests' decoders parse them slowly. Both must agree. */

import { assert, assertEquals } from "@std/assert";
import { DecodeError } from "../../src/base/errors.ts";
import { encodeV2DataHeader } from "../../src/wire/l2tp/data_header_v2.ts";
import { encodeV3DataHeader } from "../../src/wire/l2tp/data_header_v3.ts";
import { decodeV2DataHeader, decodeV3DataHeader } from "../support/data_headers.ts";
import { Random } from "../support/random.ts";
import { arriving, DataPathHarness } from "./support.ts";

/** The decoder's result, or `undefined` if it rejects the packet. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function damaged(packet: Uint8Array, random: Random): Uint8Array {
  const bytes = packet.slice(0, random.oneIn(8) ? random.below(packet.length + 1) : packet.length);
  for (let n = random.below(3); n > 0 && bytes.length > 0; n--) {
    const at = random.below(Math.min(bytes.length, 24));
    bytes[at]! ^= 1 << random.below(8);
  }
  return bytes;
}

/** The expected output for a PPP frame while no IP passes: nothing, or the frame from its Protocol field on. */
function controlFrames(frame: Uint8Array): Uint8Array[] {
  const bare = frame[0] === 0xff && frame[1] === 0x03 ? frame.slice(2) : frame;
  const [high, low] = bare;
  if (high === undefined || (high % 2 === 0 && low === undefined)) return [];
  const protocol = high % 2 === 1 ? high : 256 * high + low!;
  return protocol === 0x21 || protocol === 0x57 ? [] : [bare];
}

Deno.test("agreement: version 3 frames are delivered exactly when the decoder finds the same ids and cookie", () => {
  const random = new Random(50);
  let delivered = 0;
  for (const kind of ["udp4", "ip4", "udp6", "ip6"] as const) {
    for (const l2spec of ["none", "default"] as const) {
      for (const cookieLength of [0, 4, 7, 8]) {
        const encap = kind.startsWith("udp") ? "udp" : "ip";
        const cookie = random.bytes(cookieLength);
        const harness = new DataPathHarness();
        const endpoint = harness.endpoint(kind);
        const tunnel = harness.tunnel(endpoint);
        for (let i = 0; i < 500; i++) {
          // A new session each time: its first sequence number is accepted if it is below half of the range.
          const session = harness.session(tunnel, {
            l2spec,
            peerCookie: cookie,
            pseudowire: "ppp",
          });
          const sequence = random.oneIn(2) ? random.below(0x1000000) : undefined;
          const header = encodeV3DataHeader({ encap, hasSublayer: l2spec === "default" }, {
            sessionId: 1,
            cookie,
            sequence,
          });
          const packet = damaged(Uint8Array.of(...header, 0xc0, 0x21, ...random.bytes(8)), random);
          const frames = harness.receive(endpoint, [arriving(kind, packet)]);
          const decoded = attempt(() =>
            decodeV3DataHeader(packet, { encap, hasSublayer: l2spec === "default", cookieLength })
          );
          const isOurs = decoded !== undefined && decoded.header.sessionId === 1 &&
            decoded.header.cookie.every((byte, at) => byte === cookie[at]) &&
            (decoded.header.sequence ?? 0) < session.window &&
            (encap === "ip" || packet.length >= 14);
          assertEquals(
            frames.map((frame) => frame.bytes),
            isOurs ? controlFrames(packet.slice(decoded.headerLength)) : [],
            packet.toHex(),
          );
          delivered += frames.length;
          harness.path.removeSession(session);
        }
        harness.assertConservation();
      }
    }
  }
  assert(delivered > 1000 && delivered < 15_000, `${delivered}`);
});

Deno.test("agreement: version 2 frames are delivered exactly when the decoder finds the same ids", () => {
  const random = new Random(51);
  let delivered = 0;
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const tunnel = harness.tunnel(endpoint, { version: 2 });
  for (let i = 0; i < 8000; i++) {
    const session = harness.session(tunnel);
    const header = encodeV2DataHeader({
      tunnelId: 1,
      sessionId: 1,
      length: random.oneIn(2) ? random.below(0x10000) : undefined,
      ns: random.oneIn(2) ? random.below(0x10000) : undefined,
      offsetSize: random.oneIn(2) ? random.below(6) : undefined,
      priority: random.oneIn(2),
    });
    const packet = damaged(Uint8Array.of(...header, 0xc0, 0x21, ...random.bytes(8)), random);
    const frames = harness.receive(endpoint, [packet]);
    const decoded = attempt(() => decodeV2DataHeader(packet));
    const isOurs = decoded !== undefined && decoded.header.tunnelId === 1 && decoded.header.sessionId === 1 &&
      (decoded.header.ns ?? 0) < session.window && packet.length >= 14;
    const expected = isOurs ? controlFrames(packet.slice(decoded.headerLength)) : [];
    assertEquals(frames.map(({ bytes }) => bytes), expected, packet.toHex());
    delivered += frames.length;
    harness.path.removeSession(session);
  }
  harness.assertConservation();
  assert(delivered > 500 && delivered < 7500, `${delivered}`);
});
