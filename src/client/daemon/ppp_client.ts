/**
 * PPP sessions, which `l2tp daemon` runs: on its own L2TP sessions, and on the kernel's.
 *
 * @module
 */

import type { NetlinkConnection } from "../../driver/netlink/connection.ts";
import {
  decodePppStatuses,
  encodePppRequest,
  type PppRequest,
  type PppSessionId,
  type PppSessionStatus,
} from "../../wire/l2tpd/ppp.ts";
import { dumpOfDaemon, requestOfDaemon } from "./requests.ts";

export type {
  PppdSessionStatus,
  PppLinkStatus,
  PppRequest,
  PppSessionId,
  PppSessionStatus,
} from "../../wire/l2tpd/ppp.ts";

/** The daemon's requests about PPP. Methods throw `DaemonError` when the daemon cannot be reached any more. */
export class PppClient {
  readonly #connection: NetlinkConnection;

  /** Works over the connection, which stays the caller's. */
  constructor(connection: NetlinkConnection) {
    this.#connection = connection;
  }

  /**
   * Runs PPP on a session of this client's namespace, from now until the session is deleted or the daemon ends.
   *
   * A session of the kernel is deleted when that fails after PPP took hold of it.
   *
   * @throws {NetlinkError} ENODEV without such a session, EOPNOTSUPP for one in userspace that pppd is to have, ENOENT without pppd, EBUSY or EEXIST if PPP runs on it, EPROTONOSUPPORT or EPROTOTYPE
   * if it is none of PPP, EPERM for what takes root: sessions of the kernel, a default route
   * @throws {RangeError} if there are more secrets than a message has room for
   */
  run(request: PppRequest): void {
    this.#request(request, "PPP");
  }

  /**
   * Gives PPP on a session the secrets in the settings instead of its own, for the next authentication. A link that is up
   * goes on.
   *
   * @throws {NetlinkError} ENODEV if no PPP runs there, EPERM as {@link run}
   * @throws {RangeError} as {@link run}
   */
  renewSecrets(request: PppRequest): void {
    this.#request(request, "PPP_SECRETS");
  }

  /**
   * Ends PPP on a session, of which the peer is told. A session of the kernel goes with it.
   *
   * @throws {NetlinkError} ENODEV if no PPP runs there, EPERM as {@link run}
   */
  end(session: PppSessionId): void {
    this.#request({ ...session, settings: {} }, "PPP_END");
  }

  #request(request: PppRequest, command: "PPP" | "PPP_SECRETS" | "PPP_END"): void {
    requestOfDaemon(this.#connection, command, encodePppRequest(request, command));
  }

  /**
   * The PPP sessions of this client's namespace.
   *
   * @throws {DecodeError} if the daemon's answer is not valid
   */
  sessions(): PppSessionStatus[] {
    return decodePppStatuses(dumpOfDaemon(this.#connection, "PPP_STATUS"));
  }
}
