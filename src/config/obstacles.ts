/**
 * What keeps plans from being carried out: what the system would have to have, and does not. Pure.
 *
 * @module
 */

import type { Actual } from "./actual.ts";
import { secretsTrouble } from "./secrets.ts";
import type { SessionEntry, TunnelEntry } from "./settings.ts";
import type { Cause } from "./waiting.ts";

/** Why nothing can be done for a unit. */
export interface Obstacle {
  /** The tunnel that has it. */
  readonly tunnel: TunnelEntry;
  /** The key of the setting that it is about. */
  readonly key: string;
  /** The session whose setting that is; `undefined` for the tunnel's. */
  readonly session?: SessionEntry;
  /** What would have to be there. */
  readonly cause: Cause;
  /** What it is. */
  readonly message: string;
  /** What to try. */
  readonly advice: readonly string[];
}

/** A host name that leads nowhere. */
export function unresolved(tunnel: TunnelEntry, reason: string): Obstacle {
  const host = tunnel.settings.remote!.text;
  return {
    tunnel,
    key: "remote",
    cause: { waitsFor: "name", subject: host, reason },
    message: `host name "${host}" cannot be resolved: ${reason}`,
    advice: [`See: getent hosts ${host}`],
  };
}

/** What is in the way of a session's interface, in the namespace of that name or (without one) of its tunnel. */
export function linkObstacles(
  tunnel: TunnelEntry,
  session: SessionEntry,
  netns: string | undefined,
  world: Pick<Actual, "interfaces" | "namespaces">,
): Obstacle[] {
  const there = netns === undefined ? world.interfaces : world.namespaces.get(netns);
  if (netns !== undefined && there === undefined) {
    return [{
      ...{ tunnel, session, key: "netns" },
      cause: { waitsFor: "namespace", subject: netns },
      message: `there is no network namespace "${netns}"`,
      advice: [`Make it first: ip netns add ${netns}`],
    }];
  }
  const { bridge } = session.settings;
  if (bridge === undefined || bridge === "none" || there?.has(bridge) !== false) return [];
  return [{
    ...{ tunnel, session, key: "bridge" },
    cause: { waitsFor: "interface", subject: bridge },
    message: `there is no interface "${bridge}"`,
    advice: [`Make it first: ip link add ${bridge} type bridge`],
  }];
}

/** What is in the way of a session's secrets. */
export function secretsObstacles(
  tunnel: TunnelEntry,
  session: SessionEntry,
  { secrets }: Pick<Actual, "secrets">,
): Obstacle[] {
  const { secretFile, ...ppp } = session.settings.ppp ?? {};
  if (secretFile === undefined) return [];
  const trouble = secretsTrouble({ ...ppp, secretFile }, secrets.get(secretFile));
  if (trouble === undefined) return [];
  const { message, advice } = trouble;
  const cause: Cause = { waitsFor: "file", subject: secretFile, reason: message };
  return [{ tunnel, session, key: "ppp.secret-file", cause, message, advice }];
}
