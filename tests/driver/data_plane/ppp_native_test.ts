/**
 * PPP sessions of the data path's worker, with real sockets and TUN devices: IP passes through the devices, control
 * frames through the main thread.
 */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { encodeInet } from "../../../ffi/sockets/sockaddr.ts";
import { TunDevice } from "../../../ffi/kernel/tun.ts";
import type { EndpointKind, PppAgreement } from "../../../src/dataplane/mod.ts";
import type { PppHandle, SessionOptions } from "../../../src/driver/data_plane/mod.ts";
import { ping, transfer } from "../../support/traffic.ts";
import { until } from "../../support/until.ts";
import { addressOf, assertNothingLeft, DataPlaneFixture, type End, type Host, other } from "./fixture.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const AGREED: PppAgreement = { mtu: 1400, mru: 1400, pfc: false, acfc: false };
const LCP_ECHO = Uint8Array.fromHex("c0210901000801020304");

/** One end of a PPP session. */
interface PppEnd extends End {
  readonly tun: TunDevice;
  readonly session: ReturnType<DataPlaneFixture["plane"]["addSession"]>;
  readonly ppp: PppHandle;
  /** Received control frames. */
  readonly frames: Uint8Array[];
  /** Number of calls of `lost`. */
  readonly losses: { count: number };
}

interface Options {
  readonly version?: 2 | 3;
  readonly session?: Partial<SessionOptions>;
  readonly agreed?: Partial<PppAgreement>;
  readonly vnetHeader?: boolean;
  readonly clampMss?: boolean;
  /** MTU of the device; the negotiated one unless given. */
  readonly mtu?: number;
}

/**
 * One end whose PPP lets all packets pass, with a device `ppp0`, up, with the addresses 10.9.0.1 and fd09::1, or 2.
 */
async function pppEnd(
  fixture: DataPlaneFixture,
  host: Host,
  kind: EndpointKind,
  options: Options = {},
): Promise<PppEnd> {
  const { version = 3, vnetHeader = true, clampMss = false } = options;
  const end = fixture.end(host, kind, { version });
  const [sessionId, peerSessionId] = host === "a" ? [11, 22] : [22, 11];
  const session = fixture.plane.addSession(end.tunnel, {
    ...{ sessionId, peerSessionId, pseudowire: "ppp" },
    ...options.session,
  });
  const tun = fixture.tun(host, "ppp%d", vnetHeader);
  if (vnetHeader) tun.setOffload(TUN_OFFLOADS);
  const frames: Uint8Array[] = [];
  const losses = { count: 0 };
  const ppp = fixture.plane.attachPpp(session, {
    tunFd: tun.number,
    device: { virtio: vnetHeader, coalesceTcp: vnetHeader, coalesceUdp: vnetHeader },
    clampMss,
    receive: (frame) => frames.push(frame),
    lost: () => losses.count++,
  });
  const agreed = { ...AGREED, ...options.agreed };
  ppp.change({ ipv4: true, ipv6: true, agreed });
  const namespace = fixture.namespace(host);
  await namespace.sh("sysctl", "-q", "-w", `net.ipv6.conf.${tun.name}.disable_ipv6=0`);
  await namespace.ip(`link set ${tun.name} mtu ${options.mtu ?? agreed.mtu} addrgenmode none`);
  const [mine, theirs] = host === "a" ? [1, 2] : [2, 1];
  await namespace.ip(`addr add 10.9.0.${mine} peer 10.9.0.${theirs} dev ${tun.name}`);
  await namespace.ip(`addr add fd09::${mine}/64 dev ${tun.name} nodad`);
  await namespace.ip(`link set ${tun.name} up`);
  return { ...end, tun, session, ppp, frames, losses };
}

/** TUN_F_CSUM, TSO4, TSO6, TSO_ECN, USO4, USO6. */
const TUN_OFFLOADS = 0x6f;

async function both(
  fixture: DataPlaneFixture,
  kind: EndpointKind,
  options: Options = {},
): Promise<{ a: PppEnd; b: PppEnd }> {
  return { a: await pppEnd(fixture, "a", kind, options), b: await pppEnd(fixture, "b", kind, options) };
}

