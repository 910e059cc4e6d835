/**
 * The option negotiation automaton of RFC 1661 section 4 as a table of all events in all states. It knows neither
 * packets nor protocols; `control_protocol.ts` performs the actions.
 *
 * ```
 *            Up                                    RCR+ sent, RCA received
 *  Initial ──────▶ Closed ◀─────── Closing ◀──────┐        │
 *     │ Open          │ Open          ▲   Close   │        ▼
 *     ▼      Up       ▼               └───────────┴──── Opened
 *  Starting ──────▶ Req-Sent ⇄ Ack-Rcvd, Ack-Sent ─────────▲ │ RTR
 *                     ▲ │ TO-                                ▼
 *                     │ ▼            TO-, RTA
 *                   Stopped ◀────────────────────────── Stopping
 * ```
 *
 * The RFC's options [p] (passive) and [r] (restart on Open) are not implemented.
 *
 * @module
 */

import { AUTOMATON_STATES, type AutomatonState } from "../../model/ppp/status.ts";

/** An action of RFC 1661 section 4.4, by the RFC's abbreviation. */
export type AutomatonAction =
  | "tlu"
  | "tld"
  | "tls"
  | "tlf"
  | "irc"
  | "zrc"
  | "scr"
  | "sca"
  | "scn"
  | "str"
  | "sta"
  | "scj"
  | "ser";

/** The result of an event in one state. */
export interface Transition {
  /** Actions to perform, in this order. */
  readonly actions: readonly AutomatonAction[];
  /** The next state. */
  readonly next: AutomatonState;
}

/**
 * The table of RFC 1661 section 4.1. The row of an event has one cell for each state, in the order of
 * `AUTOMATON_STATES`: the actions and the number of the next state. A dash marks an event that cannot occur in that
 * state.
 */
const TABLE = {
  "Up": "2 irc,scr/6 - - - - - - - -",
  "Down": "- - 0 tls/1 0 1 1 1 1 tld/1",
  "Open": "tls/1 1 irc,scr/6 3 5 5 6 7 8 9",
  "Close": "0 tlf/0 2 2 4 4 irc,str/4 irc,str/4 irc,str/4 tld,irc,str/4",
  "TO+": "- - - - str/4 str/5 scr/6 scr/6 scr/8 -",
  "TO-": "- - - - tlf/2 tlf/3 tlf/3 tlf/3 tlf/3 -",
  "RCR+": "- - sta/2 irc,scr,sca/8 4 5 sca/8 sca,tlu/9 sca/8 tld,scr,sca/8",
  "RCR-": "- - sta/2 irc,scr,scn/6 4 5 scn/6 scn/7 scn/6 tld,scr,scn/6",
  "RCA": "- - sta/2 sta/3 4 5 irc/7 scr/6 irc,tlu/9 tld,scr/6",
  "RCN": "- - sta/2 sta/3 4 5 irc,scr/6 scr/6 irc,scr/8 tld,scr/6",
  "RTR": "- - sta/2 sta/3 sta/4 sta/5 sta/6 sta/6 sta/6 tld,zrc,sta/5",
  "RTA": "- - 2 3 tlf/2 tlf/3 6 6 8 tld,scr/6",
  "RUC": "- - scj/2 scj/3 scj/4 scj/5 scj/6 scj/7 scj/8 scj/9",
  "RXJ+": "- - 2 3 4 5 6 6 8 9",
  "RXJ-": "- - tlf/2 tlf/3 tlf/2 tlf/3 tlf/3 tlf/3 tlf/3 tld,irc,str/5",
  "RXR": "- - 2 3 4 5 6 7 8 ser/9",
} as const;

/** An event of RFC 1661 section 4.3, by the RFC's abbreviation. */
export type AutomatonEvent = keyof typeof TABLE;

function readCell(cell: string): Transition | undefined {
  if (cell === "-") return undefined;
  const slash = cell.lastIndexOf("/");
  const actions = slash < 0 ? [] : cell.slice(0, slash).split(",") as AutomatonAction[];
  return { actions, next: AUTOMATON_STATES[Number(cell.slice(slash + 1))]! };
}

/** The parsed table, shared by all links. */
const TRANSITIONS: ReadonlyMap<string, readonly (Transition | undefined)[]> = new Map(
  Object.entries(TABLE).map(([event, row]) => [event, row.split(" ").map(readCell)]),
);

/** Looks up an event in a state. Returns `undefined` if the event cannot occur there: the caller ignores it. */
export function transition(event: AutomatonEvent, state: AutomatonState): Transition | undefined {
  return TRANSITIONS.get(event)![AUTOMATON_STATES.indexOf(state)];
}

/** Reports whether the restart timer runs in a state, which is where the table has timeout events (TO+, TO-). */
export function hasRestartTimer(state: AutomatonState): boolean {
  return transition("TO+", state) !== undefined;
}
