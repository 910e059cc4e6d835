/** `src/wire/rtnl/route.ts` against what `ip` (iproute2 6.1.0) sent. */

import assert from "node:assert/strict";
import { formatHex } from "../../../src/base/hex.ts";
import { parseIpAddress } from "../../../src/base/ip_address.ts";
import { encodeRoute, type Route } from "../../../src/wire/rtnl/route.ts";
import { goldenPayload } from "../../support/golden.ts";

Deno.test("encodeRoute() sends what `ip route add` sends", () => {
  const route = (destination: string, prefixLength: number, metric?: number): Route => ({
    index: 5,
    destination: parseIpAddress(destination)!,
    prefixLength,
    metric,
  });
  const table: [capture: string, route: Route][] = [
    ["route_add_ipv4_default_request", route("0.0.0.0", 0)],
    ["route_add_ipv4_prefix_request", route("10.9.0.0", 16, 7)],
    ["route_add_ipv6_prefix_request", route("fd09::", 32)],
  ];
  for (const [capture, given] of table) {
    assert.equal(formatHex(encodeRoute(given)), formatHex(goldenPayload(`rtnl/${capture}`)), capture);
  }
});

Deno.test("encodeRoute(): IPv6's default route has no destination, and a metric of 0 is one", () => {
  const route = { index: 7, destination: new Uint8Array(16), prefixLength: 0, metric: 0 };
  const header = "0a00" + "0000" + "fe030001" + "00000000";
  assert.equal(formatHex(encodeRoute(route)), header + "0800060000000000" + "0800040007000000");
});
