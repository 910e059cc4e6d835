/**
 * The state of a system, as far as a configuration can say it. Pure.
 *
 * @module
 */

import { isPppType } from "../../model/pseudowire.ts";
import type { SecretsError } from "../../base/secrets_error.ts";
import type { DesiredPpp } from "../../model/ppp/settings.ts";
import type { SessionDebugFacts } from "../../model/debug_facts.ts";
import type { Optional } from "../../model/optional.ts";
import type { Session, SessionParameters } from "../../model/session.ts";
import type { Tunnel, TunnelParameters } from "../../model/tunnel.ts";
import { readEndAddress } from "../schema/kinds.ts";
import type { SecretsFile } from "./secrets.ts";
import type { EndAddress, Prefix, Sequence, SessionSettings, TunnelSettings } from "../schema/settings.ts";
import { isLinkLocal, parseIpAddress } from "../../base/ip_address.ts";

/** An address of an interface. */
export interface ActualAddress extends Prefix {
  /** Whether it comes and goes by itself, as addresses do that routers advertise. */
  readonly automatic: boolean;
}

/** A session's interface. */
export interface ActualLink {
  /** Its name. */
  readonly name: string;
  /** Name of its network namespace; `""` where that has none. */
  readonly netns: string;
  /** Whether that is another than the tunnel's. */
  readonly away: boolean;
  /** Whether it is up. */
  readonly up: boolean;
  /** Its MTU. */
  readonly mtu: number;
  /** Name of its bridge or bond. */
  readonly bridge: string | undefined;
  /** Its addresses. */
  readonly addresses: readonly ActualAddress[];
}

/** PPP that runs on a session. */
export interface ActualPpp {
  /** Name of its interface. */
  readonly interfaceName: string;
  /** As what it was begun. */
  readonly wish: DesiredPpp;
  /** What tells its file of secrets, as it was then, from what it is after a change. */
  readonly stamp: string | undefined;
}

/** A session that is there. */
export interface ActualSession extends Optional<SessionDebugFacts> {
  /** What the subsystem tells of it. */
  readonly session: Session;
  /** Its interface; `undefined` if it has none that can be found. */
  readonly link: ActualLink | undefined;
  /** PPP, if the daemon runs it there. */
  readonly ppp?: ActualPpp | undefined;
}

/** A tunnel that is there. */
export interface ActualTunnel {
  /** What the subsystem tells of it. */
  readonly tunnel: Tunnel;
  /** Interface of its link-local addresses, if it has such and their interface is known. */
  readonly scope: string | undefined;
  /** Its sessions. */
  readonly sessions: readonly ActualSession[];
}

/** The state of a system. */
export interface Actual {
  /** Its tunnels. */
  readonly tunnels: readonly ActualTunnel[];
  /** Names of all its interfaces. */
  readonly interfaces: ReadonlySet<string>;
  /** What its network namespace is called; `""` where it has no name. */
  readonly netns: string;
  /** Names of the interfaces of other network namespaces, as far as there are such and somebody asked. */
  readonly namespaces: ReadonlyMap<string, ReadonlySet<string>>;
  /** Files of secrets that the configuration names, by path: what is in them, or why they are of no use. */
  readonly secrets: ReadonlyMap<string, SecretsFile | SecretsError>;
  /** How many times a second the clock ticks by which its reorder timeouts are kept. */
  readonly timerHz: number;
}

/** Whether the session carries PPP. */
export function isPppSession({ pseudowireType }: Session): boolean {
  return isPppType(pseudowireType);
}

/** Whether the address is link-local, of IPv6. */
export function isLinkLocalText(address: string): boolean {
  const bytes = parseIpAddress(address);
  return bytes !== undefined && isLinkLocal(bytes);
}

function endOf(address: string, scope: string | undefined): EndAddress | undefined {
  const scoped = scope !== undefined && isLinkLocalText(address) ? `${address}%${scope}` : address;
  return readEndAddress(scoped, false);
}

