/**
 * Resolution of host names.
 *
 * @module
 */

import { formatIpAddress } from "../../base/ip_address.ts";
import { resolveHost, resolveHostInBackground } from "../../../ffi/sockets/resolve.ts";
import { AF_INET, AF_INET6 } from "../../base/inet.ts";

/**
 * Resolves a host name to addresses as text, best first: of family 4 or 6, or of both if `undefined`.
 *
 * @throws {ResolveError}
 */
export function hostAddresses(host: string, family: 4 | 6 | undefined): string[] {
  return resolveHost(host, numberOf(family)).map(({ address }) => formatIpAddress(address));
}

/**
 * Like {@link hostAddresses}, without blocking the calling thread.
 *
 * @throws {ResolveError}
 */
export async function hostAddressesInBackground(
  host: string,
  family: 4 | 6 | undefined,
): Promise<string[]> {
  const found = await resolveHostInBackground(host, numberOf(family));
  return found.map(({ address }) => formatIpAddress(address));
}

function numberOf(family: 4 | 6 | undefined): number {
  return family === undefined ? 0 : family === 4 ? AF_INET : AF_INET6;
}
