/** HTTP requests of metrics clients, and invalid ones. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HEAD_MAX, readRequest } from "../../src/metrics/http_request.ts";
import { Random } from "../support/random.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("readRequest(): accepted and refused requests", () => {
  const table: [request: string, status: number][] = [
    ["GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 200],
    ["GET / HTTP/1.0\r\n\r\n", 200],
    ["GET /metrics?a=b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n", 200],
    ["GET /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 200],
    ["GET /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 413],
    ["GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413],
    ["GET /metrics/ HTTP/1.1\r\n\r\n", 404],
    ["GET /../etc/passwd HTTP/1.1\r\n\r\n", 404],
    ["POST /metrics HTTP/1.1\r\n\r\n", 405],
    ["get /metrics HTTP/1.1\r\n\r\n", 405],
    ["GET /metrics HTTP/2.0\r\n\r\n", 400],
    ["GET metrics HTTP/1.1\r\n\r\n", 400],
    ["GET  /metrics HTTP/1.1\r\n\r\n", 400],
    ["GET /met rics HTTP/1.1\r\n\r\n", 400],
    ["GET /metrics HTTP/1.1\r\nno colon\r\n\r\n", 400],
    ["GET /metrics HTTP/1.1\r\na: b\r\n c\r\n\r\n", 400],
    ["\r\n\r\n", 400],
    ["\x16\x03\x01\x02\r\n\r\n", 400],
  ];
  for (const [request, status] of table) {
    assertStrictEquals(readRequest(encode(request))?.status, status, request);
  }
  assertEquals(readRequest(encode("HEAD / HTTP/1.1\r\n\r\n")), { status: 200, headOnly: true });
});

Deno.test("readRequest() waits for the end of the head, up to the limit", () => {
  const whole = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (let i = 0; i < whole.length; i++) {
    assertStrictEquals(readRequest(encode(whole.slice(0, i))), undefined);
  }
  assertStrictEquals(readRequest(new Uint8Array(HEAD_MAX - 1).fill(65)), undefined);
  assertStrictEquals(readRequest(new Uint8Array(HEAD_MAX).fill(65))?.status, 431);
});

Deno.test("readRequest() accepts any bytes without throwing", () => {
  const random = new Random(0x477);
  for (let i = 0; i < 5000; i++) {
    const bytes = Uint8Array.from({ length: random.below(200) }, () => random.below(256));
    const verdict = readRequest(new Uint8Array([...bytes, 13, 10, 13, 10]));
    assert(verdict !== undefined && verdict.status !== 200);
  }
});
