/** Addresses at which metrics may be served: local ones only. */

import { assertMatch } from "@std/assert";
import { parseListenAddress } from "../../src/metrics/listen_address.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

Deno.test("loopback addresses and Unix sockets are accepted", () => {
  const tcp = (hostname: string, port: number): object => ({ transport: "tcp", hostname, port });
  const table: [text: string, address: object][] = [
    ["127.0.0.1:9550", tcp("127.0.0.1", 9550)],
    ["127.3.2.1:1", tcp("127.3.2.1", 1)],
    ["localhost:65535", tcp("127.0.0.1", 65535)],
    ["[::1]:9550", tcp("::1", 9550)],
    ["unix:/run/l2tp/metrics.sock", { transport: "unix", path: "/run/l2tp/metrics.sock" }],
  ];
  for (const [text, address] of table) assertDeepStrictEquals(parseListenAddress(text), address, text);
});

Deno.test("other addresses are refused with a reason", () => {
  const table: [text: string, reason: RegExp][] = [
    ["0.0.0.0:9550", /^0\.0\.0\.0 is not a loopback address, and others could read/],
    ["10.0.0.1:9550", /not a loopback address/],
    ["[::]:9550", /^:: is not a loopback address/],
    ["[fe80::1]:9550", /not a loopback address/],
    ["[::ffff:127.0.0.1]:9550", /not a loopback address/],
    ["128.0.0.1:9550", /not a loopback address/],
    ["::1:9550", /^expected ADDRESS:PORT/],
    ["[127.0.0.1]:9550", /^expected ADDRESS:PORT/],
    [":9550", /^expected ADDRESS:PORT/],
    ["9550", /^expected ADDRESS:PORT/],
    ["example.org:9550", /^expected ADDRESS:PORT/],
    ["127.0.0.1", /^expected ADDRESS:PORT/],
    ["127.0.0.1:0", /^0 is not a port$/],
    ["127.0.0.1:65536", /^65536 is not a port$/],
    ["unix:metrics.sock", /not an absolute path/],
    ["unix:/run/", /not an absolute path/],
    ["unix:", /not an absolute path/],
    [`unix:/${"a".repeat(107)}`, /at most 107 bytes/],
    ["", /^expected ADDRESS:PORT/],
  ];
  for (const [text, reason] of table) assertMatch(String(parseListenAddress(text)), reason, text);
});
