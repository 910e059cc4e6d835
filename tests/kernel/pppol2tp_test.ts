/**
 * PPPoL2TP sockets on a real kernel: each of the four socket addresses, to a session made by netlink and to a tunnel
 * made of a descriptor.
 */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import { openTunnelSocket } from "../../src/driver/tunnel_socket/open.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import type { L2tpClient } from "../../src/client/l2tp_client.ts";
import type { TunnelParameters } from "../../src/model/tunnel.ts";
import {
  type Field,
  type Layout,
  SOCKADDR_PPPOL2TP,
  SOCKADDR_PPPOL2TPIN6,
  SOCKADDR_PPPOL2TPV3,
  SOCKADDR_PPPOL2TPV3IN6,
} from "../../ffi/layout.ts";
import {
  AF_PPPOX,
  decodeInet,
  encodePppol2tp,
  type Pppol2tpAddress,
  PX_PROTO_OL2TP,
} from "../../ffi/sockets/sockaddr.ts";
import { SOCK_DGRAM, Socket } from "../../ffi/sockets/socket.ts";
import type { Namespace } from "../support/namespaces.ts";
import { clientIn, deleteTunnels, openHost, requireL2tp, until } from "./kernel.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

/** One of the four socket addresses. */
interface Form {
  readonly layout: Layout;
  readonly size: number;
  readonly version: 2 | 3;
  readonly local: string;
  readonly peer: string;
}

const V4 = { local: "10.0.0.1", peer: "10.0.0.2" };
const V6 = { local: "fd00::1", peer: "fd00::2" };

const FORMS: readonly Form[] = [
  { layout: SOCKADDR_PPPOL2TP, size: 38, version: 2, ...V4 },
  { layout: SOCKADDR_PPPOL2TPIN6, size: 50, version: 2, ...V6 },
  { layout: SOCKADDR_PPPOL2TPV3, size: 46, version: 3, ...V4 },
  { layout: SOCKADDR_PPPOL2TPV3IN6, size: 58, version: 3, ...V6 },
];

function tunnelOf({ version, local, peer }: Form): TunnelParameters {
  return {
    tunnelId: 300,
    peerTunnelId: 400,
    version,
    encap: "udp",
    local,
    peer,
    localPort: 5000,
    peerPort: 6000,
  };
}

/** The address of session 10 (the peer's 20) of tunnel 300 (the peer's 400). */
function addressOf(form: Form, other: Partial<Pppol2tpAddress> = {}): Uint8Array<ArrayBuffer> {
  return encodePppol2tp({
    version: form.version,
    fd: -1,
    peer: { address: parseIpAddress(form.peer)!, port: 6000 },
    tunnelId: 300,
    sessionId: 10,
    peerTunnelId: 400,
    peerSessionId: 20,
    ...other,
  });
}

const CONTROL = { sessionId: 0, peerSessionId: 0 };

function open({ name }: Namespace): Socket {
  return inNamespace(name, () => Socket.open(AF_PPPOX, SOCK_DGRAM, PX_PROTO_OL2TP));
}

function openConnected(namespace: Namespace, address: Uint8Array<ArrayBuffer>): Socket {
  const socket = open(namespace);
  socket.connect(address);
  return socket;
}

function refuses(namespace: Namespace, code: string, address: Uint8Array<ArrayBuffer>): void {
  using socket = open(namespace);
  assertFields(assertThrows(() => socket.connect(address)), { code });
}

/** The members of a socket address that the kernel gave. */
function decode(name: Uint8Array, layout: Layout): Record<string, unknown> {
  const view = new DataView(name.buffer, name.byteOffset, name.byteLength);
  const integer = ({ offset, size }: Field): number =>
    size === 2
      ? view.getUint16(offset, HOST_IS_LITTLE_ENDIAN)
      : view.getUint32(offset, HOST_IS_LITTLE_ENDIAN);
  const members = Object.entries(layout.fields).filter(([path]) => !/\.(pid|fd)$/.test(path));
  return Object.fromEntries(members.map(([path, field]) => [
    path,
    path.endsWith(".addr") ? decodeInet(name.slice(field.offset, field.offset + field.size)) : integer(field),
  ]));
}

