/**
 * Facts about a host that the doctor's rules check. Facts that could not be determined are `undefined` or absent.
 *
 * @module
 */

import type { SessionDebugFacts } from "../model/debug_facts.ts";
import type { LinkAddress } from "../model/link.ts";
import type { Link } from "../model/link.ts";
import type { Offload } from "../model/offloads.ts";
import type { Optional } from "../model/optional.ts";
import type { Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";

/** A kernel module. */
export interface ModuleFacts {
  /** Name of the module, such as `"l2tp_eth"`. */
  readonly name: string;
  /** The module is loaded. */
  readonly loaded: boolean;
  /** The running kernel has the module: loaded, built in, or as a file. */
  readonly available: boolean;
  /** File of modprobe.d that forbids loading the module; `undefined` if there is none. */
  readonly forbiddenBy: string | undefined;
}

/** A socket bound to a UDP port. */
export interface PortHolder {
  /** UDP port. */
  readonly port: number;
  /** Local address of the socket, in text. */
  readonly address: string;
  /** Process id; `undefined` for a kernel socket, and for a process that we may not inspect. */
  readonly pid: number | undefined;
  /** Name of the program; `undefined` if the process is unknown. */
  readonly program: string | undefined;
}

/** A tunnel and the path to its peer. */
export interface TunnelFacts {
  /** The tunnel. */
  readonly tunnel: Tunnel;
  /**
   * Path MTU to the peer, in bytes; or the name of the error of the route lookup. `undefined` if it is not known: the
   * tunnel accepts packets from any peer, or a link-local peer is on an interface that the subsystem does not tell.
   */
  readonly path: { readonly mtu: number } | { readonly code: string } | undefined;
}

/** A session and its interface. */
export interface SessionFacts extends Optional<SessionDebugFacts> {
  /** The session. */
  readonly session: Session;
  /** Interface of the session; `undefined` if no interface has its name. */
  readonly link: Link | undefined;
  /** Active offloads; `undefined` if unknown. */
  readonly offloads: readonly string[] | undefined;
  /** Addresses of the interface. */
  readonly addresses: readonly LinkAddress[];
}

/** State of the daemon. */
export interface DaemonFacts {
  /** Path of the daemon's socket. */
  readonly path: string;
  /** Kind of `DaemonError` of a request to the daemon; `undefined` if it answers. */
  readonly trouble: string | undefined;
  /** Process id, if the daemon answers. */
  readonly pid: number | undefined;
  /** Version of the daemon; `undefined` if it does not report one. */
  readonly version: string | undefined;
  /** Number and limit of the daemon's open file descriptors. */
  readonly descriptors: { readonly open: number; readonly limit: number } | undefined;
  /** Path of the journal of a daemon that ended without deleting its tunnels. */
  readonly leftBehind: string | undefined;
}

/** All facts about a host, seen from one network namespace. */
export interface MachineFacts {
  /** Version of this program. */
  readonly version: string;
  /** Release of the running kernel. */
  readonly kernelRelease: string;
  /** The kernel's L2TP subsystem answers requests. */
  readonly kernelL2tp: boolean;
  /** The kernel's L2TP modules. */
  readonly modules: readonly ModuleFacts[];
  /** Name of the error of opening `/dev/net/tun`; `undefined` on success. */
  readonly tunError: string | undefined;
  /** Names of this process' effective capabilities, such as `"CAP_NET_ADMIN"`. */
  readonly capabilities: ReadonlySet<string>;
  /** Values below `/proc/sys` by dotted path, such as `"net.ipv4.ip_forward"`. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** Packets dropped by reverse path filtering since boot (`IPReversePathFilter`). */
  readonly reversePathDrops: number;
  /** UDP datagrams dropped since boot because a socket buffer was full (`RcvbufErrors`). */
  readonly udpBufferDrops: number;
  /** Sockets bound to UDP ports. */
  readonly ports: readonly PortHolder[];
  /** Offloads that this kernel does not support, with the reason. */
  readonly missingOffloads: ReadonlyMap<Offload, string>;
  /** State of the daemon. */
  readonly daemon: DaemonFacts;
  /** Subsystem that the tunnels belong to; `undefined` if there is none. */
  readonly dataplane: "kernel" | "user" | undefined;
  /** There is a subsystem, but its tunnels and sessions could not be read: none are in the two members below. */
  readonly unread: boolean;
  /** Tunnels of the subsystem. */
  readonly tunnels: readonly TunnelFacts[];
  /** Sessions of the subsystem. */
  readonly sessions: readonly SessionFacts[];
}

/** The facts about a machine that need no client. */
export type Inspection = Omit<
  MachineFacts,
  "version" | "kernelL2tp" | "daemon" | "dataplane" | "unread" | "tunnels" | "sessions"
>;
