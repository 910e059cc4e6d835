/**
 * pppd as the other end of a PPP session: on a session of the kernel, by its plugin for L2TP.
 *
 * @module
 */

import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { inNamespace } from "../../src/driver/namespace.ts";
import { Pppol2tpSocket } from "../../src/driver/pppol2tp_socket.ts";
import type { Namespace } from "../support/namespaces.ts";

const { symbols } = Deno.dlopen("libc.so.6", {
  // int dup(int fd): the copy outlives exec
  dup: { parameters: ["i32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
});

/** How to run it. */
export interface PppdOptions {
  /** Where the session is. */
  readonly netns: Namespace;
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** Our id of the session. */
  readonly sessionId: number;
  /** Its own options. */
  readonly options: readonly string[];
  /** Lines of its files of secrets, for PAP and CHAP. */
  readonly secrets?: readonly string[];
}

/** A pppd that runs. */
export class Pppd implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #output: Promise<Deno.CommandOutput>;
  readonly #folder: string;
  #ended = false;

  private constructor(child: Deno.ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#output = child.output();
    this.#output.then(() => this.#ended = true);
  }

  /** Starts one in the foreground. */
  static async start({ netns, tunnelId, sessionId, options, secrets = [] }: PppdOptions): Promise<Pppd> {
    // `ip netns exec` puts what is in here over what is in /etc.
    const folder = `/etc/netns/${netns.name}`;
    await Deno.mkdir(`${folder}/ppp`, { recursive: true });
    for (const file of ["pap-secrets", "chap-secrets"]) {
      await Deno.writeTextFile(`${folder}/ppp/${file}`, secrets.map((line) => `${line}\n`).join(""), {
        mode: 0o600,
      });
    }
    await Deno.writeTextFile(`${folder}/ppp/options`, "");
    using socket = inNamespace(netns.name, () => {
      using l2tp = L2tpClient.open();
      const tunnel = l2tp.tunnel(tunnelId)!;
      return Pppol2tpSocket.openSession(tunnel, l2tp.session({ tunnelId, sessionId })!);
    });
    const inherited = symbols.dup(socket.fd.number);
    try {
      const child = new Deno.Command("ip", {
        args: [
          ...["netns", "exec", netns.name, "pppd", "plugin", "pppol2tp.so", "pppol2tp", String(inherited)],
          ...["nodetach", "nolog", "logfd", "2", "debug", "lcp-echo-interval", "1", "lcp-echo-failure", "3"],
          ...options,
        ],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      return new Pppd(child, folder);
    } finally {
      symbols.close(inherited);
    }
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Tells it to end the link. Resolves to what it said. */
  async end(): Promise<string> {
    if (!this.#ended) this.#child.kill("SIGTERM");
    const { stderr, stdout } = await this.#output;
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