async function gone(l2tp: L2tpClient): Promise<void> {
  await until("tunnels and sessions go", () => l2tp.tunnels().length === 0 && l2tp.sessions().length === 0);
}

/** To a session that netlink made. */
async function attach(namespace: Namespace, form: Form): Promise<void> {
  using l2tp = clientIn(namespace);
  l2tp.createTunnel(tunnelOf(form));
  l2tp.createSession({ tunnelId: 300, sessionId: 10, peerSessionId: 20, pseudowire: "ppp" });
  if (form.version === 3) l2tp.createSession({ tunnelId: 300, sessionId: 11, peerSessionId: 21 });

  const whole = addressOf(form);
  assertStrictEquals(whole.length, form.size);
  const sizes = new Set(FORMS.map(({ size }) => size));
  const longer = Uint8Array.from([...whole, ...new Uint8Array(8)]);
  for (let size = 0; size <= longer.length; size++) {
    if (!sizes.has(size)) refuses(namespace, "EINVAL", longer.slice(0, size));
  }
  refuses(namespace, "EINVAL", addressOf(form, { tunnelId: 0 }));
  if (form.version === 3) {
    refuses(namespace, "EPROTOTYPE", addressOf(form, { sessionId: 11, peerSessionId: 21 }));
  }

  using socket = openConnected(namespace, whole);
  assertFields(assertThrows(() => socket.connect(whole)), { code: "EBUSY" });
  refuses(namespace, "EEXIST", whole);
  const name = socket.localName();
  assertStrictEquals(name.length, form.size);
  assertDeepStrictEquals(decode(name, form.layout), {
    sa_family: AF_PPPOX,
    sa_protocol: PX_PROTO_OL2TP,
    "pppol2tp.addr": { address: parseIpAddress(form.peer), port: 6000, scopeId: 0 },
    "pppol2tp.s_tunnel": 300,
    "pppol2tp.s_session": 10,
    "pppol2tp.d_tunnel": 400,
    "pppol2tp.d_session": 20,
  });
  assertEquals(socket.peerName(), name);
  const session = l2tp.session({ tunnelId: 300, sessionId: 10 })!;
  assertEquals([session.pseudowireType, session.peerSessionId], [7, 20]);
  socket.close();
  await until(
    "the session goes with its socket",
    () => l2tp.session({ tunnelId: 300, sessionId: 10 }) === undefined,
  );
  l2tp.deleteTunnel(300);
  await gone(l2tp);
}

/** To a tunnel that the first socket makes of a descriptor, as PPP daemons do. */
async function build(namespace: Namespace, form: Form): Promise<void> {
  using l2tp = clientIn(namespace);
  refuses(namespace, "EBADF", addressOf(form, CONTROL));
  refuses(namespace, "ENOENT", addressOf(form));
  using udp = inNamespace(namespace.name, () => openTunnelSocket(tunnelOf(form)));
  using control = openConnected(namespace, addressOf(form, { ...CONTROL, fd: udp.number }));
  const { counters: _, ...tunnel } = l2tp.tunnel(300)!;
  assertEquals([
    tunnel.version,
    tunnel.encap,
    tunnel.local,
    tunnel.peer,
    tunnel.localPort,
    tunnel.peerPort,
  ], [
    form.version,
    "udp",
    form.local,
    form.peer,
    5000,
    6000,
  ]);
  assertStrictEquals(tunnel.peerTunnelId, 400);
  using session = openConnected(namespace, addressOf(form));
  const { pseudowireType, sendSeq, recvSeq, lnsMode } = l2tp.session({ tunnelId: 300, sessionId: 10 })!;
  assertEquals([pseudowireType, sendSeq, recvSeq, lnsMode], [7, false, false, false]);
  session.close();
  control.close();
  udp.close();
  await gone(l2tp);
}

Deno.test("PPPoL2TP sockets", async (t) => {
  requireL2tp();
  await using host = await openHost("ppp");
  const step = async (name: string, action: () => Promise<void>): Promise<void> => {
    await t.step(name, action);
    // Remove what a failed step left behind.
    await deleteTunnels(host);
  };
  for (const form of FORMS) {
    await step(`${form.layout.struct} to a session made by netlink`, () => attach(host, form));
    await step(`${form.layout.struct} to a tunnel made of a descriptor`, () => build(host, form));
  }
});
