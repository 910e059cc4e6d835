/**
 * `src/driver/ppp/bridge.ts` on a real kernel. Of the categories of the kernel's own API tests this is ac pppoe: what a
 * LAC does with its subscriber's session.
 *
 * ```
 *   a: pe1, this test ── pe0, PPPoE session 7 ═ bridge ═ L2TP session 10 ── cable ── b: L2TP session 20, path
 * ```
 */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { formatHex, parseHex } from "../../src/base/hex.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { KernelPpp } from "../../src/driver/ppp/kernel_ppp.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { PppBridge } from "../../src/driver/ppp/bridge.ts";
import { Pppol2tpSocket } from "../../src/driver/ppp/pppol2tp_socket.ts";
import { interfaceIndex } from "../../ffi/sockets/resolve.ts";
import { AF_PPPOX } from "../../ffi/sockets/sockaddr.ts";
import { MSG_DONTWAIT, SOCK_RAW, Socket } from "../../ffi/sockets/socket.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { hexBytes } from "../support/golden.ts";
import { type Namespace, Pair } from "../support/namespaces.ts";
import { clientIn, deleteTunnels, requireL2tp, until } from "./kernel.ts";
import { openEnd, tunnelOf, type Variant } from "./ppp.ts";
import { assertFields } from "../support/assertions.ts";

const AF_PACKET = 17;
const SOCK_STREAM = 1;
const PX_PROTO_OE = 0;
const ETH_P_PPP_SES = 0x8864;
/** Of the PPPoE session (RFC 2516). */
const PPPOE_SESSION = 7;

/** Hardware address of the namespace's interface, in hex. */
async function hardwareAddress(namespace: Namespace, name: string): Promise<string> {
  const text = await namespace.ip(`link show ${name}`);
  return /link\/ether (\S+)/.exec(text)![1]!.replaceAll(":", "");
}

/** A PPPoE session on the interface; what is connected is a `sockaddr_pppox` (`linux/if_pppox.h`). */
function openPppoe(name: string, peer: string): Socket {
  using stack = new DisposableStack();
  const socket = stack.use(Socket.open(AF_PPPOX, SOCK_STREAM, PX_PROTO_OE));
  const address = new Uint8Array(30);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PPPOX, true);
  view.setUint32(2, PX_PROTO_OE, true);
  view.setUint16(6, PPPOE_SESSION);
  address.set(parseHex(peer)!, 8);
  address.set(new TextEncoder().encode(name), 14);
  socket.connect(address);
  stack.move();
  return socket;
}

/** The subscriber: a packet socket bound to the interface by `sockaddr_ll`. */
function openPacket(name: string): Socket {
  using stack = new DisposableStack();
  const swapped = (ETH_P_PPP_SES >> 8) | ((ETH_P_PPP_SES & 0xff) << 8);
  const socket = stack.use(Socket.open(AF_PACKET, SOCK_RAW, swapped));
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_PPP_SES);
  view.setInt32(4, interfaceIndex(name)!, true);
  socket.bind(address);
  stack.move();
  return socket;
}

/** The PPP frame in hex as PPPoE carries it: version and type, code, session and length. */
function pppoe(frame: string): string {
  const length = (frame.length / 2).toString(16).padStart(4, "0");
  return "1100" + PPPOE_SESSION.toString(16).padStart(4, "0") + length + frame;
}

function tryReceive(socket: Socket): string | undefined {
  const buffer = new Uint8Array(new ArrayBuffer(2048));
  try {
    return formatHex(buffer.subarray(0, socket.receive(buffer, MSG_DONTWAIT)));
  } catch (error) {
    if (error instanceof SyscallError && error.code === "EAGAIN") return undefined;
    throw error;
  }
}

async function accessConcentrator(pair: Pair, variant: Variant): Promise<void> {
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    await deleteTunnels(pair.a);
    await deleteTunnels(pair.b);
  });
  const [inside, outside] = [await hardwareAddress(pair.a, "pe0"), await hardwareAddress(pair.a, "pe1")];
  await assertNoLeaks(async () => {
    const ppp = KernelPpp.open();
    const served = ppp.run();
    try {
      using l2tp = clientIn(pair.a);
      const tunnel = tunnelOf(variant, 1);
      const ids = { sessionId: 10, peerSessionId: 20 };
      l2tp.createTunnel(tunnel);
      l2tp.createSession({ tunnelId: 100, ...ids, pseudowire: "ppp" });
      using b = openEnd(pair.b, ppp, variant, 2);
      using subscriber = inNamespace(pair.a.name, () => openPacket("pe1"));
      using session = inNamespace(pair.a.name, () => Pppol2tpSocket.openSession(tunnel, ids));
      using line = inNamespace(pair.a.name, () => openPppoe("pe0", outside));
      const bridge = inNamespace(pair.a.name, () => PppBridge.open(line, session.fd));
      assertFields(assertThrows(() => inNamespace(pair.a.name, () => PppBridge.open(line, session.fd))), {
        code: "EALREADY",
      });

      const arrive = async (frame: string): Promise<void> => {
        subscriber.send(hexBytes(inside + outside + "8864" + pppoe(frame)));
        assertEquals(await b.user.take(1), [frame]);
      };
      await arrive("c0210101000a010405dc");
      await arrive("80210101000a030600000000");
      b.path.send(hexBytes("c0210201000a010405dc"));
      const leaving = await until("the answer leaves by PPPoE", () => {
        const frame = tryReceive(subscriber);
        return frame?.startsWith(outside) && frame;
      });
      assertStrictEquals(leaving, outside + inside + "8864" + pppoe("c0210201000a010405dc"));

      bridge[Symbol.dispose]();
      bridge[Symbol.dispose]();
      subscriber.send(hexBytes(inside + outside + "8864" + pppoe("c0210909000a010405dc")));
      // Whoever parts them can join them again, and what came between is not passed on.
      using again = inNamespace(pair.a.name, () => PppBridge.open(line, session.fd));
      await arrive("c021020a000a010405dc");
      line.close();
      again[Symbol.dispose]();
    } finally {
      ppp.close();
      await served;
    }
  });
}

Deno.test("PppBridge between PPPoE and L2TP", async (t) => {
  requireL2tp();
  await using pair = await Pair.create();
  await pair.a.ip("link add pe0 type veth peer name pe1");
  await pair.a.ip("link set pe0 up");
  await pair.a.ip("link set pe1 up");
  for (const family of ["inet", "inet6"] as const) {
    for (const [version, encap] of [[2, "udp"], [3, "udp"], [3, "ip"]] as const) {
      await t.step(
        `ac pppoe, v${version} ${encap} ${family}`,
        () => accessConcentrator(pair, { version, encap, family }),
      );
    }
  }
});
