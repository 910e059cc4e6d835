/**
 * IPV6CP: IPv6 interface identifiers (RFC 5072 section 4).
 *
 * @module
 */

import { formatHex } from "../../base/hex.ts";
import { IPV6CP_OPTION, PPP_PROTOCOL } from "../../wire/ppp/constants.ts";
import { interfaceIdOption, type PppOption, readInterfaceId } from "../../wire/ppp/options.ts";
import { ControlProtocol, type OptionVerdict } from "./control_protocol.ts";
import type { LinkPorts } from "./link_ports.ts";
import type { PppIpv6Options } from "./options.ts";

/** The identifier that requests an identifier from the peer. */
const ZERO = "0000000000000000";
/** The "universal/local" bit in the first byte of an identifier: set if the identifier is globally unique. */
const UNIVERSAL_BIT = 0x02;

/** The IPV6CP instance of a link. */
export class Ipv6cp extends ControlProtocol {
  readonly protocol = PPP_PROTOCOL.IPV6CP;
  readonly #options: PppIpv6Options;
  #localId: string | undefined;
  #peerId: string | undefined;
  /** Identifier in our last Configure-Nak. */
  #suggestedId: string | undefined;
  #isPrompted = false;

  constructor(ports: LinkPorts, options: PppIpv6Options) {
    super(ports);
    this.#options = options;
  }

  /** Our identifier: 16 hex digits; `undefined` until it is known. */
  get localId(): string | undefined {
    return this.#localId;
  }

  /** The peer's identifier: 16 hex digits; `undefined` until it is known. */
  get peerId(): string | undefined {
    return this.#peerId;
  }

  protected override begin(): void {
    this.#localId = this.#options.localId?.toLowerCase() ?? this.#newId();
    this.#peerId = undefined;
    this.#suggestedId = undefined;
    this.#isPrompted = false;
  }

  protected override request(): PppOption[] {
    return [interfaceIdOption(IPV6CP_OPTION.INTERFACE_IDENTIFIER, this.#localId!)];
  }

  protected override judge(option: PppOption): OptionVerdict {
    if (option.type !== IPV6CP_OPTION.INTERFACE_IDENTIFIER) return "reject";
    const id = readInterfaceId(option);
    if (id !== undefined && id !== ZERO && id !== this.#localId) return "ack";
    return this.#suggestion();
  }

  protected override prompts(given: ReadonlySet<number>): PppOption[] {
    if (given.has(IPV6CP_OPTION.INTERFACE_IDENTIFIER) || this.#isPrompted) return [];
    this.#isPrompted = true;
    return [this.#suggestion()];
  }

  protected override adopt(options: readonly PppOption[]): void {
    const option = options.find(({ type }) => type === IPV6CP_OPTION.INTERFACE_IDENTIFIER);
    this.#peerId = option === undefined ? undefined : readInterfaceId(option);
  }

  protected override suggested(options: readonly PppOption[]): void {
    const option = options.find(({ type }) => type === IPV6CP_OPTION.INTERFACE_IDENTIFIER);
    if (option === undefined) return;
    const id = readInterfaceId(option);
    const isNew = id !== undefined && id !== ZERO && id !== this.#suggestedId && id !== this.#peerId;
    this.#localId = isNew ? id : this.#newId();
  }

  protected override rejected(options: readonly PppOption[]): void {
    // RFC 5072 section 4.1 leaves the case of a rejected identifier unspecified; without one there is no address.
    if (options.length > 0) this.close();
  }

  #suggestion(): PppOption {
    const configured = this.#options.peerId?.toLowerCase();
    this.#suggestedId = configured !== undefined && configured !== this.#localId ? configured : this.#newId();
    return interfaceIdOption(IPV6CP_OPTION.INTERFACE_IDENTIFIER, this.#suggestedId);
  }

  /** Returns a random identifier with local scope. */
  #newId(): string {
    const bytes = this.ports.settings.random(8).slice();
    bytes[0]! &= ~UNIVERSAL_BIT;
    // All zeros means "no identifier".
    bytes[7]! |= 1;
    return formatHex(bytes);
  }
}
