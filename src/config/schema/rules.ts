/**
 * Rules for settings: duplicate ids, contradictions, missing settings. Pure.
 *
 * @module
 */

import { ipVersionOf } from "../../base/inet.ts";
import { isLinkLocal, parseIpAddress } from "../../base/ip_address.ts";
import type { DesiredPpp } from "../../model/ppp/settings.ts";
import type { ConfigProblem, SourcePosition } from "./problem.ts";
import { lacksSecrets, pppConflicts, WHY_SECRETS } from "./ppp_rules.ts";
import { appliesOver } from "./fields.ts";
import { INTERFACE_KEYS, SESSION_SETTINGS, TUNNEL_SETTINGS } from "./schema.ts";
import {
  type Config,
  type ConfigSession,
  type ConfigTunnel,
  type Origin,
  pseudowireOf,
  type TunnelSettings,
} from "./settings.ts";

/** Largest id of version 2, which has 16 bits for it (RFC 2661 section 3.1). */
const MAX_V2_ID = 0xffff;

/** The IP version of a tunnel; `undefined` without a literal address. */
export function endIpVersion({ local, remote }: TunnelSettings): 4 | 6 | undefined {
  const literal = [remote, local].find((end) => end?.type === "address");
  return literal === undefined ? undefined : ipVersionOf(literal.address);
}

/** All problems of a configuration. `unread` has keys of settings that are wrong; they do not count as missing. */
export function checkConfig(config: Config, unread: ReadonlySet<string> = new Set()): ConfigProblem[] {
  const checker = new Checker(unread);
  for (const tunnel of config.tunnels) checker.tunnel(tunnel);
  checker.collisions(config);
  return checker.problems;
}

class Checker {
  readonly problems: ConfigProblem[] = [];
  readonly #unread: ReadonlySet<string>;

  constructor(unread: ReadonlySet<string>) {
    this.#unread = unread;
  }

