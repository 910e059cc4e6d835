/** IPCP and IPV6CP of a link, as scripts (RFC 1332, RFC 1877, RFC 5072). */

import { assertEquals, assertNotStrictEquals, assertStrictEquals, fail } from "@std/assert";
import type { AddressPool, PppIpv4Options, PppIpv6Options } from "../../src/engine/ppp/mod.ts";
import { PPP_CODE, PPP_PROTOCOL } from "../../src/wire/ppp/constants.ts";
import { encodeRejectedProtocol } from "../../src/wire/ppp/control_packet.ts";
import {
  interfaceIdOption,
  ipv4Option,
  type PppOption,
  readInterfaceId,
} from "../../src/wire/ppp/options.ts";
import { hexBytes } from "../support/golden.ts";
import { optionsOf, ScriptedPeer, type Sent, type TestOptions } from "./support.ts";

const { LCP, IPCP, IPV6CP } = PPP_PROTOCOL;
const { CONFIGURE_REQUEST, CONFIGURE_ACK, CONFIGURE_NAK, CONFIGURE_REJECT, TERMINATE_REQUEST } = PPP_CODE;

/** A link with IPCP only, and its first Configure-Request. */
function ipcp(ipv4: PppIpv4Options, others: TestOptions = {}): [script: ScriptedPeer, request: Sent] {
  const script = new ScriptedPeer({ ipv6: false, ...others, ipv4 });
  script.openLcp();
  script.takeEvents();
  return [script, script.sent(IPCP, CONFIGURE_REQUEST)];
}

/** A link with IPV6CP only, and its first Configure-Request. */
function ipv6cp(ipv6: PppIpv6Options = {}): [script: ScriptedPeer, request: Sent] {
  const script = new ScriptedPeer({ ipv4: false, ipv6 });
  script.openLcp();
  script.takeEvents();
  return [script, script.sent(IPV6CP, CONFIGURE_REQUEST)];
}

/** Formats address options as `type=address`. */
function shown(options: readonly PppOption[]): string[] {
  return options.map(({ type, data }) => `${type}=${data.join(".")}`);
}

/** Returns the reason of the link's end. */
function ending(script: ScriptedPeer): unknown {
  script.wait(70_000);
  const finished = script.takeEvents().find(({ effect }) => effect === "finished");
  return finished?.effect === "finished" ? finished.end : undefined;
}

Deno.test("IPCP with fixed addresses: up with both, down with the link", () => {
  const [script, request] = ipcp({ local: "10.0.0.1", peer: "10.0.0.2" });
  assertEquals(shown(optionsOf(request)), ["3=10.0.0.1"]);
  script.gets(IPCP, CONFIGURE_REQUEST, 1, [ipv4Option(3, "0.0.0.0")]);
  assertEquals(shown(optionsOf(script.sent(IPCP, CONFIGURE_NAK))), ["3=10.0.0.2"]);
  script.gets(IPCP, CONFIGURE_REQUEST, 2, [ipv4Option(3, "10.0.0.2")]);
  script.sent(IPCP, CONFIGURE_ACK);
  script.gets(IPCP, CONFIGURE_ACK, request.identifier, request.data);
  assertEquals(script.takeEvents(), [
    { effect: "ipv4Up", local: "10.0.0.1", peer: "10.0.0.2", dns: [], nbns: [] },
  ]);
  assertStrictEquals(script.link.deadline(), undefined);
  script.link.close(script.now);
  script.drain();
  assertEquals(script.takeEvents(), [{ effect: "ipv4Down" }, { effect: "linkDown" }]);
});

