/**
 * What is otherwise than a configuration says. Pure.
 *
 * @module
 */

import { isIpv6Text } from "../../base/inet.ts";
import { SecretsError } from "../../base/secrets_error.ts";
import type { DesiredPpp } from "../../model/ppp/settings.ts";
import {
  type Actual,
  type ActualSession,
  type ActualTunnel,
  sessionSettings,
  tunnelSettings,
} from "./actual.ts";
import {
  applicableSession,
  applicableTunnel,
  appliesOver,
  sessionFields,
  tunnelFields,
} from "../schema/fields.ts";
import { prefixText } from "../schema/kinds.ts";
import {
  PPP_SETTINGS,
  SESSION_SETTINGS,
  sessionSetting,
  type Setting,
  TUNNEL_SETTINGS,
} from "../schema/schema.ts";
import { type Prefix, pseudowireOf, type SessionSettings, type TunnelSettings } from "../schema/settings.ts";

/** A setting that is otherwise than it is to be. */
export interface Difference {
  /** The setting's key. */
  readonly key: string;
  /** TOML of what is; `undefined` for nothing. */
  readonly from: string | undefined;
  /** TOML of what is to be; `undefined` for nothing. */
  readonly to: string | undefined;
  /** Whether it can be changed while the thing lives. */
  readonly changes: boolean;
}

/** Settings that `want` has and `have` does not have with this value. A parameter that `want` leaves out has its default. */
function differences<T>(schema: readonly Setting<T>[], want: T, have: T): Difference[] {
  return schema.flatMap(({ key, write, group, byDefault, fallback, changes }) => {
    const isDefaulted = group === "l2tp" && byDefault !== undefined;
    const [from, to] = [write(have), write(want) ?? (isDefaulted ? fallback : undefined)];
    if (from === to || (to === undefined && fallback !== "none")) return [];
    return { key, from, to, changes };
  });
}

/** Settings as lines of a diff: all that they have, as new or (with `gone`) as old. */
export function allDifferences<T>(schema: readonly Setting<T>[], settings: T, gone = false): Difference[] {
  return schema.flatMap(({ key, write, fallback, changes }) => {
    const text = write(settings);
    if (text === undefined || (text === fallback && gone)) return [];
    return { key, changes, from: gone ? text : undefined, to: gone ? undefined : text };
  });
}

/** A new session as lines of a diff, or with `gone` an old one. */
export function wholeSession(settings: SessionSettings, gone = false): Difference[] {
  const { ppp } = settings;
  return [
    ...allDifferences(SESSION_SETTINGS, settings, gone),
    ...(gone ? pppDifferences(undefined, ppp) : pppDifferences(ppp, undefined)),
  ];
}

/** What is otherwise of PPP on a session. With a file of secrets that `changed` since, that is one of the differences. */
function pppDifferences(
  want: DesiredPpp | undefined,
  have: DesiredPpp | undefined,
  changed = false,
): Difference[] {
  const named = (differences: readonly Difference[]): Difference[] =>
    differences.map((each) => ({ ...each, key: `ppp.${each.key}` }));
  const one = want ?? have;
  if (one === undefined) return [];
  if (want === undefined || have === undefined) {
    const gone = want === undefined;
    const all = allDifferences(PPP_SETTINGS, one, gone).map((each) => ({ ...each, changes: false }));
    const empty = { key: "ppp", from: gone ? "{}" : undefined, to: gone ? undefined : "{}", changes: false };
    return all.length > 0 ? named(all) : [empty];
  }
  return named(PPP_SETTINGS.flatMap(({ key, field, write, fallback, changes }) => {
    const [from, to] = [have, want].map((wish) => write(wish) ?? fallback);
    if (from !== to) return { key, from, to, changes };
    return changed && field === "secretFile" ? { key, from, to: `${to} # changed since`, changes } : [];
  }));
}

/** Addresses of the peer that the tunnel's name has; for a literal address that one. */
export type PeerAddresses = readonly string[];

