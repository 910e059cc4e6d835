/** IPCP and IPV6CP of a link, as scripts (RFC 1332, RFC 1877, RFC 5072). */

import assert from "node:assert/strict";
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
import { Bench, optionsOf, type Sent, type TestOptions } from "./support.ts";

const { LCP, IPCP, IPV6CP } = PPP_PROTOCOL;
const { CONFIGURE_REQUEST, CONFIGURE_ACK, CONFIGURE_NAK, CONFIGURE_REJECT, TERMINATE_REQUEST } = PPP_CODE;

/** A link with IPCP only, and its first Configure-Request. */
function ipcp(ipv4: PppIpv4Options, others: TestOptions = {}): [bench: Bench, request: Sent] {
  const bench = new Bench({ ipv6: false, ...others, ipv4 });
  bench.openLcp();
  bench.takeEvents();
  return [bench, bench.sent(IPCP, CONFIGURE_REQUEST)];
}

/** A link with IPV6CP only, and its first Configure-Request. */
function ipv6cp(ipv6: PppIpv6Options = {}): [bench: Bench, request: Sent] {
  const bench = new Bench({ ipv4: false, ipv6 });
  bench.openLcp();
  bench.takeEvents();
  return [bench, bench.sent(IPV6CP, CONFIGURE_REQUEST)];
}

/** Formats address options as `type=address`. */
function shown(options: readonly PppOption[]): string[] {
  return options.map(({ type, data }) => `${type}=${data.join(".")}`);
}

/** Returns the reason of the link's end. */
function ending(bench: Bench): unknown {
  bench.wait(70_000);
  const finished = bench.takeEvents().find(({ effect }) => effect === "finished");
  return finished?.effect === "finished" ? finished.end : undefined;
}

Deno.test("IPCP with fixed addresses: up with both, down with the link", () => {
  const [bench, request] = ipcp({ local: "10.0.0.1", peer: "10.0.0.2" });
  assert.deepEqual(shown(optionsOf(request)), ["3=10.0.0.1"]);
  bench.gets(IPCP, CONFIGURE_REQUEST, 1, [ipv4Option(3, "0.0.0.0")]);
  assert.deepEqual(shown(optionsOf(bench.sent(IPCP, CONFIGURE_NAK))), ["3=10.0.0.2"]);
  bench.gets(IPCP, CONFIGURE_REQUEST, 2, [ipv4Option(3, "10.0.0.2")]);
  bench.sent(IPCP, CONFIGURE_ACK);
  bench.gets(IPCP, CONFIGURE_ACK, request.identifier, request.data);
  assert.deepEqual(bench.takeEvents(), [
    { effect: "ipv4Up", local: "10.0.0.1", peer: "10.0.0.2", dns: [], nbns: [] },
  ]);
  assert.equal(bench.link.deadline(), undefined);
  bench.link.close(bench.now);
  bench.drain();
  assert.deepEqual(bench.takeEvents(), [{ effect: "ipv4Down" }, { effect: "linkDown" }]);
});

Deno.test("IPCP without an address: address and name servers come from the peer", () => {
  const [bench, request] = ipcp({ askDns: true, askNbns: true });
  const asked = ["3=0.0.0.0", "129=0.0.0.0", "131=0.0.0.0", "130=0.0.0.0", "132=0.0.0.0"];
  assert.deepEqual(shown(optionsOf(request)), asked);
  bench.gets(IPCP, CONFIGURE_REJECT, request.identifier, [
    ipv4Option(130, "0.0.0.0"),
    ipv4Option(132, "0.0.0.0"),
  ]);
  const second = bench.sent(IPCP, CONFIGURE_REQUEST);
  assert.deepEqual(shown(optionsOf(second)), asked.slice(0, 3));
  bench.gets(IPCP, CONFIGURE_NAK, second.identifier, [
    ipv4Option(3, "192.0.2.7"),
    ipv4Option(129, "192.0.2.53"),
    // An option that was not requested.
    ipv4Option(130, "192.0.2.54"),
  ]);
  const third = bench.sent(IPCP, CONFIGURE_REQUEST);
  assert.deepEqual(shown(optionsOf(third)), ["3=192.0.2.7", "129=192.0.2.53", "131=0.0.0.0"]);
  bench.gets(IPCP, CONFIGURE_REQUEST, 1, [ipv4Option(3, "192.0.2.1")]);
  bench.gets(IPCP, CONFIGURE_ACK, third.identifier, third.data);
  assert.deepEqual(bench.takeEvents(), [
    { effect: "ipv4Up", local: "192.0.2.7", peer: "192.0.2.1", dns: ["192.0.2.53"], nbns: [] },
  ]);
  const { ipcp: status } = bench.link.status();
  assert.deepEqual([status!.state, status!.local, status!.dns], ["Opened", "192.0.2.7", ["192.0.2.53"]]);
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
    const [bench] = ipcp(ipv4);
    bench.gets(IPCP, CONFIGURE_REQUEST, 1, options);
    assert.deepEqual(shown(optionsOf(bench.sent(IPCP, code))), answer);
  }
});

