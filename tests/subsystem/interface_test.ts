/** `src/model/interface_name.ts`, `session_mtu.ts`: what the kernel makes of names and paths. */

import assert from "node:assert/strict";
import {
  DEFAULT_INTERFACE_NAME,
  isInterfaceName,
  isInterfaceNameTemplate,
} from "../../src/model/interface_name.ts";
import { pppMtu, type PppMtuFacts, sessionMtu, type SessionMtuFacts } from "../../src/model/session_mtu.ts";
import { SubsystemBench } from "./fixture.ts";

Deno.test("isInterfaceName(), isInterfaceNameTemplate()", () => {
  const names = [
    "a",
    "l2tpeth0",
    "123456789012345",
    "...",
    "a.b",
    "%",
    "ä",
    "名前",
    "-",
    "a%s",
    "%d",
    "a%d%d",
  ];
  const bad = [
    "",
    ".",
    "..",
    "1234567890123456",
    "a/b",
    "/",
    "a:b",
    "a b",
    "a\tb",
    "a\nb",
    "a\vb",
    "a\fb",
    "a\rb",
  ];
  // "à" is c3 a0 in UTF-8, and a0 a blank in ISO 8859-1.
  for (const name of [...bad, "à", "a\u00a0b", "a\0b", "名前名前名前", "a\ufffdb"]) {
    assert.equal(isInterfaceName(name), false, JSON.stringify(name));
    assert.equal(isInterfaceNameTemplate(name), false, JSON.stringify(name));
  }
  for (const name of names) assert.equal(isInterfaceName(name), true, name);
  const templates = [DEFAULT_INTERFACE_NAME, "%d", "a", "x%dy", "%de"];
  for (const name of templates) assert.equal(isInterfaceNameTemplate(name), true, name);
  for (const name of ["%", "a%", "a%s", "%%d", "%d%", "a%d%d", "%i", "%D", "% d"]) {
    assert.equal(isInterfaceNameTemplate(name), false, name);
  }
});

Deno.test("sessionMtu(): as kernels were seen to reckon", () => {
  const UDP4: SessionMtuFacts = {
    encap: "udp",
    ipVersion: 4,
    cookieLength: 0,
    l2spec: "default",
    pathMtu: 1500,
  };
  const table: [changes: Partial<SessionMtuFacts>, mtu: number][] = [
    [{}, 1446],
    [{ cookieLength: 4 }, 1442],
    [{ cookieLength: 8 }, 1438],
    [{ cookieLength: 8, l2spec: "none" }, 1442],
    [{ ipVersion: 6 }, 1426],
    [{ ipVersion: 6, cookieLength: 4 }, 1422],
    [{ encap: "ip", l2spec: "none" }, 1462],
    [{ encap: "ip" }, 1458],
    [{ encap: "ip", ipVersion: 6 }, 1438],
    [{ pathMtu: undefined }, 1446],
    [{ pathMtu: undefined, encap: "ip", ipVersion: 6 }, 1438],
    [{ pathMtu: 65536, cookieLength: 8 }, 65473],
    [{ pathMtu: 65535, cookieLength: 8 }, 65473],
    [{ pathMtu: 0xffff_ffff, ipVersion: 6, cookieLength: 8 }, 65575 - 82],
    [{ pathMtu: 54 }, 0],
    [{ pathMtu: 53 }, 1446],
    [{ pathMtu: 0 }, 1446],
    [{ pathMtu: 9000 }, 8946],
  ];
  for (const [changes, mtu] of table) {
    assert.equal(sessionMtu({ ...UDP4, ...changes }), mtu, JSON.stringify(changes));
  }
});

Deno.test("pppMtu(): what a packet leaves of the path beside all headers, but never more than Ethernet's", () => {
  const V2: PppMtuFacts = {
    version: 2,
    encap: "udp",
    ipVersion: 4,
    cookieLength: 0,
    l2spec: "none",
    sendSeq: false,
    pathMtu: 1500,
  };
  const table: [changes: Partial<PppMtuFacts>, mtu: number][] = [
    [{}, 1500 - 20 - 8 - 6 - 4],
    [{ sendSeq: true }, 1500 - 20 - 8 - 10 - 4],
    [{ ipVersion: 6 }, 1500 - 40 - 8 - 6 - 4],
    [{ version: 3 }, 1500 - 20 - 8 - 8 - 4],
    [{ version: 3, l2spec: "default", cookieLength: 8 }, 1500 - 20 - 8 - 8 - 4 - 8 - 4],
    [{ version: 3, encap: "ip", ipVersion: 6 }, 1500 - 40 - 4 - 4],
    [{ pathMtu: undefined }, 1500 - 20 - 8 - 6 - 4],
    [{ pathMtu: 9000 }, 1500],
    [{ pathMtu: 100 }, 128],
  ];
  for (const [changes, mtu] of table) {
    assert.equal(pppMtu({ ...V2, ...changes }), mtu, JSON.stringify(changes));
  }
});

Deno.test("SESSION_CREATE asks for a device with the MTU of its path", () => {
  const bench = new SubsystemBench();
  bench.addTunnel({ tunnelId: 1, encap: "ip" });
  bench.addTunnel({ tunnelId: 2, local: "fd00::1", peer: "fd00::2" });
  bench.world.pathMtu = 1400;
  bench.addSession({ tunnelId: 1, sessionId: 1, l2spec: "none", interfaceName: "one" });
  bench.addSession({ tunnelId: 2, sessionId: 2, cookie: new Uint8Array(8), interfaceName: "two" });
  assert.deepEqual(bench.world.devices.get("a/one"), {
    netns: "a",
    name: "one",
    mtu: 1362,
    existing: false,
    index: undefined,
  });
  assert.deepEqual(bench.world.devices.get("a/two"), {
    netns: "a",
    name: "two",
    mtu: 1318,
    existing: false,
    index: undefined,
  });
});
