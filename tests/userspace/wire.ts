/**
 * Pseudowires between two hosts, each end in whatever L2TP subsystem its host has:
 *
 * ```
 *   a: 10.0.0.1 fd00::1 ── cable ── b: 10.0.0.2 fd00::2
 *      192.168.N.1 wN ═══ wire N ═══ wN 192.168.N.2
 * ```
 *
 * @module
 */

import { assertEquals, fail } from "@std/assert";
import { resolveFamily } from "../../src/client/genl_family.ts";
import { DaemonClient } from "../../src/client/daemon/client.ts";
import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { L2TP_GENL_NAME } from "../../src/wire/genl/l2tp/constants.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { LinkClient } from "../../src/client/link_client.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import type { Counters } from "../../src/model/counters.ts";
import type { LinkChanges } from "../../src/model/link.ts";
import type { SessionParameters } from "../../src/model/session.ts";
import type { TunnelParameters } from "../../src/model/tunnel.ts";
import type { Namespace, Pair } from "../support/namespaces.ts";
import { ping, type PingOptions, transfer } from "../support/traffic.ts";
import { until } from "../support/until.ts";

/** One of the two hosts. */
export type HostName = "a" | "b";

/** The other one. */
export function other(name: HostName): HostName {
  return name === "a" ? "b" : "a";
}

/** A host with the subsystem that its ends of wires are in. */
export class Host implements Disposable {
  /** Namespace of this end. */
  readonly namespace: Namespace;
  /** Client for tunnels. */
  readonly l2tp: L2tpClient;
  /** Client for interfaces. */
  readonly links: LinkClient;

  /** Takes the client over, not the namespace. Interfaces that are made from now on say nothing of themselves. */
  constructor(namespace: Namespace, l2tp: L2tpClient) {
    this.namespace = namespace;
    this.l2tp = l2tp;
    this.links = inNamespace(namespace.name, LinkClient.open);
    this.sysctl("net/ipv6/conf/default/disable_ipv6", "1");
  }

  /** Name of its namespace. */
  get netns(): string {
    return this.namespace.name;
  }

  /** Sets a variable below `/proc/sys` of the namespace. */
  sysctl(path: string, value: string): void {
    inNamespace(this.netns, () => Deno.writeTextFileSync(`/proc/sys/${path}`, value));
  }

  /** Number of an interface, which must be there. */
  index(device: string): number {
    return this.links.link(device)?.index ?? fail(`${this.netns} has no interface ${device}`);
  }

  /** Changes an interface. */
  change(device: string, changes: LinkChanges): void {
    this.links.changeLink(this.index(device), changes);
  }

  /** Closes the clients. */
  [Symbol.dispose](): void {
    this.l2tp[Symbol.dispose]();
    this.links[Symbol.dispose]();
  }
}

/** Two hosts, and the cable between them, which is the caller's. */
export class Hosts implements Disposable {
  /** One. */
  readonly a: Host;
  /** The other one. */
  readonly b: Host;

  /** `open` gives the client of a host's subsystem. */
  constructor(pair: Pair, open: (netns: string, host: HostName) => L2tpClient) {
    using stack = new DisposableStack();
    this.a = stack.use(new Host(pair.a, open(pair.a.name, "a")));
    this.b = new Host(pair.b, open(pair.b.name, "b"));
    stack.move();
  }

  /** Closes the clients. */
  [Symbol.dispose](): void {
    this.a[Symbol.dispose]();
    this.b[Symbol.dispose]();
  }
}

/** A client of the daemon for a namespace, which also reads the drop counters. */
export function userClient(daemon: TestDaemon, netns: string): L2tpClient {
  const connection = daemon.connect(netns);
  const options = { daemon: new DaemonClient(connection) };
  return new L2tpClient(connection, resolveFamily(connection, L2TP_GENL_NAME), options);
}

/** Options of the two ends of a wire. */
export interface WireOptions {
  /** Encapsulation. Default: UDP. */
  readonly encap?: "udp" | "ip";
  /** IP version: 4 unless given. */
  readonly family?: 4 | 6;
  /** Of both tunnels. */
  readonly tunnel?: Partial<TunnelParameters>;
  /** Of a's tunnel. */
  readonly tunnelA?: Partial<TunnelParameters>;
  /** Of b's tunnel. */
  readonly tunnelB?: Partial<TunnelParameters>;
  /** Of both sessions. */
  readonly session?: Partial<SessionParameters>;
  /** Of a's session. */
  readonly a?: Partial<SessionParameters>;
  /** Of b's session. */
  readonly b?: Partial<SessionParameters>;
  /** In what a sends, from 0 to 8 bytes long; b expects it. */
  readonly cookieA?: number;
  /** In what b sends; a expects it. */
  readonly cookieB?: number;
  /** MTU of the devices; what the subsystem chooses unless given. */
  readonly mtu?: number;
}

function cookie(length: number | undefined, seed: number): Uint8Array | undefined {
  return length === undefined || length === 0 ? undefined : new Uint8Array(length).map((_, i) => seed + i);
}

/** So many wires have names, ids, ports and addresses of their own. */
const WIRES_MAX = 250;
/** Counts the wires, so that packets in flight from a deleted wire do not match the next one. */
let wires = 0;

/** A pseudowire whose devices have addresses and are up. */
export class Wire implements AsyncDisposable {
  /** Name of the device at both ends. */
  readonly device: string;
  readonly #hosts: Hosts;
  readonly #number: number;

