/** Clients of the daemon that do what clients should not, and what they cannot do to others. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { openFile } from "../../ffi/fd.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { UnixConnection } from "../../ffi/sockets/unix.ts";
import { Errno } from "../../src/base/errno.ts";
import { NetlinkError } from "../../src/base/errors.ts";
import { encodeGetFamily, GENL_ID_CTRL } from "../../src/wire/genl/ctrl.ts";
import { L2TPD_FAMILY_ID } from "../../src/wire/l2tpd/constants.ts";
import { encodeL2tpdRequest, L2TPD_CMD } from "../../src/wire/l2tpd/family.ts";
import { beginGenl } from "../../src/wire/genl/header.ts";
import { L2TP_ATTR, L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { encodeSessionDump } from "../../src/wire/genl/l2tp/session.ts";
import { encodeTunnelCommand } from "../../src/wire/genl/l2tp/tunnel.ts";
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from "../../src/wire/netlink/constants.ts";
import { decodeError, decodeMessages, encodeMessage } from "../../src/wire/netlink/message.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { Random } from "../support/random.ts";
import { until } from "../support/until.ts";

bindLibc();
localLibc();
daemonLibc();

const HELLO = encodeMessage({
  type: L2TPD_FAMILY_ID,
  flags: NLM_F_REQUEST | NLM_F_ACK,
  sequence: 1,
  portId: 0,
  payload: encodeL2tpdRequest(L2TPD_CMD.HELLO),
});

const GET_FAMILY = encodeMessage({
  type: GENL_ID_CTRL,
  flags: NLM_F_REQUEST | NLM_F_ACK,
  sequence: 2,
  portId: 0,
  payload: encodeGetFamily("l2tp"),
});

/** A raw connection to the daemon: sends what the test dictates. */
class RawClient implements Disposable {
  readonly #connection: UnixConnection;
  readonly #buffer = new Uint8Array(new ArrayBuffer(64 * 1024));

  constructor(daemon: TestDaemon) {
    this.#connection = UnixConnection.connect(daemon.socketPath, { timeoutMs: 20_000 });
  }

  send(bytes: Uint8Array<ArrayBuffer>, fds: readonly number[] = []): void {
    this.#connection.send(bytes, fds);
  }

  hello(): void {
    using netns = openFile("/proc/thread-self/ns/net");
    this.send(HELLO, [netns.number]);
    this.receive();
    assertStrictEquals(this.errno(), 0);
  }

  /** The next datagram; empty if the daemon hung up. */
  receive(): Uint8Array {
    const message = this.#connection.receive(this.#buffer);
    assert(message !== undefined, "the daemon is silent");
    return this.#buffer.subarray(0, message.length);
  }

  /** The error number in the next datagram. */
  errno(): number {
    const [message] = decodeMessages(this.receive());
    return decodeError(message!).errno;
  }

