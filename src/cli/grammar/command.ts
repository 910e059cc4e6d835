/**
 * What a command line asks for, once it is read.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import type { TableVerb } from "./grammar.ts";

/** A command about tunnels and sessions. */
export interface TableCommand {
  /** What to do. */
  readonly verb: TableVerb;
  /** Its keywords. */
  readonly arguments: Arguments;
  /** Keywords that were given and mean nothing to this command. */
  readonly ignored: readonly string[];
}

/** Any other command. */
export interface OtherCommand {
  /** What to do. */
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
