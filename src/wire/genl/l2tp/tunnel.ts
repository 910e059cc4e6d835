/**
 * The messages of the "l2tp" family about tunnels (`linux/l2tp.h`): what TUNNEL_CREATE, _DELETE, _MODIFY and _GET
 * carry, and the body that replies and notifications share. Integers in host order, UDP ports too; addresses in
 * network order. Pure; decoded tunnels own their memory.
 *
 * @module
 */

import { formatIpAddress, parseIpAddress } from "../../../base/ip_address.ts";
import { DecodeError } from "../../../base/errors.ts";
import { ZERO_COUNTERS } from "../../../model/counters.ts";
import type { Encap, Tunnel, TunnelParameters } from "../../../model/tunnel.ts";
import type { AttributeReader, AttributeWriter } from "../../netlink/attribute.ts";
import { beginGenl } from "../header.ts";
import { L2TP_ATTR, L2TP_CMD, L2TP_ENCAPTYPE, L2TP_GENL_VERSION } from "./constants.ts";
import { decodeCounters, encodeCounters } from "./counters.ts";

/**
 * Payload of TUNNEL_CREATE. Attributes stand in the order in which `ip l2tp` writes them.
 *
 * @throws {RangeError} if an address is no IPv4 or IPv6 address
 */
export function encodeTunnelCreate(tunnel: TunnelParameters): Uint8Array<ArrayBuffer> {
  const out = beginGenl(L2TP_CMD.TUNNEL_CREATE, L2TP_GENL_VERSION)
    .u32(L2TP_ATTR.CONN_ID, tunnel.tunnelId)
    .u32(L2TP_ATTR.PEER_CONN_ID, tunnel.peerTunnelId)
    .u8(L2TP_ATTR.PROTO_VERSION, tunnel.version ?? 3)
    .u16(L2TP_ATTR.ENCAP_TYPE, tunnel.encap === "ip" ? L2TP_ENCAPTYPE.IP : L2TP_ENCAPTYPE.UDP);
  if (tunnel.fd !== undefined) return out.u32(L2TP_ATTR.FD, tunnel.fd).written;
  putAddress(out, L2TP_ATTR.IP_SADDR, L2TP_ATTR.IP6_SADDR, tunnel.local);
  putAddress(out, L2TP_ATTR.IP_DADDR, L2TP_ATTR.IP6_DADDR, tunnel.peer);
  if (tunnel.encap === "udp") {
    if (tunnel.localPort !== undefined) out.u16(L2TP_ATTR.UDP_SPORT, tunnel.localPort);
    if (tunnel.peerPort !== undefined) out.u16(L2TP_ATTR.UDP_DPORT, tunnel.peerPort);
    // The kernel looks for the attribute, not at its value.
    if (tunnel.udpChecksum === true) out.u8(L2TP_ATTR.UDP_CSUM, 1);
    if (tunnel.checksumTx === false) out.flag(L2TP_ATTR.UDP_ZERO_CSUM6_TX);
    if (tunnel.checksumRx === false) out.flag(L2TP_ATTR.UDP_ZERO_CSUM6_RX);
  }
  return out.written;
}

/** Payload of the commands that name a tunnel and say nothing else: TUNNEL_DELETE, _MODIFY and _GET. */
export function encodeTunnelCommand(
  command: typeof L2TP_CMD.TUNNEL_DELETE | typeof L2TP_CMD.TUNNEL_MODIFY | typeof L2TP_CMD.TUNNEL_GET,
  tunnelId: number,
): Uint8Array<ArrayBuffer> {
  return beginGenl(command, L2TP_GENL_VERSION).u32(L2TP_ATTR.CONN_ID, tunnelId).written;
}

/** Payload of a dump of all tunnels. */
export function encodeTunnelDump(): Uint8Array<ArrayBuffer> {
  return beginGenl(L2TP_CMD.TUNNEL_GET, L2TP_GENL_VERSION).written;
}

function putAddress(out: AttributeWriter, v4: number, v6: number, text: string | undefined): void {
  if (text === undefined) return;
  const bytes = parseIpAddress(text);
  if (bytes === undefined) {
    throw new RangeError(`Cannot encode address "${text}": it is no IPv4 or IPv6 address`);
  }
  out.bytes(bytes.length === 4 ? v4 : v6, bytes);
}

/**
 * Reads the body of a reply or notification about a tunnel. What the kernel leaves out gets its resting value; so do
 * the counters without `withCounters`.
 *
 * @throws {DecodeError} if an attribute is malformed or the tunnel's id is absent
 */
