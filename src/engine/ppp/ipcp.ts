/**
 * IPCP: IPv4 addresses and name servers (RFC 1332, RFC 1877). Header compression (IP-Compression-Protocol) and the
 * obsolete option IP-Addresses are rejected.
 *
 * @module
 */

import { parseIpv4 } from "../../base/ip_address.ts";
import type { PppEnd } from "../../model/ppp/status.ts";
import { IPCP_OPTION, PPP_PROTOCOL } from "../../wire/ppp/constants.ts";
import { ipv4Option, type PppOption, readIpv4 } from "../../wire/ppp/options.ts";
import { ControlProtocol, type OptionVerdict } from "./control_protocol.ts";
import type { LinkPorts } from "./link_ports.ts";
import type { AddressPool, PppIpv4Options } from "./options.ts";

/** The address that requests an address from the peer. */
const UNSPECIFIED = "0.0.0.0";

const DNS = [IPCP_OPTION.PRIMARY_DNS, IPCP_OPTION.SECONDARY_DNS] as const;
const NBNS = [IPCP_OPTION.PRIMARY_NBNS, IPCP_OPTION.SECONDARY_NBNS] as const;

/** The IPCP instance of a link. */
export class Ipcp extends ControlProtocol {
  readonly protocol = PPP_PROTOCOL.IPCP;
  readonly #options: PppIpv4Options;

  /** Addresses that we request, by option type: 0.0.0.0 until the peer has sent one in a Configure-Nak. */
  #requested = new Map<number, string>();
  /** Our address, once configured or received. */
  #local: string | undefined;
  /** The peer's address, if we assign it. */
  #assigned: string | undefined;
  #isLeased = false;
  #peer: string | undefined;
  #isPrompted = false;
  #problem: PppEnd | undefined;

  constructor(ports: LinkPorts, options: PppIpv4Options) {
    super(ports);
    this.#options = options;
  }

  /** Our address; `undefined` until it is known. */
  get local(): string | undefined {
    return this.#local;
  }

  /** The peer's address; `undefined` until it is known. */
  get peer(): string | undefined {
    return this.#peer;
  }

  /** DNS servers from the peer. */
  get dns(): readonly string[] {
    return this.#serversOf(DNS);
  }

  /** NetBIOS name servers from the peer. */
  get nbns(): readonly string[] {
    return this.#serversOf(NBNS);
  }

  /** Local reason for which IPCP could not open; `undefined` if there is none. */
  get problem(): PppEnd | undefined {
    return this.#problem;
  }

  /** Leases the peer's address if a pool is configured. Returns `false` if the pool has no valid address left. */
  lease(peerName: string | undefined): boolean {
    const { peer } = this.#options;
    this.#problem = undefined;
    if (peer === undefined || typeof peer === "string") {
      this.#assigned = peer;
      return true;
    }
    this.#assigned = peer.lease(peerName);
    this.#isLeased = this.#assigned !== undefined;
    if (this.#isLeased && parseIpv4(this.#assigned!) !== undefined) return true;
    this.release();
    this.#problem = { reason: "noAddress", of: "peer" };
    return false;
  }

  /** Returns a leased address to the pool. */
  release(): void {
    if (!this.#isLeased) return;
    this.#isLeased = false;
    // `#isLeased` implies that `peer` is a pool.
    (this.#options.peer as AddressPool).release(this.#assigned!);
    this.#assigned = undefined;
  }

  /** Closes IPCP because we have no address. */
  closeWithoutAddress(): void {
    this.#problem = { reason: "noAddress", of: "local" };
    this.close();
  }

  protected override begin(): void {
    const { local, askDns, askNbns } = this.#options;
    this.#local = local;
    this.#peer = this.#assigned;
    this.#isPrompted = false;
    this.#requested.clear();
    this.#requested.set(IPCP_OPTION.IP_ADDRESS, local ?? UNSPECIFIED);
    if (askDns === true) { for (const type of DNS) this.#requested.set(type, UNSPECIFIED); }
    if (askNbns === true) { for (const type of NBNS) this.#requested.set(type, UNSPECIFIED); }
  }

  protected override request(): PppOption[] {
    return [...this.#requested].map(([type, address]) => ipv4Option(type, address));
  }

  protected override judge(option: PppOption): OptionVerdict {
    if (option.type === IPCP_OPTION.IP_ADDRESS) return this.#judgeAddress(option);
    const given = this.#offeredServer(option.type);
    if (given === undefined) return "reject";
    return readIpv4(option) === given ? "ack" : ipv4Option(option.type, given);
  }

  protected override prompts(given: ReadonlySet<number>): PppOption[] {
    if (this.#assigned === undefined || given.has(IPCP_OPTION.IP_ADDRESS) || this.#isPrompted) return [];
    this.#isPrompted = true;
    return [ipv4Option(IPCP_OPTION.IP_ADDRESS, this.#assigned)];
  }

  protected override adopt(options: readonly PppOption[]): void {
    const option = options.find(({ type }) => type === IPCP_OPTION.IP_ADDRESS);
    this.#peer = option === undefined ? this.#assigned : readIpv4(option);
  }

  protected override suggested(options: readonly PppOption[]): void {
    for (const option of options) {
      const address = readIpv4(option);
      if (address === undefined || !isUnicast(address) || !this.#requested.has(option.type)) continue;
      if (option.type === IPCP_OPTION.IP_ADDRESS) {
        // We insist on a configured address.
        if (this.#options.local !== undefined) continue;
        this.#local = address;
      }
      this.#requested.set(option.type, address);
    }
  }

  protected override rejected(options: readonly PppOption[]): void {
    for (const { type } of options) {
      this.#requested.delete(type);
      // IPCP works without the option if both ends have a configured address.
      if (type === IPCP_OPTION.IP_ADDRESS && this.#local === undefined) this.closeWithoutAddress();
    }
  }

  #judgeAddress(option: PppOption): OptionVerdict {
    const address = readIpv4(option);
    if (this.#assigned !== undefined) {
      return address === this.#assigned ? "ack" : ipv4Option(option.type, this.#assigned);
    }
    // We have no address to assign, or the requested one cannot identify the peer.
    if (address === undefined || !isUnicast(address) || address === this.#local) return "reject";
    return "ack";
  }

  /** Returns the name server that we offer for an option type. */
  #offeredServer(type: number): string | undefined {
    const { dns = [], nbns = [] } = this.#options;
    switch (type) {
      case IPCP_OPTION.PRIMARY_DNS:
        return dns[0];
      case IPCP_OPTION.SECONDARY_DNS:
        return dns[1];
      case IPCP_OPTION.PRIMARY_NBNS:
        return nbns[0];
      case IPCP_OPTION.SECONDARY_NBNS:
        return nbns[1];
      default:
        return undefined;
    }
  }

  /** Returns the servers of these option types. pppd sends a single server as primary and secondary: list it once. */
  #serversOf(types: readonly number[]): string[] {
    const servers = types.map((type) => this.#requested.get(type) ?? UNSPECIFIED);
    return [...new Set(servers)].filter((address) => address !== UNSPECIFIED);
  }
}

/** Reports whether an address can belong to one other host, as opposed to those of RFC 1122 section 3.2.1.3. */
function isUnicast(address: string): boolean {
  const first = parseIpv4(address)![0]!;
  return first !== 0 && first !== 127 && first < 224;
}
