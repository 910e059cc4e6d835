/**
 * Looking up the peers that have names.
 *
 * @module
 */

import type { PlanOptions } from "../config/plan/plan.ts";
import { endIpVersion } from "../config/schema/rules.ts";
import type { ConfigTunnel } from "../config/schema/settings.ts";

/** Finds a host's addresses, best first, of family 4 or 6, or of both without one. */
export type Resolver = (
  host: string,
  family: 4 | 6 | undefined,
) => readonly string[] | Promise<readonly string[]>;

/** Addresses of the peers that have names, by the tunnel's label, or why there are none. All are asked for at once. */
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
