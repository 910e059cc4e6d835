/**
 * The paths of sessions: what the subsystem's rules see of a session in the data plane.
 *
 * @module
 */

import type { BpfCounts } from "../../driver/bpf/data_path.ts";
import type { DataPlane, DeviceFacts, SessionHandle } from "../../driver/data_plane/mod.ts";
import { ZERO_COUNTERS } from "../../model/counters.ts";
import type { SessionChanges } from "../../model/session.ts";
import type { LiveSessionState, SessionPath } from "../../subsystem/ports.ts";
import type { SessionRecord } from "../../subsystem/records.ts";
import type { BpfSessionHandle } from "./bpf_session.ts";
import type { DeviceOffloads } from "./offloads.ts";

/** A session in the data plane. */
export interface PlaneSession {
  /** The worker that has it. */
  readonly plane: DataPlane;
  /** Its handle there. */
  readonly handle: SessionHandle;
  /** Whether it carries PPP. */
  readonly isPpp: boolean;
  /** The offloads of its device; `undefined` without one. Set by the owner of a device that is attached later. */
  offloads: DeviceOffloads | undefined;
  /** The session in the BPF programs; `undefined` if they can never carry it. */
  readonly bpf?: BpfSessionHandle | undefined;
}

/** The path of a session, and its handle in the data plane. */
export class LinuxSessionPath implements SessionPath {
  /** Our id of the session. */
  readonly sessionId: number;
  /** The session in the data plane; `undefined` if no packet can be made for it. */
  readonly planeSession: PlaneSession | undefined;
  readonly #onStop: () => void;
  /** The value requested last; used only without a data-plane session. */
  #sendSeq: boolean;

  /** `onStop` is called when the path has stopped. */
  constructor(session: SessionRecord, planeSession: PlaneSession | undefined, onStop: () => void) {
    this.sessionId = session.sessionId;
    this.#sendSeq = session.sendSeq;
    this.planeSession = planeSession;
    this.#onStop = onStop;
  }

  state(): LiveSessionState {
    if (this.planeSession === undefined) {
      return { sendSeq: this.#sendSeq, nr: 0, ns: 0, counters: ZERO_COUNTERS };
    }
    const { handle, bpf } = this.planeSession;
    const { sendSeq, nr, ns } = handle.live();
    return { sendSeq, nr, ns, counters: plus(handle.counters(), bpf?.counts()) };
  }

  change(changes: SessionChanges): void {
    this.#sendSeq = changes.sendSeq ?? this.#sendSeq;
    this.planeSession?.handle.change(changes);
    this.planeSession?.bpf?.change(changes);
  }

  /** Dropped packets by reason. */
  drops(): Readonly<Record<string, number>> {
    return this.planeSession?.handle.drops() ?? {};
  }

  stop(): void {
    this.planeSession?.bpf?.stop();
    this.planeSession?.handle.remove();
    this.#onStop();
  }
}

/** The counters, with what BPF programs counted beside the worker. */
export function plus<T extends BpfCounts>(counters: T, more: BpfCounts | undefined): T {
  if (more === undefined) return counters;
  return {
    ...counters,
    txPackets: counters.txPackets + more.txPackets,
    txBytes: counters.txBytes + more.txBytes,
    txErrors: counters.txErrors + more.txErrors,
    rxPackets: counters.rxPackets + more.rxPackets,
    rxBytes: counters.rxBytes + more.rxBytes,
  };
}

/** The properties of a device that the data plane needs. */
export function deviceFacts({ tap, uso, coalesce }: DeviceOffloads): DeviceFacts {
  // A system that can cut UDP for us can cut what we joined.
  return { virtio: tap, coalesceTcp: coalesce, coalesceUdp: coalesce && uso };
}
