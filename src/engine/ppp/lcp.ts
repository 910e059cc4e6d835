/**
 * LCP: the link's own protocol (RFC 1661 sections 5 and 6, RFC 1570 section 1). Pure.
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
import { MIN_MRU, type ProxyLcp } from "./options.ts";
import { peerText } from "./peer_text.ts";

/** The ways in which we authenticate ourselves, the safest first. */
const METHODS = ["mschapv2", "chap", "mschap", "pap"] as const satisfies readonly AuthMethod[];

/** Control characters are escaped by the LAC where its line needs that, so that no map is wanted (RFC 2661 6.14). */
const NO_CONTROL_CHARACTERS = 0;

/** Bytes of the text in a Terminate-Request that are sent: they fit every Maximum-Receive-Unit. */
const MAX_CLOSE_BYTES = 100;

/** Bytes of a control packet's header. */
const HEADER_BYTES = 4;

const DEFAULTS: LcpValues = { mru: DEFAULT_MRU, magic: 0, pfc: false, acfc: false };
const NO_DATA = new Uint8Array(0);

/** LCP of a link. */
export class Lcp extends ControlProtocol {
  readonly protocol = PPP_PROTOCOL.LCP;

  /** What we ask for, then what was agreed. */
  #local: LcpValues = DEFAULTS;
  /** What the peer was granted. */
  #peer: LcpValues = DEFAULTS;
  /** Ways of authentication that the peer has refused; each is asked for once. */
  #refusedMethods: readonly AuthMethod[] = [];
  /** Magic-Number that we have suggested last. */
  #suggestedMagic = 0;
  /** Signs of a loop in a row. */
  #loops = 0;
  #closeText: string | undefined;

  #echoAt = Infinity;
  #echoIdentifier = 0;
  #echoSentAt = 0;
  #isEchoPending = false;
  #canEcho = true;
  #echo = { sent: 0, answered: 0, missed: 0, roundTripMs: undefined as number | undefined };
  #identification: string | undefined;
  #secondsRemaining: number | undefined;

  /** What we receive. */
  get local(): LcpValues {
    return this.#local;
  }

  /** What the peer receives. */
  get peer(): LcpValues {
    return this.#peer;
  }

