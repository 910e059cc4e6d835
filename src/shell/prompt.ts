/**
 * The prompt: host, network namespace and subsystem. Pure.
 *
 * @module
 */

/** The subsystem in the prompt: `none` if there is none, with a question mark if it does not answer. */
export type SubsystemName = "kernel" | "user" | "none" | "user?" | "?";

/** The place where lines run. */
export interface PromptFacts {
  /** Name of the host. */
  readonly host: string;
  /** Name of the network namespace; `undefined` if it has none. */
  readonly netns: string | undefined;
  /** The subsystem. */
  readonly subsystem: SubsystemName;
}

/** Longest name in a prompt. */
const LONGEST_NAME = 20;

/** `gw1[blue] user> `. */
export function promptOf({ host, netns, subsystem }: PromptFacts): string {
  const place = netns === undefined ? "" : `[${shortName(netns.slice(netns.lastIndexOf("/") + 1))}]`;
  return `${shortName(host.split(".")[0]!)}${place} ${subsystem}> `;
}

/** The name without control characters, shortened for a prompt. */
function shortName(name: string): string {
  const plain = name.replaceAll(/[^\x21-\x7e]/g, "?");
  return plain.length <= LONGEST_NAME ? plain : `${plain.slice(0, LONGEST_NAME - 1)}~`;
}