export function decodeTunnel(attributes: AttributeReader, withCounters = true): Tunnel {
  let tunnelId: number | undefined;
  let peerTunnelId = 0;
  let version = 0;
  let encap: Encap | undefined;
  let local: string | undefined;
  let peer: string | undefined;
  let family = 4;
  let localPort: number | undefined;
  let peerPort: number | undefined;
  let udpChecksum = false;
  let checksumTx = true;
  let checksumRx = true;
  let usingIpsec = false;
  let counters = ZERO_COUNTERS;
  while (attributes.next()) {
    switch (attributes.type) {
      case L2TP_ATTR.CONN_ID:
        tunnelId = attributes.u32();
        break;
      case L2TP_ATTR.PEER_CONN_ID:
        peerTunnelId = attributes.u32();
        break;
      case L2TP_ATTR.PROTO_VERSION:
        version = attributes.u8();
        break;
      case L2TP_ATTR.ENCAP_TYPE:
        encap = ENCAP_OF[attributes.u16()];
        break;
      case L2TP_ATTR.IP_SADDR:
        local = formatIpAddress(attributes.fixed(4));
        break;
      case L2TP_ATTR.IP_DADDR:
        peer = formatIpAddress(attributes.fixed(4));
        break;
      case L2TP_ATTR.IP6_SADDR:
        family = 6;
        local = formatIpAddress(attributes.fixed(16));
        break;
      case L2TP_ATTR.IP6_DADDR:
        family = 6;
        peer = formatIpAddress(attributes.fixed(16));
        break;
      case L2TP_ATTR.UDP_SPORT:
        localPort = attributes.u16();
        break;
      case L2TP_ATTR.UDP_DPORT:
        peerPort = attributes.u16();
        break;
      case L2TP_ATTR.UDP_CSUM:
        udpChecksum = attributes.u8() !== 0;
        break;
      case L2TP_ATTR.UDP_ZERO_CSUM6_TX:
        checksumTx = false;
        break;
      case L2TP_ATTR.UDP_ZERO_CSUM6_RX:
        checksumRx = false;
        break;
      case L2TP_ATTR.USING_IPSEC:
        usingIpsec = attributes.u8() !== 0;
        break;
      case L2TP_ATTR.STATS:
        if (withCounters) counters = decodeCounters(attributes);
        break;
    }
  }
  if (tunnelId === undefined) {
    throw new DecodeError({ field: "L2TP_ATTR_CONN_ID", offset: 0, needed: 4, had: 0 }, "it is absent");
  }
  const udp4 = encap === "udp" && family === 4;
  const udp6 = encap === "udp" && family === 6;
  const unspecified = family === 4 ? "0.0.0.0" : "::";
  return {
    tunnelId,
    peerTunnelId,
    version,
    encap,
    local: local ?? unspecified,
    peer: peer ?? unspecified,
    localPort,
    peerPort,
    udpChecksum: udp4 ? udpChecksum : undefined,
    checksumTx: udp6 ? checksumTx : undefined,
    checksumRx: udp6 ? checksumRx : undefined,
    usingIpsec,
    counters,
  };
}

const ENCAP_OF: readonly (Encap | undefined)[] = ["udp", "ip"];

/** Payload of a reply or notification about a tunnel, attributes in the kernel's order. */
export function encodeTunnel(command: number, tunnel: Tunnel): Uint8Array<ArrayBuffer> {
  const out = beginGenl(command, L2TP_GENL_VERSION)
    .u8(L2TP_ATTR.PROTO_VERSION, tunnel.version)
    .u32(L2TP_ATTR.CONN_ID, tunnel.tunnelId)
    .u32(L2TP_ATTR.PEER_CONN_ID, tunnel.peerTunnelId)
    .u32(L2TP_ATTR.DEBUG, 0)
    .u16(L2TP_ATTR.ENCAP_TYPE, tunnel.encap === "ip" ? L2TP_ENCAPTYPE.IP : L2TP_ENCAPTYPE.UDP);
  encodeCounters(out, tunnel.counters);
  if (tunnel.usingIpsec) out.u8(L2TP_ATTR.USING_IPSEC, 1);
  if (tunnel.udpChecksum !== undefined) out.u8(L2TP_ATTR.UDP_CSUM, tunnel.udpChecksum ? 1 : 0);
  if (tunnel.checksumTx === false) out.flag(L2TP_ATTR.UDP_ZERO_CSUM6_TX);
  if (tunnel.checksumRx === false) out.flag(L2TP_ATTR.UDP_ZERO_CSUM6_RX);
  if (tunnel.localPort !== undefined) out.u16(L2TP_ATTR.UDP_SPORT, tunnel.localPort);
  if (tunnel.peerPort !== undefined) out.u16(L2TP_ATTR.UDP_DPORT, tunnel.peerPort);
  putAddress(out, L2TP_ATTR.IP_SADDR, L2TP_ATTR.IP6_SADDR, tunnel.local);
  putAddress(out, L2TP_ATTR.IP_DADDR, L2TP_ATTR.IP6_DADDR, tunnel.peer);
  return out.written;
}