  /** What Echo-Requests have shown. */
  get echoes(): PppStatus["echo"] {
    return { ...this.#echo };
  }

  /** What the peer says that it is. */
  get identification(): string | undefined {
    return this.#identification;
  }

  /** Seconds that the peer last said are left. */
  get secondsRemaining(): number | undefined {
    return this.#secondsRemaining;
  }

  override get deadline(): number {
    return Math.min(super.deadline, this.#echoAt);
  }

  override timeout(): void {
    super.timeout();
    if (this.ports.now >= this.#echoAt) this.#echoDue();
  }

  /** Administrative Close; the text tells the peer why. */
  override close(text?: string): void {
    this.#closeText = text;
    super.close();
  }

  /**
   * Opens as the LAC has agreed with the peer, in place of the lower layer's coming up, if that is what we would have
   * agreed to; whether it did.
   *
   * @throws {DecodeError} if the options are broken
   */
  openByProxy(proxy: ProxyLcp): boolean {
    const sent = decodeOptions(proxy.lastSent);
    const received = decodeOptions(proxy.lastReceived);
    this.begin();
    const local = readValues(sent);
    const isAcceptable = local.mru <= this.ports.settings.mru &&
      (local.magic !== 0 || !this.ports.settings.magic) &&
      this.#isEnough(sent, local.auth);
    if (isAcceptable) {
      this.#local = local;
      if (received.every((option) => this.judge(option) === "ack")) {
        this.adopt(received);
        this.openAsAgreed();
        return true;
      }
    }
    return false;
  }

  /** Tells the peer that a frame's protocol is not known here (section 5.7). */
  rejectProtocol(protocol: number, payload: Uint8Array): void {
    const information = payload.subarray(0, this.ports.mtu - HEADER_BYTES - 2);
    this.#send(PPP_CODE.PROTOCOL_REJECT, encodeRejectedProtocol({ protocol, information }));
  }

  /** Tells the peer how long the session will last: advice only (RFC 1570 section 1.2). */
  announceTimeRemaining(seconds: number): void {
    const { magic } = this.#local;
    this.#send(PPP_CODE.TIME_REMAINING, encodeTimeRemaining({ magic, seconds, message: NO_DATA }));
  }

  /** The Opened state is reached. */
  opened(): void {
    this.#loops = 0;
    this.#isEchoPending = false;
    this.#echo.missed = 0;
    const { echoIntervalMs, identification } = this.ports.settings;
    if (echoIntervalMs > 0 && this.#canEcho) this.#echoAt = this.ports.now + echoIntervalMs;
    if (identification !== undefined) {
      const data = new TextEncoder().encode(identification);
      this.#send(PPP_CODE.IDENTIFICATION, encodeMagicData({ magic: this.#local.magic, data }));
    }
  }

  /** The Opened state is left. */
  left(): void {
    this.#echoAt = Infinity;
  }

  protected override begin(): void {
    const { settings } = this.ports;
    this.#refusedMethods = [];
    this.#loops = 0;
    this.#peer = DEFAULTS;
    this.#canEcho = true;
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
          // A larger one than ours would be more than we can take.
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
          // Rejected is the whole option, whichever way it names.
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
    if (code !== PPP_CODE.ECHO_REQUEST) return;
    this.#canEcho = false;
    this.#echoAt = Infinity;
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
        if (this.#isForeign(decodeMagicData(packet.data).magic)) this.echoRequested(packet);
        return true;
      case PPP_CODE.ECHO_REPLY:
        if (this.#isForeign(decodeMagicData(packet.data).magic)) this.#receiveEchoReply(packet);
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

  /** Ways in which we can authenticate ourselves. */
  #ownMethods(): AuthMethod[] {
    const { name, secret, refuse } = this.ports.settings;
    if (name === undefined || secret === undefined) return [];
    return METHODS.filter((method) => !refuse.includes(method));
  }

  /** Whether what the LAC has asked for in our place makes the peer authenticate itself as it must. */
  #isEnough(sent: readonly PppOption[], auth: AuthMethod | undefined): boolean {
    const { require } = this.ports.settings;
    if (auth !== undefined) return require.includes(auth);
    const isUnknown = sent.some(({ type }) => type === LCP_OPTION.AUTHENTICATION_PROTOCOL);
    return !isUnknown && (require.length === 0 || require.includes("none"));
  }

  /** The first way of authentication that the peer has not refused. */
  #nextMethod(): AuthMethod | undefined {
    for (const method of this.ports.settings.require) {
      if (method !== "none" && !this.#refusedMethods.includes(method)) return method;
    }
    return undefined;
  }

  /** The peer does not agree to the way of authentication that was asked for. */
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

  /** Section 6.4: one sign proves nothing. */
  #suspectLoop(): void {
    this.#loops++;
    if (this.#loops > this.ports.settings.maxFailure) this.ports.fail({ reason: "loopedBack" });
  }

  #newMagic(): number {
    const bytes = this.ports.settings.random(4);
    // Zero would mean that there is none.
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) || 1;
  }

  #isForeign(magic: number): boolean {
    if (magic === 0 || magic !== this.#local.magic) return true;
    this.ports.drop("ownMagic");
    return false;
  }

  #echoDue(): void {
    const { echoIntervalMs, echoFailures } = this.ports.settings;
    if (this.#isEchoPending) {
      const missedEchoes = ++this.#echo.missed;
      if (missedEchoes === echoFailures) {
        this.ports.fail({ reason: "peerUnresponsive", missedEchoes });
        return;
      }
    }
    this.#echoAt = this.ports.now + echoIntervalMs;
    this.#echoSentAt = this.ports.now;
    this.#isEchoPending = true;
    this.#echoIdentifier = this.nextIdentifier();
    this.#echo.sent++;
    this.ports.send(this.protocol, {
      code: PPP_CODE.ECHO_REQUEST,
      identifier: this.#echoIdentifier,
      data: encodeMagicData({ magic: this.#local.magic, data: NO_DATA }),
    });
  }

  #receiveEchoReply(packet: ControlPacket): void {
    if (!this.#isEchoPending || packet.identifier !== this.#echoIdentifier) {
      this.ports.drop("unexpectedReply");
      return;
    }
    this.#isEchoPending = false;
    this.#echo.answered++;
    this.#echo.missed = 0;
    this.#echo.roundTripMs = this.ports.now - this.#echoSentAt;
  }
}

/** What the options of a Configure-Request ask for; what they leave out has its default. */
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
