/**
 * Reads everything that the status view is made from.
 *
 * @module
 */

import type { SessionOffloads } from "../model/session_offloads.ts";
import { type DebugFacts, NO_DEBUG_FACTS, parseDebugFacts } from "../view/debug_facts.ts";
import { type Sample, sessionKey } from "../view/sample.ts";
import type { Context } from "./context.ts";

/** The text of the debug file, of either subsystem; `undefined` where it cannot be read. */
export function debugfsOf({ l2tp, more }: Context): string | undefined {
  return l2tp.dataplane === "user" ? l2tp.debugfs() : more.debugfs();
}

/** Reads samples, one after another. */
export class Sampler {
  readonly #context: Context;
  /** Of which population the facts below are. */
  #population: string | undefined;
  #debug: DebugFacts = NO_DEBUG_FACTS;
  #offloads: readonly SessionOffloads[] = [];

  /** The context's client must be open. */
  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Reads a sample. Unless it is to be `whole`, what the debug file tells is read only when the population is another
   * than before, and offloads are not: they cost as much as the rest.
   */
  read(options: { readonly whole: boolean }): Sample {
    const { l2tp, more, links } = this.#context;
    const tunnels = l2tp.tunnels();
    const sessions = l2tp.sessions();
    const population = `${tunnels.map(({ tunnelId }) => tunnelId)};${sessions.map(sessionKey)}`;
    if (options.whole || population !== this.#population) {
      const text = debugfsOf(this.#context);
      this.#debug = text === undefined ? NO_DEBUG_FACTS : parseDebugFacts(text);
      this.#population = population;
    }
    if (options.whole) this.#offloads = l2tp.offloads();
    return {
      atMs: more.monotonicMs(),
      dataplane: l2tp.dataplane,
      tunnels,
      sessions,
      links: links.links(),
      addresses: links.addresses(),
      drops: l2tp.drops(),
      offloads: this.#offloads,
      declared: more.declaredTunnels(),
      debug: this.#debug,
    };
  }
}
