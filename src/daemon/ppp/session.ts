/**
 * One PPP session: the engine's link, the path of its packets, and its interface.
 *
 * @module
 */

import { NetlinkError, SyscallError } from "../../base/errors.ts";
import { parseHex } from "../../base/hex.ts";
import { formatIpAddress, linkLocalAddress } from "../../base/ip_address.ts";
import type { LinkClient } from "../../client/link_client.ts";
import { RateLimiter } from "../../base/rate_limiter.ts";
import type { PppPath, PppPathUser } from "../../driver/ppp/path.ts";
import type { TimerClient, Timers } from "../../driver/system/timers.ts";
import type { AttachedPpp } from "./attachment.ts";
import { type PppEffect, PppLink, type PppOptions } from "../../engine/ppp/mod.ts";
import type { PppEnd, PppStatus } from "../../model/ppp/status.ts";
import { pppEndText } from "../../model/ppp/end.ts";
import type { LinkAddress, LinkRoute } from "../../model/link.ts";
import type { PppSessionSettings } from "../../model/ppp/settings.ts";
import { Backoff } from "../../base/backoff.ts";

/** Rate limit of log lines that a peer can cause. */
const LINES_AT_ONCE = 20;
const LINES_PER_SECOND = 0.2;
/** Smallest MTU with which the system runs IPv6 on an interface (RFC 8200 section 5). */
const IPV6_MTU_MIN = 1280;

/** Dependencies of a session. */
export interface PppSessionParts {
  /** Its name in the log. */
  readonly name: string;
  /** Attaches PPP to the L2TP session. */
  readonly attach: (user: PppPathUser) => AttachedPpp;
  /** Interfaces of its namespace. Borrowed. */
  readonly links: LinkClient;
  /** Timers that wake it. Borrowed. */
  readonly timers: Timers;
  /** Options of the engine, except for the MRU. */
  readonly options: PppOptions;
  /** The settings of the request. */
  readonly settings: PppSessionSettings;
  /** Called whenever the link changes. */
  readonly noteActivity: () => void;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
  /** Called once the L2TP session is gone; then this must be disposed of. */
  readonly lost: () => void;
}

/** A PPP session. Runs until it is disposed of: a link that ends is restarted after a pause. */
export class PppSession implements Disposable, TimerClient {
  readonly #parts: Omit<PppSessionParts, "attach" | "options">;
  readonly #link: PppLink;
  readonly #path: PppPath;
  /** Upper limit of the interface's MTU; the peer's MRU may lower it. */
  readonly #mtu: number;
  #addresses: { ipv4?: LinkAddress; ipv6?: LinkAddress } = {};
  #route: LinkRoute | undefined;
  #restartAt = Infinity;
  readonly #pause = new Backoff();
  #upSince: number | undefined;
  #lastReported: PppEnd["reason"] | undefined;
  #interfaceMtu = 0;
  #disposed = false;
  readonly #lines = new RateLimiter(LINES_AT_ONCE, LINES_PER_SECOND);

