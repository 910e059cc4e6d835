/**
 * What a link is made with: the settings, and the ports to what is outside.
 *
 * @module
 */

import { parseHex } from "../../base/hex.ts";
import { parseIpv4 } from "../../base/ip_address.ts";
import type { AuthMethod } from "../../model/ppp/status.ts";
import { DEFAULT_MRU } from "../../wire/ppp/constants.ts";

/** The algorithms that PPP's authentication uses. All are synchronous; results are new arrays. */
export interface PppCrypto {
  /** MD5 (RFC 1321): 16 bytes. */
  md5(data: Uint8Array): Uint8Array;
  /** SHA-1: 20 bytes. */
  sha1(data: Uint8Array): Uint8Array;
  /** MD4 (RFC 1320): 16 bytes. */
  md4(data: Uint8Array): Uint8Array;
  /** One block of 8 bytes, encrypted by DES with a key of 8 bytes, whose lowest bits (parity) do not count. */
  des(key: Uint8Array, block: Uint8Array): Uint8Array;
}

/** Hands out addresses for peers. */
export interface AddressPool {
  /** An address for that peer (`undefined`: it has no name), as a dotted quad; `undefined` if none is left. */
  lease(peerName: string | undefined): string | undefined;
  /** Takes back an address that is no longer used. */
  release(address: string): void;
}

/** Settings of IPv4. */
export interface PppIpv4Options {
  /** Our address; the peer is asked for one unless given. */
  readonly local?: string | undefined;
  /** The peer's address, or a pool to take it from; unless given the peer says which it has. */
  readonly peer?: string | AddressPool | undefined;
  /** Name servers for the peer: primary and secondary. */
  readonly dns?: readonly string[] | undefined;
  /** NetBIOS name servers for the peer: primary and secondary. */
  readonly nbns?: readonly string[] | undefined;
  /** Whether to ask the peer for name servers. No unless given. */
  readonly askDns?: boolean | undefined;
  /** Whether to ask the peer for NetBIOS name servers. No unless given. */
  readonly askNbns?: boolean | undefined;
}

/** Settings of IPv6. */
export interface PppIpv6Options {
  /** Our interface identifier, 16 hex digits, not all zero; by chance unless given. */
  readonly localId?: string | undefined;
  /** What to suggest to a peer that has no identifier, or ours; by chance unless given. */
  readonly peerId?: string | undefined;
}

/** What the LAC tells of the authentication it has begun (RFC 2661 section 4.4.5). */
export interface ProxyAuth {
  /** Proxy Authen Type: 1 to 5. */
  readonly type: number;
  /** Proxy Authen Name. */
  readonly name?: Uint8Array | undefined;
  /** Proxy Authen Challenge. */
  readonly challenge?: Uint8Array | undefined;
  /** Proxy Authen ID: its low byte. */
  readonly identifier?: number | undefined;
  /** Proxy Authen Response. */
  readonly response?: Uint8Array | undefined;
}

/**
 * What the LAC tells of the negotiation it had with the peer (RFC 2661 section 4.4.5): options of Configure-Requests,
 * without header. Nothing follows from the first Configure-Request it received, so that one is not asked for.
 */
export interface ProxyLcp {
  /** Last Sent LCP CONFREQ: what the LAC asked for in our place. */
  readonly lastSent: Uint8Array;
  /** Last Received LCP CONFREQ: what the peer asked for. */
  readonly lastReceived: Uint8Array;
  /** The authentication. Leave it out to have the peer authenticate itself to us, whatever the LAC says. */
  readonly auth?: ProxyAuth | undefined;
}

/** Settings of a link. One object may serve many links. */
export interface PppOptions {
  /** The algorithms of authentication. */
  readonly crypto: PppCrypto;
  /** A new array of that many bytes nobody can guess. */
  readonly random: (count: number) => Uint8Array;

  /** Longest payload that we receive, 128 to 65535. 1500 unless given. */
  readonly mru?: number | undefined;
  /** Whether to use Magic-Numbers and find looped links. Yes unless given. */
  readonly magic?: boolean | undefined;
  /** Whether to allow the peer Protocol-Field-Compression. No unless given; that of the peer is always agreed to. */
  readonly pfc?: boolean | undefined;
  /** Whether to allow the peer Address-and-Control-Field-Compression; likewise. */
  readonly acfc?: boolean | undefined;
  /** Text that tells the peer what we are (RFC 1570 section 1.1), at most 100 bytes; not sent unless given. */
  readonly identification?: string | undefined;

  /**
   * How the peer must authenticate itself: any of these, the first preferred. With `"none"` among them it need not, if
   * it will not. Unless given nothing is required.
   */
  readonly require?: readonly (AuthMethod | "none")[] | undefined;
  /** Ways in which we do not authenticate ourselves. */
  readonly refuse?: readonly AuthMethod[] | undefined;
  /** Our name, at most 255 bytes in UTF-8. */
  readonly name?: string | undefined;
  /** Our secret, at most 255 bytes in UTF-8; without it we do not authenticate ourselves. */
  readonly secret?: string | undefined;
  /** The secret of a peer of that name; `undefined`, or none at all, if there is no such peer. */
  readonly peerSecret?: ((name: string) => string | undefined) | undefined;
  /** After how long the peer must authenticate itself again (all ways but PAP), in milliseconds; 0, never, unless given. */
  readonly rechallengeMs?: number | undefined;

