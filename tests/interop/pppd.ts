/**
 * pppd as the other end of a PPP link: on a session of the kernel, by its plugin for L2TP, or at a serial line.
 *
 * @module
 */

import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { Pppol2tpSocket } from "../../src/driver/ppp/pppol2tp_socket.ts";
import type { AuthMethod } from "../../src/model/ppp/status.ts";
import type { Namespace } from "../support/namespaces.ts";
import { ADDRESSES, SECRET, USER } from "./ppp_hosts.ts";

const { symbols } = Deno.dlopen("libc.so.6", {
  // int dup(int fd): the copy outlives exec
  dup: { parameters: ["i32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
});

/** pppd's option that refuses each authentication method, used to leave only the one under test. */
export const REFUSE: Readonly<Record<AuthMethod, string>> = {
  pap: "refuse-pap",
  chap: "refuse-chap",
  mschap: "refuse-mschap",
  mschapv2: "refuse-mschap-v2",
};
/** Options with which it asks us for that. */
export const REQUIRE: Readonly<Record<AuthMethod, string>> = {
  pap: "require-pap",
  chap: "require-chap",
  mschap: "require-mschap",
  mschapv2: "require-mschap-v2",
};

/** Options of the end that authenticates to its peer. */
export const CLIENT = ["noauth", "user", USER, "password", SECRET, "+ipv6", "usepeerdns"];
/** Options of the authenticator, to be used with one of `REQUIRE`; it also assigns addresses. */
export const SERVER = ["name", "server", "+ipv6", `${ADDRESSES.a}:${ADDRESSES.b}`, "ms-dns", "192.0.2.53"];
/** Secrets files of pppd. */
const SECRETS = `${USER} * ${SECRET} *\n`;

/** Options of a pppd process. */
export interface PppdOptions {
  /** Namespace of the interface, and of the session if that is the link. */
  readonly netns: Namespace;
  /** The link: a kernel session by local ids, or the path of a terminal. */
  readonly link: { readonly tunnelId: number; readonly sessionId: number } | string;
  /** Further options of pppd. */
  readonly options: readonly string[];
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
  static async start({ netns, link, options }: PppdOptions): Promise<Pppd> {
    // `ip netns exec` puts what is in here over what is in /etc.
    const folder = `/etc/netns/${netns.name}`;
    await Deno.mkdir(`${folder}/ppp`, { recursive: true });
    for (const file of ["pap-secrets", "chap-secrets"]) {
      await Deno.writeTextFile(`${folder}/ppp/${file}`, SECRETS, { mode: 0o600 });
    }
    await Deno.writeTextFile(`${folder}/ppp/options`, "");
    const start = (words: readonly string[]): Pppd => {
      const child = new Deno.Command("ip", {
        args: [
          ...["netns", "exec", netns.name, "pppd", ...words, "nodetach", "nolog", "logfd", "2", "debug"],
          ...["lcp-echo-interval", "1", "lcp-echo-failure", "3", "lcp-restart", "1", ...options],
        ],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      return new Pppd(child, folder);
    };
    if (typeof link === "string") return start([link, "local"]);
    using socket = inNamespace(netns.name, () => {
      using l2tp = L2tpClient.open();
      return Pppol2tpSocket.openSession(l2tp.tunnel(link.tunnelId)!, l2tp.session(link)!);
    });
    const inherited = symbols.dup(socket.fd.number);
    try {
      return start(["plugin", "pppol2tp.so", "pppol2tp", String(inherited)]);
    } finally {
      symbols.close(inherited);
    }
  }

  /** pppd has exited. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Tells it to end the link. Resolves to what it said. */
  async end(): Promise<string> {
    if (!this.#ended) this.#child.kill("SIGTERM");
    const { stderr, stdout } = await this.#output;
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  }

  /** Holds it where it is; it answers nothing until it is ended. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#child.kill("SIGCONT");
    await this.end();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
