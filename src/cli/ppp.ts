/**
 * Running PPP on a session as the keywords behind `ppp` say.
 *
 * @module
 */

import { SyscallError } from "../base/errors.ts";
import { pppdExitText } from "../model/pppd.ts";
import type { PppSecret, PppSessionSettings } from "../model/ppp_settings.ts";
import type { Arguments, PppArguments } from "./arguments.ts";
import type { Context } from "./context.ts";
import { argumentRequired, argumentWrong, pppDaemonStarted } from "./messages.ts";
import type { MorePorts } from "./ports.ts";
import { readSecrets } from "./secrets.ts";
import { UsageError } from "./usage_error.ts";

/** A request has room for so many bytes of names and secrets, and of little else. */
const SECRETS_BYTES_MAX = 50_000;

/**
 * The settings that a line asks for. pppd's are tried.
 *
 * @throws {UsageError} if they do not go together, the file of secrets cannot be read, or pppd not be started so
 */
export async function pppSettings(context: Context, given: Arguments): Promise<PppSessionSettings> {
  const ppp = given.ppp!;
  if (given.pseudowire === "eth") {
    throw new UsageError(argumentWrong("eth", "ppp needs pw_type ppp"), { advice: ["Leave pw_type out."] });
  }
  if (ppp.pppd !== undefined) {
    return { interfaceName: given.name, pppdFile: await findPppdFile(context, ppp.pppd, ppp) };
  }
  return ownSettings(given, ppp, context.more);
}

/** Absolute path of the file with pppd's arguments, which pppd has read without complaint. */
async function findPppdFile(context: Context, path: string, ppp: PppArguments): Promise<string> {
  if (Object.keys(ppp).length > 1) {
    throw new UsageError(argumentWrong("pppd", "the other keywords of ppp do not go with it"), {
      advice: [`Say it in the words of pppd(8), in the file: ${path}`],
    });
  }
  // Without a word about starting something in userspace, which would be of no use.
  await context.open("read");
  if (context.nothing || context.l2tp.dataplane !== "kernel") {
    throw new UsageError("Error: pppd takes sessions of the kernel only, and these are in userspace.", {
      exitCode: 1,
      advice: [
        "Leave pppd out: l2tp runs PPP there itself, see the words behind ppp in l2tp help add session.",
      ],
    });
  }
  try {
    context.more.readPrivateFile(path);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new UsageError(`Error: pppd's file "${path}" cannot be read: ${error.code}.`, { exitCode: 1 });
  }
  const { file, trouble, exit } = await context.more.tryPppd(path);
  const how = exit === undefined ? "" : `: ${pppdExitText(exit)}`;
  switch (trouble) {
    case undefined:
      return file;
    case "missing":
      throw new UsageError("Error: there is no pppd here.", {
        exitCode: 1,
        advice: ["It is in the package ppp.", "Or leave pppd out: l2tp runs PPP itself."],
      });
    case "plugin":
      throw new UsageError(`Error: pppd does not start with its plugin pppol2tp.so${how}.`, {
        exitCode: 1,
        advice: ["See what it says: pppd plugin pppol2tp.so noauth notty dryrun"],
      });
    case "arguments":
      // What pppd says of them may quote a secret.
      throw new UsageError(`Error: pppd does not start with the arguments in "${path}"${how}.`, {
        exitCode: 1,
        advice: [`See what it says: pppd plugin pppol2tp.so file ${file} notty dryrun`],
      });
    default:
      return trouble satisfies never;
  }
}

function ownSettings(
  given: Arguments,
  ppp: PppArguments,
  more: Pick<MorePorts, "readPrivateFile">,
): PppSessionSettings {
  check(ppp);
  const secrets = ppp.secretFile === undefined ? undefined : readSecrets(ppp.secretFile, more);
  if (ppp.user !== undefined && secrets !== undefined && !secrets.some(({ name }) => name === ppp.user)) {
    throw new UsageError(`Error: "${ppp.secretFile}" has no secret of ${JSON.stringify(ppp.user)}.`, {
      exitCode: 1,
      advice: [`Its lines are names with their secrets: ${ppp.user} SECRET`],
    });
  }
  if (secrets !== undefined && secretBytes(secrets) > SECRETS_BYTES_MAX) {
    throw new UsageError(`Error: "${ppp.secretFile}" has more names than one session can take.`, {
      exitCode: 1,
      advice: [`Names and secrets may have ${SECRETS_BYTES_MAX} bytes together; give a file of fewer.`],
    });
  }
  const { local, remote, pool, dns, askDns, defaultRoute, user, require } = ppp;
  const { ipv6, mtu, mru, clampMss, echoIntervalMs, echoFailures } = ppp;
  return {
    interfaceName: given.name,
    ...{ user, secrets, require, ipv6, mtu, mru, clampMss, echoIntervalMs, echoFailures },
    ipv4: ppp.ipv4 === false ? false : { local, remote, pool, dns, askDns, defaultRoute },
  };
}

/** What the names and secrets take in a request, in bytes, or a little more. */
function secretBytes(secrets: readonly PppSecret[]): number {
  return new TextEncoder().encode(JSON.stringify(secrets)).length;
}

function check({ require = [], secretFile, remote, pool, ipv4, ipv6 }: PppArguments): void {
  if (require.some((method) => method !== "none") && secretFile === undefined) {
    throw new UsageError(argumentRequired("secret-file"), {
      advice: ["Whoever requires a proof of the peer needs the peer's secret."],
    });
  }
  if (remote !== undefined && pool !== undefined) {
    throw new UsageError(argumentWrong("pool", "remote says the peer's address already"));
  }
  if (ipv4 === false && ipv6 === false) {
    throw new UsageError(argumentWrong("off", "neither IPv4 nor IPv6 would be left"));
  }
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
