/**
 * The common part of LCP, IPCP and IPV6CP: packets, identifiers, counters and the restart timer around the automaton
 * (RFC 1661 sections 4.3 to 5.6), with bounds on the work a peer can cause.
 *
 * Every negotiation ends. After Max-Failure Configure-Naks of ours, unacceptable options get a Configure-Reject. After
 * Max-Failure Configure-Naks of the peer, its further Configure-Naks count as Configure-Rejects. After three times
 * Max-Failure refusals in one direction the protocol is closed.
 *
 * @module
 */

import type { AutomatonState } from "../../model/ppp/status.ts";
import { PPP_CODE } from "../../wire/ppp/constants.ts";
import { type ControlPacket, decodeControlPacket } from "../../wire/ppp/control_packet.ts";
import { decodeOptions, encodeOptions, type PppOption } from "../../wire/ppp/options.ts";
import { type AutomatonAction, type AutomatonEvent, hasRestartTimer, transition } from "./automaton.ts";
import type { LinkPorts } from "./link_ports.ts";

/** Our answer to one option of a Configure-Request: ack, reject, or nak with this value. */
export type OptionVerdict = "ack" | "reject" | PppOption;

/** Consecutive refusals that close the protocol, as a multiple of Max-Failure. */
const REFUSAL_LIMIT_FACTOR = 3;

const NO_DATA = new Uint8Array(0);

/** Length in bytes of a packet's header: Code, Identifier, Length. */
const HEADER_BYTES = 4;

/** A control protocol of a link: its automaton, and the packets that drive it. */
export abstract class ControlProtocol {
  /** Value of the Protocol field in this protocol's frames. */
  abstract readonly protocol: number;
  /** The link that this protocol belongs to. */
  protected readonly ports: LinkPorts;

  #state: AutomatonState = "Initial";
  /** Time at which the restart timer expires; `Infinity` while it is stopped. */
  #restartAt = Infinity;
  /** Restart counter: transmissions left before the negotiation times out. */
  #restartCount = 0;
  #identifier = 0;
  /** Encoded options of the last Configure-Request; `undefined` once a valid reply has arrived. */
  #requested: Uint8Array | undefined;
  /** Identifier of the last Configure-Request. */
  #requestIdentifier = 0;
  /** Configure-Naks and Configure-Rejects sent since our last Configure-Ack. */
  #refusalsSent = 0;
  /** Configure-Naks and Configure-Rejects received since the peer's last Configure-Ack. */
  #refusalsReceived = 0;

  constructor(ports: LinkPorts) {
    this.ports = ports;
  }

  /** State of the automaton. */
  get state(): AutomatonState {
    return this.#state;
  }

  /** Time of the next `timeout` call, in milliseconds of the caller's clock; `Infinity` if no timer runs. */
  get deadline(): number {
    return this.#restartAt;
  }

