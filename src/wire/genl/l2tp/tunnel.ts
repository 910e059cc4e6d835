/**
 * The messages of the "l2tp" family about tunnels (`linux/l2tp.h`): TUNNEL_CREATE, _DELETE, _MODIFY and _GET,
 * and the body that replies and notifications share. Integers are in host byte order, UDP ports too;
 * addresses in network order. Pure; decoded messages own their memory.
 *
 * @module
 */

import { isIpv6Text } from "../../../base/inet.ts";
import { DecodeError } from "../../../base/errors.ts";
import { ZERO_COUNTERS } from "../../../model/counters.ts";
import type { Optional } from "../../../model/optional.ts";
import {
  applicableChecksums,
  DEFAULT_UDP_CHECKSUMS,
  type Encap,
  type Tunnel,
  type TunnelParameters,
  type UdpChecksumSettings,
} from "../../../model/tunnel.ts";
import type { AttributeReader } from "../../netlink/attribute.ts";
import type { RequestAttributes } from "../../netlink/policy.ts";
import { beginGenl } from "../header.ts";
import {
  ATTRIBUTE as A,
  type Attribute,
  attributeEncoder,
  orElse,
  replyDecoder,
  requestDecoder,
  unless,
} from "./attributes.ts";
import { L2TP_CMD, L2TP_GENL_VERSION } from "./constants.ts";

const CHECKSUMS = [A.UDP_CSUM, A.UDP_ZERO_CSUM6_TX, A.UDP_ZERO_CSUM6_RX] as const;
const PORTS = [A.UDP_SPORT, A.UDP_DPORT] as const;
/** Of each pair of attributes, a message has the one that an address of its IP version goes into. */
const ADDRESSES = [A.IP_SADDR, A.IP6_SADDR, A.IP_DADDR, A.IP6_DADDR] as const;

const putId = attributeEncoder(A.CONN_ID);
const putParameters = attributeEncoder(
  A.CONN_ID,
  A.PEER_CONN_ID,
  orElse(A.PROTO_VERSION, 3),
  A.ENCAP_TYPE,
);
const putFd = attributeEncoder(A.FD);
const putAddresses = attributeEncoder(...ADDRESSES);
const putUdp = attributeEncoder(
  ...PORTS,
  // The kernel looks for the attribute, not at its value.
  unless(A.UDP_CSUM, false),
  A.UDP_ZERO_CSUM6_TX,
  A.UDP_ZERO_CSUM6_RX,
);

/**
 * Payload of TUNNEL_CREATE. Attributes stand in the order in which `ip l2tp` writes them.
 *
 * @throws {RangeError} if an address is no IPv4 or IPv6 address
 */
export function encodeTunnelCreate(tunnel: TunnelParameters): Uint8Array<ArrayBuffer> {
  const out = putParameters(beginGenl(L2TP_CMD.TUNNEL_CREATE, L2TP_GENL_VERSION), tunnel);
  if (tunnel.fd !== undefined) return putFd(out, tunnel).written;
  putAddresses(out, tunnel);
  if (tunnel.encap === "udp") putUdp(out, tunnel);
  return out.written;
}

/** Payload of the commands that name a tunnel and say nothing else: TUNNEL_DELETE, _MODIFY and _GET. */
export function encodeTunnelCommand(
  command: typeof L2TP_CMD.TUNNEL_DELETE | typeof L2TP_CMD.TUNNEL_MODIFY | typeof L2TP_CMD.TUNNEL_GET,
  tunnelId: number,
): Uint8Array<ArrayBuffer> {
  return putId(beginGenl(command, L2TP_GENL_VERSION), { tunnelId }).written;
}

/** Payload of a dump of all tunnels. */
export function encodeTunnelDump(): Uint8Array<ArrayBuffer> {
  return beginGenl(L2TP_CMD.TUNNEL_GET, L2TP_GENL_VERSION).written;
}

/** The content of TUNNEL_DELETE, TUNNEL_MODIFY and TUNNEL_GET. */
export interface TunnelKeyRequest {
  /** Our id of the tunnel. */
  readonly tunnelId: number | undefined;
}

/** The two ends of a tunnel, in text. */
export interface AddressPair {
  /** Our address. */
  readonly local: string;
  /** The peer's address, of the same IP version. */
  readonly peer: string;
}

/**
 * The content of TUNNEL_CREATE. Nothing is checked: which attributes a command requires, and which values it
 * takes, are rules of the subsystem.
 */
