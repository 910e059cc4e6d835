import { assertEquals } from "@std/assert";
import { SubsystemFixture } from "./fixture.ts";

Deno.test("SESSION_CREATE asks for a device with the MTU of its path", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel({ tunnelId: 1, encap: "ip" });
  bench.addTunnel({ tunnelId: 2, local: "fd00::1", peer: "fd00::2" });
  bench.platform.pathMtu = 1400;
  bench.addSession({ tunnelId: 1, sessionId: 1, l2spec: "none", interfaceName: "one" });
  bench.addSession({ tunnelId: 2, sessionId: 2, cookie: new Uint8Array(8), interfaceName: "two" });
  assertEquals(bench.platform.devices.get("a/one"), {
    netns: "a",
    name: "one",
    mtu: 1362,
    existing: false,
    index: undefined,
  });
  assertEquals(bench.platform.devices.get("a/two"), {
    netns: "a",
    name: "two",
    mtu: 1318,
    existing: false,
    index: undefined,
  });
});
