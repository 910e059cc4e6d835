/**
 * The PPP sessions of the daemon: on L2TP sessions of its own, and on the kernel's.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { LinkClient } from "../../client/link_client.ts";
import { PPP_CRYPTO } from "../../driver/ppp/crypto.ts";
import type { AddressPool, PppOptions } from "../../engine/ppp/mod.ts";
import type { PppInterface } from "../../model/ppp/interfaces.ts";
import type { PppSecret, PppSessionSettings } from "../../model/ppp/settings.ts";
import type { PppRequest, PppSessionId, PppSessionStatus } from "../../wire/l2tpd/ppp.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import { Timers } from "../../driver/system/timers.ts";
import type { HeldSession, PppAttach, PppHoldRequest } from "./attachment.ts";
import { PppPool } from "./address_pool.ts";
import { PppSession } from "./session.ts";
import { PppdSession } from "./pppd_session.ts";

/**
 * The Restart timer (RFC 1661 section 4.6), shorter than its 3 seconds: our first request is often lost, when the peer
 * begins later than we do.
 */
const RESTART_MS = 1000;

/** How often a peer is asked whether it is there, unless the request says. */
const ECHO_INTERVAL_MS = 20_000;

/** What PPP sessions need. */
export interface PppSessionsParts {
  /** The namespaces that clients work in. */
  readonly namespaces: NetworkNamespaces;
  /** Makes paths, by whose session it is. */
  readonly attach: Readonly<Record<PppRequest["dataplane"], PppAttach>>;
  /** Takes hold of a session of the kernel for somebody else's PPP. */
  readonly hold: (request: PppHoldRequest) => HeldSession;
  /** Called whenever a session comes up or goes down. */
  readonly noteActivity: () => void;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/** A namespace with PPP sessions. */
interface NamespacePpp {
  readonly links: LinkClient;
  readonly pools: Map<string, AddressPool>;
  /** Addresses that peers have from any pool. */
  readonly leased: Set<string>;
  /** Addresses that sessions have without a pool, and how many of them. */
  readonly fixed: Map<string, number>;
  readonly sessions: Map<string, Running>;
}

/** Secrets by name, which may be replaced by others. */
class Secrets {
  #all: readonly PppSecret[] = [];

  take(secrets: readonly PppSecret[] = []): void {
    this.#all = secrets;
  }

  of(name: string | undefined): string | undefined {
    return this.#all.findLast((each) => each.name === name)?.secret;
  }
}

/** A session, and what was asked for. */
interface Running {
  readonly request: PppRequest;
  readonly session: AnySession;
  readonly secrets: Secrets;
}

type AnySession = PppSession | PppdSession;

/** The sessions. */
export class PppSessions implements AsyncDisposable {
  readonly #parts: PppSessionsParts;
  /** Those of pppd that are ending. */
  readonly #endings = new Set<Promise<void>>();
  readonly #namespaces = new Map<string, NamespacePpp>();
  readonly #timers = new Timers();

  /** None yet. */
  constructor(parts: PppSessionsParts) {
    this.#parts = parts;
  }

  /**
   * Runs PPP on a session, or has pppd do so.
   *
   * @throws {SyscallError} EBUSY or EEXIST if it runs there, ENODEV without such a session, EOPNOTSUPP for a session in
   * userspace that pppd is to have, ENOENT without pppd, and others
   * @throws {NetlinkError} EEXIST if the interface's name is in use
   * @throws {RangeError} if a setting is out of range
   */
  run(netns: string, request: PppRequest): void {
    const key = keyOf(request);
    const secrets = new Secrets();
    secrets.take(request.settings.secrets);
    const place = this.#namespaces.get(netns) ?? this.#open(netns);
    try {
      const lost = (): void => this.#end(netns, key, session);
      const session: AnySession = this.#begin(netns, { request, secrets, place, lost });
      // One that is left of a session that has gone and come back, of which nobody has told yet.
      const left = place.sessions.get(key);
      if (left !== undefined) {
        countFixed(place, left, -1);
        this.#dispose(left.session);
      }
      const running = { request, session, secrets };
      place.sessions.set(key, running);
      countFixed(place, running, 1);
    } finally {
      this.#closeIfEmpty(netns, place);
    }
  }

