/**
 * Parts of the driver that a plain `show` does not use, as ports of the command line. `src/lazy.ts` loads them.
 *
 * @module
 */

import { hostAddresses } from "./system/hosts.ts";
import { HookRunner } from "./system/hook_runner.ts";
import { inspectMachine, pathToPeer } from "./system/inspection.ts";
import { kernelTimerHz } from "./system/kernel_clock.ts";
import { KERNEL_DEBUGFS_PATH, readKernelDebugfs } from "./system/kernel_debugfs.ts";
import { distributionId, forbiddingFile, hasKernelModule } from "./system/kernel_modules.ts";
import { kernelRelease } from "./system/kernel_release.ts";
import { leaveNamespace } from "./system/namespace.ts";
import { currentNamespace, currentNamespaceName, namespaceNames } from "./system/namespace_names.ts";
import { readLines, writeWholeFile } from "./system/files.ts";
import { readPrivateFile } from "./system/private_file.ts";
import { programPath } from "./system/program_path.ts";
import { sleep } from "./system/sleep.ts";
import { metricsText } from "./metrics/exposition.ts";
import { tryPppd } from "./ppp/pppd_program.ts";
import { FullScreenTerminal } from "./terminal/full_screen.ts";
import { HistoryFile, historyPath } from "./terminal/history_file.ts";
import { LineTerminal } from "./terminal/line_terminal.ts";

/** Clocks of this system. */
const clock = {
  now: (): Date => new Date(),
  monotonicMs: (): number => performance.now(),
  sleep,
};

/** Files. */
const files = { readLines, readPrivateFile, write: writeWholeFile };

/** The kernel, its network namespaces, and programs of this system. */
const system = {
  get kernelRelease(): string {
    return kernelRelease();
  },
  get distribution(): string {
    return distributionId();
  },
  get programPath(): string | undefined {
    return programPath();
  },
  hasModule: hasKernelModule,
  forbiddenBy: forbiddingFile,
  kernelTimerHz,
  debugfsPath: KERNEL_DEBUGFS_PATH,
  readDebugfs: readKernelDebugfs,
  netnsNames: namespaceNames,
  netnsName: currentNamespace,
  resolveHost: hostAddresses,
  pathTo: pathToPeer,
  inspect: inspectMachine,
  openHooks: (write: (line: string) => void): HookRunner => new HookRunner(write),
  tryPppd,
};

const INTERRUPTS = ["SIGINT", "SIGTERM"] as const;

/** The terminal that the program runs on. */
const terminal = {
  /** `undefined` unless standard input and output are terminals. */
  openFullScreen: (): FullScreenTerminal | undefined =>
    Deno.stdin.isTerminal() && Deno.stdout.isTerminal() ? FullScreenTerminal.open() : undefined,
  onInterrupt(action: () => void): Disposable {
    for (const signal of INTERRUPTS) Deno.addSignalListener(signal, action);
    return {
      [Symbol.dispose]: () => {
        for (const signal of INTERRUPTS) Deno.removeSignalListener(signal, action);
      },
    };
  },
};

/** The driver's ports. */
export const PORTS = { clock, files, system, terminal, metricsText };

/** Parts of the system that the interactive shell uses. Disposing it restores the terminal. */
export interface ShellConsole extends Disposable {
  /** The terminal that the program runs on. */
  readonly terminal: LineTerminal;
  /** Lines of earlier sessions. */
  readonly history: HistoryFile;
  /** Name of this host. */
  readonly host: string;
  /** Name of the present network namespace; `undefined` if `ip netns` gave it none. */
  netnsName(): string | undefined;
  /** Moves back into the network namespace that the program was started in. */
  leaveNetns(): void;
}

/** Takes the terminal. The history keeps `historySize` lines, in the file that the environment's state folder holds. */
export function openConsole(historySize: number): ShellConsole {
  const path = historyPath({ stateHome: Deno.env.get("XDG_STATE_HOME"), home: Deno.env.get("HOME") });
  const terminal = new LineTerminal();
  return {
    terminal,
    history: new HistoryFile(path, { size: historySize }),
    host: Deno.hostname(),
    netnsName: currentNamespaceName,
    leaveNetns: leaveNamespace,
    [Symbol.dispose]: () => terminal[Symbol.dispose](),
  };
}
