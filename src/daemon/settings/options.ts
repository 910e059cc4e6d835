/**
 * The daemon's options, from its command line and its environment.
 *
 * @module
 */

import { DEFAULT_OFFLOADS, OFFLOADS, type Offloads, parseOffloads } from "../../model/offloads.ts";
import { type ListenAddress, parseListenAddress } from "../../metrics/listen_address.ts";

/** Each worker takes memory, and more workers than processors gain nothing. */
const WORKERS_MAX = 64;

/** The options that take a value, with the name of the value. */
const VALUES: Readonly<Record<string, string>> = {
  config: "FILE",
  offload: "LIST",
  workers: "N",
  metrics: "WHERE",
};

/** Options of a daemon. */
export interface DaemonOptions {
  /** Discard the tunnels that an earlier daemon left behind. */
  readonly fresh: boolean;
  /** Leave tunnels to the next daemon when this one ends. */
  readonly keep: boolean;
  /** Number of workers that move packets; peers are spread over them. */
  readonly workers: number;
  /** Offloads to use where the system has them. */
  readonly offloads: Offloads;
  /** Address to serve metrics at; `undefined` for none. */
  readonly metrics: ListenAddress | undefined;
  /** Path of the configuration file to apply; `undefined` for none. */
  readonly config: string | undefined;
  /** Whether tunnels and sessions that are not in that file are deleted. */
  readonly prune: boolean;
}

/**
 * Parses the words after `daemon`. `fromEnvironment` (L2TP_OFFLOAD) is the default of the option `offload`.
 *
 * @returns the options, or an error message of one line
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
    const value = Object.hasOwn(VALUES, word) ? VALUES[word] : undefined;
    if (value !== undefined && words[i + 1] === undefined) return `${value} is missing after ${word}`;
    if (word === "fresh") fresh = true;
    else if (word === "keep") keep = true;
    else if (word === "prune") prune = true;
    else if (word === "config") config = words[++i]!;
    else if (word === "offload") list = words[++i]!;
    else if (word === "workers") {
      workers = /^[0-9]{1,3}$/.test(words[++i]!) ? Number(words[i]) : 0;
      if (workers < 1 || workers > WORKERS_MAX) {
        return `Cannot use "${words[i]}" workers: the number must be 1 to ${WORKERS_MAX}`;
      }
    } else if (word === "metrics") {
      const address = parseListenAddress(words[++i]!);
      if (typeof address === "string") return `Cannot offer metrics at "${words[i]}": ${address}`;
      metrics = address;
    } else {return `Unknown option "${
        words[i]
      }": l2tp daemon takes --fresh, --keep, --prune, config FILE, offload LIST, workers N and metrics WHERE`;}
  }
  if (prune && config === undefined) {
    return "--prune needs config FILE: without a file it would delete every tunnel";
  }
  const offloads = list === undefined || list === "" ? DEFAULT_OFFLOADS : parseOffloads(list);
  if (typeof offloads !== "string") return { fresh, keep, workers, offloads, metrics, config, prune };
  return `Unknown offload "${offloads}": valid are all, none, ${
    OFFLOADS.join(", ")
  }, and each of them after no-`;
}
