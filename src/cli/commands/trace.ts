/**
 * `monitor --trace`: prints trace events of the userspace subsystem until the user interrupts.
 *
 * @module
 */

import type { L2tpTraceEvent } from "../../client/daemon/trace.ts";
import type { Context } from "../context.ts";
import { EXIT_FAILURE } from "../errors/failure.ts";
import { formatJson, type TraceJson } from "../output/json.ts";
import { argumentWrong } from "../grammar/messages.ts";
import { isoTime } from "../output/monitor_time.ts";
import type { Options } from "../grammar/options.ts";
import { UsageError } from "../grammar/usage_error.ts";

/** Names of facts in the kernel's tracepoints; other facts keep their names. */
const KERNEL_NAMES: ReadonlyMap<string, string> = new Map([
  ["tunnel_id", "tid"],
  ["peer_tunnel_id", "ptid"],
  ["session_id", "sid"],
  ["peer_session_id", "psid"],
  ["pseudowire_type", "pseudowire"],
  ["packet_ns", "pkt_ns"],
  ["reorder_queue_length", "reorder_q_len"],
]);

/** Prints trace events until the user interrupts; resolves to the exit code. The context's client is open. */
export async function traceEvents(context: Context, options: Options): Promise<number> {
  if (context.l2tp.dataplane === "kernel") {
    throw new UsageError(argumentWrong("--trace", "the kernel's L2TP is traced by the kernel"), {
      exitCode: EXIT_FAILURE,
      advice: [
        "As root: echo 1 > /sys/kernel/tracing/events/l2tp/enable",
        "Then: cat /sys/kernel/tracing/trace_pipe",
      ],
    });
  }
  using events = context.lazy.daemon.openTrace();
  using _interrupt = context.lazy.terminal.onInterrupt(() => events.close());
  for await (const event of events) {
    const row = rowOf(event, isoTime(context.lazy.clock.now()));
    context.print(options.json ? formatJson(row, options.pretty === true) + "\n" : textOf(row));
    context.flush();
  }
  return 0;
}

/** The facts under the names of the other JSON outputs. The namespace is that of this program. */
function rowOf({ event, ...facts }: L2tpTraceEvent, timestamp: string): TraceJson {
  const named = Object.entries(facts).filter(([name]) => name !== "netns").map(([name, fact]) => [
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    fact,
  ]);
  return { event, timestamp, ...Object.fromEntries(named) };
}

function textOf({ event, timestamp, ...facts }: TraceJson): string {
  const words = Object.entries(facts).map(([name, fact]) =>
    ` ${KERNEL_NAMES.get(name) ?? name}=${typeof fact === "string" ? fact : JSON.stringify(fact)}`
  );
  return `[${timestamp}] ${event}${words.length === 0 ? "" : ":"}${words.join("")}\n`;
}
