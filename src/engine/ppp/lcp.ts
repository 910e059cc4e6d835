/**
 * LCP, the Link Control Protocol (RFC 1661 sections 5 and 6, RFC 1570 section 1).
 *
 * @module
 */

import type { AuthMethod, LcpValues, PppStatus } from "../../model/ppp/status.ts";
import { DEFAULT_MRU, LCP_OPTION, PPP_CODE, PPP_PROTOCOL } from "../../wire/ppp/constants.ts";
import {
  type ControlPacket,
  decodeMagicData,
  decodeRejectedProtocol,
  decodeTimeRemaining,
  encodeMagicData,
  encodeRejectedProtocol,
  encodeTimeRemaining,
} from "../../wire/ppp/control_packet.ts";
import {
  authOption,
  decodeOptions,
  flagOption,
  type PppOption,
  readAuth,
  readU16,
  readU32,
  u16Option,
  u32Option,
} from "../../wire/ppp/options.ts";
import { ControlProtocol, type OptionVerdict } from "./control_protocol.ts";
import { LcpEcho } from "./lcp_echo.ts";
import type { LinkPorts } from "./link_ports.ts";
import { MIN_MRU, type ProxyLcp } from "./options.ts";
import { peerText } from "./peer_text.ts";

/** Authentication protocols by which we may authenticate to the peer, strongest first. */
const METHODS = ["mschapv2", "chap", "mschap", "pap"] as const satisfies readonly AuthMethod[];

/** Our Async-Control-Character-Map: empty, because the LAC escapes characters for its line (RFC 2661 section 6.14). */
const NO_CONTROL_CHARACTERS = 0;

/** Longest text in a Terminate-Request, in bytes. It fits every Maximum-Receive-Unit. */
const MAX_CLOSE_BYTES = 100;

/** Length in bytes of a control packet's header. */
const HEADER_BYTES = 4;

const DEFAULTS: LcpValues = { mru: DEFAULT_MRU, magic: 0, pfc: false, acfc: false };
const NO_DATA = new Uint8Array(0);

/** The LCP instance of a link. */
export class Lcp extends ControlProtocol {
  readonly protocol = PPP_PROTOCOL.LCP;

  /** Values for our receive direction: requested ones during the negotiation, agreed ones afterwards. */
  #local: LcpValues = DEFAULTS;
  /** Agreed values for the peer's receive direction. */
  #peer: LcpValues = DEFAULTS;
  /** Authentication protocols that the peer has refused. Each is requested once per negotiation. */
  #refusedMethods: readonly AuthMethod[] = [];
  /** Magic-Number in our last Configure-Nak. */
  #suggestedMagic = 0;
  /** Consecutive signs of a looped-back link. */
  #loopSigns = 0;
  #closeText: string | undefined;

  readonly #keepAlive: LcpEcho;
  #identification: string | undefined;
  #secondsRemaining: number | undefined;

  constructor(ports: LinkPorts) {
    super(ports);
    this.#keepAlive = new LcpEcho(ports);
  }

  /** Agreed values for our receive direction. */
  get local(): LcpValues {
    return this.#local;
  }

  /** Agreed values for the peer's receive direction. */
  get peer(): LcpValues {
    return this.#peer;
  }

  /** Statistics of the echo keep-alive. */
  get echoes(): PppStatus["echo"] {
    return this.#keepAlive.counters();
  }

  /** Text of the peer's last Identification packet (RFC 1570 section 1.1). */
  get identification(): string | undefined {
    return this.#identification;
  }

  /** Seconds in the peer's last Time-Remaining packet; `undefined` for "forever" or if none has arrived. */
  get secondsRemaining(): number | undefined {
    return this.#secondsRemaining;
  }

