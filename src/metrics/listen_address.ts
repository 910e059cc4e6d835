/**
 * Where metrics may be offered: on this machine only. They name every peer, and nobody who asks has to say who they are.
 *
 * @module
 */

import { parseIpAddress } from "../base/ip_address.ts";

/** Where to listen. */
export type ListenAddress =
  | { readonly transport: "tcp"; readonly hostname: string; readonly port: number }
  | { readonly transport: "unix"; readonly path: string };

/** Longest path of a socket, in bytes (`sun_path` in `linux/un.h`). */
const SOCKET_PATH_MAX = 107;

const FORMS = "it is ADDRESS:PORT with a loopback address, as 127.0.0.1:9550 or [::1]:9550, or unix:PATH";

/**
 * Reads `ADDRESS:PORT` or `unix:PATH`.
 *
 * @returns the reason in words, if it is none or not this machine's alone
 */
export function parseListenAddress(text: string): ListenAddress | string {
  if (text.startsWith("unix:")) return unixAddress(text.slice("unix:".length));
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || digits === undefined) return FORMS;
  const port = Number(digits);
  if (port < 1 || port > 65535) return `${digits} is no port`;
  // The name could lead elsewhere; what it means does not.
  const hostname = host === "localhost" ? "127.0.0.1" : host;
  const address = parseIpAddress(hostname);
  if (address === undefined || (address.length === 16) !== (bracketed !== undefined)) return FORMS;
  if (!isLoopback(address)) {
    return `${hostname} is not a loopback address, and others could read the metrics there: ` +
      "let a web server that knows its users pass them on";
  }
  return { transport: "tcp", hostname, port };
}

function unixAddress(path: string): ListenAddress | string {
  if (!path.startsWith("/") || path.endsWith("/") || path.includes("\0")) {
    return `"${path}" is no absolute path of a socket`;
  }
  if (new TextEncoder().encode(path).length > SOCKET_PATH_MAX) {
    return `the path of a socket has at most ${SOCKET_PATH_MAX} bytes`;
  }
  return { transport: "unix", path };
}

function isLoopback(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] === 127;
  return address.every((byte, i) => byte === (i === 15 ? 1 : 0));
}
