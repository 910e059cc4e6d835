/**
 * Settings of a link, and the interfaces that a link gets from its caller: algorithms, random bytes, address pool.
 *
 * @module
 */

import { parseHex } from "../../base/hex.ts";
import { parseIpv4 } from "../../base/ip_address.ts";
import type { AuthMethod } from "../../model/ppp/status.ts";
import { DEFAULT_MRU } from "../../wire/ppp/constants.ts";

/** The algorithms of PPP authentication. All are synchronous and return new arrays. */
export interface PppCrypto {
  /** Computes MD5 (RFC 1321): 16 bytes. */
  md5(data: Uint8Array): Uint8Array;
  /** Computes SHA-1 (FIPS 180): 20 bytes. */
  sha1(data: Uint8Array): Uint8Array;
  /** Computes MD4 (RFC 1320): 16 bytes. */
  md4(data: Uint8Array): Uint8Array;
  /** Encrypts one block of 8 bytes by DES. The key has 8 bytes, whose lowest bits (parity) are ignored. */
  des(key: Uint8Array, block: Uint8Array): Uint8Array;
}

/** A pool of IPv4 addresses for peers. */
export interface AddressPool {
  /**
   * Leases an address to a peer. `peerName` is `undefined` if the peer was not authenticated. Returns a dotted quad, or
   * `undefined` if the pool is exhausted.
   */
  lease(peerName: string | undefined): string | undefined;
  /** Returns a leased address to the pool. */
  release(address: string): void;
}

/** Settings of IPCP. */
export interface PppIpv4Options {
  /** Our address. Default: request one from the peer. */
  readonly local?: string | undefined;
  /** The peer's address, or the pool that supplies it. Default: accept the address that the peer requests. */
  readonly peer?: string | AddressPool | undefined;
  /** DNS servers to offer the peer: primary and secondary. */
  readonly dns?: readonly string[] | undefined;
  /** NetBIOS name servers to offer the peer: primary and secondary. */
  readonly nbns?: readonly string[] | undefined;
  /** Request DNS servers from the peer. Default: false. */
  readonly askDns?: boolean | undefined;
  /** Request NetBIOS name servers from the peer. Default: false. */
  readonly askNbns?: boolean | undefined;
}

/** Settings of IPV6CP. */
export interface PppIpv6Options {
  /** Our interface identifier: 16 hex digits, not all zero. Default: random. */
  readonly localId?: string | undefined;
  /** Identifier to suggest to a peer that sends none, or one equal to ours. Default: random. */
  readonly peerId?: string | undefined;
}

/** Proxy authentication AVPs of a LAC (RFC 2661 section 4.4.5). */
export interface ProxyAuth {
  /** Proxy Authen Type: 1 to 5. */
  readonly type: number;
  /** Proxy Authen Name. */
  readonly name?: Uint8Array | undefined;
  /** Proxy Authen Challenge. */
  readonly challenge?: Uint8Array | undefined;
  /** Proxy Authen ID. Only the low byte counts. */
  readonly identifier?: number | undefined;
  /** Proxy Authen Response. */
  readonly response?: Uint8Array | undefined;
}

/**
 * Proxy LCP AVPs of a LAC (RFC 2661 section 4.4.5): the options of Configure-Requests, without packet header. The AVP
 * Initial Received LCP CONFREQ has no effect on the agreed options and is therefore absent.
 */
export interface ProxyLcp {
  /** Last Sent LCP CONFREQ: the options that the LAC requested in our place. */
  readonly lastSent: Uint8Array;
  /** Last Received LCP CONFREQ: the options that the peer requested. */
  readonly lastReceived: Uint8Array;
  /** Proxy authentication. Without it the peer must authenticate to us again. */
  readonly auth?: ProxyAuth | undefined;
}

/** Settings of a link. Several links may share one object. */
export interface PppOptions {
  /** Algorithms of PPP authentication. */
  readonly crypto: PppCrypto;
  /** Returns a new array of `count` cryptographically secure random bytes. */
  readonly random: (count: number) => Uint8Array;

