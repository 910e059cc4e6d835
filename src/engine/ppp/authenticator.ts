/**
 * Authenticates the peer: PAP (RFC 1334), CHAP (RFC 1994), MS-CHAP (RFC 2433, RFC 2759). The peer has one attempt. An
 * unknown name gets the same reply as a wrong secret, after the same computation.
 *
 * ```
 *  PAP   waits ── Authenticate-Request ──▶ Ack: succeeded, Nak: failed
 *  CHAP  Challenge, retransmitted ── Response ──▶ Success: succeeded (… next Challenge), Failure: failed
 * ```
 *
 * @module
 */

import { equalInConstantTime } from "../../base/constant_time.ts";
import type { AuthMethod, PppAuthStatus } from "../../model/ppp/status.ts";
import {
  decodeChapValue,
  encodeChapValue,
  formatMsChapFailure,
  formatMsChapV2Success,
} from "../../wire/ppp/chap.ts";
import { CHAP_CODE, PAP_CODE, PPP_PROTOCOL } from "../../wire/ppp/constants.ts";
import type { ControlPacket } from "../../wire/ppp/control_packet.ts";
import { decodePapRequest, encodePapMessage } from "../../wire/ppp/pap.ts";
import { CHALLENGE_BYTES, type ChapMethod, checkResponse } from "./chap_response.ts";
import type { LinkPorts } from "./link_ports.ts";
import type { ProxyAuth } from "./options.ts";
import { decodeText, peerText } from "./peer_text.ts";

/** ERROR_AUTHENTICATION_FAILURE of MS-CHAP. */
const AUTHENTICATION_FAILURE = 691;
/** Version of the Change-Password packets in MS-CHAP Failure messages. We do not support these packets. */
const CHANGE_PASSWORD_VERSION = { mschap: 2, mschapv2: 3 } as const;
/** Authentication protocols by Proxy Authen Type (RFC 2661 section 4.4.5). */
const PROXY_TYPES: Readonly<Record<number, AuthMethod>> = { 1: "pap", 2: "chap", 3: "pap", 5: "mschap" };

const NO_BYTES = new Uint8Array(0);

/** The peer's authentication to us. */
export class Authenticator {
  /** The negotiated authentication protocol. */
  readonly method: AuthMethod;
  readonly #ports: LinkPorts;
  #state: PppAuthStatus["state"] = "pending";
  #name: string | undefined;
  #deadline = Infinity;
  /** Transmissions of the challenge that are left. */
  #transmissionsLeft = 0;
  #identifier: number;
  /** Value of the current or last challenge. */
  #challenge: Uint8Array = NO_BYTES;
  #isAnswered = false;
  /** Our last reply, sent again to a repeated request or response. */
  #reply: ControlPacket | undefined;

  constructor(ports: LinkPorts, method: AuthMethod) {
    this.#ports = ports;
    this.method = method;
    this.#identifier = ports.settings.random(1)[0]!;
  }

