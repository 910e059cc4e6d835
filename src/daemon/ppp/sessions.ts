/**
 * The PPP sessions of the daemon, on L2TP sessions of its own subsystem and of the kernel's.
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
 * The Restart timer (RFC 1661 section 4.6), shorter than its 3 seconds: our first request is often lost, because the peer
 * starts later than we do.
 */
const RESTART_MS = 1000;

/** Default interval of Echo-Requests. */
const ECHO_INTERVAL_MS = 20_000;

/** Dependencies of {@link PppSessions}. */
export interface PppSessionsParts {
  /** The namespaces that clients work in. */
  readonly namespaces: NetworkNamespaces;
  /** Attaches PPP to sessions, by their subsystem. */
  readonly attach: Readonly<Record<PppRequest["dataplane"], PppAttach>>;
  /** Holds a session of the kernel for pppd. */
  readonly hold: (request: PppHoldRequest) => HeldSession;
  /** Called whenever a session comes up or goes down. */
  readonly noteActivity: () => void;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/** The PPP sessions of a network namespace. */
interface NamespacePpp {
  readonly links: LinkClient;
  readonly pools: Map<string, AddressPool>;
  /** Addresses leased from any pool. */
  readonly leased: Set<string>;
  /** Addresses that sessions have without a pool, with the number of sessions. */
  readonly fixed: Map<string, number>;
  readonly sessions: Map<string, Running>;
}

/** Secrets by name, all of which can be replaced. */
class Secrets {
  #all: readonly PppSecret[] = [];

  take(secrets: readonly PppSecret[] = []): void {
    this.#all = secrets;
  }

  of(name: string | undefined): string | undefined {
    return this.#all.findLast((each) => each.name === name)?.secret;
  }
}

/** A session with its request. */
interface Running {
  readonly request: PppRequest;
  readonly session: AnySession;
  readonly secrets: Secrets;
}

type AnySession = PppSession | PppdSession;

/** The sessions. */
export class PppSessions implements AsyncDisposable {
  readonly #parts: PppSessionsParts;
  /** Sessions whose pppd has not exited yet. */
  readonly #endings = new Set<Promise<void>>();
  readonly #namespaces = new Map<string, NamespacePpp>();
  readonly #timers = new Timers();

  /** Without a session so far. */
  constructor(parts: PppSessionsParts) {
    this.#parts = parts;
  }

  /**
   * Runs PPP on a session, or starts pppd for it.
   *
   * @throws {SyscallError} EBUSY or EEXIST if PPP runs on it, ENODEV without such a session, EOPNOTSUPP for pppd on a
   * userspace session, ENOENT without pppd, and others
   * @throws {NetlinkError} EEXIST if the interface's name is in use
   * @throws {RangeError} if a setting is out of range
   */
  run(netns: string, request: PppRequest): void {
    const key = keyOf(request);
    const secrets = new Secrets();
    secrets.take(request.settings.secrets);
    const namespace = this.#namespaces.get(netns) ?? this.#open(netns);
    try {
      const lost = (): void => this.#end(netns, key, session);
      const session: AnySession = this.#begin(netns, { request, secrets, namespace, lost });
      // A stale entry: the L2TP session was recreated before its `lost` event arrived.
      const left = namespace.sessions.get(key);
      if (left !== undefined) {
        countFixed(namespace, left, -1);
        this.#dispose(left.session);
      }
      const running = { request, session, secrets };
      namespace.sessions.set(key, running);
      countFixed(namespace, running, 1);
    } finally {
      this.#closeIfEmpty(netns, namespace);
    }
  }

  /**
   * Replaces the secrets of PPP on a session by those of the request, from the next authentication on. The link stays up.
   *
   * @throws {SyscallError} ENODEV if PPP does not run on it, EOPNOTSUPP if pppd does
   */
  renewSecrets(netns: string, request: PppRequest): void {
    const { key, namespace, running } = this.#running(netns, request);
    const { secrets, secretsFrom } = request.settings;
    const { settings } = running.request;
    if (running.session instanceof PppdSession) throw new SyscallError("pppd", Errno.EOPNOTSUPP);
    running.secrets.take(secrets);
    running.session.renewSecret(running.secrets.of(settings.user));
    namespace.sessions.set(key, {
      ...running,
      request: { ...running.request, settings: { ...settings, secrets, secretsFrom } },
    });
  }

  /**
   * Terminates PPP on a session. A session of the kernel is deleted with it.
   *
   * @throws {SyscallError} ENODEV if PPP does not run on it
   */
  end(netns: string, id: PppSessionId): void {
    const { key, running } = this.#running(netns, id);
    this.#end(netns, key, running.session);
  }

  #running(
    netns: string,
    id: PppSessionId,
  ): { readonly key: string; readonly namespace: NamespacePpp; readonly running: Running } {
    const key = keyOf(id);
    const namespace = this.#namespaces.get(netns);
    const running = namespace?.sessions.get(key);
    if (namespace === undefined || running === undefined) {
      throw new SyscallError(`PPP on session ${id.sessionId} in tunnel ${id.tunnelId}`, Errno.ENODEV);
    }
    return { key, namespace, running };
  }

