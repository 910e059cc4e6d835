/**
 * The PPP of a session as the main thread holds it.
 *
 * @module
 */

import type { PppChanges } from "../../dataplane/mod.ts";
import type { ObjectId } from "./commands.ts";
import type { HandleOwner, SessionHandle } from "./handles.ts";

/** What a PPP tells. */
export interface PppEvents {
  /** The session is about to be removed: what is sent before this returns still goes out. */
  readonly ending?: (() => void) | undefined;
  /** A control frame came: protocol (2 bytes) and payload; the receiver's own. */
  readonly receive: (frame: Uint8Array<ArrayBuffer>) => void;
  /**
   * The session has gone, or somebody has deleted the device: nothing comes any more, nothing can be sent. Told once,
   * not within the call that caused it, and not after {@link PppHandle.remove}.
   */
  readonly lost: () => void;
}

/** Bytes of the longest frame: what the longest packet carries, and a protocol field. */
const FRAME_MAX = 0xffff + 2;

/** PPP on a session. What is asked of it once it is gone does nothing. */
export class PppHandle {
  /** Its number, unique in its data plane for all time. */
  readonly id: ObjectId;
  /** Takes the worker's reports. */
  readonly events: PppEvents;
  readonly #owner: HandleOwner;
  readonly #session: SessionHandle;
  readonly #forget: () => void;
  #gone = false;

  /** Made by `DataPlane.attachPpp`. */
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
   * Sends a control frame: protocol (2 bytes) and payload. What cannot be sent is counted on the session.
   *
   * @throws {RangeError} if it is longer than any that can be received, 65,535 bytes and the protocol
   * @throws {DataPlaneDead}
   */
  send(frame: Uint8Array): void {
    if (frame.length > FRAME_MAX) throw new RangeError(`Cannot send a PPP frame of ${frame.length} bytes`);
    if (!this.#gone) this.#owner.call({ op: "sendPpp", id: this.id, frame: frame.toHex() });
  }

  /**
   * Changes which packets pass, and how they are framed.
   *
   * @throws {RangeError} if a length is out of range; then nothing changes
   * @throws {DataPlaneDead}
   */
  change(changes: PppChanges): void {
    if (!this.#gone) this.#owner.call({ op: "changePpp", id: this.id, changes });
  }

  /**
   * Detaches it: when this returns, the worker does not touch its device any more, and the session drops what it
   * receives (`no_ppp`). Does nothing the second time.
   *
   * @throws {DataPlaneDead}
   */
  remove(): void {
    if (this.#gone) return;
    this.#owner.call({ op: "detachPpp", id: this.id });
    this.#settle();
  }

  /** For the session's handle and the data plane: the worker has let go of the device by itself. */
  lose(): void {
    if (this.#gone) return;
    this.#settle();
    // Whoever removes a session is in the middle of that.
    queueMicrotask(() => this.events.lost());
  }

  #settle(): void {
    this.#gone = true;
    this.#session.ppp = undefined;
    this.#forget();
  }
}
