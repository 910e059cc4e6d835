/**
 * `l2tp daemon` in tests: the program under test, with a runtime folder of its own.
 *
 * @module
 */

import { resolveFamily } from "../../src/client/genl_family.ts";
import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { NetlinkConnection } from "../../src/driver/netlink/connection.ts";
import { DaemonSocket } from "../../src/driver/daemon_api/connection.ts";
import { programUnderTest } from "./processes.ts";

/** A slow machine under load takes seconds to start Deno. */
const START_LIMIT_MS = 60_000;

/** Options of a daemon under test. */
export interface TestDaemonOptions {
  /** Command line options: `--fresh`, `--keep`. */
  readonly args?: readonly string[];
  /** Variables of its environment beside the test's own. */
  readonly env?: Record<string, string>;
  /** A program that is given the daemon's command line as its own last words, and becomes what they say. */
  readonly through?: readonly string[];
  /** Runtime folder. Default: a new one, deleted at the end. */
  readonly folder?: string;
}

/** A daemon that is ready, and ended when the test is. */
export class TestDaemon implements AsyncDisposable {
  /** Runtime folder. */
  readonly folder: string;
  readonly #ownFolder: boolean;
  readonly #child: Deno.ChildProcess;
  readonly #stderr: Promise<string>;
  #said = "";
  #status: Deno.CommandStatus | undefined;

  private constructor(folder: string, ownFolder: boolean, child: Deno.ChildProcess) {
    this.folder = folder;
    this.#ownFolder = ownFolder;
    this.#child = child;
    this.#stderr = this.#listen(child.stderr);
    child.status.then((status) => this.#status = status);
  }

  /** Starts one; resolves once it takes requests. */
  static async start(options: TestDaemonOptions = {}): Promise<TestDaemon> {
    const folder = options.folder ?? await Deno.makeTempDir({ prefix: "l2tp-daemon." });
    const [program, ...words] = [...options.through ?? [], ...programUnderTest()];
    const child = new Deno.Command(program!, {
      args: [...words, "daemon", ...options.args ?? []],
      env: { NO_COLOR: "1", ...options.env, L2TP_RUNTIME_DIR: folder },
      stdin: "null",
      stdout: "inherit",
      stderr: "piped",
    }).spawn();
    const daemon = new TestDaemon(folder, options.folder === undefined, child);
    await daemon.#ready();
    return daemon;
  }

  async #listen(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
    for await (const text of stderr.pipeThrough(new TextDecoderStream())) this.#said += text;
    return this.#said;
  }

  /** Standard error output so far. */
  get said(): string {
    return this.#said;
  }

  async #ready(): Promise<void> {
    const end = performance.now() + START_LIMIT_MS;
    for (;;) {
      if (this.#status !== undefined) throw new Error(`The daemon ended: ${await this.#stderr}`);
      try {
        DaemonSocket.connect(this.socketPath)[Symbol.dispose]();
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Path of its socket. */
  get socketPath(): string {
    return `${this.folder}/api.sock`;
  }

  /** A connection for requests about the namespace. */
  connect(netns: string): NetlinkConnection {
    return inNamespace(netns, () => new NetlinkConnection(DaemonSocket.connect(this.socketPath)));
  }

  /** A client for the namespace. */
  client(netns: string): L2tpClient {
    const connection = this.connect(netns);
    return new L2tpClient(connection, resolveFamily(connection, "l2tp"));
  }

  /** Sends a signal and waits for the end; resolves to how it ended and what it said on standard error. */
  async end(signal: Deno.Signal): Promise<{ readonly status: Deno.CommandStatus; readonly stderr: string }> {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // The process has ended already.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
    const status = await this.#child.status;
    return { status, stderr: await this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGTERM");
    if (this.#ownFolder) await Deno.remove(this.folder, { recursive: true });
  }
}
