/**
 * Several UDP sockets of one address and port, each for its share of the peers: what comes from one address always
 * reaches the same socket, and which one that is can be told beforehand.
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

/** Instructions (`linux/filter.h`): load a word at a place, move to X, exclusive or, remainder, return. */
const LD_W_ABS = 0x20;
const TAX = 0x07;
const ALU_XOR_X = 0xac;
const ALU_MOD_K = 0x94;
const RET_A = 0x16;
/** Bytes of a `struct sock_filter`. */
const INSTRUCTION = 8;
/** Offsets from here on are those of the IP header. */
const SKF_NET_OFF = -0x100000;
/** Where the source address is in IPv4 and IPv6 headers. */
const IPV4_SOURCE = 12;
const IPV6_SOURCE = 8;

/** Which of `count` sockets takes what comes from the address (4 or 16 bytes, network order). */
export function steeredIndex(address: Uint8Array, count: number): number {
  const view = new DataView(address.buffer, address.byteOffset, address.length);
  let words = 0;
  for (let at = 0; at < address.length; at += 4) words ^= view.getUint32(at);
  return (words >>> 0) % count;
}

/** Lets further sockets be bound to this one's address and port, if they say `reusePort`, too. */
export function shareAddress(socket: Socket): void {
  socket.setOption(SOL_SOCKET, SO_REUSEPORT, 1);
}

/**
 * Has the sockets of the socket's address and port, `count` of them in the order in which they were bound, take what
 * comes from where {@link steeredIndex} says.
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
