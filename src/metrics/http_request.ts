/**
 * As much of HTTP/1.1 (RFC 9112) as a reader of metrics needs: one request without a body for each connection.
 *
 * @module
 */

/** A request's head has at most so many bytes. */
export const HEAD_MAX = 8192;

/** What to answer. */
export interface HttpVerdict {
  /** Status code. */
  readonly status: 200 | 400 | 404 | 405 | 413 | 431;
  /** Whether the answer is to have no body. */
  readonly headOnly: boolean;
}

const decoder = new TextDecoder("latin1");

function refuse(status: HttpVerdict["status"]): HttpVerdict {
  return { status, headOnly: false };
}

/** Judges the bytes that came so far; `undefined`: the head has not ended yet, and may still become one. */
export function judgeRequest(bytes: Uint8Array): HttpVerdict | undefined {
  const text = decoder.decode(bytes.subarray(0, HEAD_MAX));
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return bytes.length >= HEAD_MAX ? refuse(431) : undefined;
  const [first = "", ...fields] = text.slice(0, end).split("\r\n");
  const [, method, target] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\/[\x21-\x7e]*) HTTP\/1\.[01]$/.exec(first) ??
    [];
  if (method === undefined || target === undefined) return refuse(400);
  if (!fields.every((field) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\x20-\x7e\x80-\xff\t]*$/.test(field))) {
    return refuse(400);
  }
  if (method !== "GET" && method !== "HEAD") return refuse(405);
  const hasBody = fields.some((field) => /^(transfer-encoding:|content-length:(?!\s*0*\s*$))/i.test(field));
  if (hasBody) return refuse(413);
  const path = target.replace(/\?.*$/, "");
  const headOnly = method === "HEAD";
  return { status: path === "/metrics" || path === "/" ? 200 : 404, headOnly };
}
