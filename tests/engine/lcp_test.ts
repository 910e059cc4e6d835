/** LCP of a link, as scripts of received and sent packets (RFC 1661, RFC 1570). */

import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { PPP_CODE, PPP_PROTOCOL } from "../../src/wire/ppp/constants.ts";
import {
  decodeMagicData,
  decodeRejectedProtocol,
  decodeTimeRemaining,
  encodeMagicData,
  encodeRejectedProtocol,
  encodeTimeRemaining,
} from "../../src/wire/ppp/control_packet.ts";
import { encodePppFrame } from "../../src/wire/ppp/frame.ts";
import {
  authOption,
  flagOption,
  readAuth,
  readU32,
  u16Option,
  u32Option,
} from "../../src/wire/ppp/options.ts";
import { hexBytes } from "../support/golden.ts";
import { optionsOf, ScriptedPeer, type TestOptions } from "./support.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const { LCP, IPCP, IPV6CP, CCP, CHAP } = PPP_PROTOCOL;
const {
  CONFIGURE_REQUEST,
  CONFIGURE_ACK,
  CONFIGURE_NAK,
  CONFIGURE_REJECT,
  TERMINATE_REQUEST,
  TERMINATE_ACK,
  CODE_REJECT,
  PROTOCOL_REJECT,
  ECHO_REQUEST,
  ECHO_REPLY,
  DISCARD_REQUEST,
  IDENTIFICATION,
  TIME_REMAINING,
} = PPP_CODE;

/** Settings without network protocols, to test LCP alone. */
const LCP_ONLY: TestOptions = { ipv4: false, ipv6: false };

Deno.test("LCP opens: request, reply, up with the agreed values", () => {
  const script = new ScriptedPeer({ ...LCP_ONLY, mru: 1400, pfc: true, acfc: true });
  const request = script.sent(LCP, CONFIGURE_REQUEST);
  const [mru, magic, pfc, acfc, ...others] = optionsOf(request);
  assertDeepStrictEquals([mru, pfc, acfc, others], [u16Option(1, 1400), flagOption(7), flagOption(8), []]);
  assertStrictEquals(magic!.type, 5);
  const options = [u16Option(1, 1460), u32Option(2, 0xa0000), u32Option(5, 0x12345678), flagOption(7)];
  script.gets(LCP, CONFIGURE_REQUEST, 9, options);
  const ack = script.sent(LCP, CONFIGURE_ACK);
  assertDeepStrictEquals([ack.identifier, optionsOf(ack)], [9, options]);
  assertStrictEquals(script.link.status().lcp.state, "Ack-Sent");
  script.gets(LCP, CONFIGURE_ACK, request.identifier, request.data);
  assertDeepStrictEquals(script.takeEvents(), [
    { effect: "linkUp", mtu: 1460, mru: 1400, pfc: true, acfc: false, magic: readU32(magic!) },
  ]);
  const { phase, lcp } = script.link.status();
  assertEquals([phase, lcp.state, lcp.peer.accm], ["network", "Opened", 0xa0000]);
  assertStrictEquals(script.link.deadline(), undefined);
});

Deno.test("LCP requests no option whose value is the default", () => {
  const script = new ScriptedPeer({ ...LCP_ONLY, magic: false });
  assertEquals(optionsOf(script.sent(LCP, CONFIGURE_REQUEST)), []);
});

Deno.test("LCP times out after Max-Configure requests, one per restart timer, with one identifier", () => {
  const script = new ScriptedPeer({ ...LCP_ONLY, maxConfigure: 4, restartMs: 2000 });
  script.wait(7999);
  const sent = script.takeSent();
  assertEquals(sent.map(({ code }) => code), [1, 1, 1, 1]);
  assertStrictEquals(new Set(sent.map(({ identifier }) => identifier)).size, 1);
  assertEquals(script.takeEvents(), []);
  script.wait(1);
  assertEquals(script.takeEvents(), [{ effect: "finished", end: { reason: "lcpTimedOut" } }]);
  assertEquals(script.takeSent(), []);
  assertStrictEquals(script.link.deadline(), undefined);
});

