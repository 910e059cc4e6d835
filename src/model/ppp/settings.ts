/**
 * Settings of PPP sessions: as the user writes them, and as the daemon runs them.
 *
 * @module
 */

import type { AuthMethod } from "./status.ts";

/** A name with its secret, of this host or of a peer. */
export interface PppSecret {
  /** Name that the secret belongs to. */
  readonly name: string;
  /** The secret; it must never be printed. */
  readonly secret: string;
}

/** IPv4 on a PPP session. */
export interface PppIpv4Settings {
  /** Our address in text; requested from the peer unless given. */
  readonly local?: string | undefined;
  /** The peer's address in text; the peer chooses it unless given. */
  readonly remote?: string | undefined;
  /** Instead of `remote`: first and last address of a pool for the peer. */
  readonly pool?: readonly [first: string, last: string] | undefined;
  /** Name servers for the peer, two at most. */
  readonly dns?: readonly string[] | undefined;
  /** Whether to ask the peer for name servers. */
  readonly askDns?: boolean | undefined;
  /** Whether the default route goes through this session. */
  readonly defaultRoute?: boolean | undefined;
}

/** Origin of secrets. */
export interface PppSecretsSource {
  /** Absolute path of the file. */
  readonly file: string;
  /**
   * Stamp of the file's state when it was read; it changes with the file, and reveals nothing of the content.
   */
  readonly stamp: string;
}

/**
 * PPP on a session as the user asks for it on the command line or in the configuration file. Absent members
 * have their defaults.
 */
export interface DesiredPpp {
  user?: string | undefined;
  /** Path of a file of names and secrets. */
  secretFile?: string | undefined;
  require?: readonly (AuthMethod | "none")[] | undefined;
  local?: string | undefined;
  remote?: string | undefined;
  pool?: readonly [first: string, last: string] | undefined;
  dns?: readonly string[] | undefined;
  askDns?: boolean | undefined;
  mtu?: number | undefined;
  mru?: number | undefined;
  defaultRoute?: boolean | undefined;
  ipv4?: boolean | undefined;
  ipv6?: boolean | undefined;
  clampMss?: boolean | undefined;
  echoIntervalMs?: number | undefined;
  echoFailures?: number | undefined;
}

/** Settings that the daemon runs a PPP session with. */
export interface PppSessionSettings {
  /** Name for the interface; `ppp` and the lowest free number unless given. */
  readonly interfaceName?: string | undefined;
  /** Our name towards the peer. */
  readonly user?: string | undefined;
  /** Our secret, under the name `user`, and those of peers. */
  readonly secrets?: readonly PppSecret[] | undefined;
  /** The file that the secrets came from. */
  readonly secretsFrom?: PppSecretsSource | undefined;
  /** Methods by which the peer must authenticate itself, by preference; nothing is required unless given. */
  readonly require?: readonly (AuthMethod | "none")[] | undefined;
  /** IPv4; `false` turns it off. */
  readonly ipv4?: PppIpv4Settings | false | undefined;
  /** Whether IPv6 is on; it is unless given. */
  readonly ipv6?: boolean | undefined;
  /** Limit of the packets that the interface sends, in bytes, if the peer accepts larger ones. */
  readonly mtu?: number | undefined;
  /** Largest packet that we receive, in bytes. */
  readonly mru?: number | undefined;
  /** Whether to clamp the MSS of TCP connections to the MTU (userspace sessions only). */
  readonly clampMss?: boolean | undefined;
  /** Interval of LCP Echo-Requests, in milliseconds; 0 for none. */
  readonly echoIntervalMs?: number | undefined;
  /** Count of consecutive Echo-Requests without a reply that ends the link. */
  readonly echoFailures?: number | undefined;
  /**
   * Absolute path of a file with arguments for pppd, which then runs the session. All other members but
   * `interfaceName` are ignored. Kernel sessions only.
   */
  readonly pppdFile?: string | undefined;
}
