/**
 * The part of rtnetlink (`linux/rtnetlink.h`) that manages routes through a point-to-point interface, which need no
 * gateway. Host byte order; addresses in network byte order.
 *
 * @module
 */

import { AF_INET, AF_INET6 } from "../../base/inet.ts";
import { ByteWriter, HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import type { UdpEnds } from "../../model/link.ts";
import { AttributeReader, AttributeWriter } from "../netlink/attribute.ts";

/** Message type: adds a route. */
export const RTM_NEWROUTE = 24;
/** Message type: removes a route. */
export const RTM_DELROUTE = 25;
/** Message type: looks up the route of a packet. */
export const RTM_GETROUTE = 26;

const RT_TABLE_MAIN = 254;
/** Origin of a route: added after boot by a program that is not a routing daemon. */
const RTPROT_BOOT = 3;
/** Scope: the destination is on the link. */
const RT_SCOPE_LINK = 253;
/** Scope of every IPv6 route: IPv6 has no route scopes. */
const RT_SCOPE_UNIVERSE = 0;
const RTN_UNICAST = 1;
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_OIF = 4;
const RTA_PRIORITY = 6;
const RTA_ENCAP = 22;
const RTA_IP_PROTO = 27;
const RTA_SPORT = 28;
const RTA_DPORT = 29;
const IPPROTO_UDP = 17;
const RTMSG_SIZE = 12;

/** A route through an interface. */
export interface Route {
  /** Index of the interface. */
  readonly index: number;
  /** Destination of 4 or 16 bytes. The bits after the prefix are 0. */
  readonly destination: Uint8Array;
  /** Length of the prefix, in bits. */
  readonly prefixLength: number;
  /** Metric. Default: the kernel's. */
  readonly metric?: number | undefined;
}

/**
 * Encodes the payload of RTM_NEWROUTE and RTM_DELROUTE for the main table. `struct rtmsg`: {u8 family, u8 destination
 * prefix length, u8 source prefix length, u8 tos, u8 table, u8 protocol, u8 scope, u8 type, u32 flags}.
 */
export function encodeRoute({ index, destination, prefixLength, metric }: Route): Uint8Array<ArrayBuffer> {
  const ipv4 = destination.length === 4;
  const out = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN });
  out.u8(ipv4 ? AF_INET : AF_INET6);
  out.u8(prefixLength);
  out.u8(0);
  out.u8(0);
  out.u8(RT_TABLE_MAIN);
  out.u8(RTPROT_BOOT);
  out.u8(ipv4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
  out.u8(RTN_UNICAST);
  out.u32(0);
  const attributes = new AttributeWriter(out);
  if (prefixLength > 0) attributes.bytes(RTA_DST, destination);
  if (metric !== undefined) attributes.u32(RTA_PRIORITY, metric);
  return attributes.u32(RTA_OIF, index).written;
}

/** Encodes the payload of RTM_GETROUTE, which looks up the route of UDP packets between these endpoints. */
export function encodeGetRoute(ends: UdpEnds): Uint8Array<ArrayBuffer> {
  const { source, destination, sourcePort, destinationPort } = ends;
  const port = (number: number): Uint8Array => Uint8Array.of(number >> 8, number);
  const out = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN });
  const bits = 8 * destination.length;
  out.u8(destination.length === 4 ? AF_INET : AF_INET6);
  out.u8(bits);
  out.u8(bits);
  for (let at = 3; at < RTMSG_SIZE; at++) out.u8(0);
  return new AttributeWriter(out).bytes(RTA_DST, destination).bytes(RTA_SRC, source)
    .u8(RTA_IP_PROTO, IPPROTO_UDP)
    .bytes(RTA_SPORT, port(sourcePort)).bytes(RTA_DPORT, port(destinationPort)).written;
}

/**
 * Decodes the reply to RTM_GETROUTE. Returns the index of the outgoing interface, or `undefined` if there is none, the
 * route is not a unicast route, or it encapsulates packets.
 *
 * @throws {DecodeError} if the payload is malformed
 */
export function decodeRouteInterface(payload: Uint8Array): number | undefined {
  if (payload.length < RTMSG_SIZE) {
    throw new DecodeError({ field: "rtmsg", offset: 0, needed: RTMSG_SIZE, had: payload.length });
  }
  if (payload[7] !== RTN_UNICAST) return undefined;
  const attributes = new AttributeReader(payload, RTMSG_SIZE);
  let index: number | undefined;
  while (attributes.next()) {
    if (attributes.type === RTA_ENCAP) return undefined;
    if (attributes.type === RTA_OIF) index = attributes.u32();
  }
  return index;
}
