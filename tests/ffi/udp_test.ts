/** `ffi/sockets/udp.ts` as root in namespaces on this machine's kernel. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { AF_INET, AF_INET6, IPPROTO_UDP } from "../../src/base/inet.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { openNetns, withNetns } from "../../ffi/kernel/netns.ts";
import { packetLibc } from "../../ffi/packet_libc.ts";
import { PacketArena, ReceiveVector, Remote, SendVector } from "../../ffi/packets/mod.ts";
import { poll, POLLIN } from "../../ffi/process/poll.ts";
import { interfaceIndex } from "../../ffi/sockets/resolve.ts";
import { decodeInet, encodeInet, type InetAddress } from "../../ffi/sockets/sockaddr.ts";
import { SO_NO_CHECK, SO_RCVBUF, Socket, SOL_SOCKET } from "../../ffi/sockets/socket.ts";
import {
  IP_MTU_DISCOVER,
  IP_PKTINFO,
  IPV6_MTU_DISCOVER,
  IPV6_RECVPKTINFO,
  IPV6_V6ONLY,
  openRawL2tp,
  openUdp,
  pathMtu,
  SOL_IP,
  SOL_IPV6,
  takeError,
  UDP_NO_CHECK6_RX,
  UDP_NO_CHECK6_TX,
} from "../../ffi/sockets/udp.ts";
import { Errno } from "../../src/base/errno.ts";
import { formatIpAddress, parseIpAddress } from "../../src/base/ip_address.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { type Namespace, Pair } from "../support/namespaces.ts";
import { EMULATED } from "./emulated.ts";
import { setReceiveTimeout } from "../support/receive_timeout.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

// Opened here, because a library opened within a test counts as a leak.
bindLibc();
packetLibc();

function at(address: string, port = 0, scopeId = 0): InetAddress {
  return { address: parseIpAddress(address)!, port, scopeId };
}

function inside<T>({ name }: Namespace, action: () => T): T {
  using netns = openNetns(name);
  return withNetns(netns, action);
}

/** An error is pending (`poll.h`); src waits for POLLIN only. */
const POLLERR = 0x008;

Deno.test("openUdp(): options as requested, and off by default", async () => {
  await assertNoLeaks(() => {
    using plain = openUdp(AF_INET, { local: at("127.0.0.1") });
    assertStrictEquals(formatIpAddress(decodeInet(plain.localName()).address), "127.0.0.1");
    const ipv4 = (socket: Socket): number[] => [
      socket.option(SOL_SOCKET, SO_NO_CHECK),
      socket.option(SOL_IP, IP_PKTINFO),
      socket.option(SOL_IP, IP_MTU_DISCOVER),
    ];
    assertDeepStrictEquals(ipv4(plain), [0, 0, 0]);
    using full = openUdp(AF_INET, {
      local: at("127.0.0.1"),
      noChecksumTx: true,
      pktinfo: true,
      receiveBuffer: 8 << 20,
    });
    assertDeepStrictEquals(ipv4(full), [1, 1, 0]);
    assertStrictEquals(full.option(SOL_SOCKET, SO_RCVBUF), 16 << 20);
    const ipv6 = (socket: Socket): number[] => [
      socket.option(IPPROTO_UDP, UDP_NO_CHECK6_TX),
      socket.option(IPPROTO_UDP, UDP_NO_CHECK6_RX),
      socket.option(SOL_IPV6, IPV6_RECVPKTINFO),
      socket.option(SOL_IPV6, IPV6_V6ONLY),
      socket.option(SOL_IPV6, IPV6_MTU_DISCOVER),
    ];
    using plain6 = openUdp(AF_INET6, { local: at("::1") });
    assertDeepStrictEquals(ipv6(plain6), [0, 0, 0, 1, 0]);
    using full6 = openUdp(AF_INET6, {
      local: at("::1"),
      noChecksumTx: true,
      zeroChecksum6Rx: true,
      pktinfo: true,
    });
    assertDeepStrictEquals(ipv6(full6), [1, 1, 1, 1, 0]);
  });
});

