/**
 * Sends the worker's reports to the main thread: control messages, PPP control frames, trace events. The number of
 * reports in flight is bounded: shared memory counts those that the main thread has not processed yet. Beyond the
 * limit, reports are dropped and counted.
 *
 * @module
 */

import { AF_INET } from "../../../base/inet.ts";
import {
  type ControlVector,
  copyPppFrame,
  type DataSession,
  type Endpoint,
  type PacketMemory,
  type PacketTraceEvent as PathEvent,
} from "../../../dataplane/mod.ts";
import type { TraceEvent } from "../../../subsystem/trace.ts";
import { type ObjectId, pppReportBytes, type Report, REPORTS } from "../commands.ts";

/** Control messages in flight; at 64 KiB each at most, 16 MiB. */
const MAX_CONTROL = 256;
/** Memory of PPP control frames in flight, in bytes; enough for some thousands of frames. */
const MAX_PPP_BYTES = 4 * 1024 * 1024;
/** Trace reports in flight, and trace events in each report. */
const MAX_TRACE = 32;
const MAX_EVENTS = 256;

const IPV4_NAME = 16;
const IPV6_NAME = 28;

/** Sends reports through `post`. */
export class WorkerReports {
  /** Trace events are sent. */
  tracing = false;
  /** Ids of the endpoints, as the main thread knows them. */
  readonly endpoints: Map<Endpoint, ObjectId> = new Map();
  readonly #post: (report: Report) => void;
  readonly #counters: Int32Array;
  #events: TraceEvent[] = [];

  /** `counters` is shared with the main thread ({@link REPORTS}). */
  constructor(post: (report: Report) => void, counters: SharedArrayBuffer) {
    this.#post = post;
    this.#counters = new Int32Array(counters);
  }

  /** Posts copies of received control messages. */
  control(messages: ControlVector): void {
    for (let i = 0; i < messages.count; i++) {
      const endpoint = this.endpoints.get(messages.endpoints[i]!);
      if (endpoint === undefined) continue;
      if (Atomics.load(this.#counters, REPORTS.controlInFlight) >= MAX_CONTROL) {
        Atomics.add(this.#counters, REPORTS.controlLost, 1);
        continue;
      }
      Atomics.add(this.#counters, REPORTS.controlInFlight, 1);
      const { bytes, names } = messages.batches[i]!;
      const from = messages.offsets[i]!;
      const nameFrom = messages.nameOffsets[i]!;
      const nameLength = (names[nameFrom >> 2]! & 0xffff) === AF_INET ? IPV4_NAME : IPV6_NAME;
      const name = new Uint8Array(names.buffer, nameFrom, nameLength).slice();
      this.#post({ type: "control", endpoint, bytes: bytes.slice(from, from + messages.lengths[i]!), name });
    }
  }

  /** Posts a copy of a PPP control frame. Returns false, and posts nothing, if too many are in flight. */
  ppp(id: ObjectId, memory: PacketMemory, offset: number, length: number): boolean {
    const bytes = pppReportBytes(length);
    if (Atomics.load(this.#counters, REPORTS.pppInFlight) + bytes > MAX_PPP_BYTES) return false;
    const frame = copyPppFrame(memory, offset, length);
    Atomics.add(this.#counters, REPORTS.pppInFlight, pppReportBytes(frame.length));
    this.#post({ type: "ppp", id, frame });
    return true;
  }

  /** Reports that the device of a PPP attachment was deleted. */
  pppLost(id: ObjectId): void {
    this.#post({ type: "pppLost", id });
  }

  /** Queues a trace event until {@link flush}, if trace events are on. */
  trace(netns: string, event: PathEvent, session: DataSession, packetNs: number): void {
    if (!this.tracing) return;
    if (this.#events.length === MAX_EVENTS) {
      Atomics.add(this.#counters, REPORTS.traceLost, 1);
      return;
    }
    this.#events.push(traceOf(netns, event, session, packetNs));
  }

  /** Posts the queued trace events. */
  flush(): void {
    const events = this.#events;
    if (events.length === 0) return;
    this.#events = [];
    if (Atomics.load(this.#counters, REPORTS.traceInFlight) >= MAX_TRACE) {
      Atomics.add(this.#counters, REPORTS.traceLost, events.length);
      return;
    }
    Atomics.add(this.#counters, REPORTS.traceInFlight, 1);
    this.#post({ type: "trace", events });
  }
}

function traceOf(netns: string, event: PathEvent, session: DataSession, packetNs: number): TraceEvent {
  const { sessionId, ns, nr } = session;
  const key = { netns, tunnelId: session.tunnel.tunnelId, sessionId };
  switch (event) {
    case "session_seqnum_lns_enable":
    case "session_seqnum_lns_disable":
      return { ...key, event };
    case "session_seqnum_update":
    case "session_seqnum_reset":
      return { ...key, event, ns, nr };
    case "session_pkt_expired":
    case "session_pkt_outside_rx_window":
    case "session_pkt_oos":
      return { ...key, event, packetNs, nr, reorderQueueLength: session.queued };
  }
}
