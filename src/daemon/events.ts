/**
 * The events that parts of the daemon tell each other by an `EventHub`.
 *
 * @module
 */

import type { ControlMessage } from "../driver/data_plane/options.ts";
import type { TraceEvent } from "../subsystem/trace.ts";
import type { L2tpdControl } from "../wire/l2tpd/family.ts";

/** Events by kind. */
export interface DaemonEvents {
  /** The subsystem notifies of a change in a network namespace: messages of the "l2tp" family. */
  readonly notifications: { readonly netns: string; readonly messages: readonly Uint8Array[] };
  /** The subsystem or the data plane traces. */
  readonly trace: TraceEvent;
  /** The data plane received a control message. The bytes are lent for the call. */
  readonly controlReceived: ControlMessage;
  /** A control message arrived on a tunnel's socket in a network namespace. The bytes are lent for the call. */
  readonly control: { readonly netns: string; readonly control: L2tpdControl };
  /** The data plane has ended by itself: no packet moves any more. */
  readonly crash: Error;
}
