/**
 * PPPoL2TP sockets, channels and units on a real kernel, one call at a time: options, counters, the way without
 * netlink, modes of network protocols, bridges, and what is refused. Of the categories of the kernel's own API tests
 * these are: api (by netlink and by socket, managed, with PPP, with a channel bridge) and scope.
 */

import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { SyscallError } from "../../src/base/errors.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { Pppol2tpSocket } from "../../src/driver/ppp/pppol2tp_socket.ts";
import { openTunnelSocket } from "../../src/driver/tunnel_socket/open.ts";
import type { TunnelParameters } from "../../src/model/tunnel.ts";
import { poll, POLLIN } from "../../ffi/process/poll.ts";
import {
  NPMODE_DROP,
  NPMODE_PASS,
  PPP_AT,
  PPP_IP,
  PPP_IPV6,
  PPP_IPX,
  PPP_MPLS_MC,
  PPP_MPLS_UC,
  PppChannel,
  PppUnit,
} from "../../ffi/kernel/ppp.ts";
import { PPPOL2TP_SO, SOL_PPPOL2TP } from "../../ffi/sockets/pppol2tp.ts";
import { AF_PPPOX, PX_PROTO_OL2TP } from "../../ffi/sockets/sockaddr.ts";
import { SOCK_DGRAM, Socket } from "../../ffi/sockets/socket.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import type { Namespace } from "../support/namespaces.ts";
import { clientIn, deleteTunnels, linkNames, openHost, requireL2tp, until } from "./kernel.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

const POLLHUP = 0x010;

function tunnel(version: 2 | 3, id = 300): TunnelParameters {
  return {
    ...{ version, encap: "udp", tunnelId: id, peerTunnelId: id + 100, local: "10.0.0.1", peer: "10.0.0.2" },
    ...{ localPort: 5000 + id, peerPort: 6000 + id },
  };
}

const SESSION = { sessionId: 10, peerSessionId: 20 };

function open(host: Namespace, of: TunnelParameters, session = SESSION): Pppol2tpSocket {
  return inNamespace(host.name, () => Pppol2tpSocket.openSession(of, session));
}

/** A tunnel of version 2 with PPP sessions 10 and 11, and sockets of both. */
function openTwo(host: Namespace): { stack: DisposableStack; sockets: [Pppol2tpSocket, Pppol2tpSocket] } {
  using stack = new DisposableStack();
  const l2tp = stack.use(clientIn(host));
  l2tp.createTunnel(tunnel(2));
  stack.defer(() => l2tp.deleteTunnel(300));
  const sockets = [10, 11].map((sessionId) => {
    l2tp.createSession({ tunnelId: 300, sessionId, peerSessionId: sessionId + 10, pseudowire: "ppp" });
    return stack.use(open(host, tunnel(2), { sessionId, peerSessionId: sessionId + 10 }));
  });
  return { stack: stack.move(), sockets: [sockets[0]!, sockets[1]!] };
}

