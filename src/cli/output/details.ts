/**
 * Details of sessions, for `-details`, that are not in the netlink reply: the interface, the L2-specific sublayer, which
 * only debugfs shows, offloads and PPP.
 *
 * @module
 */

import type { PppSessionStatus } from "../../client/daemon/ppp_client.ts";
import type { SessionOffloads } from "../../model/session_offloads.ts";
import type { Link } from "../../model/link.ts";
import { type DebugFacts, parseDebugFacts, type SessionDebugFacts } from "../../model/debug_facts.ts";
import type { Optional } from "../../model/optional.ts";
import type { Session } from "../../model/session.ts";

/** Details of a session. */
export interface SessionDetails extends Optional<SessionDebugFacts> {
  /** Its interface; `undefined` if no interface of this namespace has the name that the session was created with. */
  readonly link: Link | undefined;
  /** Name of the bridge or bond that the interface belongs to. */
  readonly master: string | undefined;
  /** Offloads in use, in userspace; `undefined` if they are not known. */
  readonly offloads?: readonly string[] | undefined;
  /** PPP, if the daemon runs it on the session. */
  readonly ppp?: PppSessionStatus | undefined;
}

/** Sources of details. */
export interface DetailSources {
  /** The interfaces of this namespace. */
  readonly links: readonly Link[];
  /** Text of the subsystem's debug file; `undefined` if it cannot be read. */
  readonly debugfs: string | undefined;
  /** Offloads in use, by session. */
  readonly offloads: readonly SessionOffloads[];
  /** PPP sessions, by "tunnel/session". */
  readonly ppp: ReadonlyMap<string, PppSessionStatus>;
}

/** Finds the details of sessions. */
export class DetailsFinder {
  readonly #byName = new Map<string, Link>();
  readonly #byIndex = new Map<number, Link>();
  readonly #debug: DebugFacts["sessions"];
  readonly #offloads = new Map<string, readonly string[]>();
  readonly #ppp: ReadonlyMap<string, PppSessionStatus>;

  /** Indexes the sources. */
  constructor({ links, debugfs, offloads, ppp }: DetailSources) {
    this.#ppp = ppp;
    for (const link of links) {
      this.#byName.set(link.name, link);
      this.#byIndex.set(link.index, link);
    }
    for (const { tunnelId, sessionId, offloads: names } of offloads) {
      this.#offloads.set(`${tunnelId}/${sessionId}`, names);
    }
    this.#debug = parseDebugFacts(debugfs ?? "").sessions;
  }

  /** The details of one session. */
  find(session: Session): SessionDetails {
    const key = `${session.tunnelId}/${session.sessionId}`;
    const ppp = this.#ppp.get(key);
    const name = ppp?.interfaceName ?? session.interfaceName;
    const link = name === undefined ? undefined : this.#byName.get(name);
    const master = link?.master === undefined ? undefined : this.#byIndex.get(link.master)?.name;
    return { ...this.#debug.get(key), link, master, offloads: this.#offloads.get(key), ppp };
  }
}
