/**
 * Both ends of a session as a case has them: the Ethernet device on the subject's host, and a peer of raw packets on
 * the other.
 *
 * @module
 */

import { assert, assertStrictEquals } from "@std/assert";
import { AF_INET, AF_INET6, IPPROTO_UDP } from "../../src/base/inet.ts";
import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { formatHex } from "../../src/base/hex.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { encodeV3DataHeader } from "../../src/wire/l2tp/data_header_v3.ts";
import { encodeInet } from "../../ffi/sockets/sockaddr.ts";
import { MSG_DONTWAIT, SOCK_RAW, Socket } from "../../ffi/sockets/socket.ts";
import { openRawL2tp, openUdp } from "../../ffi/sockets/udp.ts";
import { type Attributes } from "./api.ts";
import { hex, ip, IP4, IP6, ip6, UDP4, UDP6 } from "./fixture.ts";
import type { Trial } from "./case.ts";
import { setReceiveTimeout } from "../support/receive_timeout.ts";

const AF_PACKET = 17;
/** EtherType for local experiments (IEEE 802): no other traffic uses it. */
const ETHERTYPE = 0x88b5;
const SOCKADDR_LL_SIZE = 20;
/** Timeout for an expected packet. */
const RECEIVE_TIMEOUT_MS = 5000;
const BUFFER_SIZE = 65_536;

/** An Ethernet frame to everybody whose payload begins with the number and has `length` bytes. */
export function frame(number: number, length = 6): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(14 + length);
  bytes.set(hex("ffffffffffff 020000000001"));
  const view = new DataView(bytes.buffer);
  view.setUint16(12, ETHERTYPE);
  for (let at = 18; at < bytes.length; at++) bytes[at] = at & 0xff;
  view.setUint32(14, number);
  return bytes;
}

/** A socket that gives what comes within the time, or all at once. */
class Receiver {
  readonly #socket: Socket;
  readonly #skip: (packet: Uint8Array) => number;
  readonly #buffer = new Uint8Array(new ArrayBuffer(BUFFER_SIZE));

  constructor(socket: Socket, skip: (packet: Uint8Array) => number = () => 0) {
    setReceiveTimeout(socket, RECEIVE_TIMEOUT_MS);
    this.#socket = socket;
    this.#skip = skip;
  }

  #read(flags: number): Uint8Array<ArrayBuffer> | undefined {
    try {
      const length = this.#socket.receive(this.#buffer, flags);
      return this.#buffer.slice(this.#skip(this.#buffer), length);
    } catch (error) {
      if (error instanceof SyscallError && error.errno === Errno.EAGAIN) return undefined;
      throw error;
    }
  }

  /** Returns the next packet. */
  receive(): Uint8Array<ArrayBuffer> {
    const packet = this.#read(0);
    assert(packet !== undefined, `nothing came within ${RECEIVE_TIMEOUT_MS} ms`);
    return packet;
  }

  /** Fails unless these come next, in this order. */
  expect(...packets: readonly Uint8Array[]): void {
    for (const packet of packets) assertStrictEquals(formatHex(this.receive()), formatHex(packet));
  }

  /** Fails if something has come. */
  expectNothing(): void {
    const packet = this.#read(MSG_DONTWAIT);
    assert(packet === undefined, `this came: ${formatHex(packet ?? new Uint8Array(0))}`);
  }
}

/** An interface of the subject's host, up, as a program sees it that sends and receives whole frames. */
export class Ethernet extends Receiver {
  readonly #out: Socket;

  private constructor(socket: Socket) {
    super(socket);
    this.#out = socket;
  }

  /** Brings the interface up. */
  static open(t: Trial, name = "pw0"): Ethernet {
    const { index } = t.fixture.link(name);
    t.fixture.links.changeLink(index, { up: true });
    const address = new Uint8Array(SOCKADDR_LL_SIZE);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_PACKET, HOST_IS_LITTLE_ENDIAN);
    view.setUint16(2, ETHERTYPE);
    view.setInt32(4, index, HOST_IS_LITTLE_ENDIAN);
    const protocol = ((ETHERTYPE & 0xff) << 8) | (ETHERTYPE >> 8);
    const socket = t.stack.use(
      inNamespace(
        t.fixture.a,
        () => Socket.open(AF_PACKET, SOCK_RAW, HOST_IS_LITTLE_ENDIAN ? protocol : ETHERTYPE),
      ),
    );
    socket.bind(address);
    return new Ethernet(socket);
  }

  /** Sends a frame through the interface. */
  send(frame: Uint8Array<ArrayBuffer>): void {
    this.#out.send(frame);
  }
}

