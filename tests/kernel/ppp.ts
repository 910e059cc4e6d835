/**
 * Shared helpers of the PPP tests on a real kernel: recorders of path events, and paths in namespaces.
 *
 * @module
 */

import { formatHex } from "../../src/base/hex.ts";
import type { L2tpClient } from "../../src/client/l2tp_client.ts";
import type { LinkClient } from "../../src/client/link_client.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import type { KernelPpp } from "../../src/driver/ppp/kernel_ppp.ts";
import type { PppPath, PppPathUser } from "../../src/driver/ppp/path.ts";
import { Pppol2tpSocket } from "../../src/driver/ppp/pppol2tp_socket.ts";
import type { SessionParameters } from "../../src/model/session.ts";
import type { TunnelParameters } from "../../src/model/tunnel.ts";
import type { Namespace } from "../support/namespaces.ts";
import { packetLibc } from "../../ffi/packet_libc.ts";
import { clientIn, linksIn, until } from "./kernel.ts";

// Opened once and for good: inside of a test it would count as its leak.
packetLibc();

/** Records the events of a path. */
export class Notes implements PppPathUser {
  /** The frames that came, in hex, in order. */
  readonly frames: string[] = [];
  /** Number of `lost` events. */
  losses = 0;

  receive(frame: Uint8Array): void {
    this.frames.push(formatHex(frame));
  }

  lost(): void {
    this.losses++;
  }

  /** Waits for so many frames, and takes them. */
  async take(count: number): Promise<string[]> {
    await until(`${count} frames come`, () => this.frames.length >= count);
    return this.frames.splice(0);
  }
}

/** The path of a session in the namespace. */
export function attachIn(
  { name }: Namespace,
  ppp: KernelPpp,
  parts: { socket: Pppol2tpSocket; interfaces: LinkClient; user: PppPathUser; interfaceName?: string },
): PppPath {
  return inNamespace(name, () => ppp.attach(parts));
}

/** Encapsulation and options of a session. */
export interface Variant {
  readonly version: 2 | 3;
  readonly encap: "udp" | "ip";
  readonly family: "inet" | "inet6";
  /** Further parameters of both ends' sessions. */
  readonly a?: Partial<SessionParameters>;
  readonly b?: Partial<SessionParameters>;
}

const PREFIX = { inet: "10.0.0.", inet6: "fd00::" };

/** Parameters of the tunnel at this end. */
export function tunnelOf({ version, encap, family }: Variant, end: 1 | 2): TunnelParameters {
  const other = 3 - end;
  return {
    ...{ version, encap, tunnelId: end * 100, peerTunnelId: other * 100 },
    ...{ local: `${PREFIX[family]}${end}`, peer: `${PREFIX[family]}${other}` },
    ...(encap === "udp" && { localPort: 5000 + end, peerPort: 5000 + other }),
  };
}

/** One end of a session. */
export interface End extends Disposable {
  readonly l2tp: L2tpClient;
  readonly links: LinkClient;
  readonly socket: Pppol2tpSocket;
  readonly path: PppPath;
  readonly user: Notes;
}

/** The end with this number: tunnel, session, socket and path, its interface up and with addresses. */
export function openEnd(namespace: Namespace, ppp: KernelPpp, variant: Variant, end: 1 | 2): End {
  using stack = new DisposableStack();
  const l2tp = stack.use(clientIn(namespace));
  const links = stack.use(linksIn(namespace));
  const tunnel = tunnelOf(variant, end);
  const ids = { sessionId: end * 10, peerSessionId: (3 - end) * 10 };
  l2tp.createTunnel(tunnel);
  const others = end === 1 ? variant.a : variant.b;
  l2tp.createSession({ tunnelId: tunnel.tunnelId, ...ids, pseudowire: "ppp", ...others });
  const socket = stack.use(inNamespace(namespace.name, () => Pppol2tpSocket.openSession(tunnel, ids)));
  const user = new Notes();
  const path = stack.use(attachIn(namespace, ppp, { socket, interfaces: links, user }));
  const { interfaceIndex: index } = path;
  links.changeLink(index, { up: true });
  links.addAddress({ index, address: `10.77.0.${end}`, prefixLength: 32, peer: `10.77.0.${3 - end}` });
  links.addAddress({ index, address: `fe80::${end}`, prefixLength: 64 });
  const parts = stack.move();
  return { l2tp, links, socket, path, user, [Symbol.dispose]: () => parts.dispose() };
}
