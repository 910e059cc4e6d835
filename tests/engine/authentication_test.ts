/** Authentication in both directions, as scripts (RFC 1334, RFC 1994, RFC 2433, RFC 2759). */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { PPP_CRYPTO } from "../../src/driver/ppp/crypto.ts";
import type { PppOptions } from "../../src/engine/ppp/mod.ts";
import type { AuthMethod } from "../../src/model/ppp/status.ts";
import { CHAP_CODE, PAP_CODE, PPP_CODE, PPP_PROTOCOL } from "../../src/wire/ppp/constants.ts";
import {
  decodeChapValue,
  decodeMsChapV2Response,
  encodeChapValue,
  encodeMsChapResponse,
  encodeMsChapV2Response,
  parseMsChapFailure,
} from "../../src/wire/ppp/chap.ts";
import { decodePapRequest, encodePapMessage, encodePapRequest } from "../../src/wire/ppp/pap.ts";
import { encodeRejectedProtocol } from "../../src/wire/ppp/control_packet.ts";
import { authOption } from "../../src/wire/ppp/options.ts";
import { hexBytes } from "../support/golden.ts";
import { Random } from "../support/random.ts";
import { RFC_2433, RFC_2759, ScriptedPeer, type TestOptions } from "./support.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const { LCP, PAP, CHAP, IPCP } = PPP_PROTOCOL;

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Random bytes, except that challenges of one length are fixed. */
function chance(length: number, value: Uint8Array): PppOptions["random"] {
  const random = new Random(7);
  return (count) => count === length ? value.slice() : random.bytes(count);
}

/** A link with LCP open whose peer must authenticate by this method; Joe's secret is "pw". */
function authenticator(method: AuthMethod, options: TestOptions = {}): ScriptedPeer {
  const script = new ScriptedPeer({
    ipv4: false,
    ipv6: false,
    name: "lns",
    require: [method],
    peerSecret: (name) => name === "joe" ? "pw" : undefined,
    ...options,
  });
  script.openLcp();
  script.takeEvents();
  return script;
}

/** A link with LCP open that must authenticate to its peer by this method. */
function authenticatee(method: AuthMethod, options: TestOptions = {}): ScriptedPeer {
  const script = new ScriptedPeer({ ipv4: false, ipv6: false, name: "joe", secret: "pw", ...options });
  script.openLcp([authOption(method)]);
  script.takeEvents();
  return script;
}

/** Lets the packets of the termination pass, and returns the reason of the end. */
function ending(script: ScriptedPeer): unknown {
  script.wait(30_000);
  const finished = script.takeEvents().find(({ effect }) => effect === "finished");
  return finished?.effect === "finished" ? finished.end : undefined;
}

Deno.test("PAP: a correct password is acknowledged, and repeated requests get the same reply", () => {
  const script = authenticator("pap");
  assertEquals(script.takeSent(), []);
  const request = encodePapRequest({ peerId: bytes("joe"), password: bytes("pw") });
  script.gets(PAP, PAP_CODE.AUTHENTICATE_REQUEST, 5, request);
  assertStrictEquals(script.sent(PAP, PAP_CODE.AUTHENTICATE_ACK).identifier, 5);
  const success = { effect: "authenticated", of: "peer", method: "pap", name: "joe" };
  assertEquals<unknown>(script.takeEvents(), [success]);
  assertEquals(script.link.status().auth.peer, { method: "pap", state: "succeeded", name: "joe" });
  assertStrictEquals(script.link.status().phase, "network");
  // The reply is repeated, not the verification.
  for (const repeated of [request, encodePapRequest({ peerId: bytes("joe"), password: bytes("no") })]) {
    script.gets(PAP, PAP_CODE.AUTHENTICATE_REQUEST, 6, repeated);
    assertStrictEquals(script.sent(PAP, PAP_CODE.AUTHENTICATE_ACK).identifier, 6);
  }
  assertEquals(script.takeEvents(), []);
});

