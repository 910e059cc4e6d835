/**
 * l2tp: L2TP tunnels and sessions from the command line. Passes the real ports to the command line, and turns errors
 * of the output into exit codes.
 *
 * @module
 */

import type { CliPorts, LazyPorts } from "./src/cli/ports.ts";
import { run } from "./src/cli/run.ts";
import { openL2tp, runtimeDirOf } from "./src/client/open_l2tp.ts";
import { enterNamespace, homeNamespace } from "./src/driver/system/namespace.ts";
import { OutputError, writeText } from "./src/driver/terminal/streams.ts";

/** Exit code that a shell shows for a program that SIGPIPE ended. */
const EXIT_SIGPIPE = 141;

/** Exit code where output cannot be written, for example on a full disk. */
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

async function loadLazy(): Promise<LazyPorts> {
  const { client, commands, driver } = await import("./src/lazy.ts");
  return {
    ...driver.PORTS,
    network: new client.NetworkClients(runtimeDir()),
    daemon: new client.DaemonClients(runtimeDir(), homeNamespace()),
    commands,
    async runDaemon(words, dataplane): Promise<number> {
      const { runDaemon } = await import("./src/daemon/mod.ts");
      return await runDaemon(words, dataplane);
    },
    async runShell(options): Promise<number> {
      const { HISTORY_SIZE, runShell } = await import("./src/lazy_shell.ts");
      using console = driver.openConsole(HISTORY_SIZE);
      return await runShell({ ...console, run }, ports, options);
    },
  };
}

function runtimeDir(): string {
  return runtimeDirOf(Deno.env.get("L2TP_RUNTIME_DIR"));
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
