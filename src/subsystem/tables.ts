/**
 * The tables of tunnels and sessions, by network namespace, and the rule of unique ids. A namespace has
 * tables while it has tunnels.
 *
 * @module
 */

import { MultiMap } from "./multi_map.ts";
import type { EthernetDevice, SessionPath, TunnelSocket } from "./ports.ts";
import type { SessionRecord, SubsystemRecord, TunnelRecord } from "./records.ts";
import { SortedIds } from "./sorted_ids.ts";

/** A tunnel in the tables. */
export interface TunnelEntry {
  /** Its record. */
  readonly record: TunnelRecord;
  /** Its socket. */
  readonly socket: TunnelSocket;
  /** Its sessions by our id. */
  readonly sessions: Map<number, SessionEntry>;
  /** Our ids of its sessions. */
  readonly sessionIds: SortedIds;
}

/** A session in the tables. */
export interface SessionEntry {
  /** Its record, which is replaced when the session is modified. */
  record: SessionRecord;
  /** Its tunnel. */
  readonly tunnel: TunnelEntry;
  /** Its device; `undefined` for a PPP session. */
  readonly device: EthernetDevice | undefined;
  /** Its data path. */
  readonly path: SessionPath;
}

/** The tables of a network namespace. */
interface Namespace {
  readonly tunnels: Map<number, TunnelEntry>;
  readonly tunnelIds: SortedIds;
  /**
   * Sessions by the interface name they were created with. After a renaming, a later session may have the
   * same name.
   */
  readonly byName: MultiMap<string, SessionEntry>;
  /** Sessions of version 3, whose ids have a meaning outside of their tunnel. */
  readonly version3: MultiMap<number, SessionEntry>;
}

/** In other versions than 3, session ids are per tunnel. */
function isVersion3(tunnel: TunnelEntry): boolean {
  return tunnel.record.version === 3;
}

/** The tables of all network namespaces. */
export class Tables {
  readonly #namespaces = new Map<string, Namespace>();
  #tunnelCount = 0;
  #sessionCount = 0;

  /** Count of tunnels in all namespaces. */
  get tunnelCount(): number {
    return this.#tunnelCount;
  }

  /** Count of sessions in all namespaces. */
  get sessionCount(): number {
    return this.#sessionCount;
  }

  /** Keys of the namespaces that have tunnels. */
  get namespaces(): string[] {
    return [...this.#namespaces.keys()];
  }

  /** The tunnel with our id. */
  tunnel(netns: string, tunnelId: number): TunnelEntry | undefined {
    return this.#namespaces.get(netns)?.tunnels.get(tunnelId);
  }

  /** The tunnel with the least id above `tunnelId`; for -1 the first tunnel. */
  tunnelAfter(netns: string, tunnelId: number): TunnelEntry | undefined {
    const namespace = this.#namespaces.get(netns);
    const next = namespace?.tunnelIds.after(tunnelId);
    return next === undefined ? undefined : namespace?.tunnels.get(next);
  }

  /** The session with our ids. */
  session(netns: string, tunnelId: number, sessionId: number): SessionEntry | undefined {
    return this.tunnel(netns, tunnelId)?.sessions.get(sessionId);
  }

  /** The oldest session whose interface was created with this name. */
  sessionByName(netns: string, interfaceName: string): SessionEntry | undefined {
    return this.#namespaces.get(netns)?.byName.first(interfaceName);
  }

  /**
   * Whether a new session of the tunnel cannot have this id: a session of the tunnel has it; or, in version
   * 3, a session of another tunnel in the namespace has it and one of the two tunnels runs over IP, where
   * packets have no tunnel id.
   */
  isSessionIdTaken(tunnel: TunnelEntry, sessionId: number): boolean {
    if (tunnel.sessions.has(sessionId)) return true;
    if (!isVersion3(tunnel)) return false;
    const other = this.#namespaces.get(tunnel.record.netns)?.version3.first(sessionId);
    // If several sessions share an id, all their tunnels run over UDP, so looking at one is enough.
    return other !== undefined && (tunnel.record.encap === "ip" || other.tunnel.record.encap === "ip");
  }

  /** Adds a tunnel; its id must be free. */
  addTunnel(tunnel: TunnelEntry): void {
    const { netns, tunnelId } = tunnel.record;
    let namespace = this.#namespaces.get(netns);
    if (namespace === undefined) {
      namespace = {
        tunnels: new Map(),
        tunnelIds: new SortedIds(),
        byName: new MultiMap(),
        version3: new MultiMap(),
      };
      this.#namespaces.set(netns, namespace);
    }
    namespace.tunnels.set(tunnelId, tunnel);
    namespace.tunnelIds.add(tunnelId);
    this.#tunnelCount++;
  }

  /** Removes a tunnel without sessions. */
  deleteTunnel(tunnel: TunnelEntry): void {
    const { netns, tunnelId } = tunnel.record;
    const namespace = this.#namespaces.get(netns);
    if (namespace?.tunnels.delete(tunnelId) !== true) return;
    namespace.tunnelIds.delete(tunnelId);
    this.#tunnelCount--;
    if (namespace.tunnels.size === 0) this.#namespaces.delete(netns);
  }

  /** Adds a session; its id must be free. */
  addSession(session: SessionEntry): void {
    const { netns, sessionId, interfaceName } = session.record;
    const { tunnel } = session;
    tunnel.sessions.set(sessionId, session);
    tunnel.sessionIds.add(sessionId);
    const namespace = this.#namespaces.get(netns);
    if (interfaceName !== undefined) namespace?.byName.add(interfaceName, session);
    if (isVersion3(tunnel)) namespace?.version3.add(sessionId, session);
    this.#sessionCount++;
  }

  /** Removes a session. */
  deleteSession(session: SessionEntry): void {
    const { netns, sessionId, interfaceName } = session.record;
    const { tunnel } = session;
    if (!tunnel.sessions.delete(sessionId)) return;
    tunnel.sessionIds.delete(sessionId);
    const namespace = this.#namespaces.get(netns);
    if (interfaceName !== undefined) namespace?.byName.delete(interfaceName, session);
    if (isVersion3(tunnel)) namespace?.version3.delete(sessionId, session);
    this.#sessionCount--;
  }

  /** Yields the tunnels of a namespace by ascending id. The tables may change meanwhile. */
  *tunnelsOf(netns: string): Generator<TunnelEntry, void, void> {
    let next = this.tunnelAfter(netns, -1);
    while (next !== undefined) {
      yield next;
      next = this.tunnelAfter(netns, next.record.tunnelId);
    }
  }

  /**
   * Yields the sessions of a namespace by ascending tunnel id and session id. The tables may change
   * meanwhile.
   */
  *sessionsOf(netns: string): Generator<SessionEntry, void, void> {
    for (const { record } of this.tunnelsOf(netns)) {
      let last = -1;
      for (;;) {
        // The lookup is repeated, since another tunnel may have the id meanwhile.
        const tunnel = this.tunnel(netns, record.tunnelId);
        const next = tunnel?.sessionIds.after(last);
        const session = next === undefined ? undefined : tunnel?.sessions.get(next);
        if (session === undefined) break;
        yield session;
        last = session.record.sessionId;
      }
    }
  }

  /** Yields all records, each tunnel before its sessions. */
  *records(): Generator<SubsystemRecord, void, void> {
    for (const netns of this.namespaces) {
      for (const tunnel of this.tunnelsOf(netns)) {
        yield tunnel.record;
        for (const sessionId of tunnel.sessionIds) {
          const session = tunnel.sessions.get(sessionId);
          if (session !== undefined) yield session.record;
        }
      }
    }
  }
}
