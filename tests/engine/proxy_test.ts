/** Proxy LCP and proxy authentication of a LAC (RFC 2661 section 4.4.5). */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { PPP_CRYPTO } from "../../src/driver/ppp/crypto.ts";
import type { ProxyAuth, ProxyLcp } from "../../src/engine/ppp/mod.ts";
import { CHAP_CODE, PAP_CODE, PPP_CODE, PPP_PROTOCOL } from "../../src/wire/ppp/constants.ts";
import { encodeMsChapResponse } from "../../src/wire/ppp/chap.ts";
import {
  authOption,
  encodeOptions,
  type PppOption,
  u16Option,
  u32Option,
} from "../../src/wire/ppp/options.ts";
import { hexBytes } from "../support/golden.ts";
import { RFC_2433, ScriptedPeer, type TestOptions } from "./support.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const { LCP, PAP, CHAP, IPCP } = PPP_PROTOCOL;

const LNS: TestOptions = {
  ipv4: { local: "10.0.0.1", peer: "10.0.0.2" },
  ipv6: false,
  name: "lns",
  require: ["chap", "mschap", "pap"],
  peerSecret: (name) => name === "joe" ? RFC_2433.password : undefined,
};

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function proxy(sent: PppOption[], received: PppOption[], auth?: ProxyAuth): ProxyLcp {
  return { lastSent: encodeOptions(sent), lastReceived: encodeOptions(received), auth };
}

const MAGIC = u32Option(5, 0x11111111);
const PEER = [u16Option(1, 1400), u32Option(5, 0x22222222)];

const PAP_AUTH: ProxyAuth = {
  type: 3,
  name: bytes("joe"),
  identifier: 9,
  response: bytes(RFC_2433.password),
};
const CHAP_AUTH: ProxyAuth = {
  type: 2,
  name: bytes("joe"),
  challenge: bytes("challenge"),
  identifier: 7,
  response: PPP_CRYPTO.md5(Uint8Array.of(7, ...bytes(RFC_2433.password), ...bytes("challenge"))),
};
const MSCHAP_AUTH: ProxyAuth = {
  type: 5,
  name: bytes("joe"),
  challenge: RFC_2433.challenge,
  identifier: 8,
  response: encodeMsChapResponse(RFC_2433.ntResponse),
};

Deno.test("proxy LCP and authentication: nothing is renegotiated, and the peer gets its Success", () => {
  const table: [option: PppOption, auth: ProxyAuth, protocol: number, code: number, identifier: number][] = [
    [authOption("pap"), PAP_AUTH, PAP, PAP_CODE.AUTHENTICATE_ACK, 9],
    [authOption("pap"), { ...PAP_AUTH, type: 1 }, PAP, PAP_CODE.AUTHENTICATE_ACK, 9],
    [authOption("chap"), CHAP_AUTH, CHAP, CHAP_CODE.SUCCESS, 7],
    [authOption("mschap"), MSCHAP_AUTH, CHAP, CHAP_CODE.SUCCESS, 8],
  ];
  for (const [option, auth, protocol, code, identifier] of table) {
    const script = new ScriptedPeer(LNS, proxy([MAGIC, option], PEER, auth));
    const [success, request, ...others] = script.takeSent();
    assertDeepStrictEquals([success!.protocol, success!.code, success!.identifier], [
      protocol,
      code,
      identifier,
    ]);
    assertEquals([request!.protocol, request!.code, others], [IPCP, PPP_CODE.CONFIGURE_REQUEST, []]);
    const [up, authenticated] = script.takeEvents();
    assertEquals(up, {
      effect: "linkUp",
      mtu: 1400,
      mru: 1500,
      pfc: false,
      acfc: false,
      magic: 0x11111111,
    });
    assertStrictEquals(authenticated!.effect === "authenticated" && authenticated!.name, "joe");
    assertStrictEquals(script.link.status().lcp.peer.magic, 0x22222222);
  }
});

