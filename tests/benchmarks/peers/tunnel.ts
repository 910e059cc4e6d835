/**
 * Tunnels of every make, each in two network namespaces of its own, joined by a cable:
 *
 * ```
 *   a: 10.0.0.1 fd00::1 ─── cable ─── b: 10.0.0.2 fd00::2
 *      192.168.7.1 fd07::1 ═ tunnel ═ 192.168.7.2 fd07::2
 * ```
 *
 * @module
 */

import { Pair } from "../../support/namespaces.ts";
import { sh } from "../../support/processes.ts";
import type { VariantFacts } from "../figures/results.ts";

/** The far end's address within the tunnel. */
export const FAR_END = { 4: "192.168.7.2", 6: "fd07::2" } as const;

/** A created tunnel: a device of the same name at both ends. */
export interface Made {
  /** Name of the device. */
  readonly device: string;
  /** Processes that move its packets, of a and of b; none if the kernel does. */
  readonly pids?: readonly [number, number];
}

/** A make of tunnel. */
export interface Variant {
  readonly name: string;
  /** Description. */
  readonly what: string;
  /** Makes both ends; what has to be ended goes on the stack, and is ended before the namespaces go. */
  readonly make: (pair: Pair, stack: AsyncDisposableStack) => Promise<Made>;
}

/** A tunnel that is up. */
export class Tunnel implements AsyncDisposable {
  readonly variant: Variant;
  readonly pair: Pair;
  readonly device: string;
  /** Processes that move its packets, of a and of b; empty if the kernel does. */
  readonly pids: readonly number[];
  /** MTU of its device. */
  readonly mtu: number;
  readonly #stack: AsyncDisposableStack;

  private constructor(variant: Variant, pair: Pair, made: Made, mtu: number, stack: AsyncDisposableStack) {
    this.variant = variant;
    this.pair = pair;
    this.device = made.device;
    this.pids = made.pids ?? [];
    this.mtu = mtu;
    this.#stack = stack;
  }

  /** Makes one. */
  static async open(variant: Variant): Promise<Tunnel> {
    await using stack = new AsyncDisposableStack();
    const pair = stack.use(await Pair.create());
    const made = await variant.make(pair, stack);
    const { device } = made;
    const ends = [[1, pair.a], [2, pair.b]] as const;
    const macs: string[] = [];
    for (const [host, netns] of ends) {
      await netns.ip(`link set ${device} up`);
      await netns.ip(`addr add 192.168.7.${host}/24 dev ${device}`);
      await netns.ip(`addr add fd07::${host}/64 dev ${device} nodad`);
      macs.push(JSON.parse(await sh("ip", "-n", netns.name, "-j", "link", "show", device))[0].address);
    }
    // Or else, when a flood loses the questions for it, an address is forgotten, and the flood stops by itself.
    for (const [host, netns] of ends) {
      const other = 3 - host;
      for (const address of [`192.168.7.${other}`, `fd07::${other}`]) {
        await netns.ip(`neigh replace ${address} lladdr ${macs[other - 1]} dev ${device} nud permanent`);
      }
    }
    const [link] = JSON.parse(await sh("ip", "-n", pair.a.name, "-j", "link", "show", device));
    return new Tunnel(variant, pair, made, link.mtu, stack.move());
  }

  /** Facts about the tunnel for the results. */
  get facts(): VariantFacts {
    return { name: this.variant.name, what: this.variant.what, mtu: this.mtu };
  }

  /**
   * Number of fragmented packets so far. A tunnel whose packets are fragmented would measure the cost of that.
   *
   * Packets that exceed the MTU of the tunnel's device count as well, but no load creates any.
   */
  async fragments(): Promise<number> {
    let count = 0;
    for (const netns of [this.pair.a, this.pair.b]) {
      const lines = (await netns.sh("cat", "/proc/net/snmp")).split("\n");
      const [names, values] = lines.filter((line) => line.startsWith("Ip: ")).map((line) => line.split(" "));
      count += Number(values![names!.indexOf("FragCreates")]);
      count += Number(/^Ip6FragCreates\s+(\d+)$/m.exec(await netns.sh("cat", "/proc/net/snmp6"))![1]);
    }
    return count;
  }

  /** Takes it down. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
