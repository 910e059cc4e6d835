/** `ffi/sockets/unix_listener.ts` on this machine's kernel: permissions, live and dead servers, other files. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { AF_UNIX, encodeUnix } from "../../ffi/sockets/sockaddr.ts";
import { SOCK_DGRAM, Socket } from "../../ffi/sockets/socket.ts";
import { UnixConnection } from "../../ffi/sockets/unix.ts";
import { groupId, UnixListener } from "../../ffi/sockets/unix_listener.ts";
import { Errno } from "../../src/base/errno.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { runProgram } from "../support/processes.ts";
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

Deno.test("UnixListener.listen(): mode and group as requested, whatever the umask; removed when closed", async () => {
  await atPath((path) => {
    const umask = Deno.umask(0o777);
    try {
      for (
        const [mode, group, gid] of [[0o600, undefined, Deno.gid()], [0o666, 12345, 12345], [
          0o660,
          "daemon",
          1,
        ]] as const
      ) {
        using listener = UnixListener.listen(path, { mode, group });
        const status = Deno.lstatSync(path);
        assert(status.isSocket);
        assertDeepStrictEquals([status.mode! & 0o7777, status.gid, status.uid], [mode, gid, Deno.uid()]);
        listener.close();
        assertThrows(() => Deno.lstatSync(path), Deno.errors.NotFound);
        listener.close();
      }
    } finally {
      Deno.umask(umask);
    }
    assertStrictEquals(groupId("root"), 0);
    assertFields(assertThrows(() => UnixListener.listen(path, { mode: 0o600, group: "no-such-group" })), {
      call: 'getgrnam("no-such-group")',
      errno: Errno.ENOENT,
    });
    assertThrows(() => Deno.lstatSync(path), Deno.errors.NotFound);
  });
});

Deno.test("the mode decides who may connect", async () => {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-unix-" });
  try {
    await Deno.chmod(folder, 0o755);
    const connect = async (path: string): Promise<number> => {
      const program = "import socket,sys,os; os.setgid(54321); os.setuid(54321); " +
        "s=socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); sys.exit(s.connect_ex(sys.argv[1]))";
      return (await runProgram(["python3", "-c", program, path])).code;
    };
    for (const [mode, group, code] of [[0o660, 0, Errno.EACCES], [0o660, 54321, 0], [0o666, 0, 0]] as const) {
      using listener = UnixListener.listen(`${folder}/api.sock`, { mode, group });
      assertStrictEquals(await connect(listener.path), code);
      using connection = listener.accept();
      if (code !== 0) assertStrictEquals(connection, undefined);
      else {assertEquals([connection!.peerCredentials().uid, connection!.peerCredentials().gid], [
          54321,
          54321,
        ]);}
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Another process that listens at the path, and reports it. */
async function withServer(path: string, action: (child: Deno.ChildProcess) => Promise<void>): Promise<void> {
  const url = new URL("../../ffi/sockets/unix_listener.ts", import.meta.url).href;
  const program = `import { UnixListener } from "${url}";
    const listener = UnixListener.listen("${path}", { mode: 0o600 });
    console.log("listening");
    setInterval(() => listener.number, 1000);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-config", "--ext=ts", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const reader = child.stdout.getReader();
  try {
    const { value } = await reader.read();
    assertStrictEquals(new TextDecoder().decode(value), "listening\n");
    await action(child);
  } finally {
    try {
      child.kill("SIGKILL");
    } catch {
      // The test killed it.
    }
    await child.status;
    await reader.cancel();
  }
}

// The server is another process of Deno, which qemu-user cannot start: it passes execve(2) to the kernel (ENOEXEC).
Deno.test("a live server's socket is not taken; a killed one's is replaced", {
  ignore: EMULATED,
}, async () => {
  await atPath(async (path) => {
    await withServer(path, async (child) => {
      const inUse = { name: "SyscallError", call: `bind("${path}")`, errno: Errno.EADDRINUSE };
      assertFields(assertThrows(() => UnixListener.listen(path, { mode: 0o600 })), inUse);
      using client = UnixConnection.connect(path, { timeoutMs: 2000 });
      assertStrictEquals(client.peerCredentials().pid, child.pid);
      child.kill("SIGKILL");
      await child.status;
      assert(Deno.lstatSync(path).isSocket, "left behind");
      assertFields(assertThrows(() => UnixConnection.connect(path)), {
        call: `connect("${path}")`,
        errno: Errno.ECONNREFUSED,
      });
      using listener = UnixListener.listen(path, { mode: 0o600 });
      using again = UnixConnection.connect(path);
      using server = listener.accept()!;
      assertStrictEquals(server.peerCredentials().pid, again.peerCredentials().pid);
      assertFields(assertThrows(() => UnixListener.listen(path, { mode: 0o600 })), inUse);
    });
  });
});

Deno.test("a path of another kind of file or of another live socket is not replaced", async () => {
  await atPath((path) => {
    const inUse = { call: `bind("${path}")`, errno: Errno.EADDRINUSE };
    const refused = (): void =>
      assertFields(assertThrows(() => UnixListener.listen(path, { mode: 0o600 })), inUse);
    Deno.writeTextFileSync(path, "precious");
    refused();
    assertStrictEquals(Deno.readTextFileSync(path), "precious");
    Deno.removeSync(path);
    Deno.symlinkSync("/nowhere", path);
    refused();
    Deno.removeSync(path);
    {
      using foreign = Socket.open(AF_UNIX, SOCK_DGRAM, 0);
      foreign.bind(encodeUnix(path));
      refused();
      Deno.lstatSync(path);
    }
    using listener = UnixListener.listen(path, { mode: 0o600 });
    assert(listener.number > 2);
    // Another file was moved there: closing leaves it in place.
    Deno.removeSync(path);
    Deno.writeTextFileSync(path, "new");
    listener.close();
    assertStrictEquals(Deno.readTextFileSync(path), "new");
  });
});

Deno.test("paths: too long, empty, with a NUL, in a folder that does not exist", async () => {
  await atPath((path) => {
    const long = (length: number): string => `${path}-`.padEnd(length, "x");
    using longest = UnixListener.listen(long(107), { mode: 0o600 });
    using client = UnixConnection.connect(long(107));
    assert(client.number > longest.number);
    for (const bad of [long(108), "", "a\0b", "é".repeat(54)]) {
      assertThrows(() => UnixListener.listen(bad, { mode: 0o600 }), RangeError);
      assertThrows(() => UnixConnection.connect(bad), RangeError);
    }
    assertFields(assertThrows(() => UnixListener.listen("/no/such/folder/x", { mode: 0o600 })), {
      call: 'open("/no/such/folder/x.lock")',
      errno: Errno.ENOENT,
    });
    assertFields(assertThrows(() => UnixConnection.connect("/no/such/folder/x")), { errno: Errno.ENOENT });
  });
});