/** Dropped packets by reason, of session and endpoint. */
function dropsOf({ session, endpoint }: PppEnd): Record<string, number> {
  const all = [...Object.entries(session.drops()), ...Object.entries(endpoint.drops())];
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

/** Waits until each end has received what the other has sent; asserts that neither dropped any. */
async function assertMirrored(a: PppEnd, b: PppEnd): Promise<void> {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    await until(() => {
      const sent = from.session.counters();
      const received = to.session.counters();
      return sent.txPackets === received.rxPackets && sent.txBytes === received.rxBytes;
    }, "the counters agree");
    assertStrictEquals(from.session.counters().txErrors + to.session.counters().rxErrors, 0n);
  }
  assertEquals([dropsOf(a), dropsOf(b)], [{}, {}]);
}

const COOKIE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

const CARRIERS: readonly [kind: EndpointKind, options: Options][] = [
  ["udp4", { version: 2 }],
  ["udp6", { version: 2, session: { sendSeq: true, recvSeq: true }, agreed: { pfc: true, acfc: true } }],
  ["udp4", { session: { cookie: COOKIE, peerCookie: COOKIE }, agreed: { acfc: true } }],
  ["udp6", { session: { sendSeq: true, reorderTimeoutMs: 100 }, agreed: { pfc: true } }],
  ["ip4", { session: { l2spec: "none" }, agreed: { pfc: true, acfc: true } }],
  ["ip6", {}],
  ["udp4", { version: 2, vnetHeader: false, agreed: { pfc: true } }],
];

for (const [kind, options] of CARRIERS) {
  Deno.test(`PPP over ${kind}, ${Deno.inspect(options, { compact: true, breakLength: Infinity })}: echoes, TCP by hash, control frames`, async () => {
    await assertNothingLeft(async () => {
      await using fixture = await DataPlaneFixture.create();
      const { a, b } = await both(fixture, kind, options);
      const [from, to] = [fixture.namespace("a").name, fixture.namespace("b").name];
      await ping(from, "10.9.0.2");
      await ping(to, "fd09::1");
      await ping(from, "10.9.0.2", { size: 1400 - 28, dontFragment: true });
      await transfer({ from, to, address: "10.9.0.2" }, 2_000_000);
      await transfer({ from, to, address: "fd09::2", listen: "::" }, 2_000_000);
      a.ppp.send(LCP_ECHO);
      b.ppp.send(LCP_ECHO.with(2, 10));
      b.ppp.send(Uint8Array.fromHex("00fd020304050607"));
      await until(() => b.frames.length === 1 && a.frames.length === 2, "control frames");
      assertEquals(b.frames, [LCP_ECHO]);
      assertEquals(a.frames, [LCP_ECHO.with(2, 10), Uint8Array.fromHex("00fd020304050607")]);
      await assertMirrored(a, b);
    });
  });
}

Deno.test("PPP: packets of a closed protocol are dropped at either end, under their reason", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a, b } = await both(fixture, "udp4", { version: 2 });
  const [from, to] = [fixture.namespace("a").name, fixture.namespace("b").name];
  b.ppp.change({ ipv6: false });
  await ping(from, "10.9.0.2");
  await assertRejects(() => fixture.ping("fd09::2", "-c", "3", "-W", "0.1"));
  await until(() => b.session.drops().ppp_closed === 3, "IPv6 dropped on receipt");
  await assertRejects(() =>
    fixture.namespace("b").sh("ping", "-q", "-c", "2", "-i", "0.01", "-W", "0.1", "fd09::1")
  );
  assertEquals(dropsOf(b), { ppp_closed: 3, tx_ppp_closed: 2 });
  b.ppp.change({ ipv6: true });
  await ping(to, "fd09::1");
  assertEquals(dropsOf(a), {});
});

Deno.test("PPP: packets longer than the peer accepts are dropped, even if the device allows them", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a, b } = await both(fixture, "udp4", { version: 2 });
  const from = fixture.namespace("a").name;
  a.ppp.change({ agreed: { ...AGREED, mtu: 1000 } });
  await assertRejects(() => fixture.ping("10.9.0.2", "-c", "1", "-W", "0.1", "-s", "973", "-M", "do"));
  assertEquals(dropsOf(a), { tx_too_long: 1 });
  await ping(from, "10.9.0.2", { size: 972, dontFragment: true });
  assertThrows(() => a.ppp.change({ agreed: { ...AGREED, mtu: 0 } }), RangeError);
  await ping(from, "10.9.0.2", { size: 972, dontFragment: true });
  assertEquals(dropsOf(b), {});
});

