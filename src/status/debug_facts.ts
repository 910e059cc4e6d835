/**
 * Parses the debugfs file `l2tp/tunnels` (`net/l2tp/l2tp_debugfs.c`) for the facts that netlink does not report.
 *
 * @module
 */

import type { L2Spec } from "../model/session.ts";

/** Facts about a session. Members are `undefined` if the file lacks them. */
export interface SessionDebugFacts {
  /** L2-specific sublayer. */
  readonly l2spec: L2Spec | undefined;
  /** Expected sequence number of the next received packet: low 16 bits. */
  readonly nr: number | undefined;
  /** Sequence number of the next packet to send: low 16 bits. */
  readonly ns: number | undefined;
  /** Reference count. */
  readonly references: number | undefined;
}

/** Facts about a tunnel. */
export interface TunnelDebugFacts {
  /** Reference count of the tunnel's socket. */
  readonly socketReferences: number;
  /** Reference count. */
  readonly references: number;
}

/** All facts from the debugfs file. */
export interface DebugFacts {
  /** By tunnel id. */
  readonly tunnels: ReadonlyMap<number, TunnelDebugFacts>;
  /** By session key: `"TUNNEL/SESSION"`. */
  readonly sessions: ReadonlyMap<string, SessionDebugFacts>;
}

/** Facts for the case that the file cannot be read. */
export const NO_DEBUG_FACTS: DebugFacts = { tunnels: new Map(), sessions: new Map() };

const NOTHING: SessionDebugFacts = { l2spec: undefined, nr: undefined, ns: undefined, references: undefined };

/** Parses the text of the file. Unexpected lines are ignored. */
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
