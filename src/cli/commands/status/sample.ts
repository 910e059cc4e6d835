/**
 * Reads everything that the status view is made from.
 *
 * @module
 */

import type { PppSessionStatus } from "../../../client/daemon/ppp_client.ts";
import type { Link } from "../../../model/link.ts";
import { carryPpp, withPppInterfaces } from "../../../model/ppp/interfaces.ts";
import type { Session } from "../../../model/session.ts";
import type { SessionOffloads } from "../../../model/session_offloads.ts";
import { type DebugFacts, NO_DEBUG_FACTS, parseDebugFacts } from "../../../model/debug_facts.ts";
import { sessionKey, type StatusSample } from "../../../status/sample.ts";
import type { Context } from "../../context.ts";
import { pppStatuses } from "../../output/ppp_statuses.ts";

/** Reads samples, one after another. */
export class Sampler {
  readonly #context: Context;
  /** Of which population the facts below are. */
  #population: string | undefined;
  #debug: DebugFacts = NO_DEBUG_FACTS;
  #offloads: readonly SessionOffloads[] = [];
  #ppp: ReadonlyMap<string, PppSessionStatus> = new Map();
  /** Interfaces that were there then. */
  #linkNames = "";

  /** The context's client must be open. */
  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Reads a sample. Unless it is to be `whole`, what the debug file tells, and interfaces of PPP, are read only when the
   * population is another than before, or for PPP the interfaces, and offloads are not: they cost as much as the rest.
   */
  read(options: { readonly whole: boolean }): StatusSample {
    const { l2tp, lazy, links } = this.#context;
    const tunnels = l2tp.tunnels();
    const sessions = l2tp.sessions();
    const population = `${tunnels.map(({ tunnelId }) => tunnelId)};${sessions.map(sessionKey)}`;
    const isOther = options.whole || population !== this.#population;
    if (isOther) {
      const text = this.#context.debugfs();
      this.#debug = text === undefined ? NO_DEBUG_FACTS : parseDebugFacts(text);
      this.#population = population;
    }
    if (options.whole) this.#offloads = l2tp.offloads();
    const present = links.links();
    return {
      atMs: lazy.clock.monotonicMs(),
      dataplane: l2tp.dataplane,
      tunnels,
      sessions: this.#withPpp(sessions, present, isOther),
      links: present,
      addresses: links.addresses(),
      drops: l2tp.drops(),
      offloads: this.#offloads,
      declared: lazy.daemon.declaredTunnels(),
      debug: this.#debug,
    };
  }

  /** PPP that is run, or ends, makes or takes an interface. */
  #withPpp(sessions: readonly Session[], present: readonly Link[], isOther: boolean): readonly Session[] {
    if (!carryPpp(sessions)) return sessions;
    const names = present.map(({ name }) => name).join();
    if (isOther || names !== this.#linkNames) this.#ppp = pppStatuses(this.#context);
    this.#linkNames = names;
    return withPppInterfaces(sessions, this.#ppp.values());
  }
}
