/**
 * `src/driver/daemon_api/connection.ts`, `user_notifications.ts` and `daemon_process.ts` on this machine's kernel, against servers
 * that answer well, late, nonsense, or not at all.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { openFile } from "../../../ffi/fd.ts";
import { bindLibc } from "../../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../../ffi/packet_libc.ts";
import { Errno } from "../../../src/base/errno.ts";
import { DaemonError, type DaemonTrouble } from "../../../src/driver/daemon_api/error.ts";
import { DaemonProcess } from "../../../src/driver/daemon_api/process.ts";
import { NetlinkConnection } from "../../../src/driver/netlink/connection.ts";
import { DaemonNotifications } from "../../../src/driver/daemon_api/notifications.ts";
import { DaemonSocket } from "../../../src/driver/daemon_api/connection.ts";
import { daemonFiles } from "../../../src/model/daemon_files.ts";
import { L2TPD_FAMILY_ID } from "../../../src/wire/l2tpd/constants.ts";
import { L2TPD_CMD } from "../../../src/wire/l2tpd/family.ts";
import { decodeMessages } from "../../../src/wire/netlink/message.ts";
import { assertNoLeaks } from "../../support/descriptors.ts";
import { EMULATED } from "../../ffi/emulated.ts";
import { assertDeepStrictEquals, assertFields } from "../../support/assertions.ts";

// Opened here, because a library that is opened within a test counts as a leak of it.
bindLibc();
daemonLibc();
localLibc();

/** A daemon on a thread of its own, because clients block theirs. */
class Server implements AsyncDisposable {
  readonly path: string;
  readonly #folder: string;
  readonly #worker: Worker;
  readonly #said: (value: string) => void;
  readonly heard: string[] = [];
  #wait: (() => void) | undefined;

  private constructor(folder: string, behaviour: string, ready: (value: string) => void) {
    this.#folder = folder;
    this.path = daemonFiles(folder).socket;
    this.#said = ready;
    const source = WORKER.replace("BEHAVIOUR", behaviour).replace("PATH", JSON.stringify(this.path));
    const url = `data:text/javascript,${encodeURIComponent(source)}`;
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.onmessage = ({ data }): void => {
      if (data === "ready") this.#said(data);
      else this.heard.push(data);
      this.#wait?.();
    };
  }

  /** Starts one that behaves as the function does; it must not refer to anything else. */
  static async start(behaviour: string): Promise<Server> {
    const folder = await Deno.makeTempDir({ prefix: "l2tp-user-" });
    let server!: Server;
    await new Promise<string>((resolve) => server = new Server(folder, behaviour, resolve));
    return server;
  }

