/**
 * The part of rtnetlink (`linux/rtnetlink.h`, `linux/if_link.h`, `linux/if_addr.h`) that configures session interfaces:
 * links and their addresses. Host byte order; addresses in network byte order.
 *
 * @module
 */

import { AF_INET, AF_INET6 } from "../../base/inet.ts";
import { ByteWriter, HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { formatIpAddress } from "../../base/ip_address.ts";
import type { Link, LinkAddress, LinkChanges } from "../../model/link.ts";
import { AttributeReader, AttributeWriter } from "../netlink/attribute.ts";

/** Message type: reports or changes a link. */
export const RTM_NEWLINK = 16;
/** Message type: requests links. */
export const RTM_GETLINK = 18;
/** Message type: adds an address. */
export const RTM_NEWADDR = 20;
/** Message type: removes an address. */
export const RTM_DELADDR = 21;
/** Message type: requests addresses. */
export const RTM_GETADDR = 22;

/** Size of `struct ifinfomsg`, in bytes. */
export const IFINFOMSG_SIZE = 16;
/** Size of `struct ifaddrmsg`, in bytes. */
export const IFADDRMSG_SIZE = 8;

const AF_UNSPEC = 0;
const IFF_UP = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_OPERSTATE = 16;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_AF_SPEC = 26;
const IFLA_NET_NS_FD = 28;
/** Attribute of AF_INET6 within IFLA_AF_SPEC: a value of `enum in6_addr_gen_mode`. */
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_EUI64 = 0;
const IN6_ADDR_GEN_MODE_NONE = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_F_NODAD = 0x02;
const IFA_F_PERMANENT = 0x80;

/** Names of `IF_OPER_*` (`linux/if.h`), in order, as `ip link` prints them. */
const OPERSTATES = ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"] as const;

/** Encodes `struct ifinfomsg`: {u8 family, pad, u16 type, i32 index, u32 flags, u32 change}. */
function beginLink(index: number, flags: number, change: number): AttributeWriter {
  const out = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN });
  out.u8(AF_UNSPEC);
  out.u8(0);
  out.u16(0);
  out.u32(index);
  out.u32(flags);
  out.u32(change);
  return new AttributeWriter(out);
}

/** Encodes the payload of RTM_GETLINK for the interface with this name. */
export function encodeGetLink(name: string): Uint8Array<ArrayBuffer> {
  return beginLink(0, 0, 0).string(IFLA_IFNAME, name).written;
}

/** Encodes the payload of RTM_GETLINK for the interface with this index. */
export function encodeGetLinkAt(index: number): Uint8Array<ArrayBuffer> {
  return beginLink(index, 0, 0).written;
}

/**
 * Decodes the hardware type of an interface (`ARPHRD_*` of `linux/if_arp.h`) from the payload of RTM_NEWLINK.
 *
 * @throws {DecodeError} if the payload is malformed
 */
export function decodeHardwareType(payload: Uint8Array): number {
  return fixedHeader("ifinfomsg", payload, IFINFOMSG_SIZE).getUint16(2, HOST_IS_LITTLE_ENDIAN);
}

/** Encodes the payload of RTM_GETLINK for a dump of all links. */
export function encodeLinkDump(): Uint8Array<ArrayBuffer> {
  return beginLink(0, 0, 0).written;
}

/** Encodes the payload of RTM_NEWLINK that changes the interface with this index. */
export function encodeSetLink(index: number, changes: LinkChanges): Uint8Array<ArrayBuffer> {
  const out = beginLink(index, changes.up === true ? IFF_UP : 0, changes.up === undefined ? 0 : IFF_UP);
  if (changes.name !== undefined) out.string(IFLA_IFNAME, changes.name);
  if (changes.mtu !== undefined) out.u32(IFLA_MTU, changes.mtu);
  if (changes.master !== undefined) out.u32(IFLA_MASTER, changes.master);
  if (changes.netnsFd !== undefined) out.u32(IFLA_NET_NS_FD, changes.netnsFd);
  if (changes.automaticLinkLocal !== undefined) {
    const mode = changes.automaticLinkLocal ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE;
    out.nested(
      IFLA_AF_SPEC,
      (families) => families.nested(AF_INET6, (inet6) => inet6.u8(IFLA_INET6_ADDR_GEN_MODE, mode), true),
      true,
    );
  }
  return out.written;
}