/** What is otherwise of a tunnel than `settings` say. Without addresses of the peer it is not known where it is. */
export function tunnelDifferences(
  settings: TunnelSettings,
  actual: ActualTunnel,
  peers: PeerAddresses | undefined,
): Difference[] {
  const have = tunnelSettings(actual);
  const { local, remote } = settings;
  const peer = peers?.includes(actual.tunnel.peer) ? actual.tunnel.peer : peers?.[0];
  const ipVersion = (peer ?? actual.tunnel.peer).includes(":") ? 6 : 4;
  const want: TunnelSettings = {
    ...tunnelFields(applicableTunnel(settings, ipVersion)),
    // Whatever the system chose is right.
    local: local === undefined || local.type === "any" || local.address === actual.tunnel.local
      ? undefined
      : local,
    remote: peer === undefined || peer === actual.tunnel.peer
      ? undefined
      : { text: peer, type: "address", address: peer, scope: undefined },
  };
  const scope = local?.scope ?? remote?.scope;
  const moved = scope !== undefined && actual.scope !== undefined && scope !== actual.scope;
  const schema = TUNNEL_SETTINGS.filter((row) => appliesOver(row, settings.encap ?? "udp", ipVersion));
  return differences(schema, moved ? { ...want, local: local ?? remote } : want, have);
}

/** Where a session is to be. */
export interface SessionPlace {
  /** Version of its tunnel. */
  readonly version: 2 | 3;
  /** How many times a second the clock ticks by which its timeouts are kept. */
  readonly timerHz: number;
  /** Files of secrets. */
  readonly secrets: Actual["secrets"];
}

/** What is otherwise of a session and its interface than `settings` say. */
export function sessionDifferences(
  settings: SessionSettings,
  actual: ActualSession,
  { version, timerHz, secrets }: SessionPlace,
): Difference[] {
  const have = { ...sessionSettings(actual), netns: actual.link?.netns };
  const pseudowire = pseudowireOf(settings, version);
  const isEthernet = pseudowire === "eth";
  const { link, ppp } = actual;
  const takesName = isEthernet || (settings.ppp !== undefined && ppp !== undefined);
  const { addresses } = settings;
  const applicable = applicableSession(settings, version);
  const isTimeoutKept = isKeptAs(settings.reorderTimeoutMs ?? 0, have.reorderTimeoutMs ?? 0, timerHz);
  const want: SessionSettings = {
    ...sessionFields(applicable),
    sequence: settings.sequence,
    pseudowire,
    interfaceName: takesName && !isNamedLike(settings.interfaceName, have.interfaceName)
      ? settings.interfaceName
      : undefined,
    ...(isTimeoutKept && { reorderTimeoutMs: have.reorderTimeoutMs }),
    ...(isEthernet && link !== undefined &&
      { netns: settings.netns, mtu: settings.mtu, bridge: settings.bridge, up: settings.up }),
  };
  if (isEthernet && link !== undefined && addresses !== undefined) {
    // Addresses that come by themselves are there for the file only where it names them.
    const named = new Set(addresses.map(prefixText));
    const besides = link.addresses.filter((each) => named.has(prefixText(each)));
    const governed = have.addresses ?? [];
    have.addresses = sorted([...governed.filter((each) => !named.has(prefixText(each))), ...besides]);
    want.addresses = sorted(addresses);
  }
  const file = settings.ppp?.secretFile;
  const now = file === undefined ? undefined : secrets.get(file);
  const changed = now !== undefined && !(now instanceof SecretsError) && now.stamp !== ppp?.stamp;
  // Version 2 has no sublayer, and one that the subsystem does not tell counts as right.
  const isSublayerKnown = version === 3 && sessionSetting("l2spec_type").write(have) !== undefined;
  const schema = SESSION_SETTINGS.filter(({ key }) => isSublayerKnown || key !== "l2spec_type");
  return [
    ...differences(schema, want, have),
    ...pppDifferences(settings.ppp, ppp?.desired, changed),
  ];
}

function sorted(prefixes: readonly Prefix[]): Prefix[] {
  return [...prefixes].sort((a, b) => prefixText(a) < prefixText(b) ? -1 : 1);
}

/**
 * Whether a timeout, asked for in milliseconds, is kept by a clock with so many ticks as the other: the kernel goes up to
 * the next tick, and back up to the next millisecond (`msecs_to_jiffies`, `jiffies_to_msecs` in `kernel/time/time.c`).
 */
function isKeptAs(asked: number, kept: number, hz: number): boolean {
  return Math.ceil(Math.ceil(asked * hz / 1000) * 1000 / hz) === kept;
}

/** Whether the interface is called as it is to be, where `%d` is any number. */
function isNamedLike(template: string | undefined, name: string | undefined): boolean {
  if (template === undefined || template === name) return true;
  const [before, after] = template.split("%d");
  if (after === undefined || name === undefined) return false;
  const number = name.slice(before!.length, name.length - after.length);
  return name === `${before}${number}${after}` && /^[0-9]+$/.test(number);
}
