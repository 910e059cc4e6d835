/**
 * Resolves the host names of peers in the background.
 *
 * @module
 */

import { lookUpPeers, type Resolver } from "../../apply/peers.ts";
import type { PlanOptions } from "../../config/plan/plan.ts";
import type { ConfigTunnel } from "../../config/schema/settings.ts";

/** Most lookups at a time: each occupies a thread of the runtime's pool, which other operations need as well. */
const LOOKUPS_MAX = 8;

/** The result of a lookup. */
export interface ResolvedPeer {
  /** The host name. */
  readonly host: string;
  /** Its addresses, or the reason why there are none. */
  readonly peer: PeerOrReason;
}

type PeerOrReason = PlanOptions["peers"] extends ReadonlyMap<string, infer Value> ? Value : never;

/** Resolves peers, one lookup a tunnel at a time. */
export class PeerResolver {
  readonly #resolver: Resolver;
  readonly #onResolved: () => void;
  /** Labels of the tunnels whose lookup runs; {@link #queue} has those that wait. */
  readonly #running = new Set<string>();
  readonly #queue = new Map<string, ConfigTunnel>();
  #resolved = new Map<string, ResolvedPeer>();

  /** `onResolved` is called when there is a result to {@link take}. */
  constructor(resolve: Resolver, onResolved: () => void) {
    this.#resolver = resolve;
    this.#onResolved = onResolved;
  }

  /** Queues a lookup of the tunnel's peer, which must have a host name. It replaces a queued lookup for the same label. */
  resolve(tunnel: ConfigTunnel): void {
    this.#queue.set(tunnel.label, tunnel);
    this.#next();
  }

  /** Returns the results since the last call, by the tunnel's label. */
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