Deno.test("options of the peer: acknowledged, nak'ed, rejected", () => {
  const table: [options: Parameters<ScriptedPeer["gets"]>[3], code: number, answer: string][] = [
    [[u16Option(1, 128), u32Option(5, 7), flagOption(7), flagOption(8)], CONFIGURE_ACK, ""],
    [[u16Option(1, 127)], CONFIGURE_NAK, "0104 0080"],
    [[{ type: 1, data: hexBytes("05") }], CONFIGURE_NAK, "0104 05dc"],
    [[{ type: 2, data: hexBytes("05") }], CONFIGURE_NAK, "0206 00000000"],
    // A flag with data is rejected: there is no other value to suggest.
    [[{ type: 7, data: hexBytes("05") }, flagOption(8)], CONFIGURE_REJECT, "0703 05"],
    // Without a secret we cannot authenticate.
    [[authOption("chap"), u16Option(1, 100)], CONFIGURE_REJECT, "0305 c22305"],
    // Quality protocol, callback, multilink, endpoint discriminator.
    [
      [{ type: 4, data: hexBytes("c025") }, u32Option(5, 7), { type: 13, data: hexBytes("06") }],
      CONFIGURE_REJECT,
      "0404 c025 0d03 06",
    ],
    [[{ type: 17, data: hexBytes("05dc") }, { type: 19, data: hexBytes("0031") }], 4, "1104 05dc 1304 0031"],
    // No option may occur twice.
    [[u16Option(1, 1400), u16Option(1, 1400)], CONFIGURE_REJECT, "0104 0578"],
  ];
  for (const [options, code, answer] of table) {
    const script = new ScriptedPeer(LCP_ONLY);
    script.takeSent();
    script.gets(LCP, CONFIGURE_REQUEST, 1, options);
    const sent = script.sent(LCP, code);
    if (code !== CONFIGURE_ACK) assertEquals(sent.data, hexBytes(answer));
  }
});

Deno.test("after Max-Failure Configure-Naks the options are rejected, and finally the link is closed", () => {
  const script = new ScriptedPeer({ ...LCP_ONLY, maxFailure: 2 });
  script.takeSent();
  const codes: number[] = [];
  for (let i = 0; i < 7; i++) {
    script.gets(LCP, CONFIGURE_REQUEST, i, [u16Option(1, 64)]);
    codes.push(...script.takeSent().map(({ code }) => code));
  }
  assertEquals(codes, [3, 3, 4, 4, 4, 4, 4, TERMINATE_REQUEST]);
  script.gets(LCP, TERMINATE_ACK, 0);
  assertEquals(script.takeEvents(), [{ effect: "finished", end: { reason: "notConverging" } }]);
});

Deno.test("rejected options are not requested again; nak'ed ones change", () => {
  const script = new ScriptedPeer({ ...LCP_ONLY, mru: 1450, pfc: true, acfc: true });
  const first = script.sent(LCP, CONFIGURE_REQUEST);
  script.gets(LCP, CONFIGURE_REJECT, first.identifier, [flagOption(7), flagOption(8)]);
  const second = script.sent(LCP, CONFIGURE_REQUEST);
  assertNotStrictEquals(second.identifier, first.identifier);
  assertEquals(optionsOf(second).map(({ type }) => type), [1, 5]);
  script.gets(LCP, CONFIGURE_NAK, second.identifier, [u16Option(1, 1300)]);
  const third = script.sent(LCP, CONFIGURE_REQUEST);
  assertDeepStrictEquals(optionsOf(third)[0], u16Option(1, 1300));
  // A larger MRU than ours.
  script.gets(LCP, CONFIGURE_NAK, third.identifier, [u16Option(1, 9000)]);
  const fourth = script.sent(LCP, CONFIGURE_REQUEST);
  assertDeepStrictEquals(optionsOf(fourth)[0], u16Option(1, 1300));
  script.gets(LCP, CONFIGURE_REJECT, fourth.identifier, [optionsOf(fourth)[0]!, optionsOf(fourth)[1]!]);
  assertEquals(optionsOf(script.sent(LCP, CONFIGURE_REQUEST)), []);
});

