/**
 * The part of rtnetlink (`linux/rtnetlink.h`, `linux/pkt_sched.h`, `linux/pkt_cls.h`) that attaches BPF programs to a
 * device: the clsact queueing discipline and its filters of kind "bpf". Host byte order.
 *
 * @module
 */

import { ByteWriter, HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { AttributeReader, AttributeWriter } from "../netlink/attribute.ts";

/** Message type: adds a queueing discipline. */
export const RTM_NEWQDISC = 36;
/** Message type: removes a queueing discipline. */
export const RTM_DELQDISC = 37;
/** Message type: adds a filter. */
export const RTM_NEWTFILTER = 44;
/** Message type: removes a filter. */
export const RTM_DELTFILTER = 45;
/** Message type: requests filters. */
export const RTM_GETTFILTER = 46;

/** Size of `struct tcmsg`, in bytes. */
export const TCMSG_SIZE = 20;

const AF_UNSPEC = 0;
const TC_H_CLSACT = 0xffff_fff1;
const CLSACT_HANDLE = 0xffff_0000;
/** Parent handles of clsact filters (TC_H_MIN_INGRESS, TC_H_MIN_EGRESS). */
const PARENT = { ingress: 0xffff_fff2, egress: 0xffff_fff3 } as const;
const ETH_P_ALL = 3;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_BPF_FD = 6;
const TCA_BPF_NAME = 7;
const TCA_BPF_FLAGS = 8;
/** The program's return value is the verdict on the packet ("direct-action"). */
const TCA_BPF_FLAG_ACT_DIRECT = 1;

/** A filter of kind "bpf". */
export interface BpfFilter {
  /** Interface index of the device. */
  readonly device: number;
  /** Hook of the filter: received packets (ingress) or sent packets (egress). */
  readonly point: keyof typeof PARENT;
  /** Priority among the device's filters: the smallest runs first. */
  readonly priority: number;
  /** Handle among the filters of one priority. */
  readonly handle: number;
}

/** Encodes `struct tcmsg`: {u8 family, pad, u16 pad, i32 index, u32 handle, u32 parent, u32 info}. */
function begin(device: number, handle: number, parent: number, info: number): AttributeWriter {
  const out = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN });
  out.u8(AF_UNSPEC);
  out.u8(0);
  out.u16(0);
  out.u32(device);
  out.u32(handle);
  out.u32(parent);
  out.u32(info);
  return new AttributeWriter(out);
}

/** Encodes the payload of RTM_NEWQDISC and RTM_DELQDISC for the clsact queueing discipline of a device. */
export function encodeClsact(device: number): Uint8Array<ArrayBuffer> {
  return begin(device, CLSACT_HANDLE, TC_H_CLSACT, 0).string(TCA_KIND, "clsact").written;
}

/** Encodes the payload of RTM_DELTFILTER, which is also the start of RTM_NEWTFILTER's. */
export function encodeFilter(filter: BpfFilter): Uint8Array<ArrayBuffer> {
  return beginFilter(filter).written;
}

/** Encodes the payload of RTM_NEWTFILTER. `program` is the file descriptor of the BPF program. */
export function encodeAddFilter(filter: BpfFilter, program: number, name: string): Uint8Array<ArrayBuffer> {
  return beginFilter(filter).nested(
    TCA_OPTIONS,
    (options) =>
      options.u32(TCA_BPF_FD, program).string(TCA_BPF_NAME, name).u32(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT),
    false,
  ).written;
}

function beginFilter({ device, point, priority, handle }: BpfFilter): AttributeWriter {
  const protocol = HOST_IS_LITTLE_ENDIAN ? ETH_P_ALL << 8 : ETH_P_ALL;
  return begin(device, handle, PARENT[point], (priority << 16 | protocol) >>> 0).string(TCA_KIND, "bpf");
}

/** Encodes the payload of RTM_GETTFILTER for a dump of the filters at one hook of a device. */
export function encodeFilterDump(device: number, point: BpfFilter["point"]): Uint8Array<ArrayBuffer> {
  return begin(device, 0, PARENT[point], 0).written;
}

/**
 * Decodes priority, handle and name of a filter from the payload of an RTM_NEWTFILTER message. The name is `undefined`
 * for a filter of another kind and for a list head.
 *
 * @throws {DecodeError} if the payload is malformed
 */
export function decodeFilter(
  payload: Uint8Array,
): Pick<BpfFilter, "priority" | "handle"> & { readonly name: string | undefined } {
  if (payload.length < TCMSG_SIZE) {
    throw new DecodeError({ field: "tcmsg", offset: 0, needed: TCMSG_SIZE, had: payload.length });
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const attributes = new AttributeReader(payload, TCMSG_SIZE);
  let kind: string | undefined;
  let name: string | undefined;
  while (attributes.next()) {
    if (attributes.type === TCA_KIND) kind = attributes.string();
    else if (attributes.type === TCA_OPTIONS && kind === "bpf") {
      const options = attributes.nested();
      while (options.next()) if (options.type === TCA_BPF_NAME) name = options.string();
    }
  }
  return {
    priority: view.getUint32(16, HOST_IS_LITTLE_ENDIAN) >>> 16,
    handle: view.getUint32(8, HOST_IS_LITTLE_ENDIAN),
    name,
  };
}
