/** The data path's worker with real sockets and devices: delivered packets, and counters. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { EndpointKind } from "../../../src/dataplane/mod.ts";
import type { SessionOptions } from "../../../src/driver/data_plane/mod.ts";
import { interfaceIndex } from "../../../ffi/sockets/resolve.ts";
import { SOCK_RAW, Socket } from "../../../ffi/sockets/socket.ts";
import { encodeInet } from "../../../ffi/sockets/sockaddr.ts";
import { UnixConnection } from "../../../ffi/sockets/unix.ts";
import { until } from "../../support/until.ts";
import { addressOf, assertNothingLeft, DataPlaneFixture, type WireEnd } from "./fixture.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const AF_PACKET = 17;

/** A `struct sockaddr_ll` of an interface, for a socket that receives nothing. */
function packetAddress(index: number): Uint8Array<ArrayBuffer> {
  const address = new DataView(new ArrayBuffer(20));
  address.setUint16(0, AF_PACKET, true);
  address.setInt32(4, index, true);
  return new Uint8Array(address.buffer);
}

const COOKIE_A = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const COOKIE_B = Uint8Array.of(9, 8, 7, 6);

/** Sessions of each kind, and the length of their header over UDP in bytes. */
const SHAPES: readonly [what: string, a: Partial<SessionOptions>, b: Partial<SessionOptions>][] = [
  ["plain", {}, {}],
  ["no sublayer", { l2spec: "none" }, { l2spec: "none" }],
  ["cookies", { cookie: COOKIE_B, peerCookie: COOKIE_A }, { cookie: COOKIE_A, peerCookie: COOKIE_B }],
  ["sequence numbers", { sendSeq: true, recvSeq: true }, { sendSeq: true, recvSeq: true }],
  [
    "everything",
    { cookie: COOKIE_A, peerCookie: COOKIE_A, sendSeq: true, recvSeq: true, reorderTimeoutMs: 100 },
    { cookie: COOKIE_A, peerCookie: COOKIE_A, sendSeq: true, recvSeq: true, reorderTimeoutMs: 100 },
  ],
];

for (const kind of ["udp4", "udp6", "ip4", "ip6"] as const) {
  for (const [what, a, b] of SHAPES) {
    Deno.test(`${kind}, ${what}: pings pass and are counted at both ends`, async () => {
      await assertNothingLeft(async () => {
        await using fixture = await DataPlaneFixture.create();
        const here = await fixture.wireEnd("a", kind, { session: a });
        const there = await fixture.wireEnd("b", kind, { session: b });
        await fixture.ping("10.9.0.2");
        // The size of the device's MTU, unfragmented inside.
        await fixture.ping("10.9.0.2", "-s", "1372", "-M", "do");
        assertMirrored(here, there);
        assertEquals(dropsOf(here), {});
        assertEquals(dropsOf(there), {});
        assert(here.session.counters().txPackets >= 10n);
        const { sendSeq, ns, nr, queued } = here.session.live();
        assertStrictEquals(sendSeq, a.sendSeq === true);
        assertStrictEquals(queued, 0);
        const sequenced = a.sendSeq === true;
        assertStrictEquals(BigInt(ns), sequenced ? here.session.counters().txPackets : 0n);
        assertStrictEquals(BigInt(nr), sequenced ? here.session.counters().rxPackets : 0n);
        const since = performance.now() - here.tunnel.lastDelivery()!;
        assert(since > -50 && since < 5000, `delivered ${since} ms ago`);
      });
    });
  }
}

/** Asserts that each end has received what the other has sent, and that the tunnels have the sums. */
function assertMirrored(a: WireEnd, b: WireEnd): void {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    const sent = from.session.counters();
    const received = to.session.counters();
    assertStrictEquals(sent.txPackets, received.rxPackets);
    assertStrictEquals(sent.txBytes, received.rxBytes);
    assertStrictEquals(sent.txErrors + received.rxErrors, 0n);
    const { txPackets, txBytes, rxPackets, rxBytes } = from.tunnel.counters();
    assertEquals([txPackets, txBytes, rxPackets, rxBytes], [
      sent.txPackets,
      sent.txBytes,
      sent.rxPackets,
      sent.rxBytes,
    ]);
  }
}

