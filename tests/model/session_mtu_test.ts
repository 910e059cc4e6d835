import { assertStrictEquals } from "@std/assert";
import {
  interfaceOverhead,
  overheadFacts,
  pppMtu,
  type PppMtuFacts,
  sessionMtu,
  type SessionMtuFacts,
  sessionOverhead,
} from "../../src/model/session_mtu.ts";
import { L2TP_PWTYPE } from "../../src/model/pseudowire.ts";

Deno.test("sessionMtu(): the values that kernels were seen to choose", () => {
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
    assertStrictEquals(sessionMtu({ ...UDP4, ...changes }), mtu, JSON.stringify(changes));
  }
});

Deno.test("pppMtu(): the path MTU less all headers, and never more than Ethernet's", () => {
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
    assertStrictEquals(pppMtu({ ...V2, ...changes }), mtu, JSON.stringify(changes));
  }
});

Deno.test("sessionOverhead(): bytes in front of the inner frame's payload", () => {
  const udp4 = { encap: "udp", peer: "10.0.0.2" } as const;
  const plain = { cookie: undefined };
  const table: [bytes: number, facts: Parameters<typeof overheadFacts>][] = [
    [20 + 8 + 4 + 4 + 4 + 14, [udp4, plain, undefined, "default"]],
    [20 + 8 + 4 + 4 + 14, [udp4, plain, undefined, "none"]],
    [20 + 8 + 4 + 4 + 8 + 4 + 14, [udp4, { cookie: new Uint8Array(8) }, undefined, "default"]],
    [20 + 4 + 4 + 14, [{ ...udp4, encap: "ip" }, plain, undefined, "default"]],
    [20 + 4 + 4 + 14, [{ ...udp4, encap: undefined }, plain, undefined, "default"]],
    [20 + 8 + 4 + 4 + 14, [udp4, plain, { l2spec: "none" }, "default"]],
    [40 + 8 + 4 + 4 + 4 + 14, [{ encap: "udp", peer: "fd00::2" }, plain, undefined, "default"]],
  ];
  for (const [bytes, facts] of table) assertStrictEquals(sessionOverhead(overheadFacts(...facts)), bytes);
});

Deno.test("interfaceOverhead(): with the MTU that pppMtu() chooses, the longest packet fits the path exactly", () => {
  const tunnel = { encap: "udp", peer: "10.0.0.2" } as const;
  const eth = { cookie: undefined, pseudowireType: L2TP_PWTYPE.ETH, sendSeq: true };
  assertStrictEquals(
    interfaceOverhead({ ...tunnel, version: 3 }, eth, undefined, "none"),
    20 + 8 + 4 + 4 + 14,
  );
  for (const version of [2, 3]) {
    for (const sendSeq of [false, true]) {
      const ppp = { ...eth, pseudowireType: L2TP_PWTYPE.PPP, sendSeq };
      const overhead = interfaceOverhead({ ...tunnel, version }, ppp, undefined, "default");
      const facts = overheadFacts(tunnel, ppp, undefined, "default");
      assertStrictEquals(pppMtu({ ...facts, version, sendSeq, pathMtu: 1400 }) + overhead, 1400);
    }
  }
});
