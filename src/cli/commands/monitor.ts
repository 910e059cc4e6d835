/**
 * `monitor`: prints notifications of the subsystem as they arrive, until the user interrupts.
 *
 * @module
 */

import type { L2tpEvent } from "../../model/event.ts";
import type { Session } from "../../model/session.ts";
import type { Tunnel } from "../../model/tunnel.ts";
import type { Context } from "../context.ts";
import type { Options } from "../grammar/options.ts";
import { type EventJson, formatJson, sessionJson, tunnelJson } from "../output/json.ts";
import { unknownKeyword } from "../grammar/messages.ts";
import { isoTime, longTime } from "../output/monitor_time.ts";
import { sessionText, type TextStyle, textStyle, tunnelText } from "../output/text.ts";
import { traceEvents } from "./trace.ts";
import { UsageError } from "../grammar/usage_error.ts";

/** Text before an event. */
const PREFIXES = {
  tunnel_created: "Created ",
  session_created: "Created ",
  tunnel_modified: "Modified ",
  session_modified: "Modified ",
  tunnel_deleted: "Deleted ",
  session_deleted: "Deleted ",
  tunnel_present: "Present ",
  session_present: "Present ",
} as const;

const EVENT_NAMES = {
  tunnelCreated: "tunnel_created",
  tunnelModified: "tunnel_modified",
  tunnelDeleted: "tunnel_deleted",
  sessionCreated: "session_created",
  sessionModified: "session_modified",
  sessionDeleted: "session_deleted",
} as const;

/** Prints events until the user interrupts; resolves to the exit code. */
export async function monitor(context: Context, words: readonly string[], options: Options): Promise<number> {
  const unknown = words.find((word) => word !== "--trace");
  if (unknown !== undefined) {
    throw new UsageError(unknownKeyword(unknown), { advice: ["See: l2tp help monitor"] });
  }
  await context.open("listen");
  if (words.length > 0) return await traceEvents(context, options);
  const printer = new EventPrinter(context, options);
  using events = context.lazy.network.openEvents(context.l2tp.dataplane);
  using _interrupt = context.lazy.terminal.onInterrupt(() => events.close());
  for await (const event of events) {
    if (event.type === "eventsLost") resync(context, printer);
    else printer.event(event);
    context.flush();
  }
  return 0;
}

/** Prints that events were lost, and the present state. */
function resync(context: Context, printer: EventPrinter): void {
  context.ports.err("events lost, resyncing\n");
  printer.mark("events_lost");
  for (const tunnel of context.l2tp.tunnels()) printer.tunnel("tunnel_present", tunnel);
  for (const session of context.l2tp.sessions()) printer.session("session_present", session);
  printer.mark("resynced");
}

class EventPrinter {
  readonly #context: Context;
  readonly #options: Options;
  readonly #style: TextStyle;

  constructor(context: Context, options: Options) {
    this.#context = context;
    this.#options = options;
    this.#style = textStyle(options, context);
  }

  event(event: Exclude<L2tpEvent, { type: "eventsLost" }>): void {
    if ("tunnel" in event) this.tunnel(EVENT_NAMES[event.type] as TunnelEventName, event.tunnel);
    else this.session(EVENT_NAMES[event.type] as SessionEventName, event.session);
  }

  tunnel(event: TunnelEventName, tunnel: Tunnel): void {
    if (this.#options.json) this.#json({ event, tunnel: tunnelJson(tunnel, this.#style) });
    else this.#text(PREFIXES[event] + tunnelText(tunnel, this.#style));
  }

  session(event: SessionEventName, session: Session): void {
    // Without details: the interface may be gone, or in another namespace.
    const style = { ...this.#style, details: false };
    if (this.#options.json) this.#json({ event, session: sessionJson(session, undefined, style) });
    else this.#text(PREFIXES[event] + sessionText(session, undefined, this.#style));
  }

  /** An event without an object; only JSON has a place for it. */
  mark(event: "events_lost" | "resynced"): void {
    if (this.#options.json) this.#json({ event });
  }

  #json(event: EventJson): void {
    const { event: name, ...rest } = event;
    const timestamp = this.#options.timestamp === undefined
      ? {}
      : { timestamp: isoTime(this.#context.lazy.clock.now()) };
    this.#context.print(
      formatJson({ event: name, ...timestamp, ...rest }, this.#options.pretty === true) + "\n",
    );
  }

  #text(text: string): void {
    const now = this.#context.lazy.clock.now();
    if (this.#options.timestamp === "long") this.#context.print(`Timestamp: ${longTime(now)}\n`);
    else if (this.#options.timestamp === "short") this.#context.print(`[${isoTime(now)}] `);
    this.#context.print(text);
  }
}

type TunnelEventName = "tunnel_created" | "tunnel_modified" | "tunnel_deleted" | "tunnel_present";
type SessionEventName = "session_created" | "session_modified" | "session_deleted" | "session_present";