/** Dropped packets by reason, of session and endpoint. */
function dropsOf({ session, endpoint }: WireEnd): Record<string, number> {
  const all = [...Object.entries(session.drops()), ...Object.entries(endpoint.drops())];
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

Deno.test("byte counters include L2TP header and frame, without UDP and IP", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a } = await fixture.wire("udp4");
  await fixture.ping("10.9.0.2");
  const before = a.session.counters();
  await fixture.ping("10.9.0.2", "-s", "100");
  const after = a.session.counters();
  // Flags and id, sublayer, Ethernet, IP, ICMP, data.
  assertStrictEquals(after.txBytes - before.txBytes, 5n * (8n + 4n + 14n + 20n + 8n + 100n));
  assertStrictEquals(after.txPackets - before.txPackets, 5n);
});

Deno.test("jumbo frames pass, up to the length of a datagram", async () => {
  await using fixture = await DataPlaneFixture.create();
  for (const kind of ["udp4", "ip6"] satisfies EndpointKind[]) {
    const { a, b } = await fixture.wire(kind, { mtu: 65_521 });
    for (const size of [1472, 8972, 30_000, 65_400]) {
      await fixture.ping("10.9.0.2", "-s", `${size}`, "-M", "do");
    }
    assertMirrored(a, b);
    await assertRejects(() => fixture.ping("10.9.0.2", "-c", "1", "-W", "0.1", "-s", "65493", "-M", "do"));
    assertEquals(dropsOf(a), { tx_too_long: 1 });
    for (const end of [a, b]) {
      end.endpoint.remove();
      end.socket.close();
      end.tap.close();
    }
  }
});

Deno.test("a VLAN-tagged frame is delivered byte for byte, and sent back through the device", async () => {
  await using fixture = await DataPlaneFixture.create();
  const a = await fixture.wireEnd("a", "udp4");
  const b = fixture.end("b", "udp4");
  // A socket pair in place of a device, which shows the frames written to it.
  const [inside, outside] = UnixConnection.pair();
  using _inside = inside;
  using _outside = outside;
  fixture.plane.addSession(b.tunnel, {
    ...{ sessionId: 22, peerSessionId: 11, pseudowire: "eth", tapFd: inside.number },
  });
  using packets = fixture.within("a", () => {
    using stack = new DisposableStack();
    const socket = stack.use(Socket.open(AF_PACKET, SOCK_RAW, 0));
    socket.bind(packetAddress(interfaceIndex("wire")!));
    stack.move();
    return socket;
  });
  const frame = Uint8Array.from({ length: 1400 + 18 }, (_, i) => i);
  frame.set([2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x81, 0, 0xa0, 5, 0x88, 0xb5]);
  packets.send(frame);
  const buffer = new Uint8Array(new ArrayBuffer(2000));
  let length: number | undefined;
  await until(() => (length = outside.receive(buffer)?.length) !== undefined, "the frame");
  assertEquals(buffer.subarray(0, length), frame);
  assertStrictEquals(outside.send(frame), true);
  await until(() => a.session.counters().rxPackets === 1n, "the frame on its way back");
  assertEquals(dropsOf(a), {});
  assertMatch(await fixture.namespace("a").ip("-s link show wire"), /RX:[^]*?\n\s+1418 /);
});

