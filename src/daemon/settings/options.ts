/**
 * What the daemon is told on its command line and in its environment.
 *
 * @module
 */

import { DEFAULT_OFFLOADS, OFFLOADS, type Offloads, parseOffloads } from "../../model/offloads.ts";

import { type ListenAddress, parseListenAddress } from "../../metrics/listen_address.ts";

/** Each takes memory, and more than the processors there are are no use. */
const WORKERS_MAX = 64;

/** What a daemon is started with. */
export interface DaemonOptions {
  /** Forget what an earlier daemon left behind. */
  readonly fresh: boolean;
  /** Leave everything to the next daemon when this one is told to end. */
  readonly keep: boolean;
  /** How many workers move packets; each has its share of the peers. */
  readonly workers: number;
  /** What the system is to do for many packets at once, if it can. */
  readonly offloads: Offloads;
  /** Where to offer metrics; `undefined`: nowhere. */
  readonly metrics: ListenAddress | undefined;
  /** Path of the configuration file to apply; `undefined`: none. */
  readonly config: string | undefined;
  /** Whether what is not in that file is deleted. */
  readonly prune: boolean;
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
  let workers = 1;
  let list = fromEnvironment;
  let metrics: ListenAddress | undefined;
  let config: string | undefined;
  let prune = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!.replace(/^-+/, "");
    if (word === "fresh") fresh = true;
    else if (word === "keep") keep = true;
    else if (word === "prune") prune = true;
    else if (word === "config" && words[i + 1] !== undefined) config = words[++i];
    else if (word === "offload" && words[i + 1] !== undefined) list = words[++i];
    else if (word === "workers" && words[i + 1] !== undefined) {
      workers = /^[0-9]{1,3}$/.test(words[++i]!) ? Number(words[i]) : 0;
      if (workers < 1 || workers > WORKERS_MAX) {
        return `Cannot use "${words[i]}" workers: there are 1 to ${WORKERS_MAX}`;
      }
    } else if (word === "metrics" && words[i + 1] !== undefined) {
      const address = parseListenAddress(words[++i]!);
      if (typeof address === "string") return `Cannot offer metrics at "${words[i]}": ${address}`;
      metrics = address;
    } else {return `Unknown option "${
        words[i]
      }": l2tp daemon takes --fresh, --keep, --prune, config FILE, offload LIST, workers COUNT and metrics WHERE`;}
  }
  if (prune && config === undefined) {
    return "--prune needs config FILE: without a file, everything would not be in it";
  }
  const offloads = list === undefined || list === "" ? DEFAULT_OFFLOADS : parseOffloads(list);
  if (typeof offloads !== "string") return { fresh, keep, workers, offloads, metrics, config, prune };
  return `Unknown offload "${offloads}": a list has all, none, ${
    OFFLOADS.join(", ")
  }, or one of them behind no-`;
}
