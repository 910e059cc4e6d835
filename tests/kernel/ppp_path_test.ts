/**
 * `src/driver/ppp/kernel_ppp.ts` on a real kernel against a peer made by hand, which has a UDP socket and writes and reads
 * L2TP data packets:
 *
 * ```
 *   a: kernel, path, ppp0 10.77.0.1 ── 10.0.0.1:1701 ── cable ── 10.0.0.2:1702 ── b: this test
 * ```
 */

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { formatHex } from "../../src/base/hex.ts";
import { formatIpAddress, linkLocalAddress } from "../../src/base/ip_address.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { KernelPpp } from "../../src/driver/ppp/kernel_ppp.ts";
import { Pppol2tpSocket } from "../../src/driver/ppp/pppol2tp_socket.ts";
import { openTunnelSocket } from "../../src/driver/tunnel_socket/open.ts";
import type { TunnelParameters } from "../../src/model/tunnel.ts";
import { MSG_DONTWAIT, type Socket } from "../../ffi/sockets/socket.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { hexBytes } from "../support/golden.ts";
import { Pair } from "../support/namespaces.ts";
import { clientIn, deleteTunnels, linkNames, linksIn, requireL2tp, until } from "./kernel.ts";
import { attachIn, Notes } from "./ppp.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

const TUNNEL: TunnelParameters = {
  ...{ version: 2, encap: "udp", tunnelId: 300, peerTunnelId: 400, local: "10.0.0.1", peer: "10.0.0.2" },
  ...{ localPort: 1701, peerPort: 1702 },
};
const SESSION = { sessionId: 10, peerSessionId: 20 };

/** Version 2 data headers: what we send to the kernel's ids, and what the kernel sends to ours. */
const TO_KERNEL = "0002" + "012c" + "000a";
const FROM_KERNEL = "0002" + "0190" + "0014";

const CONFIGURE_REQUEST = "c021" + "0101000e" + "010405dc" + "05061a2b3c4d";

/** The peer that is made by hand. */
class Peer implements Disposable {
  readonly #socket: Socket;
  readonly #buffer = new Uint8Array(new ArrayBuffer(4096));

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Sends one data packet with this PPP frame, in hex. */
  send(frame: string): void {
    this.#socket.send(hexBytes(TO_KERNEL + frame));
  }

