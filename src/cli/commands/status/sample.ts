/**
 * Reads samples for the status.
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
  /** Ids of the tunnels and sessions that the facts below are about. */
  #population: string | undefined;
  #debug: DebugFacts = NO_DEBUG_FACTS;
  #offloads: readonly SessionOffloads[] = [];
  #ppp: ReadonlyMap<string, PppSessionStatus> = new Map();
  /** Names of the interfaces at that time. */
  #linkNames = "";

  /** The context's client must be open. */
  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Reads a sample. Unless it is to be `whole`, facts of the debug file are read only if the ids changed, interfaces of PPP
   * only if ids or interfaces changed, and offloads not at all: these facts cost as much as the rest.
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
      declared: lazy.daemon.pendingTunnels(l2tp.daemon),
      leftBehind: this.#context.leftBehind,
      debug: this.#debug,
    };
  }

  /** Starting and ending PPP creates and deletes an interface. */
  #withPpp(sessions: readonly Session[], present: readonly Link[], isOther: boolean): readonly Session[] {
    if (!carryPpp(sessions)) return sessions;
    const names = present.map(({ name }) => name).join();
    if (isOther || names !== this.#linkNames) this.#ppp = pppStatuses(this.#context);
    this.#linkNames = names;
    return withPppInterfaces(sessions, this.#ppp.values());
  }
}
