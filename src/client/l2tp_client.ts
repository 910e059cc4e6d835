/**
 * Tunnels and sessions of an L2TP subsystem, as method calls. Synchronous: a call returns when the subsystem has answered.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { FamilyMissingError, NetlinkError, NetlinkProtocolError } from "../base/errors.ts";
import { NetlinkConnection, type NetlinkRequest } from "../driver/netlink/connection.ts";
import { NetlinkSocket } from "../driver/netlink/socket.ts";
import type { Session, SessionChanges, SessionKey, SessionParameters } from "../model/session.ts";
import type { Tunnel, TunnelParameters } from "../model/tunnel.ts";
import type { GenlFamily } from "../wire/genl/ctrl.ts";
import { decodeGenl } from "../wire/genl/header.ts";
import { L2TP_CMD, L2TP_GENL_NAME } from "../wire/genl/l2tp/constants.ts";
import {
  decodeSession,
  encodeSessionCommand,
  encodeSessionCreate,
  encodeSessionDump,
  encodeSessionModify,
} from "../wire/genl/l2tp/session.ts";
import {
  decodeTunnel,
  encodeTunnelCommand,
  encodeTunnelCreate,
  encodeTunnelDump,
} from "../wire/genl/l2tp/tunnel.ts";
import { NETLINK_GENERIC } from "../wire/netlink/constants.ts";
import type { NetlinkMessage } from "../wire/netlink/message.ts";
import { findFamily } from "./genl_family.ts";
import {
  type Creation,
  type CreationOutcome,
  endOfDistinct,
  sessionExists,
  sessionName,
} from "./creation.ts";
import type { DropCounts } from "../model/drop_counts.ts";
import type { SessionOffloads } from "../model/session_offloads.ts";
import type { DaemonClient } from "./daemon/client.ts";
import type { Dataplane } from "./subsystem.ts";

/** Time after a deletion by this client during which ids, ports and names may still be in use. */
const SETTLE_LIMIT_MS = 1000;

/** Most creations in one datagram: neither the kernel nor the daemon accepts more than 64 KiB. */
const EXCHANGE_MAX = 256;

/** Properties of the subsystem behind a connection. */
export interface L2tpClientOptions {
  /**
   * Whether the subsystem accepts a second session with the same id in one UDP tunnel (Linux from 6.10 on). If so, the
   * client checks for duplicates before it creates a session. Evaluated lazily, on the first creation.
   */
  readonly acceptsDuplicateSessions?: boolean;
  /** The daemon whose subsystem it is, over the same connection. */
  readonly daemon?: DaemonClient | undefined;
  /** The subsystem. Default: `user` with a {@link daemon}, otherwise `kernel`. */
  readonly dataplane?: Dataplane;
}

/** Options of a listing. */
export interface ListOptions {
  /** `false` leaves all counters at 0, which makes a long listing faster. */
  readonly counters?: boolean;
}

/**
 * A client of the L2TP subsystem of one network namespace.
 *
 * ```ts ignore
 * import { L2tpClient } from "@l2tp/l2tp";
 *
 * using l2tp = L2tpClient.open();
 * l2tp.createTunnel({ tunnelId: 1, peerTunnelId: 2, encap: "ip", local: "10.0.0.1", peer: "10.0.0.2" });
 * l2tp.createSession({ tunnelId: 1, sessionId: 10, peerSessionId: 20, interfaceName: "pw0" });
 * for (const tunnel of l2tp.tunnels()) console.log(tunnel.tunnelId, tunnel.peer);
 * l2tp.deleteTunnel(1);
 * ```
 *
 * Every method throws `NetlinkError` when the subsystem refuses, with its error number in `errno` and `code`, and
 * `SyscallError` when the socket itself fails. Every method needs CAP_NET_ADMIN, reading as well.
 */
export class L2tpClient implements Disposable {
  readonly #connection: NetlinkConnection;
  readonly #family: GenlFamily;
  readonly #options: L2tpClientOptions;
  /** Time of this client's last deletion: the subsystem acknowledges a deletion before it is complete. */
  #deletedAtMs = -Infinity;

  /** Takes ownership of the connection, on which `family` was found. */
  constructor(connection: NetlinkConnection, family: GenlFamily, options: L2tpClientOptions = {}) {
    this.#connection = connection;
    this.#family = family;
    this.#options = options;
  }

  /**
   * Opens a client of the kernel's subsystem in the calling thread's network namespace.
   *
   * @throws {FamilyMissingError} if the kernel has no L2TP and could load none
   */
  static open(options?: L2tpClientOptions): L2tpClient {
    const client = L2tpClient.openIfThere(options);
    if (client === undefined) throw new FamilyMissingError(L2TP_GENL_NAME);
    return client;
  }

  /** Like {@link open}, but returns `undefined` if the kernel has no L2TP and could load none. */
  static openIfThere(options?: L2tpClientOptions): L2tpClient | undefined {
    using stack = new DisposableStack();
    const connection = stack.use(new NetlinkConnection(NetlinkSocket.open(NETLINK_GENERIC)));
    const family = findFamily(connection, L2TP_GENL_NAME);
    if (family === undefined) return undefined;
    stack.move();
    return new L2tpClient(connection, family, options);
  }