/**
 * Decodes the payload of an RTM_NEWLINK message.
 *
 * @throws {DecodeError} if the payload is malformed
 */
export function decodeLink(payload: Uint8Array): Link {
  const view = fixedHeader("ifinfomsg", payload, IFINFOMSG_SIZE);
  const attributes = new AttributeReader(payload, IFINFOMSG_SIZE);
  let name = "";
  let mtu = 0;
  let master: number | undefined;
  let state: string = OPERSTATES[0];
  let kind: string | undefined;
  while (attributes.next()) {
    if (attributes.type === IFLA_IFNAME) name = attributes.string();
    else if (attributes.type === IFLA_MTU) mtu = attributes.u32();
    else if (attributes.type === IFLA_MASTER) master = attributes.u32();
    else if (attributes.type === IFLA_OPERSTATE) state = OPERSTATES[attributes.u8()] ?? OPERSTATES[0];
    else if (attributes.type === IFLA_LINKINFO) kind = decodeKind(attributes.nested());
  }
  const flags = view.getUint32(8, HOST_IS_LITTLE_ENDIAN);
  return {
    index: view.getInt32(4, HOST_IS_LITTLE_ENDIAN),
    name,
    up: (flags & IFF_UP) !== 0,
    state,
    mtu,
    master,
    ...(kind !== undefined && { kind }),
  };
}

function decodeKind(attributes: AttributeReader): string | undefined {
  while (attributes.next()) if (attributes.type === IFLA_INFO_KIND) return attributes.string();
  return undefined;
}

/** Encodes `struct ifaddrmsg`: {u8 family, u8 prefix length, u8 flags, u8 scope, u32 index}. */
function beginAddress(family: number, prefixLength: number, index: number, flags = 0): AttributeWriter {
  const out = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN });
  out.u8(family);
  out.u8(prefixLength);
  out.u8(flags);
  out.u8(0);
  out.u32(index);
  return new AttributeWriter(out);
}

/**
 * Encodes the payload of RTM_NEWADDR and RTM_DELADDR. `address` has 4 or 16 bytes. `peer`, of the same family, is the
 * other end of a point-to-point interface; the prefix then belongs to the peer. `isUnique` disables duplicate address
 * detection of an IPv6 address (IFA_F_NODAD).
 */
export function encodeAddAddress(
  index: number,
  address: Uint8Array,
  prefixLength: number,
  peer: Uint8Array = address,
  isUnique: boolean = false,
): Uint8Array<ArrayBuffer> {
  const family = address.length === 4 ? AF_INET : AF_INET6;
  return beginAddress(family, prefixLength, index, isUnique ? IFA_F_NODAD : 0)
    .bytes(IFA_LOCAL, address).bytes(IFA_ADDRESS, peer).written;
}

/** Encodes the payload of RTM_GETADDR for a dump of all addresses. */
export function encodeAddressDump(): Uint8Array<ArrayBuffer> {
  return beginAddress(AF_UNSPEC, 0, 0).written;
}

/**
 * Decodes the payload of an RTM_NEWADDR message.
 *
 * @throws {DecodeError} if the payload is malformed
 */
export function decodeAddress(payload: Uint8Array): LinkAddress {
  const view = fixedHeader("ifaddrmsg", payload, IFADDRMSG_SIZE);
  const attributes = new AttributeReader(payload, IFADDRMSG_SIZE);
  let local: Uint8Array | undefined;
  let address: Uint8Array | undefined;
  while (attributes.next()) {
    if (attributes.type === IFA_LOCAL) local = attributes.bytes();
    else if (attributes.type === IFA_ADDRESS) address = attributes.bytes();
  }
  // On a point-to-point interface IFA_ADDRESS is the peer's address. Otherwise IPv6 sends no IFA_LOCAL.
  const own = formatIpAddress(local ?? address ?? new Uint8Array(0));
  const peer = address === undefined ? own : formatIpAddress(address);
  return {
    index: view.getUint32(4, HOST_IS_LITTLE_ENDIAN),
    address: own,
    prefixLength: view.getUint8(1),
    ...(peer !== own && { peer }),
    ...((view.getUint8(2) & IFA_F_PERMANENT) === 0 && { automatic: true as const }),
  };
}

function fixedHeader(field: string, payload: Uint8Array, needed: number): DataView {
  if (payload.length < needed) throw new DecodeError({ field, offset: 0, needed, had: payload.length });
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
}
