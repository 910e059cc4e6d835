/**
 * What the daemon is told on its command line and in its environment.
 *
 * @module
 */

import { ALL_OFFLOADS, OFFLOADS, type Offloads, parseOffloads } from "../model/offloads.ts";

/** What a daemon is started with. */
export interface DaemonOptions {
  /** Forget what an earlier daemon left behind. */
  readonly fresh: boolean;
  /** Leave everything to the next daemon when this one is told to end. */
  readonly keep: boolean;
  /** What the system is to do for many packets at once, if it can. */
  readonly offloads: Offloads;
}

/**
 * Reads the words behind `daemon`; where they say nothing of offloads, `fromEnvironment` (L2TP_OFFLOAD) does.
 *
 * @returns what is wrong with them, in one line, if something is
 */
export function readOptions(
  words: readonly string[],
  fromEnvironment: string | undefined,
): DaemonOptions | string {
  let fresh = false;
  let keep = false;
  let list = fromEnvironment;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!.replace(/^-+/, "");
    if (word === "fresh") fresh = true;
    else if (word === "keep") keep = true;
    else if (word === "offload" && words[i + 1] !== undefined) list = words[++i];
    else return `Unknown option "${words[i]}": l2tp daemon takes --fresh, --keep and offload LIST`;
  }
  const offloads = list === undefined || list === "" ? ALL_OFFLOADS : parseOffloads(list);
  if (typeof offloads !== "string") return { fresh, keep, offloads };
  return `Unknown offload "${offloads}": a list has all, none, ${
    OFFLOADS.join(", ")
  }, or one of them behind no-`;
}