  /** The generic-netlink family that the client uses. */
  get family(): GenlFamily {
    return this.#family;
  }

  /** The daemon whose subsystem this is; `undefined` for the kernel's and an empty one. Its connection is closed with this client. */
  get daemon(): DaemonClient | undefined {
    return this.#options.daemon;
  }

  /** The subsystem that this is a client of. */
  get dataplane(): Dataplane {
    return this.#options.dataplane ?? (this.daemon === undefined ? "kernel" : "user");
  }

  /** The {@link daemon}'s text like the kernel's debugfs file; `undefined` for the kernel, which has the file itself. */
  debugfs(): string | undefined {
    return this.dataplane === "kernel" ? undefined : this.daemon?.debugfs() ?? "";
  }

  /** The {@link daemon}'s dropped packets by reason; none for the kernel, which does not tell them. */
  drops(): DropCounts[] {
    return this.daemon?.drops() ?? [];
  }

  /** The {@link daemon}'s offloads that work for each session; none for the kernel. */
  offloads(): SessionOffloads[] {
    return this.daemon?.offloads() ?? [];
  }

  /** Sends a request that has no effect, and waits for its acknowledgement. */
  noop(): void {
    const payload = Uint8Array.of(L2TP_CMD.NOOP, 1, 0, 0);
    this.#request("L2TP_CMD_NOOP", payload);
  }

  /** Creates a tunnel. */
  createTunnel(parameters: TunnelParameters): void {
    const payload = encodeTunnelCreate(parameters);
    const fds = fdsOf(parameters);
    this.#retryWhileDeleting(() => this.#request("L2TP_CMD_TUNNEL_CREATE", payload, fds));
  }

  /** Deletes a tunnel with its sessions. The deletion may not be complete when this returns. */
  deleteTunnel(tunnelId: number): void {
    this.#request("L2TP_CMD_TUNNEL_DELETE", encodeTunnelCommand(L2TP_CMD.TUNNEL_DELETE, tunnelId));
    this.#deletedAtMs = performance.now();
  }

  /** Notifies listeners of the tunnel (TUNNEL_MODIFY); no property of a tunnel can be changed. */
  announceTunnel(tunnelId: number): void {
    this.#request("L2TP_CMD_TUNNEL_MODIFY", encodeTunnelCommand(L2TP_CMD.TUNNEL_MODIFY, tunnelId));
  }

  /** Returns the tunnel with this id of ours; `undefined` without one. */
  tunnel(tunnelId: number): Tunnel | undefined {
    const payload = encodeTunnelCommand(L2TP_CMD.TUNNEL_GET, tunnelId);
    return this.#get("L2TP_CMD_TUNNEL_GET", payload, readTunnel);
  }

  /** Returns all tunnels, in the subsystem's order. */
  tunnels(options?: ListOptions): Tunnel[] {
    const operation = "L2TP_CMD_TUNNEL_GET";
    return this.#connection.dump(
      { operation, type: this.#family.id, payload: encodeTunnelDump() },
      options?.counters === false ? readTunnelOnly : readTunnel,
    );
  }

  /** Creates a session in a tunnel. An Ethernet session gets its interface at once, which is down. */
  createSession(parameters: SessionParameters): void {
    if (this.#options.acceptsDuplicateSessions && this.session(parameters) !== undefined) {
      throw sessionExists();
    }
    const payload = encodeSessionCreate(parameters);
    this.#retryWhileDeleting(() => this.#request("L2TP_CMD_SESSION_CREATE", payload));
  }

  /** Deletes a session. The deletion may not be complete when this returns. */
  deleteSession(key: SessionKey): void {
    this.#request("L2TP_CMD_SESSION_DELETE", encodeSessionCommand(L2TP_CMD.SESSION_DELETE, key));
    this.#deletedAtMs = performance.now();
  }

  /**
   * Creates tunnels and sessions in order, many in one exchange, which is much faster than one by one. Resolves to the
   * outcome of each: `undefined` for success, the refusal, or `"notCreated"`. Unless `goOn`, creations after the first
   * refusal are undone: the kernel has processed them already.
   *
   * The caller runs while the kernel works, but must not use this client until the promise is settled.
   */
  async createAll(
    creations: readonly Creation[],
    options: { readonly goOn: boolean },
  ): Promise<CreationOutcome[]> {
    const outcomes = new Array<CreationOutcome>(creations.length).fill("notCreated");
    let failed = -1;
    for (let start = 0; start < creations.length && (failed < 0 || options.goOn);) {
      const last = Math.min(start + EXCHANGE_MAX, creations.length);
      const end = this.#options.acceptsDuplicateSessions
        ? Math.min(endOfDistinct(creations, start), last)
        : last;
      await this.#createRange(creations, start, end, outcomes, options.goOn);
      if (failed < 0) failed = outcomes.findIndex((outcome) => outcome instanceof NetlinkError);
      start = end;
    }
    if (failed < 0 || options.goOn) return outcomes;
    for (let i = creations.length - 1; i > failed; i--) {
      if (outcomes[i] === undefined) this.#undo(creations[i]!);
      outcomes[i] = "notCreated";
    }
    return outcomes;
  }

