/**
 * l2tp: L2TP tunnels and sessions from the command line. Chooses the real parts, wires them, and turns what gets out
 * of them into an exit code.
 *
 * @module
 */

import type { CliPorts, LazyPorts } from "./src/cli/ports.ts";
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
  loadLazy,
};

function runtimeDir(): string {
  return runtimeDirOf(Deno.env.get("L2TP_RUNTIME_DIR"));
}

async function loadLazy(): Promise<LazyPorts> {
  const { client: lazy } = await import("./src/cli/lazy.ts");
  const keepers = new lazy.Keepers();
  return {
    openLinks: (netns) =>
      netns === undefined ? lazy.LinkClient.open() : lazy.inNamespace(netns, lazy.LinkClient.open),
    openEvents: (dataplane) =>
      dataplane === "kernel" ? lazy.L2tpEvents.open() : lazy.openUserEvents(runtimeDir()),
    openTrace: () => lazy.openUserTrace(runtimeDir()),
    connectPpp: () => lazy.connectPpp(runtimeDir()),
    startPpp: () => lazy.startPpp({ runtimeDir: runtimeDir(), netns: homeNamespace() }),
    readPrivateFile: lazy.readPrivateFile,
    tryPppd: lazy.tryPppd,
    moveLink: (links, index, netns) =>
      lazy.withNamespaceFd(netns, (netnsFd) => links.changeLink(index, { netnsFd })),
    createScopedTunnel: (l2tp, tunnel, scope) => lazy.createScopedTunnel(keepers, l2tp, tunnel, scope),
    openHooks: (write) => new lazy.HookRunner(write),
    resolveHost: lazy.hostAddresses,
    kernelTimerHz: lazy.kernelTimerHz,
    readLines: lazy.readLines,
    writeFile: lazy.writeWholeFile,
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
      using terminal = new lazy.LineTerminal();
      const path = lazy.historyPath({
        stateHome: Deno.env.get("XDG_STATE_HOME"),
        home: Deno.env.get("HOME"),
      });
      return await runShell(
        {
          terminal,
          run,
          history: new lazy.HistoryFile(path, { size: HISTORY_SIZE }),
          host: Deno.hostname(),
          netnsName: lazy.currentNamespaceName,
          leaveNetns: lazy.leaveNamespace,
        },
        ports,
        options,
      );
    },
    netnsNames: lazy.namespaceNames,
    kernelHasL2tp: lazy.kernelHasL2tp,
    declaredTunnels: () => lazy.declaredTunnels(runtimeDir()),
    inspectDaemon: () => lazy.inspectDaemon(runtimeDir(), journalLeftIn(runtimeDir())),
    inspectMachine: lazy.inspectMachine,
    wayTo: lazy.pathToPeer,
    get programPath() {
      return lazy.programPath();
    },
    namespaceName: lazy.currentNamespace,
    metricsText: lazy.metricsText,
    system: {
      get kernelRelease() {
        return kernelRelease();
      },
      get distribution() {
        return lazy.distributionId();
      },
      hasModule: lazy.hasKernelModule,
      forbiddenBy: lazy.forbiddingFile,
    },
    now: () => new Date(),
    monotonicMs: () => performance.now(),
    sleep: lazy.sleep,
    openFullScreen: () =>
      Deno.stdin.isTerminal() && Deno.stdout.isTerminal() ? lazy.FullScreenTerminal.open() : undefined,
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
