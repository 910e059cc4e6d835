/** Authentication in both directions, as scripts (RFC 1334, RFC 1994, RFC 2433, RFC 2759). */

import assert from "node:assert/strict";
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
import { Bench, RFC_2433, RFC_2759, type TestOptions } from "./support.ts";

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
function authenticator(method: AuthMethod, options: TestOptions = {}): Bench {
  const bench = new Bench({
    ipv4: false,
    ipv6: false,
    name: "lns",
    require: [method],
    peerSecret: (name) => name === "joe" ? "pw" : undefined,
    ...options,
  });
  bench.openLcp();
  bench.takeEvents();
  return bench;
}

/** A link with LCP open that must authenticate to its peer by this method. */
function authenticatee(method: AuthMethod, options: TestOptions = {}): Bench {
  const bench = new Bench({ ipv4: false, ipv6: false, name: "joe", secret: "pw", ...options });
  bench.openLcp([authOption(method)]);
  bench.takeEvents();
  return bench;
}

/** Lets the packets of the termination pass, and returns the reason of the end. */
function ending(bench: Bench): unknown {
  bench.wait(30_000);
  const finished = bench.takeEvents().find(({ effect }) => effect === "finished");
  return finished?.effect === "finished" ? finished.end : undefined;
}

Deno.test("PAP: a correct password is acknowledged, and repeated requests get the same reply", () => {
  const bench = authenticator("pap");
  assert.deepEqual(bench.takeSent(), []);
  const request = encodePapRequest({ peerId: bytes("joe"), password: bytes("pw") });
  bench.gets(PAP, PAP_CODE.AUTHENTICATE_REQUEST, 5, request);
  assert.equal(bench.sent(PAP, PAP_CODE.AUTHENTICATE_ACK).identifier, 5);
  const success = { effect: "authenticated", of: "peer", method: "pap", name: "joe" };
  assert.deepEqual(bench.takeEvents(), [success]);
  assert.deepEqual(bench.link.status().auth.peer, { method: "pap", state: "succeeded", name: "joe" });
  assert.equal(bench.link.status().phase, "network");
  // The reply is repeated, not the verification.
  for (const repeated of [request, encodePapRequest({ peerId: bytes("joe"), password: bytes("no") })]) {
    bench.gets(PAP, PAP_CODE.AUTHENTICATE_REQUEST, 6, repeated);
    assert.equal(bench.sent(PAP, PAP_CODE.AUTHENTICATE_ACK).identifier, 6);
  }
  assert.deepEqual(bench.takeEvents(), []);
});

