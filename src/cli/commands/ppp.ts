/**
 * Runs PPP on a session with the options of the keywords after `ppp`.
 *
 * @module
 */

import { readSecrets } from "../../apply/secrets.ts";
import type { PppHost } from "../../apply/target.ts";
import { pppSettingsOf } from "../../config/plan/ppp_parameters.ts";
import { lacksSecrets, pppConflicts, WHY_SECRETS } from "../../config/schema/ppp_rules.ts";
import type { PppSessionSettings } from "../../model/ppp/settings.ts";
import type { Arguments } from "../grammar/arguments.ts";
import type { Context } from "../context.ts";
import { argumentRequired, argumentWrong, pppDaemonStarted } from "../grammar/messages.ts";
import { runningPpp } from "../output/ppp_statuses.ts";
import { findPppdFile } from "./pppd_file.ts";
import { UsageError } from "../grammar/usage_error.ts";

/**
 * The PPP settings of a line. Options of pppd are tried out.
 *
 * @throws {UsageError} if they contradict each other, or pppd cannot start with them
 * @throws {SecretsError} if the file of secrets cannot be used
 */
export async function readPppSettings(context: Context, given: Arguments): Promise<PppSessionSettings> {
  const ppp = given.ppp!;
  if (given.pseudowire === "eth") {
    throw new UsageError(argumentWrong("eth", "ppp needs pw_type ppp"), { advice: ["Leave pw_type out."] });
  }
  if (given.pppdFile !== undefined) {
    return { interfaceName: given.interfaceName, pppdFile: await findPppdFile(context, given.pppdFile, ppp) };
  }
  if (lacksSecrets(ppp)) throw new UsageError(argumentRequired("secret-file"), { advice: [WHY_SECRETS] });
  const [conflict] = pppConflicts(ppp);
  if (conflict !== undefined) throw new UsageError(argumentWrong(conflict.key, conflict.reason));
  return pppSettingsOf(ppp, readSecrets(ppp, context.lazy.files.readPrivateFile), given.interfaceName);
}

/** PPP on the sessions of the present namespace, by the daemon. Running PPP starts a daemon if none runs. */
export function pppHost(context: Context): PppHost {
  const { lazy, ports } = context;
  return {
    sessions: () => runningPpp(context),
    run: async (request) => {
      const { daemon: client, startedPid } = await lazy.daemon.start();
      using daemon = client;
      if (startedPid !== undefined) ports.err(pppDaemonStarted(startedPid));
      daemon.ppp.run(request);
    },
    renewSecrets: (request) => {
      using daemon = lazy.daemon.connect();
      daemon?.ppp.renewSecrets(request);
    },
    end: (session) => {
      using daemon = lazy.daemon.connect();
      daemon?.ppp.end(session);
    },
    readPrivateFile: (path) => lazy.files.readPrivateFile(path),
  };
}