  /** The next data packet's PPP frame, in hex; `undefined` if none is there. */
  tryReceive(): string | undefined {
    try {
      const packet = formatHex(this.#buffer.subarray(0, this.#socket.receive(this.#buffer, MSG_DONTWAIT)));
      assertStrictEquals(packet.slice(0, FROM_KERNEL.length), FROM_KERNEL);
      return packet.slice(FROM_KERNEL.length);
    } catch (error) {
      if (error instanceof SyscallError && error.code === "EAGAIN") return undefined;
      throw error;
    }
  }

  /** The next data packet's PPP frame, in hex. */
  async receive(): Promise<string> {
    return await until("a data packet comes", () => this.tryReceive());
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Internet checksum: sum of 16-bit words (RFC 1071). */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += 256 * bytes[i]! + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** An ICMP echo request from 10.77.0.2 to 10.77.0.1, or the answer to it, with this sequence number; in hex. */
function echo(type: "request" | "reply", sequence: number): string {
  const packet = hexBytes("4500001c 00004000 40010000 0a4d0002 0a4d0001 08000000 1234 0000");
  if (type === "reply") packet.set(hexBytes("0a4d0001 0a4d0002 00"), 12);
  const view = new DataView(packet.buffer);
  view.setUint16(26, sequence);
  view.setUint16(22, checksum(packet.subarray(20)));
  view.setUint16(10, checksum(packet.subarray(0, 20)));
  return formatHex(packet);
}

/** Without its identification and checksum, which the kernel chooses. */
function essence(packet: string): string {
  return packet.slice(4, 8) + packet.slice(16, 20) + packet.slice(24);
}

/** Fixture of the steps. */
interface Fixture {
  readonly pair: Pair;
  readonly ppp: KernelPpp;
  readonly peer: Peer;
  readonly socket: Pppol2tpSocket;
  readonly links: ReturnType<typeof linksIn>;
}

async function withFixture(pair: Pair, action: (fixture: Fixture) => Promise<void>): Promise<void> {
  await using stack = new AsyncDisposableStack();
  stack.defer(() => deleteTunnels(pair.a));
  await assertNoLeaks(async () => {
    using l2tp = clientIn(pair.a);
    using links = linksIn(pair.a);
    l2tp.createTunnel(TUNNEL);
    l2tp.createSession({ tunnelId: 300, ...SESSION, pseudowire: "ppp" });
    using peer = new Peer(
      inNamespace(
        pair.b.name,
        () =>
          openTunnelSocket({
            ...TUNNEL,
            local: "10.0.0.2",
            peer: "10.0.0.1",
            localPort: 1702,
            peerPort: 1701,
          }),
      ),
    );
    using socket = inNamespace(pair.a.name, () => Pppol2tpSocket.openSession(TUNNEL, SESSION));
    const ppp = KernelPpp.open();
    const served = ppp.run();
    try {
      await action({ pair, ppp, peer, socket, links });
    } finally {
      ppp.close();
      await served;
    }
  });
}

/** Control frames, both ways, however they are framed. */
async function control({ pair, ppp, peer, socket, links }: Fixture): Promise<void> {
  const user = new Notes();
  using path = attachIn(pair.a, ppp, { socket, interfaces: links, user });
  assertMatch(path.interfaceName, /^ppp\d+$/);
  assertStrictEquals(links.link(path.interfaceName)!.index, path.interfaceIndex);

  peer.send("ff03" + CONFIGURE_REQUEST);
  assertEquals(await user.take(1), [CONFIGURE_REQUEST]);
  path.send(hexBytes(CONFIGURE_REQUEST));
  assertStrictEquals(await peer.receive(), "ff03" + CONFIGURE_REQUEST);
  // A frame in memory that is not its own is taken, too.
  const shared = new Uint8Array(new SharedArrayBuffer(32), 3, 6);
  shared.set(hexBytes("c023" + "01020004"));
  path.send(shared);
  assertStrictEquals(await peer.receive(), "ff03" + "c023" + "01020004");

  const frames = [
    ["without address and control field", "c0210201000a010405dc", "c0210201000a010405dc"],
    ["PAP", "ff03c02301010006" + "0000", "c02301010006" + "0000"],
    ["CHAP", "ff03c22301010004", "c22301010004"],
    ["IPCP", "ff03802101010004", "802101010004"],
    ["IPV6CP", "ff03805701010004", "805701010004"],
    ["CCP", "ff0380fd01010004", "80fd01010004"],
    ["a protocol that nobody knows", "ff034025aabbccdd", "4025aabbccdd"],
    ["one of a single byte", "ff0361aabbccddee", "0061aabbccddee"],
  ] as const;
  for (const [what, sent, expected] of frames) {
    peer.send(sent);
    assertEquals(await user.take(1), [expected], what);
  }
  for (const [what, , frame] of frames) {
    path.send(hexBytes(frame));
    assertStrictEquals(await peer.receive(), "ff03" + frame, what);
  }
  assertFields(assertThrows(() => path.send(new Uint8Array(1))), { code: "EINVAL" });
  // More at once than the kernel keeps, of each kind: what comes is whole and in order, and others still come.
  for (let i = 0; i < 200; i++) {
    peer.send(`ff03c0210901${i.toString(16).padStart(4, "0")}`);
    peer.send(`ff0380210901${i.toString(16).padStart(4, "0")}`);
  }
  await until(
    "the last ones come",
    () => user.frames.includes("c021090100c7") && user.frames.includes("8021090100c7"),
  );
  for (const protocol of ["c021", "8021"]) {
    const came = user.frames.filter((frame) => frame.startsWith(protocol));
    assertEquals(came, came.toSorted());
    assert(new Set(came).size === came.length);
  }
  assertStrictEquals(user.losses, 0);
}

/** Packets pass through the interface only, and only while they are let through. */
async function packets({ pair, ppp, peer, socket, links }: Fixture): Promise<void> {
  const user = new Notes();
  using path = attachIn(pair.a, ppp, { socket, interfaces: links, user });
  const { interfaceIndex: index, interfaceName } = path;
  links.addAddress({ index, address: "10.77.0.1", prefixLength: 32, peer: "10.77.0.2" });
  links.changeLink(index, { up: true });
  links.addRoute({ index, destination: "10.88.0.0", prefixLength: 16 });

  // Packets keep their order.
  const passes = async (sequence: number): Promise<boolean> => {
    peer.send("ff03" + "0021" + echo("request", sequence));
    peer.send("ff03" + "c021" + "0901" + sequence.toString(16).padStart(4, "0"));
    assertEquals(await user.take(1), ["c0210901" + sequence.toString(16).padStart(4, "0")]);
    path.send(hexBytes("c0210a010004"));
    const answers: string[] = [];
    for (let frame = await peer.receive(); !frame.startsWith("ff03c021"); frame = await peer.receive()) {
      answers.push(frame);
    }
    if (answers.length === 0) return false;
    assertEquals(answers.map((frame) => frame.slice(0, 8)), ["ff030021"]);
    assertStrictEquals(essence(answers[0]!.slice(8)), essence(echo("reply", sequence)));
    return true;
  };
  assertStrictEquals(await passes(1), false);
  path.pass("ipv6", true);
  assertStrictEquals(await passes(2), false);
  path.pass("ipv4", true);
  assertStrictEquals(await passes(3), true);
  // Protocol in one byte, without address and control field.
  peer.send("21" + echo("request", 4));
  assertStrictEquals(essence((await peer.receive()).slice(8)), essence(echo("reply", 4)));
  path.pass("ipv4", false);
  assertStrictEquals(await passes(5), false);
  path.pass("ipv4", true);

  const address = formatIpAddress(linkLocalAddress(hexBytes("0000000000000001")));
  links.addAddress({ index, address, prefixLength: 64 });
  path.configure({ mtu: 1280, mru: 1300, pfc: true, acfc: true });
  assertStrictEquals(links.link(interfaceName)!.mtu, 1280);
  // Through the route, of the length that the peer takes; compressed or not is ours to choose.
  await pair.a.sh("ping", "-c", "1", "-W", "1", "-M", "do", "-s", "1252", "10.88.0.1").catch(() => undefined);
  const long = await until("the long one comes", () => {
    const frame = peer.tryReceive();
    return frame !== undefined && frame.startsWith("ff0300214500") && frame;
  });
  assertStrictEquals(long.length / 2, 4 + 1280);
  // Nothing of all that came to us.
  assertDeepStrictEquals([user.frames, user.losses], [[], 0]);
}

/** Names of interfaces, and who cannot attach. */
function names({ pair, ppp, socket, links }: Fixture): Promise<void> {
  const user = new Notes();
  const before = linkNames(pair.a);
  const attach = (interfaceName?: string): Disposable =>
    attachIn(pair.a, ppp, {
      socket,
      interfaces: links,
      user,
      ...(interfaceName !== undefined && { interfaceName }),
    });
  for (const name of ["", ".", "a b", "much-too-long-name", "ppp%d", "x/y"]) {
    assertThrows(() => attach(name), RangeError, undefined, name);
  }
  assertFields(assertThrows(() => attach("cable")), { name: "NetlinkError", code: "EEXIST" });
  assertFields(assertThrows(() => ppp.attach({ socket, interfaces: links, user })), { code: "ENXIO" });
  assertEquals(linkNames(pair.a), before);
  {
    using path = attachIn(pair.a, ppp, { socket, interfaces: links, user, interfaceName: "dial0" });
    assertStrictEquals(path.interfaceName, "dial0");
    assertStrictEquals(links.link("dial0")!.index, path.interfaceIndex);
    // The session is taken.
    assertFields(assertThrows(() => attach("dial1")), { code: "EINVAL" });
    assertEquals(linkNames(pair.a), [...before, "dial0"]);
  }
  assertEquals(linkNames(pair.a), before);
  // And free again.
  using again = attachIn(pair.a, ppp, { socket, interfaces: links, user, interfaceName: "dial0" });
  again[Symbol.dispose]();
  again[Symbol.dispose]();
  assertStrictEquals(user.losses, 0);
  return Promise.resolve();
}

/** A path is lost when its interface is deleted. */
async function interfaceDeleted({ pair, ppp, peer, socket, links }: Fixture): Promise<void> {
  const user = new Notes();
  using path = attachIn(pair.a, ppp, { socket, interfaces: links, user });
  await pair.a.ip(`link delete ${path.interfaceName}`);
  await until("the loss is told", () => user.losses > 0);
  peer.send("ff03" + CONFIGURE_REQUEST);
  // The link can still be ended in good order.
  path.send(hexBytes(CONFIGURE_REQUEST));
  assertStrictEquals(await peer.receive(), "ff03" + CONFIGURE_REQUEST);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals([user.losses, user.frames], [1, []]);
  const agreed = { mtu: 1400, mru: 1400, pfc: false, acfc: false };
  assertFields(assertThrows(() => path.configure(agreed)), { name: "NetlinkError", code: "ENODEV" });
  // Another path can be opened for the session; it gets the unread frames.
  path[Symbol.dispose]();
  using next = attachIn(pair.a, ppp, { socket, interfaces: links, user });
  peer.send("ff03" + "c021" + "0901000400000000");
  assertEquals(await user.take(2), [CONFIGURE_REQUEST, "c021" + "0901000400000000"]);
  void next;
}

/** A path is lost when its session's socket is closed, whatever the user does then. */
async function socketClosed({ pair, ppp, socket, links }: Fixture): Promise<void> {
  const notes = new Notes();
  const path = attachIn(pair.a, ppp, {
    ...{ socket, interfaces: links },
    user: {
      receive: () => {},
      lost: () => {
        notes.lost();
        path[Symbol.dispose]();
      },
    },
  });
  socket[Symbol.dispose]();
  await until("the loss is told", () => notes.losses > 0);
  assertStrictEquals(linkNames(pair.a).includes(path.interfaceName), false);
  assertThrows(() => path.send(hexBytes(CONFIGURE_REQUEST)), ReferenceError);
}

/** A user that disposes its path in the midst of frames gets no more of them. */
async function disposedInReceive({ pair, ppp, peer, socket, links }: Fixture): Promise<void> {
  const frames: string[] = [];
  const first = attachIn(pair.a, ppp, {
    ...{ socket, interfaces: links },
    user: {
      receive: (frame) => {
        frames.push(formatHex(frame));
        first[Symbol.dispose]();
      },
      lost: () => fail("not lost"),
    },
  });
  for (let i = 0; i < 8; i++) peer.send("ff03" + CONFIGURE_REQUEST);
  await until("the first frame comes", () => frames.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertStrictEquals(frames.length, 1);
}

Deno.test("KernelPpp against a peer made by hand", async (t) => {
  requireL2tp();
  await using pair = await Pair.create();
  const step = (name: string, action: (fixture: Fixture) => Promise<void>): Promise<boolean> =>
    t.step(name, () => withFixture(pair, action));
  await step("control frames", control);
  await step("packets", packets);
  await step("names, and sessions that are taken", names);
  await step("an interface that is deleted", interfaceDeleted);
  await step("a socket that is closed", socketClosed);
  await step("a path that is disposed in the midst of frames", disposedInReceive);
});

Deno.test("KernelPpp.close() disposes paths, before and after run(), and refuses new ones", async () => {
  requireL2tp();
  await using pair = await Pair.create();
  await assertNoLeaks(async () => {
    using l2tp = clientIn(pair.a);
    using links = linksIn(pair.a);
    l2tp.createTunnel(TUNNEL);
    for (const running of [false, true]) {
      using socket = inNamespace(pair.a.name, () => Pppol2tpSocket.openSession(TUNNEL, SESSION));
      const ppp = KernelPpp.open();
      const served = running ? ppp.run() : undefined;
      const parts = { socket, interfaces: links, user: new Notes() };
      const path = attachIn(pair.a, ppp, parts);
      ppp.close();
      ppp.close();
      await served;
      assertStrictEquals(linkNames(pair.a).includes(path.interfaceName), false);
      assertThrows(() => attachIn(pair.a, ppp, parts), ReferenceError);
      assertStrictEquals(parts.user.losses, 0);
    }
  });
  await deleteTunnels(pair.a);
});
