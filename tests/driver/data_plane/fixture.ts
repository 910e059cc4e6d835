/**
 * Two hosts joined by a cable, and a data plane that serves both: the fixture of the worker's tests. Needs root.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { AF_INET, AF_INET6 } from "../../../src/base/inet.ts";
import { bindLibc } from "../../../ffi/libc.ts";
import { daemonLibc, localLibc, packetLibc } from "../../../ffi/packet_libc.ts";
import { type InetAddress } from "../../../ffi/sockets/sockaddr.ts";
import type { Socket } from "../../../ffi/sockets/socket.ts";
import { TapDevice, TunDevice } from "../../../ffi/kernel/tun.ts";
import { openRawL2tp, openUdp } from "../../../ffi/sockets/udp.ts";
import { parseIpAddress } from "../../../src/base/ip_address.ts";
import type { EndpointKind } from "../../../src/dataplane/mod.ts";
import {
  DataPlane,
  type DataPlaneOptions,
  type EndpointHandle,
  type SessionHandle,
  type SessionOptions,
  type TunnelHandle,
  type TunnelOptions,
} from "../../../src/driver/data_plane/mod.ts";
import { inNamespace } from "../../../src/driver/system/namespace.ts";
import { type Namespace, Pair } from "../../support/namespaces.ts";
import { until } from "../../support/until.ts";
import { EMULATED } from "../../ffi/emulated.ts";

// Opened here, because a library opened within a test counts as a leak.
bindLibc();
localLibc();
packetLibc();
daemonLibc();

/** A worker takes seconds to start where an emulator runs it. */
const START: DataPlaneOptions = EMULATED ? { timeoutMs: 60_000 } : {};

/** How many descriptors of each kind are open in this process, and threads of data planes run. */
function openThings(): Map<string, number> {
  const things = new Map<string, number>();
  const add = (thing: string): void => void things.set(thing, (things.get(thing) ?? 0) + 1);
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      add(Deno.readLinkSync(`/proc/self/fd/${name}`).replace(/:\[\d+\]/, ""));
    } catch {
      // The descriptor of this listing.
    }
  }
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    try {
      if (Deno.readTextFileSync(`/proc/self/task/${name}/comm`).startsWith("worker-")) add("thread");
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return things;
}

/**
 * Runs the action, and asserts that it leaks no descriptors and no worker threads. Descriptors are counted by kind:
 * the runtime keeps an eventfd and an epoll of the last worker, with changing numbers.
 */
