/**
 * Offers the daemon's metrics where its options say.
 *
 * @module
 */

import { METRICS_TYPE, metricsText } from "../../driver/metrics/exposition.ts";
import type { ListenAddress } from "../../metrics/listen_address.ts";
import { PROGRAM_VERSION } from "../../model/version.ts";
import { type EndpointParts, MetricsEndpoint } from "./endpoint.ts";
import { type SnapshotParts, takeSnapshot } from "./snapshot.ts";

/**
 * Listens for Prometheus at the address. Tunnels work without metrics, so a failure is logged, and the result is
 * `undefined`, as without an address.
 */
export async function offerMetrics(
  address: ListenAddress | undefined,
  parts: SnapshotParts,
  { group, log }: Pick<EndpointParts, "group" | "log">,
): Promise<MetricsEndpoint | undefined> {
  if (address === undefined) return undefined;
  try {
    return await MetricsEndpoint.listen(address, {
      text: () => metricsText(takeSnapshot(PROGRAM_VERSION, parts)),
      type: METRICS_TYPE,
      group,
      log,
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const where = address.transport === "unix" ? address.path : `${address.hostname} port ${address.port}`;
    log(`metrics unavailable: cannot listen at ${where}: ${error.message}`);
    return undefined;
  }
}
