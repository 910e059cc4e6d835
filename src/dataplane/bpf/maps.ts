/**
 * The kernel's maps that tell the BPF programs about sessions. Numbers are in host order; values that are copied to
 * packets or compared with them are in network order.
 *
 * Three maps serve one network namespace. `encapsulation` maps a device index to the headers for frames that the
 * kernel sends through it. `decapsulation` maps addresses, ports and session id to the device that gets a packet's
 * frame. Both refer to a slot of `counters`, which the daemon maps into its memory.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import type { L2Spec } from "../../model/session.ts";
import { ETHERNET_HEADER, IPPROTO_UDP, IPV4_HEADER, IPV6_HEADER, UDP_HEADER } from "../../base/inet.ts";
import { SUBLAYER_BYTES } from "../../wire/l2tp/constants.ts";
import { encodeV3DataHeader } from "../../wire/l2tp/data_header_v3.ts";

/** Flags, version, reserved bits and session id, which precede cookie and sublayer; in bytes. */
export const L2TP_FIXED = 8;
/** Longest cookie in bytes. */
export const COOKIE_MAX = 8;
/** Longest headers in front of a frame, in bytes: IPv6, UDP and the longest L2TP header. */
export const HEADERS_MAX: number = IPV6_HEADER + UDP_HEADER + L2TP_FIXED + COOKIE_MAX + SUBLAYER_BYTES;

/** The kernel's default of `net.ipv4.ip_default_ttl`. */
const TTL = 64;

/** Flag of bpf_skb_adjust_room (`linux/bpf.h`). */
export const BPF_F_ADJ_ROOM_FIXED_GSO = 1;
/** Mode of bpf_skb_adjust_room: behind the Ethernet header. */
export const BPF_ADJ_ROOM_MAC = 1;
const BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 = 1n << 1n;
const BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 = 1n << 2n;
const BPF_F_ADJ_ROOM_ENCAP_L4_UDP = 1n << 4n;
const BPF_F_ADJ_ROOM_ENCAP_L2_ETH = 1n << 6n;
const BPF_ADJ_ROOM_ENCAP_L2_SHIFT = 56n;

/** A session for the BPF programs: version 3 over UDP without checksums, without sequence numbers. */
export interface BpfSession {
  /** Index in the map of counters. */
  readonly slot: number;
  /** Index of the session's device. */
  readonly device: number;
  /** Index of the device on the path to the peer. */
  readonly outDevice: number;
  /** Path MTU to the peer. */
  readonly mtu: number;
  /** Local address, 4 or 16 bytes. */
  readonly local: Uint8Array;
  /** The peer's address, of the same length. */
  readonly peer: Uint8Array;
  readonly localPort: number;
  readonly peerPort: number;
  readonly sessionId: number;
  readonly peerSessionId: number;
  readonly l2spec: L2Spec;
  /** Cookie of sent packets, up to 8 bytes. */
  readonly cookie: Uint8Array;
  /** Cookie required in received packets, up to 8 bytes. */
  readonly peerCookie: Uint8Array;
}

/** The map `encapsulation`: its key is a device index. These are the offsets in its value. */
export const ENCAPSULATION = {
  keySize: 4,
  valueSize: 40 + 72,
  /** Index in `counters`. */
  slot: 0,
  /** Index of the device that sends the packets. */
  outDevice: 4,
  /** Longest frame with its Ethernet header, in bytes. */
  frameMax: 8,
  /** Used bytes of {@link ENCAPSULATION.headers}. */
  headersLength: 12,
  /** Flags for bpf_skb_adjust_room: 8 bytes. */
  roomFlags: 16,
  /** Length of the L2TP header in bytes. */
  l2tpLength: 24,
  /** IPv4: unfolded sum of the header's 16-bit words except length, identification and checksum. */
  sum: 28,
  /** 0 for IPv4, 1 for IPv6. */
  isIpv6: 32,
  /** IP, UDP and L2TP headers, without lengths, IPv4 identification and IPv4 checksum. */
  headers: 40,
  /** Bytes reserved for the headers. */
  headersSize: 72,
} as const;

/** The map `decapsulation`: offsets in its key and in its value. */
export const DECAPSULATION = {
  keySize: 40,
  valueSize: 32,
  /** Key: the peer's address; an IPv4 address is followed by zeros. */
  peer: 0,
  /** Key: the local address. */
  local: 16,
  /** Key: the peer's port, then the local port. */
  ports: 32,
  /** Key: the local session id. */
  sessionId: 36,
  /** Index in `counters`. */
  slot: 0,
  /** Index of the device that gets the frames. */
  device: 4,
  /** Length of the cookie in bytes. */
  cookieLength: 8,
  /** 1 if packets have the default sublayer, else 0. */
  hasSublayer: 12,
  /** The cookie, followed by zeros. */
  cookie: 16,
  /** Length of Ethernet, IP and UDP headers in bytes. */
  outerLength: 24,
} as const;