export async function assertNothingLeft(action: () => Promise<void>): Promise<void> {
  (await DataPlane.start(START)).close();
  const threads = (): number => openThings().get("thread") ?? 0;
  await until(() => threads() === 0, "the thread's end");
  const before = openThings();
  await action();
  const excess = (): string[] =>
    [...openThings()].filter(([thing, count]) => count > (before.get(thing) ?? 0)).map(String);
  for (let attempt = 0; attempt < 100 && excess().length > 0; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(excess(), [], "open, but not before");
}

/** A host. */
export type Host = "a" | "b";

/** The other host. */
export function other(host: Host): Host {
  return host === "a" ? "b" : "a";
}

/** A host's address and port on the cable. */
export function addressOf(host: Host, kind: EndpointKind): InetAddress {
  const last = host === "a" ? 1 : 2;
  const text = kind.endsWith("4") ? `10.0.0.${last}` : `fd00::${last}`;
  return { address: parseIpAddress(text)!, port: kind.startsWith("udp") ? 1701 : 0 };
}

/** One end of a tunnel. */
export interface End {
  readonly socket: Socket;
  readonly endpoint: EndpointHandle;
  readonly tunnel: TunnelHandle;
}

/** One end of a pseudowire. */
export interface WireEnd extends End {
  readonly tap: TapDevice;
  readonly session: SessionHandle;
}

/** Options of a pseudowire's end. */
export interface WireOptions {
  readonly session?: Partial<SessionOptions>;
  readonly tunnel?: Partial<TunnelOptions>;
  /** MTU of the device. */
  readonly mtu?: number;
}

/** Both hosts. */
export class DataPlaneFixture implements AsyncDisposable {
  /** The data plane of both hosts. */
  readonly plane: DataPlane;
  readonly #pair: Pair;
  readonly #open: DisposableStack = new DisposableStack();

  private constructor(pair: Pair, plane: DataPlane) {
    this.#pair = pair;
    this.plane = plane;
  }

  /** Creates two hosts whose devices send no packets on their own. */
  static async create(options: DataPlaneOptions = {}): Promise<DataPlaneFixture> {
    const pair = await Pair.create();
    for (const host of [pair.a, pair.b]) {
      await host.sh("sysctl", "-q", "-w", "net.ipv6.conf.default.disable_ipv6=1");
    }
    return new DataPlaneFixture(pair, await DataPlane.start({ ...START, ...options }));
  }

  /** The namespace of a host. */
  namespace(host: Host): Namespace {
    return this.#pair[host];
  }

  /** Runs an action in a host's namespace. */
  within<T>(host: Host, action: () => T): T {
    return inNamespace(this.namespace(host).name, action);
  }

  /** Opens a socket on a host. */
  socket(host: Host, kind: EndpointKind, port: number = 1701): Socket {
    const family = kind.endsWith("4") ? AF_INET : AF_INET6;
    const local = { ...addressOf(host, kind), port };
    return this.#open.use(
      this.within(
        host,
        () =>
          kind.startsWith("udp")
            ? openUdp(family, { local, receiveBuffer: 4 << 20, sendBuffer: 4 << 20 })
            : openRawL2tp(family, local, { receiveBuffer: 4 << 20, sendBuffer: 4 << 20 }),
      ),
    );
  }

  /** Opens a device on a host. */
  tap(host: Host, name: string): TapDevice {
    return this.#open.use(this.within(host, () => TapDevice.open(name)));
  }

  /** Opens a TUN device on a host. */
  tun(host: Host, name: string, vnetHeader: boolean): TunDevice {
    return this.#open.use(this.within(host, () => TunDevice.open(name, { vnetHeader })));
  }

  /** One end of a tunnel; host a's id is 1, host b's is 2. */
  end(host: Host, kind: EndpointKind, options: Partial<TunnelOptions> = {}): End {
    const socket = this.socket(host, kind);
    const endpoint = this.plane.addEndpoint({ fd: socket.number, kind });
    const { port, address } = addressOf(other(host), kind);
    const [tunnelId, peerTunnelId] = host === "a" ? [1, 2] : [2, 1];
    const tunnel = this.plane.addTunnel({
      ...{ netnsKey: host, tunnelId, peerTunnelId, version: 3, endpoint },
      peer: { address, ...(port !== 0 && { port }) },
      ...options,
    });
    return { socket, endpoint, tunnel };
  }

  /** One end of a pseudowire with a device `wire`, up, with the address 10.9.0.1 or .2. */
  async wireEnd(host: Host, kind: EndpointKind, options: WireOptions = {}): Promise<WireEnd> {
    const end = this.end(host, kind, options.tunnel);
    const tap = this.tap(host, "wire");
    const [sessionId, peerSessionId] = host === "a" ? [11, 22] : [22, 11];
    const session = this.plane.addSession(end.tunnel, {
      ...{ sessionId, peerSessionId, pseudowire: "eth", tapFd: tap.number },
      ...options.session,
    });
    const namespace = this.namespace(host);
    await namespace.ip(`link set wire mtu ${options.mtu ?? 1400}`);
    await namespace.ip(`addr add 10.9.0.${host === "a" ? 1 : 2}/24 dev wire`);
    await namespace.ip("link set wire up");
    return { ...end, tap, session };
  }

  /** Both ends of a pseudowire. */
  async wire(kind: EndpointKind, options: WireOptions = {}): Promise<{ a: WireEnd; b: WireEnd }> {
    return { a: await this.wireEnd("a", kind, options), b: await this.wireEnd("b", kind, options) };
  }

  /** Pings from host a; asserts that no packet is lost. */
  async ping(to: string, ...options: readonly string[]): Promise<void> {
    const output = await this.namespace("a").sh(
      ...["ping", "-q", "-c", "5", "-i", "0.01", "-W", "5", ...options, to],
    );
    if (!output.includes(" 0% packet loss")) throw new Error(output);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.plane.close();
    this.#open.dispose();
    await this.#pair[Symbol.asyncDispose]();
  }
}
