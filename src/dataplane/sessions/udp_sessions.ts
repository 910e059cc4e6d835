/**
 * The version 3 sessions of one UDP endpoint. Several of its tunnels may have a session with the same id, each with a
 * peer of its own, so the id alone selects little: a hub may have ten thousand sessions with id 1.
 *
 * Each session is in a table, by its id and the part of its peer's address that its tunnel compares. A packet is
 * looked up by id, address and port, then by id and address, then by id alone. Each look-up compares one session, or
 * more only if 32-bit keys collide or tunnels have the same peer.
 *
 * @module
 */

import type { DataSession } from "./session.ts";
import { SessionTable } from "./session_table.ts";
import type { SourceHash } from "./source_hash.ts";
import { type DataTunnel, SCOPE_WORD } from "./tunnel.ts";

/** Session look-up for one UDP endpoint. */
export class UdpSessions {
  readonly #isIpv6: boolean;
  readonly #hash: SourceHash;
  readonly #sessions: readonly (DataSession | undefined)[];
  /** The first session of each key. Sessions with the same key follow by {@link DataSession.nextWithSameKey}, oldest first. */
  readonly #bySource: SessionTable;
  /** One session of each id. The others follow by {@link DataSession.nextWithSameId}. */
  readonly #byId: SessionTable;
  /** Number of sessions of tunnels with each strictness. */
  readonly #countByStrictness: [number, number, number] = [0, 0, 0];

  /**
   * Starts empty. `sessions` is the array that {@link DataSession.index} refers to; `seed` as in {@link
   * SessionTable}.
   */
  constructor(
    isIpv6: boolean,
    seed: number,
    hash: SourceHash,
    sessions: readonly (DataSession | undefined)[],
  ) {
    this.#isIpv6 = isIpv6;
    this.#hash = hash;
    this.#sessions = sessions;
    this.#bySource = new SessionTable(seed);
    this.#byId = new SessionTable(seed);
  }

  /**
   * Finds the session with the id (a signed integer, as read from a packet) whose tunnel accepts packets from the
   * source at `names[word]`. Tunnels that compare more of the source come first, so that a tunnel without a known
   * peer receives only packets that match no other.
   */
  find(sessionId: number, names: Int32Array, word: number): DataSession | undefined {
    const counts = this.#countByStrictness;
    const scopeId = this.#isIpv6 ? names[word + SCOPE_WORD]! : 0;
    let session: DataSession | undefined;
    if (counts[2] > 0) session = this.#findScoped(sessionId, 2, names, word, scopeId);
    if (session === undefined && counts[1] > 0) {
      session = this.#findScoped(sessionId, 1, names, word, scopeId);
    }
    if (session === undefined && counts[0] > 0) session = this.#findExact(sessionId, 0, names, word, 0);
    return session;
  }

  /**
   * One session with the id, the same until its removal. Packets that no session with the id accepts count as dropped
   * on it.
   */
  anyWithId(sessionId: number): DataSession | undefined {
    return this.#sessionAt(this.#byId.get(sessionId));
  }

  /** Returns true if the tunnel has a session with the id. */
  has(tunnel: DataTunnel, sessionId: number): boolean {
    let session = this.#sessionAt(this.#bySource.get(this.#key(tunnel, sessionId)));
    while (session !== undefined && (session.tunnel !== tunnel || session.sessionId !== sessionId)) {
      session = session.nextWithSameKey;
    }
    return session !== undefined;
  }

  /** Adds a session whose index is set. */
  add(session: DataSession): void {
    const { tunnel, sessionId, index } = session;
    const key = this.#key(tunnel, sessionId);
    let before = this.#sessionAt(this.#bySource.get(key));
    while (before?.nextWithSameKey !== undefined) before = before.nextWithSameKey;
    if (before === undefined) this.#bySource.set(key, index);
    else before.nextWithSameKey = session;

    const first = this.anyWithId(sessionId);
    if (first === undefined) this.#byId.set(sessionId, index);
    else {
      // Inserted second, so that the table's entry stays the same and the end of the list need not be known.
      session.previousWithSameId = first;
      session.nextWithSameId = first.nextWithSameId;
      if (first.nextWithSameId !== undefined) first.nextWithSameId.previousWithSameId = session;
      first.nextWithSameId = session;
    }
    this.#countByStrictness[tunnel.strictness]++;
  }

  /** Removes a session whose index is still set. */
  remove(session: DataSession): void {
    this.#removeFromSource(session);
    this.#removeFromId(session);
    this.#countByStrictness[session.tunnel.strictness]--;
  }

  #removeFromSource(session: DataSession): void {
    const key = this.#key(session.tunnel, session.sessionId);
    let before = this.#sessionAt(this.#bySource.get(key));
    if (before === session) {
      if (session.nextWithSameKey === undefined) this.#bySource.delete(key);
      else this.#bySource.set(key, session.nextWithSameKey.index);
    } else {
      while (before !== undefined && before.nextWithSameKey !== session) before = before.nextWithSameKey;
      if (before !== undefined) before.nextWithSameKey = session.nextWithSameKey;
    }
    session.nextWithSameKey = undefined;
  }

  #removeFromId(session: DataSession): void {
    const { previousWithSameId: previous, nextWithSameId: next } = session;
    if (next !== undefined) next.previousWithSameId = previous;
    if (previous !== undefined) previous.nextWithSameId = next;
    else if (next !== undefined) this.#byId.set(session.sessionId, next.index);
    else this.#byId.delete(session.sessionId);
    session.previousWithSameId = undefined;
    session.nextWithSameId = undefined;
  }

  /**
   * Looks up with the source's scope, then without: a tunnel with a scope id goes before one that accepts all scopes.
   */
  #findScoped(
    sessionId: number,
    strictness: 1 | 2,
    names: Int32Array,
    word: number,
    scopeId: number,
  ): DataSession | undefined {
    const session = this.#findExact(sessionId, strictness, names, word, scopeId);
    // Only packets from link-local addresses have a scope; others need no second look-up.
    if (session !== undefined || scopeId === 0) return session;
    return this.#findExact(sessionId, strictness, names, word, 0);
  }

  #findExact(
    sessionId: number,
    strictness: 0 | 1 | 2,
    names: Int32Array,
    word: number,
    scopeId: number,
  ): DataSession | undefined {
    const key = this.#hash.key(sessionId, strictness, this.#isIpv6, names, word, scopeId);
    let session = this.#sessionAt(this.#bySource.get(key));
    while (session !== undefined) {
      const { tunnel } = session;
      const matches = (session.sessionId | 0) === sessionId && tunnel.strictness === strictness &&
        tunnel.scopeId === scopeId && tunnel.accepts(names, word);
      if (matches) return session;
      session = session.nextWithSameKey;
    }
    return undefined;
  }

  #key(tunnel: DataTunnel, sessionId: number): number {
    return this.#hash.key(sessionId, tunnel.strictness, this.#isIpv6, tunnel.name, 0, tunnel.scopeId);
  }

  #sessionAt(index: number): DataSession | undefined {
    return index < 0 ? undefined : this.#sessions[index];
  }
}