/** Options of a session that netlink made or, in the old way, the socket; read by the socket and by netlink. */
function options(host: Namespace, byNetlink: boolean): void {
  using l2tp = clientIn(host);
  using udp = inNamespace(host.name, () => openTunnelSocket(tunnel(2)));
  using management = inNamespace(host.name, () => Pppol2tpSocket.openTunnel(tunnel(2), udp));
  if (byNetlink) {
    l2tp.createSession({
      tunnelId: 300,
      ...SESSION,
      pseudowire: "ppp",
      recvSeq: true,
      reorderTimeoutMs: 100,
    });
  }
  using socket = inNamespace(host.name, () =>
    Pppol2tpSocket.openSession(tunnel(2), {
      ...SESSION,
      ...(!byNetlink && { recvSeq: true, reorderTimeoutMs: 100 }),
    }));
  assertEquals(socket.settings(), {
    sendSeq: false,
    recvSeq: true,
    lnsMode: false,
    reorderTimeoutMs: 100,
  });
  for (
    const changes of [
      { sendSeq: true },
      { recvSeq: false },
      { lnsMode: true },
      { reorderTimeoutMs: 2000 },
      { sendSeq: false, recvSeq: true, lnsMode: false, reorderTimeoutMs: 0 },
      {},
    ]
  ) {
    const expected = { ...socket.settings(), ...changes };
    socket.change(changes);
    assertDeepStrictEquals(socket.settings(), expected);
    const { sendSeq, recvSeq, lnsMode, reorderTimeoutMs } = l2tp.session({ tunnelId: 300, sessionId: 10 })!;
    assertDeepStrictEquals({ sendSeq, recvSeq, lnsMode, reorderTimeoutMs }, expected);
  }
  assertFields(assertThrows(() => management.settings()), { code: "ENOPROTOOPT" });
  assertFields(assertThrows(() => management.change({ sendSeq: true })), { code: "ENOPROTOOPT" });
  management.change({});
  const raw = socket.fd as Socket;
  raw.setOption(SOL_PPPOL2TP, PPPOL2TP_SO.PPPOL2TP_SO_DEBUG, 7);
  assertStrictEquals(raw.option(SOL_PPPOL2TP, PPPOL2TP_SO.PPPOL2TP_SO_DEBUG), 0);
  assertFields(assertThrows(() => raw.setOption(SOL_PPPOL2TP, PPPOL2TP_SO.PPPOL2TP_SO_SENDSEQ, 2)), {
    code: "EINVAL",
  });
  assertFields(assertThrows(() => raw.setOption(SOL_PPPOL2TP, 6, 1)), { code: "ENOPROTOOPT" });
  assertThrows(() => raw.option(SOL_PPPOL2TP + 1, 2), SyscallError);
}

/** Counters by the session's socket, by the management socket and by netlink agree. */
function counters(host: Namespace): void {
  using l2tp = clientIn(host);
  using udp = inNamespace(host.name, () => openTunnelSocket(tunnel(2)));
  using management = inNamespace(host.name, () => Pppol2tpSocket.openTunnel(tunnel(2), udp));
  using socket = open(host, tunnel(2));
  using channel = inNamespace(host.name, () => PppChannel.open(socket.fd));
  channel.send(Uint8Array.of(0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4));
  channel.send(Uint8Array.of(0xc0, 0x21, 9, 2, 0, 4));
  const { rxCookieDiscards: _, rxInvalid: __, ...expected } = l2tp.session({ tunnelId: 300, sessionId: 10 })!
    .counters;
  const read = socket.counters();
  assertEquals([read.rxCookieDiscards, read.rxInvalid], [undefined, undefined]);
  // 6 bytes of header, FF 03 and the frame.
  assertEquals([read.txPackets, read.txBytes], [2n, 6n + 2n + 10n + 6n + 2n + 6n]);
  assertEquals({ ...read, ...expected }, read);
  assertEquals(management.counters(10), read);
  assertStrictEquals(management.counters().txBytes, read.txBytes);
  assertFields(assertThrows(() => management.counters(11)), { code: "EBADR" });
  using fresh = inNamespace(host.name, () => Socket.open(AF_PPPOX, SOCK_DGRAM, PX_PROTO_OL2TP));
  assertFields(assertThrows(() => inNamespace(host.name, () => PppChannel.open(fresh))), {
    code: "ENOTCONN",
  });
}

