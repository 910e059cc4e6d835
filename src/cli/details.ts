/**
 * What `-details` shows of a session and the netlink reply does not tell: its interface as it is now, and its
 * L2-specific sublayer, which only debugfs knows, and what the system does for it.
 *
 * @module
 */

import type { SessionOffloads } from "../model/session_offloads.ts";
import type { Link } from "../model/link.ts";
import { parseL2specs } from "../apply/l2specs.ts";
import type { L2Spec, Session } from "../model/session.ts";

/** More about a session. */
export interface SessionDetails {
  /** Its interface; `undefined` if none in this namespace has the name it was created with. */
  readonly link: Link | undefined;
  /** Name of the bridge or bond that the interface belongs to. */
  readonly master: string | undefined;
  /** Its sublayer; `undefined` where debugfs cannot be read. */
  readonly l2spec: L2Spec | undefined;
  /** What the system does for it, in userspace; `undefined` where that is not told. */
  readonly offloads?: readonly string[] | undefined;
}

/** Finds the details of sessions. */
export class DetailsFinder {
  readonly #byName = new Map<string, Link>();
  readonly #byIndex = new Map<number, Link>();
  readonly #l2specs: ReadonlyMap<string, L2Spec>;
  readonly #offloads = new Map<string, readonly string[]>();

  /** Looks among `links` and `offloads`, and in the text of `l2tp/tunnels` in debugfs (or what the daemon tells like it) if there is one. */
  constructor(links: readonly Link[], debugfs: string | undefined, offloads: readonly SessionOffloads[]) {
    for (const link of links) {
      this.#byName.set(link.name, link);
      this.#byIndex.set(link.index, link);
    }
    for (const { tunnelId, sessionId, offloads: names } of offloads) {
      this.#offloads.set(`${tunnelId}/${sessionId}`, names);
    }
    this.#l2specs = debugfs === undefined ? new Map() : parseL2specs(debugfs);
  }

  /** The details of one session. */
  find(session: Session): SessionDetails {
    const link = session.interfaceName === undefined ? undefined : this.#byName.get(session.interfaceName);
    const master = link?.master === undefined ? undefined : this.#byIndex.get(link.master)?.name;
    const key = `${session.tunnelId}/${session.sessionId}`;
    return { link, master, l2spec: this.#l2specs.get(key), offloads: this.#offloads.get(key) };
  }
}