  /** The next thing that it heard. */
  async hear(): Promise<string> {
    while (this.heard.length === 0) await new Promise<void>((resolve) => this.#wait = resolve);
    return this.heard.shift()!;
  }

  /** Makes it do something. */
  tell(what: "notify" | "overrun" | "close" | "garbage"): void {
    this.#worker.postMessage(what);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.terminate();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

const at = (path: string): string => JSON.stringify(new URL(`../../../${path}`, import.meta.url).href);

/** What runs on the thread. */
const WORKER = `
import { UnixListener } from ${at("ffi/sockets/unix_listener.ts")};
import { L2TPD_FAMILY_ID } from ${at("src/wire/l2tpd/constants.ts")};
import { encodeL2tpdText, L2TPD_CMD } from ${at("src/wire/l2tpd/family.ts")};
import { encodeAcknowledgement } from ${at("src/wire/netlink/answer.ts")};
import { decodeMessages, encodeMessage } from ${at("src/wire/netlink/message.ts")};
const listener = UnixListener.listen(PATH, { mode: 0o600 });
const clients = [];
const buffer = new Uint8Array(65536);
const ack = (request, errno = 0) =>
  encodeAcknowledgement(request, 1, { errno, extack: undefined, attributeOffset: undefined });
const text = (type, command, text) =>
  encodeMessage({ type, flags: 0, sequence: 99, portId: 0, payload: encodeL2tpdText(command, text) });
const helloed = (request) =>
  encodeMessage({ ...request, flags: 0, payload: encodeL2tpdText(L2TPD_CMD.HELLO, "7") });
const behave = BEHAVIOUR;
globalThis.onmessage = ({ data }) => {
  for (const client of clients) {
    if (client.closed) continue;
    if (data === "notify") client.send(text(0x20, 1, "news"));
    if (data === "overrun") {
      client.send(encodeMessage({ type: 4, flags: 0, sequence: 0, portId: 0, payload: new Uint8Array(4) }));
    }
    if (data === "garbage") client.send(new Uint8Array([1, 2, 3]));
    if (data === "close") client.close();
  }
};
setInterval(() => {
  for (let client; (client = listener.accept()) !== undefined;) clients.push(client);
  for (const client of clients) {
    if (client.closed) continue;
    const message = client.receive(buffer, { maxFds: 8 });
    if (message === undefined) continue;
    if (message.length === 0) {
      client.close();
      postMessage("gone");
      continue;
    }
    const links = message.fds.map((fd) => Deno.readLinkSync("/proc/self/fd/" + fd.number));
    for (const fd of message.fds) fd.close();
    for (const request of decodeMessages(buffer.slice(0, message.length))) {
      postMessage([request.type, request.payload[0], ...links].join(" "));
      behave(request, client);
    }
  }
}, 1);
postMessage("ready");
`;

const GOOD_SERVER = `(request, client) => {
  if (request.payload[0] === L2TPD_CMD.HELLO) client.send(helloed(request));
  client.send(ack(request));
}`;

function troubleOf(action: () => void): DaemonTrouble | string {
  try {
    action();
    return "none";
  } catch (error) {
    return error instanceof DaemonError ? error.trouble : (error as Error).name;
  }
}

const TIMEOUT = { timeoutMs: 5000 };
const REQUEST = { operation: "TEST", type: 0x20, payload: new Uint8Array([8, 1, 0, 0]) };

Deno.test("UserSocket introduces the namespace it was opened in; requests take descriptors along", async () => {
  await using server = await Server.start(GOOD_SERVER);
  await assertNoLeaks(() => {
    using socket = DaemonSocket.connect(server.path, TIMEOUT);
    assertDeepStrictEquals([socket.version, socket.daemonPid], ["7", Deno.pid]);
    using connection = new NetlinkConnection(socket);
    using file = openFile("/dev/null");
    connection.request({ ...REQUEST, fds: [file.number] });
    connection.request(REQUEST);
  });
  const home = Deno.readLinkSync("/proc/thread-self/ns/net");
  assertStrictEquals(await server.hear(), `${L2TPD_FAMILY_ID} ${L2TPD_CMD.HELLO} ${home}`);
  assertStrictEquals(await server.hear(), "32 8 /dev/null");
  assertStrictEquals(await server.hear(), "32 8");
  assertStrictEquals(await server.hear(), "gone");
});

Deno.test("UserSocket: what is wrong with the daemon is told apart, and leaves nothing open", async () => {
  const table: [behaviour: string, expected: string][] = [
    [`() => {}`, "silent"],
    [`(_request, client) => client.close()`, "ended"],
    [`(request, client) => { client.send(helloed(request)); client.close(); }`, "ended"],
    [`(_request, client) => client.send(new Uint8Array([1, 2, 3]))`, "DecodeError"],
    [`(_request, client) => client.send(new Uint8Array(20).fill(255))`, "DecodeError"],
    [`(_request, client) => client.send(new Uint8Array(70000))`, "garbled"],
    [`(request, client) => client.send(ack(request, ${Errno.EPERM}))`, "NetlinkError"],
    [`(request, client) => client.send(ack({ ...request, sequence: 5 }))`, "NetlinkProtocolError"],
  ];
  for (const [behaviour, expected] of table) {
    await using server = await Server.start(behaviour);
    await assertNoLeaks(() => {
      const started = performance.now();
      const timeoutMs = expected === "silent" ? 200 : 5000;
      const trouble = troubleOf(() => DaemonSocket.connect(server.path, { timeoutMs })[Symbol.dispose]());
      assertStrictEquals(trouble, expected, behaviour);
      if (expected === "silent") assert(performance.now() - started >= 190);
    });
  }
});

Deno.test("UserSocket: no daemon, a dead one, a file, no permission to look, an impossible path", async () => {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-user-" });
  try {
    const path = daemonFiles(folder).socket;
    const connect = (path: string): string => troubleOf(() => DaemonSocket.connect(path, TIMEOUT));
    await assertNoLeaks(() => {
      assertStrictEquals(connect(path), "absent");
      assertStrictEquals(connect(`${folder}/no/such/folder/api.sock`), "absent");
      assertStrictEquals(connect(`${path}${"x".repeat(100)}`), "badPath");
      Deno.writeTextFileSync(path, "");
      assertStrictEquals(connect(path), "absent");
      assertStrictEquals(connect(`${path}/below`), "absent");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("UserSocket: a daemon that ends under way", async () => {
  await using server = await Server.start(`(request, client) => {
    if (request.type === 0x20) return client.close();
    client.send(helloed(request));
    client.send(ack(request));
  }`);
  using connection = new NetlinkConnection(DaemonSocket.connect(server.path, TIMEOUT));
  assertStrictEquals(troubleOf(() => connection.request(REQUEST)), "ended");
  assertStrictEquals(troubleOf(() => connection.request(REQUEST)), "ended");
});

/** Reads the text of the next datagram. */
async function next(source: DaemonNotifications): Promise<string | undefined> {
  const datagram = await source.next();
  if (datagram === undefined || datagram === "overrun") return datagram;
  return new TextDecoder().decode(decodeMessages(datagram)[0]!.payload.subarray(8, 12));
}

Deno.test("UserNotifications: what comes, also before the yes; losses; the end", async () => {
  await using server = await Server.start(`(request, client) => {
    if (request.payload[0] === L2TPD_CMD.HELLO) client.send(helloed(request));
    else client.send(text(0x20, 1, "soon"));
    client.send(ack(request));
  }`);
  await assertNoLeaks(async () => {
    const source = DaemonNotifications.open(server.path, "LISTEN", TIMEOUT);
    assertStrictEquals(await next(source), "soon");
    server.tell("notify");
    assertStrictEquals(await next(source), "news");
    server.tell("overrun");
    server.tell("notify");
    assertEquals([await next(source), await next(source)], ["overrun", "news"]);
    const pending = source.next();
    setTimeout(() => source.close(), 20);
    assertStrictEquals(await pending, undefined);
    source.close();
  });
  assertMatch(await server.hear(), new RegExp(`^${L2TPD_FAMILY_ID} ${L2TPD_CMD.HELLO} net:`));
  assertStrictEquals(await server.hear(), `${L2TPD_FAMILY_ID} ${L2TPD_CMD.LISTEN}`);
});

Deno.test("UserNotifications: closed before anybody waited; a daemon that closes, or refuses, or says nonsense", async () => {
  await using server = await Server.start(GOOD_SERVER);
  await assertNoLeaks(async () => {
    DaemonNotifications.open(server.path, "TRACE", TIMEOUT)[Symbol.dispose]();
    using source = DaemonNotifications.open(server.path, "LISTEN", TIMEOUT);
    server.tell("garbage");
    assertEquals(await source.next(), new Uint8Array([1, 2, 3]));
    const pending = source.next();
    server.tell("close");
    assertFields(await assertRejects(() => pending), { name: "DaemonError", trouble: "ended" });
  });
  await using refusing = await Server.start(`(request, client) => {
    if (request.payload[0] !== L2TPD_CMD.HELLO) return client.send(ack(request, ${Errno.EOPNOTSUPP}));
    client.send(helloed(request));
    client.send(ack(request));
  }`);
  await assertNoLeaks(() => {
    const open = (): DaemonNotifications => DaemonNotifications.open(refusing.path, "TRACE", TIMEOUT);
    assertFields(assertThrows(open), {
      name: "NetlinkError",
      operation: "L2TPD_CMD_TRACE",
      errno: Errno.EOPNOTSUPP,
    });
  });
  await using silent = await Server.start(`(request, client) => {
    if (request.payload[0] !== L2TPD_CMD.HELLO) return;
    client.send(helloed(request));
    client.send(ack(request));
  }`);
  const late = troubleOf(() => DaemonNotifications.open(silent.path, "LISTEN", { timeoutMs: 200 }));
  assertStrictEquals(late, "silent");
});

/** A program that is a daemon, as far as starting one goes; `before` is what it does first. */
async function daemonProgram(folder: string, before: string): Promise<string[]> {
  const source = WORKER.replace("BEHAVIOUR", GOOD_SERVER)
    .replace("PATH", 'Deno.env.get("L2TP_RUNTIME_DIR") + "/api.sock"')
    .replaceAll(/^ *postMessage\("ready"\);$/gm, "")
    .replaceAll("postMessage(", "void (");
  const path = `${folder}/daemon.mjs`;
  await Deno.writeTextFile(path, source.replace("const listener", `${before}\nconst listener`));
  return [Deno.execPath(), "run", "-A", "--no-check", "--no-config", path];
}

async function inFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-user-" });
  try {
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// The daemon outlives its starter, so its process counts as a leak.
const LASTING = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  {
    name: "DaemonProcess.start(): answers, in the folder, in a session of its own",
    ...LASTING,
    // The daemon is another process of Deno, which qemu-user cannot start: it passes execve(2) to the kernel (ENOEXEC).
    ignore: EMULATED,
  },
  async () => {
    await inFolder(async (folder) => {
      const runtimeDir = `${folder}/a/b`;
      const program = await daemonProgram(
        folder,
        'console.error("hello", Deno.args.join(), Deno.cwd(), Deno.env.get("NOTIFY_SOCKET"));',
      );
      Deno.env.set("NOTIFY_SOCKET", "/nowhere");
      try {
        const { socket, pid } = await DaemonProcess.start({ runtimeDir, program, limitMs: 30_000 });
        try {
          assertStrictEquals(socket.daemonPid, pid);
          assertStrictEquals(
            Deno.readTextFileSync(daemonFiles(runtimeDir).log),
            "hello daemon / undefined\n",
          );
          const stat = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
          assertStrictEquals(Number(stat[3]), pid, "session leader");
          // A second one ends by itself, and the first answers in its place.
          const again = await DaemonProcess.start({ runtimeDir, program, limitMs: 30_000 });
          assertDeepStrictEquals([again.pid, again.socket.daemonPid], [undefined, pid]);
          again.socket[Symbol.dispose]();
        } finally {
          socket[Symbol.dispose]();
          Deno.kill(pid!, "SIGKILL");
        }
      } finally {
        Deno.env.delete("NOTIFY_SOCKET");
      }
    });
  },
);

Deno.test(
  { name: "DaemonProcess.start(): one that ends, one that hangs, no program, no folder", ...LASTING },
  async () => {
    await inFolder(async (folder) => {
      const fails = async (program: string[], limitMs = 5000, runtimeDir = folder): Promise<DaemonError> => {
        const failure = await assertRejects(() => DaemonProcess.start({ runtimeDir, program, limitMs }));
        assert(failure instanceof DaemonError);
        assertStrictEquals(failure.trouble, "notStarted");
        return failure;
      };
      Deno.writeTextFileSync(daemonFiles(folder).log, "of another time\n");
      const started = performance.now();
      const ending = await fails([
        "/bin/sh",
        "-c",
        "for i in 1 2 3 4; do echo line $i >&2; echo >&2; done; exit 3",
      ]);
      assertEquals(ending.lastWords, ["line 2", "line 3", "line 4"]);
      assert(performance.now() - started < 4000, "is not waited for to the limit");
      assertEquals((await fails(["/bin/sh", "-c", "sleep 2"], 300)).lastWords, []);
      assertMatch((await fails(["/no/such/program"])).lastWords.join(), /no\/such\/program/);
      Deno.writeTextFileSync(`${folder}/file`, "");
      const nowhere = await fails(["/bin/true"], 5000, `${folder}/file/below`);
      assertStrictEquals(nowhere.lastWords.length, 1);
    });
  },
);
