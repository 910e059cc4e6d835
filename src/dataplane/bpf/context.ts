/**
 * What both BPF programs have in common.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { type BpfProgram, FP, R0, R1, R2, R3, R4, R6, R7, R9 } from "../../wire/bpf/instructions.ts";
import { COUNTERS } from "./maps.ts";

/** Members of `struct __sk_buff` (`linux/bpf.h`) by their offsets; all are 4 bytes. */
export const SK_BUFF = {
  /** Bytes from the Ethernet header on. */
  len: 0,
  /** Whom it is for; 0: this host, by its Ethernet address. */
  pkt_type: 4,
  /** What packet filters and routing rules know it by. */
  mark: 8,
  /** EtherType behind Ethernet header and tags, in network order. */
  protocol: 16,
  /** Whether there is a VLAN tag beside the bytes. */
  vlan_present: 20,
  /** Number of the device. */
  ifindex: 40,
  /** Bytes of payload in each segment that it is to be cut into; 0: it is one packet. */
  gso_size: 176,
} as const;

/** What a program can say of a packet (`linux/pkt_cls.h`); TCX has the same numbers. */
export const VERDICT = {
  /** Whoever comes next may have it: in the end, the device. */
  next: -1,
  /** It is gone. */
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

/** A 16-bit number of a packet as a program on this machine loads it. */
export function networkOrder(value: number): number {
  return HOST_IS_LITTLE_ENDIAN ? (value & 0xff) << 8 | value >> 8 : value;
}

/** A 32-bit number of a packet as a program on this machine loads it. */
export function networkOrder32(value: number): number {
  if (!HOST_IS_LITTLE_ENDIAN) return value | 0;
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value);
  return view.getInt32(0, true);
}

/**
 * R9: the counters of the session that R7 tells of, by the slot at this offset. Goes to `pass` if the session is the
 * worker's. The number is put on the stack at `key`.
 */
export function lookUpCounters(program: BpfProgram, maps: ProgramMaps, slot: number, key: number): void {
  program
    .load("w", R1, R7, slot).store("w", FP, key, R1)
    .map(R1, maps.counters).move(R2, FP).compute("add", R2, key).call("map_lookup_elem")
    .jumpIf(R0, "==", 0, "pass")
    .move(R9, R0)
    .load("dw", R1, R9, COUNTERS.yielded).jumpIf(R1, "!=", 0, "pass");
}

/** Copies bytes of the packet, which R6 is, to the stack. Goes to `pass` if the packet does not have them. */
export function loadPacket(program: BpfProgram, offset: number, to: number, length: number): void {
  program
    .move(R1, R6).move(R2, offset).move(R3, FP).compute("add", R3, to).move(R4, length)
    .call("skb_load_bytes").jumpIf(R0, "!=", 0, "pass");
}