  hungUp(): boolean {
    try {
      return this.receive().length === 0;
    } catch {
      return true;
    }
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** Asserts that a well-behaved client still gets replies. */
function assertServes(daemon: TestDaemon): void {
  using client = new RawClient(daemon);
  client.hello();
  client.send(GET_FAMILY);
  assert(client.receive().length > 40);
  assertStrictEquals(client.errno(), 0);
}

Deno.test("before HELLO every request is refused, and HELLO needs a network namespace, once", async () => {
  await using daemon = await TestDaemon.start();
  using client = new RawClient(daemon);
  client.send(GET_FAMILY);
  assertStrictEquals(client.errno(), Errno.ENOTCONN);
  client.send(HELLO);
  assertStrictEquals(client.errno(), Errno.EINVAL);
  using file = openFile("/dev/null");
  client.send(HELLO, [file.number]);
  assertStrictEquals(client.errno(), Errno.EINVAL);
  client.hello();
  using netns = openFile("/proc/thread-self/ns/net");
  client.send(HELLO, [netns.number]);
  assertStrictEquals(client.errno(), Errno.EBUSY);
  assertServes(daemon);
});

Deno.test("garbage, truncated messages and oversized datagrams end their connection only", async () => {
  await using daemon = await TestDaemon.start();
  const random = new Random(3);
  const noise = (length: number): Uint8Array<ArrayBuffer> =>
    Uint8Array.from({ length }, () => random.below(256));
  const cut = new Uint8Array(HELLO.slice(0, 10));
  for (const bytes of [noise(3), noise(17), cut, noise(200_000)]) {
    using client = new RawClient(daemon);
    client.hello();
    client.send(bytes);
    assert(client.hungUp(), `${bytes.length} bytes`);
  }
  for (let i = 0; i < 2000; i++) {
    using client = new RawClient(daemon);
    client.hello();
    const damaged = GET_FAMILY.slice();
    for (let n = random.below(4); n >= 0; n--) damaged[random.below(damaged.length)] = random.below(256);
    client.send(damaged);
  }
  assertServes(daemon);
});

Deno.test("unexpected descriptors are closed", async () => {
  await using daemon = await TestDaemon.start();
  const open = (): number => [...Deno.readDirSync(`/proc/${daemon.pid}/fd`)].length;
  assertServes(daemon);
  const before = open();
  using file = openFile("/dev/null");
  for (const count of [1, 8, 9, 100, 253]) {
    using client = new RawClient(daemon);
    client.hello();
    client.send(GET_FAMILY, new Array(count).fill(file.number));
    // Eight are taken and closed; more end the connection.
    if (count <= 8) assert(client.receive().length > 40);
    else assert(client.hungUp());
  }
  assertServes(daemon);
  // The daemon handles the ends of connections one after another.
  await until(() => open() <= before, "no descriptor more than before");
});

Deno.test("a client that does not read its replies neither blocks other clients nor costs memory", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  using good = daemon.client(pair.a.name);
  for (let tunnelId = 1; tunnelId <= 20; tunnelId++) {
    good.createTunnel({ tunnelId, peerTunnelId: 1, encap: "ip", local: "10.0.0.1", peer: "10.0.0.2" });
    for (let i = 0; i < 20; i++) {
      const sessionId = 1000 * tunnelId + i;
      good.createSession({ tunnelId, sessionId, peerSessionId: 1, pseudowire: "ppp" });
    }
  }
  using netns = openFile(`/run/netns/${pair.a.name}`);
  const dump = encodeMessage({
    type: 0x20,
    flags: NLM_F_REQUEST | NLM_F_DUMP,
    sequence: 3,
    portId: 0,
    payload: encodeSessionDump(),
  });
  const many = new Uint8Array(new ArrayBuffer(2000 * dump.length));
  for (let i = 0; i < 2000; i++) many.set(dump, i * dump.length);
  const memory = (): number =>
    Number(/^VmRSS:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${daemon.pid}/status`))![1]);
  const before = memory();
  const greedy = Array.from({ length: 50 }, () => new RawClient(daemon));
  try {
    for (const client of greedy) {
      client.send(HELLO, [netns.number]);
      // 800,000 sessions to tell, of which it will not hear.
      client.send(many);
    }
    for (let i = 0; i < 100; i++) assertStrictEquals(good.sessions().length, 400);
    assert(memory() < before + 100 * 1024, `${before} kB, then ${memory()} kB`);
  } finally {
    for (const client of greedy) client[Symbol.dispose]();
  }
  assertStrictEquals(good.sessions().length, 400);
});

Deno.test("at most 256 clients at a time; connected clients still work", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  using good = daemon.client(pair.a.name);
  const silent: RawClient[] = [];
  try {
    for (let i = 0; i < 300; i++) silent.push(new RawClient(daemon));
    good.createTunnel({ tunnelId: 1, peerTunnelId: 1, encap: "ip", local: "10.0.0.1", peer: "10.0.0.2" });
    assertStrictEquals(good.tunnels().length, 1);
    assert(silent.at(-1)!.hungUp());
  } finally {
    for (const client of silent) client[Symbol.dispose]();
  }
  await until(() => {
    using client = new RawClient(daemon);
    client.send(GET_FAMILY);
    return !client.hungUp();
  }, "there is room for a client again");
  assertServes(daemon);
});

Deno.test("a client sees the tunnels of its own namespace only", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  using a = daemon.client(pair.a.name);
  using b = daemon.client(pair.b.name);
  a.createTunnel({ tunnelId: 1, peerTunnelId: 1, encap: "ip", local: "10.0.0.1", peer: "10.0.0.2" });
  assertEquals(b.tunnels(), []);
  b.createTunnel({ tunnelId: 1, peerTunnelId: 1, encap: "ip", local: "10.0.0.2", peer: "10.0.0.1" });
  a.deleteTunnel(1);
  assertEquals(b.tunnels().map(({ local }) => local), ["10.0.0.2"]);
  assertStrictEquals(assertThrows(() => a.deleteTunnel(1), NetlinkError).errno, Errno.ENODEV);
});

Deno.test("a client that disconnects during its own notifications does not affect other clients", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  using good = daemon.client(pair.a.name);
  good.createTunnel({ tunnelId: 1, peerTunnelId: 1, encap: "ip", local: "10.0.0.1", peer: "10.0.0.2" });
  using netns = openFile(`/run/netns/${pair.a.name}`);
  const message = (type: number, payload: Uint8Array): Uint8Array<ArrayBuffer> =>
    encodeMessage({ type, flags: NLM_F_REQUEST | NLM_F_ACK, sequence: 9, portId: 0, payload });
  const modify = message(0x20, encodeTunnelCommand(L2TP_CMD.TUNNEL_MODIFY, 1));
  for (let i = 0; i < 20; i++) {
    const client = new RawClient(daemon);
    client.send(HELLO, [netns.number]);
    client.send(message(L2TPD_FAMILY_ID, encodeL2tpdRequest(L2TPD_CMD.LISTEN)));
    client.send(Uint8Array.of(...modify, ...modify, ...modify, ...modify));
    client[Symbol.dispose]();
  }
  assertStrictEquals(good.tunnels().length, 1);
});

Deno.test("ids that the rules allow but the data path cannot distinguish are refused", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  using client = daemon.client(pair.a.name);
  const connection = daemon.connect(pair.a.name);
  using _connection = connection;
  for (const tunnelId of [1, 2]) {
    // Version 4 is the kernel's to take; its ids are per tunnel, but over IP packets tell no tunnel.
    const payload = beginGenl(L2TP_CMD.TUNNEL_CREATE, 1)
      .u32(L2TP_ATTR.CONN_ID, tunnelId).u32(L2TP_ATTR.PEER_CONN_ID, 1).u8(L2TP_ATTR.PROTO_VERSION, 4)
      .u16(L2TP_ATTR.ENCAP_TYPE, 1).bytes(L2TP_ATTR.IP_SADDR, Uint8Array.of(10, 0, 0, 1))
      .bytes(L2TP_ATTR.IP_DADDR, Uint8Array.of(10, 0, 0, 2)).written;
    connection.request({ operation: "L2TP_CMD_TUNNEL_CREATE", type: 0x20, payload });
  }
  client.createSession({ tunnelId: 1, sessionId: 5, peerSessionId: 1 });
  assertStrictEquals(
    assertThrows(() => client.createSession({ tunnelId: 2, sessionId: 5, peerSessionId: 1 }), NetlinkError)
      .errno,
    Errno.EEXIST,
  );
  assertStrictEquals(client.sessions().length, 1);
});
