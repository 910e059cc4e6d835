/**
 * What the debug file `l2tp/tunnels` (`net/l2tp/l2tp_debugfs.c`) tells and netlink does not. Pure.
 *
 * @module
 */

import type { L2Spec } from "../model/session.ts";

/** More about a session; members are `undefined` where the text does not have them. */
export interface SessionDebugFacts {
  /** Its sublayer. */
  readonly l2spec: L2Spec | undefined;
  /** Low 16 bits of the number that is expected in the next received packet. */
  readonly nr: number | undefined;
  /** Low 16 bits of the number of the next packet to send. */
  readonly ns: number | undefined;
  /** How often it is referred to. */
  readonly references: number | undefined;
}

/** More about a tunnel. */
export interface TunnelDebugFacts {
  /** How often its socket is referred to. */
  readonly socketReferences: number;
  /** How often it is referred to. */
  readonly references: number;
}

/** Everything that only the debug file tells. */
export interface DebugFacts {
  /** By our id. */
  readonly tunnels: ReadonlyMap<number, TunnelDebugFacts>;
  /** By the session's key. */
  readonly sessions: ReadonlyMap<string, SessionDebugFacts>;
}

/** Where the file cannot be read. */
export const NO_DEBUG_FACTS: DebugFacts = { tunnels: new Map(), sessions: new Map() };

const NOTHING: SessionDebugFacts = { l2spec: undefined, nr: undefined, ns: undefined, references: undefined };

/** Reads the file's text. What does not look as expected is not there. */
export function parseDebugFacts(text: string): DebugFacts {
  const tunnels = new Map<number, TunnelDebugFacts>();
  const sessions = new Map<string, SessionDebugFacts>();
  let tunnelId = "";
  let key = "";
  const put = (facts: Partial<SessionDebugFacts>): void => {
    sessions.set(key, { ...sessions.get(key) ?? NOTHING, ...facts });
  };
  for (const line of text.split("\n")) {
    let match: RegExpExecArray | null;
    if ((match = /^TUNNEL (\d+) peer /.exec(line))) tunnelId = match[1]!;
    else if ((match = /^ \d+ sessions, refcnt (\d+)\/(\d+)/.exec(line))) {
      tunnels.set(Number(tunnelId), {
        socketReferences: Number(match[1]),
        references: Number(match[2]),
      });
    } else if ((match = /^ {2}SESSION (\d+), /.exec(line))) key = `${tunnelId}/${match[1]}`;
    else if ((match = /^ {3}refcnt (\d+)/.exec(line))) put({ references: Number(match[1]) });
    else if ((match = /^ {3}offset \d+ l2specific (\d+)\//.exec(line))) {
      put({ l2spec: match[1] === "0" ? "none" : "default" });
    } else if ((match = /^ {3}(\d+)\/(\d+) tx /.exec(line))) {
      put({ nr: Number(match[1]), ns: Number(match[2]) });
    }
  }
  return { tunnels, sessions };
}