Deno.test("packets with a wrong cookie, peer or session are dropped and counted there", async () => {
  await using fixture = await DataPlaneFixture.create();
  const a = await fixture.wireEnd("a", "udp4", { session: { cookie: COOKIE_A } });
  const b = await fixture.wireEnd("b", "udp4", { session: { peerCookie: COOKIE_B } });
  const lose = async (): Promise<void> => {
    // Three attempts at ARP, one second apart, would take longer.
    await fixture.namespace("a").ip("neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev wire");
    await assertRejects(() => fixture.ping("10.9.0.2", "-c", "3", "-W", "0.1"));
  };
  await lose();
  await until(() => b.session.counters().rxCookieDiscards === 3n, "discards for the cookie");
  assertEquals(dropsOf(b), { cookie_mismatch: 3 });
  assertStrictEquals(b.session.counters().rxErrors, 3n);

  b.tunnel.remove();
  const { address } = addressOf("b", "udp4");
  const picky = fixture.plane.addTunnel({
    ...{ netnsKey: "b", tunnelId: 2, peerTunnelId: 1, version: 3, endpoint: b.endpoint },
    peer: { address, port: 1701 },
  });
  const session = fixture.plane.addSession(picky, {
    ...{ sessionId: 22, peerSessionId: 11, pseudowire: "eth", tapFd: b.tap.number },
  });
  await lose();
  await until(() => session.drops().wrong_peer === 3, "drops for the peer");

  session.remove();
  await lose();
  await until(() => b.endpoint.drops().unknown_session === 3, "drops for the session");
  assertStrictEquals(a.session.counters().txPackets, 9n);
  assertStrictEquals(a.session.counters().txErrors, 0n);
});

Deno.test("change() turns sequence numbers on, and the counters show an end without them", async () => {
  await using fixture = await DataPlaneFixture.create();
  const { a, b } = await fixture.wire("ip4", { session: { lnsMode: true } });
  await fixture.ping("10.9.0.2");
  a.session.change({ sendSeq: true });
  assertStrictEquals(a.session.live().sendSeq, true);
  await assertRejects(() => fixture.ping("10.9.0.2", "-c", "3", "-W", "0.1"));
  assertStrictEquals(a.session.counters().rxSeqDiscards, 3n);
  b.session.change({ sendSeq: true, recvSeq: true, reorderTimeoutMs: 50 });
  await fixture.ping("10.9.0.2");
  assertStrictEquals(b.session.live().nr > 0, true);
});

Deno.test("packets that arrive out of order are delivered in order, including those that waited", async () => {
  await using fixture = await DataPlaneFixture.create();
  const b = fixture.end("b", "udp4");
  const [inside, outside] = UnixConnection.pair();
  using _inside = inside;
  using _outside = outside;
  const session = fixture.plane.addSession(b.tunnel, {
    ...{ sessionId: 22, peerSessionId: 11, pseudowire: "eth", tapFd: inside.number, reorderTimeoutMs: 5000 },
  });
  const sender = fixture.socket("a", "udp4");
  for (const ns of [0, 3, 2, 5, 1, 4]) {
    const packet = new Uint8Array(12 + 1000).fill(ns, 12);
    packet.set([0, 3, 0, 0, 0, 0, 0, 22, 0x40, 0, 0, ns]);
    sender.send(packet, encodeInet(addressOf("b", "udp4")));
  }
  const buffer = new Uint8Array(new ArrayBuffer(2000));
  for (let ns = 0; ns < 6; ns++) {
    let length: number | undefined;
    await until(() => (length = outside.receive(buffer)?.length) !== undefined, `frame ${ns}`);
    assertEquals(buffer.subarray(0, length), new Uint8Array(1000).fill(ns));
  }
  assertDeepStrictEquals([session.live().nr, session.live().queued, session.counters().rxOosPackets], [
    6,
    0,
    3n,
  ]);
});

Deno.test("version 2 and PPP sessions: without PPP, frames are counted and not delivered", async () => {
  await using fixture = await DataPlaneFixture.create();
  const end = fixture.end("b", "udp4", { version: 2 });
  const session = fixture.plane.addSession(end.tunnel, {
    sessionId: 22,
    peerSessionId: 11,
    pseudowire: "ppp",
  });
  const socket = fixture.socket("a", "udp4");
  // Flags, tunnel 2, session 22, then an LCP Echo-Request.
  const packet = Uint8Array.of(0, 2, 0, 2, 0, 22, 0xff, 3, 0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0);
  socket.send(packet, encodeInet(addressOf("b", "udp4")));
  await until(() => session.drops().no_ppp === 1, "the drop");
  assertStrictEquals(session.counters().rxPackets, 1n);
  assertThrows(() =>
    fixture.plane.addSession(end.tunnel, {
      ...{ sessionId: 23, peerSessionId: 12, pseudowire: "ppp", tapFd: fixture.tap("b", "x").number },
    }), RangeError);
});
