/**
 * The keep-alive of a link: Echo-Requests of LCP (RFC 1661 section 5.8) at a fixed interval. Unanswered requests are
 * counted, and too many in a row end the link. `Lcp` sends and receives the packets.
 *
 * @module
 */

import type { PppStatus } from "../../model/ppp/status.ts";
import type { LinkPorts } from "./link_ports.ts";

/** The echo keep-alive of one link. */
export class LcpEcho {
  readonly #ports: LinkPorts;
  #deadline = Infinity;
  /** Identifier of the last Echo-Request. */
  #identifier = 0;
  #sentAt = 0;
  /** The last Echo-Request has no reply yet. */
  #isPending = false;
  /** False after the peer has rejected Echo-Requests. */
  #isSupported = true;
  #counters = { sent: 0, answered: 0, missed: 0, roundTripMs: undefined as number | undefined };

  constructor(ports: LinkPorts) {
    this.#ports = ports;
  }

  /** Time of the next Echo-Request, in milliseconds of the caller's clock; `Infinity` if none will be sent. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Returns a copy of the counters: `missed` counts consecutive unanswered requests. */
  counters(): PppStatus["echo"] {
    return { ...this.#counters };
  }

  /** Assumes again that the peer answers Echo-Requests. Called when a negotiation begins. */
  reset(): void {
    this.#isSupported = true;
  }

  /** Starts the keep-alive if the settings ask for one. Called when LCP has reached the Opened state. */
  start(): void {
    this.#isPending = false;
    this.#counters.missed = 0;
    const { echoIntervalMs } = this.#ports.settings;
    if (echoIntervalMs > 0 && this.#isSupported) this.#deadline = this.#ports.now + echoIntervalMs;
  }

  /** Stops the keep-alive. Called when LCP has left the Opened state. */
  stop(): void {
    this.#deadline = Infinity;
  }

  /** Stops the keep-alive until the next negotiation: the peer sent a Code-Reject for our Echo-Request. */
  rejected(): void {
    this.#isSupported = false;
    this.#deadline = Infinity;
  }

  /**
   * Handles an expired deadline: counts an unanswered request, and ends the link if there are too many. Returns whether
   * to send an Echo-Request now; the caller reports it by {@link requestSent}.
   */
  timeout(): boolean {
    const { echoFailures } = this.#ports.settings;
    if (this.#isPending) {
      const missedEchoes = ++this.#counters.missed;
      if (missedEchoes === echoFailures) {
        this.#ports.fail({ reason: "peerUnresponsive", missedEchoes });
        return false;
      }
    }
    return true;
  }

  /** Records an Echo-Request that is being sent, and schedules the next one. */
  requestSent(identifier: number): void {
    this.#deadline = this.#ports.now + this.#ports.settings.echoIntervalMs;
    this.#sentAt = this.#ports.now;
    this.#isPending = true;
    this.#identifier = identifier;
    this.#counters.sent++;
  }

  /** Handles an Echo-Reply. A reply that does not match the last request is dropped. */
  receiveReply(identifier: number): void {
    if (!this.#isPending || identifier !== this.#identifier) {
      this.#ports.drop("unexpectedReply");
      return;
    }
    this.#isPending = false;
    this.#counters.answered++;
    this.#counters.missed = 0;
    this.#counters.roundTripMs = this.#ports.now - this.#sentAt;
  }
}
