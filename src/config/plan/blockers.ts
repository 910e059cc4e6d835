/**
 * What keeps plans from being carried out: what the system would have to have, and does not. Pure.
 *
 * @module
 */

import type { DesiredPpp } from "../../model/ppp/settings.ts";
import type { Actual, ActualSession } from "./actual.ts";
import { lacksSecrets } from "../schema/ppp_rules.ts";
import { secretsTrouble } from "./secrets.ts";
import type { ConfigSession, ConfigTunnel } from "../schema/settings.ts";
import type { Cause } from "./waiting.ts";

/** Why nothing can be done for a unit. */
export interface Blocker {
  /** The tunnel that has it. */
  readonly tunnel: ConfigTunnel;
  /** The key of the setting that it is about. */
  readonly key: string;
  /** The session whose setting that is; `undefined` for the tunnel's. */
  readonly session?: ConfigSession;
  /** What would have to be there. */
  readonly cause: Cause;
  /** What it is. */
  readonly message: string;
  /** What to try. */
  readonly advice: readonly string[];
}

/** A host name that leads nowhere. */
export function unresolved(tunnel: ConfigTunnel, reason: string): Blocker {
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
export function linkBlockers(
  tunnel: ConfigTunnel,
  session: ConfigSession,
  netns: string | undefined,
  system: Pick<Actual, "interfaces" | "namespaces">,
): Blocker[] {
  const there = netns === undefined ? system.interfaces : system.namespaces.get(netns);
  if (netns !== undefined && there === undefined) {
    return [{
      ...{ tunnel, session, key: "netns" },
      cause: { waitsFor: "namespace", subject: netns },
      message: `there is no network namespace "${netns}"`,
      advice: [`Create it first: ip netns add ${netns}`],
    }];
  }
  const { bridge } = session.settings;
  if (bridge === undefined || bridge === "none" || there?.has(bridge) !== false) return [];
  return [{
    ...{ tunnel, session, key: "bridge" },
    cause: { waitsFor: "interface", subject: bridge },
    message: `there is no interface "${bridge}"`,
    advice: [`Create it first: ip link add ${bridge} type bridge`],
  }];
}

/** What is in the way of a session's secrets. */
export function secretsBlockers(
  tunnel: ConfigTunnel,
  session: ConfigSession,
  { secrets }: Pick<Actual, "secrets">,
): Blocker[] {
  const { ppp } = session.settings;
  const found = ppp === undefined ? undefined : unusable(ppp, secrets);
  return found === undefined ? [] : [{ tunnel, session, key: "ppp.secret-file", ...found }];
}

/** What is in the way of running PPP again on a session that is to be re-created without being in the file. */
export function unmanagedBlockers(
  tunnel: ConfigTunnel,
  { session: { sessionId }, ppp }: ActualSession,
  { secrets }: Pick<Actual, "secrets">,
): Blocker[] {
  if (ppp === undefined) return [];
  const found = unusable(ppp.desired, secrets) ?? (lacksSecrets(ppp.desired) ? NO_FILE : undefined);
  if (found === undefined) return [];
  const message =
    `PPP on session ${sessionId}, which is not in the file, could not be run again: ${found.message}`;
  return [{ tunnel, key: "tunnel_id", ...found, message }];
}

type Trouble = Pick<Blocker, "cause" | "message" | "advice">;

const NO_FILE: Trouble = {
  cause: { waitsFor: "file", subject: "secret-file" },
  message: "its secrets are not from a file",
  advice: ["Delete that session, or add it to the file."],
};

function unusable(ppp: DesiredPpp, secrets: Actual["secrets"]): Trouble | undefined {
  const { secretFile } = ppp;
  const trouble = secretFile === undefined ? undefined : secretsTrouble(ppp, secrets.get(secretFile));
  if (trouble === undefined) return undefined;
  const { message, advice } = trouble;
  return { cause: { waitsFor: "file", subject: secretFile!, reason: message }, message, advice };
}
