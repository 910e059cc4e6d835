/**
 * The parameters and changes of the L2TP subsystem that settings mean. Pure.
 *
 * @module
 */

import { isIpv6Text } from "../../base/inet.ts";
import type { SessionChanges, SessionParameters } from "../../model/session.ts";
import type { TunnelParameters } from "../../model/tunnel.ts";
import { applicableSession, applicableTunnel, sessionFields, tunnelFields } from "../schema/fields.ts";
import { SESSION_SETTINGS } from "../schema/schema.ts";
import { fillDefaults } from "../schema/setting.ts";
import {
  type ConfigTunnel,
  pseudowireOf,
  sequenceFlags,
  type SessionSettings,
  type TunnelSettings,
  versionOf,
} from "../schema/settings.ts";
import type { SessionIds } from "./steps.ts";

/** Parameters that create the tunnel, to a peer at that address. */
export function tunnelParametersOf(settings: TunnelSettings, peer: string): TunnelParameters {
  const { tunnelId, peerTunnelId, version = 3, encap = "udp", local } = settings;
  const isIpv6 = isIpv6Text(peer);
  return {
    ...tunnelFields(applicableTunnel(settings, isIpv6 ? 6 : 4)),
    ...{ tunnelId: tunnelId!, peerTunnelId: peerTunnelId!, version, encap },
    local: local?.type === "address" ? local.address : isIpv6 ? "::" : "0.0.0.0",
    peer,
  };
}

/** Parameters that create a session with these settings in the tunnel. */
export function sessionParametersOf(
  key: SessionIds,
  tunnel: ConfigTunnel,
  settings: SessionSettings,
): SessionParameters {
  const version = versionOf(tunnel);
  const pseudowire = pseudowireOf(settings, version);
  const given = fillDefaults(SESSION_SETTINGS, applicableSession(settings, version));
  return {
    ...sessionFields(given),
    ...key,
    ...sequenceFlags(given.sequence ?? "none"),
    peerTunnelId: tunnel.settings.peerTunnelId,
    peerSessionId: settings.peerSessionId!,
    pseudowire,
    interfaceName: pseudowire === "eth" ? settings.interfaceName : undefined,
  };
}

/** Changes of a living session: the settings with these keys. */
export function sessionChangesOf(settings: SessionSettings, keys: ReadonlySet<string>): SessionChanges {
  const wanted = fillDefaults(SESSION_SETTINGS, settings);
  const rows = SESSION_SETTINGS.filter(({ key, group, changes }) =>
    group === "l2tp" && changes && keys.has(key)
  );
  const changes = rows.map(({ key, field }) =>
    key === "seq" ? sequenceFlags(wanted.sequence ?? "none") : { [field]: wanted[field] }
  );
  return Object.assign({}, ...changes);
}