Deno.test("PAP: a wrong password, a prefix of it, and an unknown name are refused alike", () => {
  for (const [name, password] of [["joe", "wrong"], ["joe", "p"], ["joe", ""], ["jim", "pw"], ["jim", ""]]) {
    const bench = authenticator("pap");
    const request = encodePapRequest({ peerId: bytes(name!), password: bytes(password!) });
    bench.gets(PAP, PAP_CODE.AUTHENTICATE_REQUEST, 5, request);
    const [nak, terminate] = bench.takeSent();
    assert.deepEqual([nak!.code, nak!.data], [PAP_CODE.AUTHENTICATE_NAK, hexBytes("00")]);
    assert.deepEqual([terminate!.protocol, terminate!.code], [LCP, PPP_CODE.TERMINATE_REQUEST]);
    assert.deepEqual(ending(bench), { reason: "authenticationFailed", of: "peer", method: "pap", name });
    assert.equal(bench.link.status().auth.peer!.state, "failed");
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
  assert.equal(pap.takeSent()[0]!.code, PAP_CODE.AUTHENTICATE_NAK);
  const chap = authenticator("chap", { peerSecret: () => "" });
  const { identifier, data } = chap.sent(CHAP, CHAP_CODE.CHALLENGE);
  const value = md5(identifier, "", decodeChapValue(data).value);
  chap.gets(CHAP, CHAP_CODE.RESPONSE, identifier, encodeChapValue({ value, name: bytes("joe") }));
  assert.equal(chap.takeSent()[0]!.code, CHAP_CODE.FAILURE);
});

Deno.test("PAP: a peer that does not authenticate times out", () => {
  const bench = authenticator("pap", { phaseLimitMs: 20_000 });
  bench.wait(19_999);
  assert.deepEqual(bench.takeSent(), []);
  bench.wait(1);
  assert.deepEqual(bench.sentNames(), ["TERMINATE_REQUEST"]);
  assert.deepEqual(ending(bench), { reason: "authenticationTimedOut", of: "peer", method: "pap" });
});

Deno.test("PAP to the peer: the request is retransmitted until the reply, then the network phase begins", () => {
  const bench = authenticatee("pap");
  const first = bench.sent(PAP, PAP_CODE.AUTHENTICATE_REQUEST);
  const { peerId, password } = decodePapRequest(first.data);
  assert.deepEqual([text(peerId), text(password)], ["joe", "pw"]);
  bench.wait(3000);
  const second = bench.sent(PAP, PAP_CODE.AUTHENTICATE_REQUEST);
  assert.deepEqual(second, first);
  bench.gets(PAP, PAP_CODE.AUTHENTICATE_ACK, first.identifier + 1, encodePapMessage(bytes("")));
  assert.deepEqual(bench.link.status().drops, { unexpectedReply: 1 });
  bench.gets(PAP, PAP_CODE.AUTHENTICATE_ACK, first.identifier, hexBytes(""));
  assert.deepEqual(bench.takeEvents(), [{
    effect: "authenticated",
    of: "local",
    method: "pap",
    name: "joe",
  }]);
  assert.equal(bench.link.deadline(), undefined);
});

Deno.test("PAP to the peer: a refusal keeps the peer's message without control characters", () => {
  const bench = authenticatee("pap");
  const { identifier } = bench.sent(PAP, PAP_CODE.AUTHENTICATE_REQUEST);
  bench.gets(PAP, PAP_CODE.AUTHENTICATE_NAK, identifier, encodePapMessage(bytes("no\u0007")));
  assert.deepEqual(ending(bench), {
    reason: "authenticationFailed",
    of: "local",
    method: "pap",
    name: "joe",
    code: undefined,
    message: "no\ufffd",
  });
});

Deno.test("PAP to the peer: without a reply it times out after Max-Configure requests", () => {
  const bench = authenticatee("pap", { maxConfigure: 3 });
  bench.wait(9000);
  assert.deepEqual(bench.takeSent().map(({ protocol }) => protocol), [PAP, PAP, PAP, LCP]);
  assert.deepEqual(ending(bench), { reason: "authenticationTimedOut", of: "local", method: "pap" });
});

Deno.test("CHAP: the response is MD5 of identifier, secret and challenge", () => {
  const bench = authenticatee("chap", { secret: "b" });
  assert.deepEqual(bench.takeSent(), []);
  const [identifier] = bytes("a");
  bench.gets(
    CHAP,
    CHAP_CODE.CHALLENGE,
    identifier!,
    encodeChapValue({ value: bytes("c"), name: bytes("lns") }),
  );
  const response = bench.sent(CHAP, CHAP_CODE.RESPONSE);
  const { value, name } = decodeChapValue(response.data);
  assert.equal(response.identifier, identifier);
  // MD5 of "abc", RFC 1321 section A.5.
  assert.deepEqual([value, text(name)], [hexBytes("900150983cd24fb0d6963f7d28e17f72"), "joe"]);
  // The Success may have been lost.
  bench.wait(3000);
  assert.deepEqual(bench.sent(CHAP, CHAP_CODE.RESPONSE), response);
  bench.gets(CHAP, CHAP_CODE.SUCCESS, identifier!, bytes("hello"));
  assert.deepEqual(bench.takeEvents(), [{
    effect: "authenticated",
    of: "local",
    method: "chap",
    name: "joe",
  }]);
  assert.equal(bench.link.deadline(), undefined);
  bench.gets(CHAP, CHAP_CODE.SUCCESS, identifier!, bytes("hello"));
  assert.deepEqual(bench.link.status().drops, { unexpectedReply: 1 });
});

Deno.test("CHAP: the challenge is retransmitted until the response; repeated responses get the same reply", () => {
  const bench = authenticator("chap", { peerSecret: () => "b", random: chance(16, bytes("c")) });
  const challenge = bench.sent(CHAP, CHAP_CODE.CHALLENGE);
  assert.deepEqual(decodeChapValue(challenge.data), { value: bytes("c"), name: bytes("lns") });
  bench.wait(3000);
  assert.deepEqual(bench.sent(CHAP, CHAP_CODE.CHALLENGE), challenge);
  const { identifier } = challenge;
  const response = encodeChapValue({
    value: md5(identifier, "b", "c"),
    name: bytes("joe"),
  });
  bench.gets(CHAP, CHAP_CODE.RESPONSE, identifier + 1, response);
  assert.deepEqual(bench.link.status().drops, { unexpectedReply: 1 });
  bench.gets(CHAP, CHAP_CODE.RESPONSE, identifier, response);
  const success = bench.sent(CHAP, CHAP_CODE.SUCCESS);
  assert.equal(success.identifier, identifier);
  assert.deepEqual(bench.takeEvents(), [{
    effect: "authenticated",
    of: "peer",
    method: "chap",
    name: "joe",
  }]);
  // A wrong response afterwards changes nothing: the reply is repeated, not the verification.
  bench.gets(
    CHAP,
    CHAP_CODE.RESPONSE,
    identifier,
    encodeChapValue({ value: bytes("x"), name: bytes("joe") }),
  );
  assert.deepEqual(bench.sent(CHAP, CHAP_CODE.SUCCESS), success);
  assert.equal(bench.link.deadline(), undefined);
});

Deno.test("CHAP: without a response it times out after Max-Configure challenges", () => {
  const bench = authenticator("chap", { maxConfigure: 3 });
  bench.wait(9000);
  assert.deepEqual(bench.takeSent().map(({ protocol }) => protocol), [CHAP, CHAP, CHAP, LCP]);
  assert.deepEqual(ending(bench), { reason: "authenticationTimedOut", of: "peer", method: "chap" });
});

Deno.test("CHAP: our own challenge, reflected by the peer, is not answered", () => {
  const bench = new Bench({ ipv4: false, ipv6: false, name: "a", secret: "s", require: ["chap"] });
  bench.openLcp([authOption("chap")]);
  const challenge = bench.sent(CHAP, CHAP_CODE.CHALLENGE);
  bench.gets(CHAP, CHAP_CODE.CHALLENGE, 9, challenge.data);
  assert.deepEqual(bench.takeSent(), []);
  assert.deepEqual(bench.link.status().drops, { ownChallenge: 1 });
});

Deno.test("authentication in both directions: the network phase waits for both", () => {
  const bench = new Bench({
    ipv6: false,
    name: "lns",
    secret: "s",
    require: ["chap"],
    peerSecret: () => "pw",
  });
  bench.openLcp([authOption("pap")]);
  const [challenge, request] = bench.takeSent();
  assert.deepEqual([challenge!.protocol, request!.protocol], [CHAP, PAP]);
  // We are authenticated; the peer is not yet.
  bench.gets(PAP, PAP_CODE.AUTHENTICATE_ACK, request!.identifier, hexBytes("00"));
  bench.gets(IPCP, PPP_CODE.CONFIGURE_REQUEST, 1, []);
  assert.deepEqual([bench.takeSent(), bench.link.status().phase], [[], "authenticate"]);
  const value = md5(challenge!.identifier, "pw", decodeChapValue(challenge!.data).value);
  bench.gets(CHAP, CHAP_CODE.RESPONSE, challenge!.identifier, encodeChapValue({ value, name: bytes("joe") }));
  assert.deepEqual(bench.takeSent().map(({ protocol }) => protocol), [CHAP, IPCP]);
  assert.equal(bench.link.status().phase, "network");
});

Deno.test("rechallenge: the peer must still know the secret and keep its name", () => {
  const secrets: Record<string, string> = { joe: "pw", jim: "pw" };
  const options: TestOptions = { rechallengeMs: 60_000, peerSecret: (name) => secrets[name] };
  const respond = (bench: Bench, name: string, secret: string): void => {
    const challenge = bench.sent(CHAP, CHAP_CODE.CHALLENGE);
    const { value } = decodeChapValue(challenge.data);
    const response = md5(challenge.identifier, secret, value);
    bench.gets(
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
    const bench = authenticator("chap", options);
    respond(bench, "joe", "pw");
    bench.sent(CHAP, CHAP_CODE.SUCCESS);
    bench.takeEvents();
    bench.wait(60_000);
    respond(bench, name, secret);
    const [answer] = bench.takeSent();
    assert.equal(answer!.code, isRight ? CHAP_CODE.SUCCESS : CHAP_CODE.FAILURE);
    // The effect is not sent again.
    if (isRight) assert.deepEqual(bench.takeEvents(), []);
    else {
      assert.deepEqual(ending(bench), { reason: "authenticationFailed", of: "peer", method: "chap", name });
    }
  }
});

Deno.test("MS-CHAP, RFC 2433 section B.2: response computed and verified", () => {
  const { password, challenge, ntResponse } = RFC_2433;
  const ours = authenticatee("mschap", { secret: password });
  ours.gets(CHAP, CHAP_CODE.CHALLENGE, 3, encodeChapValue({ value: challenge, name: bytes("") }));
  const { value } = decodeChapValue(ours.sent(CHAP, CHAP_CODE.RESPONSE).data);
  assert.deepEqual(value, encodeMsChapResponse(ntResponse));
  for (const flag of [1, 0]) {
    const theirs = authenticator("mschap", { peerSecret: () => password, random: chance(8, challenge) });
    const { identifier } = theirs.sent(CHAP, CHAP_CODE.CHALLENGE);
    // Without the flag the LAN Manager response counts, which is absent.
    value[48] = flag;
    theirs.gets(CHAP, CHAP_CODE.RESPONSE, identifier, encodeChapValue({ value, name: bytes("joe") }));
    const [answer] = theirs.takeSent();
    assert.equal(answer!.code, flag === 1 ? CHAP_CODE.SUCCESS : CHAP_CODE.FAILURE);
  }
});

Deno.test("MS-CHAP version 2, RFC 2759 section 9.2: response computed, and the peer's proof required", () => {
  const { name, password, challenge, peerChallenge, ntResponse } = RFC_2759;
  const proof = "S=407A5589115FD0D6209F510FE9C04566932CDA56";
  const answers = [proof, `${proof} M=hi`, proof.replace("40", "41"), proof.slice(0, -1), ""];
  for (const [i, message] of answers.entries()) {
    const options = { name, secret: password, random: chance(16, peerChallenge) };
    const bench = authenticatee("mschapv2", options);
    bench.gets(CHAP, CHAP_CODE.CHALLENGE, 3, encodeChapValue({ value: challenge, name: bytes("lns") }));
    const { value } = decodeChapValue(bench.sent(CHAP, CHAP_CODE.RESPONSE).data);
    assert.deepEqual(decodeMsChapV2Response(value), { peerChallenge, ntResponse });
    bench.gets(CHAP, CHAP_CODE.SUCCESS, 3, bytes(message));
    if (i < 2) assert.equal(bench.link.status().auth.local!.state, "succeeded");
    else assert.deepEqual(ending(bench), { reason: "peerNotProven", method: "mschapv2" });
  }
});

Deno.test("MS-CHAP version 2, RFC 2759 section 9.2: response verified, and proof sent to the peer", () => {
  const { name, password, challenge, peerChallenge, ntResponse } = RFC_2759;
  const options = { peerSecret: () => password, random: chance(16, challenge) };
  const bench = authenticator("mschapv2", options);
  const { identifier } = bench.sent(CHAP, CHAP_CODE.CHALLENGE);
  const value = encodeMsChapV2Response({ peerChallenge, ntResponse });
  bench.gets(CHAP, CHAP_CODE.RESPONSE, identifier, encodeChapValue({ value, name: bytes(`BIGCO\\${name}`) }));
  const { data } = bench.sent(CHAP, CHAP_CODE.SUCCESS);
  assert.equal(text(data), "S=407A5589115FD0D6209F510FE9C04566932CDA56 M=");
});

Deno.test("MS-CHAP: a Failure forbids a retry, and in version 2 carries a challenge", () => {
  for (const method of ["mschap", "mschapv2"] as const) {
    const bench = authenticator(method);
    const { identifier } = bench.sent(CHAP, CHAP_CODE.CHALLENGE);
    const value = new Uint8Array(49).fill(1);
    bench.gets(CHAP, CHAP_CODE.RESPONSE, identifier, encodeChapValue({ value, name: bytes("joe") }));
    const [failure] = bench.takeSent();
    assert.equal(failure!.code, CHAP_CODE.FAILURE);
    const { error, retry, challenge, version } = parseMsChapFailure(text(failure!.data))!;
    assert.deepEqual([error, retry, version], [691, false, method === "mschap" ? 2 : 3]);
    assert.equal(challenge?.length, method === "mschap" ? undefined : 16);
    assert.deepEqual(ending(bench), { reason: "authenticationFailed", of: "peer", method, name: "joe" });
  }
});

Deno.test("MS-CHAP: a Failure's code and message are reported, and an expired password is not changed", () => {
  const bench = authenticatee("mschapv2");
  bench.gets(CHAP, CHAP_CODE.CHALLENGE, 3, encodeChapValue({ value: new Uint8Array(16), name: bytes("") }));
  bench.sent(CHAP, CHAP_CODE.RESPONSE);
  bench.gets(CHAP, CHAP_CODE.FAILURE, 3, bytes(`E=648 R=1 C=${"0".repeat(32)} V=3 M=Expired`));
  assert.deepEqual(bench.sentNames(), ["TERMINATE_REQUEST"]);
  assert.deepEqual(ending(bench), {
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
  assert.deepEqual([ours.takeSent(), ours.link.status().drops], [[], { malformed: 1 }]);
  const theirs = authenticator("mschapv2");
  const { identifier } = theirs.sent(CHAP, CHAP_CODE.CHALLENGE);
  theirs.gets(
    CHAP,
    CHAP_CODE.RESPONSE,
    identifier,
    encodeChapValue({ value: bytes("x"), name: bytes("joe") }),
  );
  for (const code of [5, 6, 7]) theirs.gets(CHAP, code, identifier, new Uint8Array(582));
  assert.deepEqual(theirs.link.status().drops, { malformed: 1, changePassword: 3 });
  assert.equal(theirs.link.status().auth.peer!.state, "pending");
});

Deno.test("authentication packets are dropped if not negotiated, of the wrong kind or in the wrong phase", () => {
  const bench = authenticator("chap");
  bench.takeSent();
  bench.gets(
    PAP,
    PAP_CODE.AUTHENTICATE_REQUEST,
    1,
    encodePapRequest({ peerId: bytes("joe"), password: bytes("pw") }),
  );
  bench.gets(PAP, PAP_CODE.AUTHENTICATE_ACK, 1, hexBytes("00"));
  bench.gets(PAP, 9, 1, hexBytes("00"));
  bench.gets(CHAP, CHAP_CODE.CHALLENGE, 1, encodeChapValue({ value: bytes("c"), name: bytes("x") }));
  bench.gets(CHAP, CHAP_CODE.SUCCESS, 1, bytes(""));
  bench.gets(CHAP, 9, 1, bytes(""));
  bench.gets(IPCP, PPP_CODE.CONFIGURE_REQUEST, 1, []);
  assert.deepEqual(bench.takeSent(), []);
  assert.deepEqual(bench.link.status().drops, { unexpectedAuthentication: 6, phase: 1 });
  assert.equal(bench.link.status().phase, "authenticate");
  const ours = authenticatee("chap");
  ours.gets(CHAP, CHAP_CODE.SUCCESS, 0, bytes(""));
  ours.gets(PAP, PAP_CODE.AUTHENTICATE_ACK, 0, hexBytes("00"));
  assert.deepEqual(ours.link.status().drops, { unexpectedReply: 1, unexpectedAuthentication: 1 });
});

Deno.test("a Protocol-Reject of the negotiated authentication protocol ends the link", () => {
  const bench = authenticator("chap");
  const rejected = (protocol: number) => encodeRejectedProtocol({ protocol, information: bytes("") });
  bench.gets(LCP, PPP_CODE.PROTOCOL_REJECT, 1, rejected(PAP));
  assert.equal(bench.link.status().phase, "authenticate");
  bench.gets(LCP, PPP_CODE.PROTOCOL_REJECT, 2, rejected(CHAP));
  assert.deepEqual(ending(bench), { reason: "rejectedByPeer", protocol: CHAP });
});

function md5(identifier: number, secret: string, challenge: string | Uint8Array): Uint8Array {
  const value = typeof challenge === "string" ? bytes(challenge) : challenge;
  return PPP_CRYPTO.md5(Uint8Array.of(identifier, ...bytes(secret), ...value));
}

Deno.test("renewSecret(): the next challenge is answered with the new secret, and the link stays up", () => {
  const bench = authenticatee("chap");
  const answerTo = (identifier: number): string => {
    const challenge = { value: Uint8Array.of(1, 2, 3), name: bytes("lns") };
    bench.gets(CHAP, CHAP_CODE.CHALLENGE, identifier, encodeChapValue(challenge));
    return decodeChapValue(bench.sent(CHAP, CHAP_CODE.RESPONSE).data).value.toHex();
  };
  const md5 = (secret: string): string => PPP_CRYPTO.md5(Uint8Array.of(9, ...bytes(secret), 1, 2, 3)).toHex();
  assert.equal(answerTo(9), md5("pw"));
  bench.gets(CHAP, CHAP_CODE.SUCCESS, 9);
  bench.link.renewSecret("other");
  assert.equal(bench.link.status().lcp.state, "Opened");
  assert.equal(answerTo(9), md5("other"));
  assert.throws(() => bench.link.renewSecret("x".repeat(256)), RangeError);
});