Deno.test("openUdp(): a port is in use, or shared with reusePort; IPv4 and IPv6 are separate", async () => {
  await assertNoLeaks(() => {
    for (const share of [{ reuseAddress: true }, { reusePort: true }]) {
      using first = openUdp(AF_INET, { local: at("127.0.0.1"), ...share });
      const local = { ...at("127.0.0.1"), port: decodeInet(first.localName()).port };
      assertFields(assertThrows(() => openUdp(AF_INET, { local })), {
        call: "bind",
        errno: Errno.EADDRINUSE,
      });
      using second = openUdp(AF_INET, { local, ...share });
      assertEquals(first.localName(), second.localName());
    }
    using everywhere = openUdp(AF_INET, { local: at("0.0.0.0") });
    const { port } = decodeInet(everywhere.localName());
    using also = openUdp(AF_INET6, { local: at("::", port) });
    assertStrictEquals(decodeInet(also.localName()).port, port);
    assertFields(assertThrows(() => openUdp(AF_INET, { local: at("192.0.2.1") })), {
      errno: Errno.EADDRNOTAVAIL,
    });
  });
});

Deno.test("openUdp(): datagrams longer than the MTU are fragmented, without DF", async () => {
  await using pair = await Pair.create();
  await assertNoLeaks(() => {
    for (
      const [family, here, there] of [[AF_INET, "10.0.0.1", "10.0.0.2"], [
        AF_INET6,
        "fd00::1",
        "fd00::2",
      ]] as const
    ) {
      using a = inside(pair.a, () => openUdp(family, { local: at(here) }));
      using b = inside(pair.b, () => openUdp(family, { local: at(there) }));
      setReceiveTimeout(b, 2000);
      for (const length of [100, 1472, 5000, 60_000]) {
        a.send(new Uint8Array(length), b.localName());
        assertStrictEquals(b.receive(new Uint8Array(70_000), 0), length);
      }
    }
    // A capture of IPv4: protocol 0x0800 of AF_PACKET, cooked.
    using capture = inside(pair.b, () => Socket.open(17, 2, 0x0008));
    using a = inside(pair.a, () => openUdp(AF_INET, { local: at("10.0.0.1") }));
    using b = inside(pair.b, () => openUdp(AF_INET, { local: at("10.0.0.2") }));
    setReceiveTimeout(capture, 2000);
    for (const [length, fragments] of [[100, 1], [3000, 3]] as const) {
      a.send(new Uint8Array(length), b.localName());
      for (let i = 0; i < fragments; i++) {
        const packet = new Uint8Array(2000);
        capture.receive(packet, 0);
        assertStrictEquals(packet[6]! & 0x40, 0, "DF");
      }
    }
  });
});

for (
  const { family, here, there, header } of [
    { family: AF_INET, here: "10.0.0.1", there: "10.0.0.2", header: 20 },
    { family: AF_INET6, here: "fd00::1", there: "fd00::2", header: 0 },
  ] as const
) {
  Deno.test(`openRawL2tp() over ${here}: packets of protocol 115, both ways, with names and destinations`, async () => {
    await using pair = await Pair.create();
    await assertNoLeaks(async () => {
      using a = inside(pair.a, () => openRawL2tp(family, at(here)));
      const any = family === AF_INET ? "0.0.0.0" : "::";
      using b = inside(pair.b, () => openRawL2tp(family, at(any, 1701), { pktinfo: true }));
      const arena = new PacketArena({ slots: 4, slotSize: 4000, headroom: 0 });
      for (let i = 0; i < 3000; i++) arena.bytes[i] = i;
      const send = new SendVector(arena, { messages: 2 });
      const receive = new ReceiveVector(arena, { firstSlot: 1, control: true });
      const to = new Remote(encodeInet(at(there)), { address: parseIpAddress(here)! });
      // The second does not fit into one packet.
      for (const length of [50, 3000]) {
        send.begin(to);
        send.add(0, length);
      }
      assertStrictEquals(send.send(a.number, 0, 2), 2);
      await poll([{ fd: b, events: POLLIN }], 2000);
      assertStrictEquals(receive.receive(b.number), 2);
      for (const [i, length] of [50, 3000].entries()) {
        const start = receive.start(i);
        assertStrictEquals(receive.length(i), header + length);
        assertEquals(
          arena.bytes.subarray(start + header, start + header + length),
          arena.bytes.subarray(0, length),
        );
        if (header > 0) assertEquals([arena.bytes[start], arena.bytes[start + 9]], [0x45, 115]);
        const sender = decodeInet(receive.names.slice(i * 32, i * 32 + receive.nameLength(i)));
        assertDeepStrictEquals([formatIpAddress(sender.address), sender.port], [here, 0]);
        const to = receive.destination(i);
        const size = family === AF_INET ? 4 : 16;
        assertStrictEquals(formatIpAddress(receive.controls.subarray(to, to + size)), there);
      }
    });
  });
}

