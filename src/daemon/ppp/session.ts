/**
 * One PPP session that runs: the engine's link, the path of its packets, and its interface.
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

/** Lines in the log that a peer can cause: so many at once, and so many a second. */
const LINES_AT_ONCE = 20;
const LINES_PER_SECOND = 0.2;
/** Below it the system has no IPv6 on an interface (RFC 8200 section 5). */
const IPV6_MTU_MIN = 1280;

/** What a session is made of. */
export interface PppSessionParts {
  /** What people know it by. */
  readonly name: string;
  /** Takes hold of the L2TP session. */
  readonly attach: (user: PppPathUser) => AttachedPpp;
  /** Interfaces of its namespace. Borrowed. */
  readonly links: LinkClient;
  /** What wakes it. Borrowed. */
  readonly timers: Timers;
  /** How the link is negotiated, but for the MRU. */
  readonly options: PppOptions;
  /** What else was asked for. */
  readonly settings: PppSessionSettings;
  /** Called whenever the link changes. */
  readonly noteActivity: () => void;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
  /** Called once the L2TP session has gone; this is to be disposed then. */
  readonly lost: () => void;
}

/** A PPP session. Runs until it is disposed: a link that ends is begun anew. */
export class PppSession implements Disposable, TimerClient {
  readonly #parts: Omit<PppSessionParts, "attach" | "options">;
  readonly #link: PppLink;
  readonly #path: PppPath;
  /** The longest packet that the interface is to send, if the peer takes it. */
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
   * Begins to negotiate.
   *
   * @throws {RangeError} if a setting is out of range
   * @throws {SyscallError} if the path cannot be made
   * @throws {NetlinkError} if the interface cannot be made
   */
  constructor(parts: PppSessionParts) {
    const { attach, options, ...kept } = parts;
    this.#parts = kept;
    const { settings } = kept;
    // Nothing comes before this returns.
    const { path, mtu } = attach({
      receive: (frame) => this.#do((now) => this.#link.receive(frame, now)),
      ending: () => this.#do((now) => this.#link.close(now)),
      lost: () => {
        this.#log("the session or its interface has gone: PPP is over");
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
   * Proves another secret of ours from the next authentication on.
   *
   * @throws {RangeError} if it is too long
   */
  renewSecret(secret: string | undefined): void {
    this.#link.renewSecret(secret);
  }

  /** How the link is. */
  status(): PppStatus {
    return this.#link.status();
  }

  /** Tells the peer that it is over, and takes the interface away. */
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

  /** Has the link do something, and does what it wants done. */
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

  /** For the clock: does what is due now. */
  wake(): void {
    this.#do((now) => {
      if (now < this.#restartAt) return this.#link.timeout(now);
      this.#restartAt = Infinity;
      this.#link.lowerDown(now);
      this.#link.open(now);
      this.#link.lowerUp(now);
    });
  }

  /** For what a peer can cause again and again. */
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
        if (!this.#onSystem("set up its interface", () => this.#path.configure({ mtu, mru, pfc, acfc }))) {
          this.#link.close(performance.now(), "no interface");
        }
        return;
      }
      case "authenticated":
        return this.#log(
          effect.of === "peer"
            ? `the peer is ${JSON.stringify(effect.name)} (${effect.method})`
            : `the peer knows us as ${JSON.stringify(effect.name)} (${effect.method})`,
        );
      case "ipv4Up":
        this.#onSystem("give it its IPv4 address", () => {
          const { local, peer } = effect;
          const address = { index, address: local, prefixLength: 32, ...(peer !== undefined && { peer }) };
          links.addAddress(address);
          this.#addresses.ipv4 = address;
          this.#up("ipv4");
          this.#log(`IPv4 is up: ${local}, the peer is ${peer ?? "unknown"}`);
          if (settings.ipv4 && settings.ipv4.defaultRoute) this.#addDefaultRoute();
        });
        return;
      case "ipv6Up":
        if (this.#interfaceMtu < IPV6_MTU_MIN) {
          return this.#log(
            `IPv6 takes an MTU of ${IPV6_MTU_MIN}, and this is ${this.#interfaceMtu}: no IPv6 passes`,
          );
        }
        this.#onSystem("give it its IPv6 address", () => {
          // Both ends have agreed on their identifiers: looking for duplicates is redundant (RFC 5072 section 5).
          const address = {
            ...{ index, address: linkLocal(effect.localId), prefixLength: 64 },
            isUnique: true as const,
          };
          links.addAddress(address);
          this.#addresses.ipv6 = address;
          this.#up("ipv6");
          this.#log(`IPv6 is up: ${address.address}`);
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
    this.#log(`${protocol === "ipv4" ? "IPv4" : "IPv6"} is down`);
  }

  /** There may be one that is somebody else's; that one stays. */
  #addDefaultRoute(): void {
    const { links } = this.#parts;
    const route = { index: this.#path.interfaceIndex, destination: "0.0.0.0", prefixLength: 0 };
    try {
      links.addRoute(route);
      this.#route = route;
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      this.#log(`there is no default route through it: ${error.code}`);
    }
  }

  /** What the system refuses is told; returns whether it did not. The link stays, for the other protocol's sake. */
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
    if (this.#upSince !== undefined && this.#pause.resetAfter(now - this.#upSince)) this.#lastReported = undefined;
    this.#upSince = undefined;
    // A peer that is not there for days is told of once.
    if (end.reason !== this.#lastReported) this.#log(`PPP has ended: ${pppEndText(end)}`);
    this.#lastReported = end.reason;
    this.#restartAt = now + this.#pause.next();
  }
}

/** The link-local address with an interface identifier of 16 hex digits (RFC 5072 section 5). */
function linkLocal(identifier: string): string {
  return formatIpAddress(linkLocalAddress(parseHex(identifier)!));
}

/** What is gone already needs no removing. */
function quietly(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof NetlinkError || error instanceof SyscallError)) throw error;
  }
}
