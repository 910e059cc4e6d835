/**
 * What the layers of a link see of it and of each other.
 *
 * @module
 */

import type { PppEnd } from "../../model/ppp/status.ts";
import type { ControlPacket } from "../../wire/ppp/control_packet.ts";
import type { AuthenticatedEffect, PppDropReason } from "./effects.ts";
import type { PppSettings } from "./options.ts";

/** The link, as its layers see it. */
export interface LinkPorts {
  /** The settings. */
  readonly settings: PppSettings;
  /** Milliseconds of the caller's clock. */
  readonly now: number;
  /** Longest payload that may be sent now. */
  readonly mtu: number;
  /** Sends a packet. */
  send(protocol: number, packet: ControlPacket): void;
  /** Counts a frame that was not used. */
  drop(reason: PppDropReason): void;
  /** The automaton of a protocol has come to the Opened state (tlu). */
  layerUp(protocol: number): void;
  /** It has left the Opened state (tld). */
  layerDown(protocol: number): void;
  /** It needs its lower layer no longer (tlf). */
  layerFinished(protocol: number): void;
  /** The peer does not know a protocol. */
  protocolRejected(protocol: number): void;
  /** An authentication has succeeded. */
  authenticated(success: Omit<AuthenticatedEffect, "effect">): void;
  /** Keeps why the link will end, if it does not know yet. */
  noteEnd(end: PppEnd): void;
  /** Ends the link for that reason. */
  fail(end: PppEnd): void;
}
