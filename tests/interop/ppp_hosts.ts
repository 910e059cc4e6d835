/**
 * PPP between the two hosts of a pair, each end on a session of either subsystem; one daemon runs PPP at both ends.
 *
 * ```
 *   a: 10.0.0.1 fd00::1 ── cable ── b: 10.0.0.2 fd00::2
 *      192.0.2.1 ppp ═══ session ═══ ppp 192.0.2.10
 * ```
 *
 * `a` is the authenticator and assigns addresses.
 *
 * @module
 */

import { LinkClient } from "../../src/client/link_client.ts";
import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { DaemonClient } from "../../src/client/daemon/client.ts";
import type { PppClient } from "../../src/client/daemon/ppp_client.ts";
import type { Dataplane } from "../../src/client/subsystem.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import type { AuthMethod, PppStatus } from "../../src/model/ppp/status.ts";
import type { PppSessionSettings } from "../../src/model/ppp/settings.ts";
import type { TestDaemon } from "../support/daemon.ts";
import type { Pair } from "../support/namespaces.ts";
import { until } from "../support/until.ts";

/** One of the two hosts. */
export type PppHostName = "a" | "b";

/** Options of the connection. */
export interface PppJoin {
  /** Protocol version. */
  readonly version: 2 | 3;
  /** IP version of the cable's addresses that the tunnel uses. */
  readonly family: 4 | 6;
  /** Encapsulation of the tunnel. Default: UDP. */
  readonly encap?: "udp" | "ip";
}

/** Name and secret that `b` has. */
export const USER = "alice";
/** The secret, which nothing may ever print. */
export const SECRET = "Wonderland-7c1e55aa";
/** Our address, the peer's. */
export const ADDRESSES = { a: "192.0.2.1", b: "192.0.2.10" } as const;

/** PPP settings of `a`. */
export function serverSettings(method: AuthMethod | "none"): PppSessionSettings {
  return {
    user: "server",
    secrets: [{ name: USER, secret: SECRET }],
    require: method === "none" ? [] : [method],
    ipv4: { local: ADDRESSES.a, pool: [ADDRESSES.b, "192.0.2.99"], dns: ["192.0.2.53"] },
    echoIntervalMs: 1000,
    echoFailures: 3,
  };
}

/** PPP settings of `b`. */
export function clientSettings(secret: string = SECRET): PppSessionSettings {
  return {
    user: USER,
    secrets: [{ name: USER, secret }],
    ipv4: { askDns: true },
    echoIntervalMs: 1000,
    echoFailures: 3,
  };
}

/** Ids: tunnel 1 and session 11 at `a`, 2 and 12 at `b`. */
const NUMBERS = { a: 1, b: 2 } as const;

/** A host: its tunnels, and its PPP. */
class PppHost implements Disposable {
  readonly dataplane: Dataplane;
  readonly netns: string;
  readonly l2tp: L2tpClient;
  readonly links: LinkClient;
  readonly ppp: PppClient;
  readonly #daemon: DaemonClient;

  constructor(netns: string, dataplane: Dataplane, daemon: TestDaemon) {
    this.netns = netns;
    this.dataplane = dataplane;
    this.l2tp = dataplane === "user" ? daemon.client(netns) : inNamespace(netns, () => L2tpClient.open());
    this.links = inNamespace(netns, () => LinkClient.open());
    this.#daemon = new DaemonClient(daemon.connect(netns));
    this.ppp = this.#daemon.ppp;
  }

  [Symbol.dispose](): void {
    this.#daemon[Symbol.dispose]();
    this.links[Symbol.dispose]();
    this.l2tp[Symbol.dispose]();
  }
}

/** The two hosts. */
export class PppHosts implements Disposable {
  readonly a: PppHost;
  readonly b: PppHost;

  /** Borrows the pair and the daemon. */
  constructor(pair: Pair, daemon: TestDaemon, dataplanes: Readonly<Record<PppHostName, Dataplane>>) {
    using stack = new DisposableStack();
    this.a = stack.use(new PppHost(pair.a.name, dataplanes.a, daemon));
    this.b = stack.use(new PppHost(pair.b.name, dataplanes.b, daemon));
    stack.move();
  }

  /**
   * Creates a tunnel with a PPP session on which no PPP runs yet. Disposing of the result deletes the tunnel and waits
   * until it is gone.
   */
  join({ version, family, encap = "udp" }: PppJoin): AsyncDisposable {
    for (const [name, other] of [["a", "b"], ["b", "a"]] as const) {
      const { l2tp } = this[name];
      const [own, peer] = [NUMBERS[name], NUMBERS[other]];
      const prefix = family === 4 ? "10.0.0." : "fd00::";
      l2tp.createTunnel({
        tunnelId: own,
        peerTunnelId: peer,
        version,
        encap,
        local: `${prefix}${own}`,
        peer: `${prefix}${peer}`,
        ...(encap === "udp" && { localPort: 1701, peerPort: 1701 }),
      });
      l2tp.createSession({
        tunnelId: own,
        sessionId: 10 + own,
        peerSessionId: 10 + peer,
        pseudowire: "ppp",
      });
    }
    return { [Symbol.asyncDispose]: () => this.#part() };
  }

  /** Runs PPP on the session of one end. */
  run(name: PppHostName, settings: PppSessionSettings): void {
    const { ppp, dataplane } = this[name];
    const own = NUMBERS[name];
    ppp.run({ dataplane, tunnelId: own, sessionId: 10 + own, settings });
  }

  /** Returns the PPP status at one end; `undefined` if no PPP runs there. */
  status(name: PppHostName): PppStatus | undefined {
    return this[name].ppp.sessions()[0]?.status;
  }

  /** Name of the interface at one end. */
  interfaceName(name: PppHostName): string {
    return this[name].ppp.sessions()[0]!.interfaceName!;
  }

  /** Waits until both protocols are up at both ends. */
  async up(): Promise<void> {
    for (const name of ["a", "b"] as const) {
      await until(() => {
        const { ipcp, ipv6cp } = this.status(name) ?? {};
        return ipcp?.state === "Opened" && ipv6cp?.state === "Opened";
      }, `PPP at ${name} is up`);
    }
  }

  /** Deletes the session of one end. */
  deleteSession(name: PppHostName): void {
    const own = NUMBERS[name];
    this[name].l2tp.deleteSession({ tunnelId: own, sessionId: 10 + own });
  }

  async #part(): Promise<void> {
    for (const name of ["a", "b"] as const) {
      const { l2tp, links, ppp } = this[name];
      if (l2tp.tunnel(NUMBERS[name]) !== undefined) l2tp.deleteTunnel(NUMBERS[name]);
      await until(
        () => ppp.sessions().length === 0 && !links.links().some((link) => link.name.startsWith("ppp")),
        `the interface at ${name} has gone`,
      );
      await until(() => l2tp.tunnels().length === 0, `the tunnel at ${name} has gone`);
    }
  }

  /** Closes the clients. */
  [Symbol.dispose](): void {
    this.a[Symbol.dispose]();
    this.b[Symbol.dispose]();
  }
}
