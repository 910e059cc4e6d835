/**
 * Looking up hosts while everything else goes on.
 *
 * @module
 */

import { lookUpPeers, type Resolver } from "../../apply/peers.ts";
import type { PlanOptions } from "../../config/plan/plan.ts";
import type { ConfigTunnel } from "../../config/schema/settings.ts";

/** So many are asked for at a time: each takes a thread, of which other things wait on some. */
const LOOKUPS_MAX = 8;

/** What came of looking up a tunnel's peer. */
export interface ResolvedPeer {
  /** The name that was asked for. */
  readonly host: string;
  /** Its addresses, or why there are none. */
  readonly peer: PeerOrReason;
}

type PeerOrReason = PlanOptions["peers"] extends ReadonlyMap<string, infer Value> ? Value : never;

/** Peers' names that are looked up, one question a tunnel at a time. */
export class PeerResolver {
  readonly #resolver: Resolver;
  readonly #onResolved: () => void;
  /** Tunnels by label: those that are asked for, and those that are to be. */
  readonly #running = new Set<string>();
  readonly #queue = new Map<string, ConfigTunnel>();
  #resolved = new Map<string, ResolvedPeer>();

  /** `onFound` is called when there is something to {@link take}. */
  constructor(resolve: Resolver, onFound: () => void) {
    this.#resolver = resolve;
    this.#onResolved = onFound;
  }

  /** Has the tunnel's peer, which has a name, looked up; of several questions about a tunnel that wait, the last counts. */
  resolve(tunnel: ConfigTunnel): void {
    this.#queue.set(tunnel.label, tunnel);
    this.#next();
  }

  /** What was found since the last time, by the tunnel's label. */
  take(): ReadonlyMap<string, ResolvedPeer> {
    const found = this.#resolved;
    this.#resolved = new Map();
    return found;
  }

  #next(): void {
    for (const [label, tunnel] of this.#queue) {
      if (this.#running.size >= LOOKUPS_MAX) return;
      if (this.#running.has(label)) continue;
      this.#queue.delete(label);
      this.#running.add(label);
      void this.#lookUp(tunnel);
    }
  }

  async #lookUp(tunnel: ConfigTunnel): Promise<void> {
    const { label, settings: { remote } } = tunnel;
    const peers = await lookUpPeers([tunnel], this.#resolver);
    this.#running.delete(label);
    const peer = peers.get(label);
    if (peer !== undefined) this.#resolved.set(label, { host: remote!.text, peer });
    this.#next();
    this.#onResolved();
  }
}
