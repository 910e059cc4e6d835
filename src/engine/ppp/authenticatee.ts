/**
 * Authenticates us to the peer: PAP (RFC 1334), CHAP (RFC 1994), MS-CHAP (RFC 2433, RFC 2759). Changing the password
 * is not supported, and a failure is final because we have a single secret.
 *
 * ```
 *  PAP   Authenticate-Request, retransmitted ── Ack: succeeded, Nak: failed
 *  CHAP  waits ── Challenge ──▶ Response, retransmitted ── Success: succeeded (… next Challenge), Failure: failed
 * ```
 *
 * We retransmit the Response because a lost Success would leave us waiting for ever. RFC 1994 section 4.1 requires the
 * authenticator to answer repeated Responses.
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
import { type ChapMethod, computeResponse, isChallengeLength } from "./chap_response.ts";
import type { LinkPorts } from "./link_ports.ts";
import { decodeText, peerText } from "./peer_text.ts";

/** Our authentication to the peer. */
export class Authenticatee {
  /** The negotiated authentication protocol. */
  readonly method: AuthMethod;
  readonly #ports: LinkPorts;
  readonly #name: string;
  /** The authentication in the opposite direction, if any. */
  readonly #authenticator: Authenticator | undefined;
  #state: PppAuthStatus["state"] = "pending";
  /** The last request or response sent; `undefined` once a reply has arrived. */
  #request: ControlPacket | undefined;
  /** Copy of the last challenge that we answered. */
  #challenge: Uint8Array | undefined;
  /** Authenticator Response that the peer must send (MS-CHAP version 2). */
  #expectedProof: Uint8Array | undefined;
  #deadline = Infinity;
  /** Transmissions of the request that are left. */
  #transmissionsLeft = 0;

  constructor(ports: LinkPorts, method: AuthMethod, authenticator: Authenticator | undefined) {
    this.#ports = ports;
    this.method = method;
    this.#authenticator = authenticator;
    // LCP acknowledges Authentication-Protocol only if name and secret are set.
    this.#name = ports.settings.name ?? "";
  }

  get #secret(): string {
    return this.#ports.settings.secret ?? "";
  }

  /** State of this authentication. */
  get status(): PppAuthStatus {
    return { method: this.method, state: this.#state, name: this.#name };
  }

  /** Time of the next `timeout` call, in milliseconds of the caller's clock; `Infinity` if no timer runs. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Starts the authentication: sends the PAP request, or waits for a challenge. */
  start(): void {
    if (this.method !== "pap") return;
    const encoder = new TextEncoder();
    const data = encodePapRequest({
      peerId: encoder.encode(this.#name),
      password: encoder.encode(this.#secret),
    });
    const identifier = this.#ports.settings.random(1)[0]!;
    this.#sendNew({ code: PAP_CODE.AUTHENTICATE_REQUEST, identifier, data });
  }

  /** Stops the timer because LCP has left the Opened state. */
  stop(): void {
    this.#deadline = Infinity;
  }

  /** Handles an expired timer. Does nothing before the deadline. */
  timeout(): void {
    if (this.#ports.now < this.#deadline) return;
    if (this.#transmissionsLeft > 0) {
      this.#send();
      return;
    }
    this.#deadline = Infinity;
    this.#ports.fail({ reason: "authenticationTimedOut", of: "local", method: this.method });
  }

  /**
   * Handles a PAP reply.
   *
   * @throws {DecodeError} if the packet is malformed
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
   * Handles a CHAP Challenge, Success or Failure.
   *
   * @throws {DecodeError} if the packet is malformed
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
    const proof = this.#expectedProof;
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
    if (this.#authenticator?.isOwnChallenge(challenge) === true) {
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
    const context = { method, identifier, challenge, name };
    const { value, proof } = computeResponse(this.#ports.settings, context, this.#secret);
    this.#challenge = challenge.slice();
    this.#expectedProof = proof;
    this.#sendNew({ code: CHAP_CODE.RESPONSE, identifier, data: encodeChapValue({ value, name }) });
  }

  /** Reports whether a packet answers the outstanding request; counts a drop if it does not. */
  #isReply(packet: ControlPacket): boolean {
    if (this.#request !== undefined && packet.identifier === this.#request.identifier) return true;
    this.#ports.drop("unexpectedReply");
    return false;
  }

  /** Marks the outstanding request as answered. */
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

  #sendNew(request: ControlPacket): void {
    this.#request = request;
    this.#transmissionsLeft = this.#ports.settings.maxConfigure;
    this.#send();
  }

  #send(): void {
    if (this.#request === undefined) return;
    this.#transmissionsLeft--;
    this.#deadline = this.#ports.now + this.#ports.settings.restartMs;
    this.#ports.send(this.method === "pap" ? PPP_PROTOCOL.PAP : PPP_PROTOCOL.CHAP, this.#request);
  }
}
