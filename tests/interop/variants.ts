/**
 * The eight ways to build a session that the reference captures were made with, for both ends of a wire. In the order
 * and with the names of the captures.
 *
 * @module
 */

import type { WireOptions } from "../userspace/wire.ts";

/** One of them. */
export interface Variant {
  /** Name of the variant. */
  readonly name: string;
  /** Creates both ends. */
  readonly options: WireOptions;
  /** MTU of the device at a and at b. */
  readonly mtu: readonly [a: number, b: number];
  /** Reports whether packets pass. */
  readonly carries: boolean;
}

const COOKIES = { cookieA: 8, cookieB: 4 } as const;
const SEQUENCED = { sendSeq: true, recvSeq: true } as const;

/** All eight. */
export const VARIANTS: readonly Variant[] = [
  { name: "1: IP over IPv4, defaults", options: { encap: "ip" }, mtu: [1458, 1458], carries: true },
  {
    name: "2: UDP over IPv4, cookies, sequence numbers both ways, no sublayer",
    options: { ...COOKIES, session: { ...SEQUENCED, l2spec: "none" } },
    mtu: [1442, 1446],
    carries: false,
  },
  {
    name: "3: UDP over IPv4, cookies, no sublayer",
    options: { ...COOKIES, session: { l2spec: "none" } },
    mtu: [1442, 1446],
    carries: true,
  },
  {
    name: "4: UDP over IPv4, sequence numbers both ways, checksums",
    options: { tunnel: { udpChecksum: true }, session: SEQUENCED },
    mtu: [1446, 1446],
    carries: true,
  },
  {
    name: "5: UDP over IPv4, sequence numbers one way, short cookies",
    options: {
      cookieA: 4,
      cookieB: 4,
      tunnel: { udpChecksum: false, localPort: 1701, peerPort: 1701 },
      a: { sendSeq: true },
      b: { recvSeq: true },
    },
    mtu: [1442, 1442],
    carries: true,
  },
  {
    name: "6: UDP over IPv6",
    options: { family: 6, session: SEQUENCED },
    mtu: [1426, 1426],
    carries: true,
  },
  {
    name: "7: UDP over IPv6, no checksums",
    options: { family: 6, tunnel: { checksumTx: false, checksumRx: false } },
    mtu: [1426, 1426],
    carries: true,
  },
  { name: "8: IP over IPv6", options: { encap: "ip", family: 6 }, mtu: [1438, 1438], carries: true },
];