Deno.test("openRawL2tp(): another host's address, and a port in an IPv6 address", async () => {
  await using pair = await Pair.create();
  await assertNoLeaks(() => {
    assertFields(assertThrows(() => openRawL2tp(AF_INET, at("192.0.2.1"))), {
      call: "bind",
      errno: Errno.EADDRNOTAVAIL,
    });
    using ipv4 = inside(pair.a, () => openRawL2tp(AF_INET, at("10.0.0.1")));
    using ipv6 = inside(pair.a, () => openRawL2tp(AF_INET6, at("fd00::1")));
    ipv4.send(new Uint8Array(9), encodeInet(at("10.0.0.2", 1701)));
    ipv6.send(new Uint8Array(9), encodeInet(at("fd00::2", 0)));
    assertFields(assertThrows(() => ipv6.send(new Uint8Array(9), encodeInet(at("fd00::2", 1701)))), {
      errno: Errno.EINVAL,
    });
  });
});

// qemu-user does not know the option IP_MTU (ENOPROTOOPT).
Deno.test("pathMtu(): MTU and source of the route, of the device, of the loopback interface", {
  ignore: EMULATED,
}, async () => {
  await using pair = await Pair.create();
  const { a } = pair;
  await a.ip("route add 192.0.2.0/24 via 10.0.0.2 mtu 1300");
  await a.ip("route add 2001:db8::/64 via fd00::2 mtu 1290");
  await a.ip("route add unreachable 198.51.100.0/24");
  await a.ip("addr add 10.0.0.9/24 dev cable");
  await assertNoLeaks(() => {
    const mtu = (to: string, from?: string): [number, string] => {
      const remote = at(to);
      const family = remote.address.length === 4 ? AF_INET : AF_INET6;
      const local = from === undefined ? undefined : at(from, 1701);
      const answer = inside(a, () => pathMtu(family, local, remote));
      return [answer.mtu, formatIpAddress(answer.source.address)];
    };
    assertEquals(mtu("10.0.0.2"), [1500, "10.0.0.1"]);
    assertEquals(mtu("10.0.0.2", "10.0.0.9"), [1500, "10.0.0.9"]);
    assertEquals(mtu("192.0.2.7"), [1300, "10.0.0.1"]);
    assertEquals(mtu("127.0.0.1"), [65535, "127.0.0.1"]);
    assertEquals(mtu("fd00::2"), [1500, "fd00::1"]);
    assertEquals(mtu("2001:db8::7", "fd00::1"), [1290, "fd00::1"]);
    assertEquals(mtu("::1"), [65536, "::1"]);
    assertFields(assertThrows(() => mtu("203.0.113.1")), { call: "connect", errno: Errno.ENETUNREACH });
    assertFields(assertThrows(() => mtu("198.51.100.1")), { call: "connect", errno: Errno.EHOSTUNREACH });
    assertFields(assertThrows(() => mtu("10.0.0.2", "10.0.0.77")), {
      call: "bind",
      errno: Errno.EADDRNOTAVAIL,
    });
    assertFields(assertThrows(() => mtu("2001:db8:1::1")), { call: "connect", errno: Errno.ENETUNREACH });
    assertFields(assertThrows(() => mtu("fe80::2")), { call: "connect", errno: Errno.EINVAL });
    const scopeId = inside(a, () => interfaceIndex("cable"))!;
    const linkLocal = inside(
      a,
      () => pathMtu(AF_INET6, at("fe80::1", 0, scopeId), at("fe80::2", 0, scopeId)),
    );
    assertDeepStrictEquals(
      [linkLocal.mtu, formatIpAddress(linkLocal.source.address), linkLocal.source.scopeId],
      [1500, "fe80::1", scopeId],
    );
  });
});

Deno.test("takeError(): clears a connected socket's error; an unconnected socket has none", async () => {
  await assertNoLeaks(async () => {
    using closed = openUdp(AF_INET, { local: at("127.0.0.1") });
    const nobody = closed.localName();
    closed.close();
    using socket = openUdp(AF_INET, { local: at("127.0.0.1") });
    socket.send(Uint8Array.of(1), nobody);
    assertDeepStrictEquals(await poll([{ fd: socket, events: POLLIN }], 50), [0]);
    assertStrictEquals(takeError(socket), 0);
    socket.connect(nobody);
    socket.send(Uint8Array.of(1));
    const [ready] = await poll([{ fd: socket, events: 0 }], 2000);
    assertStrictEquals(ready! & POLLERR, POLLERR);
    assertStrictEquals(takeError(socket), Errno.ECONNREFUSED);
    assertStrictEquals(takeError(socket), 0);
    assertDeepStrictEquals(await poll([{ fd: socket, events: 0 }], 0), [0]);
  });
});
