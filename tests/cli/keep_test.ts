/** `src/cli/keep.ts`: the process in the background that lives as long as its tunnel. */

import assert from "node:assert/strict";
import { encodeTunnel } from "../../src/wire/genl/l2tp_tunnel.ts";
import { encodeMessage } from "../../src/wire/netlink/message.ts";
import { FAMILY_ID } from "../support/fake_l2tp_kernel.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { sampleIpTunnel } from "../support/samples.ts";

const TUNNEL = sampleIpTunnel({ tunnelId: 7 });

function deleted(tunnelId: number): Uint8Array<ArrayBuffer> {
  const payload = encodeTunnel(2, { ...TUNNEL, tunnelId });
  return encodeMessage({ type: FAMILY_ID, flags: 4, sequence: 1, portId: 2, payload });
}

/** Starts `keep 7` with the tunnel there, and waits until it listens. */
async function start(): Promise<{ world: FakeWorld; ended: Promise<{ code: number }> }> {
  const world = new FakeWorld();
  world.home.l2tp.tunnels.set(7, TUNNEL);
  const ended = world.run("keep 7");
  while (!world.notifications.waiting) await new Promise((resolve) => setTimeout(resolve, 0));
  return { world, ended };
}

Deno.test("keep ends at once where there is no such tunnel", async () => {
  const world = new FakeWorld();
  assert.deepEqual(await world.run("keep 7"), { code: 0, out: "", err: "" });
  assert.equal(world.notifications.closings, 1);
  assert.equal(world.leaks, 0);
});

Deno.test("keep ends when its tunnel is deleted, and not when another one is", async () => {
  const { world, ended } = await start();
  world.home.l2tp.commands.length = 0;
  world.notifications.push(deleted(8));
  while (!world.notifications.waiting) await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(world.home.l2tp.commands, []);
  world.home.l2tp.deleteTunnel(7);
  world.notifications.push(deleted(7));
  assert.equal((await ended).code, 0);
  assert.equal(world.leaks, 0);
});

Deno.test("keep waits for the end of a deletion whose notification came first", async () => {
  const { world, ended } = await start();
  world.notifications.push(deleted(7));
  setTimeout(() => world.home.l2tp.deleteTunnel(7), 30);
  assert.equal((await ended).code, 0);
});

Deno.test("keep looks for itself when events were lost", async () => {
  const { world, ended } = await start();
  world.home.l2tp.deleteTunnel(7);
  world.notifications.push("overrun");
  assert.equal((await ended).code, 0);
});

Deno.test("keep stays when a tunnel with its id is deleted in another namespace", async () => {
  const { world, ended } = await start();
  world.notifications.push(deleted(7));
  let over = false;
  void ended.then(() => over = true);
  // It looks again for a second before it is sure; the tunnel stays there.
  while (!world.notifications.waiting) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(over, false);
  world.notifications.end();
  assert.equal((await ended).code, 0);
});
