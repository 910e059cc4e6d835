/**
 * The peer authenticates us: PAP (RFC 1334), CHAP (RFC 1994), MS-CHAP (RFC 2433, RFC 2759). Passwords are not changed
 * here, and there is no other one to try after a failure. Pure.
 *
 * ```
 *  PAP   Authenticate-Request, again and again ── Ack: succeeded, Nak: failed
 *  CHAP  waits ── Challenge ──▶ Response, again and again ── Success: succeeded (… Challenge anew), Failure: failed
 * ```
 *
 * The Response is repeated, since a Success that was lost would leave us waiting for ever (RFC 1994 section 4.1 has
 * authenticators answer that).
 *
 * @module
 */

import { equalInConstantTime } from "../../base/constant_time.ts";
import type { AuthMethod, PppAuthStatus } from "../../model/ppp/status.ts";
import {
  decodeChapValue,
  encodeChapValue,
  parseMsChapFailure,
  parseMsChapV2Success,
} from "../../wire/ppp/chap.ts";
import { CHAP_CODE, PAP_CODE, PPP_PROTOCOL } from "../../wire/ppp/constants.ts";
import type { ControlPacket } from "../../wire/ppp/control_packet.ts";
import { decodePapMessage, encodePapRequest } from "../../wire/ppp/pap.ts";
import type { Authenticator } from "./authenticator.ts";
import { answerChallenge, type ChapMethod, isChallengeLength } from "./chap_response.ts";
import type { LinkPorts } from "./link_ports.ts";
import { decodeText, peerText } from "./peer_text.ts";

/** Our authentication. */
export class Authenticatee {
  /** How we authenticate ourselves. */
  readonly method: AuthMethod;
  readonly #ports: LinkPorts;
  readonly #name: string;
  /** The peer's authentication at the same time. */
  readonly #other: Authenticator | undefined;
  #state: PppAuthStatus["state"] = "pending";
  /** What was sent last, until there is a reply to it. */
  #request: ControlPacket | undefined;
  /** The challenge that was answered last. */
  #challenge: Uint8Array | undefined;
  /** What the peer must prove itself with. */
  #proof: Uint8Array | undefined;
  #deadline = Infinity;
  /** How often that may still be sent. */
  #left = 0;

  constructor(ports: LinkPorts, method: AuthMethod, other: Authenticator | undefined) {
    this.#ports = ports;
    this.method = method;
    this.#other = other;
    // LCP agrees to authentication only if there are both.
    this.#name = ports.settings.name ?? "";
  }

