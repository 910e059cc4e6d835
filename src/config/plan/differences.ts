/**
 * Differences between a configuration and the state of a system. Pure.
 *
 * @module
 */

import { ipVersionOf } from "../../base/inet.ts";
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
import { PPP_SETTINGS, SESSION_SETTINGS, type Setting, TUNNEL_SETTINGS } from "../schema/schema.ts";
import { type Prefix, pseudowireOf, type SessionSettings, type TunnelSettings } from "../schema/settings.ts";

/** A setting whose value differs from the configuration. */
export interface Difference {
  /** The setting's key. */
  readonly key: string;
  /** TOML of the present value; `undefined` for none. */
  readonly from: string | undefined;
  /** TOML of the configured value; `undefined` for none. */
  readonly to: string | undefined;
  /** Whether it can be changed without re-creating the tunnel or session. */
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

/** All settings as lines of a diff: as new ones, or with `gone` as old ones. */
export function allDifferences<T>(schema: readonly Setting<T>[], settings: T, gone = false): Difference[] {
  return schema.flatMap(({ key, write, fallback, changes }) => {
    const text = write(settings);
    if (text === undefined || (text === fallback && gone)) return [];
    return { key, changes, from: gone ? text : undefined, to: gone ? undefined : text };
  });
}

/** All settings of a session as lines of a diff: as new ones, or with `gone` as old ones. */
export function wholeSession(settings: SessionSettings, gone = false): Difference[] {
  const { ppp } = settings;
  return [
    ...allDifferences(SESSION_SETTINGS, settings, gone),
    ...(gone ? pppDifferences(undefined, ppp) : pppDifferences(ppp, undefined)),
  ];
}

/** Differences of PPP on a session. A file of secrets that has `changed` is one of them. */
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

/** Addresses of the tunnel's peer: those of its host name, or the literal address. */
export type PeerAddresses = readonly string[];

/** Differences of a tunnel. Without addresses of the peer, the present address counts as right. */
export function tunnelDifferences(
  settings: TunnelSettings,
  actual: ActualTunnel,
  peers: PeerAddresses | undefined,
): Difference[] {
  const have = tunnelSettings(actual);
  const { local, remote } = settings;
  const peer = peers?.includes(actual.tunnel.peer) ? actual.tunnel.peer : peers?.[0];
  const ipVersion = ipVersionOf(peer ?? actual.tunnel.peer);
  const want: TunnelSettings = {
    ...tunnelFields(applicableTunnel(settings, ipVersion)),
    // An address that the system chose is right.
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

/** Facts that the differences of a session depend on. */
export interface SessionPlace {
  /** Version of its tunnel. */
  readonly version: 2 | 3;
  /** Frequency of the clock that measures timeouts, in ticks per second. */
  readonly timerHz: number;
  /** Files of secrets. */
  readonly secrets: Actual["secrets"];
}

/** Differences of a session and its interface. */
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
    // Automatic addresses count only if the file names them.
    const named = new Set(addresses.map(prefixText));
    const besides = link.addresses.filter((each) => named.has(prefixText(each)));
    const governed = have.addresses ?? [];
    have.addresses = sorted([...governed.filter((each) => !named.has(prefixText(each))), ...besides]);
    want.addresses = sorted(addresses);
  }
  const file = settings.ppp?.secretFile;
  const now = file === undefined ? undefined : secrets.get(file);
  const changed = now !== undefined && !(now instanceof SecretsError) && now.stamp !== ppp?.stamp;
  const isKnown = ({ write, v3Only }: Setting<SessionSettings>): boolean =>
    write(have) !== undefined && (version === 3 || !v3Only);
  const schema = SESSION_SETTINGS.filter((row) => row.unreported !== true || isKnown(row));
  return [
    ...differences(schema, want, have),
    ...pppDifferences(settings.ppp, ppp?.desired, changed),
  ];
}

function sorted(prefixes: readonly Prefix[]): Prefix[] {
  return [...prefixes].sort((a, b) => prefixText(a) < prefixText(b) ? -1 : 1);
}

/**
 * Whether a clock of this frequency turns the timeout `asked` into `kept`, both in milliseconds: the kernel rounds up to
 * the next tick, and back up to the next millisecond (`msecs_to_jiffies`, `jiffies_to_msecs` in `kernel/time/time.c`).
 */
function isKeptAs(asked: number, kept: number, hz: number): boolean {
  return Math.ceil(Math.ceil(asked * hz / 1000) * 1000 / hz) === kept;
}

/** Whether the interface has the configured name, in which `%d` is any number. */
function isNamedLike(template: string | undefined, name: string | undefined): boolean {
  if (template === undefined || template === name) return true;
  const [before, after] = template.split("%d");
  if (after === undefined || name === undefined) return false;
  const number = name.slice(before!.length, name.length - after.length);
  return name === `${before}${number}${after}` && /^[0-9]+$/.test(number);
}
