/**
 * The BPF program for frames that the kernel sends through a session's device. It prepends IP, UDP and L2TP headers,
 * and sends the packet. Frames that it cannot handle go to the worker, unchanged: frames with a VLAN tag or with
 * neither IPv4 nor IPv6, UDP to be segmented, packets that would have to be fragmented.
 *
 * TCP to be segmented stays one super-frame: the kernel copies the headers in front of the inner packet to each
 * segment (`skb_udp_tunnel_segment`), or the network card does.
 *
 * @module
 */

import { ETHERNET_HEADER, IPPROTO_TCP, IPV4_HEADER, IPV6_HEADER } from "../../base/inet.ts";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "../../wire/ip/constants.ts";
import { BpfProgram, FP, R0, R1, R2, R3, R4, R5, R6, R7, R8, R9 } from "../../wire/bpf/instructions.ts";
import { loadPacket, lookUpCounters, networkOrder, type ProgramMaps, SK_BUFF, VERDICT } from "./context.ts";
import { BPF_ADJ_ROOM_MAC, COUNTERS, ENCAPSULATION, HEADERS_MAX } from "./maps.ts";

/** Stack layout, as offsets from the frame pointer. */
const KEY = -4;
const PACKETS = -16;
const BYTES = -24;
const TOTAL = -32;
const FRAME_HEADERS = -40;
const BYTE = -48;
const ETHERNET = -64;
const HEADERS = ETHERNET - ENCAPSULATION.headersSize;
/** The Ethernet header in front of HEADERS, and two bytes of padding. */
const OUTER_ETHERNET = HEADERS - 16;
const INNER = OUTER_ETHERNET - 24;

/** Offsets of the protocol number in IP headers, and of the header length in a TCP header. */
const IPV4_PROTOCOL = 9;
const IPV6_NEXT_HEADER = 6;
const TCP_OFFSET = 12;
const PACKET_MAX = 65_535;

/** Assembles the program, for `tcx/egress` of the sessions' devices. */
export function encapsulate(maps: ProgramMaps): Uint8Array<ArrayBuffer> {
  const program = new BpfProgram();
  findSession(program, maps);
  measure(program);
  makeRoom(program);
  writeIpv4(program);
  writeIpv6(program);
  send(program);
  return program
    .label("lost").move(R1, 1).atomicAdd(R9, COUNTERS.txErrors, R1).move(R0, VERDICT.drop).exit()
    .label("pass").move(R0, VERDICT.next).exit()
    .assemble();
}

/** R6: the packet. R7: the session's map value. R9: its counters. R8: length of the frame. */
function findSession(program: BpfProgram, maps: ProgramMaps): void {
  program
    .move(R6, R1)
    .load("w", R1, R6, SK_BUFF.ifindex).store("w", FP, KEY, R1)
    .map(R1, maps.encapsulation).move(R2, FP).compute("add", R2, KEY).call("map_lookup_elem")
    .jumpIf(R0, "==", 0, "pass")
    .move(R7, R0);
  lookUpCounters(program, maps, ENCAPSULATION.slot, KEY);
  program
    .load("w", R1, R6, SK_BUFF.vlan_present).jumpIf(R1, "!=", 0, "pass")
    .load("w", R8, R6, SK_BUFF.len);
}

/** Computes the number of packets and their bytes. Passes a frame that exceeds the path MTU to the worker. */
function measure(program: BpfProgram): void {
  program
    .load("w", R1, R6, SK_BUFF.protocol)
    .load("w", R2, R6, SK_BUFF.gso_size).jumpIf(R2, "!=", 0, "segments")
    .jumpIf(R1, "==", networkOrder(ETHERTYPE_IPV4), "single")
    .jumpIf(R1, "!=", networkOrder(ETHERTYPE_IPV6), "pass")
    .label("single")
    .load("w", R2, R7, ENCAPSULATION.frameMax).jumpIf(R8, ">", R2, "pass")
    .store("dw", FP, PACKETS, 1)
    .load("w", R3, R7, ENCAPSULATION.l2tpLength).compute("add", R3, R8).store("dw", FP, BYTES, R3)
    .jump("measured");
  program
    .label("segments")
    .jumpIf(R1, "==", networkOrder(ETHERTYPE_IPV6), "segments6")
    .jumpIf(R1, "!=", networkOrder(ETHERTYPE_IPV4), "pass");
  loadPacket(program, ETHERNET_HEADER, INNER, IPV4_HEADER);
  program
    .load("b", R1, FP, INNER + IPV4_PROTOCOL).jumpIf(R1, "!=", IPPROTO_TCP, "pass")
    .load("b", R1, FP, INNER).compute("and", R1, 0xf).compute("lsh", R1, 2)
    .compute("add", R1, ETHERNET_HEADER).store("dw", FP, FRAME_HEADERS, R1)
    .jump("tcp")
    .label("segments6");
  loadPacket(program, ETHERNET_HEADER + IPV6_NEXT_HEADER, BYTE, 1);
  program
    .load("b", R1, FP, BYTE).jumpIf(R1, "!=", IPPROTO_TCP, "pass")
    .store("dw", FP, FRAME_HEADERS, ETHERNET_HEADER + IPV6_HEADER)
    .label("tcp")
    .move(R1, R6).load("dw", R2, FP, FRAME_HEADERS).compute("add", R2, TCP_OFFSET)
    .move(R3, FP).compute("add", R3, BYTE).move(R4, 1).call("skb_load_bytes")
    .jumpIf(R0, "!=", 0, "pass")
    .load("b", R1, FP, BYTE).compute("rsh", R1, 4).compute("lsh", R1, 2)
    // R1: length of Ethernet, IP and TCP headers. R2: payload of each segment.
    .load("dw", R2, FP, FRAME_HEADERS).compute("add", R1, R2)
    .load("w", R2, R6, SK_BUFF.gso_size)
    .move(R3, R1).compute("add", R3, R2)
    .load("w", R4, R7, ENCAPSULATION.frameMax).jumpIf(R3, ">", R4, "pass")
    .jumpIf(R8, "<=", R1, "pass")
    .move(R3, R8).compute("sub", R3, R1)
    .move(R4, R3).compute("add", R4, R2).compute("sub", R4, 1).compute("div", R4, R2)
    .store("dw", FP, PACKETS, R4)
    .load("w", R5, R7, ENCAPSULATION.l2tpLength).compute("add", R1, R5)
    .compute("mul", R4, R1).compute("add", R4, R3).store("dw", FP, BYTES, R4)
    .label("measured");
}