  /**
   * Attaches PPP and starts to negotiate.
   *
   * @throws {RangeError} if a setting is out of range
   * @throws {SyscallError} if PPP cannot be attached
   * @throws {NetlinkError} if the interface cannot be created
   */
  constructor(parts: PppSessionParts) {
    const { attach, options, ...kept } = parts;
    this.#parts = kept;
    const { settings } = kept;
    // No callback comes before this constructor returns.
    const { path, mtu } = attach({
      receive: (frame) => this.#do((now) => this.#link.receive(frame, now)),
      ending: () => this.#do((now) => this.#link.close(now)),
      lost: () => {
        this.#log("the session or its interface is gone: PPP ended");
        kept.lost();
      },
    });
    using stack = new DisposableStack();
    this.#path = stack.use(path);
    this.#mtu = settings.mtu ?? mtu;
    this.#link = new PppLink({ ...options, mru: settings.mru ?? mtu });
    stack.move();
    this.#do((now) => {
      this.#link.open(now);
      this.#link.lowerUp(now);
    });
  }

  /** Name of the interface. */
  get interfaceName(): string {
    return this.#path.interfaceName;
  }

  /**
   * Replaces our own secret from the next authentication on.
   *
   * @throws {RangeError} if it is too long
   */
  renewSecret(secret: string | undefined): void {
    this.#link.renewSecret(secret);
  }

  /** The status of the link. */
  status(): PppStatus {
    return this.#link.status();
  }

  /** Terminates the link, and deletes the interface. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    try {
      this.#do((now) => this.#link.close(now));
    } finally {
      this.#disposed = true;
      try {
        this.#do((now) => this.#link.lowerDown(now));
      } finally {
        this.#path[Symbol.dispose]();
      }
    }
  }

  /** Calls the action, performs the effects that the link asks for, and sets the timer. */
  #do(action: (now: number) => void): void {
    action(performance.now());
    for (let effects = this.#link.takeEffects(); effects.length > 0; effects = this.#link.takeEffects()) {
      for (const effect of effects) this.#perform(effect);
    }
    this.#arm();
  }

  #arm(): void {
    const due = this.#disposed ? Infinity : Math.min(this.#link.deadline() ?? Infinity, this.#restartAt);
    this.#parts.timers.set(this, due);
  }

  /** Called by the timers: handles a timeout or restarts the link. */
  wake(): void {
    this.#do((now) => {
      if (now < this.#restartAt) return this.#link.timeout(now);
      this.#restartAt = Infinity;
      this.#link.lowerDown(now);
      this.#link.open(now);
      this.#link.lowerUp(now);
    });
  }

  /** Logs a line that a peer can cause, at a limited rate. */
  #log(line: string): void {
    const { name, log } = this.#parts;
    if (this.#lines.take(performance.now())) log(`${name}: ${line}`);
  }

  #perform(effect: PppEffect): void {
    const { settings, links, noteActivity } = this.#parts;
    if (effect.effect !== "send") noteActivity();
    const index = this.#path.interfaceIndex;
    switch (effect.effect) {
      case "send":
        return this.#path.send(effect.frame);
      case "linkUp": {
        const { mru, pfc, acfc } = effect;
        const mtu = this.#interfaceMtu = Math.min(effect.mtu, this.#mtu);
        if (!this.#onSystem("set up the interface", () => this.#path.configure({ mtu, mru, pfc, acfc }))) {
          this.#link.close(performance.now(), "no interface");
        }
        return;
      }
      case "authenticated":
        return this.#log(
          effect.of === "peer"
            ? `peer authenticated as ${JSON.stringify(effect.name)} (${effect.method})`
            : `authenticated to the peer as ${JSON.stringify(effect.name)} (${effect.method})`,
        );
      case "ipv4Up":
        this.#onSystem("set the IPv4 address", () => {
          const { local, peer } = effect;
          const address = { index, address: local, prefixLength: 32, ...(peer !== undefined && { peer }) };
          links.addAddress(address);
          this.#addresses.ipv4 = address;
          this.#up("ipv4");
          this.#log(`IPv4 up: local ${local}, peer ${peer ?? "unknown"}`);
          if (settings.ipv4 && settings.ipv4.defaultRoute) this.#addDefaultRoute();
        });
        return;
      case "ipv6Up":
        if (this.#interfaceMtu < IPV6_MTU_MIN) {
          return this.#log(
            `IPv6 disabled: it needs an MTU of ${IPV6_MTU_MIN}, the link has ${this.#interfaceMtu}`,
          );
        }
        this.#onSystem("set the IPv6 address", () => {
          // Both ends have negotiated their identifiers: duplicate address detection is redundant (RFC 5072 section 5).
          const address = {
            ...{ index, address: linkLocal(effect.localId), prefixLength: 64 },
            isUnique: true as const,
          };
          links.addAddress(address);
          this.#addresses.ipv6 = address;
          this.#up("ipv6");
          this.#log(`IPv6 up: ${address.address}`);
        });
        return;
      case "ipv4Down":
        return this.#down("ipv4");
      case "ipv6Down":
        return this.#down("ipv6");
      case "linkDown":
        return;
      case "finished":
        return this.#finished(effect.end);
      default:
        effect satisfies never;
    }
  }

  #up(protocol: "ipv4" | "ipv6"): void {
    this.#parts.links.changeLink(this.#path.interfaceIndex, { up: true });
    this.#path.pass(protocol, true);
    this.#upSince ??= performance.now();
  }

  #down(protocol: "ipv4" | "ipv6"): void {
    const { links } = this.#parts;
    this.#path.pass(protocol, false);
    const address = this.#addresses[protocol];
    if (address === undefined) return;
    delete this.#addresses[protocol];
    if (protocol === "ipv4" && this.#route !== undefined) {
      const route = this.#route;
      this.#route = undefined;
      quietly(() => links.deleteRoute(route));
    }
    quietly(() => links.deleteAddress(address));
    this.#log(`${protocol === "ipv4" ? "IPv4" : "IPv6"} down`);
  }

  /** Adds a default route; an existing one stays, which is logged. */
  #addDefaultRoute(): void {
    const { links } = this.#parts;
    const route = { index: this.#path.interfaceIndex, destination: "0.0.0.0", prefixLength: 0 };
    try {
      links.addRoute(route);
      this.#route = route;
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      this.#log(`default route not added: ${error.code}`);
    }
  }

  /** Calls the action; logs a refusal of the system. Returns whether it succeeded. The link stays for the other protocol. */
  #onSystem(what: string, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (!(error instanceof NetlinkError || error instanceof SyscallError)) throw error;
      this.#log(`cannot ${what}: ${error.message}`);
      return false;
    }
  }

  #finished(end: PppEnd): void {
    if (this.#disposed) return;
    const now = performance.now();
    if (this.#upSince !== undefined && this.#pause.resetAfter(now - this.#upSince)) {
      this.#lastReported = undefined;
    }
    this.#upSince = undefined;
    // An absent peer is logged once.
    if (end.reason !== this.#lastReported) this.#log(`PPP ended: ${pppEndText(end)}`);
    this.#lastReported = end.reason;
    this.#restartAt = now + this.#pause.next();
  }
}

/** Forms the link-local address from an interface identifier of 16 hex digits (RFC 5072 section 5). */
function linkLocal(identifier: string): string {
  return formatIpAddress(linkLocalAddress(parseHex(identifier)!));
}

/** Calls an action that removes something, which may be gone already. */
function quietly(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof NetlinkError || error instanceof SyscallError)) throw error;
  }
}