/** Encapsulation of a tunnel. */
export interface Carrier {
  /** For names of cases. */
  readonly name: string;
  /** Encapsulation. */
  readonly encap: "udp" | "ip";
  /** IP version. */
  readonly family: 4 | 6;
  /** The tunnel. */
  readonly tunnel: Attributes;
}

/** All there are. */
export const CARRIERS: readonly Carrier[] = [
  { name: "UDP over IPv4", encap: "udp", family: 4, tunnel: UDP4 },
  { name: "UDP over IPv6", encap: "udp", family: 6, tunnel: UDP6 },
  { name: "IPv4", encap: "ip", family: 4, tunnel: IP4 },
  { name: "IPv6", encap: "ip", family: 6, tunnel: IP6 },
];

/** The one that most cases use. */
export const OVER_UDP: Carrier = CARRIERS[0]!;

/** Deviations of a peer from the default. */
export interface PeerOptions {
  /** UDP port of the peer. Default: 6000. */
  readonly port?: number;
  /** The subject's UDP port: 5000 unless given. */
  readonly to?: number;
  /** IPv4 address of the peer. Default: 10.0.0.2. */
  readonly address?: string;
  /** Send without checksums. */
  readonly noChecksum?: boolean;
}

/** The other end of a tunnel: L2TP packets, without UDP and IP. */
export class Peer extends Receiver {
  readonly #out: Socket;
  readonly #to: Uint8Array;

  private constructor(socket: Socket, to: Uint8Array, skip?: (packet: Uint8Array) => number) {
    super(socket, skip);
    this.#out = socket;
    this.#to = to;
  }

  /** The peer of a tunnel over the carrier. */
  static open(t: Trial, { encap, family }: Carrier, options: PeerOptions = {}): Peer {
    const v4 = family === 4;
    const local = v4 ? ip(options.address ?? "10.0.0.2") : ip6(2);
    const to = encodeInet({
      address: v4 ? ip("10.0.0.1") : ip6(1),
      port: encap === "udp" ? options.to ?? 5000 : 0,
    });
    const socket = inNamespace(t.fixture.b, () =>
      encap === "udp"
        ? openUdp(v4 ? AF_INET : AF_INET6, {
          local: { address: local, port: options.port ?? 6000 },
          noChecksumTx: options.noChecksum ?? false,
        })
        : openRawL2tp(v4 ? AF_INET : AF_INET6, { address: local, port: 0 }));
    return new Peer(t.stack.use(socket), to, encap === "ip" && v4 ? ipv4HeaderLength : undefined);
  }

  /** A peer that sees and says UDP headers too: from 6000 to 5000. */
  static openRawUdp(t: Trial, family: 4 | 6): Peer {
    const v4 = family === 4;
    const to = encodeInet({ address: v4 ? ip("10.0.0.1") : ip6(1), port: 0 });
    const socket = inNamespace(
      t.fixture.b,
      () => Socket.open(v4 ? AF_INET : AF_INET6, SOCK_RAW, IPPROTO_UDP),
    );
    return new Peer(t.stack.use(socket), to, v4 ? ipv4HeaderLength : undefined);
  }

  /** Sends one packet to the subject. */
  send(packet: Uint8Array<ArrayBuffer>): void {
    this.#out.send(packet, this.#to);
  }
}

function ipv4HeaderLength(packet: Uint8Array): number {
  return (packet[0]! & 0x0f) * 4;
}

/** Header fields of a data packet. */
export interface DataOptions {
  /** Session id; 11, the subject's, unless given. */
  readonly sessionId?: number;
  /** The cookie. */
  readonly cookie?: Uint8Array;
  /** The sublayer; default unless given. */
  readonly l2spec?: "none" | "default";
  /** Sequence number. */
  readonly sequence?: number;
}

/** An L2TP version 3 data packet. */
export function data(
  encap: "udp" | "ip",
  frame: Uint8Array,
  options: DataOptions = {},
): Uint8Array<ArrayBuffer> {
  const { sessionId = 11, cookie = new Uint8Array(0), l2spec = "default", sequence } = options;
  const header = encodeV3DataHeader({ encap, hasSublayer: l2spec === "default" }, {
    sessionId,
    cookie,
    sequence,
  });
  return Uint8Array.from([...header, ...frame]);
}
