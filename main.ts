/**
 * l2tp: L2TP tunnels and sessions from the command line. Chooses the real parts, wires them, and turns what gets out
 * of them into an exit code.
 *
 * @module
 */

import type { CliPorts, MorePorts } from "./src/cli/ports.ts";
import { run } from "./src/cli/run.ts";
import { openL2tp, runtimeDirOf } from "./src/client/open_l2tp.ts";
import { journalLeftIn } from "./src/client/daemon/locate.ts";
import { kernelRelease } from "./src/driver/system/kernel_release.ts";
import { enterNamespace, homeNamespace } from "./src/driver/system/namespace.ts";
import { OutputError, writeText } from "./src/driver/terminal/streams.ts";

/** What a shell shows for a program that SIGPIPE ended; so ends one whose reader has gone. */
const EXIT_SIGPIPE = 141;

/** A full disk, for one. */
const EXIT_OUTPUT = 1;

const ports: CliPorts = {
  out: (text) => writeText(Deno.stdout, text),
  err: (text) => writeText(Deno.stderr, text),
  get terminal() {
    return Deno.stdout.isTerminal();
  },
  get interactive() {
    return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  },
  env: (name) => Deno.env.get(name),
  openL2tp: (dataplane, purpose, answerLimitMs) =>
    openL2tp({ dataplane, purpose, answerLimitMs, runtimeDir: runtimeDir(), daemonNetns: homeNamespace() }),
  enterNetns: enterNamespace,
  loadMore,
};

function runtimeDir(): string {
  return runtimeDirOf(Deno.env.get("L2TP_RUNTIME_DIR"));
}

async function loadMore(): Promise<MorePorts> {
  const { client: seldom } = await import("./src/cli/lazy.ts");
  const keepers = new seldom.Keepers();
  return {
    openLinks: (netns) =>
      netns === undefined ? seldom.LinkClient.open() : seldom.inNamespace(netns, seldom.LinkClient.open),
    openEvents: (dataplane) =>
      dataplane === "kernel" ? seldom.L2tpEvents.open() : seldom.openUserEvents(runtimeDir()),
    openTrace: () => seldom.openUserTrace(runtimeDir()),
    connectPpp: () => seldom.connectPpp(runtimeDir()),
    startPpp: () => seldom.startPpp({ runtimeDir: runtimeDir(), netns: homeNamespace() }),
    readPrivateFile: seldom.readPrivateFile,
    tryPppd: seldom.tryPppd,
    moveLink: (links, index, netns) =>
      seldom.withNamespaceFd(netns, (netnsFd) => links.changeLink(index, { netnsFd })),
    createScopedTunnel: (l2tp, tunnel, scope) => seldom.createScopedTunnel(keepers, l2tp, tunnel, scope),
    openHooks: (write) => new seldom.HookRunner(write),
    resolveHost: seldom.hostAddresses,
    kernelTimerHz: seldom.kernelTimerHz,
    readLines: seldom.readLines,
    writeFile: seldom.writeWholeFile,
    debugfs(): string | undefined {
      try {
        return Deno.readTextFileSync("/sys/kernel/debug/l2tp/tunnels");
      } catch {
        return undefined;
      }
    },
    async runDaemon(words, dataplane): Promise<number> {
      const { runDaemon } = await import("./src/daemon/mod.ts");
      return await runDaemon(words, dataplane);
    },
    async runShell(options): Promise<number> {
      const { HISTORY_SIZE, runShell } = await import("./src/shell/mod.ts");
      using terminal = new seldom.OwnTerminal();
      const path = seldom.historyPath({
        stateHome: Deno.env.get("XDG_STATE_HOME"),
        home: Deno.env.get("HOME"),
      });
      return await runShell(
        {
          terminal,
          run,
          history: new seldom.HistoryFile(path, { size: HISTORY_SIZE }),
          host: Deno.hostname(),
          netnsName: seldom.presentNamespaceName,
          leaveNetns: seldom.leaveNamespace,
        },
        ports,
        options,
      );
    },
    netnsNames: seldom.namespaceNames,
    kernelHasL2tp: seldom.kernelHasL2tp,
    declaredTunnels: () => seldom.declaredTunnels(runtimeDir()),
    inspectDaemon: () => seldom.inspectDaemon(runtimeDir(), journalLeftIn(runtimeDir())),
    inspectMachine: seldom.inspectMachine,
    wayTo: seldom.wayTo,
    get programPath() {
      return seldom.programPath();
    },
    namespaceName: seldom.presentNamespace,
    metricsText: seldom.metricsText,
    system: {
      get kernelRelease() {
        return kernelRelease();
      },
      get distribution() {
        return seldom.distributionId();
      },
      hasModule: seldom.hasKernelModule,
      forbiddenBy: seldom.forbiddingFile,
    },
    now: () => new Date(),
    monotonicMs: () => performance.now(),
    sleep: seldom.sleep,
    openFullScreen: () =>
      Deno.stdin.isTerminal() && Deno.stdout.isTerminal() ? seldom.FullScreenTerminal.open() : undefined,
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
}

if (import.meta.main) {
  try {
    Deno.exit(await run(Deno.args, ports));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(EXIT_SIGPIPE);
    if (!(error instanceof OutputError)) throw error;
    console.error(`l2tp: cannot write: ${error.message}`);
    Deno.exit(EXIT_OUTPUT);
  }
}
