/**
 * The trace events of the subsystem in userspace: what the kernel has as tracepoints (`trace/events/l2tp.h`).
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import type { NotificationSource } from "../../driver/netlink/ports.ts";
import { decodeL2tpdText, L2TPD_CMD, L2TPD_FAMILY_ID } from "../../wire/l2tpd/family.ts";
import { decodeMessages } from "../../wire/netlink/message.ts";

/** What happened, with its facts, as the daemon tells it. */
export interface L2tpTraceEvent {
  /** Name of the event, as the kernel's; `"events_lost"` when more happened than could be told. */
  readonly event: string;
  /** A fact. */
  readonly [fact: string]: unknown;
}

/** A listener to the trace events of one namespace. */
export class L2tpTrace implements Disposable, AsyncIterable<L2tpTraceEvent> {
  readonly #source: NotificationSource;
  #closed = false;

  /** Takes over the source. */
  constructor(source: NotificationSource) {
    this.#source = source;
  }

  /**
   * Events in order, until {@link close}.
   *
   * @throws {DecodeError} if one is malformed
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<L2tpTraceEvent> {
    for (;;) {
      const datagram = await this.#source.next();
      if (datagram === undefined) return;
      if (datagram === "overrun") {
        yield { event: "events_lost" };
        continue;
      }
      // Decoded before anything is yielded: the datagram is gone once the source is asked again.
      const events = decodeMessages(datagram)
        .filter(({ type, payload }) => type === L2TPD_FAMILY_ID && payload[0] === L2TPD_CMD.TRACE)
        .map(({ payload }) => readEvent(decodeL2tpdText(payload)));
      yield* events;
    }
  }

  /** Ends the iteration. Once is enough; more does no harm. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#source.close();
  }

  /** Ends the iteration. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function readEvent(text: string): L2tpTraceEvent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Told below.
  }
  if (typeof value === "object" && value !== null && "event" in value && typeof value.event === "string") {
    return value as L2tpTraceEvent;
  }
  throw new DecodeError({ field: "L2TPD_CMD_TRACE", offset: 0, needed: 0, had: 0 }, "it is no event");
}
