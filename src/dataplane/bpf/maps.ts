/**
 * What the BPF programs know of sessions, as it lies in the kernel's maps. Numbers are in host order, what goes into
 * packets or is compared with them in network order.
 *
 * Three maps serve one network namespace. `encapsulation` tells by a device's number what becomes of the frames that the
 * system sends through it; `decapsulation` tells by addresses, ports and session id where a packet's frame goes; both
 * lead to a slot of `counters`, which the daemon has in its memory, too.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import type { L2Spec } from "../../model/session.ts";
import { ETHERNET_HEADER, IPPROTO_UDP, IPV4_HEADER, IPV6_HEADER, UDP_HEADER } from "../../base/inet.ts";
import { SUBLAYER_BYTES } from "../../wire/l2tp/constants.ts";
import { encodeV3DataHeader } from "../../wire/l2tp/data_header_v3.ts";

/** Flags, version, reserved bits and session id, before cookie and sublayer. */
export const L2TP_FIXED = 8;
/** Most bytes of a cookie. */
export const COOKIE_MAX = 8;
/** Most bytes in front of a frame: IPv6, UDP and the longest header of L2TP. */
export const HEADERS_MAX: number = IPV6_HEADER + UDP_HEADER + L2TP_FIXED + COOKIE_MAX + SUBLAYER_BYTES;

/** What the system's own packets begin with, unless somebody has changed `net.ipv4.ip_default_ttl`. */
const TTL = 64;

/** `linux/bpf.h`, flags of bpf_skb_adjust_room. */
export const BPF_F_ADJ_ROOM_FIXED_GSO = 1;
/** Mode of bpf_skb_adjust_room: behind the Ethernet header. */
export const BPF_ADJ_ROOM_MAC = 1;
const BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 = 1n << 1n;
const BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 = 1n << 2n;
const BPF_F_ADJ_ROOM_ENCAP_L4_UDP = 1n << 4n;
const BPF_F_ADJ_ROOM_ENCAP_L2_ETH = 1n << 6n;
const BPF_ADJ_ROOM_ENCAP_L2_SHIFT = 56n;

/** A session that the programs are to carry: version 3, over UDP without checksums, without sequence numbers. */
export interface BpfSession {
  /** Its place in the map of counters. */
  readonly slot: number;
  /** Number of its device. */
  readonly device: number;
  /** Number of the device that packets to the peer leave by. */
  readonly outDevice: number;
  /** Largest IP packet on the way to the peer. */
  readonly mtu: number;
  /** Our address, 4 or 16 bytes. */
  readonly local: Uint8Array;
  /** The peer's, of the same length. */
  readonly peer: Uint8Array;
  /** Our UDP port. */
  readonly localPort: number;
  /** The peer's UDP port. */
  readonly peerPort: number;
  /** Our id. */
  readonly sessionId: number;
  /** The peer's id. */
  readonly peerSessionId: number;
  /** The sublayer. */
  readonly l2spec: L2Spec;
  /** In packets to the peer; up to 8 bytes. */
  readonly cookie: Uint8Array;
  /** In packets of the peer; up to 8 bytes. */
  readonly peerCookie: Uint8Array;
}

/** The map `encapsulation`: a device's number leads to this. */
export const ENCAPSULATION = {
  keySize: 4,
  valueSize: 40 + 72,
  /** Index in `counters`. */
  slot: 0,
  /** Number of the device that packets leave by. */
  outDevice: 4,
  /** Most bytes of a frame with its Ethernet header. */
  frameMax: 8,
  /** Bytes of {@link ENCAPSULATION.headers} in use. */
  headersLength: 12,
  /** Flags for bpf_skb_adjust_room: 8 bytes. */
  roomFlags: 16,
  /** Bytes of the L2TP header. */
  l2tpLength: 24,
  /** IPv4: the sum of the header's 16-bit numbers but for length, id and checksum, not folded. */
  sum: 28,
  /** 0: IPv4, 1: IPv6. */
  isIpv6: 32,
  /** IP, UDP and L2TP header, all but IPv4's id and checksum and what depends on the length. */
  headers: 40,
  /** Bytes set aside for them. */
  headersSize: 72,
} as const;

/** The map `decapsulation`: its key, and what that leads to. */
export const DECAPSULATION = {
  keySize: 40,
  valueSize: 32,
  /** Key: the peer's address; behind one of IPv4 come zeros. */
  peer: 0,
  /** Key: our address. */
  local: 16,
  /** Key: the peer's port, then ours. */
  ports: 32,
  /** Key: our session id. */
  sessionId: 36,
  /** Index in `counters`. */
  slot: 0,
  /** Number of the device that frames go to. */
  device: 4,
  /** Bytes of the cookie. */
  cookieLength: 8,
  /** Whether there is a sublayer: 0 or 1. */
  hasSublayer: 12,
  /** The cookie, and zeros behind it. */
  cookie: 16,
  /** Bytes of Ethernet, IP and UDP header. */
  outerLength: 24,
} as const;

/** The map `counters`: numbers of 8 bytes each, those of either direction in a cache line of their own. */
export const COUNTERS = {
  keySize: 4,
  valueSize: 128,
  /** Packets sent. */
  txPackets: 0,
  /** Bytes sent: L2TP header and frame. */
  txBytes: 8,
  /** Packets whose headers could not be written. What the way refuses is not known. */
  txErrors: 16,
  /** Packets received. */
  rxPackets: 64,
  /** Bytes received: L2TP header and frame. */
  rxBytes: 72,
  /** Not 0: the peer has sent a sequence number, and the session is the worker's until it is carried anew. */
  yielded: 80,
} as const;

/** Key of `encapsulation` and of `counters`: a number. */
export function numberKey(number: number): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, number, HOST_IS_LITTLE_ENDIAN);
  return key;
}

/** What `encapsulation` says of a session. */
export function encapsulationValue(session: BpfSession): Uint8Array<ArrayBuffer> {
  const { slot, outDevice, mtu, l2spec, cookie, peerSessionId, local } = session;
  const l2tp = encodeV3DataHeader({ encap: "udp", l2spec }, { sessionId: peerSessionId, cookie });
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

/** By what `decapsulation` knows a session's packets. */
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

/** What `decapsulation` says of a session. */
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
