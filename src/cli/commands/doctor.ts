/**
 * `doctor`: finds problems of this machine, and prints how to fix them.
 *
 * @module
 */

import { FamilyMissingError, NetlinkError } from "../../base/errors.ts";
import { DaemonError } from "../../client/daemon/error.ts";
import type { L2tpClient } from "../../client/l2tp_client.ts";
import type { MachineFacts } from "../../doctor/facts.ts";
import { diagnose, type Finding, isHealthy } from "../../doctor/rules.ts";
import type { LinkAddress } from "../../model/link.ts";
import type { Context } from "../context.ts";
import { DetailsFinder } from "../output/details.ts";
import { EXIT_FAILURE } from "../errors/failure.ts";
import { type DoctorJson, formatJson } from "../output/json.ts";
import { unknownKeyword } from "../grammar/messages.ts";
import type { Options } from "../grammar/options.ts";
import { UsageError } from "../grammar/usage_error.ts";
import { PROGRAM_VERSION } from "../../model/version.ts";

/** The UDP port of L2TP, which is checked even if no tunnel uses it. */
const L2TP_PORT = 1701;

/** Prints the findings; resolves to 0 if there is nothing to fix, else to 1. */
export async function doctor(context: Context, words: readonly string[], options: Options): Promise<number> {
  if (words[0] !== undefined) {
    throw new UsageError(unknownKeyword(words[0]), { advice: ["See: l2tp help doctor"] });
  }
  const findings = diagnose(await gather(context));
  const healthy = isHealthy(findings);
  if (options.json) {
    const json: DoctorJson = { ok: healthy, findings };
    context.print(`${formatJson(json, options.pretty === true)}\n`);
  } else context.print(findings.map(textOf).join(""));
  return healthy ? 0 : EXIT_FAILURE;
}

function textOf({ check, level, text, fix }: Finding): string {
  const advice = fix.map((line) => `${" ".repeat(10)}${line}\n`).join("");
  return `${level.padEnd(8)}  ${check}: ${text}\n${advice}`;
}

async function gather(context: Context): Promise<MachineFacts> {
  const kernelL2tp = context.lazy.network.kernelHasL2tp();
  const daemon = context.lazy.daemon.inspect();
  // A daemon that did not answer before is not asked again with a longer time limit.
  const isThere = daemon.trouble === undefined || (kernelL2tp && wanted(context) !== "user");
  const client = isThere ? await tryOpen(context) : undefined;
  const tunnels = client?.tunnels() ?? [];
  const ports = tunnels.flatMap(({ localPort }) => localPort ?? []);
  return {
    version: PROGRAM_VERSION,
    kernelL2tp,
    daemon,
    dataplane: client?.dataplane,
    unread: client === undefined && (kernelL2tp || daemon.trouble !== "absent"),
    tunnels: tunnels.map((tunnel) => ({ tunnel, path: context.lazy.system.pathTo(tunnel) })),
    sessions: client === undefined ? [] : sessionFacts(context, client),
    ...context.lazy.system.inspect([L2TP_PORT, ...ports]),
  };
}

function wanted({ dataplane, ports }: Context): string | undefined {
  return dataplane ?? ports.env("L2TP_DATAPLANE");
}

/** The subsystem, if it can be used. Other facts explain why it cannot. */
async function tryOpen(context: Context): Promise<L2tpClient | undefined> {
  try {
    await context.open("read");
    context.l2tp.noop();
    return context.l2tp;
  } catch (error) {
    const known = error instanceof DaemonError || error instanceof FamilyMissingError ||
      error instanceof NetlinkError;
    if (known) return undefined;
    throw error;
  }
}

function sessionFacts(context: Context, l2tp: L2tpClient): MachineFacts["sessions"] {
  const sessions = l2tp.sessions();
  if (sessions.length === 0) return [];
  const { links } = context;
  const finder = new DetailsFinder({
    links: links.links(),
    debugfs: context.debugfs(),
    offloads: l2tp.offloads(),
    ppp: new Map(),
  });
  const addresses = Map.groupBy(links.addresses(), ({ index }: LinkAddress) => index);
  return sessions.map((session) => {
    const { link, offloads, ...details } = finder.find(session);
    return {
      ...details,
      session,
      link,
      offloads,
      addresses: link === undefined ? [] : addresses.get(link.index) ?? [],
    };
  });
}