  /** The interfaces of PPP sessions of a namespace, of one subsystem. */
  *interfaces(netns: string, dataplane: PppSessionId["dataplane"]): Generator<PppInterface> {
    for (const { request, session } of this.#namespaces.get(netns)?.sessions.values() ?? []) {
      if (request.dataplane !== dataplane) continue;
      const { tunnelId, sessionId } = request;
      yield { tunnelId, sessionId, interfaceName: session.interfaceName };
    }
  }

  /** The statuses of PPP sessions of a namespace. */
  *statuses(netns: string): Generator<PppSessionStatus> {
    for (const { request, session } of this.#namespaces.get(netns)?.sessions.values() ?? []) {
      const { dataplane, tunnelId, sessionId, settings: { secrets: _, ...settings } } = request;
      const which = { dataplane, tunnelId, sessionId };
      yield session instanceof PppdSession
        ? { ...which, interfaceName: session.interfaceName, pppd: session.status() }
        : { ...which, interfaceName: session.interfaceName, settings, status: session.status() };
    }
  }

  /** Terminates all links, and deletes their interfaces. Resolves once every pppd has exited. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const [netns, { sessions }] of [...this.#namespaces]) {
      for (const [key, { session }] of [...sessions]) this.#end(netns, key, session);
    }
    await Promise.all(this.#endings);
  }

  #begin(
    netns: string,
    { request, secrets, namespace, lost }: {
      readonly request: PppRequest;
      readonly secrets: Secrets;
      readonly namespace: NamespacePpp;
      readonly lost: () => void;
    },
  ): AnySession {
    const { attach, hold, namespaces, noteActivity, log } = this.#parts;
    const { dataplane, tunnelId, sessionId, settings } = request;
    const { interfaceName, clampMss = false, pppdFile } = settings;
    const { links } = namespace;
    const name = `PPP on session ${sessionId} in tunnel ${tunnelId}`;
    if (pppdFile === undefined) {
      return new PppSession({
        name,
        attach: (user) =>
          attach[dataplane]({ netns, tunnelId, sessionId, interfaceName, clampMss, links, user }),
        links,
        timers: this.#timers,
        options: optionsOf(settings, secrets, namespace, log),
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
    const namespace: NamespacePpp = {
      links,
      pools: new Map(),
      leased: new Set(),
      fixed: new Map(),
      sessions: new Map(),
    };
    this.#namespaces.set(netns, namespace);
    return namespace;
  }

  #end(netns: string, key: string, session: AnySession): void {
    const namespace = this.#namespaces.get(netns);
    const running = namespace?.sessions.get(key);
    if (namespace === undefined || running?.session !== session) return;
    namespace.sessions.delete(key);
    countFixed(namespace, running, -1);
    try {
      this.#dispose(session);
    } finally {
      this.#closeIfEmpty(netns, namespace);
    }
  }

  #closeIfEmpty(netns: string, namespace: NamespacePpp): void {
    if (namespace.sessions.size > 0) return;
    this.#namespaces.delete(netns);
    namespace.links[Symbol.dispose]();
    this.#parts.namespaces.release(netns);
  }
}

function keyOf({ dataplane, tunnelId, sessionId }: PppSessionId): string {
  return `${dataplane} ${tunnelId}/${sessionId}`;
}

/** Options of the engine. */
function optionsOf(
  settings: PppSessionSettings,
  secrets: Secrets,
  namespace: NamespacePpp,
  log: (line: string) => void,
): PppOptions {
  const { user, require, ipv4 = {}, ipv6 = true, echoFailures } = settings;
  return {
    crypto: PPP_CRYPTO,
    random,
    require,
    name: user,
    secret: secrets.of(user),
    // A peer that proves to know our own secret may have had us compute the proof on another session.
    peerSecret: (name) => name === user ? undefined : secrets.of(name),
    ipv4: ipv4 === false ? false : {
      local: ipv4.local,
      peer: ipv4.pool === undefined ? ipv4.remote : poolOf(ipv4.pool, namespace, log),
      dns: ipv4.dns,
      askDns: ipv4.askDns,
    },
    ipv6: ipv6 ? {} : false,
    echoIntervalMs: settings.echoIntervalMs ?? ECHO_INTERVAL_MS,
    echoFailures,
    restartMs: RESTART_MS,
  };
}

/** Random bytes. */
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
  const logging: AddressPool = {
    lease(): string | undefined {
      const address = pool.lease();
      if (address === undefined) log(`PPP: address pool ${key} is exhausted: a peer gets no IPv4 address`);
      return address;
    },
    release: (address) => pool.release(address),
  };
  pools.set(key, logging);
  return logging;
}

/** Adds `by` to the count of the addresses that a session has without a pool. */
function countFixed({ fixed }: NamespacePpp, { request: { settings: { ipv4 } } }: Running, by: 1 | -1): void {
  if (!ipv4) return;
  for (const address of [ipv4.local, ipv4.remote]) {
    if (address === undefined) continue;
    const count = (fixed.get(address) ?? 0) + by;
    if (count === 0) fixed.delete(address);
    else fixed.set(address, count);
  }
}
