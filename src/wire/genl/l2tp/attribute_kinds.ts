/**
 * The kinds of attributes of the "l2tp" family: for each, the family's policy (`l2tp_nl_policy`,
 * `net/l2tp/l2tp_netlink.c`), and how its value is written, read from a reply, and read from a request. Pure.
 *
 * @module
 */

import { isIpv6Text } from "../../../base/inet.ts";
import { formatIpAddress, parseIpAddress } from "../../../base/ip_address.ts";
import type { Counters } from "../../../model/counters.ts";
import type { Encap } from "../../../model/tunnel.ts";
import type { AttributeReader, AttributeWriter } from "../../netlink/attribute.ts";
import type { AttributeRule, RequestAttributes } from "../../netlink/policy.ts";
import { L2TP_ENCAPTYPE } from "./constants.ts";
import { decodeCounters, encodeCounters } from "./counters.ts";

/**
 * A kind of attribute that carries a value of type T. `Found` is the type of a value in a request: it lacks
 * `undefined` if the absence of the attribute is a value, too.
 */
export interface AttributeKind<T, Found extends T | undefined = T | undefined> {
  /** Rule of the family's policy for the payload; `undefined` for none. */
  readonly rule: AttributeRule | undefined;
  /** Appends the attribute. */
  readonly write: (out: AttributeWriter, type: number, value: T) => void;
  /**
   * The value of the current attribute of a reply.
   *
   * @throws {DecodeError} if the payload is too short
   */
  readonly read: (reply: AttributeReader) => T;
  /** The value in a request, as the kernel reads it; `undefined` if the attribute is absent or too short. */
  readonly find: (request: RequestAttributes, type: number) => Found;
}

const INTEGER_8 = { kind: "integer", size: 1 } as const;
const INTEGER_16 = { kind: "integer", size: 2 } as const;
const INTEGER_32 = { kind: "integer", size: 4 } as const;
const INTEGER_64 = { kind: "integer", size: 8 } as const;
/** Longest name of an interface, in bytes (IFNAMSIZ - 1). */
const NAME_MAX = 15;
/** Longest cookie, in bytes. */
const COOKIE_MAX = 8;

/** An 8-bit integer. */
const U8: AttributeKind<number> = {
  rule: INTEGER_8,
  write: (out, type, value) => out.u8(type, value),
  read: (reply) => reply.u8(),
  find: (request, type) => request.u8(type),
};

/** A 16-bit integer in host order. */
const U16: AttributeKind<number> = {
  rule: INTEGER_16,
  write: (out, type, value) => out.u16(type, value),
  read: (reply) => reply.u16(),
  find: (request, type) => request.u16(type),
};

/** A 32-bit integer in host order. */
const U32: AttributeKind<number> = {
  rule: INTEGER_32,
  write: (out, type, value) => out.u32(type, value),
  read: (reply) => reply.u32(),
  find: (request, type) => request.u32(type),
};

/** An 8-bit integer, 0 or 1. Of a request the kernel takes the lowest bit. */
const BOOLEAN: AttributeKind<boolean> = {
  rule: INTEGER_8,
  write: (out, type, value) => out.u8(type, value ? 1 : 0),
  read: (reply) => reply.u8() !== 0,
  find(request, type): boolean | undefined {
    const value = request.u8(type);
    return value === undefined ? undefined : (value & 1) !== 0;
  },
};

/** A 64-bit number of milliseconds. More of them than a number can tell apart count as `MAX_SAFE_INTEGER`. */
const MILLISECONDS: AttributeKind<number> = {
  rule: INTEGER_64,
  write: (out, type, value) => out.u64(type, BigInt(value)),
  read: (reply) => Number(reply.u64()),
  find(request, type): number | undefined {
    const value = request.u64(type);
    return value === undefined ? undefined : Math.min(Number(value), Number.MAX_SAFE_INTEGER);
  },
};

