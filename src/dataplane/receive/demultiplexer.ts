/**
 * Whose a received packet is: the session that may have it (over this endpoint, from that source, and somebody takes
 * its frames), or whom it is counted on as dropped. Takes as long however many sessions there are, also for packets
 * that are nobody's.
 *
 * @module
 */

import { DROP } from "../counters.ts";
import type { Endpoint } from "../sessions/endpoint.ts";
import type { PacketBatch } from "../buffers/packet_batch.ts";
import type { DataSession } from "../sessions/session.ts";
import type { SessionRegistry } from "../sessions/session_registry.ts";
import type { UdpSessions } from "../sessions/udp_sessions.ts";

/** Finds sessions for the receiver. Packets without one are counted when these return `undefined`. */
export class Demultiplexer {
  readonly #registry: SessionRegistry;
  /** What was found last in this batch: packets of one message have the source at the same place, and mostly the id. */
  #found: DataSession | undefined;
  #foundId = 0;
  #foundName = 0;

  /** For the packets of one data path. */
  constructor(registry: SessionRegistry) {
    this.#registry = registry;
  }

  /** The version 3 sessions that packets of a batch of a UDP endpoint may be for. */
  udpSessions(endpoint: Endpoint): UdpSessions {
    this.#found = undefined;
    return this.#registry.udpSessions(endpoint);
  }

  /** Version 2, by the 32-bit integer that begins at the Tunnel ID. */
  findV2(ids: number, endpoint: Endpoint, batch: PacketBatch, index: number): DataSession | undefined {
    const session = this.#registry.findV2(ids);
    if (session !== undefined) return admit(session, endpoint, batch, index);
    endpoint.counters[DROP.unknown_session]!++;
    return undefined;
  }

  /** Version 3 over IP. */
  findIp(sessionId: number, endpoint: Endpoint, batch: PacketBatch, index: number): DataSession | undefined {
    const session = this.#registry.findIp(sessionId);
    if (session !== undefined) return admit(session, endpoint, batch, index);
    const reason = this.#registry.isKnown(sessionId) ? DROP.wrong_endpoint : DROP.unknown_session;
    endpoint.counters[reason]!++;
    return undefined;
  }

  /**
   * Version 3 over UDP.
   *
   * @param here The version 3 sessions of the endpoint
   * @param unknown What the packet is counted as if no session has the id
   */
  findUdp(
    sessionId: number,
    here: UdpSessions,
    endpoint: Endpoint,
    batch: PacketBatch,
    index: number,
    unknown: number,
  ): DataSession | undefined {
    const name = batch.nameOffsets[index]!;
    if (sessionId === this.#foundId && name === this.#foundName && this.#found !== undefined) {
      return ready(this.#found);
    }
    const session = here.find(sessionId, batch.names, name >> 2);
    if (session !== undefined) {
      this.#found = session;
      this.#foundId = sessionId;
      this.#foundName = name;
      return ready(session);
    }
    const refused = here.representative(sessionId);
    if (refused !== undefined) refused.counters[DROP.wrong_peer]!++;
    else endpoint.counters[this.#registry.isKnown(sessionId) ? DROP.wrong_endpoint : unknown]!++;
    return undefined;
  }
}

/** The only session with the id, if it may have the packet. */
function admit(
  session: DataSession,
  endpoint: Endpoint,
  batch: PacketBatch,
  index: number,
): DataSession | undefined {
  if (session.tunnel.endpoint !== endpoint) {
    endpoint.counters[DROP.wrong_endpoint]!++;
    return undefined;
  }
  if (session.tunnel.accepts(batch.names, batch.nameOffsets[index]! >> 2)) return ready(session);
  session.counters[DROP.wrong_peer]!++;
  return undefined;
}

/** The session, if somebody takes its frames. */
function ready(session: DataSession): DataSession | undefined {
  // A PPP session without a consumer keeps its sequence going, as the kernel's does.
  if (session.consumer !== undefined || session.isPpp) return session;
  session.counters[DROP.not_ready]!++;
  return undefined;
}
