/** `src/client/mod.ts`: the library's door has what its description promises. */

import assert from "node:assert/strict";
import * as library from "../../src/client/mod.ts";

Deno.test("the library exports its clients, PPP sockets and errors, and nothing that runs at import", () => {
  assert.deepEqual(Object.keys(library).sort(), [
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
  for (const value of Object.values(library)) assert.equal(typeof value, "function");
});

Deno.test("deno.json names the library's door", () => {
  const { name, exports } = JSON.parse(Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)));
  assert.equal(name, "@l2tp/l2tp");
  assert.deepEqual(exports, { ".": "./src/client/mod.ts" });
});
