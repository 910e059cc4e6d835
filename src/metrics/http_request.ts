/**
 * The part of HTTP/1.1 (RFC 9112) that a metrics client needs: one request without body per connection.
 *
 * @module
 */

/** Longest request head, in bytes. */
export const HEAD_MAX = 8192;

/** The response to a request. */
export interface HttpResponseHead {
  /** Status code. */
  readonly status: 200 | 400 | 404 | 405 | 413 | 431;
  /** Sends no body (method HEAD). */
  readonly headOnly: boolean;
}

const decoder = new TextDecoder("latin1");

function refusal(status: HttpResponseHead["status"]): HttpResponseHead {
  return { status, headOnly: false };
}

/** Decides on the bytes received so far. Returns `undefined` while the head is incomplete. */
export function readRequest(bytes: Uint8Array): HttpResponseHead | undefined {
  const text = decoder.decode(bytes.subarray(0, HEAD_MAX));
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return bytes.length >= HEAD_MAX ? refusal(431) : undefined;
  const [first = "", ...fields] = text.slice(0, end).split("\r\n");
  const [, method, target] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\/[\x21-\x7e]*) HTTP\/1\.[01]$/.exec(first) ??
    [];
  if (method === undefined || target === undefined) return refusal(400);
  if (!fields.every((field) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\x20-\x7e\x80-\xff\t]*$/.test(field))) {
    return refusal(400);
  }
  if (method !== "GET" && method !== "HEAD") return refusal(405);
  const hasBody = fields.some((field) => /^(transfer-encoding:|content-length:(?!\s*0*\s*$))/i.test(field));
  if (hasBody) return refusal(413);
  const path = target.replace(/\?.*$/, "");
  const headOnly = method === "HEAD";
  return { status: path === "/metrics" || path === "/" ? 200 : 404, headOnly };
}