Deno.test("IPCP: a peer that requests no address gets one suggestion, then is acknowledged without", () => {
  const [bench, request] = ipcp({ local: "10.0.0.1", peer: "10.0.0.2" });
  bench.gets(IPCP, CONFIGURE_REQUEST, 1, []);
  assert.deepEqual(shown(optionsOf(bench.sent(IPCP, CONFIGURE_NAK))), ["3=10.0.0.2"]);
  bench.gets(IPCP, CONFIGURE_REQUEST, 2, []);
  bench.sent(IPCP, CONFIGURE_ACK);
  // The peer also rejects our address.
  bench.gets(IPCP, CONFIGURE_REJECT, request.identifier, request.data);
  const second = bench.sent(IPCP, CONFIGURE_REQUEST);
  assert.deepEqual(optionsOf(second), []);
  bench.gets(IPCP, CONFIGURE_ACK, second.identifier, second.data);
  const [up] = bench.takeEvents();
  assert.deepEqual(up, { effect: "ipv4Up", local: "10.0.0.1", peer: "10.0.0.2", dns: [], nbns: [] });
});

Deno.test("IPCP: our fixed address is insisted on", () => {
  const [bench, request] = ipcp({ local: "10.0.0.1" });
  bench.gets(IPCP, CONFIGURE_NAK, request.identifier, [ipv4Option(3, "10.9.9.9")]);
  assert.deepEqual(shown(optionsOf(bench.sent(IPCP, CONFIGURE_REQUEST))), ["3=10.0.0.1"]);
});

Deno.test("IPCP: an invalid address from the peer is ignored; without one IPv4 does not come up", () => {
  const [bench, request] = ipcp({});
  bench.gets(IPCP, CONFIGURE_NAK, request.identifier, [ipv4Option(3, "127.0.0.1")]);
  const second = bench.sent(IPCP, CONFIGURE_REQUEST);
  assert.deepEqual(shown(optionsOf(second)), ["3=0.0.0.0"]);
  bench.gets(IPCP, CONFIGURE_REQUEST, 1, [ipv4Option(3, "192.0.2.1")]);
  bench.takeSent();
  // The peer acknowledges 0.0.0.0 instead of sending an address.
  bench.gets(IPCP, CONFIGURE_ACK, second.identifier, second.data);
  assert.equal(bench.sent(IPCP, TERMINATE_REQUEST).protocol, IPCP);
  // A protocol that was not up sends no down effect.
  assert.deepEqual(bench.takeEvents(), []);
  assert.deepEqual(ending(bench), { reason: "noAddress", of: "local" });
  const [other, first] = ipcp({});
  other.gets(IPCP, CONFIGURE_REJECT, first.identifier, first.data);
  assert.deepEqual(ending(other), { reason: "noAddress", of: "local" });
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
  const [bench, request] = ipcp({ local: "10.0.0.1", peer: pool });
  for (let i = 0; i < 3; i++) {
    bench.gets(IPCP, CONFIGURE_REQUEST, i, [ipv4Option(3, "10.0.0.77")]);
    bench.sent(IPCP, CONFIGURE_ACK);
  }
  bench.gets(IPCP, CONFIGURE_ACK, request.identifier, request.data);
  assert.equal(bench.link.status().ipcp!.peer, "10.0.0.77");
  assert.deepEqual(log, ["lease undefined"]);
  bench.gets(IPCP, CONFIGURE_REQUEST, 9, [ipv4Option(3, "10.0.0.77")]);
  bench.takeSent();
  assert.deepEqual(log, ["lease undefined"]);
  bench.openLcp();
  assert.deepEqual(log, ["lease undefined", "release 10.0.0.77", "lease undefined"]);
  bench.link.close(bench.now);
  bench.link.lowerDown(bench.now);
  bench.link.lowerUp(bench.now);
  bench.link.lowerDown(bench.now);
  assert.deepEqual(log.slice(3), ["release 10.0.0.77"]);
});