  /**
   * Gives PPP on a session the secrets of the request, for the next authentication. What is open stays open.
   *
   * @throws {SyscallError} ENODEV if it does not run there, EOPNOTSUPP if pppd has it
   */
  renewSecrets(netns: string, request: PppRequest): void {
    const { key, place, running } = this.#running(netns, request);
    const { secrets, secretsFrom } = request.settings;
    const { settings } = running.request;
    if (running.session instanceof PppdSession) throw new SyscallError("pppd", Errno.EOPNOTSUPP);
    running.secrets.take(secrets);
    running.session.renewSecret(running.secrets.of(settings.user));
    place.sessions.set(key, {
      ...running,
      request: { ...running.request, settings: { ...settings, secrets, secretsFrom } },
    });
  }

  /**
   * Ends PPP on a session, of which the peer is told. One of the kernel goes with it.
   *
   * @throws {SyscallError} ENODEV if it does not run there
   */
  end(netns: string, id: PppSessionId): void {
    const { key, running } = this.#running(netns, id);
    this.#end(netns, key, running.session);
  }

  #running(
    netns: string,
    id: PppSessionId,
  ): { readonly key: string; readonly place: NamespacePpp; readonly running: Running } {
    const key = keyOf(id);
    const place = this.#namespaces.get(netns);
    const running = place?.sessions.get(key);
    if (place === undefined || running === undefined) {
      throw new SyscallError(`PPP on session ${id.sessionId} in tunnel ${id.tunnelId}`, Errno.ENODEV);
    }
    return { key, place, running };
  }

  /** Interfaces of the sessions of a namespace, of one subsystem. */
  *interfaces(netns: string, dataplane: PppSessionId["dataplane"]): Generator<PppInterface> {
    for (const { request, session } of this.#namespaces.get(netns)?.sessions.values() ?? []) {
      if (request.dataplane !== dataplane) continue;
      const { tunnelId, sessionId } = request;
      yield { tunnelId, sessionId, interfaceName: session.interfaceName };
    }
  }

  /** The sessions of a namespace. */
  *statuses(netns: string): Generator<PppSessionStatus> {
    for (const { request, session } of this.#namespaces.get(netns)?.sessions.values() ?? []) {
      const { dataplane, tunnelId, sessionId, settings: { secrets: _, ...settings } } = request;
      const which = { dataplane, tunnelId, sessionId };
      yield session instanceof PppdSession
        ? { ...which, interfaceName: session.interfaceName, pppd: session.status() }
        : { ...which, interfaceName: session.interfaceName, settings, status: session.status() };
    }
  }

