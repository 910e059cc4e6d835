/**
 * The socket interfaces on a real kernel: L2TP/IP sockets and what goes over them, tunnels over sockets of our own.
 */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { AF_INET, AF_INET6, IPPROTO_L2TP } from "../../src/base/inet.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import { openTunnelSocket } from "../../src/driver/tunnel_socket/open.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import type { TunnelParameters } from "../../src/model/tunnel.ts";
import { openFile } from "../../ffi/fd.ts";
import { interfaceIndex } from "../../ffi/sockets/resolve.ts";
import { SOCKADDR_IN, SOCKADDR_L2TPIP, SOCKADDR_L2TPIP6 } from "../../ffi/layout.ts";
import { decodeInet, decodeL2tpIp, encodeL2tpIp } from "../../ffi/sockets/sockaddr.ts";
import { MSG_DONTWAIT, SOCK_DGRAM, Socket } from "../../ffi/sockets/socket.ts";
import { type Namespace, Pair } from "../support/namespaces.ts";
import { clientIn, deleteTunnels, linkNames, requireL2tp, until } from "./kernel.ts";
import { setReceiveTimeout } from "../support/receive_timeout.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
/** A datagram that does not come must not hold the tests for ever. */
const RECEIVE_TIMEOUT_MS = 10_000;

function bytes(address: string): Uint8Array {
  return parseIpAddress(address)!;
}

/** The address as the socket calls take it. */
function at(address: string, connectionId: number, scopeId = 0): Uint8Array<ArrayBuffer> {
  return encodeL2tpIp({ address: bytes(address), connectionId, scopeId });
}

/** An L2TP/IP socket of the namespace. */
function open({ name }: Namespace, address: string): Socket {
  const family = address.includes(":") ? AF_INET6 : AF_INET;
  const socket = inNamespace(name, () => Socket.open(family, SOCK_DGRAM, IPPROTO_L2TP));
  setReceiveTimeout(socket, RECEIVE_TIMEOUT_MS);
  return socket;
}

function openBound(namespace: Namespace, address: string, connectionId: number): Socket {
  const socket = open(namespace, address);
  socket.bind(at(address, connectionId));
  return socket;
}

/** A control message header (RFC 3931 section 3.2.1) of `length` bytes to the connection. */
function control(connectionId: number, ns: number, flags = 0xc803, length = 12): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(Math.max(length, 12));
  const view = new DataView(message.buffer);
  view.setUint16(0, flags);
  view.setUint16(2, length);
  view.setUint32(4, connectionId);
  view.setUint16(8, ns);
  return message.slice(0, length);
}

function received(socket: Socket, flags = 0): Uint8Array {
  const buffer = new Uint8Array(new ArrayBuffer(2048));
  return buffer.slice(0, socket.receive(buffer, flags));
}

const FAMILIES = [
  { name: "IPv4", a: "10.0.0.1", b: "10.0.0.2", any: "0.0.0.0", elsewhere: "10.9.9.9" },
  { name: "IPv6", a: "fd00::1", b: "fd00::2", any: "::", elsewhere: "fd00::9999" },
] as const;
type Family = (typeof FAMILIES)[number];

/** Names of an L2TP/IP socket in both directions, and one control message each way. */
function exchange(pair: Pair, { a, b, name }: Family): void {
  using ours = openBound(pair.a, a, 77);
  using theirs = openBound(pair.b, b, 88);
  using another = openBound(pair.b, b, 89);

  const layout = name === "IPv4" ? SOCKADDR_L2TPIP : SOCKADDR_L2TPIP6;
  const local = ours.localName();
  assertStrictEquals(local.length, layout.size);
  assertDeepStrictEquals(decodeL2tpIp(local), { address: bytes(a), connectionId: 77, scopeId: 0 });
  assertFields(assertThrows(() => ours.peerName()), { code: "ENOTCONN" });
  assertFields(assertThrows(() => ours.send(control(88, 0))), { code: "EDESTADDRREQ" });

  const peer = at(b, 88);
  // The IPv4 side takes what lies where a sockaddr_in has its port for "connected".
  if (name === "IPv4") peer[SOCKADDR_L2TPIP.fields.l2tp_unused.offset] = 1;
  ours.connect(peer);
  assertStrictEquals(ours.peerName().length, layout.size);
  assertDeepStrictEquals(decodeL2tpIp(ours.peerName()), { address: bytes(b), connectionId: 88, scopeId: 0 });
  theirs.connect(at(a, 77));

  // Packets that are not control messages are dropped: without T, without L, too short.
  ours.send(control(88, 1, 0x4803));
  ours.send(control(88, 2, 0x8803));
  ours.send(control(88, 3, 0xc803, 11));
  // The connection id in the message picks the socket, not the one that we are connected to.
  ours.send(control(89, 4));
  ours.send(control(88, 5));
  ours.send(control(88, 6, 0xc803, 1200));
  assertEquals(received(theirs), control(88, 5));
  const { sender } = theirs;
  if (name === "IPv4") {
    assertStrictEquals(sender.length, SOCKADDR_IN.size);
    assertDeepStrictEquals(decodeInet(sender), { address: bytes(a), port: 0, scopeId: 0 });
  } else {
    assertStrictEquals(sender.length, SOCKADDR_L2TPIP6.size);
    assertDeepStrictEquals(decodeL2tpIp(sender), { address: bytes(a), connectionId: 0, scopeId: 0 });
  }
  assertEquals(received(theirs), control(88, 6, 0xc803, 1200));
  assertEquals(received(another), control(89, 4));

  theirs.send(control(77, 7));
  assertEquals(received(ours), control(77, 7));
  // Unconnected, with an address for each message; the connection id in it is ignored.
  another.send(control(77, 8), at(a, 4711));
  // A connected socket receives from its peer's address only, which both sockets of b have.
  assertEquals(received(ours), control(77, 8));
  for (const socket of [ours, theirs, another]) {
    assertFields(assertThrows(() => received(socket, MSG_DONTWAIT)), { code: "EAGAIN" });
  }
}

