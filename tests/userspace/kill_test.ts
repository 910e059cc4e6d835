/** SIGKILL at random moments, under traffic and while tunnels come and go: nothing acknowledged is lost. */

import { assert, assertStrictEquals } from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { SyscallError } from "../../src/base/errors.ts";
import type { L2tpClient } from "../../src/client/l2tp_client.ts";
import { DaemonError } from "../../src/driver/daemon_api/error.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { Random } from "../support/random.ts";
import { say } from "../support/say.ts";
import { joinByTunnel } from "../support/tunnel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

bindLibc();
localLibc();
daemonLibc();

const KILLS = 50;
/** Tunnels and sessions with these ids come and go. */
const CHURN = { from: 100, to: 120 };
const ECHO_PORT = 7;

/** Existing tunnels by id, and whether their session exists. Updated when a request is acknowledged. */
type Expected = Map<number, boolean>;

/** A request that was under way when the daemon died: both before and after it are right. */
interface Doubt {
  readonly tunnelId: number;
  readonly after: boolean | undefined;
}

Deno.test(`${KILLS} times SIGKILL: acknowledged tunnels are restored, deleted ones are not, TCP continues`, async () => {
  const seed = Number(Deno.env.get("L2TP_KILL_SEED") ?? Math.floor(Math.random() * 2 ** 31));
  say(`kill test: seed ${seed}`);
  const random = new Random(seed);
  await using pair = await Pair.create();
  const folder = await Deno.makeTempDir({ prefix: "l2tp-kill." });
  let daemon = await TestDaemon.start({ folder });
  try {
    await joinByTunnel(pair, ({ name }) => daemon.client(name));
    await using _echo = new EchoServer(pair.b.name);
    await using stream = new Stream(pair.a.name);
    await stream.advance(1);
    const expected: Expected = new Map();
    let doubt: Doubt | undefined;
    let acknowledged = 0;
    for (let round = 1; round <= KILLS; round++) {
      const delayMs = random.below(120);
      // From another process, since a request holds this one.
      const killer = new Deno.Command("sh", {
        args: ["-c", `sleep ${(delayMs / 1000).toFixed(3)}; kill -KILL ${daemon.pid}`],
      }).spawn();
      [doubt, acknowledged] = churn(daemon, pair.a.name, random, expected, acknowledged);
      await killer.status;
      await daemon.end("SIGKILL");
      daemon = await TestDaemon.start({ folder });
      using client = daemon.client(pair.a.name);
      compare(client, expected, doubt, `round ${round}, seed ${seed}`);
      if (round % 10 === 0) await stream.advance(1);
    }
    await stream.advance(100_000);
    say(
      `kill test: ${KILLS} kills, ${acknowledged} requests acknowledged, ${stream.last} bytes echoed`,
    );
  } finally {
    await daemon[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});

/** Creates and deletes until the daemon is gone; the request that was under way, if there was one, is in doubt. */
function churn(
  daemon: TestDaemon,
  netns: string,
  random: Random,
  expected: Expected,
  acknowledgedBefore: number,
): [Doubt | undefined, number] {
  let acknowledged = acknowledgedBefore;
  let doubt: Doubt | undefined;
  try {
    using client = daemon.client(netns);
    for (;;) {
      const tunnelId = CHURN.from + random.below(CHURN.to - CHURN.from);
      const now = expected.get(tunnelId);
      const after = now === undefined ? false : now ? undefined : random.oneIn(2) ? true : undefined;
      doubt = { tunnelId, after };
      if (now === undefined) {
        const local = { local: "10.0.0.1", localPort: 10_000 + tunnelId };
        const peer = { peer: "10.0.0.2", peerPort: 10_000 };
        client.createTunnel({ tunnelId, peerTunnelId: 1, encap: "udp", ...local, ...peer });
      } else if (after === true) client.createSession({ tunnelId, sessionId: tunnelId, peerSessionId: 1 });
      else client.deleteTunnel(tunnelId);
      doubt = undefined;
      acknowledged++;
      if (after === undefined) expected.delete(tunnelId);
      else expected.set(tunnelId, after);
    }
  } catch (error) {
    if (!(error instanceof DaemonError || error instanceof SyscallError)) throw error;
  }
  return [doubt, acknowledged];
}

function compare(client: L2tpClient, expected: Expected, doubt: Doubt | undefined, when: string): void {
  const actual: Expected = new Map(client.tunnels().map(({ tunnelId }) => [tunnelId, false]));
  for (const { tunnelId } of client.sessions()) {
    assert(actual.has(tunnelId), `${when}: a session without tunnel ${tunnelId}`);
    actual.set(tunnelId, true);
  }
  assertStrictEquals(actual.get(1), true, `${when}: the tunnel that carries TCP`);
  actual.delete(1);
  if (doubt !== undefined) {
    const is = actual.get(doubt.tunnelId);
    assert(is === doubt.after || is === expected.get(doubt.tunnelId), `${when}: tunnel ${doubt.tunnelId}`);
    if (is === undefined) expected.delete(doubt.tunnelId);
    else expected.set(doubt.tunnelId, is);
  }
  const sorted = (map: Expected): unknown => [...map].sort(([a], [b]) => a - b);
  assertDeepStrictEquals(sorted(actual), sorted(expected), when);
}

/** Sends back what its one client sends, in a namespace. */
class EchoServer implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #served: Promise<void>;

  constructor(netns: string) {
    this.#listener = inNamespace(netns, () => Deno.listen({ port: ECHO_PORT, hostname: "0.0.0.0" }));
    this.#served = this.#serve();
  }

  async #serve(): Promise<void> {
    const connection = await this.#listener.accept();
    try {
      await connection.readable.pipeTo(connection.writable);
    } catch {
      // The client checks what it gets, and is killed in the end.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#served;
  }
}

/** A TCP connection that is checked byte by byte, in a process of its own. */
class Stream implements AsyncDisposable {
  /** Bytes that had come back when it was asked last. */
  last = 0;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;

  constructor(netns: string) {
    const program = new URL("tcp_client.ts", import.meta.url).pathname;
    const words = [Deno.execPath(), "run", "-A", "--no-check", "--no-config", "--no-lock", program];
    this.#child = new Deno.Command("ip", {
      args: ["netns", "exec", netns, ...words, "192.168.7.2", String(ECHO_PORT)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Waits until so many more bytes have come back. */
  async advance(bytes: number): Promise<void> {
    const goal = this.last + bytes;
    const end = performance.now() + 60_000;
    while (this.last < goal) {
      assert(performance.now() < end, `TCP stands at ${this.last} bytes`);
      await this.#input.write(new TextEncoder().encode("?\n"));
      const { value, done } = await this.#output.read();
      assert(!done, "the TCP connection broke");
      this.last = Number(value!.trim().split("\n").at(-1));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#input.abort().catch(() => {});
    await this.#output.cancel();
  }
}
