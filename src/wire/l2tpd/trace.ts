/**
 * Trace events: what the kernel has as tracepoints (`trace/events/l2tp.h`), one JSON object each. Pure.
 *
 * @module
 */

import { JsonObjectReader } from "../../base/json_reader.ts";
import { L2TPD_TEXT_MAX } from "./family.ts";

/** A trace event with its facts. */
export interface L2tpTraceEvent {
  /** Name of the event, as the kernel's; `"events_lost"` when more happened than could be told. */
  readonly event: string;
  /** A fact. */
  readonly [fact: string]: unknown;
}

/** The event in JSON, at most as long as one message takes. */
export function encodeTrace(event: { readonly event: string }): string {
  return JSON.stringify(event).slice(0, L2TPD_TEXT_MAX);
}

/**
 * The event in the text. Its facts are not checked.
 *
 * @throws {DecodeError} if it is not an object with a name
 */
export function decodeTrace(text: string): L2tpTraceEvent {
  const reader = JsonObjectReader.parse(text, "L2TPD_CMD_TRACE");
  const event = reader.text("event", L2TPD_TEXT_MAX);
  return { event, ...Object.fromEntries(reader.rest()) };
}
