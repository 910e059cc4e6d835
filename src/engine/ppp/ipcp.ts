/**
 * IPCP: addresses and name servers of IPv4 (RFC 1332, RFC 1877). Header compression (IP-Compression-Protocol) and the
 * old option IP-Addresses are rejected. Pure.
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

/** The address that asks for one. */
const UNSPECIFIED = "0.0.0.0";

const DNS = [IPCP_OPTION.PRIMARY_DNS, IPCP_OPTION.SECONDARY_DNS] as const;
const NBNS = [IPCP_OPTION.PRIMARY_NBNS, IPCP_OPTION.SECONDARY_NBNS] as const;

/** IPCP of a link. */
export class Ipcp extends ControlProtocol {
  readonly protocol = PPP_PROTOCOL.IPCP;
  readonly #options: PppIpv4Options;

  /** What we ask for, by type of option; the address that asks until the peer tells another one. */
  #wanted = new Map<number, string>();
  /** Our address, as soon as there is one. */
  #local: string | undefined;
  /** The address that the peer is to have, if we say which. */
  #assigned: string | undefined;
  #isLeased = false;
  #peer: string | undefined;
  #isPrompted = false;
  #problem: PppEnd | undefined;

  constructor(ports: LinkPorts, options: PppIpv4Options) {
    super(ports);
    this.#options = options;
  }

  /** Our address, as far as it is known. */
  get local(): string | undefined {
    return this.#local;
  }

  /** The peer's address, as far as it is known. */
  get peer(): string | undefined {
    return this.#peer;
  }

  /** Name servers that the peer told. */
  get dns(): readonly string[] {
    return this.#told(DNS);
  }

  /** NetBIOS name servers that the peer told. */
  get nbns(): readonly string[] {
    return this.#told(NBNS);
  }

  /** What kept it from opening, beside the peer's will. */
  get problem(): PppEnd | undefined {
    return this.#problem;
  }

  /** Takes an address for the peer from the pool, if there is one; whether there is an address. */
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

  /** Gives the address back to the pool. */
  release(): void {
    if (!this.#isLeased) return;
    this.#isLeased = false;
    // Only a pool leases.
    (this.#options.peer as AddressPool).release(this.#assigned!);
    this.#assigned = undefined;
  }

  /** There is no address for us: it cannot be open. */
  closeWithoutAddress(): void {
    this.#problem = { reason: "noAddress", of: "local" };
    this.close();
  }

  protected override begin(): void {
    const { local, askDns, askNbns } = this.#options;
    this.#local = local;
    this.#peer = this.#assigned;
    this.#isPrompted = false;
    this.#wanted.clear();
    this.#wanted.set(IPCP_OPTION.IP_ADDRESS, local ?? UNSPECIFIED);
    if (askDns === true) { for (const type of DNS) this.#wanted.set(type, UNSPECIFIED); }
    if (askNbns === true) { for (const type of NBNS) this.#wanted.set(type, UNSPECIFIED); }
  }

  protected override request(): PppOption[] {
    return [...this.#wanted].map(([type, address]) => ipv4Option(type, address));
  }

  protected override judge(option: PppOption): OptionVerdict {
    if (option.type === IPCP_OPTION.IP_ADDRESS) return this.#judgeAddress(option);
    const given = this.#given(option.type);
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
      if (address === undefined || !isUnicast(address) || !this.#wanted.has(option.type)) continue;
      if (option.type === IPCP_OPTION.IP_ADDRESS) {
        // One that was set is insisted on.
        if (this.#options.local !== undefined) continue;
        this.#local = address;
      }
      this.#wanted.set(option.type, address);
    }
  }

  protected override rejected(options: readonly PppOption[]): void {
    for (const { type } of options) {
      this.#wanted.delete(type);
      // Where both ends have been told their addresses, nothing need be said of them.
      if (type === IPCP_OPTION.IP_ADDRESS && this.#local === undefined) this.closeWithoutAddress();
    }
  }

  #judgeAddress(option: PppOption): OptionVerdict {
    const address = readIpv4(option);
    if (this.#assigned !== undefined) {
      return address === this.#assigned ? "ack" : ipv4Option(option.type, this.#assigned);
    }
    // The peer wants one from us, or one that would lead its packets astray.
    if (address === undefined || !isUnicast(address) || address === this.#local) return "reject";
    return "ack";
  }

  /** The name server that an option of the peer asks for. */
  #given(type: number): string | undefined {
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

  /** The servers of these types. A peer that has one server tells it as the secondary as well, as pppd does. */
  #told(types: readonly number[]): string[] {
    const told = types.map((type) => this.#wanted.get(type) ?? UNSPECIFIED);
    return [...new Set(told)].filter((address) => address !== UNSPECIFIED);
  }
}

/** Whether it can be the address of one host: not this host, loopback, multicast or reserved (RFC 1122 3.2.1.3). */
function isUnicast(address: string): boolean {
  const first = parseIpv4(address)![0]!;
  return first !== 0 && first !== 127 && first < 224;
}
