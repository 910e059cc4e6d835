/**
 * Runs commands about tunnels and sessions, of a line or a batch.
 *
 * @module
 */

import { add, del, flush, resolveAddresses, set } from "./change.ts";
import type { TableCommand } from "../grammar/command.ts";
import type { Context } from "../context.ts";
import type { Options } from "../grammar/options.ts";
import { requireArguments } from "../grammar/parse.ts";
import { show } from "./show.ts";
import { UsageError } from "../grammar/usage_error.ts";

/**
 * Runs a command about tunnels and sessions.
 *
 * @throws whatever makes it fail; then nothing has changed
 */
export async function executeTable(
  command: TableCommand,
  options: Options,
  context: Context,
): Promise<void> {
  const given = command.arguments;
  resolveAddresses(context, given);
  requireArguments(command);
  const [useless] = command.ignored;
  if (command.verb === "flush" && useless !== undefined) {
    // An ignored filter would delete more than the user asked for.
    throw new UsageError(useless, { advice: ["Nothing was deleted. See: l2tp help flush"] });
  }
  for (const notice of command.ignored) context.ports.err(`${notice}\n`);
  if (command.verb === "add") return await add(context, given);
  await context.open("read");
  switch (command.verb) {
    case "del":
      return del(context, given);
    case "set":
      return set(context, given);
    case "show":
      return await show(context, given, options);
    case "flush":
      return flush(context, given, options);
    default:
      command.verb satisfies never;
  }
}
