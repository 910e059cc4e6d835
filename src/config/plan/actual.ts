/**
 * The state of a system, as far as a configuration can describe it. Pure.
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
import { sessionFields, tunnelFields } from "../schema/fields.ts";
import {
  type EndAddress,
  type Prefix,
  sequenceOf,
  type SessionFields,
  type SessionSettings,
  type TunnelSettings,
} from "../schema/settings.ts";
import { isLinkLocalText } from "../../base/ip_address.ts";

/** An address of an interface. */
export interface ActualAddress extends Prefix {
  /** Whether it is automatic, like an address that a router advertises. */
  readonly automatic: boolean;
}

/** A session's interface. */
export interface ActualLink {
  /** Its name. */
  readonly name: string;
  /** Name of its network namespace; `""` if that has no name. */
  readonly netns: string;
  /** Whether its namespace differs from the tunnel's. */
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
  /** The options that it was started with. */
  readonly desired: DesiredPpp;
  /** Stamp of its file of secrets at the start. The stamp changes with the file. */
  readonly stamp: string | undefined;
}

/** An existing session. */
export interface ActualSession extends Optional<SessionDebugFacts> {
  /** The session, as the subsystem reports it. */
  readonly session: Session;
  /** Its interface; `undefined` if it is not found. */
  readonly link: ActualLink | undefined;
  /** PPP, if the daemon runs it on the session. */
  readonly ppp?: ActualPpp | undefined;
}

/** An existing tunnel. */
export interface ActualTunnel {
  /** The tunnel, as the subsystem reports it. */
  readonly tunnel: Tunnel;
  /** Interface of its link-local addresses; `undefined` without such addresses, or if the interface is unknown. */
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
  /** Name of its network namespace; `""` if that has no name. */
  readonly netns: string;
  /** Names of interfaces in the other network namespaces that the configuration names. */
  readonly namespaces: ReadonlyMap<string, ReadonlySet<string>>;
  /** Files of secrets that the configuration names, by path: their names, or why a file cannot be used. */
  readonly secrets: ReadonlyMap<string, SecretsFile | SecretsError>;
  /** Frequency of the clock that measures reorder timeouts, in ticks per second. */
  readonly timerHz: number;
}

/** Whether the session carries PPP. */
export function isPppSession({ pseudowireType }: Session): boolean {
  return isPppType(pseudowireType);
}

function endOf(address: string, scope: string | undefined): EndAddress | undefined {
  const scoped = scope !== undefined && isLinkLocalText(address) ? `${address}%${scope}` : address;
  return readEndAddress(scoped, false);
}

/** The tunnel as a configuration would describe it, defaults included. */
export function tunnelSettings({ tunnel, scope }: ActualTunnel): TunnelSettings {
  return {
    ...tunnelFields(knownTunnel(tunnel)),
    local: endOf(tunnel.local, scope),
    remote: endOf(tunnel.peer, scope),
  };
}

/** The tunnel; an unknown version or encapsulation becomes the default. */
function knownTunnel(tunnel: Tunnel): Tunnel & Pick<TunnelParameters, "encap" | "version"> {
  return { ...tunnel, version: tunnel.version === 2 ? 2 : 3, encap: tunnel.encap ?? "udp" };
}

/** Name of the session's interface, which the subsystem or PPP made; `undefined` if there is none. */
export function interfaceNameOf({ session, ppp }: ActualSession): string | undefined {
  return session.interfaceName ?? ppp?.interfaceName;
}

/** The session as a configuration would describe it, defaults included; of addresses only those that it manages. */
export function sessionSettings(actual: ActualSession): SessionSettings {
  const { session, link, ppp } = actual;
  const isPpp = isPppSession(session);
  return {
    ...fieldsOf(actual),
    interfaceName: isPpp ? ppp?.interfaceName : session.interfaceName,
    ppp: ppp?.desired,
    sequence: sequenceOf(session),
    ...(link !== undefined && !isPpp && {
      netns: link.away ? link.netns : undefined,
      mtu: link.mtu,
      bridge: link.bridge ?? "none",
      addresses: link.addresses.filter(isManaged).map(({ address, prefixLength }) => ({
        address,
        prefixLength,
      })),
      up: link.up,
    }),
  };
}

function fieldsOf(actual: ActualSession): SessionFields & Pick<Session, "peerSessionId"> {
  const { session } = actual;
  // `actual` has what only the debug file shows.
  return sessionFields({ ...actual, ...session, pseudowire: isPppSession(session) ? "ppp" : "eth" });
}

/** Whether the address is configured: neither link-local nor automatic. */
function isManaged({ address, automatic }: ActualAddress): boolean {
  return !automatic && !isLinkLocalText(address);
}

/** Parameters that create the tunnel again. */
export function tunnelParameters({ tunnel }: ActualTunnel): TunnelParameters {
  return { ...tunnelFields(knownTunnel(tunnel)), local: tunnel.local, peer: tunnel.peer };
}

/** Parameters that create the session again. */
export function sessionParameters(actual: ActualSession): SessionParameters {
  const { session } = actual;
  const { tunnelId, peerTunnelId, sessionId, sendSeq, recvSeq } = session;
  return {
    ...fieldsOf(actual),
    ...{ tunnelId, peerTunnelId, sessionId, sendSeq, recvSeq },
    interfaceName: isPppSession(session) ? undefined : session.interfaceName,
  };
}
