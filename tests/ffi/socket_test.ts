/** `ffi/sockets/socket.ts` on UDP over the loopback interface, IPv4 and IPv6, with real errors. */

import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { AF_INET, AF_INET6 } from "../../src/base/inet.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { AF_NETLINK, decodeInet, encodeInet } from "../../ffi/sockets/sockaddr.ts";
import {
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  SO_NO_CHECK,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_DGRAM,
  SOCK_RAW,
  Socket,
  SOL_SOCKET,
} from "../../ffi/sockets/socket.ts";
import { Errno } from "../../src/base/errno.ts";
import { formatIpAddress, parseIpAddress } from "../../src/base/ip_address.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { Random } from "../support/random.ts";
import { setReceiveTimeout } from "../support/receive_timeout.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

bindLibc();

const FAMILIES = [[AF_INET, "127.0.0.1"], [AF_INET6, "::1"]] as const;

/** A UDP socket bound to a free port of the address. */
function bound(family: number, address: string): Socket {
  const socket = Socket.open(family, SOCK_DGRAM, 0);
  socket.bind(encodeInet({ address: parseIpAddress(address)!, port: 0 }));
  return socket;
}

for (const [family, address] of FAMILIES) {
  Deno.test(`UDP over ${address}: names, send to an address, receive with the sender`, async () => {
    await assertNoLeaks(() => {
      using a = bound(family, address);
      using b = bound(family, address);
      const name = decodeInet(a.localName());
      assertStrictEquals(formatIpAddress(name.address), address);
      assertNotStrictEquals(name.port, decodeInet(b.localName()).port);
      assertStrictEquals(a.send(Uint8Array.of(1, 2, 3), b.localName()), 3);
      const buffer = new Uint8Array(10).fill(0xa5);
      assertStrictEquals(b.receive(buffer, 0), 3);
      assertDeepStrictEquals([...buffer], [1, 2, 3, ...Array(7).fill(0xa5)]);
      assertEquals(b.sender, a.localName());
      b.send(Uint8Array.of(9), b.sender);
      assertStrictEquals(a.receive(buffer, 0), 1);
      assertDeepStrictEquals(decodeInet(a.sender), decodeInet(b.localName()));
    });
  });

  Deno.test(`UDP over ${address}: connect, peerName, send without an address`, async () => {
    await assertNoLeaks(() => {
      using a = bound(family, address);
      using b = bound(family, address);
      assertFields(assertThrows(() => a.peerName()), { errno: Errno.ENOTCONN });
      assertFields(assertThrows(() => a.send(Uint8Array.of(1))), {
        errno: Errno.EDESTADDRREQ,
        call: "sendmsg",
      });
      a.connect(b.localName());
      assertEquals(a.peerName(), b.localName());
      a.send(Uint8Array.of(7));
      // An address given once is not kept for the next send.
      using c = bound(family, address);
      a.send(Uint8Array.of(8), c.localName());
      a.send(Uint8Array.of(9));
      const buffer = new Uint8Array(4);
      assertEquals([b.receive(buffer, 0), buffer[0]], [1, 7]);
      assertEquals([b.receive(buffer, 0), buffer[0]], [1, 9]);
      assertEquals([c.receive(buffer, 0), buffer[0]], [1, 8]);
    });
  });

  Deno.test(`UDP over ${address}: MSG_PEEK leaves the datagram, MSG_TRUNC returns its full length`, async () => {
    await assertNoLeaks(() => {
      using socket = bound(family, address);
      socket.send(Uint8Array.of(1, 2, 3, 4, 5), socket.localName());
      const small = new Uint8Array(2);
      assertStrictEquals(socket.receive(small, MSG_PEEK), 2);
      assertStrictEquals(socket.receive(small, MSG_PEEK | MSG_TRUNC), 5);
      assertEquals([...small], [1, 2]);
      const large = new Uint8Array(9);
      assertStrictEquals(socket.receive(large, MSG_TRUNC), 5);
      assertDeepStrictEquals([...large], [1, 2, 3, 4, 5, 0, 0, 0, 0]);
      assertFields(assertThrows(() => socket.receive(large, MSG_DONTWAIT)), {
        errno: Errno.EAGAIN,
        call: "recvmsg",
      });
      // The part that does not fit, without MSG_PEEK, is lost.
      socket.send(Uint8Array.of(6, 7, 8), socket.localName());
      assertStrictEquals(socket.receive(small, 0), 2);
      assertFields(assertThrows(() => socket.receive(large, MSG_DONTWAIT)), { errno: Errno.EAGAIN });
    });
  });

  Deno.test(`UDP over ${address}: bind to an address of another host`, () => {
    const foreign = family === AF_INET ? "192.0.2.1" : "2001:db8::1";
    using socket = Socket.open(family, SOCK_DGRAM, 0);
    const name = encodeInet({ address: parseIpAddress(foreign)!, port: 0 });
    assertFields(assertThrows(() => socket.bind(name)), {
      name: "SyscallError",
      call: "bind",
      errno: Errno.EADDRNOTAVAIL,
    });
    using taken = bound(family, address);
    assertFields(assertThrows(() => socket.bind(taken.localName())), { errno: Errno.EADDRINUSE });
  });
}