Deno.test("PAP: a wrong password, a prefix of it, and an unknown name are refused alike", () => {
  for (const [name, password] of [["joe", "wrong"], ["joe", "p"], ["joe", ""], ["jim", "pw"], ["jim", ""]]) {
    const script = authenticator("pap");
    const request = encodePapRequest({ peerId: bytes(name!), password: bytes(password!) });
    script.gets(PAP, PAP_CODE.AUTHENTICATE_REQUEST, 5, request);
    const [nak, terminate] = script.takeSent();
    assertEquals([nak!.code, nak!.data], [PAP_CODE.AUTHENTICATE_NAK, hexBytes("00")]);
    assertEquals([terminate!.protocol, terminate!.code], [LCP, PPP_CODE.TERMINATE_REQUEST]);
    assertEquals(ending(script), { reason: "authenticationFailed", of: "peer", method: "pap", name });
    assertStrictEquals(script.link.status().auth.peer!.state, "failed");
  }
});

Deno.test("an empty secret counts as none, on either side", () => {
  const pap = authenticator("pap", { peerSecret: () => "" });
  pap.gets(
    PAP,
    PAP_CODE.AUTHENTICATE_REQUEST,
    5,
    encodePapRequest({ peerId: bytes("joe"), password: bytes("") }),
  );
  assertStrictEquals(pap.takeSent()[0]!.code, PAP_CODE.AUTHENTICATE_NAK);
  const chap = authenticator("chap", { peerSecret: () => "" });
  const { identifier, data } = chap.sent(CHAP, CHAP_CODE.CHALLENGE);
  const value = md5(identifier, "", decodeChapValue(data).value);
  chap.gets(CHAP, CHAP_CODE.RESPONSE, identifier, encodeChapValue({ value, name: bytes("joe") }));
  assertStrictEquals(chap.takeSent()[0]!.code, CHAP_CODE.FAILURE);
});

Deno.test("PAP: a peer that does not authenticate times out", () => {
  const script = authenticator("pap", { phaseLimitMs: 20_000 });
  script.wait(19_999);
  assertEquals(script.takeSent(), []);
  script.wait(1);
  assertEquals(script.sentNames(), ["TERMINATE_REQUEST"]);
  assertEquals(ending(script), { reason: "authenticationTimedOut", of: "peer", method: "pap" });
});

Deno.test("PAP to the peer: the request is retransmitted until the reply, then the network phase begins", () => {
  const script = authenticatee("pap");
  const first = script.sent(PAP, PAP_CODE.AUTHENTICATE_REQUEST);
  const { peerId, password } = decodePapRequest(first.data);
  assertEquals([text(peerId), text(password)], ["joe", "pw"]);
  script.wait(3000);
  const second = script.sent(PAP, PAP_CODE.AUTHENTICATE_REQUEST);
  assertDeepStrictEquals(second, first);
  script.gets(PAP, PAP_CODE.AUTHENTICATE_ACK, first.identifier + 1, encodePapMessage(bytes("")));
  assertEquals(script.link.status().drops, { unexpectedReply: 1 });
  script.gets(PAP, PAP_CODE.AUTHENTICATE_ACK, first.identifier, hexBytes(""));
  assertEquals(script.takeEvents(), [{
    effect: "authenticated",
    of: "local",
    method: "pap",
    name: "joe",
  }]);
  assertStrictEquals(script.link.deadline(), undefined);
});

Deno.test("PAP to the peer: a refusal keeps the peer's message without control characters", () => {
  const script = authenticatee("pap");
  const { identifier } = script.sent(PAP, PAP_CODE.AUTHENTICATE_REQUEST);
  script.gets(PAP, PAP_CODE.AUTHENTICATE_NAK, identifier, encodePapMessage(bytes("no\u0007")));
  assertEquals(ending(script), {
    reason: "authenticationFailed",
    of: "local",
    method: "pap",
    name: "joe",
    code: undefined,
    message: "no\ufffd",
  });
});

Deno.test("PAP to the peer: without a reply it times out after Max-Configure requests", () => {
  const script = authenticatee("pap", { maxConfigure: 3 });
  script.wait(9000);
  assertEquals(script.takeSent().map(({ protocol }) => protocol), [PAP, PAP, PAP, LCP]);
  assertEquals(ending(script), { reason: "authenticationTimedOut", of: "local", method: "pap" });
});

