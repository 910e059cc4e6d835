/**
 * Host names as this machine resolves them.
 *
 * @module
 */

import { formatIpAddress } from "../base/ip_address.ts";
import { resolveHost } from "../../ffi/resolve.ts";
import { AF_INET, AF_INET6 } from "../../ffi/sockaddr.ts";

/**
 * The host's addresses, best first, in text: of family 4 or 6, or of both without one.
 *
 * @throws {ResolveError}
 */
export function hostAddresses(host: string, family: 4 | 6 | undefined): string[] {
  return resolveHost(host, family === undefined ? 0 : family === 4 ? AF_INET : AF_INET6)
    .map(({ address }) => formatIpAddress(address));
}
