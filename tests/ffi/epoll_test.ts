/** `ffi/process/epoll.ts` and `ffi/memory.ts` on this machine. */

import { assert, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { Epoll, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from "../../ffi/process/epoll.ts";
import { EventFd } from "../../ffi/process/eventfd.ts";
import { openFile } from "../../ffi/fd.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { Address, pinned } from "../../ffi/memory.ts";
import { daemonLibc, localLibc, packetLibc } from "../../ffi/packet_libc.ts";
import { UnixConnection } from "../../ffi/sockets/unix.ts";
import { Errno } from "../../src/base/errno.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

/** Edge-triggered (`sys/epoll.h`), which src does not use: bit 31, the sign of an int. */
const EPOLLET = 0x8000_0000;

// Opened here, because a library opened within a test counts as a leak.
bindLibc();
packetLibc();
daemonLibc();
localLibc();

/** Events by tag of the last wait. */
function ready(epoll: Epoll, count: number): Map<number, number> {
  return new Map(Array.from({ length: count }, (_, i) => [epoll.tag(i), epoll.events(i)]));
}

Deno.test("Epoll reports ready descriptors, by tags of 32 bits", async () => {
  await assertNoLeaks(() => {
    using epoll = Epoll.open();
    using quiet = EventFd.open();
    using loud = EventFd.open();
    using louder = EventFd.open();
    epoll.add(quiet.number, EPOLLIN, 1);
    epoll.add(loud.number, EPOLLIN, 0xffff_ffff);
    epoll.add(louder.number, EPOLLIN | EPOLLOUT, 0x8000_0000);
    loud.signal();
    louder.signal();
    const count = epoll.wait(-1);
    assertDeepStrictEquals(
      ready(epoll, count),
      new Map([[0xffff_ffff, EPOLLIN], [0x8000_0000, EPOLLIN | EPOLLOUT]]),
    );
    loud.reset();
    assertDeepStrictEquals(ready(epoll, epoll.wait(0)), new Map([[0x8000_0000, EPOLLIN | EPOLLOUT]]));
  });
});

Deno.test("Epoll: modify, remove, a closed descriptor, and errors", async () => {
  await assertNoLeaks(() => {
    using epoll = Epoll.open();
    using event = EventFd.open();
    event.signal();
    epoll.add(event.number, EPOLLIN, 1);
    assertFields(assertThrows(() => epoll.add(event.number, EPOLLIN, 1)), {
      name: "SyscallError",
      call: "epoll_ctl(EPOLL_CTL_ADD)",
      errno: Errno.EEXIST,
    });
    epoll.modify(event.number, EPOLLOUT, 2);
    assertDeepStrictEquals(ready(epoll, epoll.wait(0)), new Map([[2, EPOLLOUT]]));
    epoll.remove(event.number);
    assertStrictEquals(epoll.wait(0), 0);
    assertFields(assertThrows(() => epoll.remove(event.number)), {
      call: "epoll_ctl(EPOLL_CTL_DEL)",
      errno: Errno.ENOENT,
    });
    assertFields(assertThrows(() => epoll.modify(event.number, EPOLLIN, 3)), {
      call: "epoll_ctl(EPOLL_CTL_MOD)",
      errno: Errno.ENOENT,
    });
    assertFields(assertThrows(() => epoll.add(123_456, EPOLLIN, 3)), { errno: Errno.EBADF });
    using file = openFile(new URL(import.meta.url).pathname);
    assertFields(assertThrows(() => epoll.add(file.number, EPOLLIN, 3)), { errno: Errno.EPERM });
    epoll.add(event.number, EPOLLIN, 4);
    event.close();
    assertStrictEquals(epoll.wait(0), 0);
  });
});

Deno.test("Epoll: edge-triggered descriptors are reported once; those beyond the capacity by the next wait", async () => {
  await assertNoLeaks(() => {
    using epoll = Epoll.open(2);
    using stack = new DisposableStack();
    for (let tag = 0; tag < 5; tag++) {
      const event = stack.use(EventFd.open());
      event.signal();
      epoll.add(event.number, EPOLLIN | EPOLLET, tag);
    }
    const seen: number[] = [];
    for (const expected of [2, 2, 1, 0]) {
      const count = epoll.wait(0);
      assertStrictEquals(count, expected);
      seen.push(...ready(epoll, count).keys());
    }
    assertDeepStrictEquals(seen.sort(), [0, 1, 2, 3, 4]);
  });
});

Deno.test("Epoll reports a peer that hung up", async () => {
  await assertNoLeaks(() => {
    using epoll = Epoll.open();
    const [left, right] = UnixConnection.pair();
    using near = left;
    using far = right;
    epoll.add(near.number, EPOLLIN | EPOLLRDHUP, 5);
    assertStrictEquals(epoll.wait(0), 0);
    far.close();
    assertStrictEquals(epoll.wait(0), 1);
    assertStrictEquals(epoll.events(0), EPOLLIN | EPOLLHUP | EPOLLRDHUP);
    assertStrictEquals(epoll.events(0) & EPOLLERR, 0);
  });
});

Deno.test("Epoll.wait() waits for its time", async () => {
  await assertNoLeaks(() => {
    using epoll = Epoll.open();
    const start = performance.now();
    assertStrictEquals(epoll.wait(30), 0);
    const elapsed = performance.now() - start;
    assert(elapsed >= 25, `${elapsed} ms`);
    const number = epoll.number;
    epoll.close();
    assertThrows(() => epoll.wait(0), ReferenceError);
    assert(number > 2);
  });
});

Deno.test("Epoll.waitInBackground() does not block the thread; the set may change meanwhile", async () => {
  await assertNoLeaks(async () => {
    using epoll = Epoll.open();
    using event = EventFd.open();
    let over = false;
    const waiting = epoll.waitInBackground(-1).then((count) => {
      over = true;
      return count;
    });
    assertThrows(() => epoll.wait(0), TypeError);
    await assertRejects(() => epoll.waitInBackground(0), TypeError);
    epoll.add(event.number, EPOLLIN, 9);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertStrictEquals(over, false);
    event.signal();
    assertDeepStrictEquals(ready(epoll, await waiting), new Map([[9, EPOLLIN]]));
    event.reset();
    assertStrictEquals(await epoll.waitInBackground(5), 0);
    assertStrictEquals(epoll.wait(0), 0);
  });
});

Deno.test("Address stores the low and the high half, also with a carry", () => {
  const bytes = pinned(64);
  const address = new Address(bytes);
  const whole = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  const words = new Uint32Array(4);
  const value = (): bigint => new BigUint64Array(words.buffer)[1]!;
  for (const offset of [0, 1, 63, 0xffff_ffff]) {
    address.store(words, 2, offset);
    assertStrictEquals(value(), whole + BigInt(offset));
  }
  assertDeepStrictEquals([words[0], words[1]], [0, 0]);
});