Deno.test("datagrams of every size arrive whole, from parts of larger buffers into parts of larger buffers", async () => {
  await assertNoLeaks(() => {
    using socket = bound(AF_INET, "127.0.0.1");
    const to = socket.localName();
    const random = new Random(0x50c);
    const room = random.bytes(70_000) as Uint8Array<ArrayBuffer>;
    for (const length of [0, 1, 63, 64, 65, 255, 256, 1500, 9000, 65_507]) {
      const start = random.below(1000);
      const sent = room.subarray(start, start + length);
      assertStrictEquals(socket.send(sent, to), length);
      const into = new Uint8Array(70_000).fill(0xa5);
      const part = into.subarray(5, 5 + length + 1);
      assertStrictEquals(socket.receive(part, 0), length);
      assertEquals(part.subarray(0, length), sent);
      assertEquals([into[4], into[5 + length]], [0xa5, 0xa5], "nothing is written outside");
    }
    assertFields(assertThrows(() => socket.send(new Uint8Array(65_508), to)), { errno: Errno.EMSGSIZE });
  });
});

Deno.test("the same buffer is sent with its current content, also after a garbage collection", async () => {
  await assertNoLeaks(() => {
    using socket = bound(AF_INET, "127.0.0.1");
    const to = socket.localName();
    const buffer = new Uint8Array(8);
    const into = new Uint8Array(8);
    for (let i = 0; i < 2000; i++) {
      buffer.fill(i);
      socket.send(buffer, to);
      // Enough garbage to make the collector move whatever it can.
      if (i % 100 === 0) Array.from({ length: 2000 }, () => new Uint8Array(64));
      socket.receive(into, 0);
      assertEquals(into, buffer);
    }
  });
});

Deno.test("two sockets do not share their message headers", () => {
  using a = bound(AF_INET, "127.0.0.1");
  using b = bound(AF_INET6, "::1");
  const buffer = new Uint8Array(1);
  assertStrictEquals(a.sender.length, 0);
  a.send(buffer, a.localName());
  b.send(buffer, b.localName());
  a.receive(buffer, 0);
  b.receive(buffer, 0);
  assertEquals([a.sender.length, b.sender.length], [16, 28]);
});

Deno.test("a receive with a timeout fails with EAGAIN after it, and not before", () => {
  using socket = bound(AF_INET, "127.0.0.1");
  for (const milliseconds of [30, 1050]) {
    setReceiveTimeout(socket, milliseconds);
    const start = performance.now();
    assertFields(assertThrows(() => socket.receive(new Uint8Array(1), 0)), { errno: Errno.EAGAIN });
    const elapsed = performance.now() - start;
    assert(elapsed >= milliseconds - 5, `${elapsed} ms`);
  }
});

Deno.test("options: an int both ways, the bytes of a struct, and an unknown option", () => {
  using socket = bound(AF_INET, "127.0.0.1");
  assertStrictEquals(socket.option(SOL_SOCKET, SO_NO_CHECK), 0);
  socket.setOption(SOL_SOCKET, SO_NO_CHECK, 1);
  assertStrictEquals(socket.option(SOL_SOCKET, SO_NO_CHECK), 1);
  socket.setOption(SOL_SOCKET, SO_RCVBUF, 10_000);
  // The kernel doubles the size for its own records.
  assertStrictEquals(socket.option(SOL_SOCKET, SO_RCVBUF), 20_000);
  socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, 50_000_000);
  assertStrictEquals(socket.option(SOL_SOCKET, SO_RCVBUF), 100_000_000);
  assertFields(assertThrows(() => socket.option(SOL_SOCKET, 9999)), {
    errno: Errno.ENOPROTOOPT,
    call: "getsockopt(1, 9999)",
  });
  assertFields(assertThrows(() => socket.setOption(SOL_SOCKET, SO_RCVBUF, new Uint8Array(1))), {
    errno: Errno.EINVAL,
    call: "setsockopt(1, 8)",
  });
});

Deno.test("Socket.open(): inherited by child processes or not, and unknown families", () => {
  const closeOnExec = (socket: Socket): boolean =>
    (Number.parseInt(
      /^flags:\s+(\d+)$/m.exec(Deno.readTextFileSync(`/proc/self/fdinfo/${socket.number}`))![1]!,
      8,
    ) &
      0o2000000) !== 0;
  using own = Socket.open(AF_INET, SOCK_DGRAM, 0);
  using passed = Socket.open(AF_INET, SOCK_DGRAM, 0, { inheritable: true });
  assertEquals([closeOnExec(own), closeOnExec(passed)], [true, false]);
  assertFields(assertThrows(() => Socket.open(255, SOCK_DGRAM, 0)), {
    name: "SyscallError",
    call: "socket(255, 2, 0)",
    errno: Errno.EAFNOSUPPORT,
  });
  using netlink = Socket.open(AF_NETLINK, SOCK_RAW, 0);
  assert(netlink.number > 2);
});

Deno.test("an ICMP error is returned by the next call: no socket is bound", () => {
  using closed = bound(AF_INET, "127.0.0.1");
  const nobody = closed.localName();
  closed.close();
  using socket = Socket.open(AF_INET, SOCK_DGRAM, 0);
  socket.connect(nobody);
  socket.send(Uint8Array.of(1));
  setReceiveTimeout(socket, 2000);
  assertFields(assertThrows(() => socket.receive(new Uint8Array(1), 0)), { errno: Errno.ECONNREFUSED });
});

Deno.test("sendInBackground() sends on another thread, and returns whether it did", async () => {
  await assertNoLeaks(async () => {
    using socket = bound(AF_INET, "127.0.0.1");
    assertStrictEquals(await socket.sendInBackground(Uint8Array.of(4, 5), socket.localName()), true);
    const buffer = new Uint8Array(4);
    assertStrictEquals(socket.receive(buffer, 0), 2);
    assertDeepStrictEquals([...buffer], [4, 5, 0, 0]);
    assertStrictEquals(await socket.sendInBackground(Uint8Array.of(1)), false);
    assertStrictEquals(await socket.sendInBackground(new Uint8Array(70_000), socket.localName()), false);
  });
});
