/** `ffi/packets/mod.ts` and `ffi/sockets/control_messages.ts` over UDP on the loopback interface of a namespace. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { AF_INET, AF_INET6 } from "../../src/base/inet.ts";
import { cmsgLength, cmsgSpace, findCmsg, writeCmsg } from "../../ffi/sockets/control_messages.ts";
import { lastErrno } from "../../ffi/errno.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { openNetns, withNetns } from "../../ffi/kernel/netns.ts";
import { packetLibc } from "../../ffi/packet_libc.ts";
import { NAME_STRIDE, PacketArena, ReceiveVector, Remote, SendVector } from "../../ffi/packets/mod.ts";
import { decodeInet, encodeInet } from "../../ffi/sockets/sockaddr.ts";
import type { Socket } from "../../ffi/sockets/socket.ts";
import { openUdp, probeUdpSegment, setUdpGro, takeError } from "../../ffi/sockets/udp.ts";
import { Errno } from "../../src/base/errno.ts";
import { formatIpAddress, parseIpAddress } from "../../src/base/ip_address.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { Namespace } from "../support/namespaces.ts";
import { Random } from "../support/random.ts";

// Opened here, because a library opened within a test counts as a leak.
bindLibc();
packetLibc();

const FAMILIES = [
  { family: AF_INET, any: "0.0.0.0", first: "127.0.0.1", second: "127.0.0.2" },
  { family: AF_INET6, any: "::", first: "::1", second: "fd00::2" },
] as const;

/** A namespace with the second address, too. */
async function loopback(): Promise<Namespace> {
  const namespace = await Namespace.create("l2tp-ffi");
  await namespace.ip("addr add fd00::2/128 dev lo nodad");
  return namespace;
}

/** A UDP socket in the namespace, bound to a free port of the address. */
function bound(namespace: Namespace, address: string, pktinfo = false): Socket {
  using netns = openNetns(namespace.name);
  const local = { address: parseIpAddress(address)!, port: 0 };
  const family = local.address.length === 4 ? AF_INET : AF_INET6;
  return withNetns(
    netns,
    () => openUdp(family, { local, pktinfo, receiveBuffer: 4 << 20, sendBuffer: 4 << 20 }),
  );
}

function remote(address: string, socket: Socket, from?: string): Remote {
  const name = encodeInet({ address: parseIpAddress(address)!, port: decodeInet(socket.localName()).port });
  return new Remote(name, from === undefined ? undefined : { address: parseIpAddress(from)! });
}

/** Makes message `index` of these bytes; the first one starts a new batch. */
function set(send: SendVector, index: number, offset: number, length: number, to?: Remote): void {
  if (index === 0) send.clear();
  assertStrictEquals(send.count, index);
  send.begin(to);
  send.add(offset, length);
}

function sender(vector: ReceiveVector, index: number): string {
  const start = index * NAME_STRIDE;
  const { address, port } = decodeInet(vector.names.subarray(start, start + vector.nameLength(index)));
  return `${formatIpAddress(address)} ${port}`;
}

function destination(vector: ReceiveVector, index: number, length: number): string | undefined {
  const at = vector.destination(index);
  return at < 0 ? undefined : formatIpAddress(vector.controls.subarray(at, at + length));
}

Deno.test("PacketArena: slots at cache lines, headroom before each, in new or in given memory", () => {
  const arena = new PacketArena({ slots: 3, slotSize: 100, headroom: 10 });
  assertEquals([arena.stride, arena.bytes.length, arena.start(0), arena.start(2)], [128, 384, 10, 266]);
  assertStrictEquals(PacketArena.size({ slots: 3, slotSize: 100, headroom: 10 }), 384);
  assertStrictEquals(new PacketArena({ slotSize: 1 }).slots, 64);
  const buffer = new WebAssembly.Memory({ initial: 1, maximum: 1 }).buffer as ArrayBuffer;
  const within = new PacketArena({ slots: 4, slotSize: 64, memory: buffer, memoryOffset: 128 });
  assertStrictEquals(within.bytes.buffer, buffer);
  assertEquals([within.bytes.length, within.start(0), within.start(1)], [65536, 128, 192]);
  within.view.setUint8(128, 0xa5);
  assertStrictEquals(new Uint8Array(buffer)[128], 0xa5);
  assertThrows(() => new PacketArena({ slotSize: 1, memory: buffer, memoryOffset: 8 }), RangeError);
  assertThrows(
    () => new PacketArena({ slots: 1024, slotSize: 64, memory: buffer, memoryOffset: 64 }),
    RangeError,
  );
  assertThrows(() => new ReceiveVector(arena, { firstSlot: 2, slots: 2 }), RangeError);
  assertThrows(() => new ReceiveVector(arena, { firstSlot: 3 }), RangeError);
});

