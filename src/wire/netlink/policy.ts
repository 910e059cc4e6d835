/**
 * Parses the attributes of a request as the kernel does for generic netlink families older than Linux 5.2
 * (`nla_parse_deprecated`, "liberal" validation, `lib/nlattr.c`): every attribute in the family's policy is checked,
 * even if the command does not use it. Unknown attributes are skipped. Integers may be longer than their type. Of
 * duplicates the last one counts. Parsing stops at an attribute with an impossible length. Getters of bytes and
 * strings return copies.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { Errno } from "../../base/errno.ts";
import { NLA_HDRLEN, NLA_TYPE_MASK, nlmsgAlign } from "./constants.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** The constraint on an attribute's payload. Lengths are in bytes. */
export type AttributeRule =
  /** An integer of at least `size` bytes. */
  | { readonly kind: "integer"; readonly size: 1 | 2 | 4 | 8 }
  /** At most `max` bytes of any value. */
  | { readonly kind: "binary"; readonly max: number }
  /** A NUL-terminated string of at most `max` bytes without the NUL. */
  | { readonly kind: "nulString"; readonly max: number }
  /** Nested attributes; may be empty. */
  | { readonly kind: "nested" };

/** A family's rules by attribute number. An attribute without a rule may hold anything. */
export type AttributePolicy = ReadonlyMap<number, AttributeRule>;

/** Extended acknowledgement for an attribute that violates its rule. */
export const POLICY_EXTACK = "Attribute failed policy validation";
/** Extended acknowledgement, even of a success, when bytes after the last attribute could not be parsed. */
export const LEFTOVER_EXTACK = "bytes leftover after parsing attributes";

/** An attribute of a request violates the family's policy. */
export class PolicyError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "PolicyError";
  /** Number of the attribute. */
  readonly attribute: number;
  /** Offset of the attribute in the payload, in bytes. */
  readonly offset: number;
  /** Length of the attribute's payload, in bytes. */
  readonly length: number;
  /** Positive error number of the kernel's reply. */
  readonly errno: number;

  /** Builds the message from the facts and keeps them in the fields. */
  constructor(facts: Pick<PolicyError, "attribute" | "offset" | "length" | "errno">) {
    super(
      `Cannot accept attribute ${facts.attribute} at byte ${facts.offset}: ` +
        `its ${facts.length} bytes violate the family's policy`,
    );
    this.attribute = facts.attribute;
    this.offset = facts.offset;
    this.length = facts.length;
    this.errno = facts.errno;
  }
}

/** Byte range of an attribute's payload. */
interface Extent {
  readonly start: number;
  readonly end: number;
}

/** The parsed attributes of a request. Getters return `undefined` for an absent attribute. */
export class RequestAttributes {
  readonly #payload: Uint8Array;
  readonly #view: DataView;
  readonly #extents: ReadonlyMap<number, Extent>;
  /** Number of bytes after the last attribute that could not be parsed. */
  readonly leftover: number;

  /** Called by {@link parseAttributes}. */
  constructor(payload: Uint8Array, extents: ReadonlyMap<number, Extent>, leftover: number) {
    this.#payload = payload;
    this.#view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#extents = extents;
    this.leftover = leftover;
  }

  /** Reports whether the attribute is present. */
  has(type: number): boolean {
    return this.#extents.has(type);
  }

  /** Returns an 8-bit integer. */
  u8(type: number): number | undefined {
    const start = this.#start(type, 1);
    return start === undefined ? undefined : this.#view.getUint8(start);
  }

  /** Returns a 16-bit integer in host byte order. */
  u16(type: number): number | undefined {
    const start = this.#start(type, 2);
    return start === undefined ? undefined : this.#view.getUint16(start, HOST_IS_LITTLE_ENDIAN);
  }

  /** Returns a 32-bit integer in host byte order. */
  u32(type: number): number | undefined {
    const start = this.#start(type, 4);
    return start === undefined ? undefined : this.#view.getUint32(start, HOST_IS_LITTLE_ENDIAN);
  }

  /** Returns a 64-bit integer in host byte order. */
  u64(type: number): bigint | undefined {
    const start = this.#start(type, 8);
    return start === undefined ? undefined : this.#view.getBigUint64(start, HOST_IS_LITTLE_ENDIAN);
  }

  /** Returns a copy of the payload. */
  bytes(type: number): Uint8Array | undefined {
    const extent = this.#extents.get(type);
    return extent === undefined ? undefined : this.#payload.slice(extent.start, extent.end);
  }

  /** Returns the string up to the first NUL. Invalid UTF-8 becomes U+FFFD. */
  string(type: number): string | undefined {
    const bytes = this.bytes(type);
    if (bytes === undefined) return undefined;
    const nul = bytes.indexOf(0);
    return utf8.decode(nul < 0 ? bytes : bytes.subarray(0, nul));
  }

  /** A payload too short for a getter counts as absent: the policy that let it through has a bug. */
  #start(type: number, size: number): number | undefined {
    const extent = this.#extents.get(type);
    return extent === undefined || extent.end - extent.start < size ? undefined : extent.start;
  }
}

/**
 * Parses the attributes in `payload` from byte `start` on.
 *
 * @throws {PolicyError} for the first attribute that violates its rule
 */
export function parseAttributes(
  payload: Uint8Array,
  start: number,
  policy: AttributePolicy,
): RequestAttributes {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const extents = new Map<number, Extent>();
  let at = start;
  while (payload.length - at >= NLA_HDRLEN) {
    const length = view.getUint16(at, HOST_IS_LITTLE_ENDIAN);
    if (length < NLA_HDRLEN || length > payload.length - at) break;
    const attribute = view.getUint16(at + 2, HOST_IS_LITTLE_ENDIAN) & NLA_TYPE_MASK;
    const extent = { start: at + NLA_HDRLEN, end: at + length };
    const errno = violation(payload.subarray(extent.start, extent.end), policy.get(attribute));
    if (errno !== undefined) {
      throw new PolicyError({ attribute, offset: at, length: length - NLA_HDRLEN, errno });
    }
    extents.set(attribute, extent);
    at += nlmsgAlign(length);
  }
  return new RequestAttributes(payload, extents, Math.max(0, payload.length - at));
}

/** Returns the error number for a payload that violates its rule, or `undefined` if it is valid. */
function violation(bytes: Uint8Array, rule: AttributeRule | undefined): number | undefined {
  switch (rule?.kind) {
    case undefined:
      return undefined;
    case "integer":
      return bytes.length < rule.size ? Errno.ERANGE : undefined;
    case "binary":
      return bytes.length > rule.max ? Errno.ERANGE : undefined;
    case "nested":
      return bytes.length > 0 && bytes.length < NLA_HDRLEN ? Errno.ERANGE : undefined;
    case "nulString": {
      // As `validate_nla` does: a NUL within the first max + 1 bytes is required, and a trailing NUL is not counted.
      if (!bytes.subarray(0, rule.max + 1).includes(0)) return Errno.EINVAL;
      const counted = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
      return counted > rule.max ? Errno.ERANGE : undefined;
    }
  }
}
