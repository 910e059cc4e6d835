/**
 * What the command line needs of the world. `main.ts` gives the real thing, tests a pretended one.
 *
 * @module
 */

import type { ReadPrivateFile } from "../apply/secrets.ts";
import type { Hooks } from "../apply/target.ts";
import type { L2tpClient } from "../client/l2tp_client.ts";
import type { L2tpEvents } from "../client/l2tp_events.ts";
import type { L2tpTrace } from "../client/daemon/trace.ts";
import type { LinkClient } from "../client/link_client.ts";
import type { PppClient } from "../client/daemon/ppp_client.ts";
import type { ClientPurpose, Dataplane, DataplaneChoice, OpenedClient } from "../client/subsystem.ts";
import type { Snapshot } from "../metrics/metric.ts";
import type { DaemonFacts, MachineFacts, TunnelFacts } from "../doctor/facts.ts";
import type { DeclaredTunnel } from "../model/declared_tunnel.ts";
import type { PppdTrial } from "../model/ppp/pppd.ts";
import type { Tunnel, TunnelParameters } from "../model/tunnel.ts";
import type { Options } from "./grammar/options.ts";

/** What happened at a terminal: something was typed, its size changed, the program is to end, or nothing in time. */
export type TerminalEvent =
  | { readonly type: "typed"; readonly text: string }
  | { readonly type: "resized" }
  | { readonly type: "ended" }
  | { readonly type: "timeout" };

/** The whole terminal, taken over until it is disposed. */
export interface FullScreen extends Disposable {
  /** How large it is now, in characters. */
  readonly size: { readonly columns: number; readonly rows: number };
  /** Writes at once. */
  write(text: string): void;
  /** Resolves to what happens next, at the latest after so many milliseconds. */
  next(timeoutMs: number): Promise<TerminalEvent>;
  /** Gives the terminal back, stops this process, and takes the terminal over once it goes on. */
  suspend(): void;
}

/** Facts about this system that explain errors. All are best effort. */
export interface SystemFacts {
  /** Release of the running kernel: `"6.1.0-41-amd64"`. */
  readonly kernelRelease: string;
  /** `ID` of os-release: `"debian"`; `""` if unknown. */
  readonly distribution: string;
  /** Whether the running kernel has this module, loaded, built in, or as a file. */
  hasModule(name: string): boolean;
  /** The file that forbids loading the module (modprobe's `blacklist` or `install … false`), if there is one. */
  forbiddenBy(name: string): string | undefined;
}

/** What every command needs of the world. Methods throw the errors of their rooms. */
export interface CliPorts {
  /** Writes to standard output at once. */
  out(text: string): void;
  /** Writes to standard error at once. */
  err(text: string): void;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
  /** Whether somebody sits there: standard input and output are terminals. */
  readonly interactive: boolean;
  /** A variable of the environment. */
  env(name: string): string | undefined;
  /**
   * Opens a client of an L2TP subsystem in the present namespace. A daemon that is silent for `answerLimitMs` counts
   * as hung; half a minute unless given.
   */
  openL2tp(choice: DataplaneChoice, purpose: ClientPurpose, answerLimitMs?: number): Promise<OpenedClient>;
  /** Moves everything that is opened later into the network namespace. */
  enterNetns(name: string): void;
  /** Everything else, which a plain `show` has no use for and need not load. */
  loadLazy(): Promise<LazyPorts>;
}

/** What can be found out about a machine without a client. */
export type Inspection = Omit<
  MachineFacts,
  "version" | "kernelL2tp" | "daemon" | "dataplane" | "tunnels" | "sessions"
>;

