/**
 * A client of `l2tp daemon` for what the kernel's subsystem has no requests for, and of the daemon's subsystem.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import { NetlinkConnection } from "../../driver/netlink/connection.ts";
import type { NetlinkTransport } from "../../driver/netlink/ports.ts";
import type { PendingTunnel } from "../../model/pending_tunnel.ts";
import type { DropCounts } from "../../model/drop_counts.ts";
import type { SessionOffloads } from "../../model/session_offloads.ts";
import { L2TP_GENL_NAME } from "../../wire/genl/l2tp/constants.ts";
import { decodeDeclared } from "../../wire/l2tpd/declared.ts";
import { decodeDrops } from "../../wire/l2tpd/drops.ts";
import { decodeOffloads } from "../../wire/l2tpd/offloads.ts";
import { resolveFamily } from "../genl_family.ts";
import { L2tpClient } from "../l2tp_client.ts";
import { PppClient } from "./ppp_client.ts";
import { dumpOfDaemon } from "./requests.ts";

/**
 * The daemon's own requests about one network namespace. Every method throws `DaemonError` when the daemon cannot be
 * reached any more, `NetlinkError` when it refuses, and `DecodeError` when its answer is not valid.
 */
export class DaemonClient implements Disposable {
  /** PPP on sessions of the namespace, of the daemon's subsystem and of the kernel's. */
  readonly ppp: PppClient;
  readonly #connection: NetlinkConnection;

  /** Works over the connection, which an {@link L2tpClient} may work over as well. */
  constructor(connection: NetlinkConnection) {
    this.#connection = connection;
    this.ppp = new PppClient(connection);
  }

  /** The text that the kernel's debugfs file `l2tp/tunnels` has. */
  debugfs(): string {
    return dumpOfDaemon(this.#connection, "DEBUGFS").join("");
  }

  /** Dropped packets by reason, of each session and socket that dropped any. */
  drops(): DropCounts[] {
    return dumpOfDaemon(this.#connection, "DROPS").map(decodeDrops);
  }

  /** The offloads that work for each session. */
  offloads(): SessionOffloads[] {
    return dumpOfDaemon(this.#connection, "OFFLOADS").map(decodeOffloads);
  }

  /** Tunnels of the daemon's configuration file that are not there as it says. Rows that are not valid are left out. */
  pendingTunnels(): PendingTunnel[] {
    return dumpOfDaemon(this.#connection, "DECLARED").flatMap((text) => {
      try {
        return [decodeDeclared(text)];
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        return [];
      }
    });
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

/**
 * A client of the daemon's subsystem, which takes over the transport. Its `daemon` works over the same connection.
 *
 * @throws {FamilyMissingError} if what answers is not a subsystem
 */
export function daemonL2tpClient(transport: NetlinkTransport): L2tpClient {
  using stack = new DisposableStack();
  const connection = stack.use(new NetlinkConnection(transport));
  const family = resolveFamily(connection, L2TP_GENL_NAME);
  const client = new L2tpClient(connection, family, { daemon: new DaemonClient(connection) });
  stack.move();
  return client;
}
