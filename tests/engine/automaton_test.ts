/**
 * The automaton against the table of RFC 1661 section 4.1, written out here state by state instead of event by event.
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { type AutomatonEvent, hasRestartTimer, transition } from "../../src/engine/ppp/automaton.ts";
import { AUTOMATON_STATES, type AutomatonState } from "../../src/model/ppp/status.ts";

const EVENTS = [
  "Up",
  "Down",
  "Open",
  "Close",
  "TO+",
  "TO-",
  "RCR+",
  "RCR-",
  "RCA",
  "RCN",
  "RTR",
  "RTA",
  "RUC",
  "RXJ+",
  "RXJ-",
  "RXR",
] as const satisfies readonly AutomatonEvent[];

/** Each state's column: actions and next state by event. Events that are not listed cannot occur. */
const COLUMNS: Record<AutomatonState, Partial<Record<AutomatonEvent, string>>> = {
  "Initial": {
    "Up": "> Closed",
    "Open": "tls > Starting",
    "Close": "> Initial",
  },
  "Starting": {
    "Up": "irc scr > Req-Sent",
    "Open": "> Starting",
    "Close": "tlf > Initial",
  },
  "Closed": {
    "Down": "> Initial",
    "Open": "irc scr > Req-Sent",
    "Close": "> Closed",
    "RCR+": "sta > Closed",
    "RCR-": "sta > Closed",
    "RCA": "sta > Closed",
    "RCN": "sta > Closed",
    "RTR": "sta > Closed",
    "RTA": "> Closed",
    "RUC": "scj > Closed",
    "RXJ+": "> Closed",
    "RXJ-": "tlf > Closed",
    "RXR": "> Closed",
  },
  "Stopped": {
    "Down": "tls > Starting",
    "Open": "> Stopped",
    "Close": "> Closed",
    "RCR+": "irc scr sca > Ack-Sent",
    "RCR-": "irc scr scn > Req-Sent",
    "RCA": "sta > Stopped",
    "RCN": "sta > Stopped",
    "RTR": "sta > Stopped",
    "RTA": "> Stopped",
    "RUC": "scj > Stopped",
    "RXJ+": "> Stopped",
    "RXJ-": "tlf > Stopped",
    "RXR": "> Stopped",
  },
  "Closing": {
    "Down": "> Initial",
    "Open": "> Stopping",
    "Close": "> Closing",
    "TO+": "str > Closing",
    "TO-": "tlf > Closed",
    "RCR+": "> Closing",
    "RCR-": "> Closing",
    "RCA": "> Closing",
    "RCN": "> Closing",
    "RTR": "sta > Closing",
    "RTA": "tlf > Closed",
    "RUC": "scj > Closing",
    "RXJ+": "> Closing",
    "RXJ-": "tlf > Closed",
    "RXR": "> Closing",
  },
  "Stopping": {
    "Down": "> Starting",
    "Open": "> Stopping",
    "Close": "> Closing",
    "TO+": "str > Stopping",
    "TO-": "tlf > Stopped",
    "RCR+": "> Stopping",
    "RCR-": "> Stopping",
    "RCA": "> Stopping",
    "RCN": "> Stopping",
    "RTR": "sta > Stopping",
    "RTA": "tlf > Stopped",
    "RUC": "scj > Stopping",
    "RXJ+": "> Stopping",
    "RXJ-": "tlf > Stopped",
    "RXR": "> Stopping",
  },
  "Req-Sent": {
    "Down": "> Starting",
    "Open": "> Req-Sent",
    "Close": "irc str > Closing",
    "TO+": "scr > Req-Sent",
    "TO-": "tlf > Stopped",
    "RCR+": "sca > Ack-Sent",
    "RCR-": "scn > Req-Sent",
    "RCA": "irc > Ack-Rcvd",
    "RCN": "irc scr > Req-Sent",
    "RTR": "sta > Req-Sent",
    "RTA": "> Req-Sent",
    "RUC": "scj > Req-Sent",
    "RXJ+": "> Req-Sent",
    "RXJ-": "tlf > Stopped",
    "RXR": "> Req-Sent",
  },
  "Ack-Rcvd": {
    "Down": "> Starting",
    "Open": "> Ack-Rcvd",
    "Close": "irc str > Closing",
    "TO+": "scr > Req-Sent",
    "TO-": "tlf > Stopped",
    "RCR+": "sca tlu > Opened",
    "RCR-": "scn > Ack-Rcvd",
    "RCA": "scr > Req-Sent",
    "RCN": "scr > Req-Sent",
    "RTR": "sta > Req-Sent",
    "RTA": "> Req-Sent",
    "RUC": "scj > Ack-Rcvd",
    "RXJ+": "> Req-Sent",
    "RXJ-": "tlf > Stopped",
    "RXR": "> Ack-Rcvd",
  },
  "Ack-Sent": {
    "Down": "> Starting",
    "Open": "> Ack-Sent",
    "Close": "irc str > Closing",
    "TO+": "scr > Ack-Sent",
    "TO-": "tlf > Stopped",
    "RCR+": "sca > Ack-Sent",
    "RCR-": "scn > Req-Sent",
    "RCA": "irc tlu > Opened",
    "RCN": "irc scr > Ack-Sent",
    "RTR": "sta > Req-Sent",
    "RTA": "> Ack-Sent",
    "RUC": "scj > Ack-Sent",
    "RXJ+": "> Ack-Sent",
    "RXJ-": "tlf > Stopped",
    "RXR": "> Ack-Sent",
  },
  "Opened": {
    "Down": "tld > Starting",
    "Open": "> Opened",
    "Close": "tld irc str > Closing",
    "RCR+": "tld scr sca > Ack-Sent",
    "RCR-": "tld scr scn > Req-Sent",
    "RCA": "tld scr > Req-Sent",
    "RCN": "tld scr > Req-Sent",
    "RTR": "tld zrc sta > Stopping",
    "RTA": "tld scr > Req-Sent",
    "RUC": "scj > Opened",
    "RXJ+": "> Opened",
    "RXJ-": "tld irc str > Stopping",
    "RXR": "ser > Opened",
  },
};

Deno.test("automaton, RFC 1661 section 4.1: every event in every state", () => {
  let possible = 0;
  for (const state of AUTOMATON_STATES) {
    for (const event of EVENTS) {
      const step = transition(event, state);
      const shown = step && `${step.actions.map((action) => `${action} `).join("")}> ${step.next}`;
      assertStrictEquals(shown, COLUMNS[state][event], `${event} in ${state}`);
      if (step !== undefined) possible++;
    }
  }
  // The number of the RFC's cells without dashes: 2 + 8 + 10 + 10 + 5 + 5, and ten events in eight states.
  assertStrictEquals(possible, 120);
});

Deno.test("automaton: the restart timer runs in the states with timeout events", () => {
  const running = AUTOMATON_STATES.filter(hasRestartTimer);
  assertEquals(running, ["Closing", "Stopping", "Req-Sent", "Ack-Rcvd", "Ack-Sent"]);
});