Deno.test("endless Configure-Naks of the peer end the link", () => {
  const script = new ScriptedPeer({ ...LCP_ONLY, maxFailure: 2, mru: 1400 });
  for (let i = 0; i < 7; i++) {
    const [request] = script.takeSent();
    script.gets(LCP, CONFIGURE_NAK, request!.identifier, [u16Option(1, 9000)]);
  }
  assertEquals(script.sentNames(), ["TERMINATE_REQUEST"]);
  script.wait(60_000);
  assertEquals(script.takeEvents(), [{ effect: "finished", end: { reason: "notConverging" } }]);
});

Deno.test("replies that match no request are dropped with their reasons", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  const request = script.sent(LCP, CONFIGURE_REQUEST);
  script.gets(LCP, CONFIGURE_ACK, request.identifier + 1, request.data);
  script.gets(LCP, CONFIGURE_NAK, request.identifier + 1, [u16Option(1, 1000)]);
  assertEquals(script.link.status().drops, { unexpectedReply: 2 });
  script.gets(LCP, CONFIGURE_ACK, request.identifier, [u16Option(1, 1000)]);
  script.gets(LCP, CONFIGURE_REJECT, request.identifier, [u16Option(1, 1000)]);
  script.gets(LCP, CONFIGURE_REJECT, request.identifier, []);
  assertEquals(script.link.status().drops, { unexpectedReply: 2, foreignOptions: 3 });
  assertStrictEquals(script.link.status().lcp.state, "Req-Sent");
  script.gets(LCP, CONFIGURE_ACK, request.identifier, request.data);
  // A duplicate.
  script.gets(LCP, CONFIGURE_ACK, request.identifier, request.data);
  assertStrictEquals(script.link.status().lcp.state, "Ack-Rcvd");
  assertStrictEquals(script.link.status().drops.unexpectedReply, 3);
});

Deno.test("malformed packets change nothing", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  script.takeSent();
  const before = script.link.status();
  const broken = [
    "",
    "c0",
    "c021",
    "c021 0101 0003",
    "c021 0101 0008 0104",
    "c021 0101 0006 0101",
    "c021 0901 0006 00",
  ];
  for (const frame of [...broken, "c021 0101 0007 010405", "c021 0701 0004", "c021 0801 0005 c0"]) {
    script.receive(hexBytes(frame));
  }
  assertEquals(script.takeSent(), []);
  assertDeepStrictEquals(script.link.status(), { ...before, drops: { malformed: 10 } });
});

Deno.test("the peer terminates: acknowledged, down at once, finished when the timer expires", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  script.openLcp();
  script.takeEvents();
  script.gets(LCP, TERMINATE_REQUEST, 77, new TextEncoder().encode("bye\u001b[2J"));
  assertStrictEquals(script.sent(LCP, TERMINATE_ACK).identifier, 77);
  assertEquals(script.takeEvents(), [{ effect: "linkDown" }]);
  assertStrictEquals(script.link.status().phase, "terminate");
  script.wait(3000);
  // Control characters are replaced.
  const end = { reason: "terminatedByPeer", message: "bye\ufffd[2J" };
  assertEquals<unknown>(script.takeEvents(), [{ effect: "finished", end }]);
  script.gets(LCP, CONFIGURE_REQUEST, 1, []);
  assertEquals(script.takeSent(), []);
  assertEquals(script.link.status().drops, { finished: 1 });
});

Deno.test("we terminate: Max-Terminate requests with the text, then finished; the link can be opened again", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  script.openLcp();
  script.takeEvents();
  script.link.close(script.now, "x".repeat(300));
  script.drain();
  assertEquals(script.sent(LCP, TERMINATE_REQUEST).data, new Uint8Array(100).fill(120));
  assertEquals(script.takeEvents(), [{ effect: "linkDown" }]);
  script.wait(5999);
  assertEquals(script.sentNames(), ["TERMINATE_REQUEST"]);
  script.wait(1);
  assertEquals(script.takeEvents(), [
    { effect: "finished", end: { reason: "closed", message: "x".repeat(300) } },
  ]);
  script.link.open(script.now);
  script.drain();
  script.openLcp();
  assertEquals(script.takeEvents().map(({ effect }) => effect), ["linkUp"]);
  assertStrictEquals(script.link.status().end, undefined);
});