  /** Makes both ends. */
  constructor(hosts: Hosts, options: WireOptions = {}) {
    this.#hosts = hosts;
    this.#number = wires++ % WIRES_MAX + 1;
    this.device = `w${this.#number}`;
    for (const name of ["a", "b"] as const) {
      const host = hosts[name];
      host.l2tp.createTunnel(this.tunnel(name, options));
      host.l2tp.createSession(this.#session(name, options));
      const index = host.index(this.device);
      host.links.addAddress({ index, address: this.address(name), prefixLength: 24 });
      host.links.changeLink(index, { up: true, ...(options.mtu !== undefined && { mtu: options.mtu }) });
    }
  }

  /** A host's address on this wire. */
  address(name: HostName): string {
    return `192.168.${this.#number}.${name === "a" ? 1 : 2}`;
  }

  /** A host's ids of this wire. */
  ids(name: HostName): { readonly tunnelId: number; readonly sessionId: number } {
    const number = this.#number;
    return name === "a"
      ? { tunnelId: 3000 + number, sessionId: 1000 + number }
      : { tunnelId: 4000 + number, sessionId: 2000 + number };
  }

  /** Parameters of an end's tunnel. */
  tunnel(
    name: HostName,
    { encap = "udp", family = 4, tunnel, tunnelA, tunnelB }: WireOptions,
  ): TunnelParameters {
    const address = (name: HostName): string =>
      (family === 4 ? "10.0.0." : "fd00::") + (name === "a" ? 1 : 2);
    const port = (name: HostName): number => (name === "a" ? 5000 : 6000) + this.#number;
    const peer = other(name);
    return {
      encap,
      tunnelId: this.ids(name).tunnelId,
      peerTunnelId: this.ids(peer).tunnelId,
      local: address(name),
      peer: address(peer),
      ...(encap === "udp" && { localPort: port(name), peerPort: port(peer) }),
      ...tunnel,
      ...(name === "a" ? tunnelA : tunnelB),
    };
  }

  #session(name: HostName, { cookieA, cookieB, session, ...ends }: WireOptions): SessionParameters {
    const fromA = cookie(cookieA, 0xa1);
    const fromB = cookie(cookieB, 0x31);
    const [own, peer] = name === "a" ? [fromA, fromB] : [fromB, fromA];
    return {
      ...this.ids(name),
      peerSessionId: this.ids(other(name)).sessionId,
      interfaceName: this.device,
      cookie: own,
      peerCookie: peer,
      ...session,
      ...ends[name],
    };
  }

  /** Echoes from one end to the other, from a unless said otherwise. */
  async ping(options: PingOptions = {}, from: HostName = "a"): Promise<void> {
    await ping(this.#hosts[from].netns, this.address(other(from)), options);
  }

  /** TCP both ways at once, so many bytes each; Mbit/s. */
  async transfer(bytes: number): Promise<number> {
    const { a, b } = this.#hosts;
    return await transfer({ from: a.netns, to: b.netns, address: this.address("b") }, bytes);
  }

  /** The counters of an end's session. */
  counters(name: HostName): Counters {
    return this.#hosts[name].l2tp.session(this.ids(name))!.counters;
  }

  /** The counters of an end's tunnel. */
  tunnelCounters(name: HostName): Counters {
    return this.#hosts[name].l2tp.tunnel(this.ids(name).tunnelId)!.counters;
  }

  /** The MTU of an end's device. */
  mtu(name: HostName): number {
    return this.#hosts[name].links.link(this.device)!.mtu;
  }

  /**
   * Waits until what either end has sent was received by the other one, and asserts that neither dropped anything. The
   * tunnels, which have but this session, must say the same.
   *
   * With sequence numbers and no reorder queue, packets may be discarded also where the cable keeps their order
   * (`overtaken`): a kernel that sends on two processors at once numbers them in one order and sends them in another.
   */
  async assertMirrored({ overtaken = false } = {}): Promise<void> {
    const ends = (name: HostName): Counters[] => [this.counters(name), this.tunnelCounters(name)];
    // Late ones are sequence discards, or outside of the window once the others have been accepted.
    const lost = ({ rxErrors }: Counters): bigint => overtaken ? rxErrors : 0n;
    const agree = (from: Counters, to: Counters): boolean =>
      from.txPackets === to.rxPackets + lost(to) && (lost(to) > 0n || from.txBytes === to.rxBytes);
    const both = (): { a: Counters[]; b: Counters[] } => ({ a: ends("a"), b: ends("b") });
    try {
      await until(() => {
        const { a, b } = both();
        return [[a, b], [b, a]].every(([from, to]) =>
          from!.every((counters) => agree(counters, to![0]!)) && from![0]!.rxPackets === from![1]!.rxPackets
        );
      }, "the counters agree");
    } catch (error) {
      throw new Error(`${this.device}: ${Deno.inspect(both())}`, { cause: error });
    }
    for (const counters of Object.values(both()).flat()) {
      const { txErrors, rxErrors, rxOosPackets, rxCookieDiscards, rxInvalid } = counters;
      const bad = [
        txErrors,
        rxErrors - lost(counters),
        rxOosPackets,
        rxCookieDiscards ?? 0n,
        rxInvalid ?? 0n,
      ];
      assertEquals(bad, [0n, 0n, 0n, 0n, 0n]);
    }
  }

  /** Takes both ends away, and waits until they are gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of ["a", "b"] as const) this.#hosts[name].l2tp.deleteTunnel(this.ids(name).tunnelId);
    for (const name of ["a", "b"] as const) {
      const host = this.#hosts[name];
      await until(
        () =>
          host.links.link(this.device) === undefined &&
          host.l2tp.tunnel(this.ids(name).tunnelId) === undefined,
        `${this.device} goes`,
      );
    }
  }
}
