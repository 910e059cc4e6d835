/**
 * A parsed command line.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import type { TableVerb } from "./grammar.ts";

/** A command about tunnels and sessions. */
export interface TableCommand {
  /** The verb. */
  readonly verb: TableVerb;
  /** Its keywords. */
  readonly arguments: Arguments;
  /** Notices about given keywords that mean nothing to this command. */
  readonly ignored: readonly string[];
}

/** Any other command. */
export interface OtherCommand {
  /** The verb. */
  readonly verb: string;
  /** The words behind the verb. */
  readonly words: readonly string[];
}

/** A command. */
export type Command = TableCommand | OtherCommand;

/** Whether the command is about tunnels and sessions. */
export function isTableCommand(command: Command): command is TableCommand {
  return "arguments" in command;
}
