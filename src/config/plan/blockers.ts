/**
 * Blockers of plans: things that the system lacks. Pure.
 *
 * @module
 */

import type { DesiredPpp } from "../../model/ppp/settings.ts";
import type { Actual, ActualSession } from "./actual.ts";
import { lacksSecrets } from "../schema/ppp_rules.ts";
import { secretsTrouble } from "./secrets.ts";
import type { ConfigSession, ConfigTunnel } from "../schema/settings.ts";
import type { Cause } from "./waiting.ts";

/** The reason why a unit cannot be done. */
export interface Blocker {
  /** The tunnel that has it. */
  readonly tunnel: ConfigTunnel;
  /** The key of the setting that it is about. */
  readonly key: string;
  /** The session whose setting that is; `undefined` for the tunnel's. */
  readonly session?: ConfigSession;
  /** The thing that is missing. */
  readonly cause: Cause;
  /** The problem, in words. */
  readonly message: string;
  /** Advice, one line each. */
  readonly advice: readonly string[];
}

/** A host name without address. */
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

/** Blockers of a session's interface, in the namespace of that name or (without a name) of its tunnel. */
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

/** Blockers of a session's secrets. */
export function secretsBlockers(
  tunnel: ConfigTunnel,
  session: ConfigSession,
  { secrets }: Pick<Actual, "secrets">,
): Blocker[] {
  const { ppp } = session.settings;
  const found = ppp === undefined ? undefined : unusable(ppp, secrets);
  return found === undefined ? [] : [{ tunnel, session, key: "ppp.secret-file", ...found }];
}

/** Blockers of running PPP again on a session that is re-created and not in the configuration. */
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
