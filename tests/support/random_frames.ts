/**
 * Frames of chance for tests of the data path.
 *
 * @module
 */

import { FLAG, type FrameSpec } from "./inner_frames.ts";
import type { Random } from "./random.ts";

const NO_TAGS: readonly (readonly [number, number])[] = [];

/** Random but valid headers of a flow, without payload. */
export function randomFlow(random: Random, isUdp: boolean = random.oneIn(2)): FrameSpec {
  const isIpv6 = random.oneIn(2);
  const tag = (type: number): readonly [number, number] => [type, random.below(0x10000)];
  return {
    mac: random.bytes(12),
    tags: random.pick([NO_TAGS, NO_TAGS, [tag(0x8100)], [tag(0x88a8), tag(0x8100)]]),
    isIpv6,
    addresses: random.bytes(isIpv6 ? 32 : 8),
    service: random.below(256),
    ttl: random.below(256),
    identification: random.pick([random.below(0x10000), 0xffff - random.below(8)]),
    fragment: random.pick([0, 0x4000]),
    ipOptions: random.oneIn(4) ? random.bytes(4 * (1 + random.below(10))) : new Uint8Array(0),
    flowLabel: random.below(0x100000),
    isUdp,
    ports: [random.below(0x10000), random.below(0x10000)],
    sequence: random.pick([random.next(), 0xffffffff - random.below(5000), 0x7fffffff - random.below(5000)]),
    acknowledgement: random.next(),
    flags: FLAG.ack,
    window: random.below(0x10000),
    urgent: random.oneIn(4) ? random.below(0x10000) : 0,
    tcpOptions: random.oneIn(2) ? random.bytes(4 * (1 + random.below(10))) : new Uint8Array(0),
  };
}

/** A payload's length: mostly small, now and then as large as a packet with such headers can carry. */
export function randomLength(random: Random): number {
  if (random.oneIn(40)) return 65_535 - 60 - 60 - random.below(5);
  return 1 + (random.oneIn(4) ? random.below(5000) : random.below(300));
}
