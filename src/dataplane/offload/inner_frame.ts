/**
 * Parses the headers of a frame in a pseudowire: Ethernet with up to two VLAN tags, or none for IP packets of PPP;
 * then IPv4 or IPv6, then TCP or UDP.
 *
 * @module
 */

import {
  ETHERNET_HEADER,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_HEADER,
  IPV6_HEADER,
  UDP_HEADER,
} from "../../base/inet.ts";
import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../../base/bytes.ts";
import {
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_QINQ,
  ETHERTYPE_VLAN,
  IPV4_FRAGMENT,
  TCP_HEADER,
  VLAN_TAG,
} from "../../wire/ip/constants.ts";

/** Maximum number of VLAN tags before the IP header. */
const MAX_TAGS = 2;

/** The header offsets of one frame; reusable. All offsets are those of the view. */
export class InnerFrame {
  /** True for IPv6, false for IPv4. */
  isIpv6 = false;
  /** True for TCP, false for UDP. */
  isTcp = false;
  /** Offset of the frame. */
  start = 0;
  /** Offset of the IP header. */
  network = 0;
  /** Offset of the TCP or UDP header. */
  transport = 0;
  /** Offset of the payload. */
  payload = 0;
  /** Offset behind the frame's last byte. */
  end = 0;

  /**
   * Parses the frame of `length` bytes at `start`, which begins with an IP header if `isIp`, else with an Ethernet
   * header. Returns false unless the frame is exactly one unfragmented TCP or UDP packet without IPv6 extension
   * headers; the members are then undefined.
   */
  read(view: DataView, start: number, length: number, isIp: boolean): boolean {
    if (!this.readNetwork(view, start, length, isIp)) return false;
    const { network, end } = this;
    let protocol: number;
    if (this.isIpv6) {
      if (network + IPV6_HEADER + view.getUint16(network + 4, BIG) !== end) return false;
      protocol = view.getUint8(network + 6);
      this.transport = network + IPV6_HEADER;
    } else {
      const header = (view.getUint8(network) & 0x0f) * 4;
      if (header < IPV4_HEADER || network + view.getUint16(network + 2, BIG) !== end) return false;
      if ((view.getUint16(network + 6, BIG) & IPV4_FRAGMENT) !== 0) return false;
      protocol = view.getUint8(network + 9);
      this.transport = network + header;
    }
    return this.readTransport(view, protocol);
  }

  /** Parses up to the IP header. Returns false if there is none, or if it is incomplete. */
  readNetwork(view: DataView, start: number, length: number, isIp: boolean): boolean {
    const end = start + length;
    if (isIp) return length > 0 && this.#isNetwork(view, start, start, end, view.getUint8(start) >> 4 === 6);
    let at = start + ETHERNET_HEADER - 2;
    for (let tags = 0; at + 2 <= end; tags++) {
      const type = view.getUint16(at, BIG);
      at += 2;
      if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) {
        return this.#isNetwork(view, start, at, end, type === ETHERTYPE_IPV6);
      }
      if ((type !== ETHERTYPE_VLAN && type !== ETHERTYPE_QINQ) || tags === MAX_TAGS) return false;
      at += VLAN_TAG - 2;
    }
    return false;
  }

  /** Checks for a complete IP header at `at`, and sets the members. */
  #isNetwork(view: DataView, start: number, at: number, end: number, isIpv6: boolean): boolean {
    this.isIpv6 = isIpv6;
    this.start = start;
    this.network = at;
    this.end = end;
    if (at + (isIpv6 ? IPV6_HEADER : IPV4_HEADER) > end) return false;
    return view.getUint8(at) >> 4 === (isIpv6 ? 6 : 4);
  }

  /** Parses the transport header, whose offset is set. Returns false if it is neither TCP nor UDP, or incomplete. */
  readTransport(view: DataView, protocol: number): boolean {
    const { transport, end } = this;
    if (protocol === IPPROTO_TCP) {
      if (transport + TCP_HEADER > end) return false;
      const header = (view.getUint8(transport + 12) >> 4) * 4;
      this.isTcp = true;
      this.payload = transport + header;
      return header >= TCP_HEADER && this.payload <= end;
    }
    if (protocol !== IPPROTO_UDP || transport + UDP_HEADER > end) return false;
    this.isTcp = false;
    this.payload = transport + UDP_HEADER;
    return view.getUint16(transport + 4, BIG) === end - transport;
  }
}