/** Makes room for the headers and the frame's own Ethernet header behind the existing Ethernet header. */
function makeRoom(program: BpfProgram): void {
  program
    .load("w", R1, R7, ENCAPSULATION.headersLength).compute("add", R1, R8)
    .jumpIf(R1, ">", PACKET_MAX, "pass")
    .store("dw", FP, TOTAL, R1);
  loadPacket(program, 0, ETHERNET, ETHERNET_HEADER);
  program
    .move(R1, R6)
    .load("w", R2, R7, ENCAPSULATION.headersLength).compute("add", R2, ETHERNET_HEADER)
    .move(R3, BPF_ADJ_ROOM_MAC)
    .load("dw", R4, R7, ENCAPSULATION.roomFlags)
    .call("skb_adjust_room")
    .jumpIf(R0, "!=", 0, "pass");
  for (let at = 0; at < ENCAPSULATION.headersSize; at += 8) {
    program.load("dw", R1, R7, ENCAPSULATION.headers + at).store("dw", FP, HEADERS + at, R1);
  }
  program.load("w", R1, R7, ENCAPSULATION.isIpv6).jumpIf(R1, "!=", 0, "ipv6");
}

/**
 * Writes lengths, identification and checksum. The identification is random, since it only has to differ from recent
 * ones.
 */
function writeIpv4(program: BpfProgram): void {
  program
    .call("get_prandom_u32").compute("and", R0, 0xffff)
    .load("w", R2, R7, ENCAPSULATION.sum).compute("add", R2, R0)
    .networkOrder(R0, 16).store("h", FP, HEADERS + 4, R0)
    .load("dw", R1, FP, TOTAL).compute("add", R2, R1)
    .move(R3, R1).networkOrder(R1, 16).store("h", FP, HEADERS + 2, R1);
  for (let fold = 0; fold < 2; fold++) {
    program.move(R4, R2).compute("rsh", R4, 16).compute("and", R2, 0xffff).compute("add", R2, R4);
  }
  program
    .compute("xor", R2, 0xffff).networkOrder(R2, 16).store("h", FP, HEADERS + 10, R2)
    .compute("sub", R3, IPV4_HEADER).networkOrder(R3, 16).store("h", FP, HEADERS + IPV4_HEADER + 4, R3)
    .jump("written");
}

/** Writes the lengths. */
function writeIpv6(program: BpfProgram): void {
  program
    .label("ipv6")
    .load("dw", R1, FP, TOTAL).compute("sub", R1, IPV6_HEADER).networkOrder(R1, 16)
    .store("h", FP, HEADERS + 4, R1).store("h", FP, HEADERS + IPV6_HEADER + 4, R1)
    .label("written");
}

/** Writes the headers and redirects the packet. The kernel resolves the neighbour's address. */
function send(program: BpfProgram): void {
  program
    .store("dw", FP, OUTER_ETHERNET, 0).store("dw", FP, OUTER_ETHERNET + 8, 0)
    .move(R1, R6).move(R2, 0).move(R3, FP).compute("add", R3, HEADERS - ETHERNET_HEADER)
    .load("w", R4, R7, ENCAPSULATION.headersLength)
    // For the verifier, which must see that the read stays within the stack.
    .jumpIf(R4, ">", HEADERS_MAX, "lost").compute("add", R4, ETHERNET_HEADER)
    .move(R5, 0).call("skb_store_bytes").jumpIf(R0, "!=", 0, "lost")
    .move(R1, R6).load("w", R2, R7, ENCAPSULATION.headersLength).compute("add", R2, ETHERNET_HEADER)
    .move(R3, FP).compute("add", R3, ETHERNET).move(R4, ETHERNET_HEADER)
    .move(R5, 0).call("skb_store_bytes").jumpIf(R0, "!=", 0, "lost")
    .load("dw", R1, FP, PACKETS).atomicAdd(R9, COUNTERS.txPackets, R1)
    .load("dw", R1, FP, BYTES).atomicAdd(R9, COUNTERS.txBytes, R1)
    // The mark was set for the frame; it must not apply to the packet.
    .move(R1, 0).store("w", R6, SK_BUFF.mark, R1)
    .load("w", R1, R7, ENCAPSULATION.outDevice).move(R2, 0).move(R3, 0).move(R4, 0)
    .call("redirect_neigh").exit();
}
