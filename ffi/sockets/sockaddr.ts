/**
 * Encodes and decodes socket addresses, as `bind`, `connect` and others use them. IP addresses are bytes in network
 * order; ports and ids are plain numbers. Every encoder returns a new buffer.
 *
 * @module
 */

import { AF_INET, AF_INET6 } from "../../src/base/inet.ts";
import { HOST_IS_LITTLE_ENDIAN, NETWORK_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { DecodeError } from "../../src/base/errors.ts";
import {
  type Field,
  type Layout,
  SOCKADDR_IN,
  SOCKADDR_IN6,
  SOCKADDR_L2TPIP,
  SOCKADDR_L2TPIP6,
  SOCKADDR_NL,
  SOCKADDR_PPPOL2TP,
  SOCKADDR_PPPOL2TPIN6,
  SOCKADDR_PPPOL2TPV3,
  SOCKADDR_PPPOL2TPV3IN6,
  SOCKADDR_UN,
} from "../layout.ts";

/** Local sockets (`bits/socket.h`). */
export const AF_UNIX = 1;
/** Netlink. */
export const AF_NETLINK = 16;
/** PPP over a transport (`linux/if_pppox.h`). */
export const AF_PPPOX = 24;
/** Protocol number of PPPoL2TP within AF_PPPOX. */
export const PX_PROTO_OL2TP = 1;

/** A port of an IPv4 or IPv6 host. */
export interface InetAddress {
  /** 4 or 16 bytes in network order. */
  readonly address: Uint8Array;
  /** Port; 0 lets the kernel choose. */
  readonly port: number;
  /** IPv6: index of the interface that a link-local address belongs to. */
  readonly scopeId?: number;
}

/** An L2TP/IP endpoint: an address and a control connection id. */
export interface L2tpIpAddress {
  /** 4 or 16 bytes in network order. */
  readonly address: Uint8Array;
  /** Control connection (tunnel) id. */
  readonly connectionId: number;
  /** IPv6: index of the interface that a link-local address belongs to. */
  readonly scopeId?: number;
}

/** Address that a PPPoL2TP socket connects to. */
export interface Pppol2tpAddress {
  /** Version of the tunnel that is created if there is none; ids of version 2 have 16 bits. */
  readonly version: 2 | 3;
  /** Descriptor of the tunnel's UDP socket, or -1. */
  readonly fd: number;
  /** The peer's address; the kernel uses only its family. */
  readonly peer: InetAddress;
  /** Local tunnel id. */
  readonly tunnelId: number;
  /** Local session id. */
  readonly sessionId: number;
  /** The peer's tunnel id. */
  readonly peerTunnelId: number;
  /** The peer's session id. */
  readonly peerSessionId: number;
}

class StructWriter {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;

  constructor(layout: Layout) {
    this.bytes = new Uint8Array(layout.size);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Writes an integer of the field's size. */
  set(field: Field, value: number, littleEndian: boolean = HOST_IS_LITTLE_ENDIAN): this {
    if (field.size === 2) this.#view.setUint16(field.offset, value, littleEndian);
    else this.#view.setInt32(field.offset, value, littleEndian);
    return this;
  }

  put(field: Field, bytes: Uint8Array): this {
    if (bytes.length !== field.size) {
      throw new RangeError(
        `Cannot encode socket address: a part has ${bytes.length} bytes, it needs ${field.size}`,
      );
    }
    this.bytes.set(bytes, field.offset);
    return this;
  }
}

/** Encodes a `sockaddr_in` or `sockaddr_in6`, depending on the length of the address. */
export function encodeInet({ address, port, scopeId = 0 }: InetAddress): Uint8Array<ArrayBuffer> {
  if (address.length === 4) {
    const { sin_family, sin_port, sin_addr } = SOCKADDR_IN.fields;
    return new StructWriter(SOCKADDR_IN).set(sin_family, AF_INET).set(
      sin_port,
      port,
      NETWORK_IS_LITTLE_ENDIAN,
    )
      .put(sin_addr, address).bytes;
  }
  const { sin6_family, sin6_port, sin6_addr, sin6_scope_id } = SOCKADDR_IN6.fields;
  return new StructWriter(SOCKADDR_IN6).set(sin6_family, AF_INET6).set(
    sin6_port,
    port,
    NETWORK_IS_LITTLE_ENDIAN,
  )
    .put(sin6_addr, address).set(sin6_scope_id, scopeId).bytes;
}

/** Encodes a `sockaddr_nl` with a port id (0: the kernel, or in `bind` any free one). */
export function encodeNetlink(portId: number): Uint8Array<ArrayBuffer> {
  const { nl_family, nl_pid } = SOCKADDR_NL.fields;
  return new StructWriter(SOCKADDR_NL).set(nl_family, AF_NETLINK).set(nl_pid, portId).bytes;
}

/** Encodes a `sockaddr_l2tpip` or `sockaddr_l2tpip6`, depending on the length of the address. */
export function encodeL2tpIp({ address, connectionId, scopeId = 0 }: L2tpIpAddress): Uint8Array<ArrayBuffer> {
  if (address.length === 4) {
    const { l2tp_family, l2tp_addr, l2tp_conn_id } = SOCKADDR_L2TPIP.fields;
    return new StructWriter(SOCKADDR_L2TPIP).set(l2tp_family, AF_INET).put(l2tp_addr, address)
      .set(l2tp_conn_id, connectionId).bytes;
  }
  const { l2tp_family, l2tp_addr, l2tp_scope_id, l2tp_conn_id } = SOCKADDR_L2TPIP6.fields;
  return new StructWriter(SOCKADDR_L2TPIP6).set(l2tp_family, AF_INET6).put(l2tp_addr, address)
    .set(l2tp_scope_id, scopeId).set(l2tp_conn_id, connectionId).bytes;
}

/**
 * Encodes one of the four PPPoL2TP addresses, depending on version and family; the kernel distinguishes them by
 * length.
 */
export function encodePppol2tp(to: Pppol2tpAddress): Uint8Array<ArrayBuffer> {
  const ipv6 = to.peer.address.length === 16;
  const layout = to.version === 2
    ? (ipv6 ? SOCKADDR_PPPOL2TPIN6 : SOCKADDR_PPPOL2TP)
    : (ipv6 ? SOCKADDR_PPPOL2TPV3IN6 : SOCKADDR_PPPOL2TPV3);
  const { fields } = layout;
  return new StructWriter(layout)
    .set(fields.sa_family, AF_PPPOX)
    .set(fields.sa_protocol, PX_PROTO_OL2TP)
    .set(fields["pppol2tp.fd"], to.fd)
    .put(fields["pppol2tp.addr"], encodeInet(to.peer))
    .set(fields["pppol2tp.s_tunnel"], to.tunnelId)
    .set(fields["pppol2tp.s_session"], to.sessionId)
    .set(fields["pppol2tp.d_tunnel"], to.peerTunnelId)
    .set(fields["pppol2tp.d_session"], to.peerSessionId)
    .bytes;
}

/**
 * Decodes a `sockaddr_in` or `sockaddr_in6`; copies the address.
 *
 * @throws {DecodeError} if it is neither
 */
export function decodeInet(bytes: Uint8Array): Required<InetAddress> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = bytes.length >= 2 ? view.getUint16(0, HOST_IS_LITTLE_ENDIAN) : 0;
  if (family === AF_INET && bytes.length >= SOCKADDR_IN.size) {
    const { sin_port, sin_addr } = SOCKADDR_IN.fields;
    return { address: part(bytes, sin_addr), port: view.getUint16(sin_port.offset), scopeId: 0 };
  }
  if (family === AF_INET6 && bytes.length >= SOCKADDR_IN6.size) {
    const { sin6_port, sin6_addr, sin6_scope_id } = SOCKADDR_IN6.fields;
    return {
      address: part(bytes, sin6_addr),
      port: view.getUint16(sin6_port.offset),
      scopeId: view.getUint32(sin6_scope_id.offset, HOST_IS_LITTLE_ENDIAN),
    };
  }
  throw new DecodeError({ field: "sockaddr", offset: 0, needed: SOCKADDR_IN.size, had: bytes.length });
}

/**
 * Decodes a `sockaddr_l2tpip` or `sockaddr_l2tpip6`; copies the address.
 *
 * @throws {DecodeError} if it is neither
 */
export function decodeL2tpIp(bytes: Uint8Array): Required<L2tpIpAddress> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = bytes.length >= 2 ? view.getUint16(0, HOST_IS_LITTLE_ENDIAN) : 0;
  if (family === AF_INET && bytes.length >= SOCKADDR_L2TPIP.size) {
    const { l2tp_addr, l2tp_conn_id } = SOCKADDR_L2TPIP.fields;
    const connectionId = view.getUint32(l2tp_conn_id.offset, HOST_IS_LITTLE_ENDIAN);
    return { address: part(bytes, l2tp_addr), connectionId, scopeId: 0 };
  }
  if (family === AF_INET6 && bytes.length >= SOCKADDR_L2TPIP6.size) {
    const { l2tp_addr, l2tp_scope_id, l2tp_conn_id } = SOCKADDR_L2TPIP6.fields;
    return {
      address: part(bytes, l2tp_addr),
      connectionId: view.getUint32(l2tp_conn_id.offset, HOST_IS_LITTLE_ENDIAN),
      scopeId: view.getUint32(l2tp_scope_id.offset, HOST_IS_LITTLE_ENDIAN),
    };
  }
  throw new DecodeError({
    field: "sockaddr_l2tpip",
    offset: 0,
    needed: SOCKADDR_L2TPIP.size,
    had: bytes.length,
  });
}

function part(bytes: Uint8Array, field: Field): Uint8Array {
  return bytes.slice(field.offset, field.offset + field.size);
}

/**
 * Encodes a `sockaddr_un`, no longer than the path needs.
 *
 * @throws {RangeError} if the path is empty, contains a NUL or is longer than 107 bytes
 */
export function encodeUnix(path: string): Uint8Array<ArrayBuffer> {
  const { sun_family, sun_path } = SOCKADDR_UN.fields;
  const bytes = new TextEncoder().encode(path);
  if (bytes.length === 0 || bytes.includes(0) || bytes.length >= sun_path.size) {
    throw new RangeError(
      `Cannot use socket path "${path}": it has ${bytes.length} bytes and needs 1 to ${
        sun_path.size - 1
      }, no NUL`,
    );
  }
  const address = new StructWriter(SOCKADDR_UN).set(sun_family, AF_UNIX).bytes;
  address.set(bytes, sun_path.offset);
  return address.slice(0, sun_path.offset + bytes.length + 1);
}
