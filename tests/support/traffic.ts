/**
 * Traffic through interfaces of network namespaces, made and judged within the test's own process, since starting a
 * program takes half a second in the test guest: echoes, TCP, frames byte for byte, and hosts that are a TAP device.
 *
 * Nothing here holds the thread, so that whatever else the test does meanwhile goes on.
 *
 * @module
 */

import { assert, assertStrictEquals, fail } from "@std/assert";
import { createHash, type Hash } from "node:crypto";
import { AF_INET, AF_INET6 } from "../../src/base/inet.ts";
import { bindLibc, libc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc, packetLibc } from "../../ffi/packet_libc.ts";
import { encodeInet } from "../../ffi/sockets/sockaddr.ts";
import { MSG_DONTWAIT, SO_RCVBUFFORCE, SOCK_RAW, Socket, SOL_SOCKET } from "../../ffi/sockets/socket.ts";
import { interfaceIndex } from "../../ffi/sockets/resolve.ts";
import { TapDevice } from "../../ffi/kernel/tun.ts";
import { IP_MTU_DISCOVER, SOL_IP, SOL_IPV6 } from "../../ffi/sockets/udp.ts";
import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { formatHex } from "../../src/base/hex.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { until } from "./until.ts";

// Opened here, because a library that is opened within a test counts as a leak of it.
bindLibc();
localLibc();
packetLibc();
daemonLibc();

const AF_PACKET = 17;
const SOCKADDR_LL_SIZE = 20;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const ICMP_ECHO = 8;
const ICMPV6_ECHO_REQUEST = 128;
const ICMPV6_ECHO_REPLY = 129;
const ICMP_HEADER = 8;
const IPV6_MULTICAST_LOOP = 19;
/** `IP_PMTUDISC_DO` (`linux/in.h`): never fragment, and refuse what does not fit. */
const IP_PMTUDISC_DO = 2;
/** Receives of test sockets must not lose what a burst brings. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;
const BUFFER_BYTES = 65_536 + 64;

/** EtherType for local experiments (IEEE 802): no other traffic uses it. */
export const ETHERTYPE_TEST = 0x88b5;
const ETHERTYPE_VLAN = 0x8100;

