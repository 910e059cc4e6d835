/**
 * The port to the system that a configuration is applied to. `l2tp apply` and the daemon implement it.
 *
 * @module
 */

import type { L2tpClient } from "../client/l2tp_client.ts";
import type { LinkClient } from "../client/link_client.ts";
import type { PppRequest, PppSessionId, PppSessionStatus } from "../client/daemon/ppp_client.ts";
import type { TunnelParameters } from "../model/tunnel.ts";
import type { ReadPrivateFile } from "./secrets.ts";

/** Timer ticks a second of the userspace subsystem: its timeouts have a resolution of 1 ms. */
export const USER_TIMER_HZ = 1000;

/** A hook program to run. */
export interface HookProcess {
  /** Name for the log; precedes each line that it writes. */
  readonly name: string;
  /** Its absolute path and its arguments. */
  readonly command: readonly string[];
  /** Its whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Time limit, after which it is killed. */
  readonly timeoutMs: number;
  /** Name of the network namespace to run it in. Default: the present one. */
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
  /** Logs a line about hooks. */
  tell(line: string): void;
  /** Kills running hooks; queued ones fail. */
  interrupt(): void;
  /** Resolves when all hooks have ended. */
  settled(): Promise<void>;
}

/** PPP on sessions, run by the daemon. Methods throw the errors of their implementation. */
export interface PppHost {
  /** Running PPP sessions of the namespace, of both subsystems. */
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

/** The system of one network namespace. Methods throw the errors of their implementation. */
export interface ApplyTarget {
  /** The client of its L2TP subsystem. */
  readonly l2tp: L2tpClient;
  /** The client for its interfaces. */
  readonly links: LinkClient;
  /** Text of the debugfs file `l2tp/tunnels`, or the daemon's equivalent; `undefined` if it cannot be read. */
  debugfs(): string | undefined;
  /**
   * Creates a tunnel whose addresses need a scope, which the netlink API cannot express.
   *
   * @throws {SyscallError} if its socket cannot be opened
   */
  createScopedTunnel(tunnel: TunnelParameters, scope: string): void;
  /** Opens a client for the interfaces of another namespace; the caller closes it. */
  openLinks(netns: string): LinkClient;
  /** Moves an interface of the namespace, by its number, to another. */
  moveLink(index: number, netns: string): void;
  /** Names of the network namespaces created by `ip netns`. */
  netnsNames(): readonly string[];
  /** Timer ticks a second of the subsystem, which round its timeouts. */
  timerHz(): number;
  /** Name of the namespace; `""` for that of process 1. */
  namespaceName(): string;
  /** PPP on its sessions. */
  readonly ppp: PppHost;
  /** Runs the hooks of the configuration. */
  readonly hooks: Hooks;
}
