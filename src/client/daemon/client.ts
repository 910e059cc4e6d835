/**
 * A client of the subsystem in userspace, which tells more of itself than the kernel's.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import type { NetlinkConnection } from "../../driver/netlink/connection.ts";
import type { GenlFamily } from "../../wire/genl/ctrl.ts";
import { decodeL2tpdText, encodeL2tpdRequest, L2TPD_CMD, L2TPD_FAMILY_ID } from "../../wire/l2tpd/family.ts";
import type { DropCounts } from "../../model/drop_counts.ts";
import { L2tpClient } from "../l2tp_client.ts";
import type { SessionOffloads } from "../../model/session_offloads.ts";
import type { Dataplane } from "../subsystem.ts";

/** A client of `l2tp daemon`. Methods throw `DaemonError` when the daemon cannot be talked to any more. */
export class UserL2tpClient extends L2tpClient {
  readonly #connection: NetlinkConnection;

  /** Takes over the connection, on which `family` was found. */
  constructor(connection: NetlinkConnection, family: GenlFamily) {
    super(connection, family);
    this.#connection = connection;
  }

  override get dataplane(): Dataplane {
    return "user";
  }

  override debugfs(): string {
    return this.#texts("DEBUGFS").join("");
  }

  /** @throws {DecodeError} if the daemon's answer makes no sense */
  override drops(): DropCounts[] {
    return this.#texts("DROPS").map(readDrops);
  }

  /** @throws {DecodeError} if the daemon's answer makes no sense */
  override offloads(): SessionOffloads[] {
    return this.#texts("OFFLOADS").map(readOffloads);
  }

  #texts(command: "DEBUGFS" | "DROPS" | "OFFLOADS"): string[] {
    const payload = encodeL2tpdRequest(L2TPD_CMD[command]);
    return this.#connection.dump(
      { operation: `L2TPD_CMD_${command}`, type: L2TPD_FAMILY_ID, payload },
      (message) => decodeL2tpdText(message.payload),
    );
  }
}

function readDrops(text: string): DropCounts {
  const row = parsed(text, "DROPS");
  const { drops } = row;
  if (typeof drops !== "object" || drops === null) throw makesNoSense("DROPS", "it has no drops");
  const reasons = new Map<string, number>();
  for (const [reason, count] of Object.entries(drops)) {
    if (typeof count !== "number") throw makesNoSense("DROPS", `${reason} is no number`);
    reasons.set(reason, count);
  }
  return {
    tunnelId: numberOf(row.tunnel_id),
    sessionId: numberOf(row.session_id),
    local: typeof row.local === "string" ? row.local : undefined,
    port: numberOf(row.port),
    reasons,
  };
}

function readOffloads(text: string): SessionOffloads {
  const { tunnel_id, session_id, offloads } = parsed(text, "OFFLOADS");
  const tunnelId = numberOf(tunnel_id);
  const sessionId = numberOf(session_id);
  if (tunnelId === undefined || sessionId === undefined || !Array.isArray(offloads)) {
    throw makesNoSense("OFFLOADS", "it is not whole");
  }
  return { tunnelId, sessionId, offloads: offloads.map(String) };
}

function parsed(text: string, command: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw makesNoSense(command, "it is no JSON");
  }
  if (typeof value !== "object" || value === null) throw makesNoSense(command, "it is no object");
  return value as Record<string, unknown>;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function makesNoSense(command: string, reason: string): DecodeError {
  return new DecodeError({ field: `L2TPD_CMD_${command}`, offset: 0, needed: 0, had: 0 }, reason);
}
