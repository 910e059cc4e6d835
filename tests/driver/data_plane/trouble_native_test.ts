/** The data path's worker while devices and sockets are added, removed, and fail. */

import { assert, assertRejects, assertStrictEquals } from "@std/assert";
import { SOL_SOCKET } from "../../../ffi/sockets/socket.ts";
import { encodeInet } from "../../../ffi/sockets/sockaddr.ts";
import { SyscallError } from "../../../src/base/errors.ts";
import type { SessionHandle } from "../../../src/driver/data_plane/mod.ts";
import { until } from "../../support/until.ts";
import { addressOf, assertNothingLeft, DataPlaneFixture, other } from "./fixture.ts";

const SHUT_RDWR = 2;

// Opened here, because a library opened within a test counts as a leak.
const posix = Deno.dlopen("libc.so.6", {
  // int shutdown(int fd, int how)
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
});

/** Processor time that the threads of data planes have used so far, in clock ticks. */
function workerTicks(): number {
  let ticks = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    const [, comm, rest] = /\((.*)\) (.*)/.exec(Deno.readTextFileSync(`/proc/self/task/${name}/stat`)) ?? [];
    if (!comm?.startsWith("worker-")) continue;
    const fields = rest!.split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks;
}

/** Asserts that the worker uses almost no processor time now. */
async function assertIdle(what: string): Promise<void> {
  const before = workerTicks();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const ticks = workerTicks() - before;
  assert(ticks <= 5, `${what}: ${ticks} ticks of 10 ms`);
}

/** Pings without checking, until the returned function is called. */
function traffic(fixture: DataPlaneFixture): () => Promise<void> {
  const { name } = fixture.namespace("a");
  const child = new Deno.Command("ip", {
    args: ["netns", "exec", name, "ping", "-q", "-i", "0.002", "-s", "1000", "10.9.0.2"],
    stdout: "null",
    stderr: "null",
  }).spawn();
  return async () => {
    child.kill("SIGKILL");
    await child.status;
  };
}

Deno.test("an interface that goes down and up under traffic: frames are counted, then delivered again", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { b } = await fixture.wire("udp4");
  const stop = traffic(fixture);
  for (let round = 0; round < 3; round++) {
    const before = b.session.counters().rxPackets;
    await until(() => b.session.counters().rxPackets > before + 5n, "traffic");
    const lost = b.session.drops().not_ready;
    await fixture.namespace("b").ip("link set wire down");
    await until(() => b.session.drops().not_ready > lost + 5, "frames for a device that is down");
    await fixture.namespace("b").ip("link set wire up");
  }
  await stop();
  await fixture.ping("10.9.0.2");
  await fixture.namespace("a").ip("link set wire down");
  await assertIdle("devices that are down");
  await fixture.namespace("a").ip("link set wire up");
  await fixture.ping("10.9.0.2");
});

Deno.test("a device that is deleted under traffic: its session continues without it", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a, b } = await fixture.wire("ip4");
  const stop = traffic(fixture);
  await until(() => b.session.counters().rxPackets > 5n, "traffic");
  // A permanent neighbour entry; otherwise unanswered ARP requests would stop the traffic.
  const mac = /link\/ether (\S+)/.exec(await fixture.namespace("b").ip("link show wire"))![1];
  await fixture.namespace("a").ip(`neigh replace 10.9.0.2 lladdr ${mac} dev wire`);
  await fixture.namespace("b").ip("link delete wire");
  const lost = b.session.drops().not_ready;
  await until(() => b.session.drops().not_ready > lost + 20, "frames for a device that is gone");
  await fixture.namespace("a").ip("link delete wire");
  await stop();
  await assertIdle("devices that are gone");
  for (const host of [a, b]) {
    host.session.remove();
    host.tap.close();
  }
  const back = fixture.tap("b", "wire");
  fixture.plane.addSession(b.tunnel, {
    ...{ sessionId: 22, peerSessionId: 11, pseudowire: "eth", tapFd: back.number },
  });
});

Deno.test("a remote socket that is closed, a cable that is cut: failures are counted, without a busy loop", async () => {
  await using fixture = await DataPlaneFixture.create();
  // Connected, so that ICMP errors of the far kernel become errors of the socket.
  const here = fixture.end("a", "udp4", { connected: true });
  here.socket.connect(encodeInet(addressOf("b", "udp4")));
  const tap = fixture.tap("a", "wire");
  const session = fixture.plane.addSession(here.tunnel, {
    ...{ sessionId: 11, peerSessionId: 22, pseudowire: "eth", tapFd: tap.number },
  });
  await fixture.namespace("a").ip("addr add 10.9.0.1/24 dev wire");
  await fixture.namespace("a").ip("link set wire up");
  await fixture.namespace("a").ip("neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev wire");
  await assertRejects(() => fixture.ping("10.9.0.2", "-c", "10", "-W", "0.1"));
  const { txPackets, txErrors } = session.counters();
  assertStrictEquals(txPackets + txErrors, 10n);
  assert(
    txPackets >= 9n,
    `${txPackets} sent: refusals of earlier packets are not held against later ones`,
  );
  await assertIdle("refusals");
  await fixture.namespace("a").ip("link set cable down");
  await assertRejects(() => fixture.ping("10.9.0.2", "-c", "10", "-W", "0.1"));
  assert(session.drops().tx_failed >= 10);
  assertStrictEquals(session.counters().txErrors, here.tunnel.counters().txErrors);
  await assertIdle("no route");
  await fixture.namespace("a").ip("link set cable up");
  const there = await fixture.wireEnd("b", "udp4");
  await fixture.namespace("a").ip("neigh del 10.9.0.2 dev wire");
  await fixture.ping("10.9.0.2");
  assertStrictEquals(there.session.counters().rxErrors, 0n);
});