Deno.test("IPCP: an exhausted pool is reported; IPv6 continues", () => {
  const pool: AddressPool = { lease: () => undefined, release: () => assert.fail("Nothing was leased") };
  const alone = new Bench({ ipv4: { peer: pool }, ipv6: false });
  alone.openLcp();
  assert.deepEqual(ending(alone), { reason: "noAddress", of: "peer" });
  const released: string[] = [];
  const wrong: AddressPool = { lease: () => "10.0.0.256", release: (address) => void released.push(address) };
  const bad = new Bench({ ipv4: { peer: wrong }, ipv6: false });
  bad.openLcp();
  assert.deepEqual([released, ending(bad)], [["10.0.0.256"], { reason: "noAddress", of: "peer" }]);
  const both = new Bench({ ipv4: { peer: pool } });
  both.openLcp();
  both.sent(IPV6CP, CONFIGURE_REQUEST);
  both.gets(IPCP, CONFIGURE_REQUEST, 1, []);
  both.sent(LCP, PPP_CODE.PROTOCOL_REJECT);
});

Deno.test("a rejected network protocol does not delay the other one; with none left the link ends", () => {
  const bench = new Bench({ ipv4: { local: "10.0.0.1" } });
  bench.openLcp();
  bench.takeEvents();
  bench.takeSent();
  const rejected = (protocol: number) => encodeRejectedProtocol({ protocol, information: new Uint8Array(0) });
  bench.gets(LCP, PPP_CODE.PROTOCOL_REJECT, 1, rejected(IPV6CP));
  assert.equal(bench.link.status().ipv6cp!.state, "Stopped");
  assert.equal(bench.link.status().phase, "network");
  bench.gets(LCP, PPP_CODE.PROTOCOL_REJECT, 1, rejected(IPCP));
  assert.deepEqual(ending(bench), { reason: "noNetworkProtocol" });
});

Deno.test("a peer that opens no network protocol times out", () => {
  const silent = new Bench({ ipv4: { local: "10.0.0.1" }, ipv6: false, maxConfigure: 3 });
  silent.openLcp();
  assert.deepEqual(ending(silent), { reason: "noNetworkProtocol" });
  // A peer that acknowledges every request but sends none would keep the automaton running for ever.
  const [bench, request] = ipcp({ local: "10.0.0.1" }, { phaseLimitMs: 50_000 });
  bench.gets(IPCP, CONFIGURE_ACK, request.identifier, request.data);
  for (let i = 0; i < 100; i++) {
    bench.wait(1000);
    for (const { protocol, code, identifier, data } of bench.takeSent()) {
      if (code === CONFIGURE_REQUEST) bench.gets(protocol, CONFIGURE_ACK, identifier, data);
    }
  }
  const finished = bench.takeEvents().find(({ effect }) => effect === "finished");
  assert.deepEqual(finished, { effect: "finished", end: { reason: "noNetworkProtocol" } });
});

Deno.test("the peer closes a network protocol: down, and the link ends with the last one", () => {
  const [bench, request] = ipcp({ local: "10.0.0.1" });
  bench.gets(IPCP, CONFIGURE_REQUEST, 1, []);
  bench.gets(IPCP, CONFIGURE_ACK, request.identifier, request.data);
  bench.takeSent();
  bench.takeEvents();
  bench.gets(IPCP, TERMINATE_REQUEST, 4);
  assert.equal(bench.sent(IPCP, PPP_CODE.TERMINATE_ACK).identifier, 4);
  assert.deepEqual(bench.takeEvents(), [{ effect: "ipv4Down" }]);
  assert.deepEqual(ending(bench), { reason: "noNetworkProtocol" });
});

Deno.test("a network protocol that the peer closed can be negotiated again", () => {
  const bench = new Bench({ ipv4: { local: "10.0.0.1", askDns: true } });
  bench.openLcp();
  const [first] = bench.takeSent().filter(({ protocol }) => protocol === IPCP);
  bench.gets(IPCP, CONFIGURE_REJECT, first!.identifier, optionsOf(first!).slice(1));
  const second = bench.sent(IPCP, CONFIGURE_REQUEST);
  assert.deepEqual(shown(optionsOf(second)), ["3=10.0.0.1"]);
  bench.gets(IPCP, CONFIGURE_REQUEST, 1, []);
  bench.gets(IPCP, CONFIGURE_ACK, second.identifier, second.data);
  bench.gets(IPCP, TERMINATE_REQUEST, 4);
  bench.wait(3000);
  assert.equal(bench.link.status().ipcp!.state, "Stopped");
  bench.takeSent();
  bench.gets(IPCP, CONFIGURE_REQUEST, 2, []);
  const [third, ack] = bench.takeSent();
  assert.deepEqual(shown(optionsOf(third!)), ["3=10.0.0.1", "129=0.0.0.0", "131=0.0.0.0"]);
  assert.equal(ack!.code, CONFIGURE_ACK);
});