/** Refusals of openTunnel and openSession leave nothing behind. */
function refusals(host: Namespace): void {
  using l2tp = clientIn(host);
  using udp = inNamespace(host.name, () => openTunnelSocket(tunnel(2)));
  const at = <T>(action: () => T): () => T => () => inNamespace(host.name, action);
  assertFields(assertThrows(() => open(host, tunnel(2))), { code: "ENOENT" });
  assertFields(assertThrows(at(() => Pppol2tpSocket.openTunnel({ ...tunnel(2), tunnelId: 0 }, udp))), {
    code: "EINVAL",
  });
  for (const id of ["sessionId", "peerSessionId"]) {
    assertThrows(() => open(host, tunnel(2), { ...SESSION, [id]: 0 }), RangeError, undefined, id);
    assertThrows(() => open(host, tunnel(2), { ...SESSION, [id]: 0x10000 }), RangeError, undefined, id);
  }
  assertThrows(at(() => Pppol2tpSocket.openTunnel({ ...tunnel(2), peerTunnelId: 0x10000 }, udp)), RangeError);
  {
    using unit = inNamespace(host.name, () => PppUnit.create());
    assertFields(assertThrows(at(() => Pppol2tpSocket.openTunnel(tunnel(2), unit))), { code: "ENOTSOCK" });
  }
  assertEquals([l2tp.tunnels(), l2tp.sessions()], [[], []]);
  using management = inNamespace(host.name, () => Pppol2tpSocket.openTunnel(tunnel(2), udp));
  // A second tunnel of the same UDP socket.
  assertFields(assertThrows(at(() => Pppol2tpSocket.openTunnel(tunnel(2, 301), udp))), { code: "EBUSY" });
  using socket = open(host, tunnel(2));
  assertFields(assertThrows(() => open(host, tunnel(2))), { code: "EEXIST" });
  // An option that cannot be: the session that was just made goes again.
  assertThrows(
    at(() =>
      Pppol2tpSocket.openSession(tunnel(2), {
        ...{ sessionId: 12, peerSessionId: 22 },
        reorderTimeoutMs: 0,
        get lnsMode(): boolean {
          throw new TypeError("refused");
        },
      })
    ),
    TypeError,
  );
  // 0 is what stands for the management socket.
  assertEquals(l2tp.sessions().map(({ sessionId }) => sessionId).filter((id) => id !== 0), [10]);
  void [management, socket];
}

/** The states of a channel and a unit, and how they end. */
async function life(host: Namespace): Promise<void> {
  const { stack, sockets: [first, second] } = openTwo(host);
  using _ = stack;
  const at = <T>(action: () => T): T => inNamespace(host.name, action);
  using channel = at(() => PppChannel.open(first.fd));
  using other = at(() => PppChannel.open(second.fd));
  assertNotStrictEquals(channel.index, other.index);
  // Numbers of channels are those of a namespace.
  assertFields(assertThrows(() => PppChannel.open(first.fd)), { code: "ENXIO" });
  using unit = at(() => PppUnit.create());
  assert(linkNames(host).includes(`ppp${unit.unit}`));
  assertFields(assertThrows(() => channel.disconnect()), { code: "EINVAL" });
  assertFields(assertThrows(() => channel.connect(unit.unit + 1000)), { code: "ENXIO" });
  channel.connect(unit.unit);
  assertFields(assertThrows(() => channel.connect(unit.unit)), { code: "EINVAL" });
  const buffer = new Uint8Array(64);
  assertEquals([channel.receive(buffer), unit.receive(buffer)], [undefined, undefined]);
  assertFields(assertThrows(() => channel.send(Uint8Array.of(0xc0))), { code: "EINVAL" });
  channel.disconnect();
  assertStrictEquals(unit.receive(buffer), 0);
  channel.connect(unit.unit);
  assertStrictEquals(unit.receive(buffer), undefined);

  using closed = at(() => PppUnit.create());
  other.connect(closed.unit);
  closed.close();
  using unused = at(() => PppUnit.create());
  assertFields(assertThrows(() => other.connect(unused.unit)), { code: "EINVAL" });
  other.disconnect();
  other.connect(unused.unit);

  first[Symbol.dispose]();
  assertEquals(await poll([{ fd: channel, events: POLLIN }, { fd: unit, events: POLLIN }], 10_000), [
    POLLHUP,
    POLLIN,
  ]);
  assertDeepStrictEquals([channel.receive(buffer), unit.receive(buffer)], [0, 0]);
  const name = `ppp${unit.unit}`;
  await host.ip(`link delete ${name}`);
  assertStrictEquals((await poll([{ fd: unit, events: 0 }], 10_000))[0], POLLHUP);
  assertStrictEquals(unit.receive(buffer), 0);
  using third = at(() => PppUnit.create());
  const thirdName = `ppp${third.unit}`;
  third.close();
  await until("the interface goes with its unit", () => !linkNames(host).includes(thirdName));
}

