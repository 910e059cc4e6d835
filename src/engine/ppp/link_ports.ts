/**
 * The interface between a link and its layers (LCP, authentication, IPCP, IPV6CP).
 *
 * @module
 */

import type { PppEnd } from "../../model/ppp/status.ts";
import type { ControlPacket } from "../../wire/ppp/control_packet.ts";
import type { AuthenticatedEffect, PppDropReason } from "./effects.ts";
import type { PppSettings } from "./options.ts";

/** The link as seen by its layers. */
export interface LinkPorts {
  /** Settings of the link, with defaults. */
  readonly settings: PppSettings;
  /** Current time, in milliseconds of the caller's clock. */
  readonly now: number;
  /** Longest payload that may be sent now, in bytes. */
  readonly mtu: number;
  /** Sends a packet with this Protocol field. */
  send(protocol: number, packet: ControlPacket): void;
  /** Counts a dropped frame. */
  drop(reason: PppDropReason): void;
  /** The automaton of a protocol has reached the Opened state (This-Layer-Up). */
  layerUp(protocol: number): void;
  /** The automaton of a protocol has left the Opened state (This-Layer-Down). */
  layerDown(protocol: number): void;
  /** The automaton of a protocol no longer needs its lower layer (This-Layer-Finished). */
  layerFinished(protocol: number): void;
  /** The peer sent a Protocol-Reject for a protocol. */
  protocolRejected(protocol: number): void;
  /** An authentication has succeeded. */
  authenticated(success: Omit<AuthenticatedEffect, "effect">): void;
  /** Records the reason of the link's end. The first reason wins. */
  noteEnd(end: PppEnd): void;
  /** Terminates the link for this reason. */
  fail(end: PppEnd): void;
}
