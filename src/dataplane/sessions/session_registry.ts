/**
 * All sessions of a data path, and the look-up of a packet's session: version 2 by tunnel id and session id, version
 * 3 over IP by session id alone, version 3 over UDP by the receiving endpoint, session id and source.
 *
 * @module
 */

import type { Endpoint } from "./endpoint.ts";
import type { DataSession } from "./session.ts";
import { SessionTable } from "./session_table.ts";
import { SourceHash } from "./source_hash.ts";
import { UdpSessions } from "./udp_sessions.ts";

/** Look-up key of a version 2 session: both ids as they stand in the packet, read as one 32-bit integer. */
function v2Key(session: DataSession): number {
  return (session.tunnel.tunnelId << 16) | session.sessionId;
}

/** The sessions of a data path. */
export class SessionRegistry {
  readonly #seed: number;
  readonly #hash: SourceHash;
  readonly #v2: SessionTable;
  /** Version 3 over IP, by session id. */
  readonly #ip: SessionTable;
  /** Number of version 3 sessions over UDP with each id, at all endpoints together. */
  readonly #udpIds: SessionTable;
  /** Weak, so that removed endpoints need no clean-up. */
  readonly #udp: WeakMap<Endpoint, UdpSessions> = new WeakMap();
  readonly #sessions: (DataSession | undefined)[] = [];
  readonly #freeIndexes: number[] = [];

  /** `seed` as in {@link SessionTable}. */
  constructor(seed: number) {
    this.#seed = seed;
    this.#hash = new SourceHash(seed);
    this.#v2 = new SessionTable(seed);
    this.#ip = new SessionTable(seed);
    this.#udpIds = new SessionTable(seed);
  }

  /** Number of sessions. */
  get size(): number {
    return this.#sessions.length - this.#freeIndexes.length;
  }

  /** Finds a version 2 session. `ids` is the 32-bit integer that begins at the Tunnel ID of a packet. */
  findV2(ids: number): DataSession | undefined {
    const index = this.#v2.get(ids);
    return index < 0 ? undefined : this.#sessions[index];
  }

  /** Finds a version 3 session over IP. */
  findIp(sessionId: number): DataSession | undefined {
    const index = this.#ip.get(sessionId);
    return index < 0 ? undefined : this.#sessions[index];
  }

  /**
   * Returns the version 3 sessions of a UDP endpoint: always the same object, which also shows sessions added later.
   */
  udpSessions(endpoint: Endpoint): UdpSessions {
    let sessions = this.#udp.get(endpoint);
    if (sessions === undefined) {
      sessions = new UdpSessions(endpoint.isIpv6, this.#seed, this.#hash, this.#sessions);
      this.#udp.set(endpoint, sessions);
    }
    return sessions;
  }

  /** Returns true if any endpoint has a version 3 session with the id. */
  isKnown(sessionId: number): boolean {
    return this.#udpIds.get(sessionId) >= 0 || this.#ip.get(sessionId) >= 0;
  }

  /**
   * Adds a session.
   *
   * @throws {RangeError} if its id is in use: in its tunnel, or for version 3 in any other tunnel unless both run
   * over UDP, as in the kernel's `l2tp_session_register`
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

  /** Removes a registered session. */
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
  return new RangeError(`Session id ${session.sessionId} is in use`);
}
