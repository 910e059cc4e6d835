/**
 * Definitions and instruction sequences that both BPF programs use.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { type BpfProgram, FP, R0, R1, R2, R3, R4, R6, R7, R9 } from "../../wire/bpf/instructions.ts";
import { COUNTERS } from "./maps.ts";

/** Offsets of `struct __sk_buff` members (`linux/bpf.h`); each is 4 bytes long. */
export const SK_BUFF = {
  /** Length of the packet from the Ethernet header on, in bytes. */
  len: 0,
  /** PACKET_*: 0 (PACKET_HOST) if the Ethernet destination is this host. */
  pkt_type: 4,
  /** The mark for packet filters and routing rules. */
  mark: 8,
  /** EtherType behind Ethernet header and VLAN tags, in network order. */
  protocol: 16,
  /** Not 0 if a VLAN tag is stored apart from the packet's bytes. */
  vlan_present: 20,
  /** Index of the device. */
  ifindex: 40,
  /** Payload of each segment in bytes; 0 if the packet needs no segmentation. */
  gso_size: 176,
} as const;

/** Return values of a program (`linux/pkt_cls.h`); TCX has the same numbers. */
export const VERDICT = {
  /** TCX_NEXT: continue with the next program, and finally with the kernel. */
  next: -1,
  /** TCX_DROP: drop the packet. */
  drop: 2,
} as const;

/** Descriptors of the maps that the programs use. */
export interface ProgramMaps {
  /** See `ENCAPSULATION`. */
  readonly encapsulation: number;
  /** See `DECAPSULATION`. */
  readonly decapsulation: number;
  /** See `COUNTERS`. */
  readonly counters: number;
}

/** A 16-bit number of a packet as a load instruction on this machine yields it. */
export function networkOrder(value: number): number {
  return HOST_IS_LITTLE_ENDIAN ? (value & 0xff) << 8 | value >> 8 : value;
}

/** A 32-bit number of a packet as a load instruction on this machine yields it. */
export function networkOrder32(value: number): number {
  if (!HOST_IS_LITTLE_ENDIAN) return value | 0;
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value);
  return view.getInt32(0, true);
}

/**
 * Sets R9 to the counters of the session whose map value R7 points to; `slot` is the offset of the slot number in it.
 * Jumps to `pass` if the session belongs to the worker. Stores the number on the stack at `key`.
 */
export function lookUpCounters(program: BpfProgram, maps: ProgramMaps, slot: number, key: number): void {
  program
    .load("w", R1, R7, slot).store("w", FP, key, R1)
    .map(R1, maps.counters).move(R2, FP).compute("add", R2, key).call("map_lookup_elem")
    .jumpIf(R0, "==", 0, "pass")
    .move(R9, R0)
    .load("dw", R1, R9, COUNTERS.yielded).jumpIf(R1, "!=", 0, "pass");
}

/** Copies bytes of the packet (R6) to the stack. Jumps to `pass` if the packet is shorter. */
export function loadPacket(program: BpfProgram, offset: number, to: number, length: number): void {
  program
    .move(R1, R6).move(R2, offset).move(R3, FP).compute("add", R3, to).move(R4, length)
    .call("skb_load_bytes").jumpIf(R0, "!=", 0, "pass");
}
