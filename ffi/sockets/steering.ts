/**
 * Several UDP sockets with one address and port that share the peers: packets from one source address always reach
 * the same socket, and {@link steeredIndex} predicts which.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { SOCK_FPROG } from "../layout.ts";
import { pinned } from "../memory.ts";
import { type Socket, SOL_SOCKET } from "./socket.ts";
import { AF_INET, type InetFamily } from "../../src/base/inet.ts";

const SO_REUSEPORT = 15;
const SO_ATTACH_REUSEPORT_CBPF = 51;

/** Opcodes (`linux/filter.h`): load a word, copy to X, exclusive or, modulo, return. */
const LD_W_ABS = 0x20;
const TAX = 0x07;
const ALU_XOR_X = 0xac;
const ALU_MOD_K = 0x94;
const RET_A = 0x16;
/** Size of a `struct sock_filter` in bytes. */
const INSTRUCTION = 8;
/** Offsets from this one on are relative to the IP header. */
const SKF_NET_OFF = -0x100000;
/** Offsets of the source address in IPv4 and IPv6 headers. */
const IPV4_SOURCE = 12;
const IPV6_SOURCE = 8;

/** Index of the socket, among `count`, that receives packets from the address (4 or 16 bytes, network order). */
export function steeredIndex(address: Uint8Array, count: number): number {
  const view = new DataView(address.buffer, address.byteOffset, address.length);
  let words = 0;
  for (let at = 0; at < address.length; at += 4) words ^= view.getUint32(at);
  return (words >>> 0) % count;
}

/** Allows further sockets to be bound to this one's address and port if they set `reusePort`, too. */
export function shareAddress(socket: Socket): void {
  socket.setOption(SOL_SOCKET, SO_REUSEPORT, 1);
}

/**
 * Distributes received packets to the `count` sockets of the socket's address and port, by {@link steeredIndex};
 * their indexes follow the order in which they were bound.
 *
 * @throws {SyscallError}
 */
export function steerByPeer(socket: Socket, family: InetFamily, count: number): void {
  const source = SKF_NET_OFF + (family === AF_INET ? IPV4_SOURCE : IPV6_SOURCE);
  const code: [operation: number, operand: number][] = [[LD_W_ABS, source]];
  for (let word = 1; word < (family === AF_INET ? 1 : 4); word++) {
    code.push([TAX, 0], [LD_W_ABS, source + 4 * word], [ALU_XOR_X, 0]);
  }
  code.push([ALU_MOD_K, count], [RET_A, 0]);
  const program = pinned(code.length * INSTRUCTION);
  const instructions = new DataView(program.buffer);
  for (const [i, [operation, operand]] of code.entries()) {
    instructions.setUint16(i * INSTRUCTION, operation, HOST_IS_LITTLE_ENDIAN);
    instructions.setInt32(i * INSTRUCTION + 4, operand, HOST_IS_LITTLE_ENDIAN);
  }
  const { len, filter } = SOCK_FPROG.fields;
  const value = pinned(SOCK_FPROG.size);
  const fields = new DataView(value.buffer);
  fields.setUint16(len.offset, code.length, HOST_IS_LITTLE_ENDIAN);
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(program));
  fields.setBigUint64(filter.offset, address, HOST_IS_LITTLE_ENDIAN);
  socket.setOption(SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, value);
}