  /** Our Maximum-Receive-Unit, in bytes: 128 to 65535. Default: 1500. */
  readonly mru?: number | undefined;
  /** Negotiate a Magic-Number and detect looped-back links. Default: true. */
  readonly magic?: boolean | undefined;
  /** Request Protocol-Field-Compression. Default: false. A request of the peer is always acknowledged. */
  readonly pfc?: boolean | undefined;
  /** Request Address-and-Control-Field-Compression. Default: false. A request of the peer is always acknowledged. */
  readonly acfc?: boolean | undefined;
  /** Text of our Identification packet (RFC 1570 section 1.1), at most 100 bytes in UTF-8. Default: none is sent. */
  readonly identification?: string | undefined;

  /**
   * Protocols by which the peer may authenticate to us, most preferred first. With `"none"` in the list, a peer that
   * refuses all of them is accepted without authentication. Default: no authentication is required.
   */
  readonly require?: readonly (AuthMethod | "none")[] | undefined;
  /** Protocols by which we never authenticate to the peer. Default: none. */
  readonly refuse?: readonly AuthMethod[] | undefined;
  /** Our name in PAP and CHAP, at most 255 bytes in UTF-8. */
  readonly name?: string | undefined;
  /** Our secret, at most 255 bytes in UTF-8. Without name and secret we reject every Authentication-Protocol. */
  readonly secret?: string | undefined;
  /** Looks up the secret of a peer. Returns `undefined` for an unknown name; an empty secret counts as none. */
  readonly peerSecret?: ((name: string) => string | undefined) | undefined;
  /** Interval of CHAP rechallenges, in milliseconds; 0 means never. PAP cannot repeat authentication. Default: 0. */
  readonly rechallengeMs?: number | undefined;

  /** Settings of IPCP; `false` disables IPv4. Default: enabled. */
  readonly ipv4?: PppIpv4Options | false | undefined;
  /** Settings of IPV6CP; `false` disables IPv6. Default: enabled. */
  readonly ipv6?: PppIpv6Options | false | undefined;

  /** Interval of Echo-Requests, in milliseconds; 0 means never. Default: 0. */
  readonly echoIntervalMs?: number | undefined;
  /** Consecutive unanswered Echo-Requests that end the link; 0 means no limit. Default: 5. */
  readonly echoFailures?: number | undefined;

  /** Restart timer (RFC 1661 section 4.6), in milliseconds. Default: 3000. */
  readonly restartMs?: number | undefined;
  /** Max-Configure: unanswered requests before the negotiation times out. Default: 10. */
  readonly maxConfigure?: number | undefined;
  /** Max-Terminate: unanswered Terminate-Requests before the link counts as terminated. Default: 2. */
  readonly maxTerminate?: number | undefined;
  /** Max-Failure: Configure-Naks before unacceptable options get a Configure-Reject. Default: 5. */
  readonly maxFailure?: number | undefined;
  /** Time limit for each of LCP, authentication and the first network protocol, in milliseconds. Default: 60,000. */
  readonly phaseLimitMs?: number | undefined;
}

/** Settings of a link after {@link withDefaults}. */
export interface PppSettings extends PppOptions {
  /** The only setting that changes during the life of a link. */
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

/** Smallest Maximum-Receive-Unit, in bytes, of a peer or of our settings. Every control packet fits it. */
export const MIN_MRU = 128;

const MAX_TEXT_BYTES = { name: 255, secret: 255, identification: 100 } as const;

/**
 * Validates settings and fills in defaults.
 *
 * @throws {RangeError} if a setting is out of range or an address is invalid
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
 * Checks that a text setting fits its packet field. The error does not quote the text, which may be a secret.
 *
 * @throws {RangeError} if the text is too long
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
      throw new RangeError(`Setting of IPv4 is not an address: "${address}"`);
    }
  }
  if (dns.length > 2 || nbns.length > 2) {
    throw new RangeError("PPP carries at most two name servers of a kind");
  }
}

function checkIpv6(ipv6: PppIpv6Options | false): void {
  if (ipv6 === false) return;
  for (const id of [ipv6.localId, ipv6.peerId]) {
    if (id !== undefined && (parseHex(id)?.length !== 8 || /^0+$/.test(id))) {
      throw new RangeError(`Interface identifier "${id}" is zero or not 16 hex digits`);
    }
  }
}