/** A datagram that is there already; `undefined` if there is none. */
export function receiveNow(
  socket: Socket,
  buffer: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> | undefined {
  try {
    return buffer.slice(0, socket.receive(buffer, MSG_DONTWAIT));
  } catch (error) {
    if (error instanceof SyscallError && error.errno === Errno.EAGAIN) return undefined;
    throw error;
  }
}

/** Options of an echo test. */
export interface PingOptions {
  /** Number of echo requests. Default: 3. */
  readonly count?: number;
  /** Bytes of data in each; 56 unless given. */
  readonly size?: number;
  /** The interface that they leave by: for multicast and link-local addresses. */
  readonly device?: string;
  /** Refuse to send what needs fragments (IPv4). */
  readonly dontFragment?: boolean;
}

let identifiers = Deno.pid;

/** Echo requests from a namespace: ICMP or ICMPv6, as the address says. */
export class Pinger implements Disposable {
  readonly #socket: Socket;
  readonly #to: Uint8Array<ArrayBuffer>;
  readonly #v6: boolean;
  readonly #size: number;
  readonly #identifier = identifiers++ & 0xffff;
  readonly #buffer = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
  readonly #what: string;
  #sequence = 0;

  /** Nothing is sent yet. */
  constructor(netns: string, to: string, { size = 56, device, dontFragment = false }: PingOptions = {}) {
    const address = parseIpAddress(to);
    assert(address !== undefined, to);
    this.#v6 = address.length === 16;
    this.#size = size;
    this.#what = `an echo of ${size} bytes from ${netns} at ${to}`;
    const [family, protocol] = this.#v6 ? [AF_INET6, IPPROTO_ICMPV6] : [AF_INET, IPPROTO_ICMP];
    using stack = new DisposableStack();
    [this.#socket, this.#to] = inNamespace(netns, () => {
      const scopeId = device === undefined ? 0 : interfaceIndex(device);
      assert(scopeId !== undefined, `no interface ${device}`);
      const to = encodeInet({ address, port: 0, scopeId });
      return [stack.use(Socket.open(family, SOCK_RAW, protocol)), to] as const;
    });
    this.#socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
    // The sender's own host would answer as well.
    if (this.#v6) this.#socket.setOption(SOL_IPV6, IPV6_MULTICAST_LOOP, 0);
    if (dontFragment) this.#socket.setOption(SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    stack.move();
  }

  /**
   * Sends one request; its number.
   *
   * @throws {SyscallError} EMSGSIZE if it needs fragments and must have none
   */
  send(): number {
    const sequence = ++this.#sequence & 0xffff;
    this.#socket.send(this.#packet(this.#v6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO, sequence), this.#to);
    return sequence;
  }

  /** Numbers of the requests whose replies have come, byte for byte, in the order of the replies. */
  replies(): number[] {
    const numbers: number[] = [];
    for (;;) {
      const packet = receiveNow(this.#socket, this.#buffer);
      if (packet === undefined) return numbers;
      const reply = this.#v6 ? packet : packet.subarray((packet[0]! & 15) * 4);
      const view = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
      if (reply[0] !== (this.#v6 ? ICMPV6_ECHO_REPLY : 0) || view.getUint16(4) !== this.#identifier) continue;
      const sequence = view.getUint16(6);
      const wanted = this.#packet(reply[0], sequence);
      // The checksum over IPv6 is the kernel's doing.
      if (this.#v6) wanted.set(reply.subarray(2, 4), 2);
      assert(
        reply.length === wanted.length && reply.every((byte, i) => byte === wanted[i]),
        `${this.#what}: wrong bytes came back`,
      );
      numbers.push(sequence);
    }
  }

  /** One request, and its reply. */
  async echo(): Promise<void> {
    const sequence = this.send();
    await until(() => this.replies().includes(sequence), this.#what);
  }

  #packet(type: number, sequence: number): Uint8Array<ArrayBuffer> {
    const packet = new Uint8Array(ICMP_HEADER + this.#size);
    for (let at = ICMP_HEADER; at < packet.length; at++) packet[at] = at * 7 + sequence;
    const view = new DataView(packet.buffer);
    view.setUint8(0, type);
    view.setUint16(4, this.#identifier);
    view.setUint16(6, sequence);
    if (!this.#v6) view.setUint16(2, internetChecksum(packet));
    return packet;
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at++) sum += at % 2 === 0 ? bytes[at]! << 8 : bytes[at]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Echo requests, one after the other, each of which must come back whole. */
export async function ping(netns: string, to: string, options: PingOptions = {}): Promise<void> {
  using pinger = new Pinger(netns, to, options);
  for (let i = 0; i < (options.count ?? 3); i++) await pinger.echo();
}

/** Both ends of a TCP connection, within this process. */
export interface TcpEnds {
  /** The namespace that connects. */
  readonly from: string;
  /** The namespace that listens. */
  readonly to: string;
  /** Its address. */
  readonly address: string;
  /** Address to listen on. Default: any IPv4 address. */
  readonly listen?: string;
}

/** Time without progress after which a transfer fails. TCP itself waits up to two minutes under heavy loss. */
const STALL_MS = 60_000;
const BLOCK_BYTES = 256 * 1024;

/**
 * Sends so many bytes each way through one TCP connection, both ways at once, and checks them by hash. Resolves to
 * the speed in Mbit/s, both ways together.
 */
export async function transfer(
  { from, to, address, listen = "0.0.0.0" }: TcpEnds,
  bytes: number,
): Promise<number> {
  await using stack = new AsyncDisposableStack();
  // Deno opens both sockets before it returns to the caller, so within the namespace.
  const listener = inNamespace(to, () => Deno.listen({ hostname: listen, port: 0 }));
  stack.defer(() => listener.close());
  const { port } = listener.addr;
  const connecting = inNamespace(from, () => Deno.connect({ hostname: address, port }));
  const [near, far] = await Promise.all([connecting, listener.accept()]);
  const watch = stack.use(new StallWatch([near, far], `TCP from ${from} to ${address}`));
  const started = performance.now();
  const [sent, sentBack, received, receivedBack] = await Promise.all([
    sendAll(near, bytes, watch),
    sendAll(far, bytes, watch),
    receiveAll(far, bytes, watch),
    receiveAll(near, bytes, watch),
  ]).catch((error) => {
    throw watch.stalled ?? error;
  });
  assertStrictEquals(received, sent, `the hash of what ${from} sent`);
  assertStrictEquals(receivedBack, sentBack, `the hash of what ${to} sent`);
  return (2 * bytes * 8) / ((performance.now() - started) * 1000);
}

/** Closes connections, at the end or when nothing has moved for long. */
class StallWatch implements Disposable {
  stalled: Error | undefined;
  readonly #connections: readonly Deno.TcpConn[];
  readonly #timer: ReturnType<typeof setInterval>;
  #moved = true;

  constructor(connections: readonly Deno.TcpConn[], what: string) {
    this.#connections = connections;
    this.#timer = setInterval(() => {
      if (!this.#moved) {
        this.stalled = new Error(`${what} made no progress for ${STALL_MS / 1000} s`);
        this[Symbol.dispose]();
      }
      this.#moved = false;
    }, STALL_MS);
  }

  moved(): void {
    this.#moved = true;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    }
  }
}

async function sendAll(connection: Deno.TcpConn, bytes: number, watch: StallWatch): Promise<string> {
  const hash: Hash = createHash("sha256");
  const block = crypto.getRandomValues(new Uint32Array(BLOCK_BYTES / 4 / 8));
  const data = new Uint32Array(BLOCK_BYTES / 4);
  for (let i = 0; i < 8; i++) data.set(block, i * block.length);
  const all = new Uint8Array(data.buffer);
  for (let sent = 0; sent < bytes;) {
    data[0] = sent;
    const piece = all.subarray(0, Math.min(BLOCK_BYTES, bytes - sent));
    hash.update(piece);
    for (let at = 0; at < piece.length; watch.moved()) at += await connection.write(piece.subarray(at));
    sent += piece.length;
  }
  return hash.digest("hex");
}

async function receiveAll(connection: Deno.TcpConn, bytes: number, watch: StallWatch): Promise<string> {
  const hash: Hash = createHash("sha256");
  const buffer = new Uint8Array(BLOCK_BYTES);
  for (let received = 0; received < bytes; watch.moved()) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error(`TCP ended after ${received} bytes`);
    hash.update(buffer.subarray(0, count));
    received += count;
  }
  return hash.digest("hex");
}

/** A frame for everybody, unless another destination is given: a number, then bytes that depend on their place. */
export function frame(
  number: number,
  options: { readonly length?: number; readonly destination?: string; readonly vlan?: number } = {},
): Uint8Array<ArrayBuffer> {
  const { length = 60, destination = "ffffffffffff", vlan } = options;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 6; i++) bytes[i] = parseInt(destination.slice(2 * i, 2 * i + 2), 16);
  bytes.set([2, 0, 0, 0, 0, 1], 6);
  let at = 12;
  if (vlan !== undefined) {
    view.setUint16(at, ETHERTYPE_VLAN);
    view.setUint16(at + 2, vlan);
    at += 4;
  }
  view.setUint16(at, ETHERTYPE_TEST);
  view.setUint32(at + 2, number);
  for (at += 6; at < length; at++) bytes[at] = (at * 31 + number) & 0xff;
  return bytes;
}

/** The number in a frame without a tag that {@link frame} made, which must be whole. */
export function numberOf(bytes: Uint8Array): number {
  const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(14);
  const destination = formatHex(bytes.subarray(0, 6));
  assertStrictEquals(formatHex(bytes), formatHex(frame(number, { length: bytes.length, destination })));
  return number;
}

/** Whatever gives frames. */
interface FrameSource {
  /** A frame that is there already; `undefined` if there is none. */
  take(): Uint8Array<ArrayBuffer> | undefined;
}

/** Waits until so many frames have come. */
export async function takeFrames(source: FrameSource, count: number, what: string): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  await until(() => {
    for (let next = source.take(); next !== undefined; next = source.take()) frames.push(next);
    return frames.length >= count;
  }, `${count} frames ${what}`);
  return frames;
}

/** An interface as a program sees it that sends and receives whole frames of {@link ETHERTYPE_TEST}. */
export class FrameSocket implements Disposable {
  readonly #socket: Socket;
  readonly #buffer = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));

  /** The interface must be there. */
  constructor(netns: string, device: string) {
    const swapped = ((ETHERTYPE_TEST & 0xff) << 8) | (ETHERTYPE_TEST >> 8);
    using stack = new DisposableStack();
    this.#socket = inNamespace(netns, () => {
      const socket = stack.use(
        Socket.open(AF_PACKET, SOCK_RAW, HOST_IS_LITTLE_ENDIAN ? swapped : ETHERTYPE_TEST),
      );
      const address = new Uint8Array(SOCKADDR_LL_SIZE);
      const view = new DataView(address.buffer);
      view.setUint16(0, AF_PACKET, HOST_IS_LITTLE_ENDIAN);
      view.setUint16(2, ETHERTYPE_TEST);
      view.setInt32(
        4,
        interfaceIndex(device) ?? fail(`no interface ${device}`),
        HOST_IS_LITTLE_ENDIAN,
      );
      socket.bind(address);
      return socket;
    });
    this.#socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
    stack.move();
  }

  /** Sends a frame. */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(bytes);
  }

  /** A frame that has come. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    return receiveNow(this.#socket, this.#buffer);
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** The other end of a TAP device: what the system sends through the device comes out here, and the other way round. */
export class TapHost implements Disposable {
  readonly #tap: TapDevice;
  readonly #buffer = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));

  /** Makes the device, down. */
  constructor(netns: string, device: string) {
    this.#tap = inNamespace(netns, () => TapDevice.open(device, { exclusive: true }));
  }

  /** Lets the device receive a frame; whether it did, as one that is down does not. */
  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    return libc.write(this.#tap.number, bytes, BigInt(bytes.length)) === BigInt(bytes.length);
  }

  /** A frame that was sent through the device, tags included. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    const length = Number(libc.read(this.#tap.number, this.#buffer, BigInt(this.#buffer.length)));
    return length > 0 ? this.#buffer.slice(0, length) : undefined;
  }

  /** Takes the device away. */
  [Symbol.dispose](): void {
    this.#tap.close();
  }
}