Deno.test("proxy authentication with a wrong response ends the link", () => {
  const cases: [PppOption, ProxyAuth, number, number][] = [
    [authOption("pap"), { ...PAP_AUTH, response: bytes("x") }, PAP, PAP_CODE.AUTHENTICATE_NAK],
    [authOption("chap"), { ...CHAP_AUTH, identifier: 6 }, CHAP, CHAP_CODE.FAILURE],
    [authOption("mschap"), { ...MSCHAP_AUTH, name: bytes("jim") }, CHAP, CHAP_CODE.FAILURE],
  ];
  for (const [option, auth, protocol, code] of cases) {
    const script = new ScriptedPeer(LNS, proxy([MAGIC, option], PEER, auth));
    const [failure, terminate] = script.takeSent();
    assertDeepStrictEquals([failure!.protocol, failure!.code], [protocol, code]);
    assertEquals([terminate!.protocol, terminate!.code], [LCP, PPP_CODE.TERMINATE_REQUEST]);
  }
});

Deno.test("proxy authentication that is absent, incomplete or of another protocol: the peer is challenged", () => {
  const cases: (ProxyAuth | undefined)[] = [
    undefined,
    { type: 4 },
    PAP_AUTH,
    MSCHAP_AUTH,
    { ...CHAP_AUTH, type: 5 },
    { ...CHAP_AUTH, name: undefined },
    { ...CHAP_AUTH, challenge: undefined },
    { ...CHAP_AUTH, challenge: new Uint8Array(0) },
    { ...CHAP_AUTH, identifier: undefined },
    { ...CHAP_AUTH, response: undefined },
    // MS-CHAP version 2 has no Proxy Authen Type.
    { ...CHAP_AUTH, response: new Uint8Array(49) },
  ];
  for (const auth of cases) {
    const script = new ScriptedPeer(LNS, proxy([MAGIC, authOption("chap")], PEER, auth));
    script.sent(CHAP, CHAP_CODE.CHALLENGE);
    assertStrictEquals(script.link.status().phase, "authenticate");
  }
});

Deno.test("proxy LCP that our settings do not allow is ignored: LCP negotiates", () => {
  const chap = authOption("chap");
  const cases: [why: string, sent: PppOption[], received: PppOption[], options?: TestOptions][] = [
    ["no authentication", [MAGIC], PEER],
    ["another authentication", [MAGIC, authOption("mschapv2")], PEER],
    ["one without name here", [MAGIC, { type: 3, data: hexBytes("c227") }], PEER, { require: [] }],
    ["more than we take", [MAGIC, chap], PEER, { mru: 1400 }],
    ["no Magic-Number", [chap], PEER],
    ["the same Magic-Number", [MAGIC, chap], [MAGIC]],
    ["what we do not know", [MAGIC, chap], [{ type: 17, data: hexBytes("05dc") }]],
  ];
  for (const [why, sent, received, options] of cases) {
    const script = new ScriptedPeer({ ...LNS, ...options }, proxy(sent, received, CHAP_AUTH));
    script.sent(LCP, PPP_CODE.CONFIGURE_REQUEST);
    assertStrictEquals(script.link.status().phase, "establish", why);
    script.openLcp([u32Option(5, 9)]);
    // We authenticate the peer as if the LAC had sent no proxy AVPs.
    if (options === undefined) script.sent(CHAP, CHAP_CODE.CHALLENGE);
  }
});

Deno.test("malformed proxy LCP is ignored: LCP negotiates", () => {
  const script = new ScriptedPeer(LNS, { lastSent: hexBytes("0503"), lastReceived: hexBytes("") });
  script.sent(LCP, PPP_CODE.CONFIGURE_REQUEST);
  assertEquals(script.link.status().drops, { malformed: 1 });
});

Deno.test("proxy LCP: a peer that renegotiates must authenticate again", () => {
  const script = new ScriptedPeer(LNS, proxy([MAGIC, authOption("chap")], PEER, CHAP_AUTH));
  script.takeSent();
  script.openLcp([u32Option(5, 9)]);
  script.sent(CHAP, CHAP_CODE.CHALLENGE);
  assertStrictEquals(script.link.status().auth.peer!.state, "pending");
});
