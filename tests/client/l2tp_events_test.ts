/** `src/client/l2tp_events.ts` with notifications that a test sends. */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { DecodeError, SyscallError } from "../../src/base/errors.ts";
import { L2tpEvents } from "../../src/client/l2tp_events.ts";
import type { L2tpEvent } from "../../src/model/event.ts";
import { encodeSession } from "../../src/wire/genl/l2tp/session.ts";
import { encodeTunnel } from "../../src/wire/genl/l2tp/tunnel.ts";
import { encodeMessage } from "../../src/wire/netlink/message.ts";
import { FAMILY_ID } from "../support/fake_l2tp_kernel.ts";
import { FakeNotifications } from "../support/fake_notifications.ts";
import { goldenBytes, hexBytes } from "../support/golden.ts";
import { sampleSession, sampleTunnel } from "../support/samples.ts";
import { until } from "../support/until.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

function datagram(payload: Uint8Array, type = FAMILY_ID): Uint8Array<ArrayBuffer> {
  return encodeMessage({ type, flags: 4, sequence: 1, portId: 2, payload });
}

/** All events until the source ends. */
async function collect(events: L2tpEvents): Promise<L2tpEvent[]> {
  return await Array.fromAsync(events);
}

const tunnel = sampleTunnel();
const session = sampleSession();

Deno.test("L2tpEvents delivers captured notifications in order", async () => {
  const source = new FakeNotifications();
  const names = [
    "tunnel_create",
    "session_create_named",
    "session_create",
    "session_delete",
    "tunnel_delete",
  ];
  source.push(...names.map((name) => goldenBytes(`l2tp/notify_${name}`)));
  source.end();
  const unnamed = sampleSession({ sessionId: 1001, peerSessionId: 2001, interfaceName: "l2tpeth0" });
  assertDeepStrictEquals(await collect(new L2tpEvents(source, FAMILY_ID)), [
    { type: "tunnelCreated", tunnel },
    { type: "sessionCreated", session },
    { type: "sessionCreated", session: unnamed },
    { type: "sessionDeleted", session },
    { type: "tunnelDeleted", tunnel },
  ]);
});

Deno.test("L2tpEvents delivers every message of a datagram", async () => {
  const source = new FakeNotifications();
  source.push(
    new Uint8Array([
      ...datagram(encodeTunnel(3, tunnel)),
      ...datagram(encodeSession(7, session)),
      ...datagram(encodeSession(6, session)),
    ]),
  );
  source.end();
  const types = (await collect(new L2tpEvents(source, FAMILY_ID))).map(({ type }) => type);
  assertEquals(types, ["tunnelModified", "sessionModified", "sessionDeleted"]);
});

Deno.test("L2tpEvents passes over other families and commands that it does not know", async () => {
  const source = new FakeNotifications();
  source.push(
    datagram(encodeTunnel(1, tunnel), 16),
    datagram(encodeTunnel(4, tunnel)),
    datagram(hexBytes("63010000")),
  );
  source.push(datagram(encodeTunnel(2, tunnel)));
  source.end();
  assertDeepStrictEquals(await collect(new L2tpEvents(source, FAMILY_ID)), [{
    type: "tunnelDeleted",
    tunnel,
  }]);
});

Deno.test("L2tpEvents tells that events were lost, and goes on", async () => {
  const source = new FakeNotifications();
  source.push("overrun", datagram(encodeTunnel(1, tunnel)), "overrun", "overrun");
  source.end();
  assertDeepStrictEquals(await collect(new L2tpEvents(source, FAMILY_ID)), [
    { type: "eventsLost" },
    { type: "tunnelCreated", tunnel },
    { type: "eventsLost" },
    { type: "eventsLost" },
  ]);
});

Deno.test("L2tpEvents: an event owns its memory, although the source overwrites what it delivered", async () => {
  const source = new FakeNotifications();
  const cookie = Uint8Array.of(1, 2, 3, 4);
  const first = sampleSession({ cookie });
  source.push(
    new Uint8Array([...datagram(encodeSession(5, first)), ...datagram(encodeSession(6, first))]),
    datagram(encodeTunnel(1, tunnel)),
  );
  source.end();
  const events = await collect(new L2tpEvents(source, FAMILY_ID));
  assertDeepStrictEquals(events.slice(0, 2), [
    { type: "sessionCreated", session: first },
    { type: "sessionDeleted", session: first },
  ]);
});

Deno.test("L2tpEvents.close() ends an iteration that waits", async () => {
  const source = new FakeNotifications();
  const events = new L2tpEvents(source, FAMILY_ID);
  const iterator = events[Symbol.asyncIterator]();
  source.push(datagram(encodeTunnel(1, tunnel)));
  assertDeepStrictEquals(await iterator.next(), { done: false, value: { type: "tunnelCreated", tunnel } });
  const next = iterator.next();
  await until(() => source.waiting, "the listener waits");
  events.close();
  assertEquals(await next, { done: true, value: undefined });
  assertStrictEquals(source.closings, 1);
});

Deno.test("L2tpEvents is disposable, before its iteration as well as after it", async () => {
  const source = new FakeNotifications();
  {
    using _events = new L2tpEvents(source, FAMILY_ID);
  }
  assertStrictEquals(source.closings, 1);
  assertEquals(await collect(new L2tpEvents(source, FAMILY_ID)), []);
});

Deno.test("L2tpEvents throws what makes no sense, and what the socket throws", async () => {
  const malformed = new FakeNotifications();
  malformed.push(datagram(hexBytes("01010000")));
  await assertRejects(() => collect(new L2tpEvents(malformed, FAMILY_ID)), DecodeError);
  const broken = new FakeNotifications();
  broken.push(hexBytes("ffffffff"));
  await assertRejects(() => collect(new L2tpEvents(broken, FAMILY_ID)), DecodeError);
  const failing = new FakeNotifications();
  failing.push(new SyscallError("recvmsg", 9));
  assertFields(await assertRejects(() => collect(new L2tpEvents(failing, FAMILY_ID))), {
    name: "SyscallError",
    code: "EBADF",
  });
});