export interface TunnelCreateRequest extends TunnelKeyRequest, UdpChecksumSettings {
  /** The peer's id of the tunnel. */
  readonly peerTunnelId: number | undefined;
  /** Protocol version. */
  readonly version: number | undefined;
  /** Encapsulation; `undefined` also if the request names one that there is not. */
  readonly encap: Encap | undefined;
  /**
   * Descriptor, in the requester, of the socket to use. With it, addresses, ports and checksums are ignored.
   */
  readonly fd: number | undefined;
  /**
   * Both IPv6 addresses if both are there, else both IPv4 addresses; `undefined` if neither pair is complete.
   */
  readonly addresses: AddressPair | undefined;
  /** Our UDP port. */
  readonly localPort: number | undefined;
  /** The peer's UDP port. */
  readonly peerPort: number | undefined;
}

/** Reads TUNNEL_DELETE, TUNNEL_MODIFY and TUNNEL_GET. */
export const decodeTunnelKey: (request: RequestAttributes) => TunnelKeyRequest = requestDecoder(A.CONN_ID);

const decodeParameters = requestDecoder(
  A.CONN_ID,
  A.PEER_CONN_ID,
  A.PROTO_VERSION,
  A.ENCAP_TYPE,
  A.FD,
  ...PORTS,
  ...CHECKSUMS,
);

/** Reads TUNNEL_CREATE. */
export function decodeTunnelCreate(request: RequestAttributes): TunnelCreateRequest {
  const isIpv6 = request.has(A.IP6_SADDR.type) && request.has(A.IP6_DADDR.type);
  return {
    ...decodeParameters(request),
    addresses: isIpv6
      ? addressPair(request, A.IP6_SADDR, A.IP6_DADDR)
      : addressPair(request, A.IP_SADDR, A.IP_DADDR),
  };
}

function addressPair(
  request: RequestAttributes,
  source: Attribute<"local", string>,
  destination: Attribute<"peer", string>,
): AddressPair | undefined {
  const local = source.kind.find(request, source.type);
  const peer = destination.kind.find(request, destination.type);
  return local === undefined || peer === undefined ? undefined : { local, peer };
}

/** A tunnel as a reply tells it: the id and the addresses may be absent. */
type TunnelReply = Omit<Tunnel, "tunnelId" | keyof AddressPair> & TunnelKeyRequest & Optional<AddressPair>;

const decodeReply = replyDecoder<TunnelReply>(
  {
    tunnelId: undefined,
    peerTunnelId: 0,
    version: 0,
    encap: undefined,
    local: undefined,
    peer: undefined,
    localPort: undefined,
    peerPort: undefined,
    ...DEFAULT_UDP_CHECKSUMS,
    usingIpsec: false,
    counters: ZERO_COUNTERS,
  },
  A.CONN_ID,
  A.PEER_CONN_ID,
  A.PROTO_VERSION,
  A.ENCAP_TYPE,
  ...ADDRESSES,
  ...PORTS,
  ...CHECKSUMS,
  A.USING_IPSEC,
  A.STATS,
);

/**
 * Reads the body of a reply or notification about a tunnel. Members whose attributes the kernel leaves out
 * have the kernel's defaults; without `withCounters` the counters are 0.
 *
 * @throws {DecodeError} if an attribute is malformed or the tunnel's id is absent
 */
export function decodeTunnel(attributes: AttributeReader, withCounters = true): Tunnel {
  const tunnel = decodeReply(attributes, withCounters);
  const { tunnelId, encap, local, peer } = tunnel;
  if (tunnelId === undefined) {
    throw new DecodeError({ field: "L2TP_ATTR_CONN_ID", offset: 0, needed: 4, had: 0 }, "it is absent");
  }
  const isIpv6 = isIpv6Text(local ?? peer ?? "");
  const unspecified = isIpv6 ? "::" : "0.0.0.0";
  return {
    ...tunnel,
    tunnelId,
    local: local ?? unspecified,
    peer: peer ?? unspecified,
    ...applicableChecksums(tunnel, encap, isIpv6),
  };
}

/** The order is the kernel's (`l2tp_nl_tunnel_send`). */
const putTunnel = attributeEncoder(
  A.PROTO_VERSION,
  A.CONN_ID,
  A.PEER_CONN_ID,
  orElse(A.DEBUG, 0),
  orElse(A.ENCAP_TYPE, "udp"),
  A.STATS,
  unless(A.USING_IPSEC, false),
  ...CHECKSUMS,
  ...PORTS,
  ...ADDRESSES,
);

/** Payload of a reply or notification about a tunnel. */
export function encodeTunnel(command: number, tunnel: Tunnel): Uint8Array<ArrayBuffer> {
  return putTunnel(beginGenl(command, L2TP_GENL_VERSION), tunnel).written;
}