for (const { family, any, first, second } of FAMILIES) {
  const size = family === AF_INET ? 4 : 16;

  Deno.test(`packets over ${first}: a batch arrives in order, with lengths, senders and bytes`, async () => {
    await using scratch = await loopback();
    await assertNoLeaks(() => {
      using a = bound(scratch, first);
      using b = bound(scratch, second);
      using to = bound(scratch, first);
      const random = new Random(0xba7c);
      const out = new PacketArena({ slots: 8, slotSize: 1500, headroom: 16 });
      const into = new PacketArena({ slots: 16, slotSize: 1500, headroom: 32 });
      out.bytes.set(random.bytes(out.bytes.length));
      into.bytes.fill(0xa5);
      const send = new SendVector(out, { messages: 8 });
      const receive = new ReceiveVector(into, { firstSlot: 4, slots: 12 });
      const peer = remote(first, to);
      const lengths = [0, 1, 17, 576, 1400, 1499, 1500, 64];
      lengths.forEach((length, i) => set(send, i, out.start(i) - i, length, peer));
      assertStrictEquals(send.send(a.number, 0, 5), 5);
      assertStrictEquals(send.send(b.number, 5, 3), 3);
      assertStrictEquals(send.send(b.number, 5, 0), 0);
      assertStrictEquals(receive.receive(to.number), 8);
      for (const [i, length] of lengths.entries()) {
        const start = receive.start(i);
        assertStrictEquals(start, into.start(4 + i));
        assertStrictEquals(receive.length(i), length);
        assertStrictEquals(receive.truncated(i), false);
        assertStrictEquals(receive.destination(i), -1, "not asked for");
        const from = i < 5 ? a : b;
        assertStrictEquals(
          sender(receive, i),
          `${i < 5 ? first : second} ${decodeInet(from.localName()).port}`,
        );
        const sent = out.bytes.subarray(out.start(i) - i, out.start(i) - i + length);
        assertEquals(into.bytes.subarray(start, start + length), sent);
        assertStrictEquals(into.bytes[start - 1], 0xa5, "headroom");
        if (length < 1500) assertStrictEquals(into.bytes[start + length], 0xa5);
      }
      assert(into.bytes.subarray(0, into.start(4)).every((byte) => byte === 0xa5), "other slots");
      assertStrictEquals(receive.receive(to.number), -1);
      assertStrictEquals(lastErrno(), Errno.EAGAIN);
    });
  });

  Deno.test(`packets over ${first}: destination addresses, and answers from them`, async () => {
    await using scratch = await loopback();
    await assertNoLeaks(() => {
      using client = bound(scratch, first, true);
      using server = bound(scratch, any, true);
      const arena = new PacketArena({ slots: 8, slotSize: 100 });
      const send = new SendVector(arena, { messages: 8 });
      const receive = new ReceiveVector(arena, { firstSlot: 4, control: true });
      set(send, 0, arena.start(0), 10, remote(first, server));
      set(send, 1, arena.start(0), 11, remote(second, server));
      assertStrictEquals(send.send(client.number, 0, 2), 2);
      assertStrictEquals(receive.receive(server.number), 2);
      assertEquals([0, 1].map((i) => destination(receive, i, size)), [first, second]);
      assertEquals([0, 1].map((i) => receive.interfaceIndex(i)), [1, 1]);
      // Without a source, the kernel answers from its preferred address, which the client did not write to.
      set(send, 0, arena.start(0), 20, remote(first, client, second));
      set(send, 1, arena.start(0), 21, remote(first, client));
      set(send, 2, arena.start(0), 22, remote(first, client, any));
      assertStrictEquals(send.send(server.number, 0, 3), 3);
      assertStrictEquals(receive.receive(client.number, 2), 2);
      const port = decodeInet(server.localName()).port;
      assertStrictEquals(sender(receive, 0), `${second} ${port}`);
      assertStrictEquals(sender(receive, 1), `${first} ${port}`);
      assertStrictEquals(receive.receive(client.number, 2), 1, "the count is the most");
      assertStrictEquals(sender(receive, 0), `${first} ${port}`);
      assertStrictEquals(destination(receive, 0, size), first, "room was made again for each batch");
    });
  });

  Deno.test(`packets over ${first}: a message that is too long is truncated and flagged`, async () => {
    await using scratch = await loopback();
    await assertNoLeaks(() => {
      using a = bound(scratch, first);
      using b = bound(scratch, first, true);
      const out = new PacketArena({ slots: 1, slotSize: 2000 });
      const into = new PacketArena({ slots: 4, slotSize: 100 });
      const send = new SendVector(out, { messages: 3 });
      const receive = new ReceiveVector(into);
      for (const [i, length] of [100, 101, 5].entries()) set(send, i, 0, length, remote(first, b));
      assertStrictEquals(send.send(a.number, 0, 3), 3);
      assertStrictEquals(receive.receive(b.number), 3);
      assertEquals([0, 1, 2].map((i) => receive.length(i)), [100, 100, 5]);
      // The second is too long; all have a control message without room.
      assertEquals([0, 1, 2].map((i) => receive.truncated(i)), [true, true, true]);
      const roomy = new ReceiveVector(into, { control: true });
      assertStrictEquals(send.send(a.number, 0, 3), 3);
      assertStrictEquals(roomy.receive(b.number), 3);
      assertEquals([0, 1, 2].map((i) => roomy.truncated(i)), [false, true, false]);
    });
  });
}