/** What the other commands need of the world as well. */
export interface LazyPorts {
  /** Opens a client for interfaces, in the present namespace or another. */
  openLinks(netns?: string): LinkClient;
  /** Starts to listen to the subsystem's notifications. */
  openEvents(dataplane: Dataplane): L2tpEvents;
  /** Starts to listen to the trace events of the subsystem in userspace. */
  openTrace(): L2tpTrace;
  /** A client for the PPP sessions of the present namespace; `undefined` if no daemon runs. */
  connectPpp(): PppClient | undefined;
  /** The same; starts a daemon where none runs, whose process id comes back with it. */
  startPpp(): Promise<{ readonly ppp: PppClient; readonly startedPid: number | undefined }>;
  /** Reads a file of secrets. */
  readonly readPrivateFile: ReadPrivateFile;
  /** Has pppd read the arguments in a file without doing anything else; what came of that. */
  tryPppd(path: string): Promise<PppdTrial>;
  /** Moves an interface of the present namespace, by its number, to another namespace. */
  moveLink(links: LinkClient, index: number, netns: string): void;
  /**
   * Creates a tunnel whose addresses need a scope, which netlink cannot say: over a socket of our own, which the
   * daemon or a process in the background holds open for as long as the tunnel is there.
   */
  createScopedTunnel(l2tp: L2tpClient, tunnel: TunnelParameters, scope: string): void;
  /** What runs hooks; `write` takes the lines that they write, and what is told of them. */
  openHooks(write: (line: string) => void): Hooks;
  /** The host's addresses, best first, in text, of family 4 or 6, or of both without one. */
  resolveHost(host: string, family: 4 | 6 | undefined): string[];
  /** How many times a second the kernel's timer ticks. */
  kernelTimerHz(): number;
  /** Lines of a file, or of standard input for `-`; `undefined` where the next may be long in coming. */
  readLines(path: string): Iterable<string | undefined>;
  /**
   * Puts the text into a file that only its owner can read: whole, or not at all.
   *
   * @throws {SyscallError}
   */
  writeFile(path: string, text: string): void;
  /** The text of the kernel's debugfs file `l2tp/tunnels` for the present namespace; `undefined` if it cannot be read. */
  debugfs(): string | undefined;
  /**
   * Is the subsystem in userspace until it is told to end; the words are those behind `daemon`. Its configuration file
   * is for the subsystem of choice; for its own without one.
   */
  runDaemon(words: readonly string[], dataplane: DataplaneChoice | undefined): Promise<number>;
  /** Takes commands from the terminal until the user leaves; the options hold for all of them. */
  runShell(options: Options): Promise<number>;
  /** Names of the network namespaces that `ip netns` made. */
  netnsNames(): string[];
  /** Whether the kernel answers to L2TP requests. It may load its modules for that. */
  kernelHasL2tp(): boolean;
  /** Tunnels of the daemon's configuration file that are not there as it says; none where nobody tells. */
  declaredTunnels(): readonly DeclaredTunnel[];
  /** Looks at the daemon. */
  inspectDaemon(): DaemonFacts;
  /** Looks at the machine; of UDP ports only at these. */
  inspectMachine(ports: readonly number[]): Inspection;
  /** The way to a tunnel's peer, as the routes of the present namespace are now. */
  wayTo(tunnel: Tunnel): TunnelFacts["path"];
  /** Absolute path of this program as one file; `undefined` if none is known. */
  readonly programPath: string | undefined;
  /** What the present network namespace is called; `""` if it is that of process 1. */
  namespaceName(): string;
  /** Metrics in Prometheus' text format, in pieces. */
  metricsText(snapshot: Snapshot): AsyncIterable<string>;
  /** Facts for explanations. */
  readonly system: SystemFacts;
  /** The time now. */
  now(): Date;
  /** Milliseconds of a clock that only runs forward. */
  monotonicMs(): number;
  /** Resolves after so many milliseconds, or as soon as it is aborted. */
  sleep(ms: number, abort: AbortSignal): Promise<void>;
  /** Takes the terminal over; `undefined` if there is none on standard input and output. */
  openFullScreen(): FullScreen | undefined;
  /** Calls back when the user interrupts; the result ends that. */
  onInterrupt(action: () => void): Disposable;
}