Deno.test("CHAP: the response is MD5 of identifier, secret and challenge", () => {
  const script = authenticatee("chap", { secret: "b" });
  assertEquals(script.takeSent(), []);
  const [identifier] = bytes("a");
  script.gets(
    CHAP,
    CHAP_CODE.CHALLENGE,
    identifier!,
    encodeChapValue({ value: bytes("c"), name: bytes("lns") }),
  );
  const response = script.sent(CHAP, CHAP_CODE.RESPONSE);
  const { value, name } = decodeChapValue(response.data);
  assertStrictEquals(response.identifier, identifier);
  // MD5 of "abc", RFC 1321 section A.5.
  assertEquals([value, text(name)], [hexBytes("900150983cd24fb0d6963f7d28e17f72"), "joe"]);
  // The Success may have been lost.
  script.wait(3000);
  assertDeepStrictEquals(script.sent(CHAP, CHAP_CODE.RESPONSE), response);
  script.gets(CHAP, CHAP_CODE.SUCCESS, identifier!, bytes("hello"));
  assertEquals(script.takeEvents(), [{
    effect: "authenticated",
    of: "local",
    method: "chap",
    name: "joe",
  }]);
  assertStrictEquals(script.link.deadline(), undefined);
  script.gets(CHAP, CHAP_CODE.SUCCESS, identifier!, bytes("hello"));
  assertEquals(script.link.status().drops, { unexpectedReply: 1 });
});

Deno.test("CHAP: the challenge is retransmitted until the response; repeated responses get the same reply", () => {
  const script = authenticator("chap", { peerSecret: () => "b", random: chance(16, bytes("c")) });
  const challenge = script.sent(CHAP, CHAP_CODE.CHALLENGE);
  assertEquals(decodeChapValue(challenge.data), { value: bytes("c"), name: bytes("lns") });
  script.wait(3000);
  assertDeepStrictEquals(script.sent(CHAP, CHAP_CODE.CHALLENGE), challenge);
  const { identifier } = challenge;
  const response = encodeChapValue({
    value: md5(identifier, "b", "c"),
    name: bytes("joe"),
  });
  script.gets(CHAP, CHAP_CODE.RESPONSE, identifier + 1, response);
  assertEquals(script.link.status().drops, { unexpectedReply: 1 });
  script.gets(CHAP, CHAP_CODE.RESPONSE, identifier, response);
  const success = script.sent(CHAP, CHAP_CODE.SUCCESS);
  assertStrictEquals(success.identifier, identifier);
  assertEquals(script.takeEvents(), [{
    effect: "authenticated",
    of: "peer",
    method: "chap",
    name: "joe",
  }]);
  // A wrong response afterwards changes nothing: the reply is repeated, not the verification.
  script.gets(
    CHAP,
    CHAP_CODE.RESPONSE,
    identifier,
    encodeChapValue({ value: bytes("x"), name: bytes("joe") }),
  );
  assertDeepStrictEquals(script.sent(CHAP, CHAP_CODE.SUCCESS), success);
  assertStrictEquals(script.link.deadline(), undefined);
});

Deno.test("CHAP: without a response it times out after Max-Configure challenges", () => {
  const script = authenticator("chap", { maxConfigure: 3 });
  script.wait(9000);
  assertEquals(script.takeSent().map(({ protocol }) => protocol), [CHAP, CHAP, CHAP, LCP]);
  assertEquals(ending(script), { reason: "authenticationTimedOut", of: "peer", method: "chap" });
});

Deno.test("CHAP: our own challenge, reflected by the peer, is not answered", () => {
  const script = new ScriptedPeer({ ipv4: false, ipv6: false, name: "a", secret: "s", require: ["chap"] });
  script.openLcp([authOption("chap")]);
  const challenge = script.sent(CHAP, CHAP_CODE.CHALLENGE);
  script.gets(CHAP, CHAP_CODE.CHALLENGE, 9, challenge.data);
  assertEquals(script.takeSent(), []);
  assertEquals(script.link.status().drops, { ownChallenge: 1 });
});

