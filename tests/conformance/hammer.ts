/**
 * A thread that does the same few commands over and over, on a connection of its own. Told by {@link HammerOrder}; says
 * how often each answer came.
 *
 * @module
 */

import { bindLibc } from "../../ffi/libc.ts";
import { Api, type Attributes } from "./api.ts";
import { KernelSubject } from "./subject.ts";

/** The action to repeat. */
export interface HammerOrder {
  /** Namespace to do it in. */
  readonly netns: string;
  /** Path of the daemon's socket; none for the kernel. */
  readonly path: string | undefined;
  /** The commands of one round. */
  readonly commands: readonly (readonly [command: number, attributes: Attributes])[];
  /** Number of rounds. */
  readonly rounds: number;
}

async function open({ netns, path }: HammerOrder): Promise<Api> {
  if (path === undefined) return new KernelSubject().open(netns);
  const { UserSubject } = await import("./user_subject.ts");
  return UserSubject.at(path).open(netns);
}

/** Does the commands; how often each answer came. */
export function hammer(api: Api, { commands, rounds }: HammerOrder): Record<string, number> {
  const codes: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [command, attributes] of commands) {
      const { code } = api.call(command, attributes);
      codes[code] = (codes[code] ?? 0) + 1;
    }
  }
  return codes;
}

/** The worker's side of `postMessage`. */
const here = globalThis as unknown as {
  onmessage: ((event: MessageEvent<HammerOrder>) => void) | null;
  postMessage(codes: Record<string, number>): void;
};

if ("WorkerGlobalScope" in globalThis) {
  bindLibc();
  here.onmessage = async ({ data: order }) => {
    using api = await open(order);
    here.postMessage(hammer(api, order));
  };
}
