/**
 * All sessions of a data path, and how packets find theirs: version 2 by tunnel id and session id, version 3 over IP
 * by session id alone, version 3 over UDP by session id and source, at the endpoint that they came in by.
 *
 * @module
 */

import type { Endpoint } from "./endpoint.ts";
import type { DataSession } from "./session.ts";
import { SessionTable } from "./session_table.ts";
import { SourceHash } from "./source_hash.ts";
import { UdpSessions } from "./udp_sessions.ts";

/** What a version 2 session is found by: both ids as they stand in the packet, read as one 32-bit integer. */
function v2Key(session: DataSession): number {
  return (session.tunnel.tunnelId << 16) | session.sessionId;
}

/** The sessions of a data path. */
export class SessionRegistry {
  readonly #seed: number;
  readonly #hash: SourceHash;
  readonly #v2: SessionTable;
  /** Version 3 over IP, by id. */
  readonly #ip: SessionTable;
  /** How many sessions of version 3 over UDP have each id, at all endpoints. */
  readonly #udpIds: SessionTable;
  /** Weak, so that neither an endpoint has to be taken out nor the receiver can hold what was replaced. */
  readonly #udp: WeakMap<Endpoint, UdpSessions> = new WeakMap();
  readonly #sessions: (DataSession | undefined)[] = [];
  readonly #freeIndexes: number[] = [];

  /** The seed is that of {@link SessionTable}. */
  constructor(seed: number) {
    this.#seed = seed;
    this.#hash = new SourceHash(seed);
    this.#v2 = new SessionTable(seed);
    this.#ip = new SessionTable(seed);
    this.#udpIds = new SessionTable(seed);
  }

  /** Sessions. */
  get size(): number {
    return this.#sessions.length - this.#freeIndexes.length;
  }

  /** The version 2 session of the 32-bit integer that begins at the Tunnel ID of a packet. */
  findV2(ids: number): DataSession | undefined {
    const index = this.#v2.get(ids);
    return index < 0 ? undefined : this.#sessions[index];
  }

  /** The version 3 session over IP with the id. */
  findIp(sessionId: number): DataSession | undefined {
    const index = this.#ip.get(sessionId);
    return index < 0 ? undefined : this.#sessions[index];
  }

  /** The version 3 sessions of a UDP endpoint, there or yet to come: always the same object. */
  udpSessions(endpoint: Endpoint): UdpSessions {
    let sessions = this.#udp.get(endpoint);
    if (sessions === undefined) {
      sessions = new UdpSessions(endpoint.isIpv6, this.#seed, this.#hash, this.#sessions);
      this.#udp.set(endpoint, sessions);
    }
    return sessions;
  }

  /** Whether there is a version 3 session with the id, at whatever endpoint. */
  isKnown(sessionId: number): boolean {
    return this.#udpIds.get(sessionId) >= 0 || this.#ip.get(sessionId) >= 0;
  }

  /**
   * Adds a session.
   *
   * @throws {RangeError} if its id is taken: in its tunnel, or for version 3 in any other tunnel unless both run over
   *   UDP (reference section 4.5)
   */
  add(session: DataSession): void {
    const { tunnel, sessionId } = session;
    if (tunnel.version === 2) {
      const key = v2Key(session);
      if (this.#v2.get(key) >= 0) throw taken(session);
      this.#v2.set(key, this.#store(session));
    } else if (!tunnel.endpoint.isUdp) {
      if (this.isKnown(sessionId)) throw taken(session);
      this.#ip.set(sessionId, this.#store(session));
    } else {
      const sessions = this.udpSessions(tunnel.endpoint);
      if (this.#ip.get(sessionId) >= 0 || sessions.has(tunnel, sessionId)) throw taken(session);
      this.#store(session);
      sessions.add(session);
      this.#udpIds.set(sessionId, Math.max(this.#udpIds.get(sessionId), 0) + 1);
    }
  }

  /** Removes a session that was added. */
  remove(session: DataSession): void {
    const { tunnel, sessionId } = session;
    if (tunnel.version === 2) this.#v2.delete(v2Key(session));
    else if (!tunnel.endpoint.isUdp) this.#ip.delete(sessionId);
    else {
      this.udpSessions(tunnel.endpoint).remove(session);
      const others = this.#udpIds.get(sessionId) - 1;
      if (others > 0) this.#udpIds.set(sessionId, others);
      else this.#udpIds.delete(sessionId);
    }
    this.#sessions[session.index] = undefined;
    this.#freeIndexes.push(session.index);
    session.index = -1;
  }

  #store(session: DataSession): number {
    const index = this.#freeIndexes.pop() ?? this.#sessions.length;
    this.#sessions[index] = session;
    session.index = index;
    return index;
  }
}

function taken(session: DataSession): RangeError {
  return new RangeError(`Session id ${session.sessionId} is taken`);
}
