/**
 * What it takes of the world to make a system as a configuration says: `l2tp apply` and the daemon each have their own.
 *
 * @module
 */

import type { L2tpClient } from "../client/l2tp_client.ts";
import type { LinkClient } from "../client/link_client.ts";
import type { PppRequest, PppSessionId, PppSessionStatus } from "../client/daemon/ppp_client.ts";
import type { TunnelParameters } from "../model/tunnel.ts";
import type { ReadPrivateFile } from "./secrets.ts";

/** The userspace subsystem keeps timeouts to the millisecond. */
export const USER_TIMER_HZ = 1000;

/** A program that is to be run. */
export interface HookProcess {
  /** What the administrator knows it by; stands before each line that it writes. */
  readonly name: string;
  /** Its absolute path and its arguments. */
  readonly command: readonly string[];
  /** Its whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** It is killed when it takes longer. */
  readonly timeoutMs: number;
  /** Name of the network namespace to run it in; the present one unless given. */
  readonly netns: string | undefined;
}

/** Runs hooks, a few at a time. */
export interface Hooks {
  /**
   * Runs a program to its end.
   *
   * @throws {HookError} if it cannot be started, fails, takes too long, or is interrupted
   */
  run(hook: HookProcess): Promise<void>;
  /** Tells the administrator something about hooks. */
  tell(line: string): void;
  /** Kills those that run, and lets those that wait for their turn fail. */
  interrupt(): void;
  /** Resolves when all that were begun have ended. */
  settled(): Promise<void>;
}

/** PPP on sessions, which the daemon runs. Methods throw the errors of their rooms. */
export interface PppHost {
  /** Those of the namespace that run, of either subsystem. */
  sessions(): readonly PppSessionStatus[];
  /** As `PppClient.run`. */
  run(request: PppRequest): void | Promise<void>;
  /** As `PppClient.renewSecrets`. */
  renewSecrets(request: PppRequest): void | Promise<void>;
  /** As `PppClient.end`. */
  end(session: PppSessionId): void;
  /** Reads a file of secrets. */
  readonly readPrivateFile: ReadPrivateFile;
}

/** The system of one network namespace. Methods throw the errors of their rooms. */
export interface ApplyTarget {
  /** The client of its L2TP subsystem. */
  readonly l2tp: L2tpClient;
  /** The client for its interfaces. */
  readonly links: LinkClient;
  /** The text of the debugfs file `l2tp/tunnels`, or what the daemon has like it; `undefined` if it cannot be read. */
  debugfs(): string | undefined;
  /**
   * Creates a tunnel whose addresses need a scope, which netlink cannot say.
   *
   * @throws {SyscallError} if its socket cannot be made
   */
  createScopedTunnel(tunnel: TunnelParameters, scope: string): void;
  /** A client for the interfaces of another namespace, the caller's to close. */
  openLinks(netns: string): LinkClient;
  /** Moves an interface of the namespace, by its number, to another. */
  moveLink(index: number, netns: string): void;
  /** Names of the network namespaces that `ip netns` made. */
  netnsNames(): readonly string[];
  /** How many times a second the clock ticks by which the subsystem keeps timeouts. */
  timerHz(): number;
  /** What the namespace is called; `""` if it is that of process 1. */
  namespaceName(): string;
  /** PPP on its sessions. */
  readonly ppp: PppHost;
  /** Runs the programs that the configuration wants run. */
  readonly hooks: Hooks;
}