Deno.test("a terminating link ignores Configure-Requests", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  script.openLcp();
  script.link.close(script.now);
  script.drain();
  script.takeSent();
  script.gets(LCP, CONFIGURE_REQUEST, 2, [u16Option(1, 1000)]);
  assertEquals([script.takeSent(), script.link.status().lcp.peer.mru], [[], 1500]);
});

Deno.test("the lower layer goes down: finished at once; open and lowerUp start again", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  script.openLcp();
  script.takeEvents();
  script.link.lowerDown(script.now);
  script.drain();
  assertEquals(script.takeEvents(), [
    { effect: "linkDown" },
    { effect: "finished", end: { reason: "lowerLayerDown" } },
  ]);
  script.gets(LCP, CONFIGURE_REQUEST, 1, []);
  assertEquals([script.takeSent(), script.link.status().drops], [[], { lowerLayerDown: 1 }]);
  script.link.open(script.now);
  script.link.lowerUp(script.now);
  script.drain();
  script.openLcp();
});

Deno.test("a closed link answers its peer with Terminate-Acks", () => {
  const script = new ScriptedPeer(LCP_ONLY, undefined, false);
  script.link.lowerUp(0);
  script.gets(LCP, CONFIGURE_REQUEST, 5, []);
  assertStrictEquals(script.sent(LCP, TERMINATE_ACK).identifier, 5);
  script.link.close(0);
  script.drain();
  assertEquals(script.takeEvents(), []);
});

Deno.test("closing before the lower layer is up finishes at once", () => {
  const script = new ScriptedPeer(LCP_ONLY, undefined, false);
  script.link.open(0);
  script.link.close(0);
  script.drain();
  assertEquals(script.takeEvents().map(({ effect }) => effect), ["finished"]);
});

Deno.test("the peer renegotiates: down, and up with other values", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  script.openLcp();
  script.takeEvents();
  script.openLcp([u16Option(1, 1000)]);
  const [down, up] = script.takeEvents();
  assertEquals(down, { effect: "linkDown" });
  assertStrictEquals(up?.effect === "linkUp" && up.mtu, 1000);
});

Deno.test("unknown codes and protocols are rejected, truncated to the peer's MRU", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  script.openLcp([u16Option(1, 128)]);
  script.gets(LCP, 99, 3, new Uint8Array(500).fill(1));
  const code = script.sent(LCP, CODE_REJECT);
  assertStrictEquals(code.data.length, 124);
  assertEquals(code.data.subarray(0, 5), hexBytes("6303 01f8 01"));
  script.receive(encodePppFrame(CCP, new Uint8Array(500).fill(2)));
  const protocol = script.sent(LCP, PROTOCOL_REJECT);
  assertStrictEquals(protocol.data.length, 124);
  assertStrictEquals(decodeRejectedProtocol(protocol.data).protocol, CCP);
  // Disabled network protocols count as unknown.
  script.gets(IPCP, CONFIGURE_REQUEST, 1, []);
  assertEquals(script.sent(LCP, PROTOCOL_REJECT).data, hexBytes("8021 0101 0004"));
  script.gets(0x1234, 1, 1, []);
  script.sent(LCP, PROTOCOL_REJECT);
});

Deno.test("data frames, and protocols of other phases, are dropped with their reasons", () => {
  const script = new ScriptedPeer({ ...LCP_ONLY, require: ["chap"] });
  script.takeSent();
  script.gets(IPV6CP, CONFIGURE_REQUEST, 1, []);
  script.gets(CHAP, 2, 1, new Uint8Array(20).fill(1));
  script.receive(hexBytes("21 45"));
  script.openLcp();
  script.takeSent();
  script.gets(CCP, CONFIGURE_REQUEST, 1, []);
  assertEquals(script.takeSent(), []);
  assertEquals(script.link.status().drops, { phase: 3, data: 1 });
});

