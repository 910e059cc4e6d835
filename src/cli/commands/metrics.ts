/**
 * `metrics`: prints metrics for Prometheus, or a dashboard for Grafana.
 *
 * @module
 */

import { dashboard } from "../../metrics/dashboard.ts";
import { carryPpp, withPppInterfaces } from "../../model/ppp/interfaces.ts";
import type { Context } from "../context.ts";
import { unknownKeyword } from "../grammar/messages.ts";
import { pppStatuses } from "../output/ppp_statuses.ts";
import { UsageError } from "../grammar/usage_error.ts";
import { PROGRAM_VERSION } from "../../model/version.ts";

/** Prints the metrics of the present namespace, or the dashboard; resolves to the exit code. */
export async function metrics(context: Context, words: readonly string[]): Promise<number> {
  const unknown = words.find((word) => word !== "--dashboard");
  if (unknown !== undefined) {
    throw new UsageError(unknownKeyword(unknown), { advice: ["See: l2tp help metrics"] });
  }
  if (words.length > 0) {
    context.print(`${JSON.stringify(dashboard(), null, 2)}\n`);
    return 0;
  }
  await context.open("read");
  const { l2tp, links, lazy } = context;
  const tunnels = l2tp.tunnels();
  const listed = l2tp.sessions();
  const sessions = carryPpp(listed) ? withPppInterfaces(listed, pppStatuses(context).values()) : listed;
  const found = lazy.metricsText({
    version: PROGRAM_VERSION,
    dataplane: l2tp.dataplane,
    daemon: undefined,
    namespaces: [{
      netns: lazy.system.netnsName(),
      tunnels,
      sessions,
      links: links.links(),
      drops: l2tp.drops(),
      offloads: l2tp.offloads(),
    }],
  });
  for await (const text of found) context.print(text);
  return 0;
}
