/**
 * The daemon's requests about PPP, on L2TP sessions of its own subsystem and of the kernel's.
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
   * Runs PPP on a session of this client's namespace until the session is deleted or the daemon ends.
   *
   * If that fails after PPP was attached, a session of the kernel is deleted.
   *
   * @throws {NetlinkError} ENODEV without such a session, EOPNOTSUPP for pppd on a userspace session, ENOENT without pppd,
   * EBUSY or EEXIST if PPP runs on it, EPROTONOSUPPORT or EPROTOTYPE if it is not a PPP session, EPERM without root for a
   * session of the kernel or a default route
   * @throws {RangeError} if the secrets do not fit into one message
   */
  run(request: PppRequest): void {
    this.#request(request, "PPP");
  }

  /**
   * Replaces the secrets of PPP on a session by those in the settings, from the next authentication on. The link stays up.
   *
   * @throws {NetlinkError} ENODEV if PPP does not run on it, EPERM as {@link run}
   * @throws {RangeError} as {@link run}
   */
  renewSecrets(request: PppRequest): void {
    this.#request(request, "PPP_SECRETS");
  }

  /**
   * Terminates PPP on a session. A session of the kernel is deleted with it.
   *
   * @throws {NetlinkError} ENODEV if PPP does not run on it, EPERM as {@link run}
   */
  end(session: PppSessionId): void {
    this.#request({ ...session, settings: {} }, "PPP_END");
  }

  #request(request: PppRequest, command: "PPP" | "PPP_SECRETS" | "PPP_END"): void {
    requestOfDaemon(this.#connection, command, encodePppRequest(request, command));
  }

  /**
   * Returns the PPP sessions of this client's namespace.
   *
   * @throws {DecodeError} if the daemon's answer is not valid
   */
  sessions(): PppSessionStatus[] {
    return decodePppStatuses(dumpOfDaemon(this.#connection, "PPP_STATUS"));
  }
}