Deno.test("authentication in both directions: the network phase waits for both", () => {
  const script = new ScriptedPeer({
    ipv6: false,
    name: "lns",
    secret: "s",
    require: ["chap"],
    peerSecret: () => "pw",
  });
  script.openLcp([authOption("pap")]);
  const [challenge, request] = script.takeSent();
  assertEquals([challenge!.protocol, request!.protocol], [CHAP, PAP]);
  // We are authenticated; the peer is not yet.
  script.gets(PAP, PAP_CODE.AUTHENTICATE_ACK, request!.identifier, hexBytes("00"));
  script.gets(IPCP, PPP_CODE.CONFIGURE_REQUEST, 1, []);
  assertEquals([script.takeSent(), script.link.status().phase], [[], "authenticate"]);
  const value = md5(challenge!.identifier, "pw", decodeChapValue(challenge!.data).value);
  script.gets(
    CHAP,
    CHAP_CODE.RESPONSE,
    challenge!.identifier,
    encodeChapValue({ value, name: bytes("joe") }),
  );
  assertEquals(script.takeSent().map(({ protocol }) => protocol), [CHAP, IPCP]);
  assertStrictEquals(script.link.status().phase, "network");
});

Deno.test("rechallenge: the peer must still know the secret and keep its name", () => {
  const secrets: Record<string, string> = { joe: "pw", jim: "pw" };
  const options: TestOptions = { rechallengeMs: 60_000, peerSecret: (name) => secrets[name] };
  const respond = (script: ScriptedPeer, name: string, secret: string): void => {
    const challenge = script.sent(CHAP, CHAP_CODE.CHALLENGE);
    const { value } = decodeChapValue(challenge.data);
    const response = md5(challenge.identifier, secret, value);
    script.gets(
      CHAP,
      CHAP_CODE.RESPONSE,
      challenge.identifier,
      encodeChapValue({ value: response, name: bytes(name) }),
    );
  };
  for (
    const [name, secret, isRight] of [["joe", "pw", true], ["joe", "px", false], [
      "jim",
      "pw",
      false,
    ]] as const
  ) {
    const script = authenticator("chap", options);
    respond(script, "joe", "pw");
    script.sent(CHAP, CHAP_CODE.SUCCESS);
    script.takeEvents();
    script.wait(60_000);
    respond(script, name, secret);
    const [answer] = script.takeSent();
    assertStrictEquals(answer!.code, isRight ? CHAP_CODE.SUCCESS : CHAP_CODE.FAILURE);
    // The effect is not sent again.
    if (isRight) assertEquals(script.takeEvents(), []);
    else {
      assertEquals(ending(script), { reason: "authenticationFailed", of: "peer", method: "chap", name });
    }
  }
});

Deno.test("MS-CHAP, RFC 2433 section B.2: response computed and verified", () => {
  const { password, challenge, ntResponse } = RFC_2433;
  const ours = authenticatee("mschap", { secret: password });
  ours.gets(CHAP, CHAP_CODE.CHALLENGE, 3, encodeChapValue({ value: challenge, name: bytes("") }));
  const { value } = decodeChapValue(ours.sent(CHAP, CHAP_CODE.RESPONSE).data);
  assertEquals(value, encodeMsChapResponse(ntResponse));
  for (const flag of [1, 0]) {
    const theirs = authenticator("mschap", { peerSecret: () => password, random: chance(8, challenge) });
    const { identifier } = theirs.sent(CHAP, CHAP_CODE.CHALLENGE);
    // Without the flag the LAN Manager response counts, which is absent.
    value[48] = flag;
    theirs.gets(CHAP, CHAP_CODE.RESPONSE, identifier, encodeChapValue({ value, name: bytes("joe") }));
    const [answer] = theirs.takeSent();
    assertStrictEquals(answer!.code, flag === 1 ? CHAP_CODE.SUCCESS : CHAP_CODE.FAILURE);
  }
});

