/**
 * What the data path knows of the PPP that runs over a session: which packets pass, and how they are framed.
 *
 * @module
 */

import { IPV4_HEADER, IPV6_HEADER } from "../../base/inet.ts";
import { TCP_HEADER } from "../../wire/ip/constants.ts";
import { PPP_PROTOCOL } from "../../wire/ppp/constants.ts";
import { type Headers, pppHeaders } from "../transmit/headers.ts";

/** What LCP has agreed on with the peer (RFC 1661 section 6). */
export interface PppAgreement {
  /** The longest packet that the peer takes (its Maximum-Receive-Unit), in bytes: 1 to 65535. */
  readonly mtu: number;
  /** The longest packet that the peer was told to send, in bytes: 1 to 65535. */
  readonly mru: number;
  /** The peer takes protocol fields of one byte. */
  readonly pfc: boolean;
  /** The peer takes frames without address and control field. */
  readonly acfc: boolean;
}

/** What is to become of a PPP; members that are left out stay as they are. */
export interface PppChanges {
  /** Let IPv4 packets through. */
  readonly ipv4?: boolean | undefined;
  /** Let IPv6 packets through. */
  readonly ipv6?: boolean | undefined;
  /** What was agreed on. */
  readonly agreed?: PppAgreement | undefined;
}

/** What holds before anything is agreed on (RFC 1661 section 6.1: the default Maximum-Receive-Unit). */
export const UNNEGOTIATED: PppAgreement = { mtu: 1500, mru: 1500, pfc: false, acfc: false };
const PACKET_MAX = 0xffff;

/** The PPP of a session. Made by `DataPath.attachPpp`; its members are for the data path, and to read. */
export class PppFraming {
  /** Whether IPv4 packets pass. */
  passesIpv4 = false;
  /** Whether IPv6 packets pass. */
  passesIpv6 = false;
  /** The longest packet that may be sent, in bytes. */
  mtu = UNNEGOTIATED.mtu;
  /** The largest segment that TCP over IPv4 may ask for in either direction; 0: any. */
  mss4 = 0;
  /** The largest segment that TCP over IPv6 may ask for in either direction; 0: any. */
  mss6 = 0;
  /** Headers of IPv4 packets. */
  ipv4!: Headers;
  /** Headers of IPv6 packets. */
  ipv6!: Headers;
  readonly #headers: Headers;
  readonly #clampMss: boolean;

  /**
   * Nothing passes, nothing is agreed on.
   *
   * @param headers Those of the session's frames that begin at their Protocol field
   * @param clampMss Whether TCP is told of segments that fit the packets agreed on
   */
  constructor(headers: Headers, clampMss: boolean) {
    this.#headers = headers;
    this.#clampMss = clampMss;
    this.#agree(UNNEGOTIATED);
  }

  /**
   * Changes it.
   *
   * @throws {RangeError} if a length is out of range; then nothing changes
   */
  change({ ipv4, ipv6, agreed }: PppChanges): void {
    if (agreed !== undefined) this.#agree(agreed);
    this.passesIpv4 = ipv4 ?? this.passesIpv4;
    this.passesIpv6 = ipv6 ?? this.passesIpv6;
  }

  #agree({ mtu, mru, pfc, acfc }: PppAgreement): void {
    for (const length of [mtu, mru]) {
      if (!Number.isInteger(length) || length < 1 || length > PACKET_MAX) {
        throw new RangeError(`Packets of ${length} bytes are out of range`);
      }
    }
    this.mtu = mtu;
    const longest = Math.min(mtu, mru);
    this.mss4 = this.#clampMss ? Math.max(longest - IPV4_HEADER - TCP_HEADER, 1) : 0;
    this.mss6 = this.#clampMss ? Math.max(longest - IPV6_HEADER - TCP_HEADER, 1) : 0;
    this.ipv4 = pppHeaders(this.#headers, PPP_PROTOCOL.IP, acfc, pfc);
    this.ipv6 = pppHeaders(this.#headers, PPP_PROTOCOL.IPV6, acfc, pfc);
  }

  /** Headers of the packet that begins with this byte; `undefined` unless such packets pass. */
  headersOf(firstByte: number): Headers | undefined {
    const version = firstByte >> 4;
    if (version === 4 && this.passesIpv4) return this.ipv4;
    return version === 6 && this.passesIpv6 ? this.ipv6 : undefined;
  }
}