  /** Settings of IPv4; `false` turns it off. On unless given. */
  readonly ipv4?: PppIpv4Options | false | undefined;
  /** Settings of IPv6; `false` turns it off. On unless given. */
  readonly ipv6?: PppIpv6Options | false | undefined;

  /** How often to send Echo-Requests, in milliseconds; 0, never, unless given. */
  readonly echoIntervalMs?: number | undefined;
  /** Echo-Requests without reply in a row that end the link; 0: none do. 5 unless given. */
  readonly echoFailures?: number | undefined;

  /** Restart timer (RFC 1661 section 4.6), in milliseconds. 3000 unless given. */
  readonly restartMs?: number | undefined;
  /** Max-Configure: requests that are sent before giving up. 10 unless given. */
  readonly maxConfigure?: number | undefined;
  /** Max-Terminate: Terminate-Requests that are sent before giving up. 2 unless given. */
  readonly maxTerminate?: number | undefined;
  /** Max-Failure: Configure-Naks that are sent before the options are rejected. 5 unless given. */
  readonly maxFailure?: number | undefined;
  /** How long LCP, authentication, and the first network protocol may each take, in milliseconds. 60,000 unless given. */
  readonly phaseLimitMs?: number | undefined;
}

/** The settings with nothing left out that has a value. */
export interface PppSettings extends PppOptions {
  /** The only one that may be changed on the way. */
  secret?: string | undefined;
  readonly mru: number;
  readonly magic: boolean;
  readonly require: readonly (AuthMethod | "none")[];
  readonly refuse: readonly AuthMethod[];
  readonly rechallengeMs: number;
  readonly ipv4: PppIpv4Options | false;
  readonly ipv6: PppIpv6Options | false;
  readonly echoIntervalMs: number;
  readonly echoFailures: number;
  readonly restartMs: number;
  readonly maxConfigure: number;
  readonly maxTerminate: number;
  readonly maxFailure: number;
  readonly phaseLimitMs: number;
}

/** The shortest Maximum-Receive-Unit that is taken from a peer, or set here: room for every control packet. */
export const MIN_MRU = 128;

const MAX_TEXT_BYTES = { name: 255, secret: 255, identification: 100 } as const;

/**
 * The settings, with what was left out.
 *
 * @throws {RangeError} if one is out of range or no address
 */
export function withDefaults(options: PppOptions): PppSettings {
  const settings: PppSettings = {
    ...options,
    mru: options.mru ?? DEFAULT_MRU,
    magic: options.magic ?? true,
    require: options.require ?? [],
    refuse: options.refuse ?? [],
    rechallengeMs: options.rechallengeMs ?? 0,
    ipv4: options.ipv4 ?? {},
    ipv6: options.ipv6 ?? {},
    echoIntervalMs: options.echoIntervalMs ?? 0,
    echoFailures: options.echoFailures ?? 5,
    restartMs: options.restartMs ?? 3000,
    maxConfigure: options.maxConfigure ?? 10,
    maxTerminate: options.maxTerminate ?? 2,
    maxFailure: options.maxFailure ?? 5,
    phaseLimitMs: options.phaseLimitMs ?? 60_000,
  };
  const ranges = [
    ["mru", MIN_MRU, 0xffff],
    ["rechallengeMs", 0, Infinity],
    ["echoIntervalMs", 0, Infinity],
    ["echoFailures", 0, Infinity],
    ["restartMs", 1, Infinity],
    ["maxConfigure", 1, Infinity],
    ["maxTerminate", 1, Infinity],
    ["maxFailure", 1, Infinity],
    ["phaseLimitMs", 1, Infinity],
  ] as const;
  for (const [key, least, most] of ranges) {
    const value = settings[key];
    if (!(value >= least && value <= most)) throw new RangeError(`Setting ${key} is out of range: ${value}`);
  }
  for (const key of ["name", "secret", "identification"] as const) {
    checkText(key, settings[key]);
  }
  checkIpv4(settings.ipv4);
  checkIpv6(settings.ipv6);
  return settings;
}

/**
 * Holds a text against the longest that a packet has room for. Its value may be a secret, and is not told.
 *
 * @throws {RangeError} if it is longer
 */
export function checkText(key: keyof typeof MAX_TEXT_BYTES, text: string | undefined): void {
  const most = MAX_TEXT_BYTES[key];
  if (new TextEncoder().encode(text).length > most) {
    throw new RangeError(`Setting ${key} has more than ${most} bytes`);
  }
}

function checkIpv4(ipv4: PppIpv4Options | false): void {
  if (ipv4 === false) return;
  const { local, peer, dns = [], nbns = [] } = ipv4;
  for (const address of [local, peer, ...dns, ...nbns]) {
    if (typeof address === "string" && parseIpv4(address) === undefined) {
      throw new RangeError(`Setting of IPv4 is no address: "${address}"`);
    }
  }
  if (dns.length > 2 || nbns.length > 2) throw new RangeError("PPP tells two name servers at most");
}

function checkIpv6(ipv6: PppIpv6Options | false): void {
  if (ipv6 === false) return;
  for (const id of [ipv6.localId, ipv6.peerId]) {
    if (id !== undefined && (parseHex(id)?.length !== 8 || /^0+$/.test(id))) {
      throw new RangeError(`Interface identifier "${id}" is not 16 hex digits, or zero`);
    }
  }
}
