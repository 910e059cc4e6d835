/**
 * The BPF program for packets that arrive at the device on the path from a peer. It strips the headers of a session's
 * packets and passes the frames to the session's device. All other packets go to the socket and the worker,
 * unchanged: fragments, packets with IP options or with a UDP checksum (which would have to be verified), wrong
 * cookies, control messages, datagrams coalesced by GRO.
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
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, IPV4_FRAGMENT } from "../../wire/ip/constants.ts";
import { SUBLAYER_FLAG_S } from "../../wire/l2tp/constants.ts";
import { BpfProgram, FP, R0, R1, R2, R3, R4, R5, R6, R7, R8, R9 } from "../../wire/bpf/instructions.ts";
import {
  loadPacket,
  lookUpCounters,
  networkOrder,
  networkOrder32,
  type ProgramMaps,
  SK_BUFF,
  VERDICT,
} from "./context.ts";
import {
  BPF_ADJ_ROOM_MAC,
  BPF_F_ADJ_ROOM_FIXED_GSO,
  COOKIE_MAX,
  COUNTERS,
  DECAPSULATION,
  L2TP_FIXED,
} from "./maps.ts";

/** Stack layout, as offsets from the frame pointer. */
const KEY = -DECAPSULATION.keySize;
const L2TP = KEY - L2TP_FIXED;
const UDP = L2TP - UDP_HEADER;
const IPV4 = UDP - IPV4_HEADER;
const IPV6 = UDP - IPV6_HEADER;
const COOKIE = IPV6 - COOKIE_MAX;
const SLOT = COOKIE - 8;
const SUBLAYER = SLOT - 8;
const BYTE = SUBLAYER - 8;
const ETHERNET = BYTE - 16;
const INNER = ETHERNET - 24;

/** Values that are known after cookie check and session look-up; they reuse the space of earlier ones. */
const HEADERS_END = COOKIE;
const PACKETS = KEY;
const BYTES = KEY + 8;

const UDP_LENGTH = UDP + 4;
const UDP_CHECKSUM = UDP + 6;
const ETHERTYPE = 12;
const TCP_OFFSET = 12;
/** Flags and version of a version 3 data packet. */
const DATA_V3 = 3;
const BPF_F_INGRESS = 1;

/** Assembles the program, for `tcx/ingress` of the devices that packets arrive at. */
export function decapsulate(maps: ProgramMaps): Uint8Array<ArrayBuffer> {
  const program = new BpfProgram();
  program
    .move(R6, R1)
    .load("w", R1, R6, SK_BUFF.pkt_type).jumpIf(R1, "!=", 0, "pass")
    .load("w", R1, R6, SK_BUFF.vlan_present).jumpIf(R1, "!=", 0, "pass");
  for (let at = 0; at < DECAPSULATION.keySize; at += 8) program.store("dw", FP, KEY + at, 0);
  program
    .load("w", R1, R6, SK_BUFF.protocol)
    .jumpIf(R1, "==", networkOrder(ETHERTYPE_IPV6), "ipv6")
    .jumpIf(R1, "!=", networkOrder(ETHERTYPE_IPV4), "pass");
  readIpv4(program);
  readIpv6(program);
  findSession(program, maps);
  checkHeader(program);
  measure(program);
  deliver(program);
  return program
    .label("lost").move(R0, VERDICT.drop).exit()
    .label("pass").move(R0, VERDICT.next).exit()
    .assemble();
}

/** Loads the packet's headers to the stack, its addresses to the key. R8: offset behind L2TP's fixed part. */
function readIpv4(program: BpfProgram): void {
  const length = IPV4_HEADER + UDP_HEADER + L2TP_FIXED;
  loadPacket(program, ETHERNET_HEADER, IPV4, length);
  program
    .load("b", R1, FP, IPV4).jumpIf(R1, "!=", 0x45, "pass")
    .load("b", R1, FP, IPV4 + 9).jumpIf(R1, "!=", IPPROTO_UDP, "pass")
    .load("h", R1, FP, IPV4 + 6).jumpIf(R1, "&", networkOrder(IPV4_FRAGMENT), "pass")
    .load("h", R1, FP, IPV4 + 2).networkOrder(R1, 16)
    // R2: length of the UDP datagram according to the IP header.
    .move(R2, R1).compute("sub", R2, IPV4_HEADER)
    .compute("add", R1, ETHERNET_HEADER).load("w", R3, R6, SK_BUFF.len).jumpIf(R1, "!=", R3, "pass")
    .load("w", R1, FP, IPV4 + 12).store("w", FP, KEY + DECAPSULATION.peer, R1)
    .load("w", R1, FP, IPV4 + 16).store("w", FP, KEY + DECAPSULATION.local, R1);
  checkIpv4Sum(program);
  program
    .move(R8, ETHERNET_HEADER + length)
    .jump("udp");
}

