/**
 * How a PPP session is to be run: what the command line asks for and the daemon does.
 *
 * @module
 */

import type { AuthMethod } from "./status.ts";

/** A name with its secret: ours towards a peer, or a peer's towards us. */
export interface PppSecret {
  /** Whose. */
  readonly name: string;
  /** Never to be shown. */
  readonly secret: string;
}

/** IPv4 on a PPP session. */
export interface PppIpv4Settings {
  /** Our address in text; the peer is asked for one unless given. */
  readonly local?: string | undefined;
  /** The peer's address in text; the peer says it unless given. */
  readonly remote?: string | undefined;
  /** Instead of `remote`: first and last address to choose one for the peer from. */
  readonly pool?: readonly [first: string, last: string] | undefined;
  /** Name servers for the peer, two at most. */
  readonly dns?: readonly string[] | undefined;
  /** Whether to ask the peer for name servers. */
  readonly askDns?: boolean | undefined;
  /** Whether the route to everywhere is through this session. */
  readonly defaultRoute?: boolean | undefined;
}

/** Where secrets came from. */
export interface PppSecretsSource {
  /** Absolute path of the file. */
  readonly file: string;
  /** Tells what the file was when it was read from what it is later, and nothing of what is in it. */
  readonly stamp: string;
}

/**
 * What people say of PPP on a session, on the command line and in the configuration file; what is left out has its
 * default.
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

/** How to run a PPP session. */
export interface PppSessionSettings {
  /** Name for the interface; `ppp` and the lowest free number unless given. */
  readonly interfaceName?: string | undefined;
  /** Our name towards the peer. */
  readonly user?: string | undefined;
  /** Our secret, under the name `user`, and those of peers. */
  readonly secrets?: readonly PppSecret[] | undefined;
  /** The file that they came from. */
  readonly secretsFrom?: PppSecretsSource | undefined;
  /** How the peer must authenticate itself, the first preferred; nothing is required unless given. */
  readonly require?: readonly (AuthMethod | "none")[] | undefined;
  /** IPv4; `false` turns it off. */
  readonly ipv4?: PppIpv4Settings | false | undefined;
  /** Whether IPv6 is on; it is unless given. */
  readonly ipv6?: boolean | undefined;
  /** Largest packet that the interface sends, in bytes, where the peer takes larger ones. */
  readonly mtu?: number | undefined;
  /** Largest packet that we receive, in bytes. */
  readonly mru?: number | undefined;
  /** Whether to lower the MSS of TCP connections to what fits, in userspace. */
  readonly clampMss?: boolean | undefined;
  /** How often to ask whether the peer is there, in milliseconds; 0: never. */
  readonly echoIntervalMs?: number | undefined;
  /** That many such requests without an answer end the link. */
  readonly echoFailures?: number | undefined;
  /**
   * Absolute path of a file with arguments of pppd, which gets the session instead: but for `interfaceName` nothing else
   * counts then. The kernel's sessions only.
   */
  readonly pppdFile?: string | undefined;
}
