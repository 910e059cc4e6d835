/**
 * A pseudowire with a bridge at either end, and hosts behind them that know of nothing:
 *
 * ```
 *   ca: 192.168.99.1 eth0 ── port ─┐                     ┌─ port ── eth0 192.168.99.2 :cb
 *                            tap ── br0 ── w1 ═══ w1 ── br0 ── tap
 *                                     (a)             (b)
 * ```
 *
 * @module
 */

import { assert, assertStrictEquals } from "@std/assert";
import { formatHex } from "../../src/base/hex.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { Namespace } from "../support/namespaces.ts";
import { runProgram } from "../support/processes.ts";
import { ETHERTYPE_TEST, frame, ping, takeFrames, TapHost, transfer } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { type HostName, type Hosts, other, Wire, type WireOptions } from "./wire.ts";

/** Runs commands of `ip`, one a line, in one process. */
export async function ipBatch(netns: string, lines: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram(["ip", "-n", netns, "-batch", "-"], { stdin: lines.join("\n") });
  assertStrictEquals(code, 0, stderr);
}

const END_OF_TAG = 16;

/** The wire, the bridges and the hosts. */
export class Bridges implements AsyncDisposable {
  /** The wire, whose devices take whole frames of the hosts behind. */
  readonly wire: Wire;
  readonly #hosts: Hosts;
  readonly #clients: Readonly<Record<HostName, Namespace>>;
  readonly #taps: Readonly<Record<HostName, TapHost>>;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    hosts: Hosts,
    wire: Wire,
    clients: Record<HostName, Namespace>,
    taps: Record<HostName, TapHost>,
    stack: AsyncDisposableStack,
  ) {
    this.#hosts = hosts;
    this.wire = wire;
    this.#clients = clients;
    this.#taps = taps;
    this.#stack = stack;
  }

  /** Builds all of it. The MTU of the hosts behind is the usual 1500, so the wire's is as well. */
  static async create(hosts: Hosts, options: WireOptions): Promise<Bridges> {
    await using stack = new AsyncDisposableStack();
    const wire = stack.use(new Wire(hosts, { ...options, mtu: 1500 }));
    const clients: Partial<Record<HostName, Namespace>> = {};
    const taps: Partial<Record<HostName, TapHost>> = {};
    for (const name of ["a", "b"] as const) {
      const { netns } = hosts[name];
      const client = clients[name] = stack.use(await Namespace.create(`c${name}`));
      inNamespace(
        client.name,
        () => Deno.writeTextFileSync("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"),
      );
      taps[name] = stack.use(new TapHost(netns, "tap"));
      stack.defer(() => ipBatch(netns, ["link del br0"]));
      await ipBatch(netns, [
        "link add br0 type bridge",
        `link add port type veth peer name eth0 netns ${client.name}`,
        ...["port", "tap", wire.device].flatMap((port) => [
          `link set ${port} master br0`,
          `link set ${port} up`,
        ]),
        "link set br0 up",
      ]);
      await ipBatch(client.name, [
        `addr add 192.168.99.${name === "a" ? 1 : 2}/24 dev eth0`,
        "link set eth0 up",
      ]);
    }
    return new Bridges(
      hosts,
      wire,
      clients as Record<HostName, Namespace>,
      taps as Record<HostName, TapHost>,
      stack.move(),
    );
  }

  /** The hosts behind reach each other: echoes of all sizes, and TCP. */
  async check(bytes: number): Promise<void> {
    const { a, b } = this.#clients;
    await ping(a.name, "192.168.99.2");
    await ping(b.name, "192.168.99.1", { count: 1, size: 1472, dontFragment: true });
    await ping(a.name, "192.168.99.2", { count: 1, size: 8000 });
    await transfer({ from: a.name, to: b.name, address: "192.168.99.2" }, bytes);
    await this.wire.assertMirrored();
  }

  /** Frames with a VLAN tag arrive byte for byte, as long as they may be, those for everybody and others. */
  async checkTagged(): Promise<void> {
    for (const from of ["a", "b"] as const) {
      for (const destination of ["ffffffffffff", "01005e010203", "0200000000aa"]) {
        for (const [number, length] of [[1, 64], [2, 700], [3, 1518]] as const) {
          const tagged = frame(number, { length, destination, vlan: 0xa005 });
          assert(this.#taps[from].send(tagged));
          const matching = {
            take: (): Uint8Array<ArrayBuffer> | undefined => this.#takeTest(other(from)),
          };
          const [arrived] = await takeFrames(matching, 1, "with a tag arrive");
          assertStrictEquals(formatHex(arrived!), formatHex(tagged));
        }
      }
    }
    await this.wire.assertMirrored();
  }

  /** The next frame of this test at a host's TAP device: bridges have frames of their own. */
  #takeTest(name: HostName): Uint8Array<ArrayBuffer> | undefined {
    for (;;) {
      const next = this.#taps[name].take();
      if (next === undefined) return undefined;
      if (((next[END_OF_TAG]! << 8) | next[END_OF_TAG + 1]!) === ETHERTYPE_TEST) return next;
    }
  }

  /** The hosts behind have interfaces with a VLAN tag; for kernels that can (`8021q`). */
  async checkVlanInterfaces(): Promise<void> {
    for (const name of ["a", "b"] as const) {
      await ipBatch(this.#clients[name].name, [
        "link add link eth0 name v5 type vlan id 5",
        `addr add 192.168.98.${name === "a" ? 1 : 2}/24 dev v5`,
        "link set v5 up",
      ]);
    }
    const { a, b } = this.#clients;
    await ping(a.name, "192.168.98.2", { size: 1472, dontFragment: true });
    await transfer({ from: b.name, to: a.name, address: "192.168.98.1" }, 100_000);
    await this.wire.assertMirrored();
  }

  /** One end is cut off the bridge and comes back. */
  async checkComingBack(): Promise<void> {
    const { a } = this.#hosts;
    a.change(this.wire.device, { master: 0 });
    a.change(this.wire.device, { master: a.index("br0") });
    await until(() => a.links.link(this.wire.device)?.state !== "down", "the port is there again");
    await ping(this.#clients.b.name, "192.168.99.1");
  }

  /** Takes all of it away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}
