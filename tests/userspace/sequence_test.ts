/** Sequence numbers in userspace at both ends, over a cable that reorders and loses packets. */

import { assert, assertStrictEquals } from "@std/assert";
import { TestDaemon } from "../support/daemon.ts";
import { type Disturbance, DisturbedPair } from "./disturbing_cable.ts";
import {
  assertReordered,
  assertThinned,
  type Disturber,
  isInOrder,
  sendDisturbed,
} from "./sequence_checks.ts";
import { Hosts, userClient, Wire, type WireOptions } from "./wire.ts";

const FRAMES = 300;
const REORDER = { holdEvery: 5, holdFor: 3 };
const LOSE = { loseEvery: 10 };

const CARRIERS: readonly (WireOptions & { readonly name: string })[] = [
  { name: "UDP over IPv4", encap: "udp", family: 4 },
  { name: "UDP over IPv6", encap: "udp", family: 6 },
  { name: "IPv4", encap: "ip", family: 4 },
  { name: "IPv6", encap: "ip", family: 6 },
];

Deno.test("sequence numbers over a cable that reorders and loses", async (t) => {
  await using disturbed = await DisturbedPair.create();
  await using daemon = await TestDaemon.start();
  using hosts = new Hosts(disturbed.pair, (netns) => userClient(daemon, netns));
  const disturber = (disturbance: Disturbance): Disturber => ({
    disturb: () => void (disturbed.disturbance = disturbance),
    calm: () => disturbed.calm(),
  });

  for (const { name, ...carrier } of CARRIERS) {
    const sequenced = (reorderTimeoutMs: number): WireOptions => ({
      ...carrier,
      session: { sendSeq: true, recvSeq: true, reorderTimeoutMs },
    });

    await t.step(`${name}: without them, frames arrive as they come`, async () => {
      await using wire = new Wire(hosts, carrier);
      const { arrived, sent } = await sendDisturbed({ hosts, wire, from: "a" }, FRAMES, disturber(REORDER));
      assertStrictEquals(arrived.length, sent);
      assert(!isInOrder(arrived), "they came in the wrong order");
    });

    await t.step(`${name}: a reorder queue puts them in order, and drops none`, async () => {
      await using wire = new Wire(hosts, sequenced(5000));
      for (const from of ["a", "b"] as const) {
        assertReordered(await sendDisturbed({ hosts, wire, from }, FRAMES, disturber(REORDER)));
      }
      disturbed.disturbance = REORDER;
      await wire.transfer(500_000);
      await disturbed.calm();
    });

    await t.step(`${name}: without a queue, what comes late is dropped`, async () => {
      await using wire = new Wire(hosts, sequenced(0));
      assertThinned(await sendDisturbed({ hosts, wire, from: "a" }, FRAMES, disturber(REORDER)), 0);
    });

    await t.step(`${name}: a queue waits no longer than it may for what is lost`, async () => {
      await using wire = new Wire(hosts, sequenced(30));
      const lostBefore = disturbed.lost;
      const passage = await sendDisturbed(
        { hosts, wire, from: "b" },
        FRAMES,
        disturber({ ...REORDER, ...LOSE }),
      );
      const lost = disturbed.lost - lostBefore;
      assert(lost >= FRAMES / 10 - 1);
      assertThinned(passage, lost);
      // The hosts find each other before more is lost: three requests for an address are all that they send.
      await wire.ping({ count: 1 });
      disturbed.disturbance = { ...REORDER, loseEvery: 100 };
      await wire.transfer(100_000);
      await disturbed.calm();
    });
  }
});