Deno.test("IPCP without an address: address and name servers come from the peer", () => {
  const [script, request] = ipcp({ askDns: true, askNbns: true });
  const asked = ["3=0.0.0.0", "129=0.0.0.0", "131=0.0.0.0", "130=0.0.0.0", "132=0.0.0.0"];
  assertEquals(shown(optionsOf(request)), asked);
  script.gets(IPCP, CONFIGURE_REJECT, request.identifier, [
    ipv4Option(130, "0.0.0.0"),
    ipv4Option(132, "0.0.0.0"),
  ]);
  const second = script.sent(IPCP, CONFIGURE_REQUEST);
  assertEquals(shown(optionsOf(second)), asked.slice(0, 3));
  script.gets(IPCP, CONFIGURE_NAK, second.identifier, [
    ipv4Option(3, "192.0.2.7"),
    ipv4Option(129, "192.0.2.53"),
    // An option that was not requested.
    ipv4Option(130, "192.0.2.54"),
  ]);
  const third = script.sent(IPCP, CONFIGURE_REQUEST);
  assertEquals(shown(optionsOf(third)), ["3=192.0.2.7", "129=192.0.2.53", "131=0.0.0.0"]);
  script.gets(IPCP, CONFIGURE_REQUEST, 1, [ipv4Option(3, "192.0.2.1")]);
  script.gets(IPCP, CONFIGURE_ACK, third.identifier, third.data);
  assertEquals(script.takeEvents(), [
    { effect: "ipv4Up", local: "192.0.2.7", peer: "192.0.2.1", dns: ["192.0.2.53"], nbns: [] },
  ]);
  const { ipcp: status } = script.link.status();
  assertEquals([status!.state, status!.local, status!.dns], ["Opened", "192.0.2.7", ["192.0.2.53"]]);
});

Deno.test("IPCP: options of the peer", () => {
  const gives: PppIpv4Options = {
    local: "10.0.0.1",
    peer: "10.0.0.2",
    dns: ["10.0.0.53"],
    nbns: ["10.0.0.9", "10.0.0.8"],
  };
  const table: [ipv4: PppIpv4Options, options: PppOption[], code: number, answer: string[]][] = [
    [
      gives,
      [ipv4Option(3, "10.0.0.2"), ipv4Option(129, "10.0.0.53"), ipv4Option(132, "10.0.0.8")],
      CONFIGURE_ACK,
      [
        "3=10.0.0.2",
        "129=10.0.0.53",
        "132=10.0.0.8",
      ],
    ],
    [gives, [ipv4Option(3, "10.0.0.3"), ipv4Option(130, "0.0.0.0")], CONFIGURE_NAK, [
      "3=10.0.0.2",
      "130=10.0.0.9",
    ]],
    [gives, [{ type: 3, data: hexBytes("0a00") }], CONFIGURE_NAK, ["3=10.0.0.2"]],
    // No secondary server is configured.
    [gives, [ipv4Option(3, "10.0.0.2"), ipv4Option(131, "0.0.0.0")], CONFIGURE_REJECT, ["131=0.0.0.0"]],
    // The obsolete IP-Addresses; header compression.
    [gives, [{ type: 1, data: new Uint8Array(8) }], CONFIGURE_REJECT, ["1=0.0.0.0.0.0.0.0"]],
    [gives, [{ type: 2, data: hexBytes("002d0f01") }], CONFIGURE_REJECT, ["2=0.45.15.1"]],
    // A peer without a configured address may choose its own, but not any address.
    [{}, [ipv4Option(3, "192.0.2.1")], CONFIGURE_ACK, ["3=192.0.2.1"]],
    [{}, [ipv4Option(3, "0.0.0.0")], CONFIGURE_REJECT, ["3=0.0.0.0"]],
    [{}, [ipv4Option(3, "127.0.0.1")], CONFIGURE_REJECT, ["3=127.0.0.1"]],
    [{}, [ipv4Option(3, "224.0.0.1")], CONFIGURE_REJECT, ["3=224.0.0.1"]],
    [{}, [ipv4Option(3, "255.255.255.255")], CONFIGURE_REJECT, ["3=255.255.255.255"]],
    [{ local: "10.0.0.1" }, [ipv4Option(3, "10.0.0.1")], CONFIGURE_REJECT, ["3=10.0.0.1"]],
  ];
  for (const [ipv4, options, code, answer] of table) {
    const [script] = ipcp(ipv4);
    script.gets(IPCP, CONFIGURE_REQUEST, 1, options);
    assertEquals(shown(optionsOf(script.sent(IPCP, code))), answer);
  }
});

Deno.test("IPCP: a peer that requests no address gets one suggestion, then is acknowledged without", () => {
  const [script, request] = ipcp({ local: "10.0.0.1", peer: "10.0.0.2" });
  script.gets(IPCP, CONFIGURE_REQUEST, 1, []);
  assertEquals(shown(optionsOf(script.sent(IPCP, CONFIGURE_NAK))), ["3=10.0.0.2"]);
  script.gets(IPCP, CONFIGURE_REQUEST, 2, []);
  script.sent(IPCP, CONFIGURE_ACK);
  // The peer also rejects our address.
  script.gets(IPCP, CONFIGURE_REJECT, request.identifier, request.data);
  const second = script.sent(IPCP, CONFIGURE_REQUEST);
  assertEquals(optionsOf(second), []);
  script.gets(IPCP, CONFIGURE_ACK, second.identifier, second.data);
  const [up] = script.takeEvents();
  assertEquals(up, { effect: "ipv4Up", local: "10.0.0.1", peer: "10.0.0.2", dns: [], nbns: [] });
});