  override get deadline(): number {
    return Math.min(super.deadline, this.#keepAlive.deadline);
  }

  override timeout(): void {
    super.timeout();
    if (this.ports.now >= this.#keepAlive.deadline && this.#keepAlive.timeout()) this.#sendEchoRequest();
  }

  /** Event Close. `text` becomes the data of our Terminate-Requests. */
  override close(text?: string): void {
    this.#closeText = text;
    super.close();
  }

  /**
   * Opens LCP with the options that the LAC negotiated with the peer, in place of event Up. Returns `false` if our
   * settings do not allow these options; the automaton's state is then unchanged.
   *
   * @throws {DecodeError} if the options are malformed
   */
  openByProxy(proxy: ProxyLcp): boolean {
    const sent = decodeOptions(proxy.lastSent);
    const received = decodeOptions(proxy.lastReceived);
    this.begin();
    const local = readValues(sent);
    const isAcceptable = local.mru <= this.ports.settings.mru &&
      (local.magic !== 0 || !this.ports.settings.magic) &&
      this.#isSufficientAuth(sent, local.auth);
    if (isAcceptable) {
      this.#local = local;
      if (received.every((option) => this.judge(option) === "ack")) {
        this.adopt(received);
        this.openWithoutNegotiation();
        return true;
      }
    }
    return false;
  }

  /** Sends a Protocol-Reject for a received frame (RFC 1661 section 5.7). */
  rejectProtocol(protocol: number, payload: Uint8Array): void {
    const information = payload.subarray(0, this.ports.mtu - HEADER_BYTES - 2);
    this.#send(PPP_CODE.PROTOCOL_REJECT, encodeRejectedProtocol({ protocol, information }));
  }

  /** Sends a Time-Remaining packet, which is advisory (RFC 1570 section 1.2). */
  announceTimeRemaining(seconds: number): void {
    const { magic } = this.#local;
    this.#send(PPP_CODE.TIME_REMAINING, encodeTimeRemaining({ magic, seconds, message: NO_DATA }));
  }

  /** Starts the echo keep-alive and sends our Identification. Called when LCP has reached the Opened state. */
  opened(): void {
    this.#loopSigns = 0;
    this.#keepAlive.start();
    const { identification } = this.ports.settings;
    if (identification !== undefined) {
      const data = new TextEncoder().encode(identification);
      this.#send(PPP_CODE.IDENTIFICATION, encodeMagicData({ magic: this.#local.magic, data }));
    }
  }

  /** Stops the echo keep-alive. Called when LCP has left the Opened state. */
  left(): void {
    this.#keepAlive.stop();
  }

  protected override begin(): void {
    const { settings } = this.ports;
    this.#refusedMethods = [];
    this.#loopSigns = 0;
    this.#peer = DEFAULTS;
    this.#keepAlive.reset();
    this.#local = {
      mru: settings.mru,
      magic: settings.magic ? this.#newMagic() : 0,
      pfc: settings.pfc ?? false,
      acfc: settings.acfc ?? false,
      auth: this.#nextMethod(),
    };
  }

  protected override request(): PppOption[] {
    const { mru, auth, magic, pfc, acfc } = this.#local;
    const options: PppOption[] = [];
    if (mru !== DEFAULT_MRU) options.push(u16Option(LCP_OPTION.MAXIMUM_RECEIVE_UNIT, mru));
    if (auth !== undefined) options.push(authOption(auth));
    if (magic !== 0) options.push(u32Option(LCP_OPTION.MAGIC_NUMBER, magic));
    if (pfc) options.push(flagOption(LCP_OPTION.PROTOCOL_FIELD_COMPRESSION));
    if (acfc) options.push(flagOption(LCP_OPTION.ADDRESS_AND_CONTROL_FIELD_COMPRESSION));
    return options;
  }

  protected override judge(option: PppOption): OptionVerdict {
    switch (option.type) {
      case LCP_OPTION.MAXIMUM_RECEIVE_UNIT: {
        const mru = readU16(option);
        if (mru === undefined) return u16Option(option.type, DEFAULT_MRU);
        return mru < MIN_MRU ? u16Option(option.type, MIN_MRU) : "ack";
      }
      case LCP_OPTION.ASYNC_CONTROL_CHARACTER_MAP:
        return readU32(option) === undefined ? u32Option(option.type, NO_CONTROL_CHARACTERS) : "ack";
      case LCP_OPTION.AUTHENTICATION_PROTOCOL: {
        const ways = this.#ownMethods();
        const method = readAuth(option);
        if (method !== undefined && ways.includes(method)) return "ack";
        return ways[0] === undefined ? "reject" : authOption(ways[0]);
      }
      case LCP_OPTION.MAGIC_NUMBER:
        return this.#judgeMagic(option);
      case LCP_OPTION.PROTOCOL_FIELD_COMPRESSION:
      case LCP_OPTION.ADDRESS_AND_CONTROL_FIELD_COMPRESSION:
        return option.data.length === 0 ? "ack" : "reject";
      default:
        return "reject";
    }
  }

  protected override prompts(): PppOption[] {
    return [];
  }

  protected override adopt(options: readonly PppOption[]): void {
    this.#peer = readValues(options);
  }

  protected override suggested(options: readonly PppOption[]): void {
    const suggestions: AuthMethod[] = [];
    for (const option of options) {
      switch (option.type) {
        case LCP_OPTION.MAXIMUM_RECEIVE_UNIT: {
          // We cannot receive more than the MRU of our settings.
          const mru = readU16(option);
          if (mru !== undefined && mru >= MIN_MRU && mru < this.#local.mru) {
            this.#local = { ...this.#local, mru };
          }
          break;
        }
        case LCP_OPTION.AUTHENTICATION_PROTOCOL: {
          const method = readAuth(option);
          if (this.#local.auth !== undefined) suggestions.push(...(method === undefined ? [] : [method]));
          break;
        }
        case LCP_OPTION.MAGIC_NUMBER:
          if (this.#local.magic === 0) break;
          if (this.#suggestedMagic !== 0 && readU32(option) === this.#suggestedMagic) this.#suspectLoop();
          this.#local = { ...this.#local, magic: this.#newMagic() };
          break;
      }
    }
    if (options.some(({ type }) => type === LCP_OPTION.AUTHENTICATION_PROTOCOL)) {
      this.#changeMethod(suggestions);
    }
  }

  protected override rejected(options: readonly PppOption[]): void {
    for (const { type } of options) {
      switch (type) {
        case LCP_OPTION.MAXIMUM_RECEIVE_UNIT:
          this.#local = { ...this.#local, mru: DEFAULT_MRU };
          break;
        case LCP_OPTION.AUTHENTICATION_PROTOCOL:
          // A Configure-Reject refuses the option itself, and thus every authentication protocol.
          this.#refusedMethods = METHODS;
          this.#changeMethod([]);
          break;
        case LCP_OPTION.MAGIC_NUMBER:
          this.#local = { ...this.#local, magic: 0 };
          break;
        case LCP_OPTION.PROTOCOL_FIELD_COMPRESSION:
          this.#local = { ...this.#local, pfc: false };
          break;
        case LCP_OPTION.ADDRESS_AND_CONTROL_FIELD_COMPRESSION:
          this.#local = { ...this.#local, acfc: false };
          break;
      }
    }
  }

  protected override timedOut(): void {
    this.ports.noteEnd({ reason: "lcpTimedOut" });
  }

  protected override terminatedByPeer(data: Uint8Array): void {
    this.ports.noteEnd({
      reason: "terminatedByPeer",
      message: data.length === 0 ? undefined : peerText(data),
    });
  }

  protected override terminateData(): Uint8Array {
    if (this.#closeText === undefined) return NO_DATA;
    return new TextEncoder().encode(this.#closeText).subarray(0, MAX_CLOSE_BYTES);
  }

  protected override notConverging(): void {
    this.ports.fail({ reason: "notConverging" });
  }

  protected override codeRejected(code: number, isFundamental: boolean): void {
    if (isFundamental) this.ports.noteEnd({ reason: "rejectedByPeer", protocol: this.protocol, code });
    if (code === PPP_CODE.ECHO_REQUEST) this.#keepAlive.rejected();
  }

  override rejectedByPeer(): void {
    this.ports.noteEnd({ reason: "rejectedByPeer", protocol: this.protocol });
    super.rejectedByPeer();
  }

  protected override receiveOther(packet: ControlPacket): boolean {
    switch (packet.code) {
      case PPP_CODE.PROTOCOL_REJECT: {
        const { protocol } = decodeRejectedProtocol(packet.data);
        if (this.state === "Opened") this.ports.protocolRejected(protocol);
        else this.ports.drop("phase");
        return true;
      }
      case PPP_CODE.ECHO_REQUEST:
        if (this.#isFromPeer(decodeMagicData(packet.data).magic)) this.echoRequested(packet);
        return true;
      case PPP_CODE.ECHO_REPLY:
        if (this.#isFromPeer(decodeMagicData(packet.data).magic)) {
          this.#keepAlive.receiveReply(packet.identifier);
        }
        return true;
      case PPP_CODE.DISCARD_REQUEST:
        return true;
      case PPP_CODE.IDENTIFICATION:
        this.#identification = peerText(decodeMagicData(packet.data).data);
        return true;
      case PPP_CODE.TIME_REMAINING: {
        const { seconds } = decodeTimeRemaining(packet.data);
        this.#secondsRemaining = seconds === 0xffffffff ? undefined : seconds;
        return true;
      }
      default:
        return false;
    }
  }

  protected override echo(packet: ControlPacket): void {
    const { data } = decodeMagicData(packet.data);
    const reply = data.subarray(0, this.ports.mtu - 2 * HEADER_BYTES);
    this.ports.send(this.protocol, {
      code: PPP_CODE.ECHO_REPLY,
      identifier: packet.identifier,
      data: encodeMagicData({ magic: this.#local.magic, data: reply }),
    });
  }

  #send(code: number, data: Uint8Array): void {
    this.ports.send(this.protocol, { code, identifier: this.nextIdentifier(), data });
  }

  /** Returns the protocols by which we can authenticate to the peer, strongest first. */
  #ownMethods(): AuthMethod[] {
    const { name, secret, refuse } = this.ports.settings;
    if (name === undefined || secret === undefined) return [];
    return METHODS.filter((method) => !refuse.includes(method));
  }

  /** Reports whether the Authentication-Protocol that the LAC requested in our place satisfies `require`. */
  #isSufficientAuth(sent: readonly PppOption[], auth: AuthMethod | undefined): boolean {
    const { require } = this.ports.settings;
    if (auth !== undefined) return require.includes(auth);
    const isUnknown = sent.some(({ type }) => type === LCP_OPTION.AUTHENTICATION_PROTOCOL);
    return !isUnknown && (require.length === 0 || require.includes("none"));
  }

  /** Returns the most preferred authentication protocol that the peer has not refused. */
  #nextMethod(): AuthMethod | undefined {
    for (const method of this.ports.settings.require) {
      if (method !== "none" && !this.#refusedMethods.includes(method)) return method;
    }
    return undefined;
  }

  /** Chooses another authentication protocol after the peer has refused the requested one. */
  #changeMethod(suggestions: readonly AuthMethod[]): void {
    const { auth } = this.#local;
    if (auth === undefined) return;
    const { require } = this.ports.settings;
    this.#refusedMethods = [...this.#refusedMethods, auth];
    const suggested = require.find((method) =>
      method !== "none" && suggestions.includes(method) && !this.#refusedMethods.includes(method)
    ) as AuthMethod | undefined;
    const next = suggested ?? this.#nextMethod();
    if (next === undefined && !require.includes("none")) this.ports.fail({ reason: "authenticationRefused" });
    else this.#local = { ...this.#local, auth: next };
  }

  #judgeMagic(option: PppOption): OptionVerdict {
    const magic = readU32(option);
    const { magic: own } = this.#local;
    if (own === 0) return magic === undefined ? "reject" : "ack";
    if (magic !== undefined && magic !== 0 && magic !== own) return "ack";
    this.#suggestedMagic = this.#newMagic();
    if (magic === own) this.#suspectLoop();
    return u32Option(option.type, this.#suggestedMagic);
  }

  /** Counts one sign of a looped-back link. One sign alone proves nothing (RFC 1661 section 6.4). */
  #suspectLoop(): void {
    this.#loopSigns++;
    if (this.#loopSigns > this.ports.settings.maxFailure) this.ports.fail({ reason: "loopedBack" });
  }

  #newMagic(): number {
    const bytes = this.ports.settings.random(4);
    // Zero means "no Magic-Number".
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) || 1;
  }

  #isFromPeer(magic: number): boolean {
    if (magic === 0 || magic !== this.#local.magic) return true;
    this.ports.drop("ownMagic");
    return false;
  }

  #sendEchoRequest(): void {
    const identifier = this.nextIdentifier();
    this.#keepAlive.requestSent(identifier);
    this.ports.send(this.protocol, {
      code: PPP_CODE.ECHO_REQUEST,
      identifier,
      data: encodeMagicData({ magic: this.#local.magic, data: NO_DATA }),
    });
  }
}

/** Reads the options of a Configure-Request; absent options get their default. */
function readValues(options: readonly PppOption[]): LcpValues {
  const values: { -readonly [Key in keyof LcpValues]: LcpValues[Key] } = { ...DEFAULTS };
  for (const option of options) {
    switch (option.type) {
      case LCP_OPTION.MAXIMUM_RECEIVE_UNIT:
        values.mru = readU16(option) ?? DEFAULT_MRU;
        break;
      case LCP_OPTION.ASYNC_CONTROL_CHARACTER_MAP:
        values.accm = readU32(option);
        break;
      case LCP_OPTION.AUTHENTICATION_PROTOCOL:
        values.auth = readAuth(option);
        break;
      case LCP_OPTION.MAGIC_NUMBER:
        values.magic = readU32(option) ?? 0;
        break;
      case LCP_OPTION.PROTOCOL_FIELD_COMPRESSION:
        values.pfc = true;
        break;
      case LCP_OPTION.ADDRESS_AND_CONTROL_FIELD_COMPRESSION:
        values.acfc = true;
        break;
    }
  }
  return values;
}
