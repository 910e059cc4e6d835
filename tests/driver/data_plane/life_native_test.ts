/** The data path's worker from its start to its end, and what it tells unasked. */

import assert from "node:assert/strict";
import { encodeInet } from "../../../ffi/sockets/sockaddr.ts";
import { DataPlane, DataPlaneClosed } from "../../../src/driver/data_plane/mod.ts";
import type { ControlMessage } from "../../../src/driver/data_plane/mod.ts";
import { formatTrace, type TraceEvent } from "../../../src/subsystem/trace.ts";
import { runProgram } from "../../support/processes.ts";
import { until } from "../../support/until.ts";
import { addressOf, assertNothingLeft, Site } from "./fixture.ts";

const HERE = new URL("./workers/", import.meta.url);

/** The URL of a module with this text. */
function moduleOf(text: string): URL {
  return new URL(`data:application/javascript,${encodeURIComponent(text)}`);
}

/** An SCCRQ's header and first AVP, which is enough of a control message for the data path. */
const CONTROL = Uint8Array.of(0xc8, 3, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 1);

Deno.test("start() and close() leave no thread and no descriptors, however often", async () => {
  await assertNothingLeft(async () => {
    for (let i = 0; i < 5; i++) {
      const plane = await DataPlane.start();
      assert.equal(plane.alive, true);
      plane.close();
      plane.close();
      assert.equal(plane.alive, false);
      assert.throws(() => plane.setTrace(true), DataPlaneClosed);
    }
  });
});

Deno.test("close() with everything still there: the descriptors are free when it returns", async () => {
  await assertNothingLeft(async () => {
    await using site = await Site.create();
    const { a } = await site.wire("udp4");
    await site.ping("10.9.0.2");
    site.plane.close();
    assert.ok(a.session.counters().rxPackets > 0n);
    assert.throws(() => a.session.remove(), DataPlaneClosed);
    a.tap.close();
    a.socket.close();
  });
});

Deno.test("a program that starts a data plane and closes it ends by itself", async () => {
  const program = new URL("start_and_close.ts", HERE).pathname;
  const run = runProgram(["timeout", "20", Deno.execPath(), "run", "-A", "--no-config", program]);
  assert.deepEqual(await run, { code: 0, stdout: "closed\n", stderr: "" });
});

Deno.test("a worker that cannot start: start() fails", async () => {
  await assertNothingLeft(async () => {
    await assert.rejects(
      DataPlane.start({ workerUrl: moduleOf("throw new Error('no bread')") }),
      (error) => error instanceof DataPlaneClosed && error.message.includes("no bread"),
    );
    await assert.rejects(DataPlane.start({ workerUrl: new URL("none.ts", HERE) }), DataPlaneClosed);
  });
});

Deno.test("a worker that does not get ready, or does not answer: start() fails in time", async () => {
  await assert.rejects(
    DataPlane.start({ workerUrl: moduleOf("onmessage = () => {}"), timeoutMs: 50 }),
    (error) => error instanceof DataPlaneClosed && error.message.includes("50 ms"),
  );
  const workerUrl = moduleOf("onmessage = () => postMessage({ type: 'ready' })");
  await assert.rejects(DataPlane.start({ workerUrl, timeoutMs: 300 }), DataPlaneClosed);
});

Deno.test("a crash is told of, once, and nothing hangs from then on", async () => {
  await assertNothingLeft(async () => {
    const crashes: Error[] = [];
    await using site = await Site.create({
      workerUrl: new URL("crashing.ts", HERE),
      onCrash: (error) => crashes.push(error),
    });
    const { a, b } = await site.wire("udp4");
    await site.ping("10.9.0.2");
    b.socket.send(CONTROL, encodeInet(addressOf("a", "udp4")));
    await until(() => crashes.length > 0, "the news of the crash");
    assert.match(crashes[0]!.message, /no bread today/);
    const before = performance.now();
    assert.throws(() => a.session.remove(), DataPlaneClosed);
    assert.throws(() => site.plane.addEndpoint({ fd: 0, kind: "udp4" }), DataPlaneClosed);
    assert.ok(performance.now() - before < 1000);
    assert.equal(site.plane.alive, false);
    assert.ok(a.session.counters().rxPackets >= 5n);
    site.plane.close();
    assert.equal(crashes.length, 1);
  });
});

for (const kind of ["udp4", "udp6", "ip4", "ip6"] as const) {
  Deno.test(`${kind}: control messages are handed over with their senders`, async () => {
    const messages: ControlMessage[] = [];
    await using site = await Site.create({ onControl: (message) => messages.push(message) });
    const a = site.end("a", kind);
    const stranger = site.socket("b", kind, 4711);
    const prefix = kind.startsWith("ip") ? [0, 0, 0, 0] : [];
    stranger.send(Uint8Array.of(...prefix, ...CONTROL), encodeInet(addressOf("a", kind)));
    await until(() => messages.length > 0, "the message");
    const { endpoint, bytes, source } = messages[0]!;
    assert.equal(endpoint, a.endpoint);
    assert.deepEqual(bytes, CONTROL);
    assert.deepEqual(source.address, addressOf("b", kind).address);
    assert.equal(source.port, kind.startsWith("udp") ? 4711 : 0);
  });
}

Deno.test("a flood of control messages is bounded while nobody takes them, and goes on afterwards", async () => {
  let taken = 0;
  await using site = await Site.create({ onControl: () => taken++ });
  site.end("a", "udp4");
  const flooder = site.socket("b", "udp4");
  const to = encodeInet(addressOf("a", "udp4"));
  // Synchronous, so that this thread takes nothing meanwhile.
  for (let i = 0; i < 2000; i++) flooder.send(CONTROL, to);
  const end = performance.now() + 5000;
  while (site.plane.lostReports().control < 2000 - 256 && performance.now() < end) site.plane.setTrace(false);
  await until(() => taken + site.plane.lostReports().control === 2000, "an account of all");
  assert.equal(taken, 256);
  flooder.send(CONTROL, to);
  await until(() => taken === 257, "one more");
});

Deno.test("trace events come while they are turned on", async () => {
  const events: TraceEvent[] = [];
  await using site = await Site.create({ onTrace: (event) => events.push(event) });
  await site.wire("udp4", { session: { sendSeq: true } });
  await site.ping("10.9.0.2");
  assert.equal(events.length, 0);
  site.plane.setTrace(true);
  await site.ping("10.9.0.2", "-c", "1");
  await until(() => events.length >= 4, "events");
  site.plane.setTrace(false);
  assert.ok(events.every((event) => event.event === "session_seqnum_update"));
  assert.deepEqual(
    new Set(events.map(({ netns, tunnelId }) => `${netns} ${tunnelId}`)),
    new Set(["a 1", "b 2"]),
  );
  assert.match(formatTrace(events[0]!), /^session_seqnum_update: sess 1\/11: ns=\d+ nr=\d+$/);
  const count = events.length;
  await site.ping("10.9.0.2");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(events.length <= count + 4, "late ones of the first ping at most");
});
