/** `src/wire/genl/l2tp/event.ts`: the notifications of the multicast group, against captured ones. */

import { assertStrictEquals } from "@std/assert";
import { formatHex } from "../../../../src/base/hex.ts";
import type { SessionEvent, TunnelEvent } from "../../../../src/model/event.ts";
import { decodeEvent } from "../../../../src/wire/genl/l2tp/event.ts";
import { encodeSession } from "../../../../src/wire/genl/l2tp/session.ts";
import { encodeTunnel } from "../../../../src/wire/genl/l2tp/tunnel.ts";
import { assertDecodeError } from "../../../support/decode_errors.ts";
import { goldenMessages, hexBytes } from "../../../support/golden.ts";
import { sampleSession, sampleTunnel } from "../../../support/samples.ts";
import { assertDeepStrictEquals } from "../../../support/assertions.ts";

const NAMED = sampleSession();
const UNNAMED = sampleSession({ sessionId: 1001, peerSessionId: 2001, interfaceName: "l2tpeth0" });

const CAPTURED: [name: string, command: number, event: TunnelEvent | SessionEvent][] = [
  ["notify_tunnel_create", 1, { type: "tunnelCreated", tunnel: sampleTunnel() }],
  ["notify_session_create_named", 5, { type: "sessionCreated", session: NAMED }],
  ["notify_session_create", 5, { type: "sessionCreated", session: UNNAMED }],
  ["notify_session_delete", 6, { type: "sessionDeleted", session: NAMED }],
  ["notify_tunnel_delete", 2, { type: "tunnelDeleted", tunnel: sampleTunnel() }],
];

Deno.test("decodeEvent() reads captured notifications", () => {
  for (const [name, , event] of CAPTURED) {
    const [message] = goldenMessages(`l2tp/${name}`);
    assertStrictEquals(message!.flags, 4);
    assertDeepStrictEquals(decodeEvent(message!.payload), event, name);
  }
});

Deno.test("encodeTunnel() and encodeSession() give captured notifications back byte for byte", () => {
  for (const [name, command, event] of CAPTURED) {
    const payload = "tunnel" in event
      ? encodeTunnel(command, event.tunnel)
      : encodeSession(command, event.session);
    assertStrictEquals(formatHex(payload), formatHex(goldenMessages(`l2tp/${name}`)[0]!.payload), name);
  }
});

Deno.test("decodeEvent(): every command and the event it is", () => {
  const tunnel = sampleTunnel();
  const session = sampleSession();
  const table: [command: number, expected: TunnelEvent | SessionEvent | undefined][] = [
    [0, undefined],
    [1, { type: "tunnelCreated", tunnel }],
    [2, { type: "tunnelDeleted", tunnel }],
    [3, { type: "tunnelModified", tunnel }],
    [4, undefined],
    [5, { type: "sessionCreated", session }],
    [6, { type: "sessionDeleted", session }],
    [7, { type: "sessionModified", session }],
    [8, undefined],
    [9, undefined],
    [255, undefined],
  ];
  for (const [command, expected] of table) {
    const payload = command >= 5 ? encodeSession(command, session) : encodeTunnel(command, tunnel);
    assertDeepStrictEquals(decodeEvent(payload), expected, `command ${command}`);
  }
});

Deno.test("decodeEvent() refuses what is malformed", () => {
  assertDecodeError(() => decodeEvent(hexBytes("0101")), {
    field: "genlmsghdr",
    offset: 0,
    needed: 4,
    had: 2,
  }, "header");
  const absent = { offset: 0, needed: 4, had: 0 };
  assertDecodeError(
    () => decodeEvent(hexBytes("01010000")),
    { field: "L2TP_ATTR_CONN_ID", ...absent },
    "tunnel",
  );
  assertDecodeError(() => decodeEvent(hexBytes("0501000008000900b80b0000")), {
    field: "L2TP_ATTR_SESSION_ID",
    ...absent,
  }, "session");
});