/** Modes of network protocols. */
function modes(host: Namespace): void {
  using unit = inNamespace(host.name, () => PppUnit.create());
  const protocols = [PPP_IP, PPP_IPV6, PPP_IPX, PPP_AT, PPP_MPLS_UC, PPP_MPLS_MC];
  for (const protocol of protocols) assertStrictEquals(unit.npMode(protocol), NPMODE_PASS);
  for (const protocol of protocols) {
    unit.setNpMode(protocol, NPMODE_DROP);
    assertStrictEquals(unit.npMode(protocol), NPMODE_DROP);
  }
  unit.setNpMode(PPP_IPV6, NPMODE_PASS);
  assertDeepStrictEquals(protocols.map((protocol) => unit.npMode(protocol)), [1, 0, 1, 1, 1, 1]);
  for (const protocol of [0, 0xc021, 0x8021, 0x0023]) {
    assertFields(assertThrows(() => unit.setNpMode(protocol, NPMODE_PASS)), { code: "EINVAL" });
    assertFields(assertThrows(() => unit.npMode(protocol)), { code: "EINVAL" });
  }
  unit.setMru(1400);
}

/** Two channels joined and parted (category api, ppp_channel_bridge). */
async function bridges(host: Namespace): Promise<void> {
  const { stack, sockets: [first, second] } = openTwo(host);
  using _ = stack;
  const at = <T>(action: () => T): T => inNamespace(host.name, action);
  using a = at(() => PppChannel.open(first.fd));
  using b = at(() => PppChannel.open(second.fd));
  using unit = at(() => PppUnit.create());
  assertFields(assertThrows(() => a.unbridge()), { code: "EINVAL" });
  assertFields(assertThrows(() => at(() => a.bridge(b.index + 1000))), { code: "ENXIO" });
  at(() => a.bridge(b.index));
  assertFields(assertThrows(() => at(() => a.bridge(b.index))), { code: "EALREADY" });
  assertFields(assertThrows(() => at(() => b.bridge(a.index))), { code: "EALREADY" });
  assertFields(assertThrows(() => a.connect(unit.unit)), { code: "EINVAL" });
  a.unbridge();
  assertFields(assertThrows(() => b.unbridge()), { code: "EINVAL" });
  a.connect(unit.unit);
  assertFields(assertThrows(() => at(() => a.bridge(b.index))), { code: "EALREADY" });
  a.disconnect();
  at(() => b.bridge(a.index));
  second[Symbol.dispose]();
  // Parted by the other's end, a channel can have a unit again.
  await until("the bridge goes with a channel", () => {
    try {
      a.connect(unit.unit);
      return true;
    } catch (error) {
      assert(error instanceof SyscallError);
      return false;
    }
  });
}

/** Ids that may be used twice (category scope). */
function scopes(host: Namespace): void {
  using l2tp = clientIn(host);
  l2tp.createTunnel(tunnel(2, 300));
  assertFields(assertThrows(() => l2tp.createTunnel({ ...tunnel(3, 300), localPort: 7000 })), {
    code: "EEXIST",
  });
  l2tp.createTunnel(tunnel(2, 301));
  l2tp.createTunnel(tunnel(3, 302));
  using first = open(host, tunnel(2, 300));
  // A session id of version 2 is its tunnel's, and version 3 does not meet it.
  using second = open(host, tunnel(2, 301));
  using third = open(host, tunnel(3, 302));
  assertFields(assertThrows(() => open(host, tunnel(2, 301))), { code: "EEXIST" });
  assertEquals(l2tp.sessions().map(({ tunnelId, sessionId }) => [tunnelId, sessionId]).sort(), [
    [300, 10],
    [301, 10],
    [302, 10],
  ]);
  void [first, second, third];
}

Deno.test("PPP channels and units", async (t) => {
  requireL2tp();
  await using host = await openHost("chan");
  const step = async (name: string, action: () => Promise<void> | void): Promise<void> => {
    await t.step(name, () => assertNoLeaks(action));
    await deleteTunnels(host);
  };
  await step("options of a session made by netlink", () => options(host, true));
  await step("options of a session made by its socket, without netlink", () => options(host, false));
  await step("counters", () => counters(host));
  await step("what cannot be opened, and that nothing is left of it", () => refusals(host));
  await step("a channel, a unit, and their ends", () => life(host));
  await step("modes of network protocols", () => modes(host));
  await step("bridges", () => bridges(host));
  await step("ids that are used twice", () => scopes(host));
});