/** The rules of bind and connect. */
function rules(pair: Pair, { a, b, any, elsewhere, name }: Family): void {
  using first = openBound(pair.a, a, 77);
  assertFields(assertThrows(() => first.bind(at(a, 78))), { code: "EINVAL" }, "a second bind");
  using second = open(pair.a, a);
  assertFields(assertThrows(() => second.connect(at(b, 88))), { code: "EINVAL" }, "connect before bind");
  assertFields(assertThrows(() => second.bind(at(a, 77))), { code: "EADDRINUSE" });
  assertFields(
    assertThrows(() => second.bind(at(any, 77))),
    { code: "EADDRINUSE" },
    "any address collides with each",
  );
  assertFields(assertThrows(() => second.bind(at(elsewhere, 78))), { code: "EADDRNOTAVAIL" });
  const whole = at(a, 78);
  assertFields(assertThrows(() => second.bind(whole.slice(0, -1))), { code: "EINVAL" }, "one byte short");
  const other = name === "IPv4" ? at("fd00::1", 78) : at("10.0.0.1", 78);
  assertFields(assertThrows(() => second.bind(other)), { code: "EINVAL" }, "the other family");
  second.bind(whole);
  // Another namespace has connection ids of its own.
  using elsewhere77 = openBound(pair.b, b, 77);
  assertStrictEquals(elsewhere77.closed, false);

  // A tunnel that the kernel opens the socket for is bound by the same rule.
  using l2tp = clientIn(pair.a);
  const tunnel = { tunnelId: 77, peerTunnelId: 1, encap: "ip", local: a, peer: b } as const;
  assertFields(assertThrows(() => l2tp.createTunnel(tunnel)), { code: "EADDRINUSE" });
  first.close();
  l2tp.createTunnel(tunnel);
  using third = open(pair.a, a);
  assertFields(assertThrows(() => third.bind(at(a, 77))), { code: "EADDRINUSE" });
  l2tp.deleteTunnel(77);
}

Deno.test("L2TP/IP sockets", async (t) => {
  requireL2tp();
  await using pair = await Pair.create();
  for (const family of FAMILIES) {
    await t.step(`${family.name}: control messages between two hosts`, () => exchange(pair, family));
    await t.step(`${family.name}: bind and connect`, () => rules(pair, family));
    await deleteTunnels(pair.a);
  }
  await t.step("IPv6: a link-local address needs its interface", () => {
    using socket = open(pair.a, "fe80::1");
    assertFields(assertThrows(() => socket.bind(at("fe80::1", 77))), { code: "EINVAL" });
    assertFields(assertThrows(() => socket.bind(at("fe80::1", 77, 4711))), { code: "ENODEV" });
    const scopeId = inNamespace(pair.a.name, () => interfaceIndex("cable"))!;
    socket.bind(at("fe80::1", 77, scopeId));
    assertDeepStrictEquals(decodeL2tpIp(socket.localName()), {
      address: bytes("fe80::1"),
      connectionId: 77,
      scopeId,
    });
  });
  await t.step("stream sockets are not supported", () => {
    for (const family of [AF_INET, AF_INET6]) {
      assertFields(assertThrows(() => Socket.open(family, SOCK_STREAM, IPPROTO_L2TP)), {
        code: "EPROTONOSUPPORT",
      });
    }
  });
});