Deno.test("PPP: TCP through a link with an unknown MTU works once the MSS is clamped", async () => {
  await using fixture = await DataPlaneFixture.create();
  const agreed = { mtu: 600, mru: 600 };
  const { a, b } = await both(fixture, "udp4", { version: 2, clampMss: true, agreed, mtu: 1400 });
  const [from, to] = [fixture.namespace("a").name, fixture.namespace("b").name];
  await transfer({ from, to, address: "10.9.0.2" }, 300_000);
  await transfer({ from, to, address: "fd09::2", listen: "::" }, 300_000);
  await assertMirrored(a, b);
});

Deno.test("PPP: a flood of control frames is dropped under its reason; the data path and other sessions continue", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a, b } = await both(fixture, "udp4", { version: 2 });
  const { socket } = a;
  // As host a's session would send them, but thousands: header of version 2, then LCP.
  const flood = Uint8Array.of(0, 2, 0, 2, 0, 22, 0xff, 3, ...LCP_ECHO);
  const name = encodeInet(addressOf("b", "udp4"));
  for (let i = 0; i < 5000; i++) socket.send(flood, name);
  await until(() => Number(b.session.counters().rxPackets) >= 5000, "the flood");
  await ping(fixture.namespace("a").name, "10.9.0.2");
  await until(() => b.frames.length + b.session.drops().ppp_control_flood === 5000, "all are accounted for");
  assert(b.frames.length >= 64 && b.session.drops().ppp_control_flood > 1000, `${b.frames.length} came`);
  assert(b.frames.every((frame) => frame.toHex() === LCP_ECHO.toHex()));
});

Deno.test("PPP: a main thread that does not process control frames costs a bounded amount of memory", async () => {
  await using fixture = await DataPlaneFixture.create();
  const end = fixture.end("b", "udp4", { version: 2 });
  const { socket } = fixture.end("a", "udp4", { version: 2 });
  const frames: number[] = [];
  const sessions = Array.from({ length: 100 }, (_, i) => {
    const session = fixture.plane.addSession(end.tunnel, {
      sessionId: i + 1,
      peerSessionId: 1,
      pseudowire: "ppp",
    });
    const tun = fixture.tun("b", "ppp%d", false);
    fixture.plane.attachPpp(session, {
      tunFd: tun.number,
      device: { virtio: false, coalesceTcp: false, coalesceUdp: false },
      clampMss: false,
      receive: (frame) => frames.push(frame.length),
      lost: () => fail("lost"),
    });
    return session;
  });
  const name = encodeInet(addressOf("b", "udp4"));
  const frame = new Uint8Array(1400);
  let sent = 0;
  // This thread processes nothing meanwhile: 64 frames of each session would be allowed, which are 12 MB.
  for (const [i] of sessions.entries()) {
    frame.set([0, 2, 0, 2, 0, i + 1, 0xff, 3, 0xc0, 0x21]);
    for (let n = 0; n < 64; n++, sent++) socket.send(frame, name);
    const received = (): number => Number(sessions[i]!.counters().rxPackets);
    const end = performance.now() + 5000;
    while (received() < 64 && performance.now() < end);
    assertStrictEquals(received(), 64);
  }
  const full = sessions.reduce((sum, session) => sum + session.drops().ppp_control_full, 0);
  const bytesEach = 1392 + 512;
  assertStrictEquals(sent - full, Math.floor(4 * 1024 * 1024 / bytesEach), "as many as 4 MiB take");
  await until(() => frames.length === sent - full, "those come");
  // There is room again.
  frame[5] = 1;
  socket.send(frame, name);
  await until(() => frames.length === sent - full + 1, "one more comes");
});

Deno.test("PPP: a control frame as long as a datagram passes both ways", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a, b } = await both(fixture, "udp4", { version: 2 });
  // Header of version 2, Address and Control.
  const long = Uint8Array.from({ length: 65_507 - 8 }, (_, i) => i).with(0, 0xc0);
  a.ppp.send(long);
  await until(() => b.frames.length === 1, "the frame");
  b.ppp.send(b.frames[0]!);
  await until(() => a.frames.length === 1, "the frame on its way back");
  assertEquals(a.frames, [long]);
  assertEquals([dropsOf(a), dropsOf(b)], [{}, {}]);
});

