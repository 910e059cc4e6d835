/**
 * `deno task demo`: what this project is for, in a minute. Two hosts, a cable, one tunnel over IP and one over UDP
 * between them, packets through both. Runs here where we may make namespaces and devices: with the kernel's L2TP if it
 * has one, else in userspace. Where we may not, the test guest's kernel does it.
 *
 * @module
 */

import process from "node:process";
import { programUnderTest } from "../support/processes.ts";
import { ensurePackages } from "./debian.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const PACKAGES = ["iproute2", "iputils-ping", "jq"];
/** A daemon that is not ready after so many seconds hangs. */
const DAEMON_SECONDS = 30;
/** A guest that is still at it after so many seconds hangs. */
const GUEST_SECONDS = 300;

/** A command of the demonstration failed. */
class DemoError extends Error {
  override readonly name = "DemoError";
}

/** A signal ends the demonstration. */
class Interrupted extends Error {
  override readonly name = "Interrupted";

  constructor(readonly signal: Deno.Signal) {
    super(`interrupted by ${signal}`);
  }
}

/** Runs programs until a signal comes, which ends the one that runs. */
class Runner implements Disposable {
  static readonly #SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  readonly #children = new Set<Deno.ChildProcess>();
  readonly #listeners = Runner.#SIGNALS.map((signal) => [signal, () => this.#interrupt(signal)] as const);
  #interruptedBy: Deno.Signal | undefined;