Deno.test("IPCP: our fixed address is insisted on", () => {
  const [script, request] = ipcp({ local: "10.0.0.1" });
  script.gets(IPCP, CONFIGURE_NAK, request.identifier, [ipv4Option(3, "10.9.9.9")]);
  assertEquals(shown(optionsOf(script.sent(IPCP, CONFIGURE_REQUEST))), ["3=10.0.0.1"]);
});

Deno.test("IPCP: an invalid address from the peer is ignored; without one IPv4 does not come up", () => {
  const [script, request] = ipcp({});
  script.gets(IPCP, CONFIGURE_NAK, request.identifier, [ipv4Option(3, "127.0.0.1")]);
  const second = script.sent(IPCP, CONFIGURE_REQUEST);
  assertEquals(shown(optionsOf(second)), ["3=0.0.0.0"]);
  script.gets(IPCP, CONFIGURE_REQUEST, 1, [ipv4Option(3, "192.0.2.1")]);
  script.takeSent();
  // The peer acknowledges 0.0.0.0 instead of sending an address.
  script.gets(IPCP, CONFIGURE_ACK, second.identifier, second.data);
  assertStrictEquals(script.sent(IPCP, TERMINATE_REQUEST).protocol, IPCP);
  // A protocol that was not up sends no down effect.
  assertEquals(script.takeEvents(), []);
  assertEquals(ending(script), { reason: "noAddress", of: "local" });
  const [other, first] = ipcp({});
  other.gets(IPCP, CONFIGURE_REJECT, first.identifier, first.data);
  assertEquals(ending(other), { reason: "noAddress", of: "local" });
});

Deno.test("IPCP: pool addresses are leased by name, kept through renegotiation, and released once", () => {
  const log: string[] = [];
  const pool: AddressPool = {
    lease(name): string {
      log.push(`lease ${name}`);
      return "10.0.0.77";
    },
    release: (address) => void log.push(`release ${address}`),
  };
  const [script, request] = ipcp({ local: "10.0.0.1", peer: pool });
  for (let i = 0; i < 3; i++) {
    script.gets(IPCP, CONFIGURE_REQUEST, i, [ipv4Option(3, "10.0.0.77")]);
    script.sent(IPCP, CONFIGURE_ACK);
  }
  script.gets(IPCP, CONFIGURE_ACK, request.identifier, request.data);
  assertStrictEquals(script.link.status().ipcp!.peer, "10.0.0.77");
  assertEquals(log, ["lease undefined"]);
  script.gets(IPCP, CONFIGURE_REQUEST, 9, [ipv4Option(3, "10.0.0.77")]);
  script.takeSent();
  assertEquals(log, ["lease undefined"]);
  script.openLcp();
  assertEquals(log, ["lease undefined", "release 10.0.0.77", "lease undefined"]);
  script.link.close(script.now);
  script.link.lowerDown(script.now);
  script.link.lowerUp(script.now);
  script.link.lowerDown(script.now);
  assertEquals(log.slice(3), ["release 10.0.0.77"]);
});

Deno.test("IPCP: an exhausted pool is reported; IPv6 continues", () => {
  const pool: AddressPool = { lease: () => undefined, release: () => fail("Nothing was leased") };
  const alone = new ScriptedPeer({ ipv4: { peer: pool }, ipv6: false });
  alone.openLcp();
  assertEquals(ending(alone), { reason: "noAddress", of: "peer" });
  const released: string[] = [];
  const wrong: AddressPool = { lease: () => "10.0.0.256", release: (address) => void released.push(address) };
  const bad = new ScriptedPeer({ ipv4: { peer: wrong }, ipv6: false });
  bad.openLcp();
  assertEquals([released, ending(bad)], [["10.0.0.256"], { reason: "noAddress", of: "peer" }]);
  const both = new ScriptedPeer({ ipv4: { peer: pool } });
  both.openLcp();
  both.sent(IPV6CP, CONFIGURE_REQUEST);
  both.gets(IPCP, CONFIGURE_REQUEST, 1, []);
  both.sent(LCP, PPP_CODE.PROTOCOL_REJECT);
});

