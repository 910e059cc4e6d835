/**
 * Contradictions between PPP settings, on the command line and in a configuration. Pure.
 *
 * @module
 */

import type { DesiredPpp } from "../../model/ppp/settings.ts";

/** A contradiction. */
export interface PppConflict {
  /** Key of the setting that is wrong. */
  readonly key: string;
  /** Key of the setting that makes it wrong. */
  readonly against: string;
  /** The reason. */
  readonly reason: string;
}

/** Settings that are about IPv4. */
const ABOUT_IPV4 = {
  local: "local",
  remote: "remote",
  pool: "pool",
  dns: "dns",
  askdns: "askDns",
  defaultroute: "defaultRoute",
} as const;

/** Settings that contradict each other. */
export function pppConflicts(ppp: DesiredPpp): PppConflict[] {
  const conflicts: PppConflict[] = [];
  const say = (key: string, against: string, reason: string): void => {
    conflicts.push({ key, against, reason });
  };
  if (ppp.remote !== undefined && ppp.pool !== undefined) {
    say("pool", "remote", "remote already gives the peer's address");
  }
  if (ppp.ipv4 === false) {
    if (ppp.ipv6 === false) say("ipv6", "ipv4", "IPv4 and IPv6 cannot both be off");
    for (const [key, field] of Object.entries(ABOUT_IPV4)) {
      if (ppp[field] !== undefined) say(key, "ipv4", "it needs IPv4, which is off");
    }
  }
  return conflicts;
}

/** Whether secrets are needed and no file is given. */
export function lacksSecrets({ require = [], secretFile }: DesiredPpp): boolean {
  return secretFile === undefined && require.some((method) => method !== "none");
}

/** Advice where {@link lacksSecrets}. */
export const WHY_SECRETS = "Authenticating the peer takes the peer's secret.";