/** Verifies the IPv4 header checksum, which the kernel has not done yet. Byte order does not matter (RFC 1071). */
function checkIpv4Sum(program: BpfProgram): void {
  program.load("w", R1, FP, IPV4);
  for (let at = 4; at < IPV4_HEADER; at += 4) program.load("w", R3, FP, IPV4 + at).compute("add", R1, R3);
  // Five words of 32 bits are folded to 16 bits in three steps.
  for (let fold = 0; fold < 3; fold++) {
    program.move(R3, R1).compute("rsh", R3, 16).compute("and", R1, 0xffff).compute("add", R1, R3);
  }
  program.jumpIf(R1, "!=", 0xffff, "pass");
}

function readIpv6(program: BpfProgram): void {
  const length = IPV6_HEADER + UDP_HEADER + L2TP_FIXED;
  program.label("ipv6");
  loadPacket(program, ETHERNET_HEADER, IPV6, length);
  program
    .load("b", R1, FP, IPV6).compute("rsh", R1, 4).jumpIf(R1, "!=", 6, "pass")
    .load("b", R1, FP, IPV6 + 6).jumpIf(R1, "!=", IPPROTO_UDP, "pass")
    .load("h", R1, FP, IPV6 + 4).networkOrder(R1, 16)
    .move(R2, R1)
    .compute("add", R1, ETHERNET_HEADER + IPV6_HEADER).load("w", R3, R6, SK_BUFF.len)
    .jumpIf(R1, "!=", R3, "pass");
  for (let at = 0; at < 16; at += 8) {
    program
      .load("dw", R1, FP, IPV6 + 8 + at).store("dw", FP, KEY + DECAPSULATION.peer + at, R1)
      .load("dw", R1, FP, IPV6 + 24 + at).store("dw", FP, KEY + DECAPSULATION.local + at, R1);
  }
  program.move(R8, ETHERNET_HEADER + length);
}

/** R7: the session's map value. R9: its counters. */
function findSession(program: BpfProgram, maps: ProgramMaps): void {
  program
    .label("udp")
    .load("h", R1, FP, UDP_LENGTH).networkOrder(R1, 16).jumpIf(R1, "!=", R2, "pass")
    .load("h", R1, FP, L2TP).jumpIf(R1, "!=", networkOrder(DATA_V3), "pass")
    .load("w", R1, FP, UDP).store("w", FP, KEY + DECAPSULATION.ports, R1)
    .load("w", R1, FP, L2TP + 4).store("w", FP, KEY + DECAPSULATION.sessionId, R1)
    .map(R1, maps.decapsulation).move(R2, FP).compute("add", R2, KEY).call("map_lookup_elem")
    .jumpIf(R0, "==", 0, "pass")
    .move(R7, R0);
  lookUpCounters(program, maps, DECAPSULATION.slot, SLOT);
}

/** Checks cookie and sublayer. R8: offset of the frame. */
function checkHeader(program: BpfProgram): void {
  program
    // Not "== 0": from that, verifiers before Linux 6.3 do not learn that the length is positive in the other branch.
    .load("w", R4, R7, DECAPSULATION.cookieLength).jumpIf(R4, "<", 1, "cookie")
    .jumpIf(R4, ">", COOKIE_MAX, "pass")
    .store("dw", FP, COOKIE, 0)
    .move(R1, R6).move(R2, R8).move(R3, FP).compute("add", R3, COOKIE)
    .call("skb_load_bytes").jumpIf(R0, "!=", 0, "pass")
    // All bytes at once, so that the time does not depend on the number of correct ones.
    .load("dw", R1, FP, COOKIE).load("dw", R2, R7, DECAPSULATION.cookie).jumpIf(R1, "!=", R2, "pass")
    .load("w", R4, R7, DECAPSULATION.cookieLength).compute("add", R8, R4)
    .label("cookie")
    .load("w", R1, R7, DECAPSULATION.hasSublayer).jumpIf(R1, "==", 0, "sublayer")
    .move(R1, R6).move(R2, R8).move(R3, FP).compute("add", R3, SUBLAYER).move(R4, 4)
    .call("skb_load_bytes").jumpIf(R0, "!=", 0, "pass")
    .load("w", R1, FP, SUBLAYER).jumpIf(R1, "&", networkOrder32(SUBLAYER_FLAG_S), "sequence")
    .compute("add", R8, 4)
    .jump("sublayer")
    .label("sequence").store("dw", R9, COUNTERS.yielded, 1).jump("pass")
    .label("sublayer")
    // Checked last: a sequence number of the peer must be noticed even if the packet has a checksum.
    .load("h", R1, FP, UDP_CHECKSUM).jumpIf(R1, "!=", 0, "pass")
    .move(R1, R6).move(R2, R8).move(R3, FP).compute("add", R3, ETHERNET).move(R4, ETHERNET_HEADER)
    .call("skb_load_bytes").jumpIf(R0, "!=", 0, "pass");
}

