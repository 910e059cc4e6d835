/**
 * What `-details` shows of a session and the netlink reply does not tell: its interface as it is now, and its
 * L2-specific sublayer, which only debugfs knows, and what the system does for it.
 *
 * @module
 */

import type { PppSessionStatus } from "../../client/daemon/ppp_client.ts";
import type { SessionOffloads } from "../../model/session_offloads.ts";
import type { Link } from "../../model/link.ts";
import { type DebugFacts, parseDebugFacts, type SessionDebugFacts } from "../../model/debug_facts.ts";
import type { Optional } from "../../model/optional.ts";
import type { Session } from "../../model/session.ts";

/** More about a session. */
export interface SessionDetails extends Optional<SessionDebugFacts> {
  /** Its interface; `undefined` if none in this namespace has the name it was created with. */
  readonly link: Link | undefined;
  /** Name of the bridge or bond that the interface belongs to. */
  readonly master: string | undefined;
  /** What the system does for it, in userspace; `undefined` where that is not told. */
  readonly offloads?: readonly string[] | undefined;
  /** PPP, if the daemon runs it on the session. */
  readonly ppp?: PppSessionStatus | undefined;
}

/** Where details are found. */
export interface DetailSources {
  /** The interfaces of this namespace. */
  readonly links: readonly Link[];
  /** The text of `l2tp/tunnels` in debugfs, or what the daemon tells like it, if there is one. */
  readonly debugfs: string | undefined;
  /** What the system does for each session. */
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

  /** Looks there. */
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