Deno.test("a tunnel without a peer cannot send, and counts it", async () => {
  await using fixture = await DataPlaneFixture.create();
  const a = await fixture.wireEnd("a", "udp4", { tunnel: { peer: undefined } });
  await assertRejects(() => fixture.ping("10.9.0.2", "-c", "1", "-W", "0.1"));
  assert(a.session.drops().tx_failed >= 1);
});

Deno.test("a frame that cannot be sent does not prevent others", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a, b } = await fixture.wire("udp4", { mtu: 9000 });
  // Longer than the MTU of the cable and not to be fragmented (IP_MTU_DISCOVER is IP_PMTUDISC_DO).
  a.socket.setOption(0, 10, 2);
  const big = ["-c", "20", "-i", "0.002", "-W", "0.2", "-s", "3000"];
  await fixture.ping("10.9.0.2");
  const before = a.session.counters();
  const bigs = assertRejects(() => fixture.ping("10.9.0.2", ...big));
  await fixture.ping("10.9.0.2", "-c", "100", "-i", "0.002");
  await bigs;
  assertStrictEquals(a.session.drops().tx_failed, 20);
  assert(a.session.counters().txPackets >= before.txPackets + 100n);
  assertStrictEquals(b.session.counters().txErrors, 0n);
});

Deno.test("an adopted socket with options of its owner: no loss, no busy loop", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a } = await fixture.wire("udp4");
  // IP_PKTINFO and SO_TIMESTAMP, for which there is no room; IP_RECVERR, which queues errors.
  a.socket.setOption(0, 8, 1);
  a.socket.setOption(SOL_SOCKET, 29, 1);
  a.socket.setOption(0, 11, 1);
  await fixture.ping("10.9.0.2");
  assertStrictEquals(a.endpoint.drops().too_short, 0);
  const strangers = fixture.end("a", "ip4");
  strangers.socket.setOption(0, 11, 1);
  await assertIdle("options");
  // No socket is bound to b's port 9, so a's socket gets an ICMP error.
  a.socket.send(new Uint8Array(20), encodeInet({ ...addressOf("b", "udp4"), port: 9 }));
  await assertIdle("an error in the queue");
  await fixture.ping("10.9.0.2");
});

Deno.test("commands and other tunnels are served while one tunnel is flooded", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { b } = await fixture.wire("udp4");
  for (const host of ["a", "b"] as const) {
    const end = fixture.end(host, "ip4");
    const tap = fixture.tap(host, "quiet");
    const ids = { sessionId: 5, peerSessionId: 5, pseudowire: "eth" } as const;
    fixture.plane.addSession(end.tunnel, { ...ids, tapFd: tap.number });
    await fixture.namespace(host).ip(`addr add 10.8.0.${host === "a" ? 1 : 2}/24 dev quiet`);
    await fixture.namespace(host).ip("link set quiet up");
  }
  const { name } = fixture.namespace("a");
  const flood = new Deno.Command("ip", {
    args: ["netns", "exec", name, "ping", "-f", "-q", "-l", "200", "-s", "1300", "10.9.0.2"],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(() => b.session.counters().rxPackets > 5000n, "a flood");
  await fixture.ping("10.8.0.2", "-W", "2");
  const before = performance.now();
  for (let i = 0; i < 20; i++) fixture.plane.setTrace(false);
  assert(performance.now() - before < 2000);
  flood.kill("SIGKILL");
  await flood.status;
});

Deno.test("a socket that another owner shuts down is left alone", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a } = await fixture.wire("udp4");
  a.socket.connect(encodeInet(addressOf("b", "udp4")));
  assertStrictEquals(posix.symbols.shutdown(a.socket.number, SHUT_RDWR), 0);
  await assertIdle("a shutdown");
  await assertRejects(() => fixture.ping("10.9.0.2", "-c", "1", "-W", "0.1"));
  a.endpoint.remove();
});