/** Computes how many packets the frame stands for, and how many bytes of L2TP they would have. */
function measure(program: BpfProgram): void {
  const inner = (offset: number): void => {
    program.move(R1, R6).move(R2, R8).compute("add", R2, offset).move(R3, FP);
  };
  program
    .load("w", R1, R6, SK_BUFF.gso_size).jumpIf(R1, "!=", 0, "segments")
    .move(R4, 1)
    .load("w", R5, R6, SK_BUFF.len).load("w", R1, R7, DECAPSULATION.outerLength).compute("sub", R5, R1)
    .jump("measured")
    .label("segments")
    .load("h", R1, FP, ETHERNET + ETHERTYPE).jumpIf(R1, "==", networkOrder(ETHERTYPE_IPV6), "segments6")
    .jumpIf(R1, "!=", networkOrder(ETHERTYPE_IPV4), "pass");
  inner(ETHERNET_HEADER);
  program
    .compute("add", R3, INNER).move(R4, IPV4_HEADER).call("skb_load_bytes").jumpIf(R0, "!=", 0, "pass")
    .load("b", R1, FP, INNER + 9).jumpIf(R1, "!=", IPPROTO_TCP, "pass")
    // A packet to be segmented reaches the end of the data. The first of several coalesced datagrams does not.
    .load("h", R1, FP, INNER + 2).networkOrder(R1, 16)
    .compute("add", R1, ETHERNET_HEADER).compute("add", R1, R8)
    .load("w", R2, R6, SK_BUFF.len).jumpIf(R1, "!=", R2, "pass")
    .load("b", R2, FP, INNER).compute("and", R2, 0xf).compute("lsh", R2, 2)
    .compute("add", R2, ETHERNET_HEADER)
    .jump("tcp")
    .label("segments6");
  inner(ETHERNET_HEADER + 4);
  program
    .compute("add", R3, INNER).move(R4, 3).call("skb_load_bytes").jumpIf(R0, "!=", 0, "pass")
    .load("b", R1, FP, INNER + 2).jumpIf(R1, "!=", IPPROTO_TCP, "pass")
    .load("h", R1, FP, INNER).networkOrder(R1, 16)
    .compute("add", R1, ETHERNET_HEADER + IPV6_HEADER).compute("add", R1, R8)
    .load("w", R2, R6, SK_BUFF.len).jumpIf(R1, "!=", R2, "pass")
    .move(R2, ETHERNET_HEADER + IPV6_HEADER)
    .label("tcp")
    // From here on, lengths of the headers of each segment, from the outer Ethernet header on.
    .compute("add", R2, R8).store("dw", FP, HEADERS_END, R2)
    .move(R1, R6).compute("add", R2, TCP_OFFSET).move(R3, FP).compute("add", R3, BYTE).move(R4, 1)
    .call("skb_load_bytes").jumpIf(R0, "!=", 0, "pass")
    .load("b", R1, FP, BYTE).compute("rsh", R1, 4).compute("lsh", R1, 2)
    .load("dw", R2, FP, HEADERS_END).compute("add", R2, R1)
    .load("w", R5, R6, SK_BUFF.len).jumpIf(R5, "<=", R2, "pass")
    .compute("sub", R5, R2)
    .load("w", R1, R6, SK_BUFF.gso_size)
    .move(R4, R5).compute("add", R4, R1).compute("sub", R4, 1).compute("div", R4, R1)
    .load("w", R1, R7, DECAPSULATION.outerLength).compute("sub", R2, R1)
    .compute("mul", R2, R4).compute("add", R5, R2)
    .label("measured")
    .store("dw", FP, PACKETS, R4).store("dw", FP, BYTES, R5);
}

/**
 * Removes the bytes between the outer Ethernet header and the frame's payload, and writes the frame's Ethernet header
 * there.
 */
function deliver(program: BpfProgram): void {
  program
    .move(R1, R6).move(R2, 0).compute("sub", R2, R8).move(R3, BPF_ADJ_ROOM_MAC)
    .move(R4, BPF_F_ADJ_ROOM_FIXED_GSO)
    .call("skb_adjust_room").jumpIf(R0, "!=", 0, "pass")
    .move(R1, R6).move(R2, 0).move(R3, FP).compute("add", R3, ETHERNET).move(R4, ETHERNET_HEADER).move(R5, 0)
    .call("skb_store_bytes").jumpIf(R0, "!=", 0, "lost")
    .load("dw", R1, FP, PACKETS).atomicAdd(R9, COUNTERS.rxPackets, R1)
    .load("dw", R1, FP, BYTES).atomicAdd(R9, COUNTERS.rxBytes, R1)
    // The mark was set for the packet; it must not apply to the frame.
    .move(R1, 0).store("w", R6, SK_BUFF.mark, R1)
    .load("w", R1, R7, DECAPSULATION.device).move(R2, BPF_F_INGRESS).call("redirect").exit();
}