/** What a configuration would say of the tunnel, defaults included. */
export function tunnelSettings({ tunnel, scope }: ActualTunnel): TunnelSettings {
  const { tunnelId, peerTunnelId, version, encap, local, peer, localPort, peerPort } = tunnel;
  return {
    tunnelId,
    peerTunnelId,
    version: version === 2 ? 2 : 3,
    encap: encap ?? "udp",
    local: endOf(local, scope),
    remote: endOf(peer, scope),
    ...(encap === "udp" && {
      localPort,
      peerPort,
      udpChecksum: tunnel.udpChecksum,
      checksumTx: tunnel.checksumTx,
      checksumRx: tunnel.checksumRx,
    }),
  };
}

/** Sequence numbers as one word. */
export function sequenceOf({ sendSeq, recvSeq }: { sendSeq: boolean; recvSeq: boolean }): Sequence {
  return sendSeq ? (recvSeq ? "both" : "send") : recvSeq ? "recv" : "none";
}

/** Name of the session's interface, whoever made that; `undefined` if it has none. */
export function interfaceNameOf({ session, ppp }: ActualSession): string | undefined {
  return session.interfaceName ?? ppp?.interfaceName;
}

/** What a configuration would say of the session, defaults included; of addresses only those that it governs. */
export function sessionSettings(actual: ActualSession): SessionSettings {
  const { session, l2spec, link, ppp } = actual;
  const { sessionId, peerSessionId, interfaceName, cookie, peerCookie } = session;
  const isPpp = isPppSession(session);
  return {
    sessionId,
    peerSessionId,
    pseudowire: isPpp ? "ppp" : "eth",
    interfaceName: isPpp ? ppp?.interfaceName : interfaceName,
    ppp: ppp?.wish,
    cookie,
    peerCookie,
    l2spec,
    sequence: sequenceOf(session),
    reorderTimeoutMs: session.reorderTimeoutMs,
    lnsMode: session.lnsMode,
    ...(link !== undefined && !isPpp && {
      netns: link.away ? link.netns : undefined,
      mtu: link.mtu,
      bridge: link.bridge ?? "none",
      addresses: link.addresses.filter(isGoverned).map(({ address, prefixLength }) => ({
        address,
        prefixLength,
      })),
      up: link.up,
    }),
  };
}

/** Whether an address is one that somebody gave the interface. */
function isGoverned({ address, automatic }: ActualAddress): boolean {
  return !automatic && !isLinkLocalText(address);
}

/** What would make the tunnel again. */
export function tunnelParameters({ tunnel }: ActualTunnel): TunnelParameters {
  return {
    tunnelId: tunnel.tunnelId,
    peerTunnelId: tunnel.peerTunnelId,
    version: tunnel.version === 2 ? 2 : 3,
    encap: tunnel.encap ?? "udp",
    local: tunnel.local,
    peer: tunnel.peer,
    localPort: tunnel.localPort,
    peerPort: tunnel.peerPort,
    udpChecksum: tunnel.udpChecksum,
    checksumTx: tunnel.checksumTx,
    checksumRx: tunnel.checksumRx,
  };
}

/** What would make the session again. */
export function sessionParameters({ session, l2spec }: ActualSession): SessionParameters {
  const isPpp = isPppSession(session);
  return {
    tunnelId: session.tunnelId,
    peerTunnelId: session.peerTunnelId,
    sessionId: session.sessionId,
    peerSessionId: session.peerSessionId,
    pseudowire: isPpp ? "ppp" : "eth",
    l2spec,
    cookie: session.cookie,
    peerCookie: session.peerCookie,
    sendSeq: session.sendSeq,
    recvSeq: session.recvSeq,
    lnsMode: session.lnsMode,
    reorderTimeoutMs: session.reorderTimeoutMs,
    interfaceName: isPpp ? undefined : session.interfaceName,
  };
}
