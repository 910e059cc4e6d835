/**
 * The option negotiation automaton of RFC 1661 section 4, as its table: all events in all states. Nothing here knows
 * packets or protocols; `control_protocol.ts` does what the actions say. Pure.
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
 * The options [p] (passive) and [r] (restart by Open) of the RFC are not taken.
 *
 * @module
 */

import { AUTOMATON_STATES, type AutomatonState } from "../../model/ppp/status.ts";

/** An action of section 4.4. */
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

/** What an event leads to. */
export interface Transition {
  /** What is to be done, in this order. */
  readonly actions: readonly AutomatonAction[];
  /** The state afterwards. */
  readonly next: AutomatonState;
}

/**
 * Section 4.1: an event's row has a cell for each state, in their order: actions and the number of the next state; a
 * dash is an event that cannot be.
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

/** An event of section 4.3. */
export type AutomatonEvent = keyof typeof TABLE;

function readCell(cell: string): Transition | undefined {
  if (cell === "-") return undefined;
  const slash = cell.lastIndexOf("/");
  const actions = slash < 0 ? [] : cell.slice(0, slash).split(",") as AutomatonAction[];
  return { actions, next: AUTOMATON_STATES[Number(cell.slice(slash + 1))]! };
}

/** The table as it is looked up: once for all links. */
const TRANSITIONS: ReadonlyMap<string, readonly (Transition | undefined)[]> = new Map(
  Object.entries(TABLE).map(([event, row]) => [event, row.split(" ").map(readCell)]),
);

/** What an event leads to in a state; `undefined` where it cannot be, and nothing is to be done. */
export function transition(event: AutomatonEvent, state: AutomatonState): Transition | undefined {
  return TRANSITIONS.get(event)![AUTOMATON_STATES.indexOf(state)];
}

/** Whether the Restart timer runs in a state: where there are events TO. */
export function hasRestartTimer(state: AutomatonState): boolean {
  return transition("TO+", state) !== undefined;
}
