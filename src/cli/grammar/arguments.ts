/**
 * What the words of a command line say, before anything is checked against the system.
 *
 * @module
 */

import type { L2Spec, Pseudowire } from "../../model/session.ts";
import type { DesiredPpp } from "../../model/ppp/settings.ts";
import type { Encap } from "../../model/tunnel.ts";

/** An address as the user gave it. */
export interface AddressArgument {
  /** What was typed. */
  readonly text: string;
  /** What it is: a literal address, `any`, or a name that must be looked up. */
  readonly type: "address" | "any" | "host";
  /** The address in canonical text; `""` unless it is a literal. */
  readonly address: string;
  /** Name of the interface behind `%`, for link-local addresses. */
  readonly scope: string | undefined;
}

/** An address with a prefix length. */
export interface PrefixArgument {
  /** The address in canonical text. */
  readonly address: string;
  /** Bits of the prefix. */
  readonly prefixLength: number;
}

/**
 * All keywords of a line; those not given are `undefined`. As with `ip`, every keyword is taken with every verb, the
 * last of several wins, and an id or port of 0 counts as not given.
 */
export interface Arguments {
  tunnel?: boolean | undefined;
  session?: boolean | undefined;
  tunnelId?: number | undefined;
  peerTunnelId?: number | undefined;
  sessionId?: number | undefined;
  peerSessionId?: number | undefined;
  encap?: Encap | undefined;
  version?: 2 | 3 | undefined;
  local?: AddressArgument | undefined;
  remote?: AddressArgument | undefined;
  localPort?: number | undefined;
  peerPort?: number | undefined;
  udpChecksum?: boolean | undefined;
  checksumTx?: boolean | undefined;
  checksumRx?: boolean | undefined;
  name?: string | undefined;
  cookie?: Uint8Array | undefined;
  peerCookie?: Uint8Array | undefined;
  l2spec?: L2Spec | undefined;
  sendSeq?: boolean | undefined;
  recvSeq?: boolean | undefined;
  reorderTimeoutMs?: number | undefined;
  lnsMode?: boolean | undefined;
  pseudowire?: Pseudowire | undefined;
  up?: boolean | undefined;
  mtu?: number | undefined;
  master?: string | undefined;
  addresses?: PrefixArgument[] | undefined;
  netns?: string | undefined;
  /** There once the word `ppp` is: from there on the line is about PPP. */
  ppp?: DesiredPpp | undefined;
  /** File of arguments for pppd, which is to have the session. */
  pppdFile?: string | undefined;
}
