/**
 * Running PPP on a session as the keywords behind `ppp` say.
 *
 * @module
 */

import { readSecrets } from "../apply/secrets.ts";
import { pppSettingsOf } from "../config/ppp_parameters.ts";
import { lacksSecrets, pppConflicts, WHY_SECRETS } from "../config/ppp_rules.ts";
import type { PppSessionSettings } from "../model/ppp_settings.ts";
import type { Arguments } from "./arguments.ts";
import type { Context } from "./context.ts";
import { argumentRequired, argumentWrong, pppDaemonStarted } from "./messages.ts";
import type { MorePorts } from "./ports.ts";
import { findPppdFile } from "./pppd_file.ts";
import { UsageError } from "./usage_error.ts";

/**
 * The settings that a line asks for. pppd's are tried.
 *
 * @throws {UsageError} if they do not go together, or pppd cannot be started so
 * @throws {SecretsError} if the file of secrets cannot be used
 */
export async function pppSettings(context: Context, given: Arguments): Promise<PppSessionSettings> {
  const ppp = given.ppp!;
  if (given.pseudowire === "eth") {
    throw new UsageError(argumentWrong("eth", "ppp needs pw_type ppp"), { advice: ["Leave pw_type out."] });
  }
  if (given.pppdFile !== undefined) {
    return { interfaceName: given.name, pppdFile: await findPppdFile(context, given.pppdFile, ppp) };
  }
  if (lacksSecrets(ppp)) throw new UsageError(argumentRequired("secret-file"), { advice: [WHY_SECRETS] });
  const [conflict] = pppConflicts(ppp);
  if (conflict !== undefined) throw new UsageError(argumentWrong(conflict.key, conflict.reason));
  return pppSettingsOf(ppp, readSecrets(ppp, context.more.readPrivateFile), given.name);
}

/**
 * Runs PPP on a session that is there.
 *
 * @throws {NetlinkError} as the daemon refuses it
 */
export async function runPpp(
  context: Context,
  key: { readonly tunnelId: number; readonly sessionId: number },
  settings: PppSessionSettings,
): Promise<void> {
  const { dataplane } = context.l2tp;
  const { ppp: client, startedPid } = await context.more.startPpp();
  using ppp = client;
  if (startedPid !== undefined) context.ports.err(pppDaemonStarted(startedPid));
  ppp.run({ ...key, dataplane, settings });
}