Deno.test("MS-CHAP version 2, RFC 2759 section 9.2: response computed, and the peer's proof required", () => {
  const { name, password, challenge, peerChallenge, ntResponse } = RFC_2759;
  const proof = "S=407A5589115FD0D6209F510FE9C04566932CDA56";
  const answers = [proof, `${proof} M=hi`, proof.replace("40", "41"), proof.slice(0, -1), ""];
  for (const [i, message] of answers.entries()) {
    const options = { name, secret: password, random: chance(16, peerChallenge) };
    const script = authenticatee("mschapv2", options);
    script.gets(CHAP, CHAP_CODE.CHALLENGE, 3, encodeChapValue({ value: challenge, name: bytes("lns") }));
    const { value } = decodeChapValue(script.sent(CHAP, CHAP_CODE.RESPONSE).data);
    assertEquals(decodeMsChapV2Response(value), { peerChallenge, ntResponse });
    script.gets(CHAP, CHAP_CODE.SUCCESS, 3, bytes(message));
    if (i < 2) assertStrictEquals(script.link.status().auth.local!.state, "succeeded");
    else assertEquals(ending(script), { reason: "peerNotProven", method: "mschapv2" });
  }
});

Deno.test("MS-CHAP version 2, RFC 2759 section 9.2: response verified, and proof sent to the peer", () => {
  const { name, password, challenge, peerChallenge, ntResponse } = RFC_2759;
  const options = { peerSecret: () => password, random: chance(16, challenge) };
  const script = authenticator("mschapv2", options);
  const { identifier } = script.sent(CHAP, CHAP_CODE.CHALLENGE);
  const value = encodeMsChapV2Response({ peerChallenge, ntResponse });
  script.gets(
    CHAP,
    CHAP_CODE.RESPONSE,
    identifier,
    encodeChapValue({ value, name: bytes(`BIGCO\\${name}`) }),
  );
  const { data } = script.sent(CHAP, CHAP_CODE.SUCCESS);
  assertStrictEquals(text(data), "S=407A5589115FD0D6209F510FE9C04566932CDA56 M=");
});

Deno.test("MS-CHAP: a Failure forbids a retry, and in version 2 carries a challenge", () => {
  for (const method of ["mschap", "mschapv2"] as const) {
    const script = authenticator(method);
    const { identifier } = script.sent(CHAP, CHAP_CODE.CHALLENGE);
    const value = new Uint8Array(49).fill(1);
    script.gets(CHAP, CHAP_CODE.RESPONSE, identifier, encodeChapValue({ value, name: bytes("joe") }));
    const [failure] = script.takeSent();
    assertStrictEquals(failure!.code, CHAP_CODE.FAILURE);
    const { error, retry, challenge, version } = parseMsChapFailure(text(failure!.data))!;
    assertEquals([error, retry, version], [691, false, method === "mschap" ? 2 : 3]);
    assertStrictEquals(challenge?.length, method === "mschap" ? undefined : 16);
    assertEquals(ending(script), { reason: "authenticationFailed", of: "peer", method, name: "joe" });
  }
});

Deno.test("MS-CHAP: a Failure's code and message are reported, and an expired password is not changed", () => {
  const script = authenticatee("mschapv2");
  script.gets(CHAP, CHAP_CODE.CHALLENGE, 3, encodeChapValue({ value: new Uint8Array(16), name: bytes("") }));
  script.sent(CHAP, CHAP_CODE.RESPONSE);
  script.gets(CHAP, CHAP_CODE.FAILURE, 3, bytes(`E=648 R=1 C=${"0".repeat(32)} V=3 M=Expired`));
  assertEquals(script.sentNames(), ["TERMINATE_REQUEST"]);
  assertEquals(ending(script), {
    reason: "authenticationFailed",
    of: "local",
    method: "mschapv2",
    name: "joe",
    code: 648,
    message: "Expired",
  });
});

