/**
 * What LCP, IPCP and IPV6CP have in common: packets, identifiers, counters and the Restart timer around the automaton
 * (RFC 1661 sections 4.3 to 5.6), and bounds on what a peer can make of it. Pure.
 *
 * A negotiation ends in all cases: after Max-Failure Configure-Naks we reject what is not acceptable, we take the
 * peer's Naks for Rejects likewise, and after three times as many of either kind the protocol is closed.
 *
 * @module
 */

import type { AutomatonState } from "../../model/ppp/status.ts";
import { PPP_CODE } from "../../wire/ppp/constants.ts";
import { type ControlPacket, decodeControlPacket } from "../../wire/ppp/control_packet.ts";
import { decodeOptions, encodeOptions, type PppOption } from "../../wire/ppp/options.ts";
import { type AutomatonAction, type AutomatonEvent, hasRestartTimer, transition } from "./automaton.ts";
import type { LinkPorts } from "./link_ports.ts";

/** What is said to an option of the peer: yes, never, or another value. */
export type OptionVerdict = "ack" | "reject" | PppOption;

/** Negative answers in a row that close the protocol, as a multiple of Max-Failure. */
const PATIENCE = 3;

const NO_DATA = new Uint8Array(0);

/** Bytes of a packet's header: of a Code-Reject, and of what it rejects. */
const HEADER_BYTES = 4;

/** A control protocol of a link. */
export abstract class ControlProtocol {
  /** Value of the Protocol field. */
  abstract readonly protocol: number;
  /** The link. */
  protected readonly ports: LinkPorts;

  #state: AutomatonState = "Initial";
  /** When the Restart timer expires. */
  #restartAt = Infinity;
  /** Transmissions that are left (Restart counter). */
  #restartCount = 0;
  #identifier = 0;
  /** Options of the last Configure-Request, until it has a valid reply. */
  #requested: Uint8Array | undefined;
  /** Identifier of that request. */
  #requestIdentifier = 0;
  /** Negative answers to the peer since the last positive one. */
  #refusals = 0;
  /** Negative answers of the peer since its last positive one. */
  #refused = 0;

  constructor(ports: LinkPorts) {
    this.ports = ports;
  }

  /** State of the automaton. */
  get state(): AutomatonState {
    return this.#state;
  }

  /** When `timeout` is to be called next, in milliseconds of the caller's clock; `Infinity`: not at all. */
  get deadline(): number {
    return this.#restartAt;
  }

