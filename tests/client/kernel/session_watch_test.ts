/** `src/client/kernel/session_watch.ts` with notifications that a test sends. */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { L2tpEvents } from "../../../src/client/l2tp_events.ts";
import { SessionWatch, type WatchedSession } from "../../../src/client/kernel/session_watch.ts";
import { FAMILY_ID } from "../../support/fake_l2tp_kernel.ts";
import { FakeNotifications } from "../../support/fake_notifications.ts";
import { goldenBytes } from "../../support/golden.ts";
import { sampleSession } from "../../support/samples.ts";
import { until } from "../../support/until.ts";
import { assertDeepStrictEquals, assertFields } from "../../support/assertions.ts";

/** What the captured notifications of a deletion are about. */
const KEY = { tunnelId: sampleSession().tunnelId, sessionId: sampleSession().sessionId };
const SESSION_DELETED = goldenBytes("l2tp/notify_session_delete");
const TUNNEL_DELETED = goldenBytes("l2tp/notify_tunnel_delete");
const UNRELATED = goldenBytes("l2tp/notify_session_create");

/** A watch with its source, and a session that is there for the given number of looks. */
function open(): { source: FakeNotifications; watch: SessionWatch } {
  const source = new FakeNotifications();
  return { source, watch: new SessionWatch(new L2tpEvents(source, FAMILY_ID)) };
}

class Fake implements WatchedSession {
  looks = 0;
  losses = 0;

  constructor(
    readonly stays: number,
    readonly tunnelId: number = KEY.tunnelId,
    readonly sessionId: number = KEY.sessionId,
  ) {}

  readonly exists = (): boolean => ++this.looks <= this.stays;
  readonly gone = (): void => void this.losses++;
}

Deno.test("SessionWatch tells once that a session has gone, also if the kernel takes its time", async () => {
  for (const deletion of [SESSION_DELETED, TUNNEL_DELETED, "overrun" as const]) {
    const { source, watch } = open();
    const [quick, slow] = [new Fake(0), new Fake(3)];
    watch.watch(quick);
    watch.watch(slow);
    const running = watch.run();
    source.push(UNRELATED, deletion, deletion);
    await until(() => slow.losses > 0, "the loss is told");
    source.push(deletion);
    await until(() => source.waiting, "all is read");
    watch.close();
    await running;
    assertEquals([quick.looks, quick.losses, slow.looks, slow.losses], [1, 1, 4, 1]);
    assertStrictEquals(source.closings, 1);
  }
});

Deno.test("SessionWatch looks at no session that is not meant, and at none that is watched no more", async () => {
  const { source, watch } = open();
  const others = [
    new Fake(0, KEY.tunnelId + 1, KEY.sessionId),
    new Fake(0, KEY.tunnelId, KEY.sessionId + 1),
  ];
  const [left, leaving] = [new Fake(0), new Fake(Infinity)];
  for (const session of others) watch.watch(session);
  watch.watch(left)[Symbol.dispose]();
  const watching = watch.watch(leaving);
  const running = watch.run();
  source.push(UNRELATED, SESSION_DELETED);
  await until(() => leaving.looks > 1, "it is looked at");
  watching[Symbol.dispose]();
  const { looks } = leaving;
  await until(() => source.waiting, "all is read");
  // The tunnel has the other session, too.
  source.push(TUNNEL_DELETED);
  await until(() => others[1]!.losses > 0, "the other session's loss is told");
  watch.close();
  await running;
  assertStrictEquals(leaving.looks, looks);
  assertDeepStrictEquals([left.looks, others[0]!.looks], [0, 0]);
});

Deno.test("SessionWatch.run() rejects with what a session throws, and closes its source", async () => {
  for (const member of ["exists", "gone"] as const) {
    const { source, watch } = open();
    const session = new Fake(0);
    watch.watch({
      ...KEY,
      exists: session.exists,
      gone: session.gone,
      [member]: () => {
        throw new TypeError(member);
      },
    });
    const running = watch.run();
    source.push(SESSION_DELETED);
    assertFields(await assertRejects(() => running), { name: "TypeError", message: member });
    assertStrictEquals(source.closings, 1);
  }
});

Deno.test("SessionWatch looks at a session no more often for many deletions at once", async () => {
  const { source, watch } = open();
  const session = new Fake(Infinity);
  watch.watch(session);
  const running = watch.run();
  source.push(...new Array<Uint8Array>(500).fill(SESSION_DELETED));
  await until(() => source.waiting && session.looks > 2, "all is read, and it is looked at");
  watch.close();
  await running;
  assert(session.looks < 100, `${session.looks} looks`);
});

Deno.test("SessionWatch begins anew when another deletion is told of while it looks", async () => {
  const { source, watch } = open();
  // Longer than it looks for one deletion.
  const session = new Fake(12);
  watch.watch(session);
  const running = watch.run();
  source.push(SESSION_DELETED);
  await until(() => session.looks >= 5, "it is looked at");
  source.push(TUNNEL_DELETED);
  await until(() => session.losses > 0, "the loss is told");
  watch.close();
  await running;
});

Deno.test("SessionWatch.close() ends looks that are under way", async () => {
  const { source, watch } = open();
  const session = new Fake(Infinity);
  watch.watch(session);
  const running = watch.run();
  source.push(SESSION_DELETED);
  await until(() => session.looks > 2, "it is looked at");
  watch.close();
  watch.close();
  await running;
  assertStrictEquals(session.losses, 0);
});