Deno.test("a rejected network protocol does not delay the other one; with none left the link ends", () => {
  const script = new ScriptedPeer({ ipv4: { local: "10.0.0.1" } });
  script.openLcp();
  script.takeEvents();
  script.takeSent();
  const rejected = (protocol: number) => encodeRejectedProtocol({ protocol, information: new Uint8Array(0) });
  script.gets(LCP, PPP_CODE.PROTOCOL_REJECT, 1, rejected(IPV6CP));
  assertStrictEquals(script.link.status().ipv6cp!.state, "Stopped");
  assertStrictEquals(script.link.status().phase, "network");
  script.gets(LCP, PPP_CODE.PROTOCOL_REJECT, 1, rejected(IPCP));
  assertEquals(ending(script), { reason: "noNetworkProtocol" });
});

Deno.test("a peer that opens no network protocol times out", () => {
  const silent = new ScriptedPeer({ ipv4: { local: "10.0.0.1" }, ipv6: false, maxConfigure: 3 });
  silent.openLcp();
  assertEquals(ending(silent), { reason: "noNetworkProtocol" });
  // A peer that acknowledges every request but sends none would keep the automaton running for ever.
  const [script, request] = ipcp({ local: "10.0.0.1" }, { phaseLimitMs: 50_000 });
  script.gets(IPCP, CONFIGURE_ACK, request.identifier, request.data);
  for (let i = 0; i < 100; i++) {
    script.wait(1000);
    for (const { protocol, code, identifier, data } of script.takeSent()) {
      if (code === CONFIGURE_REQUEST) script.gets(protocol, CONFIGURE_ACK, identifier, data);
    }
  }
  const finished = script.takeEvents().find(({ effect }) => effect === "finished");
  assertEquals(finished, { effect: "finished", end: { reason: "noNetworkProtocol" } });
});

Deno.test("the peer closes a network protocol: down, and the link ends with the last one", () => {
  const [script, request] = ipcp({ local: "10.0.0.1" });
  script.gets(IPCP, CONFIGURE_REQUEST, 1, []);
  script.gets(IPCP, CONFIGURE_ACK, request.identifier, request.data);
  script.takeSent();
  script.takeEvents();
  script.gets(IPCP, TERMINATE_REQUEST, 4);
  assertStrictEquals(script.sent(IPCP, PPP_CODE.TERMINATE_ACK).identifier, 4);
  assertEquals(script.takeEvents(), [{ effect: "ipv4Down" }]);
  assertEquals(ending(script), { reason: "noNetworkProtocol" });
});

Deno.test("a network protocol that the peer closed can be negotiated again", () => {
  const script = new ScriptedPeer({ ipv4: { local: "10.0.0.1", askDns: true } });
  script.openLcp();
  const [first] = script.takeSent().filter(({ protocol }) => protocol === IPCP);
  script.gets(IPCP, CONFIGURE_REJECT, first!.identifier, optionsOf(first!).slice(1));
  const second = script.sent(IPCP, CONFIGURE_REQUEST);
  assertEquals(shown(optionsOf(second)), ["3=10.0.0.1"]);
  script.gets(IPCP, CONFIGURE_REQUEST, 1, []);
  script.gets(IPCP, CONFIGURE_ACK, second.identifier, second.data);
  script.gets(IPCP, TERMINATE_REQUEST, 4);
  script.wait(3000);
  assertStrictEquals(script.link.status().ipcp!.state, "Stopped");
  script.takeSent();
  script.gets(IPCP, CONFIGURE_REQUEST, 2, []);
  const [third, ack] = script.takeSent();
  assertEquals(shown(optionsOf(third!)), ["3=10.0.0.1", "129=0.0.0.0", "131=0.0.0.0"]);
  assertStrictEquals(ack!.code, CONFIGURE_ACK);
});

