/**
 * Trace events of the daemon, like the kernel's tracepoints (`trace/events/l2tp.h`).
 *
 * @module
 */

import type { NotificationSource } from "../../driver/netlink/ports.ts";
import { L2TPD_FAMILY_ID } from "../../wire/l2tpd/constants.ts";
import { decodeL2tpdText, L2TPD_CMD } from "../../wire/l2tpd/family.ts";
import { decodeTrace, type L2tpTraceEvent } from "../../wire/l2tpd/trace.ts";
import { decodeMessages } from "../../wire/netlink/message.ts";

export type { L2tpTraceEvent };

/** A listener to the trace events of one namespace. */
export class L2tpTrace implements Disposable, AsyncIterable<L2tpTraceEvent> {
  readonly #source: NotificationSource;
  #closed = false;

  /** Takes ownership of the source. */
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
      // Decoded before anything is yielded: the source reuses the datagram's buffer.
      const events = decodeMessages(datagram)
        .filter(({ type, payload }) => type === L2TPD_FAMILY_ID && payload[0] === L2TPD_CMD.TRACE)
        .map(({ payload }) => decodeTrace(decodeL2tpdText(payload)));
      yield* events;
    }
  }

  /** Ends the iteration. Idempotent. */
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