Deno.test("MS-CHAP: challenges and responses of other lengths are malformed; Change-Password is dropped", () => {
  const ours = authenticatee("mschapv2");
  ours.gets(CHAP, CHAP_CODE.CHALLENGE, 3, encodeChapValue({ value: new Uint8Array(8), name: bytes("") }));
  assertEquals([ours.takeSent(), ours.link.status().drops], [[], { malformed: 1 }]);
  const theirs = authenticator("mschapv2");
  const { identifier } = theirs.sent(CHAP, CHAP_CODE.CHALLENGE);
  theirs.gets(
    CHAP,
    CHAP_CODE.RESPONSE,
    identifier,
    encodeChapValue({ value: bytes("x"), name: bytes("joe") }),
  );
  for (const code of [5, 6, 7]) theirs.gets(CHAP, code, identifier, new Uint8Array(582));
  assertEquals(theirs.link.status().drops, { malformed: 1, changePassword: 3 });
  assertStrictEquals(theirs.link.status().auth.peer!.state, "pending");
});

Deno.test("authentication packets are dropped if not negotiated, of the wrong kind or in the wrong phase", () => {
  const script = authenticator("chap");
  script.takeSent();
  script.gets(
    PAP,
    PAP_CODE.AUTHENTICATE_REQUEST,
    1,
    encodePapRequest({ peerId: bytes("joe"), password: bytes("pw") }),
  );
  script.gets(PAP, PAP_CODE.AUTHENTICATE_ACK, 1, hexBytes("00"));
  script.gets(PAP, 9, 1, hexBytes("00"));
  script.gets(CHAP, CHAP_CODE.CHALLENGE, 1, encodeChapValue({ value: bytes("c"), name: bytes("x") }));
  script.gets(CHAP, CHAP_CODE.SUCCESS, 1, bytes(""));
  script.gets(CHAP, 9, 1, bytes(""));
  script.gets(IPCP, PPP_CODE.CONFIGURE_REQUEST, 1, []);
  assertEquals(script.takeSent(), []);
  assertEquals(script.link.status().drops, { unexpectedAuthentication: 6, phase: 1 });
  assertStrictEquals(script.link.status().phase, "authenticate");
  const ours = authenticatee("chap");
  ours.gets(CHAP, CHAP_CODE.SUCCESS, 0, bytes(""));
  ours.gets(PAP, PAP_CODE.AUTHENTICATE_ACK, 0, hexBytes("00"));
  assertEquals(ours.link.status().drops, { unexpectedReply: 1, unexpectedAuthentication: 1 });
});

Deno.test("a Protocol-Reject of the negotiated authentication protocol ends the link", () => {
  const script = authenticator("chap");
  const rejected = (protocol: number) => encodeRejectedProtocol({ protocol, information: bytes("") });
  script.gets(LCP, PPP_CODE.PROTOCOL_REJECT, 1, rejected(PAP));
  assertStrictEquals(script.link.status().phase, "authenticate");
  script.gets(LCP, PPP_CODE.PROTOCOL_REJECT, 2, rejected(CHAP));
  assertEquals(ending(script), { reason: "rejectedByPeer", protocol: CHAP });
});

function md5(identifier: number, secret: string, challenge: string | Uint8Array): Uint8Array {
  const value = typeof challenge === "string" ? bytes(challenge) : challenge;
  return PPP_CRYPTO.md5(Uint8Array.of(identifier, ...bytes(secret), ...value));
}

Deno.test("renewSecret(): the next challenge is answered with the new secret, and the link stays up", () => {
  const script = authenticatee("chap");
  const answerTo = (identifier: number): string => {
    const challenge = { value: Uint8Array.of(1, 2, 3), name: bytes("lns") };
    script.gets(CHAP, CHAP_CODE.CHALLENGE, identifier, encodeChapValue(challenge));
    return decodeChapValue(script.sent(CHAP, CHAP_CODE.RESPONSE).data).value.toHex();
  };
  const md5 = (secret: string): string => PPP_CRYPTO.md5(Uint8Array.of(9, ...bytes(secret), 1, 2, 3)).toHex();
  assertStrictEquals(answerTo(9), md5("pw"));
  script.gets(CHAP, CHAP_CODE.SUCCESS, 9);
  script.link.renewSecret("other");
  assertStrictEquals(script.link.status().lcp.state, "Opened");
  assertStrictEquals(answerTo(9), md5("other"));
  assertThrows(() => script.link.renewSecret("x".repeat(256)), RangeError);
});