Deno.test("SendVector: an error in the middle of a batch is returned by the call that starts there", async () => {
  await using scratch = await loopback();
  await assertNoLeaks(() => {
    using a = bound(scratch, "127.0.0.1");
    using b = bound(scratch, "127.0.0.1");
    const arena = new PacketArena({ slots: 2, slotSize: 70_000 });
    const send = new SendVector(arena, { messages: 4 });
    const good = remote("127.0.0.1", b);
    const nowhere = new Remote(encodeInet({ address: parseIpAddress("192.0.2.1")!, port: 9 }));
    set(send, 0, 0, 10, good);
    set(send, 1, 0, 10, nowhere);
    set(send, 2, 0, 66_000, good);
    set(send, 3, 0, 12, good);
    assertStrictEquals(send.send(a.number, 0, 4), 1);
    assertStrictEquals(send.send(a.number, 1, 3), -1);
    assertStrictEquals(lastErrno(), Errno.ENETUNREACH);
    assertStrictEquals(takeError(a), 0, "nothing is left of it");
    assertStrictEquals(send.send(a.number, 2, 2), -1);
    assertStrictEquals(lastErrno(), Errno.EMSGSIZE);
    assertStrictEquals(send.send(a.number, 3, 1), 1);
    const receive = new ReceiveVector(new PacketArena({ slots: 8, slotSize: 100 }));
    assertStrictEquals(receive.receive(b.number), 2);
    assertEquals([receive.length(0), receive.length(1)], [10, 12]);
    set(send, 0, 0, 10);
    assertStrictEquals(send.send(a.number, 0, 1), -1);
    assertStrictEquals(lastErrno(), Errno.EDESTADDRREQ);
    a.connect(b.localName());
    assertStrictEquals(send.send(a.number, 0, 1), 1);
    assertStrictEquals(receive.receive(b.number), 1);
  });
});

Deno.test("SendVector and Remote: invalid messages are refused before the call into C", () => {
  const arena = new PacketArena({ slots: 2, slotSize: 64 });
  const send = new SendVector(arena, { messages: 2, parts: 3 });
  assertThrows(() => send.add(0, 1), RangeError, undefined, "no message");
  send.begin();
  assertThrows(() => send.add(100, 29), RangeError);
  assertThrows(() => send.add(-1, 1), RangeError);
  assertThrows(() => send.add(0, Number.NaN), RangeError);
  for (let i = 0; i < 3; i++) send.add(0, 1);
  assertStrictEquals(send.room, 0);
  assertThrows(() => send.add(0, 1), RangeError, undefined, "no room");
  send.begin();
  assertThrows(() => send.begin(), RangeError, undefined, "no room");
  assertThrows(() => send.send(1, 1, 2), RangeError);
  assertThrows(() => send.send(1, -1, 1), RangeError);
  assertThrows(() => new Remote(new Uint8Array(33)), RangeError);
  assertThrows(() => new Remote(new Uint8Array(16), { address: new Uint8Array(5) }), RangeError);
});

