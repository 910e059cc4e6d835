/**
 * The errors that cross room borders. Each carries its facts in fields; nothing in this program branches on a
 * message. Pure.
 *
 * @module
 */

import { errnoName, errnoText } from "./errno.ts";

/** Facts about bytes that could not be decoded. */
export interface DecodeErrorFacts {
  /** What was being read, in the words of its source (`"nlmsghdr"`, `"L2TP_ATTR_CONN_ID"`). */
  readonly field: string;
  /** Offset of the field from the start of the buffer being decoded, in bytes. */
  readonly offset: number;
  /** Bytes the field needs at least. */
  readonly needed: number;
  /** Bytes that were there. */
  readonly had: number;
}

/** Bytes from outside do not have the shape they must have. The only error that a decoder throws. */
export class DecodeError extends Error implements DecodeErrorFacts {
  /** Name of the class, which survives minification. */
  override readonly name = "DecodeError";
  readonly field: string;
  readonly offset: number;
  readonly needed: number;
  readonly had: number;

  /** Tells the facts in words; they stay in the fields. */
  constructor(facts: DecodeErrorFacts, reason?: string) {
    super(
      `Cannot decode ${facts.field} at byte ${facts.offset}: ` +
        (reason ?? `it needs ${facts.needed} bytes, ${facts.had} are there`),
    );
    this.field = facts.field;
    this.offset = facts.offset;
    this.needed = facts.needed;
    this.had = facts.had;
  }
}

/** A system call failed. A kernel's refusal of a netlink request is a {@link NetlinkError} instead. */
export class SyscallError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "SyscallError";
  /** The call, in C's words, with what it was about where that helps: `open("/run/netns/a")`. */
  readonly call: string;
  /** Positive error number. */
  readonly errno: number;
  /** Name of the error number: `"EPERM"`. */
  readonly code: string;

  /** Tells the facts in words; they stay in the fields. */
  constructor(call: string, errno: number) {
    super(`${call} failed: ${errnoText(errno)} (${errnoName(errno)})`);
    this.call = call;
    this.errno = errno;
    this.code = errnoName(errno);
  }
}

/** What the kernel said when it refused a netlink request. */
export interface NetlinkErrorFacts {
  /** The command, by its kernel name: `"L2TP_CMD_TUNNEL_CREATE"`. */
  readonly operation: string;
  /** Positive error number. */
  readonly errno: number;
  /** The extended-ack text (NLMSGERR_ATTR_MSG), if the kernel gave one. */
  readonly extack?: string | undefined;
  /** Offset in the request of the attribute that is wrong (NLMSGERR_ATTR_OFFS), if the kernel gave one. */
  readonly attributeOffset?: number | undefined;
}

/** The kernel refused a netlink request. */
export class NetlinkError extends Error implements NetlinkErrorFacts {
  /** Name of the class, which survives minification. */
  override readonly name = "NetlinkError";
  readonly operation: string;
  readonly errno: number;
  /** Name of the error number: `"EEXIST"`. */
  readonly code: string;
  readonly extack?: string | undefined;
  readonly attributeOffset?: number | undefined;

  /** Tells the facts in words; they stay in the fields. */
  constructor(facts: NetlinkErrorFacts) {
    super(
      `Kernel refused ${facts.operation}: ${errnoText(facts.errno)} (${errnoName(facts.errno)})` +
        (facts.extack === undefined ? "" : `: ${facts.extack}`),
    );
    this.operation = facts.operation;
    this.errno = facts.errno;
    this.code = errnoName(facts.errno);
    this.extack = facts.extack;
    this.attributeOffset = facts.attributeOffset;
  }
}

/** The kernel offers no generic-netlink family of that name: its module is missing or was not allowed to load. */
export class FamilyMissingError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "FamilyMissingError";
  /** Name of the family: `"l2tp"`. */
  readonly family: string;

  /** Tells the facts in words; they stay in the fields. */
  constructor(family: string) {
    super(
      `Kernel has no generic-netlink family "${family}": its module is not loaded and could not be loaded`,
    );
    this.family = family;
  }
}

/** The peer of a netlink socket broke the protocol: an answer to another request, an unfinished dump. */
export class NetlinkProtocolError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "NetlinkProtocolError";
  /** The command that was being answered. */
  readonly operation: string;

  /** Tells the facts in words; they stay in the fields. */
  constructor(operation: string, reason: string) {
    super(`Bad answer to ${operation}: ${reason}`);
    this.operation = operation;
  }
}
