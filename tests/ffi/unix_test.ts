/** `ffi/sockets/unix.ts` on this machine's kernel: friendly and hostile peers. */

import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { EventFd } from "../../ffi/process/eventfd.ts";
import { openFile, OwnedFd } from "../../ffi/fd.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { AF_UNIX, encodeUnix } from "../../ffi/sockets/sockaddr.ts";
import { Socket } from "../../ffi/sockets/socket.ts";
import { MAX_FDS, SOCK_SEQPACKET, UnixConnection } from "../../ffi/sockets/unix.ts";
import { UnixListener } from "../../ffi/sockets/unix_listener.ts";
import { Errno } from "../../src/base/errno.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { EMULATED } from "./emulated.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

// Opened here, because a library opened within a test counts as a leak.
bindLibc();
daemonLibc();
localLibc();

/** Runs the action with the path of a socket that does not exist yet, and checks that it leaks no descriptor. */
async function atPath(action: (path: string) => Promise<void> | void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-unix-" });
  try {
    await assertNoLeaks(() => action(`${folder}/api.sock`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Both ends of a connection; the server's end is non-blocking. */
function connected(listener: UnixListener): [client: UnixConnection, server: UnixConnection] {
  const client = UnixConnection.connect(listener.path, { timeoutMs: 2000 });
  return [client, listener.accept()!];
}

function bytes(...values: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(...values);
}

/** Flags of a descriptor from `/proc`. */
function flagsOf(fd: OwnedFd): number {
  return Number.parseInt(
    /^flags:\s+(\d+)$/m.exec(Deno.readTextFileSync(`/proc/self/fdinfo/${fd.number}`))![1]!,
    8,
  );
}

Deno.test("message boundaries and order are kept, both ways; each side sees the other close", async () => {
  await atPath((path) => {
    using listener = UnixListener.listen(path, { mode: 0o600 });
    assertStrictEquals(listener.accept(), undefined);
    const [client, server] = connected(listener);
    using near = client;
    using far = server;
    const buffer = new Uint8Array(100);
    assertStrictEquals(far.receive(buffer), undefined);
    assertStrictEquals(near.send(bytes(1, 2, 3)), true);
    assertStrictEquals(near.send(bytes(4)), true);
    assertEquals(far.receive(buffer), { length: 3, fds: [], truncated: false, fdsRefused: false });
    assertDeepStrictEquals([...buffer.subarray(0, 4)], [1, 2, 3, 0]);
    assertStrictEquals(far.receive(buffer)?.length, 1);
    assertStrictEquals(far.send(bytes(5, 6)), true);
    assertStrictEquals(near.receive(buffer)?.length, 2);
    far.close();
    assertStrictEquals(near.receive(buffer)?.length, 0);
    assertStrictEquals(near.receive(buffer)?.length, 0, "for ever");
    assertFields(assertThrows(() => near.send(bytes(1))), {
      name: "SyscallError",
      call: "sendmsg",
      errno: Errno.EPIPE,
    });
  });
});

Deno.test("a peer that closes with unread messages: its own messages arrive, then the end", async () => {
  await assertNoLeaks(() => {
    const [left, right] = UnixConnection.pair();
    using near = left;
    using far = right;
    near.send(bytes(1));
    far.send(bytes(7, 8));
    far.close();
    const buffer = new Uint8Array(10);
    assertEquals([near.receive(buffer)?.length, buffer[0]], [2, 7]);
    assertStrictEquals(near.receive(buffer)?.length, 0);
  });
});

Deno.test("a connecting side's calls block no longer than its timeout, and not at all with dontWait", async () => {
  await atPath((path) => {
    using listener = UnixListener.listen(path, { mode: 0o600 });
    using client = UnixConnection.connect(path, { timeoutMs: 50 });
    const buffer = new Uint8Array(10);
    const start = performance.now();
    assertStrictEquals(client.receive(buffer), undefined);
    const elapsed = performance.now() - start;
    assert(elapsed >= 45 && elapsed < 5000, `${elapsed} ms`);
    const again = performance.now();
    assertStrictEquals(client.receive(buffer, { dontWait: true }), undefined);
    assert(performance.now() - again < 40);
    using server = listener.accept()!;
    assertStrictEquals(flagsOf(server) & 0o2004000, 0o2004000, "O_NONBLOCK | O_CLOEXEC");
    assertStrictEquals(flagsOf(client) & 0o2004000, 0o2000000);
    assertStrictEquals(flagsOf(listener) & 0o2004000, 0o2004000);
  });
});

Deno.test("descriptors in messages: copies, with close-on-exec, owned by the receiver", async () => {
  await assertNoLeaks(() => {
    const [left, right] = UnixConnection.pair();
    using near = left;
    using far = right;
    using event = EventFd.open();
    using file = openFile("/proc/version");
    near.send(bytes(1), [event.number, file.number, event.number]);
    const message = far.receive(new Uint8Array(10), { maxFds: 5 })!;
    assertEquals([message.length, message.fds.length, message.fdsRefused], [1, 3, false]);
    const [first, second] = message.fds as [OwnedFd, OwnedFd];
    assertNotStrictEquals(first.number, event.number);
    assertStrictEquals(Deno.readLinkSync(`/proc/self/fd/${second.number}`), "/proc/version");
    for (const fd of message.fds) {
      assertStrictEquals(flagsOf(fd) & 0o2000000, 0o2000000);
      fd.close();
    }
    assertStrictEquals(event.closed, false);
    // None with the next message: descriptors are not delivered twice.
    near.send(bytes(2));
    assertEquals(far.receive(new Uint8Array(10), { maxFds: 5 })?.fds, []);
  });
});

// qemu-user receives into a larger buffer of its own, which takes more descriptors than asked for, without MSG_CTRUNC.
Deno.test("descriptors that nobody asked for are closed: none, fewer, or one fewer asked", {
  ignore: EMULATED,
}, async () => {
  await assertNoLeaks(() => {
    const [left, right] = UnixConnection.pair();
    using near = left;
    using far = right;
    using event = EventFd.open();
    const buffer = new Uint8Array(10);
    for (const [sent, maxFds] of [[1, 0], [2, 1], [3, 1], [MAX_FDS, 2], [MAX_FDS, MAX_FDS - 1]] as const) {
      near.send(bytes(1, 2), Array(sent).fill(event.number));
      const message = far.receive(buffer, { maxFds })!;
      assertEquals(
        message,
        { length: 2, fds: [], truncated: false, fdsRefused: true },
        `${sent} ${maxFds}`,
      );
    }
    near.send(bytes(1), Array(MAX_FDS).fill(event.number));
    const all = far.receive(buffer, { maxFds: MAX_FDS })!;
    assertEquals([all.fds.length, all.fdsRefused], [MAX_FDS, false]);
    for (const fd of all.fds) fd.close();
    assertThrows(() => near.send(bytes(1), Array(MAX_FDS + 1).fill(event.number)), RangeError);
    assertFields(assertThrows(() => near.send(bytes(1), [123_456])), { call: "sendmsg", errno: Errno.EBADF });
    // Never received: the kernel closes them with the socket.
    near.send(bytes(1), [event.number]);
  });
});

Deno.test("a message longer than the buffer is truncated, and its descriptors still arrive", async () => {
  await assertNoLeaks(() => {
    const [left, right] = UnixConnection.pair();
    using near = left;
    using far = right;
    using event = EventFd.open();
    near.send(new Uint8Array(1000).fill(7), [event.number]);
    near.send(bytes(9));
    const buffer = new Uint8Array(20);
    const message = far.receive(buffer.subarray(5, 15), { maxFds: 1 })!;
    assertEquals([message.length, message.truncated, message.fds.length], [10, true, 1]);
    message.fds[0]!.close();
    assertDeepStrictEquals([buffer[4], buffer[5], buffer[14], buffer[15]], [0, 7, 7, 0]);
    assertStrictEquals(far.receive(buffer)?.truncated, false, "the rest of it is gone");
    assertStrictEquals(buffer[0], 9);
  });
});

Deno.test("send(): false while the buffer is full; EMSGSIZE if it never fits; RangeError if empty", async () => {
  await assertNoLeaks(() => {
    const [left, right] = UnixConnection.pair();
    using near = left;
    using far = right;
    const large = new Uint8Array(60_000);
    let sent = 0;
    while (near.send(large)) sent++;
    assert(sent > 0 && sent < 100, `${sent}`);
    const buffer = new Uint8Array(60_000);
    for (let i = 0; i < sent; i++) assertStrictEquals(far.receive(buffer)?.length, 60_000);
    assertStrictEquals(far.receive(buffer), undefined);
    assertStrictEquals(near.send(large), true);
    assertFields(assertThrows(() => near.send(new Uint8Array(4 << 20))), { errno: Errno.EMSGSIZE });
    assertThrows(() => near.send(new Uint8Array(0)), RangeError);
    assertThrows(() => near.receive(new Uint8Array(0)), RangeError);
  });
});

Deno.test("a peer that sends an empty message looks closed, and should be closed", async () => {
  await atPath((path) => {
    using listener = UnixListener.listen(path, { mode: 0o600 });
    using hostile = Socket.open(AF_UNIX, SOCK_SEQPACKET, 0);
    hostile.connect(encodeUnix(path));
    using server = listener.accept()!;
    hostile.send(new Uint8Array(0));
    assertStrictEquals(server.receive(new Uint8Array(10))?.length, 0);
  });
});

Deno.test("peerCredentials(): of the connecting and of the listening side", async () => {
  await atPath((path) => {
    using listener = UnixListener.listen(path, { mode: 0o600 });
    const [client, server] = connected(listener);
    using near = client;
    using far = server;
    const own = { pid: Deno.pid, uid: Deno.uid(), gid: Deno.gid() };
    assertDeepStrictEquals(near.peerCredentials(), own);
    assertDeepStrictEquals(far.peerCredentials(), own);
  });
});