for (const { first } of FAMILIES) {
  Deno.test(`packets over ${first}: a super-datagram becomes many datagrams, and is coalesced again`, async () => {
    await using scratch = await loopback();
    await assertNoLeaks(() => {
      using a = bound(scratch, first);
      using to = bound(scratch, first);
      using joining = bound(scratch, first);
      setUdpGro(joining, true);
      probeUdpSegment(a);
      const random = new Random(0x650);
      const arena = new PacketArena({ slots: 8, slotSize: 65_536 });
      arena.bytes.subarray(0, 65_536).set(random.bytes(65_536));
      const send = new SendVector(arena, { messages: 4, parts: 64 });
      const receive = new ReceiveVector(arena, { firstSlot: 2, control: true });
      // Three datagrams of 1,000 bytes and one of 7, with other part boundaries; and a plain one.
      const parts = [[0, 400], [5000, 1600], [9000, 7], [20_000, 1000]] as const;
      const whole = Uint8Array.of(
        ...parts.flatMap(([at, length]) => [...arena.bytes.subarray(at, at + length)]),
      );
      for (const [socket, expected] of [[to, [1000, 1000, 1000, 7]], [joining, [3007]]] as const) {
        send.clear();
        send.begin(remote(first, socket), 1000);
        for (const [at, length] of parts) send.add(at, length);
        send.begin(remote(first, socket));
        send.add(77, 9);
        assertStrictEquals(send.send(a.number, 0, 2), 2);
        assertStrictEquals(receive.receive(socket.number), expected.length + 1);
        const lengths = [...expected.keys()].map((i) => receive.length(i));
        assertEquals<unknown>(lengths, expected);
        const bytes = expected.flatMap((length, i) => {
          const at = receive.start(i);
          return [...arena.bytes.subarray(at, at + length)];
        });
        assertEquals(Uint8Array.from(bytes), whole);
        assertStrictEquals(receive.segmentSize(0), socket === joining ? 1000 : 0);
        assertStrictEquals(receive.length(expected.length), 9);
        assertStrictEquals(receive.segmentSize(expected.length), 0, "the plain one");
      }
    });
  });
}

Deno.test("vectors work after garbage collections, for thousands of batches", async () => {
  await using scratch = await loopback();
  await assertNoLeaks(() => {
    using a = bound(scratch, "127.0.0.1", true);
    const arena = new PacketArena({ slots: 32, slotSize: 256 });
    const send = new SendVector(arena, { messages: 16 });
    const receive = new ReceiveVector(arena, { firstSlot: 16, control: true });
    for (let round = 0; round < 2000; round++) {
      // Only the vector refers to these.
      for (let i = 0; i < 16; i++) {
        if (round % 10 === 0) set(send, i, arena.start(i), 200, remote("127.0.0.1", a, "127.0.0.2"));
        arena.view.setUint32(arena.start(i), round * 16 + i);
      }
      if (round % 100 === 0) Array.from({ length: 2000 }, () => new Uint8Array(64));
      assertStrictEquals(send.send(a.number, 0, 16), 16);
      assertStrictEquals(receive.receive(a.number), 16);
      for (let i = 0; i < 16; i++) {
        assertStrictEquals(arena.view.getUint32(receive.start(i)), round * 16 + i);
        assertStrictEquals(receive.length(i), 200);
      }
      assertStrictEquals(destination(receive, 15, 4), "127.0.0.1");
    }
  });
});

Deno.test("findCmsg() walks as CMSG_NXTHDR does, and not beyond the end", () => {
  const words = new Uint32Array(40);
  assertEquals([cmsgLength(4), cmsgSpace(4), cmsgLength(12), cmsgSpace(12)], [20, 24, 28, 32]);
  assertStrictEquals(writeCmsg(words, 8, 1, 1, 4), 24);
  assertStrictEquals(writeCmsg(words, 32, 0, 8, 12), 48);
  assertStrictEquals(findCmsg(words, 8, 56, 1, 1, 4), 24);
  assertStrictEquals(findCmsg(words, 8, 56, 0, 8, 12), 48);
  assertStrictEquals(findCmsg(words, 8, 52, 0, 8, 12), 48, "the last one's padding may be missing");
  assertStrictEquals(findCmsg(words, 8, 51, 0, 8, 12), -1);
  assertStrictEquals(findCmsg(words, 8, 56, 0, 8, 13), -1, "shorter than asked");
  assertStrictEquals(findCmsg(words, 8, 56, 41, 50, 20), -1);
  assertStrictEquals(findCmsg(words, 8, 0, 1, 1, 4), -1);
  for (const length of [0, 15, 0xffff_ffff]) {
    words[2] = length;
    assertStrictEquals(findCmsg(words, 8, 56, 0, 8, 12), -1, `a length of ${length}`);
  }
});