/** The map `counters`: values of 8 bytes. The two directions use separate cache lines. */
export const COUNTERS = {
  keySize: 4,
  valueSize: 128,
  /** Packets sent. */
  txPackets: 0,
  /** Bytes sent: L2TP header and frame. */
  txBytes: 8,
  /** Packets whose headers could not be written. Later failures of the kernel are not known. */
  txErrors: 16,
  /** Packets received. */
  rxPackets: 64,
  /** Bytes received: L2TP header and frame. */
  rxBytes: 72,
  /**
   * Not 0 once the peer has sent a sequence number: the session then belongs to the worker until it is installed
   * again.
   */
  yielded: 80,
} as const;

/** Key of `encapsulation` and of `counters`, in host order. */
export function numberKey(number: number): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, number, HOST_IS_LITTLE_ENDIAN);
  return key;
}

/** Builds the value of a session in `encapsulation`. */
export function encapsulationValue(session: BpfSession): Uint8Array<ArrayBuffer> {
  const { slot, outDevice, mtu, l2spec, cookie, peerSessionId, local } = session;
  const l2tp = encodeV3DataHeader({ encap: "udp", hasSublayer: l2spec === "default" }, {
    sessionId: peerSessionId,
    cookie,
  });
  const isIpv6 = local.length === 16;
  const ipLength = isIpv6 ? IPV6_HEADER : IPV4_HEADER;
  const value = new Uint8Array(ENCAPSULATION.valueSize);
  const view = new DataView(value.buffer);
  const set = (offset: number, number: number): void => view.setUint32(offset, number, HOST_IS_LITTLE_ENDIAN);
  const headersLength = ipLength + UDP_HEADER + l2tp.length;
  set(ENCAPSULATION.slot, slot);
  set(ENCAPSULATION.outDevice, outDevice);
  set(ENCAPSULATION.frameMax, Math.max(mtu - headersLength, 0));
  set(ENCAPSULATION.headersLength, headersLength);
  set(ENCAPSULATION.l2tpLength, l2tp.length);
  set(ENCAPSULATION.isIpv6, isIpv6 ? 1 : 0);
  const l3 = isIpv6 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
  view.setBigUint64(
    ENCAPSULATION.roomFlags,
    BigInt(BPF_F_ADJ_ROOM_FIXED_GSO) | l3 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2_ETH |
      BigInt(ETHERNET_HEADER) << BPF_ADJ_ROOM_ENCAP_L2_SHIFT,
    HOST_IS_LITTLE_ENDIAN,
  );
  const ip = ENCAPSULATION.headers;
  if (isIpv6) {
    value[ip] = 0x60;
    value[ip + 6] = IPPROTO_UDP;
    value[ip + 7] = TTL;
    value.set(session.local, ip + 8);
    value.set(session.peer, ip + 24);
  } else {
    value[ip] = 0x45;
    value[ip + 8] = TTL;
    value[ip + 9] = IPPROTO_UDP;
    value.set(session.local, ip + 12);
    value.set(session.peer, ip + 16);
    let sum = 0;
    for (let at = ip; at < ip + IPV4_HEADER; at += 2) sum += view.getUint16(at);
    set(ENCAPSULATION.sum, sum);
  }
  const udp = ip + ipLength;
  view.setUint16(udp, session.localPort);
  view.setUint16(udp + 2, session.peerPort);
  value.set(l2tp, udp + UDP_HEADER);
  return value;
}

/** Builds the key of a session in `decapsulation`. */
export function decapsulationKey(session: BpfSession): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(DECAPSULATION.keySize);
  const view = new DataView(key.buffer);
  key.set(session.peer, DECAPSULATION.peer);
  key.set(session.local, DECAPSULATION.local);
  view.setUint16(DECAPSULATION.ports, session.peerPort);
  view.setUint16(DECAPSULATION.ports + 2, session.localPort);
  view.setUint32(DECAPSULATION.sessionId, session.sessionId);
  return key;
}

/** Builds the value of a session in `decapsulation`. */
export function decapsulationValue(session: BpfSession): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(DECAPSULATION.valueSize);
  const view = new DataView(value.buffer);
  const set = (offset: number, number: number): void => view.setUint32(offset, number, HOST_IS_LITTLE_ENDIAN);
  set(DECAPSULATION.slot, session.slot);
  set(DECAPSULATION.device, session.device);
  set(DECAPSULATION.cookieLength, session.peerCookie.length);
  set(DECAPSULATION.hasSublayer, session.l2spec === "default" ? 1 : 0);
  value.set(session.peerCookie, DECAPSULATION.cookie);
  const ipLength = session.local.length === 16 ? IPV6_HEADER : IPV4_HEADER;
  set(DECAPSULATION.outerLength, ETHERNET_HEADER + ipLength + UDP_HEADER);
  return value;
}
