/**
 * What settings mean for whoever makes tunnels and sessions. Pure.
 *
 * @module
 */

import { isIpv6Text } from "../../base/inet.ts";
import type { SessionParameters } from "../../model/session.ts";
import type { TunnelParameters } from "../../model/tunnel.ts";
import {
  type ConfigTunnel,
  pseudowireOf,
  type SessionSettings,
  type TunnelSettings,
  versionOf,
} from "../schema/settings.ts";
import type { SessionIds } from "./steps.ts";

/** What makes the tunnel, to a peer at that address. */
export function tunnelParametersOf(settings: TunnelSettings, peer: string): TunnelParameters {
  const { tunnelId, peerTunnelId, version, encap = "udp", local } = settings;
  const isUdp = encap === "udp";
  const isIpv6 = isIpv6Text(peer);
  return {
    tunnelId: tunnelId!,
    peerTunnelId: peerTunnelId!,
    version: version ?? 3,
    encap,
    local: local?.type === "address" ? local.address : isIpv6 ? "::" : "0.0.0.0",
    peer,
    localPort: isUdp ? settings.localPort : undefined,
    peerPort: isUdp ? settings.peerPort : undefined,
    udpChecksum: isUdp && !isIpv6 ? settings.udpChecksum : undefined,
    checksumTx: isUdp && isIpv6 ? settings.checksumTx : undefined,
    checksumRx: isUdp && isIpv6 ? settings.checksumRx : undefined,
  };
}

/** What makes a session with these settings in the tunnel. */
export function sessionParametersOf(
  key: SessionIds,
  tunnel: ConfigTunnel,
  settings: SessionSettings,
): SessionParameters {
  const isVersion2 = versionOf(tunnel) === 2;
  const pseudowire = pseudowireOf(settings, versionOf(tunnel));
  const { sequence = "none" } = settings;
  return {
    ...key,
    peerTunnelId: tunnel.settings.peerTunnelId,
    peerSessionId: settings.peerSessionId!,
    pseudowire,
    l2spec: isVersion2 ? undefined : settings.l2spec,
    cookie: isVersion2 ? undefined : settings.cookie,
    peerCookie: isVersion2 ? undefined : settings.peerCookie,
    sendSeq: sequence === "send" || sequence === "both",
    recvSeq: sequence === "recv" || sequence === "both",
    lnsMode: settings.lnsMode ?? false,
    reorderTimeoutMs: settings.reorderTimeoutMs ?? 0,
    interfaceName: pseudowire === "eth" ? settings.interfaceName : undefined,
  };
}
