/**
 * All sessions of a data path, and how packets find theirs: version 3 by session id alone, version 2 by tunnel id
 * and session id.
 *
 * @module
 */

import type { DataSession } from "./session.ts";
import { SessionTable } from "./session_table.ts";

/** What a version 2 session is found by: both ids as they stand in the packet, read as one 32-bit integer. */
function v2Key(session: DataSession): number {
  return (session.tunnel.tunnelId << 16) | session.sessionId;
}

/** The sessions of a data path. */
export class SessionRegistry {
  readonly #v2: SessionTable;
  readonly #v3: SessionTable;
  readonly #sessions: (DataSession | undefined)[] = [];
  readonly #freeIndexes: number[] = [];

  /** The seed is that of {@link SessionTable}. */
  constructor(seed: number) {
    this.#v2 = new SessionTable(seed);
    this.#v3 = new SessionTable(seed);
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

  /** The first version 3 session with the id; the others follow by {@link DataSession.sibling}. */
  findV3(sessionId: number): DataSession | undefined {
    const index = this.#v3.get(sessionId);
    return index < 0 ? undefined : this.#sessions[index];
  }

  /**
   * Adds a session.
   *
   * @throws {RangeError} if its id is taken: in its tunnel, or for version 3 in any other tunnel unless both run over
   *   UDP (reference section 4.5)
   */
  add(session: DataSession): void {
    const { tunnel } = session;
    if (tunnel.version === 2) {
      const key = v2Key(session);
      if (this.#v2.get(key) >= 0) throw taken(session);
      this.#v2.set(key, this.#store(session));
      return;
    }
    let before: DataSession | undefined;
    let after = this.findV3(session.sessionId);
    for (let other = after; other !== undefined; other = other.sibling) {
      if (other.tunnel === tunnel || !other.tunnel.endpoint.isUdp || !tunnel.endpoint.isUdp) {
        throw taken(session);
      }
    }
    // The pickiest comes first, so that a tunnel that takes anything gets what nobody else wants.
    while (after !== undefined && after.tunnel.strictness >= tunnel.strictness) {
      before = after;
      after = after.sibling;
    }
    const index = this.#store(session);
    session.sibling = after;
    if (before === undefined) this.#v3.set(session.sessionId, index);
    else before.sibling = session;
  }

  /** Removes a session that was added. */
  remove(session: DataSession): void {
    if (session.tunnel.version === 2) this.#v2.delete(v2Key(session));
    else this.#unchain(session);
    this.#sessions[session.index] = undefined;
    this.#freeIndexes.push(session.index);
    session.index = -1;
  }

  #unchain(session: DataSession): void {
    let before = this.findV3(session.sessionId);
    if (before === session) {
      if (session.sibling === undefined) this.#v3.delete(session.sessionId);
      else this.#v3.set(session.sessionId, session.sibling.index);
    } else {
      while (before !== undefined && before.sibling !== session) before = before.sibling;
      if (before !== undefined) before.sibling = session.sibling;
    }
    session.sibling = undefined;
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