  /** The lower layer is there. */
  lowerUp(): void {
    if (this.#state === "Starting") this.#begin();
    this.#event("Up");
  }

  /** The lower layer is gone. */
  lowerDown(): void {
    this.#event("Down");
  }

  /** Administrative Open. */
  open(): void {
    if (this.#state === "Closed") this.#begin();
    this.#event("Open");
  }

  /** Administrative Close. */
  close(): void {
    this.#event("Close");
  }

  /** The peer does not know the protocol. */
  rejectedByPeer(): void {
    this.#event("RXJ-");
  }

  /** Does what is due now. */
  timeout(): void {
    if (this.ports.now < this.#restartAt) return;
    if (this.#restartCount > 0) {
      this.#event("TO+");
      return;
    }
    if (!this.#isTerminating()) this.timedOut();
    this.#event("TO-");
  }

  /**
   * Takes the payload of a received frame of this protocol.
   *
   * @throws {DecodeError} if it is broken; then nothing has changed
   */
  receive(payload: Uint8Array): void {
    const packet = decodeControlPacket(payload);
    if (this.#state === "Initial" || this.#state === "Starting") {
      this.ports.drop("lowerLayerDown");
      return;
    }
    switch (packet.code) {
      case PPP_CODE.CONFIGURE_REQUEST:
        this.#receiveRequest(packet);
        return;
      case PPP_CODE.CONFIGURE_ACK:
        this.#receiveAck(packet);
        return;
      case PPP_CODE.CONFIGURE_NAK:
      case PPP_CODE.CONFIGURE_REJECT:
        this.#receiveRefusal(packet);
        return;
      case PPP_CODE.TERMINATE_REQUEST:
        if (!this.#isTerminating()) this.terminatedByPeer(packet.data);
        this.#event("RTR", packet);
        return;
      case PPP_CODE.TERMINATE_ACK:
        this.#event("RTA");
        return;
      case PPP_CODE.CODE_REJECT:
        this.#receiveCodeReject(packet);
        return;
      default:
        if (!this.receiveOther(packet)) this.#event("RUC", packet);
    }
  }

  /** Options for a Configure-Request. */
  protected abstract request(): PppOption[];
  /** What to say to an option of the peer. May be asked again and again before it counts. */
  protected abstract judge(option: PppOption): OptionVerdict;
  /** Options that the peer should have asked for, to be added to a Configure-Nak; types it asked for are `given`. */
  protected abstract prompts(given: ReadonlySet<number>): PppOption[];
  /** The peer's options, all of them acceptable, are agreed to. */
  protected abstract adopt(options: readonly PppOption[]): void;
  /** The peer wants other values. Those that were not asked for are to be ignored. */
  protected abstract suggested(options: readonly PppOption[]): void;
  /** The peer will not talk about these options, which have been asked for. */
  protected abstract rejected(options: readonly PppOption[]): void;
  /** Negotiation starts from the beginning. */
  protected abstract begin(): void;

  /** The peer never answered. */
  protected timedOut(): void {}
  /** The peer wants to end the protocol. */
  protected terminatedByPeer(_data: Uint8Array): void {}
  /** The peer does not know a code; a fundamental one ends the protocol. */
  protected codeRejected(_code: number, _isFundamental: boolean): void {}
  /** A packet of a code that not all protocols have; whether it is known. */
  protected receiveOther(_packet: ControlPacket): boolean {
    return false;
  }
  /** Answers an Echo-Request in the Opened state. */
  protected echo(_packet: ControlPacket): void {}
  /** Negotiation has gone on for too long. */
  protected notConverging(): void {
    this.close();
  }

  /** A new identifier. */
  protected nextIdentifier(): number {
    this.#identifier = (this.#identifier + 1) & 0xff;
    return this.#identifier;
  }

  /** An Echo-Request came. What else RXR stands for has no answer and changes no state. */
  protected echoRequested(packet: ControlPacket): void {
    this.#event("RXR", packet);
  }

  /** Comes to the Opened state without packets, since somebody else has exchanged them in our place. */
  protected openAsAgreed(): void {
    this.#state = "Opened";
    this.ports.layerUp(this.protocol);
  }

  #begin(): void {
    this.#refusals = 0;
    this.#refused = 0;
    this.begin();
  }

  #isTerminating(): boolean {
    return this.#state === "Closing" || this.#state === "Stopping";
  }

  /** Whether a Configure-Request is to be answered by more than the state alone. */
  #isNegotiable(): boolean {
    return this.#state !== "Closed" && !this.#isTerminating();
  }

  #receiveRequest(packet: ControlPacket): void {
    const options = decodeOptions(packet.data);
    if (!this.#isNegotiable()) {
      this.#event("RCR+", packet);
      return;
    }
    if (this.#state === "Stopped") this.#begin();
    const before = this.#state;
    const answer = this.#answer(packet, options);
    // To judge may have ended the link: a loop was found.
    if (this.#state !== before) return;
    if (answer.code === PPP_CODE.CONFIGURE_ACK) {
      this.#refusals = 0;
      this.adopt(options);
      this.#event("RCR+", packet, answer);
      return;
    }
    this.#refusals++;
    this.#event("RCR-", packet, answer);
    if (this.#refusals > PATIENCE * this.ports.settings.maxFailure) this.notConverging();
  }

  /** The answer to a Configure-Request (sections 5.2 to 5.4). */
  #answer(packet: ControlPacket, options: readonly PppOption[]): ControlPacket {
    const { identifier } = packet;
    const mayNak = this.#refusals < this.ports.settings.maxFailure;
    const given = new Set<number>();
    const rejects: PppOption[] = [];
    const naks: PppOption[] = [];
    for (const option of options) {
      // None of the options that are known may be listed twice.
      const verdict = given.has(option.type) ? "reject" : this.judge(option);
      given.add(option.type);
      if (verdict === "ack") continue;
      if (verdict === "reject" || !mayNak) rejects.push(option);
      else naks.push(verdict);
    }
    if (rejects.length > 0) {
      return { code: PPP_CODE.CONFIGURE_REJECT, identifier, data: encodeOptions(rejects) };
    }
    if (mayNak) naks.push(...this.prompts(given));
    if (naks.length > 0) return { code: PPP_CODE.CONFIGURE_NAK, identifier, data: encodeOptions(naks) };
    return { code: PPP_CODE.CONFIGURE_ACK, identifier, data: packet.data };
  }

  #receiveAck(packet: ControlPacket): void {
    const requested = this.#takeRequested(packet);
    if (requested === undefined) return;
    if (!isEqual(requested, packet.data)) {
      this.#requested = requested;
      this.ports.drop("foreignOptions");
      return;
    }
    this.#refused = 0;
    this.#event("RCA", packet);
  }

  #receiveRefusal(packet: ControlPacket): void {
    const options = decodeOptions(packet.data);
    const requested = this.#takeRequested(packet);
    if (requested === undefined) return;
    const asked = decodeOptions(requested);
    if (packet.code === PPP_CODE.CONFIGURE_REJECT) {
      const isSubset = options.length > 0 &&
        options.every((option) =>
          asked.some(({ type, data }) => type === option.type && isEqual(data, option.data))
        );
      if (!isSubset) {
        this.#requested = requested;
        this.ports.drop("foreignOptions");
        return;
      }
    }
    this.#refused++;
    const before = this.#state;
    const { maxFailure } = this.ports.settings;
    if (packet.code === PPP_CODE.CONFIGURE_NAK && this.#refused <= maxFailure) this.suggested(options);
    else this.rejected(asked.filter(({ type }) => options.some((option) => option.type === type)));
    if (this.#state === before && this.#refused > PATIENCE * maxFailure) this.notConverging();
    // What the peer will not do may have ended the protocol.
    if (this.#state === before) this.#event("RCN", packet);
  }

  /** The options of the request that the packet replies to, which has no further reply then. */
  #takeRequested(packet: ControlPacket): Uint8Array | undefined {
    const requested = this.#requested;
    // Without a request there is nothing to acknowledge, but the state may want to say so (Terminate-Ack).
    if (this.#state === "Closed" || this.#state === "Stopped") {
      this.#event("RCA", packet);
      return undefined;
    }
    if (requested === undefined || packet.identifier !== this.#requestIdentifier) {
      this.ports.drop("unexpectedReply");
      return undefined;
    }
    this.#requested = undefined;
    return requested;
  }

  #receiveCodeReject(packet: ControlPacket): void {
    const code = packet.data[0];
    if (code === undefined) {
      this.ports.drop("malformed");
      return;
    }
    const isFundamental = code >= PPP_CODE.CONFIGURE_REQUEST && code <= PPP_CODE.CODE_REJECT;
    if (!this.#isTerminating()) this.codeRejected(code, isFundamental);
    this.#event(isFundamental ? "RXJ-" : "RXJ+");
  }

  /** One step of the automaton. The packet is what the event is about, the answer what `sca` and `scn` send. */
  #event(event: AutomatonEvent, packet?: ControlPacket, answer?: ControlPacket): void {
    const step = transition(event, this.#state);
    if (step === undefined) return;
    this.#state = step.next;
    if (!hasRestartTimer(step.next)) this.#restartAt = Infinity;
    for (const action of step.actions) this.#act(action, event, packet, answer);
  }

  #act(action: AutomatonAction, event: AutomatonEvent, packet?: ControlPacket, answer?: ControlPacket): void {
    const { settings } = this.ports;
    switch (action) {
      case "tlu":
        this.ports.layerUp(this.protocol);
        return;
      case "tld":
        this.#refusals = 0;
        this.#refused = 0;
        this.ports.layerDown(this.protocol);
        return;
      case "tls":
        // The lower layer is the caller's, who knows that it is needed.
        return;
      case "tlf":
        this.ports.layerFinished(this.protocol);
        return;
      case "irc":
        this.#restartCount = this.#isTerminating() ? settings.maxTerminate : settings.maxConfigure;
        return;
      case "zrc":
        this.#restartCount = 0;
        this.#startTimer();
        return;
      case "scr":
        this.#sendRequest(event === "TO+");
        return;
      case "str":
        this.#startTimer();
        this.#restartCount--;
        this.#send(PPP_CODE.TERMINATE_REQUEST, this.nextIdentifier(), this.terminateData());
        return;
      case "sca":
      case "scn":
        this.ports.send(this.protocol, answer!);
        return;
      case "sta":
        this.#send(PPP_CODE.TERMINATE_ACK, packet!.identifier, NO_DATA);
        return;
      case "scj":
        this.#sendCodeReject(packet!);
        return;
      case "ser":
        this.echo(packet!);
        return;
      default:
        action satisfies never;
    }
  }

  /** Data of a Terminate-Request. */
  protected terminateData(): Uint8Array {
    return NO_DATA;
  }

  #sendRequest(isRepeated: boolean): void {
    const data = encodeOptions(this.request());
    const isSame = isRepeated && this.#requested !== undefined && isEqual(this.#requested, data);
    if (!isSame) this.#requestIdentifier = this.nextIdentifier();
    this.#requested = data;
    this.#startTimer();
    this.#restartCount--;
    this.#send(PPP_CODE.CONFIGURE_REQUEST, this.#requestIdentifier, data);
  }

  #sendCodeReject({ code, identifier, data }: ControlPacket): void {
    const length = HEADER_BYTES + data.length;
    const rejected = new Uint8Array(Math.min(length, this.ports.mtu - HEADER_BYTES));
    rejected.set([code, identifier, length >> 8, length]);
    rejected.set(data.subarray(0, rejected.length - HEADER_BYTES), HEADER_BYTES);
    this.#send(PPP_CODE.CODE_REJECT, this.nextIdentifier(), rejected);
  }

  #send(code: number, identifier: number, data: Uint8Array): void {
    this.ports.send(this.protocol, { code, identifier, data });
  }

  #startTimer(): void {
    this.#restartAt = this.ports.now + this.ports.settings.restartMs;
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
