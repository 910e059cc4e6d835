/**
 * `save`: writes the present tunnels and sessions as a configuration file.
 *
 * @module
 */

import { observe } from "../../../apply/observe.ts";
import { SyscallError } from "../../../base/errors.ts";
import { errnoText } from "../../../base/errno.ts";
import { isLinkLocalText } from "../../../base/ip_address.ts";
import { type Actual, sessionSettings } from "../../../config/plan/actual.ts";
import { SESSION_SETTINGS } from "../../../config/schema/schema.ts";
import { lacksSecrets } from "../../../config/schema/ppp_rules.ts";
import { writeConfig, writtenActual } from "../../../config/file/write.ts";
import type { Context } from "../../context.ts";
import { EXIT_FAILURE } from "../../errors/failure.ts";
import { unknownKeyword } from "../../grammar/messages.ts";
import { targetOf } from "../target.ts";
import { UsageError } from "../../grammar/usage_error.ts";

/** Prints the configuration, or writes it to a file; resolves to the exit code. */
export async function save(context: Context, words: readonly string[]): Promise<number> {
  const [option, file, more] = words;
  const unknown = option === "--file" ? more : option;
  if (unknown !== undefined) {
    throw new UsageError(unknownKeyword(unknown), { advice: ["See: l2tp help save"] });
  }
  await context.open("read");
  const actual = observe(targetOf(context));
  const toml = writeConfig(writtenActual(actual), ["Written by l2tp save; see l2tp help apply."]);
  for (const gap of gapsOf(actual)) context.ports.err(`Not saved: ${gap}\n`);
  if (file === undefined || file === "-") context.print(toml);
  else {
    try {
      context.lazy.files.write(file, toml);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      throw new UsageError(`Cannot write file "${file}": ${errnoText(error.errno)}`, {
        exitCode: EXIT_FAILURE,
      });
    }
  }
  return 0;
}

/** Parts of the present state that the configuration cannot describe. */
function gapsOf({ tunnels }: Actual): string[] {
  return tunnels.flatMap(({ tunnel, scope, sessions }) => {
    const gaps: string[] = [];
    const name = `tunnel ${tunnel.tunnelId}`;
    if (tunnel.encap === undefined) {
      gaps.push(`the encapsulation of ${name}, which this program does not know`);
    }
    if (isLinkLocalText(tunnel.local) && scope === undefined) {
      gaps.push(`the interface of ${name}, whose link-local address is on none or on several`);
    }
    for (const each of sessions) {
      const { session, link, ppp } = each;
      const own = `session ${session.sessionId} of ${name}`;
      const settings = sessionSettings(each);
      for (const { key, unreported, v3Only, write } of SESSION_SETTINGS) {
        const isMissing = unreported === true && write(settings) === undefined;
        if (isMissing && (tunnel.version !== 2 || !v3Only)) {
          gaps.push(`${key} of ${own}, which only debugfs shows`);
        }
      }
      if (ppp !== undefined && lacksSecrets(ppp.desired)) {
        gaps.push(`secrets of PPP on ${own}, which are not from a file`);
      }
      if (link === undefined && session.interfaceName !== undefined) {
        gaps.push(`interface settings of ${own}: no ${session.interfaceName} is here`);
      }
    }
    return gaps;
  });
}
