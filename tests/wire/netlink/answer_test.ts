/** `src/wire/netlink/answer.ts`: against captures, and against the decoders of the other side. */

import { assertStrictEquals } from "@std/assert";
import { formatHex } from "../../../src/base/hex.ts";
import { encodeAcknowledgement, encodeDone } from "../../../src/wire/netlink/answer.ts";
import { decodeDone, decodeError, decodeMessages } from "../../../src/wire/netlink/message.ts";
import { goldenBytes, goldenMessages } from "../../support/golden.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const [REQUEST] = goldenMessages("l2tp/tunnel_create_udp4_request");
const [ACK] = goldenMessages("l2tp/tunnel_create_udp4_ack");

Deno.test("encodeAcknowledgement(): as captured", () => {
  const bytes = encodeAcknowledgement(REQUEST!, ACK!.portId, decodeError(ACK!));
  assertStrictEquals(formatHex(bytes), formatHex(goldenBytes("l2tp/tunnel_create_udp4_ack")));
});

Deno.test("encodeAcknowledgement(): every kind, read again", () => {
  for (const errno of [0, 1, 17, 133]) {
    for (const extack of [undefined, "", "Attribute failed policy validation"]) {
      for (const attributeOffset of [undefined, 0, 20]) {
        const said = { errno, extack, attributeOffset };
        const [message, ...rest] = decodeMessages(encodeAcknowledgement(REQUEST!, 5, said));
        assertStrictEquals(rest.length, 0);
        assertStrictEquals(message!.portId, 5);
        assertDeepStrictEquals(decodeError(message!), said);
      }
    }
  }
});

Deno.test("encodeDone(): as captured, and with an error", () => {
  const [done] = goldenMessages("l2tp/tunnel_dump_done");
  const bytes = encodeDone(done!.sequence, done!.portId, 0);
  assertStrictEquals(formatHex(bytes), formatHex(goldenBytes("l2tp/tunnel_dump_done")));
  assertStrictEquals(decodeDone(decodeMessages(encodeDone(1, 2, 12))[0]!).errno, 12);
});
