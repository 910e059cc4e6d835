/**
 * Network namespaces for tests, with names of this test's own, gone when it ends.
 *
 * @module
 */

import { inNamespace } from "../../src/driver/system/namespace.ts";
import { runProgram, sh } from "./processes.ts";

let count = 0;

/** A network namespace that is deleted with everything in it. */
export class Namespace implements AsyncDisposable {
  /** Name of the namespace, for `ip -n` and `l2tp -n`. */
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /** A new one, its loopback interface up. */
  static async create(prefix: string): Promise<Namespace> {
    const namespace = new Namespace(`${prefix}-${Deno.pid}-${count++}`);
    await sh("ip", "netns", "add", namespace.name);
    await namespace.ip("link set lo up");
    return namespace;
  }

  /** Runs `ip -n NAME` with these words, which must succeed; its output. */
  async ip(line: string): Promise<string> {
    return await sh("ip", "-n", this.name, ...line.split(" "));
  }

  /** Runs a program in here, which must succeed; its output. */
  async sh(...command: readonly string[]): Promise<string> {
    return await sh("ip", "netns", "exec", this.name, ...command);
  }

  /** The text of debugfs' `l2tp/tunnels` as seen from here, without its header. */
  debugfs(): Promise<string> {
    // The namespace of the opening thread decides; a synchronous read opens the file on this thread.
    const text = inNamespace(this.name, () => Deno.readTextFileSync("/sys/kernel/debug/l2tp/tunnels"));
    return Promise.resolve(text.split("\n").slice(11).join("\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await runProgram(["ip", "netns", "delete", this.name]);
  }
}

/**
 * Two hosts and a cable:
 *
 * ```
 *   a: 10.0.0.1 fd00::1 fe80::1 ── veth ── b: 10.0.0.2 fd00::2 fe80::2
 * ```
 */
export class Pair implements AsyncDisposable {
  readonly a: Namespace;
  readonly b: Namespace;

  private constructor(a: Namespace, b: Namespace) {
    this.a = a;
    this.b = b;
  }

  /** Two new namespaces, joined. */
  static async create(): Promise<Pair> {
    const pair = new Pair(await Namespace.create("a"), await Namespace.create("b"));
    await pair.a.ip(`link add cable type veth peer name cable netns ${pair.b.name}`);
    for (const [host, namespace] of [[1, pair.a], [2, pair.b]] as const) {
      await namespace.ip(`addr add 10.0.0.${host}/24 dev cable`);
      await namespace.ip(`addr add fd00::${host}/64 dev cable nodad`);
      await namespace.ip(`addr add fe80::${host}/64 dev cable nodad`);
      await namespace.ip("link set cable up");
    }
    return pair;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.a[Symbol.asyncDispose]();
    await this.b[Symbol.asyncDispose]();
  }
}