/** A cookie as it goes on the wire. In a request, one of no bytes counts as absent. */
const COOKIE: AttributeKind<Uint8Array> = {
  rule: { kind: "binary", max: COOKIE_MAX },
  write: (out, type, value) => out.bytes(type, value),
  read: (reply) => reply.fixed(reply.length),
  find(request, type): Uint8Array | undefined {
    const bytes = request.bytes(type);
    return bytes?.length === 0 ? undefined : bytes;
  },
};

/** Name of an interface. */
const NAME: AttributeKind<string> = {
  rule: { kind: "nulString", max: NAME_MAX },
  write: (out, type, value) => out.string(type, value),
  read: (reply) => reply.string(),
  find: (request, type) => request.string(type),
};

/** An IPv4 address in text. An IPv6 address is not written: the IPv6 attribute beside this one carries it. */
const IPV4_ADDRESS: AttributeKind<string> = addressKind(4, INTEGER_32);

/** An IPv6 address in text. An IPv4 address is not written: the IPv4 attribute beside this one carries it. */
const IPV6_ADDRESS: AttributeKind<string> = addressKind(16, { kind: "binary", max: 16 });

/**
 * In a request, an address that is too short counts as absent: the kernel would read beyond the attribute.
 */
function addressKind(size: 4 | 16, rule: AttributeRule): AttributeKind<string> {
  return {
    rule,
    write(out, type, value): void {
      if (isIpv6Text(value) !== (size === 16)) return;
      const bytes = parseIpAddress(value);
      if (bytes?.length !== size) {
        throw new RangeError(`Cannot encode address "${value}": it is no IPv4 or IPv6 address`);
      }
      out.bytes(type, bytes);
    },
    read: (reply) => formatIpAddress(reply.fixed(size)),
    find(request, type): string | undefined {
      const bytes = request.bytes(type)?.subarray(0, size);
      return bytes?.length === size ? formatIpAddress(bytes) : undefined;
    },
  };
}

/** ENCAP_TYPE, a 16-bit integer; `undefined` for an encapsulation that this program does not know. */
const ENCAP: AttributeKind<Encap | undefined> = {
  rule: INTEGER_16,
  write: (out, type, value) => out.u16(type, value === "ip" ? L2TP_ENCAPTYPE.IP : L2TP_ENCAPTYPE.UDP),
  read: (reply) => encapOf(reply.u16()),
  find: (request, type) => encapOf(request.u16(type)),
};

function encapOf(type: number | undefined): Encap | undefined {
  if (type === L2TP_ENCAPTYPE.UDP) return "udp";
  return type === L2TP_ENCAPTYPE.IP ? "ip" : undefined;
}

/** UDP_CSUM: an 8-bit integer, 0 or 1. In a request, its presence turns checksums on, whatever its value. */
const CHECKSUM: AttributeKind<boolean, boolean> = {
  ...BOOLEAN,
  find: (request, type) => request.has(type),
};

/** UDP_ZERO_CSUM6_TX and _RX: flags whose presence turns checksums off. The policy has no rule for flags. */
const NO_CHECKSUM: AttributeKind<boolean, boolean> = {
  rule: undefined,
  write(out, type, value): void {
    if (!value) out.flag(type);
  },
  read: () => false,
  find: (request, type) => !request.has(type),
};

/** STATS: counters within the attribute. Requests do not carry them. */
const COUNTERS: AttributeKind<Counters> = {
  rule: { kind: "nested" },
  write: (out, _type, value) => encodeCounters(out, value),
  read: (reply) => decodeCounters(reply),
  find: () => undefined,
};

/** The kinds by name. */
export const ATTRIBUTE_KIND = {
  U8,
  U16,
  U32,
  BOOLEAN,
  MILLISECONDS,
  COOKIE,
  NAME,
  IPV4_ADDRESS,
  IPV6_ADDRESS,
  ENCAP,
  CHECKSUM,
  NO_CHECKSUM,
  COUNTERS,
} as const;