Deno.test("Code-Reject and Protocol-Reject end the link only for fundamental codes and protocols", () => {
  const end = (act: (script: ScriptedPeer) => void): unknown => {
    const script = new ScriptedPeer({ ...LCP_ONLY, echoIntervalMs: 1000 });
    script.openLcp();
    script.takeEvents();
    act(script);
    script.wait(60_000);
    return script.takeEvents().find(({ effect }) => effect === "finished");
  };
  for (const code of [CONFIGURE_REQUEST, TERMINATE_ACK, CODE_REJECT]) {
    assertEquals(end((script) => script.gets(LCP, CODE_REJECT, 1, Uint8Array.of(code, 1, 0, 4))), {
      effect: "finished",
      end: { reason: "rejectedByPeer", protocol: LCP, code },
    });
  }
  const rejected = (protocol: number) => encodeRejectedProtocol({ protocol, information: new Uint8Array(0) });
  assertEquals(end((script) => script.gets(LCP, PROTOCOL_REJECT, 1, rejected(LCP))), {
    effect: "finished",
    end: { reason: "rejectedByPeer", protocol: LCP },
  });
  // After a Code-Reject of Echo-Request no more are sent, and none can be missed.
  assertStrictEquals(
    end((script) => script.gets(LCP, CODE_REJECT, 1, Uint8Array.of(ECHO_REQUEST, 1, 0, 4))),
    undefined,
  );
});

Deno.test("Protocol-Reject takes effect in the Opened state only", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  script.gets(LCP, PROTOCOL_REJECT, 1, hexBytes("c021"));
  assertEquals(script.link.status().drops, { phase: 1 });
});

Deno.test("echo keep-alive: sent, answered, missed, round trip, and the end of the link", () => {
  const script = new ScriptedPeer({ ...LCP_ONLY, echoIntervalMs: 10_000, echoFailures: 3 });
  script.openLcp();
  script.takeEvents();
  script.wait(10_000);
  const first = script.sent(LCP, ECHO_REQUEST);
  assertStrictEquals(decodeMagicData(first.data).magic, script.link.status().lcp.local.magic);
  script.wait(25);
  // A reply to another request, then the reply to this one.
  script.gets(LCP, ECHO_REPLY, first.identifier + 1, encodeMagicData({ magic: 5, data: new Uint8Array(0) }));
  assertStrictEquals(script.link.status().echo.answered, 0);
  script.gets(LCP, ECHO_REPLY, first.identifier, encodeMagicData({ magic: 5, data: new Uint8Array(0) }));
  assertDeepStrictEquals(script.link.status().echo, { sent: 1, answered: 1, missed: 0, roundTripMs: 25 });
  // A second reply to the same request.
  script.gets(LCP, ECHO_REPLY, first.identifier, encodeMagicData({ magic: 5, data: new Uint8Array(0) }));
  assertEquals(script.link.status().drops, { unexpectedReply: 2 });
  script.wait(9_975 + 30_000 - 1);
  assertEquals(script.sentNames(), ["ECHO_REQUEST", "ECHO_REQUEST", "ECHO_REQUEST"]);
  assertEquals(script.takeEvents(), []);
  script.wait(1 + 6000);
  assertEquals(script.takeEvents(), [
    { effect: "linkDown" },
    { effect: "finished", end: { reason: "peerUnresponsive", missedEchoes: 3 } },
  ]);
});

Deno.test("echo: Echo-Requests are answered with their data, in the Opened state only", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  script.takeSent();
  const data = encodeMagicData({ magic: 0, data: hexBytes("0102") });
  script.gets(LCP, ECHO_REQUEST, 4, data);
  assertEquals(script.takeSent(), []);
  script.openLcp();
  script.takeSent();
  script.gets(LCP, ECHO_REQUEST, 4, data);
  const reply = script.sent(LCP, ECHO_REPLY);
  const { magic } = script.link.status().lcp.local;
  assertDeepStrictEquals([reply.identifier, decodeMagicData(reply.data)], [4, {
    magic,
    data: hexBytes("0102"),
  }]);
});

