/**
 * Two hosts and a subsystem (`L2TP_SUBJECT`: the daemon's, or the kernel's) for configurations to be applied to.
 *
 * @module
 */

import { assert } from "@std/assert";
import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { L2tpEvents } from "../../src/client/l2tp_events.ts";
import { LinkClient } from "../../src/client/link_client.ts";
import { openDaemonEvents } from "../../src/client/daemon/lazy.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { TestDaemon } from "../support/daemon.ts";
import { type Namespace, Pair } from "../support/namespaces.ts";
import { type Ended, programUnderTest, runProgram } from "../support/processes.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** Whether it is the kernel's. */
export const ON_KERNEL = Deno.env.get("L2TP_SUBJECT") === "kernel";
/** How often pings go on, in milliseconds. */
export const PING_EVERY_MS = 10;

/** Two hosts, a folder for files, and a subsystem; for sessions of the kernel also a daemon, which runs PPP on them. */
export class Site implements AsyncDisposable {
  /** The hosts. */
  readonly pair: Pair;
  /** The folder. */
  readonly folder: string;
  readonly #daemon: TestDaemon;

  private constructor(pair: Pair, folder: string, daemon: TestDaemon) {
    this.pair = pair;
    this.folder = folder;
    this.#daemon = daemon;
  }

  /** With nothing in it. */
  static async create(): Promise<Site> {
    const daemon = await TestDaemon.start();
    return new Site(await Pair.create(), await Deno.makeTempDir({ prefix: "l2tp-apply." }), daemon);
  }

  /** A client of the subsystem in a namespace. */
  client({ name }: Namespace): L2tpClient {
    return ON_KERNEL ? inNamespace(name, () => L2tpClient.open()) : this.#daemon.client(name);
  }

  /** What the daemon has said so far. */
  get said(): string {
    return this.#daemon.said;
  }

  /** Writes a file that nobody else can read; its path. */
  async secrets(text: string): Promise<string> {
    const path = `${this.folder}/secrets`;
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    return path;
  }

  /** Runs the program under test for a namespace. */
  async run(netns: Namespace, ...words: string[]): Promise<Ended> {
    const choice = ["-n", netns.name, "-dataplane", ON_KERNEL ? "kernel" : "user"];
    const env = { L2TP_RUNTIME_DIR: this.#daemon.folder };
    return await runProgram([...programUnderTest(), ...choice, ...words], { env });
  }

  /** Starts the program under test for a namespace. */
  spawn(netns: Namespace, ...words: string[]): Deno.ChildProcess {
    const [program, ...args] = programUnderTest();
    const choice = ["-n", netns.name, "-dataplane", ON_KERNEL ? "kernel" : "user"];
    const env = { L2TP_RUNTIME_DIR: this.#daemon.folder };
    return new Deno.Command(program, {
      args: [...args, ...choice, ...words],
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Applies a configuration, which must succeed; what it printed. */
  async apply(netns: Namespace, toml: string, ...words: string[]): Promise<string> {
    const path = `${this.folder}/l2tp.toml`;
    await Deno.writeTextFile(path, toml);
    const { code, stdout, stderr } = await this.run(netns, "apply", "-f", path, ...words);
    assertDeepStrictEquals([code, stderr], [0, ""], `${stdout}${stderr}`);
    return stdout;
  }

  /** Everything that a configuration can say, as the program itself and `ip` show it. */
  async state(netns: Namespace): Promise<unknown> {
    const { stdout } = await this.run(netns, "-j", "-d", "show");
    const links = inNamespace(netns.name, LinkClient.open);
    using _links = links;
    const names = new Map(links.links().map(({ index, name }) => [index, name]));
    const addresses = links.addresses().filter(({ address }) => !address.startsWith("fe80"))
      .map(({ index, address, prefixLength }) => `${names.get(index)} ${address}/${prefixLength}`).sort();
    const shown = JSON.parse(
      stdout.replaceAll(/"(ifindex|operstate)":[^,}]+/g, '"$1":0'),
      // How PPP is doing is nobody's decision.
      (key, value) => key === "ppp" ? value.interface : value,
    );
    return [shown, addresses];
  }

  /** Waits for what new interfaces do by themselves: that their addresses are found to be nobody else's. */
  async settle(netns: Namespace): Promise<void> {
    // Two seconds of calm in a row; how many it takes to come to them is the machine's affair.
    for (let calm = 0, looks = 0; calm < 4; looks++) {
      assert(looks < 100, "addresses are never found to be nobody else's");
      calm = (await netns.ip("addr show")).includes("tentative") ? 0 : calm + 1;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  /** What the subsystem notifies of while the action runs, and what happens to interfaces. */
  async notifications(netns: Namespace, action: () => Promise<void>): Promise<string[]> {
    const heard: string[] = [];
    const monitor = new Deno.Command("ip", {
      args: ["-n", netns.name, "monitor", "link", "address"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const lines = new Response(monitor.stdout).text();
    const events = ON_KERNEL
      ? L2tpEvents.open()
      : inNamespace(netns.name, () => openDaemonEvents(this.#daemon.folder));
    const listening = (async () => {
      for await (const event of events) heard.push(event.type);
    })();
    // ip is listening once it has an rtnetlink socket; its start takes some milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await action();
    await new Promise((resolve) => setTimeout(resolve, 300));
    events.close();
    await listening;
    monitor.kill("SIGTERM");
    await monitor.status;
    return [...heard, ...(await lines).split("\n").filter((line) => line !== "")];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const netns of [this.pair.a, this.pair.b]) await this.run(netns, "flush");
    await this.#daemon[Symbol.asyncDispose]();
    await this.pair[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Two tunnels with a session each: one over IP, one over UDP. */
export function wires(own: number, peer: number): string {
  return `[defaults.session]
up = true

[tunnel.steady]
tunnel_id = 1
peer_tunnel_id = 1
encap = "ip"
local = "10.0.0.${own}"
remote = "10.0.0.${peer}"
[tunnel.steady.session.w]
session_id = 1
peer_session_id = 1
interface = "steady"
addresses = ["192.168.1.${own}/24"]

[tunnel.neighbour]
tunnel_id = 2
peer_tunnel_id = 2
local = "10.0.0.${own}"
remote = "10.0.0.${peer}"
udp_sport = 5000
udp_dport = 5000
[tunnel.neighbour.session.w]
session_id = 2
peer_session_id = 2
interface = "neighbour"
addresses = ["192.168.2.${own}/24"]
`;
}