Deno.test("200 sessions on one endpoint, each with a device", async () => {
  await using fixture = await DataPlaneFixture.create();
  const sessions: Record<"a" | "b", SessionHandle[]> = { a: [], b: [] };
  for (const host of ["a", "b"] as const) {
    const end = fixture.end(host, "udp4");
    const lines: string[] = [];
    for (let i = 1; i <= 200; i++) {
      const tap = fixture.tap(host, `wire${i}`);
      const ids = { sessionId: i, peerSessionId: i } as const;
      sessions[host].push(
        fixture.plane.addSession(end.tunnel, {
          ...ids,
          pseudowire: "eth",
          tapFd: tap.number,
          l2spec: "none",
        }),
      );
      lines.push(`addr add 10.${i}.0.${host === "a" ? 1 : 2}/24 dev wire${i}`, `link set wire${i} up`);
    }
    const batch = await Deno.makeTempFile();
    await Deno.writeTextFile(batch, lines.join("\n"));
    await fixture.namespace(host).ip(`-batch ${batch}`);
    await Deno.remove(batch);
  }
  assertStrictEquals(fixture.plane.slotsUsed, 404);
  const wires = [1, 2, 77, 199, 200];
  await Promise.all(wires.map((i) => fixture.ping(`10.${i}.0.2`)));
  for (const [i, session] of sessions.b.entries()) {
    assertStrictEquals(session.counters().rxPackets > 0n, wires.includes(i + 1), `session ${i + 1}`);
  }
});

Deno.test("adding and removing 500 times leaks no descriptors and slots, and leaves the counters at zero", async () => {
  await assertNothingLeft(async () => {
    await using fixture = await DataPlaneFixture.create();
    const { b } = await fixture.wire("udp4");
    const used = fixture.plane.slotsUsed;
    const stop = traffic(fixture);
    const tap = fixture.tap("b", "spare");
    for (let i = 0; i < 500; i++) {
      using socket = fixture.socket("b", "udp4", 5000);
      const endpoint = fixture.plane.addEndpoint({ fd: socket.number, kind: "udp4" });
      const tunnel = fixture.plane.addTunnel({
        ...{ netnsKey: "b", tunnelId: 7, peerTunnelId: 8, version: 3, endpoint },
        peer: addressOf(other("b"), "udp4"),
      });
      const session = fixture.plane.addSession(tunnel, {
        ...{ sessionId: 7, peerSessionId: 8, pseudowire: "eth", tapFd: tap.number, sendSeq: true },
      });
      assertStrictEquals(session.counters().rxPackets, 0n);
      assertStrictEquals(session.live().sendSeq, true);
      // Each way to remove it.
      if (i % 3 === 0) session.remove();
      if (i % 3 !== 2) tunnel.remove();
      endpoint.remove();
      assertStrictEquals(session.live().sendSeq, true);
    }
    await stop();
    assertStrictEquals(fixture.plane.slotsUsed, used);
    assert(b.session.counters().rxPackets > 0n);
    await fixture.ping("10.9.0.2");
  });
});

Deno.test("invalid objects are refused, and leave nothing behind", async () => {
  await using fixture = await DataPlaneFixture.create({ slots: 5 });
  const { plane } = fixture;
  const refusal = (action: () => unknown): string => {
    try {
      action();
      return "";
    } catch (error) {
      return error instanceof SyscallError ? error.code : (error as Error).name;
    }
  };
  const { a, b } = { a: fixture.end("a", "udp4"), b: fixture.end("b", "ip4") };
  const tap = fixture.tap("a", "wire");
  const one = { sessionId: 1, peerSessionId: 1, pseudowire: "eth", tapFd: tap.number } as const;
  assertStrictEquals(plane.slotsUsed, 4);
  assertStrictEquals(refusal(() => plane.addEndpoint({ fd: 9999, kind: "udp4" })), "EBADF");
  assertStrictEquals(refusal(() => plane.addEndpoint({ fd: a.socket.number, kind: "udp4" })), "EEXIST");
  assertStrictEquals(refusal(() => plane.addSession(a.tunnel, { ...one, tapFd: 9999 })), "EBADF");
  assertStrictEquals(refusal(() => plane.addSession(a.tunnel, { ...one, sessionId: 0 })), "RangeError");
  const tunnel = { netnsKey: "a", tunnelId: 5, peerTunnelId: 5, version: 3, endpoint: a.endpoint } as const;
  assertStrictEquals(
    refusal(() => plane.addTunnel({ ...tunnel, version: 2, tunnelId: 70_000 })),
    "RangeError",
  );
  assertStrictEquals(refusal(() => plane.addTunnel({ ...tunnel, netnsKey: "b" })), "RangeError");
  assertStrictEquals(plane.slotsUsed, 4);
  plane.addSession(a.tunnel, one);
  assertStrictEquals(refusal(() => plane.addSession(a.tunnel, { ...one, sessionId: 2 })), "ENOSPC");
  b.endpoint.remove();
  assertStrictEquals(
    refusal(() => plane.addTunnel({ ...tunnel, endpoint: b.endpoint })),
    "RangeError",
    "it is gone",
  );
  assertStrictEquals(refusal(() => plane.addSession(a.tunnel, one)), "RangeError", "its id is taken");
  assertStrictEquals(refusal(() => plane.addSession(a.tunnel, { ...one, sessionId: 2 })), "EEXIST");
  assertStrictEquals(plane.slotsUsed, 3);
});
