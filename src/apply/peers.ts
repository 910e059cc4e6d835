/**
 * Resolves the host names of peers.
 *
 * @module
 */

import type { PlanOptions } from "../config/plan/plan.ts";
import { endIpVersion } from "../config/schema/rules.ts";
import type { ConfigTunnel } from "../config/schema/settings.ts";

/** Resolves a host name to addresses, best first, of IP version 4 or 6; of both without `family`. */
export type Resolver = (
  host: string,
  family: 4 | 6 | undefined,
) => readonly string[] | Promise<readonly string[]>;

/** Resolves all peers that have host names at once. Returns addresses, or the reason of a failure, by the tunnel's label. */
export async function lookUpPeers(
  tunnels: readonly ConfigTunnel[],
  resolve: Resolver,
): Promise<PlanOptions["peers"]> {
  const named = tunnels.flatMap(({ label, settings: { local, remote } }) =>
    remote?.type === "host" ? [{ label, host: remote.text, family: endIpVersion({ local }) }] : []
  );
  return new Map(
    await Promise.all(named.map(async ({ label, host, family }) => {
      try {
        const addresses = await resolve(host, family);
        return [label, addresses.length > 0 ? addresses : { reason: "it has no address" }] as const;
      } catch (error) {
        const known = error instanceof Error && "reason" in error;
        if (!known) throw error;
        return [label, { reason: String(error.reason) }] as const;
      }
    })),
  );
}
