/**
 * Errors that several rooms throw or catch. Each carries its facts in fields: no code branches on a message.
 *
 * @module
 */

import { errnoName, errnoText } from "./errno.ts";

/** Facts about bytes that could not be decoded. */
export interface DecodeErrorFacts {
  /** Name of the field in its specification or header file (`"nlmsghdr"`, `"L2TP_ATTR_CONN_ID"`). */
  readonly field: string;
  /** Offset of the field in the decoded buffer, in bytes. */
  readonly offset: number;
  /** Minimum number of bytes that the field needs. */
  readonly needed: number;
  /** Number of bytes available. */
  readonly had: number;
}

/** Input is malformed. Decoders throw no other error. */
export class DecodeError extends Error implements DecodeErrorFacts {
  /** Name of the class, also after minification. */
  override readonly name = "DecodeError";
  readonly field: string;
  readonly offset: number;
  readonly needed: number;
  readonly had: number;

  /** Builds the message from the facts and keeps them in the fields. */
  constructor(facts: DecodeErrorFacts, reason?: string) {
    super(
      `Cannot decode ${facts.field} at byte ${facts.offset}: ` +
        (reason ?? `it needs ${facts.needed} bytes, ${facts.had} are available`),
    );
    this.field = facts.field;
    this.offset = facts.offset;
    this.needed = facts.needed;
    this.had = facts.had;
  }
}

/** A system call failed. Netlink requests that the kernel refuses throw {@link NetlinkError} instead. */
export class SyscallError extends Error {
  /** Name of the class, also after minification. */
  override readonly name = "SyscallError";
  /** The call in C syntax, with arguments where they help: `open("/run/netns/a")`. */
  readonly call: string;
  /** Positive error number. */
  readonly errno: number;
  /** Name of the error number, such as `"EPERM"`. */
  readonly code: string;

  /** Builds the message from the facts and keeps them in the fields. */
  constructor(call: string, errno: number) {
    super(`${call} failed: ${errnoText(errno)} (${errnoName(errno)})`);
    this.call = call;
    this.errno = errno;
    this.code = errnoName(errno);
  }
}

/** Facts of a netlink request that was refused. */
export interface NetlinkErrorFacts {
  /** Kernel name of the command, such as `"L2TP_CMD_TUNNEL_CREATE"`. */
  readonly operation: string;
  /** Positive error number. */
  readonly errno: number;
  /** Text of the extended acknowledgement (NLMSGERR_ATTR_MSG), if any. */
  readonly extack?: string | undefined;
  /** Offset of the offending attribute in the request, in bytes (NLMSGERR_ATTR_OFFS), if any. */
  readonly attributeOffset?: number | undefined;
}

/** The kernel refused a netlink request. */
export class NetlinkError extends Error implements NetlinkErrorFacts {
  /** Name of the class, also after minification. */
  override readonly name = "NetlinkError";
  readonly operation: string;
  readonly errno: number;
  /** Name of the error number, such as `"EEXIST"`. */
  readonly code: string;
  readonly extack?: string | undefined;
  readonly attributeOffset?: number | undefined;

  /** Builds the message from the facts and keeps them in the fields. */
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

/** The kernel has no generic netlink family of this name: its module is missing or could not be loaded. */
export class FamilyMissingError extends Error {
  /** Name of the class, also after minification. */
  override readonly name = "FamilyMissingError";
  /** Name of the family, such as `"l2tp"`. */
  readonly family: string;

  /** Builds the message from the facts and keeps them in the fields. */
  constructor(family: string) {
    super(
      `Kernel has no generic netlink family "${family}": its module is not loaded and could not be loaded`,
    );
    this.family = family;
  }
}

/** A netlink reply violates the protocol: it answers another request, or a dump is incomplete. */
export class NetlinkProtocolError extends Error {
  /** Name of the class, also after minification. */
  override readonly name = "NetlinkProtocolError";
  /** Kernel name of the command that was sent. */
  readonly operation: string;

  /** Builds the message from the facts and keeps them in the fields. */
  constructor(operation: string, reason: string) {
    super(`Invalid reply to ${operation}: ${reason}`);
    this.operation = operation;
  }
}
