/**
 * The address at which metrics are served. Only local addresses are allowed: metrics name every peer, and clients are
 * not authenticated.
 *
 * @module
 */

import { parseIpAddress } from "../base/ip_address.ts";

/** An address to listen on. */
export type ListenAddress =
  | { readonly transport: "tcp"; readonly hostname: string; readonly port: number }
  | { readonly transport: "unix"; readonly path: string };

/** Longest path of a Unix socket, in bytes (`sun_path` in `linux/un.h`). */
const SOCKET_PATH_MAX = 107;

const FORMS = "expected ADDRESS:PORT with a loopback address, as 127.0.0.1:9550 or [::1]:9550, or unix:PATH";

/**
 * Parses `ADDRESS:PORT` or `unix:PATH`.
 *
 * @returns the address, or the reason why the text is invalid or not local
 */
export function parseListenAddress(text: string): ListenAddress | string {
  if (text.startsWith("unix:")) return unixAddress(text.slice("unix:".length));
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || digits === undefined) return FORMS;
  const port = Number(digits);
  if (port < 1 || port > 65535) return `${digits} is not a port`;
  // Resolving the name could return another address.
  const hostname = host === "localhost" ? "127.0.0.1" : host;
  const address = parseIpAddress(hostname);
  if (address === undefined || (address.length === 16) !== (bracketed !== undefined)) return FORMS;
  if (!isLoopback(address)) {
    return `${hostname} is not a loopback address, and others could read the metrics there: ` +
      "put a web server with authentication in front";
  }
  return { transport: "tcp", hostname, port };
}

function unixAddress(path: string): ListenAddress | string {
  if (!path.startsWith("/") || path.endsWith("/") || path.includes("\0")) {
    return `"${path}" is not an absolute path of a socket`;
  }
  if (new TextEncoder().encode(path).length > SOCKET_PATH_MAX) {
    return `a socket path has at most ${SOCKET_PATH_MAX} bytes`;
  }
  return { transport: "unix", path };
}

function isLoopback(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] === 127;
  return address.every((byte, i) => byte === (i === 15 ? 1 : 0));
}
