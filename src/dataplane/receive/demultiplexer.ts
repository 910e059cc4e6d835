/**
 * Finds the session that a received packet belongs to, or counts the reason why it is dropped. The packet must arrive
 * at the endpoint of the session's tunnel, from the tunnel's peer, and the session must have a consumer. The time is
 * constant in the number of sessions, also for packets that belong to none.
 *
 * @module
 */

import { DROP } from "../counters.ts";
import type { Endpoint } from "../sessions/endpoint.ts";
import type { PacketBatch } from "../buffers/packet_batch.ts";
import type { DataSession } from "../sessions/session.ts";
import type { SessionRegistry } from "../sessions/session_registry.ts";
import type { UdpSessions } from "../sessions/udp_sessions.ts";

/** Finds sessions for the receiver. Packets for which a method returns `undefined` have been counted as dropped. */
export class Demultiplexer {
  readonly #registry: SessionRegistry;
  /**
   * The session found last in this batch: packets of one GRO message share the source's offset, and mostly the
   * session id.
   */
  #lastFound: DataSession | undefined;
  #lastId = 0;
  #lastName = 0;

  /** Creates a demultiplexer for one data path. */
  constructor(registry: SessionRegistry) {
    this.#registry = registry;
  }

  /** Returns the version 3 sessions of a UDP endpoint, for use with {@link findUdp}. Call it once per batch. */
  udpSessions(endpoint: Endpoint): UdpSessions {
    this.#lastFound = undefined;
    return this.#registry.udpSessions(endpoint);
  }

  /** Finds a version 2 session. `ids` is the 32-bit integer that begins at the Tunnel ID. */
  findV2(ids: number, endpoint: Endpoint, batch: PacketBatch, index: number): DataSession | undefined {
    const session = this.#registry.findV2(ids);
    if (session !== undefined) return checkSource(session, endpoint, batch, index);
    endpoint.counters[DROP.unknown_session]!++;
    return undefined;
  }

  /** Finds a version 3 session over IP. */
  findIp(sessionId: number, endpoint: Endpoint, batch: PacketBatch, index: number): DataSession | undefined {
    const session = this.#registry.findIp(sessionId);
    if (session !== undefined) return checkSource(session, endpoint, batch, index);
    const reason = this.#registry.isKnown(sessionId) ? DROP.wrong_endpoint : DROP.unknown_session;
    endpoint.counters[reason]!++;
    return undefined;
  }

  /**
   * Finds a version 3 session over UDP.
   *
   * @param sessions The version 3 sessions of the endpoint
   * @param unknown Drop reason if no session has the id
   */
  findUdp(
    sessionId: number,
    sessions: UdpSessions,
    endpoint: Endpoint,
    batch: PacketBatch,
    index: number,
    unknown: number,
  ): DataSession | undefined {
    const name = batch.nameOffsets[index]!;
    if (sessionId === this.#lastId && name === this.#lastName && this.#lastFound !== undefined) {
      return checkConsumer(this.#lastFound);
    }
    const session = sessions.find(sessionId, batch.names, name >> 2);
    if (session !== undefined) {
      this.#lastFound = session;
      this.#lastId = sessionId;
      this.#lastName = name;
      return checkConsumer(session);
    }
    const refused = sessions.anyWithId(sessionId);
    if (refused !== undefined) refused.counters[DROP.wrong_peer]!++;
    else endpoint.counters[this.#registry.isKnown(sessionId) ? DROP.wrong_endpoint : unknown]!++;
    return undefined;
  }
}

/** Returns the only session with the id if it accepts the packet's endpoint and source. */
function checkSource(
  session: DataSession,
  endpoint: Endpoint,
  batch: PacketBatch,
  index: number,
): DataSession | undefined {
  if (session.tunnel.endpoint !== endpoint) {
    endpoint.counters[DROP.wrong_endpoint]!++;
    return undefined;
  }
  if (session.tunnel.accepts(batch.names, batch.nameOffsets[index]! >> 2)) return checkConsumer(session);
  session.counters[DROP.wrong_peer]!++;
  return undefined;
}

/** Returns the session if it has a consumer. */
function checkConsumer(session: DataSession): DataSession | undefined {
  // A PPP session without a consumer still counts sequence numbers, as the kernel's does.
  if (session.consumer !== undefined || session.isPpp) return session;
  session.counters[DROP.not_ready]!++;
  return undefined;
}
