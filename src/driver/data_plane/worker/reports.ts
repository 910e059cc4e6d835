/**
 * What the worker tells the main thread unasked. Bounded: what the main thread has not taken yet is counted in shared
 * memory, and beyond a limit nothing more is sent but counted as lost.
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

/** Control messages under way: at 64 KiB each at most, 16 MiB. */
const MAX_CONTROL = 256;
/** Bytes of memory of control frames of PPP under way: some thousands of them. */
const MAX_PPP_BYTES = 4 * 1024 * 1024;
/** Trace reports under way, and events in each: what one turn may make. */
const MAX_TRACE = 32;
const MAX_EVENTS = 256;

const IPV4_NAME = 16;
const IPV6_NAME = 28;

/** Sends reports by whatever `post` is. */
export class WorkerReports {
  /** Whether trace events are wanted. */
  tracing = false;
  /** The numbers that the main thread knows endpoints by. */
  readonly endpoints: Map<Endpoint, ObjectId> = new Map();
  readonly #post: (report: Report) => void;
  readonly #ledger: Int32Array;
  #events: TraceEvent[] = [];

  /** `ledger` is the memory shared with the main thread. */
  constructor(post: (report: Report) => void, ledger: SharedArrayBuffer) {
    this.#post = post;
    this.#ledger = new Int32Array(ledger);
  }

  /** Sends control messages, copied. */
  control(messages: ControlVector): void {
    for (let i = 0; i < messages.count; i++) {
      const endpoint = this.endpoints.get(messages.endpoints[i]!);
      if (endpoint === undefined) continue;
      if (Atomics.load(this.#ledger, REPORTS.controlUnderWay) >= MAX_CONTROL) {
        Atomics.add(this.#ledger, REPORTS.controlLost, 1);
        continue;
      }
      Atomics.add(this.#ledger, REPORTS.controlUnderWay, 1);
      const { bytes, names } = messages.batches[i]!;
      const from = messages.offsets[i]!;
      const nameFrom = messages.nameOffsets[i]!;
      const nameLength = (names[nameFrom >> 2]! & 0xffff) === AF_INET ? IPV4_NAME : IPV6_NAME;
      const name = new Uint8Array(names.buffer, nameFrom, nameLength).slice();
      this.#post({ type: "control", endpoint, bytes: bytes.slice(from, from + messages.lengths[i]!), name });
    }
  }

  /** Sends a control frame of PPP, copied; false if too many are under way. */
  ppp(id: ObjectId, memory: PacketMemory, offset: number, length: number): boolean {
    const bytes = pppReportBytes(length);
    if (Atomics.load(this.#ledger, REPORTS.pppUnderWay) + bytes > MAX_PPP_BYTES) return false;
    const frame = copyPppFrame(memory, offset, length);
    Atomics.add(this.#ledger, REPORTS.pppUnderWay, pppReportBytes(frame.length));
    this.#post({ type: "ppp", id, frame });
    return true;
  }

  /** Says that the device of a PPP has gone. */
  pppLost(id: ObjectId): void {
    this.#post({ type: "pppLost", id });
  }

  /** Notes a trace event, if they are wanted, until {@link flush}. */
  trace(netns: string, event: PathEvent, session: DataSession, packetNs: number): void {
    if (!this.tracing) return;
    if (this.#events.length === MAX_EVENTS) {
      Atomics.add(this.#ledger, REPORTS.traceLost, 1);
      return;
    }
    this.#events.push(traceOf(netns, event, session, packetNs));
  }

  /** Sends the trace events that were noted. */
  flush(): void {
    const events = this.#events;
    if (events.length === 0) return;
    this.#events = [];
    if (Atomics.load(this.#ledger, REPORTS.traceUnderWay) >= MAX_TRACE) {
      Atomics.add(this.#ledger, REPORTS.traceLost, events.length);
      return;
    }
    Atomics.add(this.#ledger, REPORTS.traceUnderWay, 1);
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
