/**
 * Ports of the command line: the system calls, files and clients that it uses. `main.ts` passes the real ones, tests
 * pass fakes.
 *
 * @module
 */

import type { ReadPrivateFile } from "../apply/secrets.ts";
import type { Hooks } from "../apply/target.ts";
import type { L2tpClient } from "../client/l2tp_client.ts";
import type { L2tpEvents } from "../client/l2tp_events.ts";
import type { L2tpTrace } from "../client/daemon/trace.ts";
import type { LinkClient } from "../client/link_client.ts";
import type { DaemonClient } from "../client/daemon/client.ts";
import type { ClientPurpose, Dataplane, DataplaneChoice, OpenedClient } from "../client/subsystem.ts";
import type { Snapshot } from "../metrics/metric.ts";
import type { DaemonFacts, Inspection, TunnelFacts } from "../doctor/facts.ts";
import type { PendingTunnel } from "../model/pending_tunnel.ts";
import type { PppdTrial } from "../model/ppp/pppd.ts";
import type { TerminalEvent } from "../model/terminal_event.ts";
import type { Tunnel, TunnelParameters } from "../model/tunnel.ts";
import type { Options } from "./grammar/options.ts";

/** The whole terminal. Disposing it restores the terminal. */
export interface FullScreen extends Disposable {
  /** Its size now, in characters. */
  readonly size: { readonly columns: number; readonly rows: number };
  /** Writes at once. */
  write(text: string): void;
  /** Resolves to the next event, after at most so many milliseconds. */
  next(timeoutMs: number): Promise<TerminalEvent>;
  /** Restores the terminal, stops this process, and takes the terminal again when the process continues. */
  suspend(): void;
}

/** The terminal that the program runs on. */
export interface TerminalPorts {
  /** Takes the terminal; `undefined` unless standard input and output are terminals. */
  openFullScreen(): FullScreen | undefined;
  /** Calls back when the user interrupts the program. Disposing the result ends that. */
  onInterrupt(action: () => void): Disposable;
}

/** Clocks. */
export interface ClockPorts {
  /** The time of day. */
  now(): Date;
  /** Milliseconds of a monotonic clock. */
  monotonicMs(): number;
  /** Resolves after so many milliseconds, or when the signal is aborted. */
  sleep(ms: number, abort: AbortSignal): Promise<void>;
}

