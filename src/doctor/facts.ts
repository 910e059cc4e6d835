/**
 * What the doctor looks at: facts about a machine, as they were found. What could not be found out is absent.
 *
 * @module
 */

import type { LinkAddress } from "../model/link.ts";
import type { Link } from "../model/link.ts";
import type { Offload } from "../model/offloads.ts";
import type { L2Spec, Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";

/** A kernel module. */
export interface ModuleFacts {
  /** Its name: `"l2tp_eth"`. */
  readonly name: string;
  /** Whether it is loaded. */
  readonly loaded: boolean;
  /** Whether the running kernel has it: loaded, built in, or as a file. */
  readonly available: boolean;
  /** File that forbids loading it; `undefined` if none does. */
  readonly forbiddenBy: string | undefined;
}

/** Who has a UDP port. */
export interface PortHolder {
  /** The port. */
  readonly port: number;
  /** The address, in text. */
  readonly address: string;
  /** Process id; `undefined` for the kernel's own socket, or where it is not for us to see. */
  readonly pid: number | undefined;
  /** Name of the program. */
  readonly program: string | undefined;
}

/** A tunnel, and the way to its peer. */
export interface TunnelFacts {
  /** The tunnel. */
  readonly tunnel: Tunnel;
  /** Largest IP packet on the way to the peer, in bytes; or the name of the error there is instead of a way. */
  readonly path: { readonly mtu: number } | { readonly code: string };
}

/** A session, and its interface. */
export interface SessionFacts {
  /** The session. */
  readonly session: Session;
  /** Its interface; `undefined` if none here has the name. */
  readonly link: Link | undefined;
  /** Its sublayer; `undefined` if that is not told. */
  readonly l2spec: L2Spec | undefined;
  /** Offloads that work; `undefined` if that is not told. */
  readonly offloads: readonly string[] | undefined;
  /** Addresses of its interface. */
  readonly addresses: readonly LinkAddress[];
}

/** The daemon. */
export interface DaemonFacts {
  /** Path of its socket. */
  readonly path: string;
  /** What keeps us from talking to it: the words of `DaemonError`; `undefined` if it answers. */
  readonly trouble: string | undefined;
  /** Its process id, if it answers. */
  readonly pid: number | undefined;
  /** The version of the program that it runs; `undefined` if it does not tell. */
  readonly version: string | undefined;
  /** Descriptors: how many it has open, and how many it may have. */
  readonly descriptors: { readonly open: number; readonly limit: number } | undefined;
  /** Path of the journal of a daemon that ended without taking its tunnels down. */
  readonly leftBehind: string | undefined;
}

/** The whole of a machine, as seen from one network namespace. */
export interface MachineFacts {
  /** This program's version. */
  readonly version: string;
  /** Release of the running kernel. */
  readonly kernelRelease: string;
  /** Whether the kernel answers to L2TP requests. */
  readonly kernelL2tp: boolean;
  /** Its L2TP modules. */
  readonly modules: readonly ModuleFacts[];
  /** Name of the error that opening `/dev/net/tun` ends with; `undefined` if it opens. */
  readonly tunError: string | undefined;
  /** Names of the capabilities that are in effect: `"CAP_NET_ADMIN"`. */
  readonly capabilities: ReadonlySet<string>;
  /** Values below `/proc/sys`, by path with dots: `"net.ipv4.ip_forward"`. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** Packets dropped because their source did not fit their interface (`IPReversePathFilter`), since the start. */
  readonly reversePathDrops: number;
  /** UDP datagrams dropped because a socket's buffer was full (`RcvbufErrors`), since the start. */
  readonly udpBufferDrops: number;
  /** Who has UDP ports. */
  readonly ports: readonly PortHolder[];
  /** Offloads that this kernel does not have, and why. */
  readonly missingOffloads: ReadonlyMap<Offload, string>;
  /** The daemon. */
  readonly daemon: DaemonFacts;
  /** Which subsystem the tunnels are of; `undefined` if there is none. */
  readonly dataplane: "kernel" | "user" | undefined;
  /** Its tunnels. */
  readonly tunnels: readonly TunnelFacts[];
  /** Its sessions. */
  readonly sessions: readonly SessionFacts[];
}