Deno.test("IPV6CP: both identifiers, ours random and with local scope", () => {
  const [script, request] = ipv6cp();
  const localId = readInterfaceId(optionsOf(request)[0]!)!;
  assertStrictEquals(Number.parseInt(localId.slice(0, 2), 16) & 2, 0);
  script.gets(IPV6CP, CONFIGURE_REQUEST, 1, [interfaceIdOption(1, "0211aafffe334455")]);
  script.sent(IPV6CP, CONFIGURE_ACK);
  script.gets(IPV6CP, CONFIGURE_ACK, request.identifier, request.data);
  assertEquals(script.takeEvents(), [{ effect: "ipv6Up", localId, peerId: "0211aafffe334455" }]);
  script.link.close(script.now);
  script.drain();
  assertEquals(script.takeEvents(), [{ effect: "ipv6Down" }, { effect: "linkDown" }]);
});

Deno.test("IPV6CP: options of the peer", () => {
  const own = "00000000000000A1";
  const table: [option: PppOption, code: number, answer: string][] = [
    [interfaceIdOption(1, "00000000000000b2"), CONFIGURE_ACK, "00000000000000b2"],
    // Zero, ours, and a truncated identifier.
    [interfaceIdOption(1, "0000000000000000"), CONFIGURE_NAK, "00000000000000c3"],
    [interfaceIdOption(1, own), CONFIGURE_NAK, "00000000000000c3"],
    [{ type: 1, data: hexBytes("00c3") }, CONFIGURE_NAK, "00000000000000c3"],
  ];
  for (const [option, code, answer] of table) {
    const [script, request] = ipv6cp({ localId: own, peerId: "00000000000000C3" });
    assertStrictEquals(readInterfaceId(optionsOf(request)[0]!), own.toLowerCase());
    script.gets(IPV6CP, CONFIGURE_REQUEST, 1, [option]);
    assertStrictEquals(readInterfaceId(optionsOf(script.sent(IPV6CP, code))[0]!), answer);
  }
  const [script] = ipv6cp();
  // Header compression.
  script.gets(IPV6CP, CONFIGURE_REQUEST, 1, [{ type: 2, data: hexBytes("004f") }]);
  script.sent(IPV6CP, CONFIGURE_REJECT);
});

Deno.test("IPV6CP: a peer without identifier gets one suggestion, then is acknowledged without", () => {
  const [script, request] = ipv6cp({ localId: "00000000000000a1" });
  script.gets(IPV6CP, CONFIGURE_REQUEST, 1, []);
  assertStrictEquals(optionsOf(script.sent(IPV6CP, CONFIGURE_NAK)).length, 1);
  script.gets(IPV6CP, CONFIGURE_REQUEST, 2, []);
  script.sent(IPV6CP, CONFIGURE_ACK);
  script.gets(IPV6CP, CONFIGURE_ACK, request.identifier, request.data);
  assertEquals(script.takeEvents(), [
    { effect: "ipv6Up", localId: "00000000000000a1", peerId: undefined },
  ]);
});

Deno.test("IPV6CP: a suggestion is accepted unless it is our own; a Configure-Reject closes IPv6", () => {
  const [script, first] = ipv6cp({ localId: "00000000000000a1", peerId: "00000000000000c3" });
  script.gets(IPV6CP, CONFIGURE_NAK, first.identifier, [interfaceIdOption(1, "00000000000000b2")]);
  const second = script.sent(IPV6CP, CONFIGURE_REQUEST);
  assertStrictEquals(readInterfaceId(optionsOf(second)[0]!), "00000000000000b2");
  script.gets(IPV6CP, CONFIGURE_REQUEST, 1, [interfaceIdOption(1, "0000000000000000")]);
  script.sent(IPV6CP, CONFIGURE_NAK);
  for (const suggestion of ["00000000000000c3", "0000000000000000"]) {
    const { identifier } = script.takeSent().at(-1) ?? second;
    script.gets(IPV6CP, CONFIGURE_NAK, identifier, [interfaceIdOption(1, suggestion)]);
    const third = script.sent(IPV6CP, CONFIGURE_REQUEST);
    assertNotStrictEquals(readInterfaceId(optionsOf(third)[0]!), suggestion);
    script.gets(IPV6CP, CONFIGURE_NAK, third.identifier, [interfaceIdOption(1, "00000000000000b2")]);
  }
  const last = script.sent(IPV6CP, CONFIGURE_REQUEST);
  script.gets(IPV6CP, CONFIGURE_REJECT, last.identifier, last.data);
  assertStrictEquals(script.link.status().ipv6cp!.state, "Closing");
});