Deno.test("PPP: a detached session drops what it receives; attached again, it continues", async () => {
  await assertNothingLeft(async () => {
    await using fixture = await DataPlaneFixture.create();
    const { a, b } = await both(fixture, "udp4");
    b.ppp.remove();
    b.ppp.remove();
    a.ppp.send(LCP_ECHO);
    await until(() => b.session.drops().no_ppp === 1, "nobody there");
    // Calls now have no effect.
    b.ppp.send(LCP_ECHO);
    b.ppp.change({ ipv4: false });
    assertStrictEquals(b.session.counters().txPackets, 0n);
    const frames: Uint8Array[] = [];
    const again = fixture.plane.attachPpp(b.session, {
      tunFd: b.tun.number,
      device: { virtio: true, coalesceTcp: true, coalesceUdp: true },
      clampMss: false,
      receive: (frame) => frames.push(frame),
      lost: () => b.losses.count++,
    });
    await assertRejects(() => fixture.ping("10.9.0.2", "-c", "1", "-W", "0.1"));
    assert(b.session.drops().ppp_closed >= 1, "nothing passes at first");
    again.change({ ipv4: true });
    await ping(fixture.namespace("a").name, "10.9.0.2");
    a.ppp.send(LCP_ECHO);
    await until(() => frames.length === 1, "the control frame");
    assertDeepStrictEquals([b.frames, b.losses.count], [[], 0]);
  });
});

Deno.test("PPP: lost with its session, tunnel, endpoint or device; once, and not after removal", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a, b } = await both(fixture, "udp4");
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
  a.session.remove();
  assertStrictEquals(a.losses.count, 0, "not within the call");
  await turn();
  a.tunnel.remove();
  a.ppp.remove();
  a.ppp.send(LCP_ECHO);
  await turn();
  assertStrictEquals(a.losses.count, 1);
  await fixture.namespace("b").ip("link delete ppp0");
  await until(() => b.losses.count === 1, "told of the device");
  b.ppp.send(LCP_ECHO);
  b.endpoint.remove();
  await turn();
  assertStrictEquals(b.losses.count, 1);
  for (const end of [a, b]) {
    end.endpoint.remove();
    end.socket.close();
    end.tun.close();
  }
  const next = await pppEnd(fixture, "a", "udp4");
  next.ppp.remove();
  next.endpoint.remove();
  await turn();
  assertStrictEquals(next.losses.count, 0);
  next.socket.close();
  next.tun.close();
  const last = await pppEnd(fixture, "a", "udp4");
  last.endpoint.remove();
  await turn();
  assertStrictEquals(last.losses.count, 1);
});

Deno.test("PPP: invalid arguments are refused, and leave nothing behind", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a } = await both(fixture, "udp4");
  const options = {
    tunFd: a.tun.number,
    device: { virtio: true, coalesceTcp: true, coalesceUdp: true },
    clampMss: false,
    receive: (): void => {},
    lost: (): void => {},
  };
  assertThrows(() => fixture.plane.attachPpp(a.session, options), RangeError, undefined, "has PPP");
  const ethernet = fixture.plane.addSession(a.tunnel, { sessionId: 99, peerSessionId: 9, pseudowire: "eth" });
  assertThrows(() => fixture.plane.attachPpp(ethernet, options), RangeError, undefined, "Ethernet");
  const second = fixture.plane.addSession(a.tunnel, { sessionId: 98, peerSessionId: 8, pseudowire: "ppp" });
  assertStrictEquals(
    (assertThrows(() => fixture.plane.attachPpp(second, options)) as { code?: string }).code,
    "EEXIST",
    "another session's device",
  );
  const tun = fixture.tun(other("b"), "ppp%d", false);
  const ppp = fixture.plane.attachPpp(second, { ...options, tunFd: tun.number });
  assertThrows(() => ppp.send(new Uint8Array(65_538)), RangeError);
  ppp.send(new Uint8Array(65_537));
  ppp.send(new Uint8Array(1));
  assertEquals([second.drops().tx_too_long, second.drops().tx_too_short], [1, 1]);
  second.remove();
  assertThrows(() => fixture.plane.attachPpp(second, options), RangeError, undefined, "gone");
  await ping(fixture.namespace("a").name, "10.9.0.2");
});