/** Files. All methods throw `SyscallError`. */
export interface FilePorts {
  /** Lines of a file, or of standard input for `-`; `undefined` before a line that may take long to arrive. */
  readLines(path: string): Iterable<string | undefined>;
  /** Writes the text into a file that only its owner can read. The file is replaced as a whole or not at all. */
  write(path: string, text: string): void;
  /** Reads a file of secrets. */
  readonly readPrivateFile: ReadPrivateFile;
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

/** The kernel, its network namespaces, and programs of this system. */
export interface SystemPorts extends SystemFacts {
  /** Frequency of the kernel's timer, in ticks per second. */
  kernelTimerHz(): number;
  /** Path of the debug file of the kernel's L2TP subsystem. */
  readonly debugfsPath: string;
  /** Text of that file for the present namespace; `undefined` if the file cannot be read. */
  readDebugfs(): string | undefined;
  /** Names of the network namespaces of `ip netns`. */
  netnsNames(): string[];
  /** Name of the present network namespace; `""` if it is the namespace of process 1. */
  netnsName(): string;
  /** Addresses of a host, best first, in text, of family 4 or 6, or of both without a family. */
  resolveHost(host: string, family: 4 | 6 | undefined): string[];
  /** Path MTU to a tunnel's peer, by the routes of the present namespace. */
  pathTo(tunnel: Tunnel): TunnelFacts["path"];
  /** Facts about the machine, for the doctor; of UDP ports only about these. */
  inspect(ports: readonly number[]): Inspection;
  /** Absolute path of this program as one file; `undefined` if it does not run as one file. */
  readonly programPath: string | undefined;
  /** Opens what runs hooks. `write` receives the lines that hooks print, and messages about them. */
  openHooks(write: (line: string) => void): Hooks;
  /** Has pppd read the arguments in a file, and do nothing else. Resolves to the result. */
  tryPppd(path: string): Promise<PppdTrial>;
}

/** Interfaces, notifications and tunnel sockets. */
export interface NetworkPorts {
  /** Opens a client for interfaces, in the named namespace or (without a name) the present one. */
  openLinks(netns?: string): LinkClient;
  /** Moves an interface of the present namespace, by its index, to another namespace. */
  moveLink(links: LinkClient, index: number, netns: string): void;
  /** Subscribes to the notifications of a subsystem. */
  openEvents(dataplane: Dataplane): L2tpEvents;
  /**
   * Creates a tunnel whose addresses need a scope, which netlink cannot express. The tunnel uses a socket of this
   * program, which the daemon or a background process holds open until the tunnel is deleted.
   */
  createScopedTunnel(l2tp: L2tpClient, tunnel: TunnelParameters, scope: string): void;
  /** Whether the kernel answers L2TP requests. It may load its modules for that. */
  kernelHasL2tp(): boolean;
}

/** The daemon. */
export interface DaemonPorts {
  /** Subscribes to the trace events of the userspace subsystem. */
  openTrace(): L2tpTrace;
  /** A client of the daemon for the present namespace; `undefined` if no daemon runs. */
  connect(): DaemonClient | undefined;
  /** The same client. Starts a daemon if none runs; `startedPid` is its process id. */
  start(): Promise<{ readonly daemon: DaemonClient; readonly startedPid: number | undefined }>;
  /**
   * Tunnels of the daemon's configuration file that differ from the file; none if no daemon answers. Uses the connection
   * of `daemon`, or its own.
   */
  pendingTunnels(daemon?: DaemonClient): readonly PendingTunnel[];
  /** Facts about the daemon, for the doctor. */
  inspect(): DaemonFacts;
}

/** Ports that every command uses. Methods throw the errors of their rooms. */
export interface CliPorts {
  /** Writes to standard output at once. */
  out(text: string): void;
  /** Writes to standard error at once. */
  err(text: string): void;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
  /** Whether standard input and output are terminals. */
  readonly interactive: boolean;
  /** A variable of the environment. */
  env(name: string): string | undefined;
  /**
   * Opens a client of an L2TP subsystem in the present namespace. A daemon that does not answer for `answerLimitMs`
   * counts as hung; 30 seconds unless given.
   */
  openL2tp(choice: DataplaneChoice, purpose: ClientPurpose, answerLimitMs?: number): Promise<OpenedClient>;
  /** Changes the network namespace of everything that is opened afterwards. */
  enterNetns(name: string): void;
  /** Loads what a plain `show` does not use. */
  loadLazy(): Promise<LazyPorts>;
}

/** Ports that a plain `show` does not use. */
export interface LazyPorts {
  readonly terminal: TerminalPorts;
  readonly clock: ClockPorts;
  readonly files: FilePorts;
  readonly system: SystemPorts;
  readonly network: NetworkPorts;
  readonly daemon: DaemonPorts;
  /** The commands. */
  readonly commands: typeof import("./lazy.ts");
  /** Metrics in Prometheus' text format, in pieces. */
  metricsText(snapshot: Snapshot): AsyncIterable<string>;
  /**
   * Runs the userspace subsystem until a signal ends it; `words` are those behind `daemon`. Resolves to the exit code.
   * Its configuration file is for the subsystem of choice; without a choice for the userspace subsystem.
   */
  runDaemon(words: readonly string[], dataplane: DataplaneChoice | undefined): Promise<number>;
  /** Runs commands from the terminal until the user leaves; the options apply to all of them. Resolves to the exit code. */
  runShell(options: Options): Promise<number>;
}