  /** Ends all: tells the peers, and takes the interfaces away. Resolves once every pppd has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const [netns, { sessions }] of [...this.#namespaces]) {
      for (const [key, { session }] of [...sessions]) this.#end(netns, key, session);
    }
    await Promise.all(this.#endings);
  }

  #begin(
    netns: string,
    { request, secrets, place, lost }: {
      readonly request: PppRequest;
      readonly secrets: Secrets;
      readonly place: NamespacePpp;
      readonly lost: () => void;
    },
  ): AnySession {
    const { attach, hold, namespaces, noteActivity, log } = this.#parts;
    const { dataplane, tunnelId, sessionId, settings } = request;
    const { interfaceName, clampMss = false, pppdFile } = settings;
    const { links } = place;
    const name = `PPP on session ${sessionId} in tunnel ${tunnelId}`;
    if (pppdFile === undefined) {
      return new PppSession({
        name,
        attach: (user) =>
          attach[dataplane]({ netns, tunnelId, sessionId, interfaceName, clampMss, links, user }),
        links,
        timers: this.#timers,
        options: optionsOf(settings, secrets, place, log),
        settings,
        noteActivity,
        log,
        lost,
      });
    }
    if (dataplane !== "kernel") throw new SyscallError("pppd", Errno.EOPNOTSUPP);
    return new PppdSession({
      ...{ name, tunnelId, sessionId, interfaceName },
      file: pppdFile,
      hold: (lost) => hold({ netns, tunnelId, sessionId, lost }),
      inNamespace: (action) => namespaces.run(netns, action),
      log,
      lost,
    });
  }

  #dispose(session: AnySession): void {
    if (session instanceof PppSession) return session[Symbol.dispose]();
    const ending = session[Symbol.asyncDispose]();
    this.#endings.add(ending);
    ending.finally(() => this.#endings.delete(ending));
  }

  #open(netns: string): NamespacePpp {
    const { namespaces } = this.#parts;
    const links = namespaces.run(netns, () => LinkClient.open());
    namespaces.holdAgain(netns);
    const place: NamespacePpp = {
      links,
      pools: new Map(),
      leased: new Set(),
      fixed: new Map(),
      sessions: new Map(),
    };
    this.#namespaces.set(netns, place);
    return place;
  }

  #end(netns: string, key: string, session: AnySession): void {
    const place = this.#namespaces.get(netns);
    const running = place?.sessions.get(key);
    if (place === undefined || running?.session !== session) return;
    place.sessions.delete(key);
    countFixed(place, running, -1);
    try {
      this.#dispose(session);
    } finally {
      this.#closeIfEmpty(netns, place);
    }
  }

  #closeIfEmpty(netns: string, place: NamespacePpp): void {
    if (place.sessions.size > 0) return;
    this.#namespaces.delete(netns);
    place.links[Symbol.dispose]();
    this.#parts.namespaces.release(netns);
  }
}

function keyOf({ dataplane, tunnelId, sessionId }: PppSessionId): string {
  return `${dataplane} ${tunnelId}/${sessionId}`;
}

/** What the engine is to be told. */
function optionsOf(
  settings: PppSessionSettings,
  secrets: Secrets,
  place: NamespacePpp,
  log: (line: string) => void,
): PppOptions {
  const { user, require, ipv4 = {}, ipv6 = true, echoFailures } = settings;
  return {
    crypto: PPP_CRYPTO,
    random,
    require,
    name: user,
    secret: secrets.of(user),
    // Whoever could prove to know our own secret may only have had us prove it, on another session.
    peerSecret: (name) => name === user ? undefined : secrets.of(name),
    ipv4: ipv4 === false ? false : {
      local: ipv4.local,
      peer: ipv4.pool === undefined ? ipv4.remote : poolOf(ipv4.pool, place, log),
      dns: ipv4.dns,
      askDns: ipv4.askDns,
    },
    ipv6: ipv6 ? {} : false,
    echoIntervalMs: settings.echoIntervalMs ?? ECHO_INTERVAL_MS,
    echoFailures,
    restartMs: RESTART_MS,
  };
}

/** Bytes of chance. */
function random(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

function poolOf(
  range: readonly [string, string],
  { pools, leased, fixed }: NamespacePpp,
  log: (line: string) => void,
): AddressPool {
  const key = range.join("-");
  const known = pools.get(key);
  if (known !== undefined) return known;
  const pool = new PppPool(range, leased, fixed);
  const telling: AddressPool = {
    lease(): string | undefined {
      const address = pool.lease();
      if (address === undefined) log(`PPP: no address is left of ${key}: a peer gets no IPv4`);
      return address;
    },
    release: (address) => pool.release(address),
  };
  pools.set(key, telling);
  return telling;
}

/** Counts the addresses that a session has without a pool, or counts them no more. */
function countFixed({ fixed }: NamespacePpp, { request: { settings: { ipv4 } } }: Running, by: 1 | -1): void {
  if (!ipv4) return;
  for (const address of [ipv4.local, ipv4.remote]) {
    if (address === undefined) continue;
    const count = (fixed.get(address) ?? 0) + by;
    if (count === 0) fixed.delete(address);
    else fixed.set(address, count);
  }
}
