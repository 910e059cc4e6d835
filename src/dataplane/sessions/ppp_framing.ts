/**
 * PPP framing of a session: which IP packets pass, and how they are framed.
 *
 * @module
 */

import { IPV4_HEADER, IPV6_HEADER } from "../../base/inet.ts";
import { TCP_HEADER } from "../../wire/ip/constants.ts";
import { PPP_PROTOCOL } from "../../wire/ppp/constants.ts";
import { type Headers, pppHeaders } from "../transmit/headers.ts";

/** Options that LCP has negotiated with the peer (RFC 1661 section 6). */
export interface PppAgreement {
  /** Longest packet that the peer accepts (its Maximum-Receive-Unit), in bytes: 1 to 65535. */
  readonly mtu: number;
  /** Longest packet that the peer may send (the local Maximum-Receive-Unit), in bytes: 1 to 65535. */
  readonly mru: number;
  /** The peer accepts Protocol fields of one byte. */
  readonly pfc: boolean;
  /** The peer accepts frames without Address and Control fields. */
  readonly acfc: boolean;
}

/** Changes of the framing; omitted members keep their values. */
export interface PppChanges {
  /** IPv4 packets pass. */
  readonly ipv4?: boolean | undefined;
  /** IPv6 packets pass. */
  readonly ipv6?: boolean | undefined;
  /** The options that LCP has negotiated. */
  readonly agreed?: PppAgreement | undefined;
}

/** Values before LCP has negotiated anything (RFC 1661 section 6.1: the default Maximum-Receive-Unit). */
export const UNNEGOTIATED: PppAgreement = { mtu: 1500, mru: 1500, pfc: false, acfc: false };
const PACKET_MAX = 0xffff;

/** PPP framing of a session. Created by `DataPath.attachPpp`. Only the data path writes its members. */
export class PppFraming {
  /** IPv4 packets pass. */
  passesIpv4 = false;
  /** IPv6 packets pass. */
  passesIpv6 = false;
  /** Longest packet that may be sent, in bytes. */
  mtu = UNNEGOTIATED.mtu;
  /** Limit for the MSS of TCP over IPv4, in either direction; 0 for no limit. */
  mss4 = 0;
  /** Limit for the MSS of TCP over IPv6, in either direction; 0 for no limit. */
  mss6 = 0;
  /** Headers of IPv4 packets. */
  ipv4!: Headers;
  /** Headers of IPv6 packets. */
  ipv6!: Headers;
  readonly #headers: Headers;
  readonly #clampMss: boolean;

  /**
   * Starts with nothing negotiated; no packets pass.
   *
   * @param headers Headers of the session's frames that begin at their Protocol field
   * @param clampMss Whether to clamp the MSS of TCP handshakes to the negotiated MTU
   */
  constructor(headers: Headers, clampMss: boolean) {
    this.#headers = headers;
    this.#clampMss = clampMss;
    this.#applyAgreement(UNNEGOTIATED);
  }

  /**
   * Changes the framing.
   *
   * @throws {RangeError} if a length is out of range; then nothing changes
   */
  change({ ipv4, ipv6, agreed }: PppChanges): void {
    if (agreed !== undefined) this.#applyAgreement(agreed);
    this.passesIpv4 = ipv4 ?? this.passesIpv4;
    this.passesIpv6 = ipv6 ?? this.passesIpv6;
  }

  #applyAgreement({ mtu, mru, pfc, acfc }: PppAgreement): void {
    for (const length of [mtu, mru]) {
      if (!Number.isInteger(length) || length < 1 || length > PACKET_MAX) {
        throw new RangeError(`Packet length ${length} is out of range`);
      }
    }
    this.mtu = mtu;
    const longest = Math.min(mtu, mru);
    this.mss4 = this.#clampMss ? Math.max(longest - IPV4_HEADER - TCP_HEADER, 1) : 0;
    this.mss6 = this.#clampMss ? Math.max(longest - IPV6_HEADER - TCP_HEADER, 1) : 0;
    this.ipv4 = pppHeaders(this.#headers, PPP_PROTOCOL.IP, acfc, pfc);
    this.ipv6 = pppHeaders(this.#headers, PPP_PROTOCOL.IPV6, acfc, pfc);
  }

  /** Headers of the packet that begins with this byte; `undefined` unless packets of its version pass. */
  headersFor(firstByte: number): Headers | undefined {
    const version = firstByte >> 4;
    if (version === 4 && this.passesIpv4) return this.ipv4;
    return version === 6 && this.passesIpv6 ? this.ipv6 : undefined;
  }
}