Deno.test("echo: reflected packets are neither answered nor counted as replies", () => {
  const script = new ScriptedPeer({ ...LCP_ONLY, echoIntervalMs: 1000 });
  script.openLcp();
  script.wait(1000);
  const request = script.sent(LCP, ECHO_REQUEST);
  script.gets(LCP, ECHO_REQUEST, request.identifier, request.data);
  script.gets(LCP, ECHO_REPLY, request.identifier, request.data);
  assertEquals(script.takeSent(), []);
  assertEquals(script.link.status().drops, { ownMagic: 2 });
  assertStrictEquals(script.link.status().echo.answered, 0);
});

Deno.test("a looped-back link is detected and ended", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  for (let i = 0; i < 1000 && script.link.status().phase !== "dead"; i++) {
    for (const { protocol, code, identifier, data } of script.takeSent()) {
      script.gets(protocol, code, identifier, data);
    }
    script.wait(100);
  }
  assertEquals(script.takeEvents(), [{ effect: "finished", end: { reason: "loopedBack" } }]);
});

Deno.test("a single equal Magic-Number is not a loop: another one is suggested", () => {
  const script = new ScriptedPeer(LCP_ONLY);
  const request = script.sent(LCP, CONFIGURE_REQUEST);
  const own = readU32(optionsOf(request)[0]!)!;
  script.gets(LCP, CONFIGURE_REQUEST, 1, [u32Option(5, own)]);
  const nak = script.sent(LCP, CONFIGURE_NAK);
  assertNotStrictEquals(readU32(optionsOf(nak)[0]!), own);
  script.gets(LCP, CONFIGURE_REQUEST, 2, [u32Option(5, 0)]);
  script.sent(LCP, CONFIGURE_NAK);
  script.gets(LCP, CONFIGURE_NAK, request.identifier, [u32Option(5, 99)]);
  assertNotStrictEquals(readU32(optionsOf(script.sent(LCP, CONFIGURE_REQUEST))[0]!), own);
});

Deno.test("Identification and Time-Remaining are sent and stored, Discard-Request is ignored", () => {
  const script = new ScriptedPeer({ ...LCP_ONLY, identification: "l2tp" });
  script.openLcp();
  const { magic } = script.link.status().lcp.local;
  const sent = script.sent(LCP, IDENTIFICATION);
  assertDeepStrictEquals(decodeMagicData(sent.data), { magic, data: hexBytes("6c327470") });
  const text = new TextEncoder().encode("MSRASV5.20" + "y".repeat(1000));
  script.gets(LCP, IDENTIFICATION, 1, encodeMagicData({ magic: 1, data: text }));
  script.gets(LCP, TIME_REMAINING, 1, encodeTimeRemaining({ magic: 1, seconds: 60, message: text }));
  script.gets(LCP, DISCARD_REQUEST, 1, encodeMagicData({ magic: 1, data: text }));
  const status = script.link.status();
  assertStrictEquals(status.identification, "MSRASV5.20" + "y".repeat(246));
  assertStrictEquals(status.secondsRemaining, 60);
  script.gets(LCP, TIME_REMAINING, 1, encodeTimeRemaining({ magic: 1, seconds: 0xffffffff, message: text }));
  assertStrictEquals(script.link.status().secondsRemaining, undefined);
  assertEquals(script.takeSent(), []);
  script.link.announceTimeRemaining(script.now, 30);
  script.drain();
  const remaining = decodeTimeRemaining(script.sent(LCP, TIME_REMAINING).data);
  assertDeepStrictEquals(remaining, { magic, seconds: 30, message: new Uint8Array(0) });
});