  /** Event Up: the lower layer is ready to carry packets. */
  lowerUp(): void {
    if (this.#state === "Starting") this.#begin();
    this.#event("Up");
  }

  /** Event Down: the lower layer no longer carries packets. */
  lowerDown(): void {
    this.#event("Down");
  }

  /** Event Open: the caller allows the protocol to open. */
  open(): void {
    if (this.#state === "Closed") this.#begin();
    this.#event("Open");
  }

  /** Event Close: the caller no longer wants the protocol. */
  close(): void {
    this.#event("Close");
  }

  /** The peer rejected this protocol with a Protocol-Reject. */
  rejectedByPeer(): void {
    this.#event("RXJ-");
  }

  /** Handles an expired restart timer. Does nothing before the deadline. */
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
   * Handles the payload of a received frame of this protocol.
   *
   * @throws {DecodeError} if the payload is malformed; the state is then unchanged
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

  /** Returns the options of our next Configure-Request. */
  protected abstract request(): PppOption[];
  /** Decides on one option of the peer's Configure-Request. May be called several times before `adopt`. */
  protected abstract judge(option: PppOption): OptionVerdict;
  /**
   * Returns options to append to a Configure-Nak because the peer should have requested them (RFC 1661 section 5.3).
   * `given` holds the option types of the peer's Configure-Request.
   */
  protected abstract prompts(given: ReadonlySet<number>): PppOption[];
  /** Stores the options of a Configure-Request that is about to be acknowledged. */
  protected abstract adopt(options: readonly PppOption[]): void;
  /** Handles the values of a Configure-Nak. Options that we did not request must be ignored. */
  protected abstract suggested(options: readonly PppOption[]): void;
  /** Handles a Configure-Reject. All the options are in our last Configure-Request. */
  protected abstract rejected(options: readonly PppOption[]): void;
  /** Resets the values for a new negotiation. */
  protected abstract begin(): void;

  /** The restart counter reached zero without an answer to our Configure-Request. */
  protected timedOut(): void {}
  /** The peer sent a Terminate-Request with this data. */
  protected terminatedByPeer(_data: Uint8Array): void {}
  /** The peer sent a Code-Reject. Rejection of a fundamental code (1 to 7) ends the protocol. */
  protected codeRejected(_code: number, _isFundamental: boolean): void {}
  /** Handles a packet whose code is specific to one protocol. Returns `false` if the code is unknown. */
  protected receiveOther(_packet: ControlPacket): boolean {
    return false;
  }
  /** Sends the Echo-Reply to an Echo-Request. Called in the Opened state only. */
  protected echo(_packet: ControlPacket): void {}
  /** The refusals exceeded their bound. */
  protected notConverging(): void {
    this.close();
  }

  /** Returns the next packet identifier, modulo 256. */
  protected nextIdentifier(): number {
    this.#identifier = (this.#identifier + 1) & 0xff;
    return this.#identifier;
  }

  /** Raises RXR for an Echo-Request. The other packets of RXR need no answer and change no state. */
  protected echoRequested(packet: ControlPacket): void {
    this.#event("RXR", packet);
  }

  /** Enters the Opened state without a negotiation: the LAC has negotiated in our place. */
  protected openWithoutNegotiation(): void {
    this.#state = "Opened";
    this.ports.layerUp(this.protocol);
  }

  #begin(): void {
    this.#refusalsSent = 0;
    this.#refusalsReceived = 0;
    this.begin();
  }

  #isTerminating(): boolean {
    return this.#state === "Closing" || this.#state === "Stopping";
  }

  /** Reports whether the answer to a Configure-Request depends on its options, not on the state alone. */
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
    // `judge` may have ended the link because it detected a loop.
    if (this.#state !== before) return;
    if (answer.code === PPP_CODE.CONFIGURE_ACK) {
      this.#refusalsSent = 0;
      this.adopt(options);
      this.#event("RCR+", packet, answer);
      return;
    }
    this.#refusalsSent++;
    this.#event("RCR-", packet, answer);
    if (this.#refusalsSent > REFUSAL_LIMIT_FACTOR * this.ports.settings.maxFailure) this.notConverging();
  }

  /** Builds the answer to a Configure-Request (RFC 1661 sections 5.2 to 5.4). */
  #answer(packet: ControlPacket, options: readonly PppOption[]): ControlPacket {
    const { identifier } = packet;
    const mayNak = this.#refusalsSent < this.ports.settings.maxFailure;
    const given = new Set<number>();
    const rejects: PppOption[] = [];
    const naks: PppOption[] = [];
    for (const option of options) {
      // No option that we implement may occur twice in one packet.
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
    this.#refusalsReceived = 0;
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
    this.#refusalsReceived++;
    const before = this.#state;
    const { maxFailure } = this.ports.settings;
    if (packet.code === PPP_CODE.CONFIGURE_NAK && this.#refusalsReceived <= maxFailure) {
      this.suggested(options);
    } else this.rejected(asked.filter(({ type }) => options.some((option) => option.type === type)));
    if (this.#state === before && this.#refusalsReceived > REFUSAL_LIMIT_FACTOR * maxFailure) {
      this.notConverging();
    }
    // `suggested` or `rejected` may have ended the protocol.
    if (this.#state === before) this.#event("RCN", packet);
  }

  /**
   * Returns the encoded options of the Configure-Request that this packet answers, and marks that request as answered.
   * Returns `undefined` if the packet answers no outstanding request.
   */
  #takeRequested(packet: ControlPacket): Uint8Array | undefined {
    const requested = this.#requested;
    // No reply is valid in these states. RCA and RCN have the same cell there: send a Terminate-Ack.
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

  /**
   * Performs one transition of the automaton. `packet` is the received packet that caused the event; `answer` is the
   * packet for the actions `sca` and `scn`.
   */
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
        this.#refusalsSent = 0;
        this.#refusalsReceived = 0;
        this.ports.layerDown(this.protocol);
        return;
      case "tls":
        // The caller owns the lower layer and has requested the link: nothing to start.
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

  /** Returns the data of our Terminate-Requests. */
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
