/**
 * The PPP sessions of the daemon: on L2TP sessions of its own, and on the kernel's.
 *
 * @module
 */

import { LinkClient } from "../client/link_client.ts";
import { PPP_CRYPTO } from "../driver/ppp_crypto.ts";
import type { AddressPool, PppOptions } from "../engine/ppp/mod.ts";
import type { PppSessionSettings } from "../model/ppp_settings.ts";
import type { PppRequest, PppSessionStatus } from "../wire/genl/l2tpd_ppp.ts";
import type { NetworkNamespaces } from "./network_namespaces.ts";
import type { PppAttach } from "./ppp_attachment.ts";
import { PppPool } from "./ppp_pool.ts";
import { PppSession } from "./ppp_session.ts";

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
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/** A namespace with PPP sessions. */
interface Place {
  readonly links: LinkClient;
  readonly pools: Map<string, PppPool>;
  /** Addresses that peers have from any pool. */
  readonly leased: Set<string>;
  readonly sessions: Map<string, { readonly request: PppRequest; readonly session: PppSession }>;
}

/** The sessions. */
export class PppSessions implements Disposable {
  readonly #parts: PppSessionsParts;
  readonly #places = new Map<string, Place>();

  /** None yet. */
  constructor(parts: PppSessionsParts) {
    this.#parts = parts;
  }

  /**
   * Runs PPP on a session.
   *
   * @throws {SyscallError} EBUSY or EEXIST if it runs there, ENODEV without such a session, and others
   * @throws {NetlinkError} EEXIST if the interface's name is in use
   * @throws {RangeError} if a setting is out of range
   */
  run(netns: string, request: PppRequest): void {
    const { attach, log } = this.#parts;
    const { dataplane, tunnelId, sessionId, settings } = request;
    const key = `${dataplane} ${tunnelId}/${sessionId}`;
    const place = this.#places.get(netns) ?? this.#open(netns);
    try {
      const { interfaceName, clampMss = false } = settings;
      const { links } = place;
      const session: PppSession = new PppSession({
        name: `PPP on session ${sessionId} in tunnel ${tunnelId}`,
        attach: (user) =>
          attach[dataplane]({ netns, tunnelId, sessionId, interfaceName, clampMss, links, user }),
        links,
        options: optionsOf(settings, place, log),
        settings,
        now: () => performance.now(),
        log,
        lost: () => this.#end(netns, key, session),
      });
      // One that is left of a session that has gone and come back, of which nobody has told yet.
      place.sessions.get(key)?.session[Symbol.dispose]();
      place.sessions.set(key, { request, session });
    } finally {
      this.#closeIfEmpty(netns, place);
    }
  }

  /** The sessions of a namespace. */
  *statuses(netns: string): Generator<PppSessionStatus> {
    for (const { request, session } of this.#places.get(netns)?.sessions.values() ?? []) {
      const { dataplane, tunnelId, sessionId } = request;
      const { interfaceName } = session;
      yield { dataplane, tunnelId, sessionId, interfaceName, status: session.status() };
    }
  }

  /** Ends all: tells the peers, and takes the interfaces away. */
  [Symbol.dispose](): void {
    for (const [netns, { sessions }] of [...this.#places]) {
      for (const [key, { session }] of [...sessions]) this.#end(netns, key, session);
    }
  }

  #open(netns: string): Place {
    const { namespaces } = this.#parts;
    const links = namespaces.run(netns, () => LinkClient.open());
    namespaces.holdAgain(netns);
    const place = { links, pools: new Map(), leased: new Set<string>(), sessions: new Map() };
    this.#places.set(netns, place);
    return place;
  }

  #end(netns: string, key: string, session: PppSession): void {
    const place = this.#places.get(netns);
    if (place?.sessions.get(key)?.session !== session) return;
    place.sessions.delete(key);
    try {
      session[Symbol.dispose]();
    } finally {
      this.#closeIfEmpty(netns, place);
    }
  }

  #closeIfEmpty(netns: string, place: Place): void {
    if (place.sessions.size > 0) return;
    this.#places.delete(netns);
    place.links[Symbol.dispose]();
    this.#parts.namespaces.release(netns);
  }
}

/** What the engine is to be told. */
function optionsOf(
  settings: PppSessionSettings,
  place: Place,
  log: (line: string) => void,
): PppOptions {
  const { user, secrets = [], require, ipv4 = {}, ipv6 = true, echoFailures } = settings;
  const secretOf = new Map(secrets.map(({ name, secret }) => [name, secret]));
  return {
    crypto: PPP_CRYPTO,
    random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    require,
    name: user,
    secret: user === undefined ? undefined : secretOf.get(user),
    // Whoever could prove to know our own secret may only have had us prove it, on another session.
    peerSecret: (name) => name === user ? undefined : secretOf.get(name),
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

function poolOf(
  range: readonly [string, string],
  { pools, leased, sessions }: Place,
  log: (line: string) => void,
): AddressPool {
  const key = range.join("-");
  const fixed = (): Set<string> =>
    new Set(
      [...sessions.values()].flatMap(({ request: { settings: { ipv4 } } }) =>
        ipv4 ? [ipv4.local, ipv4.remote].filter((address) => address !== undefined) : []
      ),
    );
  const pool = pools.get(key) ?? new PppPool(range, leased, fixed);
  pools.set(key, pool);
  return {
    lease(): string | undefined {
      const address = pool.lease();
      if (address === undefined) log(`PPP: no address is left of ${key}: a peer gets no IPv4`);
      return address;
    },
    release: (address) => pool.release(address),
  };
}
