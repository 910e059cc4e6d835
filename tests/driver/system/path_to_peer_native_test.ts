/** The path to a tunnel's peer, by the routes of this machine: loopback only. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { pathToPeer } from "../../../src/driver/system/inspection.ts";
import { sampleTunnel } from "../../support/samples.ts";

const path = (local: string, peer: string) => pathToPeer(sampleTunnel({ local, peer }));

// Looked up outside of a test: the first call loads the C library, which stays loaded.
const loopback = path("127.0.0.1", "127.0.0.2");

Deno.test("pathToPeer(): a path MTU, the error of the lookup, or unknown", () => {
  assert(loopback !== undefined && "mtu" in loopback && loopback.mtu >= 1280, JSON.stringify(loopback));
  // 192.0.2.0/24 is for documentation (RFC 5737): no machine has the address.
  assertEquals(path("192.0.2.77", "127.0.0.1"), { code: "EADDRNOTAVAIL" });
  for (const [local, peer] of [["127.0.0.1", "0.0.0.0"], ["::1", "::"], ["fe80::1", "fe80::2"]] as const) {
    assertStrictEquals(path(local, peer), undefined, peer);
  }
});