  get #secret(): string {
    return this.#ports.settings.secret ?? "";
  }

  /** How far it has come. */
  get status(): PppAuthStatus {
    return { method: this.method, state: this.#state, name: this.#name };
  }

  /** When `timeout` is to be called next; `Infinity`: not at all. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Begins. */
  start(): void {
    if (this.method !== "pap") return;
    const encoder = new TextEncoder();
    const data = encodePapRequest({
      peerId: encoder.encode(this.#name),
      password: encoder.encode(this.#secret),
    });
    const identifier = this.#ports.settings.random(1)[0]!;
    this.#sendAnew({ code: PAP_CODE.AUTHENTICATE_REQUEST, identifier, data });
  }

  /** The link ends or negotiates anew. */
  stop(): void {
    this.#deadline = Infinity;
  }

  /** Does what is due now. */
  timeout(): void {
    if (this.#ports.now < this.#deadline) return;
    if (this.#left > 0) {
      this.#send();
      return;
    }
    this.#deadline = Infinity;
    this.#ports.fail({ reason: "authenticationTimedOut", of: "local", method: this.method });
  }

  /**
   * Takes a PAP packet: a reply.
   *
   * @throws {DecodeError} if it is broken
   */
  receivePap(packet: ControlPacket): void {
    if (this.method !== "pap") {
      this.#ports.drop("unexpectedAuthentication");
      return;
    }
    if (!this.#isReply(packet)) return;
    const message = peerText(decodePapMessage(packet.data));
    this.#settle();
    if (packet.code === PAP_CODE.AUTHENTICATE_ACK) this.#succeed();
    else this.#fail(undefined, message);
  }

  /**
   * Takes a CHAP packet: a challenge or a reply to our response.
   *
   * @throws {DecodeError} if it is broken
   */
  receiveChap(packet: ControlPacket): void {
    const { method } = this;
    if (method === "pap") {
      this.#ports.drop("unexpectedAuthentication");
      return;
    }
    if (packet.code === CHAP_CODE.CHALLENGE) {
      this.#respond(method, packet);
      return;
    }
    if (!this.#isReply(packet)) return;
    this.#settle();
    if (packet.code === CHAP_CODE.FAILURE) {
      this.#failedChap(method, packet.data);
      return;
    }
    const proof = this.#proof;
    if (proof !== undefined) {
      const proven = parseMsChapV2Success(decodeText(packet.data));
      if (proven === undefined || !equalInConstantTime(proven, proof)) {
        this.#state = "failed";
        this.#ports.fail({ reason: "peerNotProven", method });
        return;
      }
    }
    this.#succeed();
  }

  #respond(method: ChapMethod, { identifier, data }: ControlPacket): void {
    const { value: challenge } = decodeChapValue(data);
    if (this.#other?.isOwnChallenge(challenge) === true) {
      this.#ports.drop("ownChallenge");
      return;
    }
    if (!isChallengeLength(method, challenge.length)) {
      this.#ports.drop("malformed");
      return;
    }
    const pending = this.#request;
    const isRepeated = pending?.identifier === identifier && this.#challenge !== undefined &&
      equalInConstantTime(challenge, this.#challenge);
    if (isRepeated) {
      this.#send();
      return;
    }
    const name = new TextEncoder().encode(this.#name);
    const question = { method, identifier, challenge, name };
    const { value, proof } = answerChallenge(this.#ports.settings, question, this.#secret);
    this.#challenge = challenge.slice();
    this.#proof = proof;
    this.#sendAnew({ code: CHAP_CODE.RESPONSE, identifier, data: encodeChapValue({ value, name }) });
  }

  /** Whether the packet replies to what was sent last. */
  #isReply(packet: ControlPacket): boolean {
    if (this.#request !== undefined && packet.identifier === this.#request.identifier) return true;
    this.#ports.drop("unexpectedReply");
    return false;
  }

  /** What was sent last has its reply. */
  #settle(): void {
    this.#request = undefined;
    this.#deadline = Infinity;
  }

  #succeed(): void {
    const isFirst = this.#state === "pending";
    this.#state = "succeeded";
    if (isFirst) this.#ports.authenticated({ of: "local", method: this.method, name: this.#name });
  }

  #failedChap(method: ChapMethod, data: Uint8Array): void {
    const message = peerText(data);
    const failure = method === "chap" ? undefined : parseMsChapFailure(message);
    this.#fail(failure?.error, failure === undefined ? message : failure.message ?? "");
  }

  #fail(code: number | undefined, text: string): void {
    this.#state = "failed";
    const message = text === "" ? undefined : text;
    const { method } = this;
    this.#ports.fail({
      reason: "authenticationFailed",
      of: "local",
      method,
      name: this.#name,
      code,
      message,
    });
  }

  #sendAnew(request: ControlPacket): void {
    this.#request = request;
    this.#left = this.#ports.settings.maxConfigure;
    this.#send();
  }

  #send(): void {
    if (this.#request === undefined) return;
    this.#left--;
    this.#deadline = this.#ports.now + this.#ports.settings.restartMs;
    this.#ports.send(this.method === "pap" ? PPP_PROTOCOL.PAP : PPP_PROTOCOL.CHAP, this.#request);
  }
}