Deno.test("authentication: protocols are tried in order of preference, the peer's suggestion first", () => {
  const script = new ScriptedPeer({ ...LCP_ONLY, magic: false, require: ["mschapv2", "chap", "pap"] });
  const first = script.sent(LCP, CONFIGURE_REQUEST);
  assertStrictEquals(readAuth(optionsOf(first)[0]!), "mschapv2");
  // An unknown authentication protocol.
  script.gets(LCP, CONFIGURE_NAK, first.identifier, [{ type: 3, data: hexBytes("c227") }]);
  const second = script.sent(LCP, CONFIGURE_REQUEST);
  assertStrictEquals(readAuth(optionsOf(second)[0]!), "chap");
  // A protocol that the peer has refused before, and one that `require` allows.
  script.gets(LCP, CONFIGURE_NAK, second.identifier, [authOption("mschapv2"), authOption("pap")]);
  const third = script.sent(LCP, CONFIGURE_REQUEST);
  assertStrictEquals(readAuth(optionsOf(third)[0]!), "pap");
  script.gets(LCP, CONFIGURE_NAK, third.identifier, [authOption("chap")]);
  assertEquals(script.sentNames(), ["TERMINATE_REQUEST"]);
  script.wait(60_000);
  assertEquals(script.takeEvents(), [{ effect: "finished", end: { reason: "authenticationRefused" } }]);
});

Deno.test("authentication: a Configure-Reject ends the link unless `none` is allowed", () => {
  for (const require of [["chap", "pap"], ["chap", "none"]] as const) {
    const script = new ScriptedPeer({ ...LCP_ONLY, magic: false, require });
    const request = script.sent(LCP, CONFIGURE_REQUEST);
    script.gets(LCP, CONFIGURE_REJECT, request.identifier, request.data);
    assertEquals(script.sentNames(), [require[1] === "none" ? "CONFIGURE_REQUEST" : "TERMINATE_REQUEST"]);
  }
});

Deno.test("authentication to the peer: refused and unknown protocols are nak'ed with our choice", () => {
  const own: TestOptions = { ...LCP_ONLY, name: "joe", secret: "pw" };
  const answer = (options: TestOptions, data: string): [code: number, method: string | undefined] => {
    const script = new ScriptedPeer({ ...LCP_ONLY, ...options });
    script.takeSent();
    script.gets(LCP, CONFIGURE_REQUEST, 1, [{ type: 3, data: hexBytes(data) }]);
    const [sent] = script.takeSent();
    return [sent!.code, readAuth(optionsOf(sent!)[0]!)];
  };
  assertEquals(answer(own, "c22305"), [CONFIGURE_ACK, "chap"]);
  assertEquals(answer(own, "c227"), [CONFIGURE_NAK, "mschapv2"]);
  assertEquals(answer({ ...own, refuse: ["pap", "mschapv2"] }, "c023"), [CONFIGURE_NAK, "chap"]);
  assertEquals(answer({ ...own, refuse: ["pap", "mschapv2", "chap", "mschap"] }, "c023"), [4, "pap"]);
  assertEquals(answer({ name: "joe" }, "c023"), [CONFIGURE_REJECT, "pap"]);
});

Deno.test("invalid settings throw, and the error contains no secret", () => {
  const wrong: TestOptions[] = [
    { mru: 127 },
    { mru: 65536 },
    { mru: NaN },
    { restartMs: 0 },
    { maxConfigure: 0 },
    { name: "n".repeat(256) },
    { identification: "i".repeat(101) },
    { ipv4: { local: "10.0.0" } },
    { ipv4: { dns: ["::1"] } },
    { ipv4: { nbns: ["10.0.0.1", "10.0.0.2", "10.0.0.3"] } },
    { ipv6: { localId: "1" } },
    { ipv6: { peerId: "0000000000000000" } },
  ];
  for (const options of wrong) {
    assertThrows(() => new ScriptedPeer(options), RangeError, undefined, JSON.stringify(options));
  }
  const error = assertThrows(() => new ScriptedPeer({ secret: "hush".repeat(100) }), RangeError);
  assert(!error.message.includes("hush"));
});