Deno.test("IPV6CP: both identifiers, ours random and with local scope", () => {
  const [bench, request] = ipv6cp();
  const localId = readInterfaceId(optionsOf(request)[0]!)!;
  assert.equal(Number.parseInt(localId.slice(0, 2), 16) & 2, 0);
  bench.gets(IPV6CP, CONFIGURE_REQUEST, 1, [interfaceIdOption(1, "0211aafffe334455")]);
  bench.sent(IPV6CP, CONFIGURE_ACK);
  bench.gets(IPV6CP, CONFIGURE_ACK, request.identifier, request.data);
  assert.deepEqual(bench.takeEvents(), [{ effect: "ipv6Up", localId, peerId: "0211aafffe334455" }]);
  bench.link.close(bench.now);
  bench.drain();
  assert.deepEqual(bench.takeEvents(), [{ effect: "ipv6Down" }, { effect: "linkDown" }]);
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
    const [bench, request] = ipv6cp({ localId: own, peerId: "00000000000000C3" });
    assert.equal(readInterfaceId(optionsOf(request)[0]!), own.toLowerCase());
    bench.gets(IPV6CP, CONFIGURE_REQUEST, 1, [option]);
    assert.equal(readInterfaceId(optionsOf(bench.sent(IPV6CP, code))[0]!), answer);
  }
  const [bench] = ipv6cp();
  // Header compression.
  bench.gets(IPV6CP, CONFIGURE_REQUEST, 1, [{ type: 2, data: hexBytes("004f") }]);
  bench.sent(IPV6CP, CONFIGURE_REJECT);
});

Deno.test("IPV6CP: a peer without identifier gets one suggestion, then is acknowledged without", () => {
  const [bench, request] = ipv6cp({ localId: "00000000000000a1" });
  bench.gets(IPV6CP, CONFIGURE_REQUEST, 1, []);
  assert.equal(optionsOf(bench.sent(IPV6CP, CONFIGURE_NAK)).length, 1);
  bench.gets(IPV6CP, CONFIGURE_REQUEST, 2, []);
  bench.sent(IPV6CP, CONFIGURE_ACK);
  bench.gets(IPV6CP, CONFIGURE_ACK, request.identifier, request.data);
  assert.deepEqual(bench.takeEvents(), [
    { effect: "ipv6Up", localId: "00000000000000a1", peerId: undefined },
  ]);
});

Deno.test("IPV6CP: a suggestion is accepted unless it is our own; a Configure-Reject closes IPv6", () => {
  const [bench, first] = ipv6cp({ localId: "00000000000000a1", peerId: "00000000000000c3" });
  bench.gets(IPV6CP, CONFIGURE_NAK, first.identifier, [interfaceIdOption(1, "00000000000000b2")]);
  const second = bench.sent(IPV6CP, CONFIGURE_REQUEST);
  assert.equal(readInterfaceId(optionsOf(second)[0]!), "00000000000000b2");
  bench.gets(IPV6CP, CONFIGURE_REQUEST, 1, [interfaceIdOption(1, "0000000000000000")]);
  bench.sent(IPV6CP, CONFIGURE_NAK);
  for (const suggestion of ["00000000000000c3", "0000000000000000"]) {
    const { identifier } = bench.takeSent().at(-1) ?? second;
    bench.gets(IPV6CP, CONFIGURE_NAK, identifier, [interfaceIdOption(1, suggestion)]);
    const third = bench.sent(IPV6CP, CONFIGURE_REQUEST);
    assert.notEqual(readInterfaceId(optionsOf(third)[0]!), suggestion);
    bench.gets(IPV6CP, CONFIGURE_NAK, third.identifier, [interfaceIdOption(1, "00000000000000b2")]);
  }
  const last = bench.sent(IPV6CP, CONFIGURE_REQUEST);
  bench.gets(IPV6CP, CONFIGURE_REJECT, last.identifier, last.data);
  assert.equal(bench.link.status().ipv6cp!.state, "Closing");
});