  #say({ line, column }: SourcePosition, message: string, ...advice: string[]): void {
    this.problems.push({ line, column, message, advice });
  }

  tunnel(tunnel: ConfigTunnel): void {
    const { settings, origins, label } = tunnel;
    this.#required(tunnel, TUNNEL_SETTINGS, `tunnel ${label}`);
    const { encap = "udp", version = 3 } = settings;
    if (this.#unread.has("encap")) {
      // It is wrong, which is a problem of its own, so other rules do not apply.
    } else if (encap === "udp") {
      for (const key of ["udp_sport", "udp_dport"]) {
        this.#need(tunnel, key, `tunnel ${label} needs ${key} with encap udp`);
      }
      const version = endIpVersion(settings);
      for (const row of TUNNEL_SETTINGS) {
        if (appliesOver(row, encap, version)) continue;
        const { key } = row;
        this.#useless(origins, key, `${key} is for IPv${version === 4 ? 6 : 4}, and this is IPv${version}`);
      }
    } else {
      for (const { key, over } of TUNNEL_SETTINGS) {
        if (over !== undefined) this.#useless(origins, key, `${key} does not apply to encap ip`);
      }
    }
    if (version === 2) {
      const place = origins.get("encap")?.value ?? tunnel.place;
      if (encap === "ip") this.#say(place, "version 2 needs encap udp", "L2TPv2 runs over UDP only.");
      this.#shortId(origins, "tunnel_id", settings.tunnelId);
      this.#shortId(origins, "peer_tunnel_id", settings.peerTunnelId);
    }
    this.#addresses(tunnel);
    for (const session of tunnel.sessions) this.#session(tunnel, session);
  }

  #addresses({ settings: { local, remote }, origins }: ConfigTunnel): void {
    const places = { local: origins.get("local")?.value, remote: origins.get("remote")?.value };
    for (const [key, end] of [["local", local], ["remote", remote]] as const) {
      const place = places[key];
      if (end?.type !== "address" || place === undefined) continue;
      const linkLocal = isLinkLocal(parseIpAddress(end.address)!);
      if (end.scope !== undefined && !linkLocal) {
        this.#say(place, `${key} has an interface behind %: only link-local addresses (fe80::/10) take one`);
      }
      if (linkLocal && (local?.scope ?? remote?.scope) === undefined) {
        this.#say(place, `${key} is link-local and needs its interface`, `As in "${end.address}%eth0"`);
      }
    }
    if (local?.type !== "address" || remote?.type !== "address" || places.remote === undefined) return;
    if (ipVersionOf(local.address) !== ipVersionOf(remote.address)) {
      this.#say(places.remote, `local is ${local.text} and remote ${remote.text}: IPv4 and IPv6 do not mix`);
    } else if (local.scope !== undefined && remote.scope !== undefined && local.scope !== remote.scope) {
      this.#say(
        places.remote,
        `local is on ${local.scope} and remote on ${remote.scope}: both must be on the same link`,
      );
    }
  }

  #session(tunnel: ConfigTunnel, session: ConfigSession): void {
    const { settings, origins, label } = session;
    this.#required(session, SESSION_SETTINGS, `session ${label} of tunnel ${tunnel.label}`);
    const version = tunnel.settings.version ?? 3;
    if (version === 2) {
      this.#shortId(origins, "session_id", settings.sessionId);
      this.#shortId(origins, "peer_session_id", settings.peerSessionId);
      if (settings.pseudowire === "eth") {
        this.#useless(origins, "pw_type", "a version 2 tunnel carries ppp only");
      }
      for (const { key, v3Only } of SESSION_SETTINGS) {
        if (v3Only) this.#useless(origins, key, `${key} does not apply to version 2`);
      }
    }
    const isEthernet = pseudowireOf(settings, version) === "eth";
    if (settings.ppp !== undefined) this.#ppp(tunnel, session, settings.ppp);
    else if (!isEthernet) {
      const advice = [
        "The program that runs PPP creates the interface of a PPP session.",
        `To run PPP here, add a table [tunnel.${tunnel.label}.session.${label}.ppp]`,
      ];
      for (const key of INTERFACE_KEYS) this.#useless(origins, key, `${key} needs pw_type eth`, ...advice);
    }
    const netns = origins.get("netns");
    if (netns !== undefined && isEthernet && settings.interfaceName?.includes("%") !== false) {
      this.#say(
        netns.key,
        `session ${label} of tunnel ${tunnel.label} needs a complete interface name, because it has a netns`,
        "A name that is free here may be in use there.",
      );
    }
    const place = origins.get("seq")?.value;
    const { sequence = "none", l2spec } = settings;
    if (version === 3 && sequence !== "none" && l2spec === "none" && place !== undefined) {
      this.#say(
        place,
        `seq is ${sequence} and l2spec_type none: sequence numbers are in the sublayer`,
        'Use l2spec_type = "default", at both ends.',
      );
    }
  }

  /** Rules for PPP on a session. */
  #ppp(
    { settings: { version = 3 } }: ConfigTunnel,
    { settings, origins }: ConfigSession,
    ppp: DesiredPpp,
  ): void {
    const pwType = origins.get("pw_type");
    if (
      version === 3 && settings.pseudowire === "eth" && pwType !== undefined && pwType.from !== "defaults"
    ) {
      this.#say(pwType.value, "ppp needs pw_type ppp", "Leave pw_type out.");
    }
    for (const key of INTERFACE_KEYS) {
      if (key === "interface") continue;
      this.#useless(
        origins,
        key,
        `${key} needs pw_type eth`,
        "The table ppp configures the interface of a PPP session.",
      );
    }
    const name = origins.get("interface");
    if (name !== undefined && settings.interfaceName?.includes("%") === true) {
      this.#say(name.value, "interface must be a complete name with a table ppp");
    }
    const require = origins.get("ppp.require");
    if (require !== undefined && lacksSecrets(ppp) && !this.#unread.has("ppp.secret-file")) {
      this.#say(require.value, "ppp.require needs ppp.secret-file", WHY_SECRETS);
    }
    for (const { key, reason } of pppConflicts(ppp)) {
      const origin = origins.get(`ppp.${key}`);
      if (origin !== undefined) this.#say(origin.key, `ppp.${key} is wrong: ${reason}`);
    }
  }

  /** Duplicate ids and interface names. */
  collisions({ tunnels }: Config): void {
    const tunnelIds = new Map<number, string>();
    const names = new Map<string, string>();
    const sessionsById = new Map<number, { readonly tunnel: ConfigTunnel; readonly name: string }[]>();
    for (const tunnel of tunnels) {
      const { tunnelId } = tunnel.settings;
      this.#once(tunnelIds, tunnelId, `tunnel ${tunnel.label}`, tunnel.origins.get("tunnel_id"), "tunnel_id");
      for (const session of tunnel.sessions) {
        const name = `session ${session.label} of tunnel ${tunnel.label}`;
        const { interfaceName, sessionId } = session.settings;
        if (interfaceName?.includes("%") === false) {
          this.#once(names, interfaceName, name, session.origins.get("interface"), "interface");
        }
        const place = session.origins.get("session_id")?.value;
        if (sessionId === undefined || place === undefined) continue;
        const others = sessionsById.get(sessionId) ?? [];
        sessionsById.set(sessionId, [...others, { tunnel, name }]);
        const other = others.find((other) => sharesSessionIds(other.tunnel, tunnel));
        if (other === undefined) continue;
        this.#say(
          place,
          `session_id ${sessionId} is already used by ${other.name}`,
          ...(other.tunnel === tunnel
            ? []
            : ["With encap ip, the id alone identifies the session of a packet."]),
        );
      }
    }
  }

  #once<T>(
    seen: Map<T, string>,
    value: T | undefined,
    owner: string,
    origin: Origin | undefined,
    key: string,
  ): void {
    if (value === undefined || origin === undefined) return;
    const other = seen.get(value);
    if (other !== undefined) this.#say(origin.value, `${key} ${value} is already used by ${other}`);
    else seen.set(value, owner);
  }

  #required(
    thing: ConfigTunnel | ConfigSession,
    schema: readonly { readonly key: string; readonly required: boolean }[],
    name: string,
  ): void {
    for (const { key, required } of schema) {
      if (required) this.#need(thing, key, `${name} needs ${key}`);
    }
  }

  #need({ origins, place }: ConfigTunnel | ConfigSession, key: string, message: string): void {
    if (!origins.has(key) && !this.#unread.has(key)) this.#say(place, message);
  }

  /** A setting that does not apply. A default that does not apply is no problem. */
  #useless(origins: ReadonlyMap<string, Origin>, key: string, message: string, ...advice: string[]): void {
    const origin = origins.get(key);
    if (origin !== undefined && origin.from !== "defaults") this.#say(origin.key, message, ...advice);
  }

  #shortId(origins: ReadonlyMap<string, Origin>, key: string, id: number | undefined): void {
    const origin = origins.get(key);
    if (id === undefined || id <= MAX_V2_ID || origin === undefined) return;
    this.#say(origin.value, `${key} must be at most ${MAX_V2_ID} in version 2, which has 16 bits for it`);
  }
}

/** Whether sessions of the two tunnels need different ids (`l2tp_session_register`, `net/l2tp/l2tp_core.c`). */
function sharesSessionIds(a: ConfigTunnel, b: ConfigTunnel): boolean {
  if (a === b) return true;
  const isVersion3 = ({ settings }: ConfigTunnel): boolean => (settings.version ?? 3) === 3;
  const isIp = ({ settings }: ConfigTunnel): boolean => settings.encap === "ip";
  return isVersion3(a) && isVersion3(b) && (isIp(a) || isIp(b));
}
