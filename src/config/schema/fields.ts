/**
 * Settings that are parameters of the L2TP subsystem, chosen by the schema. Code that creates, compares or converts tunnels
 * and sessions copies settings with these functions instead of naming each. Pure.
 *
 * @module
 */

import { SESSION_SETTINGS, TUNNEL_SETTINGS } from "./schema.ts";
import type { Setting } from "./setting.ts";
import type { SessionFields, SessionSettings, TunnelFields, TunnelSettings } from "./settings.ts";

/** Settings that the subsystem has in another form. */
const CONVERTED: ReadonlySet<string> = new Set(["local", "remote", "seq"]);

function fieldsOf<T>(schema: readonly Setting<T>[]): string[] {
  return schema.filter(({ group, key }) => group === "l2tp" && !CONVERTED.has(key)).map(({ field }) => field);
}

const TUNNEL_FIELDS = fieldsOf(TUNNEL_SETTINGS);
const SESSION_FIELDS = [...fieldsOf(SESSION_SETTINGS), "interfaceName"];

function copy(fields: readonly string[], from: object): object {
  const copied: Record<string, unknown> = {};
  for (const field of fields) copied[field] = (from as Record<string, unknown>)[field];
  return copied;
}

/** The parameters of a tunnel among the members of `from`. */
export function tunnelFields<T extends TunnelFields>(from: T): Pick<T, keyof TunnelFields & keyof T> {
  return copy(TUNNEL_FIELDS, from) as Pick<T, keyof TunnelFields & keyof T>;
}

/** The parameters of a session among the members of `from`. */
export function sessionFields<T extends SessionFields>(from: T): Pick<T, keyof SessionFields & keyof T> {
  return copy(SESSION_FIELDS, from) as Pick<T, keyof SessionFields & keyof T>;
}

/** IP version of a tunnel's peer. */
export type IpVersion = 4 | 6;

/** Whether the setting applies to this encapsulation and IP version. */
export function appliesOver(
  { over }: Pick<Setting<TunnelSettings>, "over">,
  encap: "udp" | "ip" | undefined,
  version: IpVersion | undefined,
): boolean {
  if (over === undefined) return true;
  return encap === "udp" && (over === "udp" || version === undefined || over === `udp${version}`);
}

/** The tunnel's settings without those that do not apply to its encapsulation and IP version. */
export function applicableTunnel<T extends TunnelSettings>(settings: T, version: IpVersion): T {
  const { encap = "udp" } = settings;
  const left = { ...settings } as object as Record<string, unknown>;
  for (const row of TUNNEL_SETTINGS) {
    if (!appliesOver(row, encap, version)) left[row.field] = undefined;
  }
  return left as T;
}

/** The session's settings without those that do not apply to its tunnel's L2TP version. */
export function applicableSession<T extends SessionSettings>(settings: T, version: 2 | 3): T {
  if (version === 3) return settings;
  const left = { ...settings } as object as Record<string, unknown>;
  for (const { field, v3Only } of SESSION_SETTINGS) if (v3Only) left[field] = undefined;
  return left as T;
}
