/**
 * Reading the attributes of a request the way the kernel does for families of before Linux 5.2 (`nla_parse_deprecated`,
 * "liberal" validation, `lib/nlattr.c`): every attribute that the family's policy names is checked, also those that
 * the command has no use for; unknown ones are passed over; integers may be too long; of several with the same
 * number the last counts; behind an attribute whose length cannot be, nothing more is read. Pure; what is read as
 * bytes or text owns its memory.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { Errno } from "../../base/errno.ts";
import { NLA_HDRLEN, NLA_TYPE_MASK, nlmsgAlign } from "./constants.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** What an attribute's payload must be. All lengths are in bytes. */
export type AttributeRule =
  /** An integer of at least so many bytes. */
  | { readonly kind: "integer"; readonly size: 1 | 2 | 4 | 8 }
  /** Any bytes, at most so many. */
  | { readonly kind: "binary"; readonly max: number }
  /** Text with a NUL, at most so many bytes before it. */
  | { readonly kind: "nulString"; readonly max: number }
  /** Attributes, or nothing. */
  | { readonly kind: "nested" };

/** A family's rules, by attribute number. Attributes without a rule may hold anything. */
export type AttributePolicy = ReadonlyMap<number, AttributeRule>;

/** Text of the extended acknowledgement for every attribute that breaks its rule. */
export const POLICY_EXTACK = "Attribute failed policy validation";
/** Text of the extended acknowledgement, also of a success, when bytes behind the attributes made no sense. */
export const LEFTOVER_EXTACK = "bytes leftover after parsing attributes";

/** An attribute of a request breaks the family's policy. */
export class PolicyError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "PolicyError";
  /** Number of the attribute. */
  readonly attribute: number;
  /** Where the attribute starts, in bytes from the start of the payload. */
  readonly offset: number;
  /** Length of what it holds, in bytes. */
  readonly length: number;
  /** Positive error number that the kernel answers with. */
  readonly errno: number;

  /** Tells the facts in words; they stay in the fields. */
  constructor(facts: Pick<PolicyError, "attribute" | "offset" | "length" | "errno">) {
    super(
      `Cannot take attribute ${facts.attribute} at byte ${facts.offset}: ` +
        `its ${facts.length} bytes break the family's policy`,
    );
    this.attribute = facts.attribute;
    this.offset = facts.offset;
    this.length = facts.length;
    this.errno = facts.errno;
  }
}

/** Where an attribute's payload is. */
interface Extent {
  readonly start: number;
  readonly end: number;
}

/** The attributes of a request. Getters of absent attributes return `undefined`. */
export class RequestAttributes {
  readonly #payload: Uint8Array;
  readonly #view: DataView;
  readonly #extents: ReadonlyMap<number, Extent>;
  /** Bytes behind the last attribute that were not read because they cannot be one. */
  readonly leftover: number;

  /** For {@link parseAttributes}. */
  constructor(payload: Uint8Array, extents: ReadonlyMap<number, Extent>, leftover: number) {
    this.#payload = payload;
    this.#view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#extents = extents;
    this.leftover = leftover;
  }

  /** Whether the attribute is there. */
  has(type: number): boolean {
    return this.#extents.has(type);
  }

  /** An 8-bit integer. */
  u8(type: number): number | undefined {
    const start = this.#start(type, 1);
    return start === undefined ? undefined : this.#view.getUint8(start);
  }

  /** A 16-bit integer in host order. */
  u16(type: number): number | undefined {
    const start = this.#start(type, 2);
    return start === undefined ? undefined : this.#view.getUint16(start, HOST_IS_LITTLE_ENDIAN);
  }

  /** A 32-bit integer in host order. */
  u32(type: number): number | undefined {
    const start = this.#start(type, 4);
    return start === undefined ? undefined : this.#view.getUint32(start, HOST_IS_LITTLE_ENDIAN);
  }

  /** A 64-bit integer in host order. */
  u64(type: number): bigint | undefined {
    const start = this.#start(type, 8);
    return start === undefined ? undefined : this.#view.getBigUint64(start, HOST_IS_LITTLE_ENDIAN);
  }

  /** A copy of the payload. */
  bytes(type: number): Uint8Array | undefined {
    const extent = this.#extents.get(type);
    return extent === undefined ? undefined : this.#payload.slice(extent.start, extent.end);
  }

  /** Text up to the first NUL, as UTF-8 (bytes that are not become U+FFFD). */
  string(type: number): string | undefined {
    const bytes = this.bytes(type);
    if (bytes === undefined) return undefined;
    const nul = bytes.indexOf(0);
    return utf8.decode(nul < 0 ? bytes : bytes.subarray(0, nul));
  }

  /** A payload too short for a getter counts as absent; a policy that asks for less than it is used as is a bug. */
  #start(type: number, size: number): number | undefined {
    const extent = this.#extents.get(type);
    return extent === undefined || extent.end - extent.start < size ? undefined : extent.start;
  }
}

/**
 * The attributes in `payload` from byte `start` on.
 *
 * @throws {PolicyError} for the first attribute that breaks its rule
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

/** The error number for a payload that breaks the rule; `undefined` for one that keeps it. */
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
      // A NUL must be near enough; one at the very end is then not counted as part of the text.
      if (!bytes.subarray(0, rule.max + 1).includes(0)) return Errno.EINVAL;
      const counted = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
      return counted > rule.max ? Errno.ERANGE : undefined;
    }
  }
}
