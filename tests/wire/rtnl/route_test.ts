/** `src/wire/rtnl/route.ts` against what `ip` (iproute2 6.1.0) sent. */

import { assertStrictEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/base/errors.ts";
import { formatHex } from "../../../src/base/hex.ts";
import { parseIpAddress } from "../../../src/base/ip_address.ts";
import {
  decodeRouteInterface,
  encodeGetRoute,
  encodeRoute,
  type Route,
} from "../../../src/wire/rtnl/route.ts";
import type { UdpEnds } from "../../../src/model/link.ts";
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
    assertStrictEquals(formatHex(encodeRoute(given)), formatHex(goldenPayload(`rtnl/${capture}`)), capture);
  }
});

Deno.test("encodeRoute(): IPv6's default route has no destination, and a metric of 0 is one", () => {
  const route = { index: 7, destination: new Uint8Array(16), prefixLength: 0, metric: 0 };
  const header = "0a00" + "0000" + "fe030001" + "00000000";
  assertStrictEquals(formatHex(encodeRoute(route)), header + "0800060000000000" + "0800040007000000");
});

Deno.test("encodeGetRoute() sends what `ip route get` sends, except for RTM_F_LOOKUP_TABLE", () => {
  const ends = (source: string, destination: string): UdpEnds => ({
    source: parseIpAddress(source)!,
    destination: parseIpAddress(destination)!,
    sourcePort: 0x1234,
    destinationPort: 1701,
  });
  assertStrictEquals(
    formatHex(encodeGetRoute(ends("10.9.9.9", "10.1.2.3"))),
    "02202000" + "0000000000000000" + "080001000a010203" + "080002000a090909" +
      "05001b0011000000" + "06001c0012340000" + "06001d0006a50000",
  );
  assertStrictEquals(formatHex(encodeGetRoute(ends("::1", "::2")).subarray(0, 4)), "0a808000");
});

Deno.test("decodeRouteInterface(): only unicast routes have an interface", () => {
  const answer = encodeRoute({ index: 5, destination: parseIpAddress("10.9.0.0")!, prefixLength: 16 });
  assertStrictEquals(decodeRouteInterface(answer), 5);
  // RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST, RTN_BLACKHOLE
  for (const type of [2, 3, 5, 6]) {
    answer[7] = type;
    assertStrictEquals(decodeRouteInterface(answer), undefined);
  }
  answer[7] = 1;
  const encap = Uint8Array.of(4, 0, 22, 0);
  assertStrictEquals(decodeRouteInterface(Uint8Array.from([...answer, ...encap])), undefined);
  assertThrows(() => decodeRouteInterface(answer.subarray(0, 11)), DecodeError);
});
