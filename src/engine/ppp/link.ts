/**
 * A PPP link: LCP, authentication and network protocols, run through the phases of RFC 1661 section 3.
 *
 * ```
 *  dead ── lowerUp ──▶ establish ── LCP opened ──▶ authenticate ── succeeded ──▶ network
 *   ▲                     │ timed out                   │ failed                    │ closed
 *   └───── lowerDown ◀── finished ◀── terminate ◀───────┴───────────────────────────┘
 * ```
 *
 * The link performs no I/O: its inputs are bytes, time and random bytes, and its outputs are effects.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import type { PppEnd, PppPhase, PppStatus } from "../../model/ppp/status.ts";
import { PPP_PROTOCOL } from "../../wire/ppp/constants.ts";
import {
  type ControlPacket,
  decodeControlPacket,
  encodeControlPacket,
} from "../../wire/ppp/control_packet.ts";
import { decodePppFrame, encodePppFrame } from "../../wire/ppp/frame.ts";
import { receiverOf } from "./authentication_receiver.ts";
import { Authenticatee } from "./authenticatee.ts";
import { Authenticator } from "./authenticator.ts";
import type { ControlProtocol } from "./control_protocol.ts";
import type { AuthenticatedEffect, PppDropReason, PppEffect } from "./effects.ts";
import { Ipcp } from "./ipcp.ts";
import { Ipv6cp } from "./ipv6cp.ts";
import { Lcp } from "./lcp.ts";
import type { LinkPorts } from "./link_ports.ts";
import { checkText, type PppOptions, type PppSettings, type ProxyLcp, withDefaults } from "./options.ts";

/**
 * A PPP link over an L2TP session. After every call with `now` the caller performs the effects of
 * {@link takeEffects} and sets its single timer to {@link deadline}. `now` is in milliseconds and must not decrease.
 */
export class PppLink {
  /** The link as seen by its layers. A class, because one closure for each port would be most of a link's memory. */
  static readonly #Ports = class implements LinkPorts {
    readonly #link: PppLink;

    constructor(link: PppLink) {
      this.#link = link;
    }

    get settings(): PppSettings {
      return this.#link.#settings;
    }

    get now(): number {
      return this.#link.#now;
    }

    get mtu(): number {
      return this.#link.#lcp.peer.mru;
    }

    send(protocol: number, packet: ControlPacket): void {
      const frame = encodePppFrame(protocol, encodeControlPacket(packet));
      this.#link.#effects.push({ effect: "send", frame });
    }

    drop(reason: PppDropReason): void {
      const drops = this.#link.#drops;
      drops[reason] = (drops[reason] ?? 0) + 1;
    }

    layerUp(protocol: number): void {
      this.#link.#layerUp(protocol);
    }

    layerDown(protocol: number): void {
      this.#link.#layerDown(protocol);
    }

    layerFinished(protocol: number): void {
      this.#link.#layerFinished(protocol);
    }

    protocolRejected(protocol: number): void {
      this.#link.#protocolRejected(protocol);
    }

    authenticated(success: Omit<AuthenticatedEffect, "effect">): void {
      this.#link.#authenticated(success);
    }

    noteEnd(end: PppEnd): void {
      this.#link.#end ??= end;
    }

