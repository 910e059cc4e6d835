/**
 * Looking up hosts while everything else goes on.
 *
 * @module
 */

import { lookUpPeers, type Resolver } from "../../apply/peers.ts";
import type { PlanOptions } from "../../config/plan/plan.ts";
import type { ConfigTunnel } from "../../config/schema/settings.ts";

/** So many are asked for at a time: each takes a thread, of which other things wait on some. */
const ASKED_MAX = 8;

/** What came of looking up a tunnel's peer. */
export interface FoundPeer {
  /** The name that was asked for. */
  readonly host: string;
  /** Its addresses, or why there are none. */
  readonly peer: PeerOrReason;
}

type PeerOrReason = PlanOptions["peers"] extends ReadonlyMap<string, infer Value> ? Value : never;

/** Peers' names that are looked up, one question a tunnel at a time. */
export class PeerResolver {
  readonly #resolve: Resolver;
  readonly #onFound: () => void;
  /** Tunnels by label: those that are asked for, and those that are to be. */
  readonly #asked = new Set<string>();
  readonly #queue = new Map<string, ConfigTunnel>();
  #found = new Map<string, FoundPeer>();

  /** `onFound` is called when there is something to {@link take}. */
  constructor(resolve: Resolver, onFound: () => void) {
    this.#resolve = resolve;
    this.#onFound = onFound;
  }

  /** Has the tunnel's peer, which has a name, looked up; of several questions about a tunnel that wait, the last counts. */
  ask(tunnel: ConfigTunnel): void {
    this.#queue.set(tunnel.label, tunnel);
    this.#next();
  }

  /** What was found since the last time, by the tunnel's label. */
  take(): ReadonlyMap<string, FoundPeer> {
    const found = this.#found;
    this.#found = new Map();
    return found;
  }

  #next(): void {
    for (const [label, tunnel] of this.#queue) {
      if (this.#asked.size >= ASKED_MAX) return;
      if (this.#asked.has(label)) continue;
      this.#queue.delete(label);
      this.#asked.add(label);
      void this.#ask(tunnel);
    }
  }

  async #ask(tunnel: ConfigTunnel): Promise<void> {
    const { label, settings: { remote } } = tunnel;
    const peers = await lookUpPeers([tunnel], this.#resolve);
    this.#asked.delete(label);
    const peer = peers.get(label);
    if (peer !== undefined) this.#found.set(label, { host: remote!.text, peer });
    this.#next();
    this.#onFound();
  }
}
