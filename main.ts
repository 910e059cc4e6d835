/**
 * l2tp: L2TP tunnels and sessions from the command line. Chooses the real parts, wires them, and turns what gets out
 * of them into an exit code.
 *
 * @module
 */

import { resolveHost } from "./ffi/resolve.ts";
import { AF_INET, AF_INET6 } from "./ffi/sockaddr.ts";
import { formatIpAddress } from "./src/base/ip_address.ts";
import type { CliPorts } from "./src/cli/ports.ts";
import { run } from "./src/cli/run.ts";
import { L2tpClient } from "./src/client/l2tp_client.ts";
import { L2tpEvents } from "./src/client/l2tp_events.ts";
import { LinkClient } from "./src/client/link_client.ts";
import { Keepers } from "./src/driver/keeper.ts";
import {
  distributionId,
  forbiddingFile,
  hasKernelModule,
  isKernelAtLeast,
  kernelRelease,
} from "./src/driver/kernel_modules.ts";
import { enterNamespace, inNamespace, withNamespaceFd } from "./src/driver/namespace.ts";
import { readLines, writeText } from "./src/driver/streams.ts";

/** What a shell shows for a program that SIGPIPE ended; so ends one whose reader has gone. */
const EXIT_SIGPIPE = 141;

const keepers = new Keepers();

const ports: CliPorts = {
  out: (text) => writeText(Deno.stdout, text),
  err: (text) => writeText(Deno.stderr, text),
  terminal: Deno.stdout.isTerminal(),
  env: (name) => Deno.env.get(name),
  openL2tp: () => L2tpClient.open({ acceptsDuplicateSessions: isKernelAtLeast(kernelRelease(), 6, 10) }),
  openLinks: (netns) => (netns === undefined ? LinkClient.open() : inNamespace(netns, LinkClient.open)),
  openEvents: () => L2tpEvents.open(),
  enterNetns: enterNamespace,
  moveLink: (links, index, netns) =>
    withNamespaceFd(netns, (netnsFd) => links.changeLink(index, { netnsFd })),
  createScopedTunnel(l2tp, tunnel, scope): void {
    using socket = keepers.openSocket(tunnel, scope, (id) => l2tp.tunnel(id) !== undefined);
    l2tp.createTunnel({ ...tunnel, fd: socket.number });
    keepers.start(socket, tunnel);
  },
  resolveHost: (host, family) =>
    resolveHost(host, family === undefined ? 0 : family === 4 ? AF_INET : AF_INET6)
      .map(({ address }) => formatIpAddress(address)),
  readLines,
  debugfs(): string | undefined {
    try {
      return Deno.readTextFileSync("/sys/kernel/debug/l2tp/tunnels");
    } catch {
      return undefined;
    }
  },
  system: {
    get kernelRelease() {
      return kernelRelease();
    },
    get distribution() {
      return distributionId();
    },
    hasModule: hasKernelModule,
    forbiddenBy: forbiddingFile,
  },
  now: () => new Date(),
  onInterrupt(action): Disposable {
    const signals = ["SIGINT", "SIGTERM"] as const;
    for (const signal of signals) Deno.addSignalListener(signal, action);
    return {
      [Symbol.dispose]: () => {
        for (const signal of signals) Deno.removeSignalListener(signal, action);
      },
    };
  },
};

if (import.meta.main) {
  try {
    Deno.exit(await run(Deno.args, ports));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(EXIT_SIGPIPE);
    throw error;
  }
}