  constructor() {
    for (const [signal, listener] of this.#listeners) Deno.addSignalListener(signal, listener);
  }

  /**
   * Runs the program to its end; what it wrote. `name`: what it is called if it fails.
   *
   * @throws {DemoError} it failed
   * @throws {Interrupted} a signal came
   */
  async run(command: readonly string[], stdin = "", name = command.join(" ")): Promise<string> {
    if (this.#interruptedBy !== undefined) throw new Interrupted(this.#interruptedBy);
    const { code, stdout, stderr } = await this.#finish(command, stdin);
    if (this.#interruptedBy !== undefined) throw new Interrupted(this.#interruptedBy);
    if (code === 0) return stdout;
    const said = `${stderr}${stdout}`.trim();
    throw new DemoError(`${name} failed (exit code ${code})${said === "" ? "" : `:\n${said}`}`);
  }

  /** Runs the program to its end, signal or not, and whatever becomes of it. */
  async runAnyway(command: readonly string[]): Promise<void> {
    await this.#finish(command, "");
  }

  async #finish([program, ...args]: readonly string[], stdin: string): Promise<{
    code: number;
    stdout: string;
    stderr: string;
  }> {
    const child = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped", stderr: "piped" })
      .spawn();
    this.#children.add(child);
    try {
      const writer = child.stdin.getWriter();
      // One that does not read all of it fails anyway, or need not.
      const written = writer.write(new TextEncoder().encode(stdin)).then(() => writer.close()).catch(
        () => {},
      );
      const { code, stdout, stderr } = await child.output();
      await written;
      return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
    } finally {
      this.#children.delete(child);
    }
  }

  #interrupt(signal: Deno.Signal): void {
    this.#interruptedBy ??= signal;
    for (const child of this.#children) child.kill("SIGTERM");
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }
}

/** The two hosts: network namespaces with unique names. */
interface Hosts {
  readonly a: string;
  readonly b: string;
}

async function freeNames(): Promise<Hosts> {
  const taken = await Promise.all(["a", "b"].map((name) => exists(`/run/netns/${name}`)));
  return taken.includes(true) ? { a: `a-${Deno.pid}`, b: `b-${Deno.pid}` } : { a: "a", b: "b" };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function drawing({ a, b }: Hosts): string {
  return `
${`  namespace ${a}`.padEnd(60)}namespace ${b}
 ┌────────────────────┐                                    ┌────────────────────┐
 │ cable  10.0.0.1    ├─────────── a veth pair ────────────┤ cable  10.0.0.2    │
 │                    │                                    │                    │
 │ ip0    192.168.1.1 ╞═══ tunnel over IP, protocol 115 ═══╡ ip0    192.168.1.2 │
 │ udp0   192.168.2.1 ╞══ tunnel over UDP, 5000 to 6000 ═══╡ udp0   192.168.2.2 │
 └────────────────────┘                                    └────────────────────┘
`;
}

async function connect(runner: Runner, { a, b }: Hosts): Promise<void> {
  const world = [
    `netns add ${a}`,
    `netns add ${b}`,
    `link add cable netns ${a} type veth peer name cable netns ${b}`,
  ];
  await runner.run(["ip", "-batch", "-"], world.join("\n") + "\n");
  for (const [host, name] of [[1, a], [2, b]] as const) {
    const settings = [`addr add 10.0.0.${host}/24 dev cable`, "link set cable up"];
    await runner.run(["ip", "-n", name, "-batch", "-"], settings.join("\n") + "\n");
  }
}

/** A command as it would be typed, over several lines if it is long. */
type Typed = readonly string[];

function print(typed: Typed): void {
  console.log(`$ ${textOf(typed)}`);
}

function textOf(typed: Typed): string {
  return typed.join(" \\\n      ");
}

/** The words behind `l2tp`. */
function wordsOf(typed: Typed): string[] {
  return typed.join(" ").split(" ").slice(1);
}

function tunnels({ a, b }: Hosts): readonly (readonly [title: string, typed: readonly Typed[]])[] {
  return [
    ["A tunnel over IP, with a session in it, made at both ends:", [
      [
        `l2tp -n ${a} add tunnel session tunnel_id 1 peer_tunnel_id 2`,
        "encap ip local 10.0.0.1 remote 10.0.0.2",
        "session_id 11 peer_session_id 12 name ip0 addr 192.168.1.1/24 up",
      ],
      [
        `l2tp -n ${b} add tunnel session tunnel_id 2 peer_tunnel_id 1`,
        "encap ip local 10.0.0.2 remote 10.0.0.1",
        "session_id 12 peer_session_id 11 name ip0 addr 192.168.1.2/24 up",
      ],
    ]],
    ["A tunnel over UDP:", [
      [
        `l2tp -n ${a} add tunnel session tunnel_id 3 peer_tunnel_id 4`,
        "encap udp local 10.0.0.1 remote 10.0.0.2 udp_sport 5000 udp_dport 6000",
        "session_id 13 peer_session_id 14 name udp0 addr 192.168.2.1/24 up",
      ],
      [
        `l2tp -n ${b} add tunnel session tunnel_id 4 peer_tunnel_id 3`,
        "encap udp local 10.0.0.2 remote 10.0.0.1 udp_sport 6000 udp_dport 5000",
        "session_id 14 peer_session_id 13 name udp0 addr 192.168.2.2/24 up",
      ],
    ]],
  ];
}

const JQ_FILTER = '.[] | "tunnel \\(.tunnel_id) to \\(.peer) over \\(.encap): \\(.sessions[].interface)"';

/** The demonstration, in two namespaces of its own. */
async function demonstrate(runner: Runner, hosts: Hosts): Promise<void> {
  const program = programUnderTest();
  const l2tp = (typed: Typed): Promise<string> =>
    runner.run([...program, ...wordsOf(typed)], "", textOf(typed));
  await connect(runner, hosts);
  console.log(drawing(hosts));
  for (const [title, typed] of tunnels(hosts)) {
    console.log(title);
    for (const command of typed) print(command);
    // Both at a time: where they are slow to start it saves half.
    await Promise.all(typed.map(l2tp));
    console.log("");
  }

  console.log("Packets through both:");
  for (const peer of ["192.168.1.2", "192.168.2.2"]) {
    const ping = `ping -q -c 3 -i 0.2 ${peer}`;
    print([`ip netns exec ${hosts.a} ${ping}`]);
    const said = await runner.run(["ip", "netns", "exec", hosts.a, ...ping.split(" ")]);
    if (!/ 3 received, 0% packet loss/.test(said)) throw new DemoError(`packets were lost:\n${said}`);
    console.log(said.trim().split("\n").filter((line) => /^\d+ packets|^rtt/.test(line)).join("\n"));
  }

  console.log("\nWhat there is now:");
  const show = [`l2tp -n ${hosts.a} show`];
  print(show);
  console.log((await l2tp(show)).trimEnd());

  console.log("\nThe same for programs:");
  const json = [`l2tp -n ${hosts.a} -json show`];
  print([`${json[0]} |`, `jq -r '${JQ_FILTER}'`]);
  const lines = await runner.run(["jq", "-r", JQ_FILTER], await l2tp(json));
  console.log(lines.trimEnd());
  if (lines.trimEnd().split("\n").length !== 2) {
    throw new DemoError("jq found something else than two tunnels");
  }
}

/** `l2tp daemon` for the demonstration alone: others that run here are not disturbed. */
class DemoDaemon implements AsyncDisposable {
  readonly #folder: string;
  readonly #child: Deno.ChildProcess;

  private constructor(folder: string, child: Deno.ChildProcess) {
    this.#folder = folder;
    this.#child = child;
  }

  /**
   * Starts it, and has every `l2tp` that is started from here on use it.
   *
   * @throws {DemoError} if it does not get ready
   */
  static async start(): Promise<DemoDaemon> {
    const folder = await Deno.makeTempDir({ prefix: "l2tp-demo." });
    Deno.env.set("L2TP_RUNTIME_DIR", folder);
    Deno.env.set("L2TP_DATAPLANE", "user");
    const [program, ...words] = programUnderTest();
    const child = new Deno.Command(program, { args: [...words, "daemon"], stdin: "null" }).spawn();
    const daemon = new DemoDaemon(folder, child);
    const end = performance.now() + DAEMON_SECONDS * 1000;
    while (!await exists(`${folder}/api.sock`)) {
      if (performance.now() > end) {
        await daemon[Symbol.asyncDispose]();
        throw new DemoError(`l2tp daemon was not ready after ${DAEMON_SECONDS} s`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // The process has exited.
    }
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function demonstrateHere(dataplane: "kernel" | "user"): Promise<number> {
  using runner = new Runner();
  const hosts = await freeNames();
  try {
    if (dataplane === "user") {
      print(["l2tp daemon"]);
      await using _daemon = await DemoDaemon.start();
      await demonstrate(runner, hosts);
    } else {
      Deno.env.set("L2TP_DATAPLANE", "kernel");
      await demonstrate(runner, hosts);
    }
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) {
      console.error(`\ndemo: ${error.message}`);
      return error.signal === "SIGINT" ? 130 : error.signal === "SIGTERM" ? 143 : 129;
    }
    if (!(error instanceof DemoError)) throw error;
    console.error(`\ndemo: ${error.message}`);
    return 1;
  } finally {
    // The tunnels go with them.
    for (const name of [hosts.a, hosts.b]) await runner.runAnyway(["ip", "netns", "delete", name]);
  }
}

/** Reports whether this process may create network namespaces and tunnels: CAP_NET_ADMIN and CAP_SYS_ADMIN. */
async function isPrivileged(): Promise<boolean> {
  const [, effective] = /^CapEff:\s*([0-9a-f]+)$/m.exec(await Deno.readTextFile("/proc/self/status")) ?? [];
  const wanted = 1n << 12n | 1n << 21n;
  return effective !== undefined && (BigInt(`0x${effective}`) & wanted) === wanted;
}

/** Returns the reason why the demonstration cannot run here; `undefined` if it can. */
async function obstacle(): Promise<string | undefined> {
  return await isPrivileged() ? undefined : "This user may not make network namespaces";
}

async function main(): Promise<number> {
  // Everything that the guest needs is there, and it starts programs slowly.
  if (Deno.env.get("L2TP_GUEST") === "1") return await demonstrateHere("kernel");
  const started = performance.now();
  const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const { kernelHasL2tp, runInGuest } = await import("../guest/guest.ts");
  try {
    await ensurePackages(PACKAGES, "the demo");
    const why = await obstacle();
    if (why === undefined) {
      const dataplane = await kernelHasL2tp() ? "kernel" : "user";
      if (dataplane === "user") {
        console.log(
          "This kernel has no L2TP, so its part is played in userspace by the daemon, which any `l2tp add`",
        );
        console.log("would start by itself:\n");
      }
      const code = await demonstrateHere(dataplane);
      console.log(`\nThe namespaces are gone again. That took ${seconds()}.`);
      return code;
    }
    console.log(`${why}: the demo runs in the test guest, an emulated machine.`);
    const { code, timedOut, bootSeconds } = await runInGuest({
      command: [
        Deno.execPath(),
        "run",
        "-A",
        "--no-check",
        "--no-lock",
        "--no-config",
        `${ROOT}tests/tools/demo.ts`,
      ],
      cwd: ROOT,
      timeoutSeconds: GUEST_SECONDS,
    });
    if (timedOut) console.error(`demo: the guest was not done after ${GUEST_SECONDS} s`);
    console.log(
      `\nThe guest is gone again. That took ${seconds()}, ${bootSeconds.toFixed(1)} s of it to boot.`,
    );
    return code;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(`demo: ${error.message}`);
    return 1;
  }
}

// Not Deno.exit, which would cut off what is still to be written.
if (import.meta.main) process.exitCode = await main();
