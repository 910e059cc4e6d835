/**
 * Converts PPP settings of the configuration into settings of a PPP session, and back. Pure.
 *
 * @module
 */

import type {
  DesiredPpp,
  PppSecret,
  PppSecretsSource,
  PppSessionSettings,
} from "../../model/ppp/settings.ts";

/** Secrets and their source. */
export interface ReadSecrets {
  readonly secrets: readonly PppSecret[];
  readonly secretsFrom: PppSecretsSource;
}

/** Settings that run PPP as the configuration describes it, on an interface of that name. */
export function pppSettingsOf(
  ppp: DesiredPpp,
  secrets: ReadSecrets | undefined,
  interfaceName: string | undefined,
): PppSessionSettings {
  const { local, remote, pool, dns, askDns, defaultRoute, user, require } = ppp;
  const { ipv6, mtu, mru, clampMss, echoIntervalMs, echoFailures } = ppp;
  return {
    interfaceName,
    ...{ user, ...secrets, require, ipv6, mtu, mru, clampMss, echoIntervalMs, echoFailures },
    ipv4: ppp.ipv4 === false ? false : { local, remote, pool, dns, askDns, defaultRoute },
  };
}

/** The configuration of PPP that runs with these settings. */
export function desiredPppOf(settings: Omit<PppSessionSettings, "secrets">): DesiredPpp {
  const { secretsFrom, interfaceName: _, ipv4 = {}, ...rest } = settings;
  return {
    ...rest,
    ...(ipv4 === false ? { ipv4 } : ipv4),
    ...(secretsFrom !== undefined && { secretFile: secretsFrom.file }),
  };
}
