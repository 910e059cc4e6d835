/**
 * The main thread's handle of PPP attached to a session.
 *
 * @module
 */

import type { PppChanges } from "../../dataplane/mod.ts";
import type { ObjectId } from "./commands.ts";
import type { HandleOwner, SessionHandle } from "./handles.ts";

/** Callbacks of a PPP attachment. */
export interface PppEvents {
  /** Called just before the session is removed; frames sent before this callback returns still leave. */
  readonly ending?: (() => void) | undefined;
  /** Receives a control frame: Protocol field (2 bytes) and payload. The callee owns the buffer. */
  readonly receive: (frame: Uint8Array<ArrayBuffer>) => void;
  /**
   * Called once when the session was removed or the device was deleted: no frame arrives any more, and none can be
   * sent. Never called within the call that caused it, nor after {@link PppHandle.remove}.
   */
  readonly lost: () => void;
}

/** Longest frame in bytes: the longest packet and a Protocol field. */
const FRAME_MAX = 0xffff + 2;

/** PPP attached to a session. After it was removed or lost, its methods do nothing. */
export class PppHandle {
  /** Id, unique within the data plane and never reused. */
  readonly id: ObjectId;
  /** Callbacks for the worker's reports. */
  readonly events: PppEvents;
  readonly #owner: HandleOwner;
  readonly #session: SessionHandle;
  readonly #forget: () => void;
  #detached = false;

  /** Called by `DataPlane.attachPpp` only. */
  constructor(
    owner: HandleOwner,
    id: ObjectId,
    session: SessionHandle,
    events: PppEvents,
    forget: () => void,
  ) {
    this.#owner = owner;
    this.id = id;
    this.#session = session;
    this.events = events;
    this.#forget = forget;
  }

  /**
   * Sends a control frame: Protocol field (2 bytes) and payload. Frames that cannot be sent count as errors of the
   * session.
   *
   * @throws {RangeError} if the frame is longer than 65,535 bytes and the Protocol field
   * @throws {DataPlaneClosed}
   */
  send(frame: Uint8Array): void {
    if (frame.length > FRAME_MAX) throw new RangeError(`Cannot send a PPP frame of ${frame.length} bytes`);
    if (!this.#detached) this.#owner.call({ op: "sendPpp", id: this.id, frame: frame.toHex() });
  }

  /**
   * Changes which packets pass, and how they are framed.
   *
   * @throws {RangeError} if a length is out of range; then nothing changes
   * @throws {DataPlaneClosed}
   */
  change(changes: PppChanges): void {
    if (!this.#detached) this.#owner.call({ op: "changePpp", id: this.id, changes });
  }

  /**
   * Detaches PPP. When this returns, the worker no longer touches the device, and the session drops received packets
   * (`no_ppp`). A second call does nothing.
   *
   * @throws {DataPlaneClosed}
   */
  remove(): void {
    if (this.#detached) return;
    this.#owner.call({ op: "detachPpp", id: this.id });
    this.#markDetached();
  }

  /** Called by the session's handle and the data plane after the worker has released the device. */
  markLost(): void {
    if (this.#detached) return;
    this.#markDetached();
    // Asynchronous, since the caller may be in the middle of removing the session.
    queueMicrotask(() => this.events.lost());
  }

  #markDetached(): void {
    this.#detached = true;
    this.#session.ppp = undefined;
    this.#forget();
  }
}
