/** The data path's worker from start to end, and its reports. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { encodeInet } from "../../../ffi/sockets/sockaddr.ts";
import { DataPlane, DataPlaneClosed } from "../../../src/driver/data_plane/mod.ts";
import type { ControlMessage } from "../../../src/driver/data_plane/mod.ts";
import { formatTrace, type TraceEvent } from "../../../src/subsystem/trace.ts";
import { runProgram } from "../../support/processes.ts";
import { until } from "../../support/until.ts";
import { addressOf, assertNothingLeft, DataPlaneFixture } from "./fixture.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const HERE = new URL("./workers/", import.meta.url);

/** A data URL of a module with this text. */
function moduleOf(text: string): URL {
  return new URL(`data:application/javascript,${encodeURIComponent(text)}`);
}

/** The header and first AVP of an SCCRQ, enough for the data path to see a control message. */
const CONTROL = Uint8Array.of(0xc8, 3, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 1);

Deno.test("start() and close() leak no threads and no descriptors", async () => {
  await assertNothingLeft(async () => {
    for (let i = 0; i < 5; i++) {
      const plane = await DataPlane.start();
      assertStrictEquals(plane.alive, true);
      plane.close();
      plane.close();
      assertStrictEquals(plane.alive, false);
      assertThrows(() => plane.setTrace(true), DataPlaneClosed);
    }
  });
});

Deno.test("close() with objects in place: the descriptors are free when it returns", async () => {
  await assertNothingLeft(async () => {
    await using fixture = await DataPlaneFixture.create();
    const { a } = await fixture.wire("udp4");
    await fixture.ping("10.9.0.2");
    fixture.plane.close();
    assert(a.session.counters().rxPackets > 0n);
    assertThrows(() => a.session.remove(), DataPlaneClosed);
    a.tap.close();
    a.socket.close();
  });
});

Deno.test("a program that starts a data plane and closes it ends by itself", async () => {
  const program = new URL("start_and_close.ts", HERE).pathname;
  const run = runProgram(["timeout", "20", Deno.execPath(), "run", "-A", "--no-config", program]);
  assertDeepStrictEquals(await run, { code: 0, stdout: "closed\n", stderr: "" });
});

Deno.test("a worker that cannot start: start() fails", async () => {
  await assertNothingLeft(async () => {
    await assertRejects(
      () => DataPlane.start({ workerUrl: moduleOf("throw new Error('no bread')") }),
      DataPlaneClosed,
      "no bread",
    );
    await assertRejects(() => DataPlane.start({ workerUrl: new URL("none.ts", HERE) }), DataPlaneClosed);
  });
});

Deno.test("a worker that does not become ready, or does not answer: start() fails in time", async () => {
  await assertRejects(
    () => DataPlane.start({ workerUrl: moduleOf("onmessage = () => {}"), timeoutMs: 50 }),
    DataPlaneClosed,
    "50 ms",
  );
  const workerUrl = moduleOf("onmessage = () => postMessage({ type: 'ready' })");
  await assertRejects(() => DataPlane.start({ workerUrl, timeoutMs: 300 }), DataPlaneClosed);
});

Deno.test("a crash is reported once, and no later call blocks", async () => {
  await assertNothingLeft(async () => {
    const crashes: Error[] = [];
    await using fixture = await DataPlaneFixture.create({
      workerUrl: new URL("crashing.ts", HERE),
      onCrash: (error) => crashes.push(error),
    });
    const { a, b } = await fixture.wire("udp4");
    await fixture.ping("10.9.0.2");
    b.socket.send(CONTROL, encodeInet(addressOf("a", "udp4")));
    await until(() => crashes.length > 0, "the news of the crash");
    assertMatch(crashes[0]!.message, /no bread today/);
    const before = performance.now();
    assertThrows(() => a.session.remove(), DataPlaneClosed);
    assertThrows(() => fixture.plane.addEndpoint({ fd: 0, kind: "udp4" }), DataPlaneClosed);
    assert(performance.now() - before < 1000);
    assertStrictEquals(fixture.plane.alive, false);
    assert(a.session.counters().rxPackets >= 5n);
    fixture.plane.close();
    assertStrictEquals(crashes.length, 1);
  });
});

for (const kind of ["udp4", "udp6", "ip4", "ip6"] as const) {
  Deno.test(`${kind}: control messages are reported with their senders`, async () => {
    const messages: ControlMessage[] = [];
    await using fixture = await DataPlaneFixture.create({ onControl: (message) => messages.push(message) });
    const a = fixture.end("a", kind);
    const sender = fixture.socket("b", kind, 4711);
    const prefix = kind.startsWith("ip") ? [0, 0, 0, 0] : [];
    sender.send(Uint8Array.of(...prefix, ...CONTROL), encodeInet(addressOf("a", kind)));
    await until(() => messages.length > 0, "the message");
    const { endpoint, bytes, source } = messages[0]!;
    assertStrictEquals(endpoint, a.endpoint);
    assertEquals(bytes, CONTROL);
    assertEquals(source.address, addressOf("b", kind).address);
    assertStrictEquals(source.port, kind.startsWith("udp") ? 4711 : 0);
  });
}

Deno.test("a flood of control messages is bounded while the main thread is blocked, and reports go on afterwards", async () => {
  let taken = 0;
  await using fixture = await DataPlaneFixture.create({ onControl: () => taken++ });
  fixture.end("a", "udp4");
  const flooder = fixture.socket("b", "udp4");
  const to = encodeInet(addressOf("a", "udp4"));
  // Synchronous, so that this thread processes no reports meanwhile.
  for (let i = 0; i < 2000; i++) flooder.send(CONTROL, to);
  const end = performance.now() + 5000;
  while (fixture.plane.lostReports().control < 2000 - 256 && performance.now() < end) {
    fixture.plane.setTrace(false);
  }
  await until(() => taken + fixture.plane.lostReports().control === 2000, "an account of all");
  assertStrictEquals(taken, 256);
  flooder.send(CONTROL, to);
  await until(() => taken === 257, "one more");
});

Deno.test("trace events are reported while they are on", async () => {
  const events: TraceEvent[] = [];
  await using fixture = await DataPlaneFixture.create({ onTrace: (event) => events.push(event) });
  await fixture.wire("udp4", { session: { sendSeq: true } });
  await fixture.ping("10.9.0.2");
  assertStrictEquals(events.length, 0);
  fixture.plane.setTrace(true);
  await fixture.ping("10.9.0.2", "-c", "1");
  await until(() => events.length >= 4, "events");
  fixture.plane.setTrace(false);
  assert(events.every((event) => event.event === "session_seqnum_update"));
  assertEquals(
    new Set(events.map(({ netns, tunnelId }) => `${netns} ${tunnelId}`)),
    new Set(["a 1", "b 2"]),
  );
  assertMatch(formatTrace(events[0]!), /^session_seqnum_update: sess 1\/11: ns=\d+ nr=\d+$/);
  const count = events.length;
  await fixture.ping("10.9.0.2");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert(events.length <= count + 4, "late ones of the first ping at most");
});
