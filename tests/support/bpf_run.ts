/**
 * Running a BPF program on a packet, in this machine's kernel, without any device: `BPF_PROG_TEST_RUN`.
 *
 * @module
 */

import { checked } from "../../ffi/errno.ts";
import type { OwnedFd } from "../../ffi/fd.ts";
import { pinned } from "../../ffi/memory.ts";
import { daemonLibc } from "../../ffi/packet_libc.ts";

const NR_BPF = Deno.build.arch === "aarch64" ? 280n : 321n;
const BPF_PROG_TEST_RUN = 10;
/** The anonymous struct for it in `union bpf_attr`, as far as it is used. */
const ATTR = {
  ...{ fd: 0, returned: 4, sizeIn: 8, sizeOut: 12, dataIn: 16, dataOut: 24 },
  ...{ contextSizeIn: 40, contextSizeOut: 44, contextIn: 48, contextOut: 56, size: 64 },
};
/** Room for a `struct __sk_buff`; the kernel takes more if it is zero. */
const CONTEXT_SIZE = 256;
const CONTEXT_MARK = 8;
const ROOM = 4096;

/** Result of a program run. */
export interface Ran {
  /** Return value of the program: -1, 2 (drop), or 7 (redirect). */
  readonly verdict: number;
  /** The packet, from its Ethernet header on. */
  readonly packet: Uint8Array;
  /** Mark of the packet. */
  readonly mark: number;
}

/** The mark of every packet that goes in. */
export const MARK = 0x1701;

/** Runs the program. The packet has an Ethernet header, and is on its own device loopback. */
export function runBpf(program: OwnedFd, packet: Uint8Array): Ran {
  const input = pinned(packet.length);
  input.set(packet);
  const output = pinned(packet.length + ROOM);
  const attr = pinned(ATTR.size);
  const view = new DataView(attr.buffer);
  const address = (bytes: Uint8Array<ArrayBuffer>): bigint =>
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  const context = pinned(CONTEXT_SIZE);
  const fields = new DataView(context.buffer);
  fields.setUint32(CONTEXT_MARK, MARK, true);
  view.setUint32(ATTR.contextSizeIn, CONTEXT_SIZE, true);
  view.setUint32(ATTR.contextSizeOut, CONTEXT_SIZE, true);
  view.setBigUint64(ATTR.contextIn, address(context), true);
  view.setBigUint64(ATTR.contextOut, address(context), true);
  view.setUint32(ATTR.fd, program.number, true);
  view.setUint32(ATTR.sizeIn, input.length, true);
  view.setUint32(ATTR.sizeOut, output.length, true);
  view.setBigUint64(ATTR.dataIn, address(input), true);
  view.setBigUint64(ATTR.dataOut, address(output), true);
  checked("bpf(BPF_PROG_TEST_RUN)", daemonLibc().syscall_bpf(NR_BPF, BPF_PROG_TEST_RUN, attr, attr.length));
  return {
    verdict: view.getInt32(ATTR.returned, true),
    mark: fields.getUint32(CONTEXT_MARK, true),
    packet: output.slice(0, view.getUint32(ATTR.sizeOut, true)),
  };
}