  /** State of this authentication. */
  get status(): PppAuthStatus {
    return { method: this.method, state: this.#state, name: this.#name };
  }

  /** The authenticated name of the peer; `undefined` before success. */
  get peerName(): string | undefined {
    return this.#state === "succeeded" ? this.#name : undefined;
  }

  /** Time of the next `timeout` call, in milliseconds of the caller's clock; `Infinity` if no timer runs. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Reports whether a challenge equals our current one, which we must not answer (reflection attack). */
  isOwnChallenge(challenge: Uint8Array): boolean {
    return this.#challenge.length > 0 && equalInConstantTime(challenge, this.#challenge);
  }

  /** Starts the authentication: verifies the LAC's proxy response if there is a usable one, or sends a challenge. */
  start(proxy: ProxyAuth | undefined): void {
    if (proxy !== undefined && this.#verifyProxy(proxy)) return;
    if (this.method !== "pap") this.#sendNewChallenge(this.method);
  }

  /** Stops the timer because LCP has left the Opened state. */
  stop(): void {
    this.#deadline = Infinity;
  }

  /** Handles an expired timer. Does nothing before the deadline. */
  timeout(): void {
    if (this.#ports.now < this.#deadline || this.method === "pap") return;
    if (this.#isAnswered) this.#sendNewChallenge(this.method);
    else if (this.#transmissionsLeft > 0) this.#sendChallenge();
    else {
      this.#deadline = Infinity;
      this.#ports.fail({ reason: "authenticationTimedOut", of: "peer", method: this.method });
    }
  }

  /**
   * Handles a PAP Authenticate-Request.
   *
   * @throws {DecodeError} if the packet is malformed
   */
  receivePap(packet: ControlPacket): void {
    if (this.method !== "pap") {
      this.#ports.drop("unexpectedAuthentication");
      return;
    }
    const { peerId, password } = decodePapRequest(packet.data);
    if (this.#reply !== undefined) {
      // The reply may have been lost (RFC 1334 section 2.2.1).
      this.#ports.send(PPP_PROTOCOL.PAP, { ...this.#reply, identifier: packet.identifier });
      return;
    }
    this.#verifyPap(packet.identifier, peerId, password);
  }

  /**
   * Handles a CHAP Response.
   *
   * @throws {DecodeError} if the packet is malformed
   */
  receiveChap(packet: ControlPacket): void {
    if (this.method === "pap") {
      this.#ports.drop("unexpectedAuthentication");
      return;
    }
    if (this.#challenge.length === 0 || packet.identifier !== this.#identifier) {
      this.#ports.drop("unexpectedReply");
      return;
    }
    if (this.#isAnswered) {
      // The reply may have been lost (RFC 1994 section 4.1).
      this.#ports.send(PPP_PROTOCOL.CHAP, this.#reply!);
      return;
    }
    const { value, name } = decodeChapValue(packet.data);
    this.#verifyChap(this.method, value, name);
  }

  /** Returns the secret of a peer. An empty secret counts as none (RFC 1994 section 2.3). */
  #secretOf(name: string): string | undefined {
    return this.#ports.settings.peerSecret?.(name) || undefined;
  }

  #verifyPap(identifier: number, peerId: Uint8Array, password: Uint8Array): void {
    const name = decodeText(peerId);
    const { crypto: algorithms } = this.#ports.settings;
    const secret = this.#secretOf(name);
    // Comparing digests hides the length of the password.
    const expected = algorithms.sha1(new TextEncoder().encode(secret ?? ""));
    const isValid = equalInConstantTime(expected, algorithms.sha1(password)) && secret !== undefined;
    const code = isValid ? PAP_CODE.AUTHENTICATE_ACK : PAP_CODE.AUTHENTICATE_NAK;
    this.#reply = { code, identifier, data: encodePapMessage(NO_BYTES) };
    this.#ports.send(PPP_PROTOCOL.PAP, this.#reply);
    this.#conclude(isValid, name, peerId);
  }

  /** @throws {DecodeError} if the value has the wrong length */
  #verifyChap(method: ChapMethod, value: Uint8Array, nameBytes: Uint8Array): void {
    const { settings } = this.#ports;
    const name = decodeText(nameBytes);
    const secret = this.#secretOf(name);
    const context = { method, identifier: this.#identifier, challenge: this.#challenge, name: nameBytes };
    const { isValid: isValidResponse, proof } = checkResponse(settings, context, value, secret ?? "");
    // A rechallenge must not change the authenticated name.
    const isSame = this.#state !== "succeeded" || name === this.#name;
    const isValid = isValidResponse && secret !== undefined && isSame;
    this.#isAnswered = true;
    this.#reply = {
      code: isValid ? CHAP_CODE.SUCCESS : CHAP_CODE.FAILURE,
      identifier: this.#identifier,
      data: new TextEncoder().encode(this.#message(method, isValid, proof)),
    };
    this.#ports.send(PPP_PROTOCOL.CHAP, this.#reply);
    this.#conclude(isValid, name, nameBytes);
  }

  #message(method: ChapMethod, isValid: boolean, proof: Uint8Array | undefined): string {
    if (isValid) return proof === undefined ? "" : formatMsChapV2Success(proof, "");
    if (method === "chap") return "";
    const version = CHANGE_PASSWORD_VERSION[method];
    const challenge = method === "mschapv2"
      ? this.#ports.settings.random(CHALLENGE_BYTES[method])
      : undefined;
    return formatMsChapFailure({ error: AUTHENTICATION_FAILURE, retry: false, challenge, version });
  }

  #conclude(isValid: boolean, name: string, nameBytes: Uint8Array): void {
    const { settings, now } = this.#ports;
    const { method } = this;
    const isFirst = this.#state === "pending";
    const mayRepeat = isValid && method !== "pap" && settings.rechallengeMs > 0;
    this.#deadline = mayRepeat ? now + settings.rechallengeMs : Infinity;
    if (!isValid) {
      this.#state = "failed";
      this.#name = peerText(nameBytes);
      this.#ports.fail({ reason: "authenticationFailed", of: "peer", method, name: this.#name });
      return;
    }
    this.#state = "succeeded";
    this.#name = name;
    if (isFirst) this.#ports.authenticated({ of: "peer", method, name });
  }

  /** Verifies the response that the LAC received from the peer. Returns `false` if the proxy AVPs are not usable. */
  #verifyProxy({ type, name, challenge, identifier, response }: ProxyAuth): boolean {
    const { method } = this;
    if (PROXY_TYPES[type] !== method || name === undefined || response === undefined) return false;
    if (method === "pap") {
      this.#verifyPap(identifier ?? 0, name, response);
      return true;
    }
    const isComplete = challenge !== undefined && challenge.length > 0 && identifier !== undefined;
    if (!isComplete) return false;
    // A response of another protocol (MS-CHAP version 2 has no Proxy Authen Type) is not usable.
    const length = method === "chap" ? 16 : 49;
    if (response.length !== length || (method === "mschap" && challenge.length !== CHALLENGE_BYTES.mschap)) {
      return false;
    }
    this.#identifier = identifier & 0xff;
    this.#challenge = challenge.slice();
    this.#verifyChap(method, response, name);
    return true;
  }

  #sendNewChallenge(method: ChapMethod): void {
    this.#identifier = (this.#identifier + 1) & 0xff;
    this.#challenge = this.#ports.settings.random(CHALLENGE_BYTES[method]);
    this.#isAnswered = false;
    this.#transmissionsLeft = this.#ports.settings.maxConfigure;
    this.#sendChallenge();
  }

  #sendChallenge(): void {
    const { settings, now } = this.#ports;
    this.#transmissionsLeft--;
    this.#deadline = now + settings.restartMs;
    const name = new TextEncoder().encode(settings.name);
    this.#ports.send(PPP_PROTOCOL.CHAP, {
      code: CHAP_CODE.CHALLENGE,
      identifier: this.#identifier,
      data: encodeChapValue({ value: this.#challenge, name }),
    });
  }
}
