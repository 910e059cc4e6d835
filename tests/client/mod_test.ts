/** `src/client/mod.ts`: the library's door has what its description promises. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import * as library from "../../src/client/mod.ts";

Deno.test("the library exports its clients, PPP sockets and errors, and nothing that runs at import", () => {
  assertEquals(Object.keys(library).sort(), [
    "DaemonError",
    "DecodeError",
    "FamilyMissingError",
    "L2tpClient",
    "L2tpEvents",
    "LinkClient",
    "NetlinkConnection",
    "NetlinkError",
    "NetlinkProtocolError",
    "OwnedFd",
    "PppBridge",
    "Pppol2tpSocket",
    "SyscallError",
    "openL2tp",
  ]);
  for (const value of Object.values(library)) assertStrictEquals(typeof value, "function");
});

Deno.test("deno.json names the library's door", () => {
  const { name, exports } = JSON.parse(Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)));
  assertStrictEquals(name, "@l2tp/l2tp");
  assertEquals(exports, { ".": "./src/client/mod.ts" });
});