const MANAGED: readonly TunnelParameters[] = FAMILIES.flatMap(({ a, b }): TunnelParameters[] => [
  {
    tunnelId: 3000,
    peerTunnelId: 4000,
    encap: "udp",
    local: a,
    peer: b,
    localPort: 5000,
    peerPort: 6000,
    ...(a.includes(":") && { checksumTx: false }),
  },
  { tunnelId: 3000, peerTunnelId: 4000, encap: "ip", local: a, peer: b },
]);

/** A tunnel over a socket of ours is as we said, and dies with the socket, its session and interface too. */
async function liveAndDie(namespace: Namespace, wanted: TunnelParameters): Promise<void> {
  using l2tp = clientIn(namespace);
  using socket = inNamespace(namespace.name, () => openTunnelSocket(wanted));
  l2tp.createTunnel({ ...wanted, fd: socket.number });
  const { counters: _, ...tunnel } = l2tp.tunnel(wanted.tunnelId)!;
  const udp = wanted.encap === "udp";
  const ipv6 = wanted.local!.includes(":");
  assertEquals<unknown>(tunnel, {
    tunnelId: 3000,
    peerTunnelId: 4000,
    version: 3,
    encap: wanted.encap,
    local: wanted.local,
    peer: wanted.peer,
    localPort: udp ? 5000 : undefined,
    peerPort: udp ? 6000 : undefined,
    udpChecksum: udp && !ipv6 ? false : undefined,
    checksumTx: udp && ipv6 ? false : undefined,
    checksumRx: udp && ipv6 ? true : undefined,
    usingIpsec: false,
  });
  l2tp.createSession({ tunnelId: 3000, sessionId: 1000, peerSessionId: 2000, interfaceName: "l2e0" });
  assert(linkNames(namespace).includes("l2e0"));
  socket.close();
  await until(
    "tunnel, session and interface go with the socket",
    () =>
      l2tp.tunnels().length === 0 && l2tp.sessions().length === 0 && !linkNames(namespace).includes("l2e0"),
  );
}

/** Descriptors that the kernel accepts for a tunnel. */
async function takesOnly({ a, b }: Pair): Promise<void> {
  using l2tp = clientIn(a);
  const refuses = (code: string, encap: "udp" | "ip", fd: number): void =>
    assertFields(assertThrows(() => l2tp.createTunnel({ tunnelId: 3000, peerTunnelId: 4000, encap, fd })), {
      code,
    });
  const [udp, ip] = MANAGED as [TunnelParameters, TunnelParameters];
  using file = openFile("/dev/null");
  using stream = inNamespace(a.name, () => Socket.open(AF_INET, SOCK_STREAM, 0));
  using local = inNamespace(a.name, () => Socket.open(AF_UNIX, SOCK_DGRAM, 0));
  using ofUdp = inNamespace(a.name, () => openTunnelSocket(udp));
  using ofIp = inNamespace(a.name, () => openTunnelSocket(ip));
  const swapped = { ...udp, local: udp.peer, peer: udp.local };
  using ofAnotherHost = inNamespace(b.name, () => openTunnelSocket(swapped));
  for (const encap of ["udp", "ip"] as const) {
    refuses("EBADF", encap, 1_000_000);
    refuses("ENOTSOCK", encap, file.number);
    refuses("EPROTONOSUPPORT", encap, stream.number);
    refuses("EPROTONOSUPPORT", encap, local.number);
  }
  refuses("EPROTONOSUPPORT", "ip", ofUdp.number);
  refuses("EPROTONOSUPPORT", "udp", ofIp.number);
  refuses("EINVAL", "udp", ofAnotherHost.number);
  assertEquals(l2tp.tunnels(), []);

  for (const [encap, socket] of [["udp", ofUdp], ["ip", ofIp]] as const) {
    const tunnel = { tunnelId: encap === "udp" ? 1 : 2, peerTunnelId: 4000, encap, fd: socket.number };
    l2tp.createTunnel(tunnel);
    refuses("EBUSY", encap, socket.number);
    // A tunnel that is deleted leaves the socket open, though not (6.1) free for another tunnel.
    l2tp.deleteTunnel(tunnel.tunnelId);
    await until("the tunnel is gone", () => l2tp.tunnels().length === 0);
    assert(socket.localName().length > 0);
  }
}

Deno.test("tunnels over sockets of our own", async (t) => {
  requireL2tp();
  await using pair = await Pair.create();
  for (const tunnel of MANAGED) {
    const name = `over ${tunnel.encap} from ${tunnel.local}: lives no longer than its socket`;
    await t.step(name, () => liveAndDie(pair.a, tunnel));
    await deleteTunnels(pair.a);
  }
  await t.step("EBADF, ENOTSOCK, EPROTONOSUPPORT, EINVAL, EBUSY", () => takesOnly(pair));
});