    fail(end: PppEnd): void {
      this.#link.#terminate(end);
    }
  };

  readonly #settings: PppSettings;
  readonly #ports: LinkPorts;
  readonly #lcp: Lcp;
  readonly #ipcp: Ipcp | undefined;
  readonly #ipv6cp: Ipv6cp | undefined;
  #authenticator: Authenticator | undefined;
  #authenticatee: Authenticatee | undefined;
  #proxy: ProxyLcp | undefined;

  #now = 0;
  #effects: PppEffect[] = [];
  #drops: Partial<Record<PppDropReason, number>> = {};
  #phase: PppPhase = "dead";
  /** Time at which the current phase times out. */
  #phaseEndsAt = Infinity;
  #isLowerUp = false;
  /** True from `open` until the link has finished. */
  #isOpen = false;
  /** True from the `finished` effect until the next `open` or `lowerUp`. */
  #isFinished = false;
  #isIpv4Up = false;
  #isIpv6Up = false;
  #end: PppEnd | undefined;

  /**
   * Creates a closed link whose lower layer is down. `proxy` holds the proxy AVPs of a LAC. The link uses them once,
   * when it is open and its lower layer is up for the first time.
   *
   * @throws {RangeError} if a setting is out of range
   */
  constructor(options: PppOptions, proxy?: ProxyLcp) {
    this.#settings = withDefaults(options);
    this.#proxy = proxy;
    this.#ports = new PppLink.#Ports(this);
    const { ipv4, ipv6 } = this.#settings;
    this.#lcp = new Lcp(this.#ports);
    this.#ipcp = ipv4 === false ? undefined : new Ipcp(this.#ports, ipv4);
    this.#ipv6cp = ipv6 === false ? undefined : new Ipv6cp(this.#ports, ipv6);
  }

  /** The session has started to carry frames. */
  lowerUp(now: number): void {
    this.#now = now;
    if (this.#isLowerUp) return;
    this.#isLowerUp = true;
    this.#isFinished = false;
    if (this.#isOpen) this.#enter("establish");
    if (!this.#openByProxy()) this.#lcp.lowerUp();
  }

  /** The session no longer carries frames. All layers go down, and an open link finishes. */
  lowerDown(now: number): void {
    this.#now = now;
    if (!this.#isLowerUp) return;
    this.#isLowerUp = false;
    this.#end ??= { reason: "lowerLayerDown" };
    this.#lcp.lowerDown();
    this.#finish();
  }

  /**
   * Opens the link, now or as soon as the session carries frames. Does nothing while the link is open, which lasts
   * until its `finished` effect.
   */
  open(now: number): void {
    this.#now = now;
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#isFinished = false;
    this.#end = undefined;
    if (this.#isLowerUp) this.#enter("establish");
    if (!this.#openByProxy()) this.#lcp.open();
  }

  /** Terminates the link. The Terminate-Request carries at most the first 100 bytes of `message`. */
  close(now: number, message?: string): void {
    this.#now = now;
    this.#terminate({ reason: "closed", message }, message);
  }

  /**
   * Handles a received frame, with or without Address and Control fields. The link keeps no reference to it. Malformed
   * or unexpected frames are counted as drops and throw nothing.
   */
  receive(frame: Uint8Array, now: number): void {
    this.#now = now;
    try {
      this.#receive(frame);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#ports.drop("malformed");
    }
  }

  /** Handles all timers that have expired. */
  timeout(now: number): void {
    this.#now = now;
    const layers = [this.#lcp, this.#authenticator, this.#authenticatee, this.#ipcp, this.#ipv6cp];
    for (const layer of layers) {
      if (layer !== undefined && now >= layer.deadline) layer.timeout();
    }
    if (now >= this.#phaseEndsAt) this.#phaseTimedOut();
  }

  /** Returns the time of the next {@link timeout} call, in milliseconds; `undefined` if no timer runs. */
  deadline(): number | undefined {
    const deadline = Math.min(
      this.#phaseEndsAt,
      this.#lcp.deadline,
      this.#authenticator?.deadline ?? Infinity,
      this.#authenticatee?.deadline ?? Infinity,
      this.#ipcp?.deadline ?? Infinity,
      this.#ipv6cp?.deadline ?? Infinity,
    );
    return deadline === Infinity ? undefined : deadline;
  }

  /** Returns the effects since the last call, in order. The caller owns the array. */
  takeEffects(): PppEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Sends a Time-Remaining packet, which is advisory (RFC 1570 section 1.2). */
  announceTimeRemaining(now: number, seconds: number): void {
    this.#now = now;
    if (this.#lcp.state === "Opened") this.#lcp.announceTimeRemaining(seconds);
  }

  /**
   * Replaces our secret from the next authentication on. A link that is up stays up.
   *
   * @throws {RangeError} if the secret has more than 255 bytes
   */
  renewSecret(secret: string | undefined): void {
    checkText("secret", secret);
    this.#settings.secret = secret;
  }

  /** Returns the state of the link. The status contains no secret. */
  status(): PppStatus {
    const lcp = this.#lcp;
    const ipcp = this.#ipcp;
    const ipv6cp = this.#ipv6cp;
    return {
      phase: this.#phase,
      lcp: { state: lcp.state, local: lcp.local, peer: lcp.peer },
      auth: { local: this.#authenticatee?.status, peer: this.#authenticator?.status },
      ipcp: ipcp && { state: ipcp.state, local: ipcp.local, peer: ipcp.peer, dns: ipcp.dns, nbns: ipcp.nbns },
      ipv6cp: ipv6cp && { state: ipv6cp.state, localId: ipv6cp.localId, peerId: ipv6cp.peerId },
      echo: lcp.echoes,
      identification: lcp.identification,
      secondsRemaining: lcp.secondsRemaining,
      drops: { ...this.#drops },
      end: this.#end,
    };
  }

  #receive(frame: Uint8Array): void {
    if (!this.#isLowerUp || this.#isFinished) {
      this.#ports.drop(this.#isLowerUp ? "finished" : "lowerLayerDown");
      return;
    }
    const { protocol, payload } = decodePppFrame(frame);
    switch (protocol) {
      case PPP_PROTOCOL.LCP:
        this.#lcp.receive(payload);
        return;
      case PPP_PROTOCOL.PAP:
      case PPP_PROTOCOL.CHAP:
        this.#receiveAuthentication(protocol, decodeControlPacket(payload));
        return;
      case PPP_PROTOCOL.IPCP:
        this.#receiveNetwork(this.#ipcp, protocol, payload);
        return;
      case PPP_PROTOCOL.IPV6CP:
        this.#receiveNetwork(this.#ipv6cp, protocol, payload);
        return;
      case PPP_PROTOCOL.IP:
      case PPP_PROTOCOL.IPV6:
        this.#ports.drop("data");
        return;
      default:
        this.#receiveNetwork(undefined, protocol, payload);
    }
  }

  #receiveAuthentication(protocol: number, packet: ControlPacket): void {
    const receiver = receiverOf(protocol, packet.code);
    const side = receiver === "authenticator" ? this.#authenticator : this.#authenticatee;
    if (this.#lcp.state !== "Opened") this.#ports.drop("phase");
    else if (receiver === "changePassword") this.#ports.drop(receiver);
    else if (receiver === undefined || side === undefined) this.#ports.drop("unexpectedAuthentication");
    else if (protocol === PPP_PROTOCOL.PAP) side.receivePap(packet);
    else side.receiveChap(packet);
  }

  /** Handles frames of network protocols, and rejects unknown and disabled protocols. */
  #receiveNetwork(layer: ControlProtocol | undefined, protocol: number, payload: Uint8Array): void {
    // Before the network phase they must be silently discarded (RFC 1661 sections 3.4 and 3.5).
    if (this.#phase !== "network") this.#ports.drop("phase");
    else if (layer === undefined || layer.state === "Initial") this.#lcp.rejectProtocol(protocol, payload);
    else layer.receive(payload);
  }

  /** Handles a Protocol-Reject. */
  #protocolRejected(protocol: number): void {
    switch (protocol) {
      case PPP_PROTOCOL.LCP:
        this.#lcp.rejectedByPeer();
        return;
      case PPP_PROTOCOL.IPCP:
      case PPP_PROTOCOL.IP:
        this.#ipcp?.rejectedByPeer();
        return;
      case PPP_PROTOCOL.IPV6CP:
      case PPP_PROTOCOL.IPV6:
        this.#ipv6cp?.rejectedByPeer();
        return;
      case PPP_PROTOCOL.PAP:
      case PPP_PROTOCOL.CHAP: {
        const isUsed = [this.#authenticator, this.#authenticatee].some((side) =>
          side !== undefined && (side.method === "pap") === (protocol === PPP_PROTOCOL.PAP)
        );
        if (isUsed) this.#terminate({ reason: "rejectedByPeer", protocol });
      }
    }
  }

  #enter(phase: PppPhase): void {
    this.#phase = phase;
    const isLimited = phase === "establish" || phase === "authenticate" || phase === "network";
    this.#phaseEndsAt = isLimited ? this.#now + this.#settings.phaseLimitMs : Infinity;
  }

  /** Opens LCP with the options that the LAC negotiated. Returns `false` if LCP must negotiate itself. */
  #openByProxy(): boolean {
    const proxy = this.#proxy;
    if (proxy === undefined || !this.#isLowerUp || !this.#isOpen) return false;
    try {
      return this.#lcp.openByProxy(proxy);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#ports.drop("malformed");
      return false;
    } finally {
      this.#proxy = undefined;
    }
  }

  #layerUp(protocol: number): void {
    switch (protocol) {
      case PPP_PROTOCOL.LCP:
        this.#lcpUp();
        return;
      case PPP_PROTOCOL.IPCP:
        this.#ipcpUp();
        return;
      case PPP_PROTOCOL.IPV6CP:
        this.#ipv6cpUp();
    }
  }

  #layerDown(protocol: number): void {
    switch (protocol) {
      case PPP_PROTOCOL.LCP:
        this.#lcpDown();
        return;
      case PPP_PROTOCOL.IPCP:
        if (this.#isIpv4Up) this.#effects.push({ effect: "ipv4Down" });
        this.#isIpv4Up = false;
        return;
      case PPP_PROTOCOL.IPV6CP:
        if (this.#isIpv6Up) this.#effects.push({ effect: "ipv6Down" });
        this.#isIpv6Up = false;
    }
  }

  #layerFinished(protocol: number): void {
    if (protocol === PPP_PROTOCOL.LCP) this.#finish();
    else this.#checkNetwork();
  }

  #lcpUp(): void {
    const { local, peer } = this.#lcp;
    this.#end = undefined;
    const { pfc, acfc } = peer;
    this.#effects.push({ effect: "linkUp", mtu: peer.mru, mru: local.mru, pfc, acfc, magic: local.magic });
    this.#lcp.opened();
    this.#authenticator = local.auth && new Authenticator(this.#ports, local.auth);
    this.#authenticatee = peer.auth && new Authenticatee(this.#ports, peer.auth, this.#authenticator);
    this.#enter("authenticate");
    this.#authenticator?.start(this.#proxy?.auth);
    this.#authenticatee?.start();
    if (this.#authenticator === undefined && this.#authenticatee === undefined) this.#startNetwork();
  }

  #authenticated(success: Omit<AuthenticatedEffect, "effect">): void {
    this.#effects.push({ effect: "authenticated", ...success });
    const isPending = [this.#authenticator, this.#authenticatee].some((side) =>
      side?.status.state === "pending"
    );
    if (!isPending && this.#phase === "authenticate") this.#startNetwork();
  }

  #startNetwork(): void {
    this.#enter("network");
    if (this.#ipcp === undefined && this.#ipv6cp === undefined) {
      this.#phaseEndsAt = Infinity;
      return;
    }
    this.#ipcp?.open();
    this.#ipv6cp?.open();
    if (this.#ipcp?.lease(this.#authenticator?.peerName) === true) this.#ipcp.lowerUp();
    else this.#ipcp?.close();
    this.#ipv6cp?.lowerUp();
  }

  #ipcpUp(): void {
    const { local, peer, dns, nbns } = this.#ipcp!;
    if (local === undefined) {
      this.#ipcp!.closeWithoutAddress();
      return;
    }
    this.#phaseEndsAt = Infinity;
    this.#isIpv4Up = true;
    this.#effects.push({ effect: "ipv4Up", local, peer, dns, nbns });
  }

  #ipv6cpUp(): void {
    const { localId, peerId } = this.#ipv6cp!;
    this.#phaseEndsAt = Infinity;
    this.#isIpv6Up = true;
    this.#effects.push({ effect: "ipv6Up", localId: localId!, peerId });
  }

  /** Terminates the link if no network protocol is open or still negotiating. */
  #checkNetwork(): void {
    if (this.#phase !== "network") return;
    const isLeft = [this.#ipcp, this.#ipv6cp].some((layer) =>
      layer !== undefined && !["Initial", "Closed", "Stopped"].includes(layer.state)
    );
    if (!isLeft) this.#terminate(this.#ipcp?.problem ?? { reason: "noNetworkProtocol" });
  }

  #lcpDown(): void {
    // The automaton is in its next state already: LCP terminates or renegotiates.
    const { state } = this.#lcp;
    const isEnding = state === "Closing" || state === "Stopping" || state === "Starting";
    this.#enter(isEnding ? "terminate" : "establish");
    this.#lcp.left();
    this.#authenticator?.stop();
    this.#authenticatee?.stop();
    this.#ipcp?.lowerDown();
    this.#ipcp?.release();
    this.#ipv6cp?.lowerDown();
    this.#effects.push({ effect: "linkDown" });
  }

  #phaseTimedOut(): void {
    const sides = [["peer", this.#authenticator], ["local", this.#authenticatee]] as const;
    const [of, side] = sides.find(([, side]) => side?.status.state === "pending") ?? [];
    if (this.#phase === "authenticate" && of !== undefined && side !== undefined) {
      this.#terminate({ reason: "authenticationTimedOut", of, method: side.method });
    } else if (this.#phase === "network") {
      this.#terminate(this.#ipcp?.problem ?? { reason: "noNetworkProtocol" });
    } else this.#terminate({ reason: "lcpTimedOut" });
  }

  #terminate(end: PppEnd, message?: string): void {
    if (!this.#isOpen) return;
    this.#end ??= end;
    if (this.#isLowerUp) this.#enter("terminate");
    this.#lcp.close(message);
  }

  #finish(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#isFinished = true;
    this.#enter("dead");
    // Withdraw Open from every layer, in whatever state the termination has left it.
    this.#lcp.close();
    this.#ipcp?.close();
    this.#ipv6cp?.close();
    this.#effects.push({ effect: "finished", end: this.#end ?? { reason: "closed" } });
  }
}