  /** Creates `start` up to `end` in one exchange. Refuses existing sessions here if the subsystem would accept them. */
  async #createRange(
    creations: readonly Creation[],
    start: number,
    end: number,
    outcomes: CreationOutcome[],
    goOn: boolean,
  ): Promise<void> {
    const present = new Set(
      this.#options.acceptsDuplicateSessions ? this.sessions({ counters: false }).map(sessionName) : [],
    );
    const sent: number[] = [];
    for (let i = start; i < end; i++) {
      const creation = creations[i]!;
      if ("tunnel" in creation || !present.has(sessionName(creation.session))) {
        sent.push(i);
        continue;
      }
      outcomes[i] = sessionExists();
      if (!goOn) break;
    }
    const refusals = await this.#connection.requestAll(sent.map((i) => this.#creationRequest(creations[i]!)));
    for (const [at, i] of sent.entries()) outcomes[i] = refusals[at];
  }

  #creationRequest(creation: Creation): NetlinkRequest {
    const type = this.#family.id;
    if ("session" in creation) {
      return { operation: "L2TP_CMD_SESSION_CREATE", type, payload: encodeSessionCreate(creation.session) };
    }
    const { tunnel } = creation;
    return {
      operation: "L2TP_CMD_TUNNEL_CREATE",
      type,
      payload: encodeTunnelCreate(tunnel),
      fds: fdsOf(tunnel),
    };
  }

  #undo(creation: Creation): void {
    try {
      if ("tunnel" in creation) this.deleteTunnel(creation.tunnel.tunnelId);
      else this.deleteSession(creation.session);
    } catch (error) {
      // Another program has deleted it.
      if (!(error instanceof NetlinkError) || error.errno !== Errno.ENODEV) throw error;
    }
  }

  /** Whether a deletion by this client may not be complete yet. {@link createAll} does not wait for it. */
  get hasDeleted(): boolean {
    return performance.now() - this.#deletedAtMs < SETTLE_LIMIT_MS;
  }

  /** Changes a session. */
  modifySession(key: SessionKey, changes: SessionChanges): void {
    this.#request("L2TP_CMD_SESSION_MODIFY", encodeSessionModify(key, changes));
  }

  /** Returns the session with the key; `undefined` without one. */
  session(key: SessionKey): Session | undefined {
    const payload = encodeSessionCommand(L2TP_CMD.SESSION_GET, key);
    return this.#get("L2TP_CMD_SESSION_GET", payload, readSession);
  }

  /** Returns all sessions of all tunnels, in the subsystem's order. */
  sessions(options?: ListOptions): Session[] {
    const operation = "L2TP_CMD_SESSION_GET";
    return this.#connection.dump(
      { operation, type: this.#family.id, payload: encodeSessionDump() },
      options?.counters === false ? readSessionOnly : readSession,
    );
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }

  #request(operation: string, payload: Uint8Array, fds?: readonly number[]): void {
    this.#connection.request({ operation, type: this.#family.id, payload, fds });
  }

  #get<T>(operation: string, payload: Uint8Array, read: (message: NetlinkMessage) => T): T | undefined {
    let found: T | undefined;
    try {
      this.#connection.request({ operation, type: this.#family.id, payload }, (reply) => {
        found = read(reply);
      });
    } catch (error) {
      if (error instanceof NetlinkError && error.errno === Errno.ENODEV) return undefined;
      throw error;
    }
    if (found === undefined) throw new NetlinkProtocolError(operation, "acknowledged without a reply");
    return found;
  }

  /**
   * Performs a creation. Retries it for a while if ids, ports or names are in use and this client has just deleted
   * something: they become free only after the deletion was acknowledged.
   */
  #retryWhileDeleting(create: () => void): void {
    for (let napMs = 1;; napMs = Math.min(2 * napMs, 50)) {
      try {
        return create();
      } catch (error) {
        if (!this.hasDeleted || !isTaken(error)) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, napMs);
      }
    }
  }
}

function fdsOf({ fd }: TunnelParameters): readonly number[] | undefined {
  return fd === undefined ? undefined : [fd];
}

function isTaken(error: unknown): boolean {
  return error instanceof NetlinkError && (error.errno === Errno.EEXIST || error.errno === Errno.EADDRINUSE);
}

function readTunnel(message: NetlinkMessage): Tunnel {
  return decodeTunnel(decodeGenl(message.payload).attributes);
}

function readSession(message: NetlinkMessage): Session {
  return decodeSession(decodeGenl(message.payload).attributes);
}

function readTunnelOnly(message: NetlinkMessage): Tunnel {
  return decodeTunnel(decodeGenl(message.payload).attributes, false);
}

function readSessionOnly(message: NetlinkMessage): Session {
  return decodeSession(decodeGenl(message.payload).attributes, false);
}
