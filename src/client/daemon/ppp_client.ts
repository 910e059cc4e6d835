/**
 * PPP sessions, which `l2tp daemon` runs: on its own L2TP sessions, and on the kernel's.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import { NetlinkConnection } from "../../driver/netlink/connection.ts";
import type { NetlinkTransport } from "../../driver/netlink/ports.ts";
import { decodeL2tpdText, encodeL2tpdRequest, L2TPD_CMD, L2TPD_FAMILY_ID } from "../../wire/l2tpd/family.ts";
import {
  encodePppRequest,
  type PppRequest,
  type PppSessionId,
  type PppSessionStatus,
} from "../../wire/l2tpd/ppp.ts";

export type {
  PppdSessionStatus,
  PppLinkStatus,
  PppRequest,
  PppSessionId,
  PppSessionStatus,
} from "../../wire/l2tpd/ppp.ts";

/** A client of the daemon, for PPP. Methods throw `DaemonError` when the daemon cannot be talked to any more. */
export class PppClient implements Disposable {
  readonly #connection: NetlinkConnection;

  /** Takes over the connection. */
  constructor(transport: NetlinkTransport) {
    this.#connection = new NetlinkConnection(transport);
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
    this.#connection.request({
      operation: `L2TPD_CMD_${command}`,
      type: L2TPD_FAMILY_ID,
      payload: encodePppRequest(request, command),
    });
  }

  /**
   * The PPP sessions of this client's namespace.
   *
   * @throws {DecodeError} if the daemon's answer makes no sense
   */
  sessions(): PppSessionStatus[] {
    const request = {
      operation: "L2TPD_CMD_PPP_STATUS",
      type: L2TPD_FAMILY_ID,
      payload: encodeL2tpdRequest(L2TPD_CMD.PPP_STATUS),
    };
    const text = this.#connection.dump(request, (message) => decodeL2tpdText(message.payload)).join("");
    return text.split("\n").filter((line) => line !== "").map(readStatus);
  }

  /** Closes the connection. The sessions go on. */
  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

/** The daemon is this program: what it says is taken as it is. An older one tells no settings. */
function readStatus(line: string): PppSessionStatus {
  try {
    return { settings: {}, ...JSON.parse(line) };
  } catch {
    throw new DecodeError({ field: "L2TPD_CMD_PPP_STATUS", offset: 0, needed: 0, had: 0 }, "it is no JSON");
  }
}
