/**
 * The facts in the kernel's debug file `l2tp/tunnels` (`net/l2tp/l2tp_debugfs.c`) that netlink does not
 * report.
 *
 * @module
 */

import type { L2Spec } from "./session.ts";

/** Facts about a session; those that the file does not have are `undefined`. */
export interface SessionDebugFacts {
  /** L2-specific sublayer. */
  readonly l2spec: L2Spec | undefined;
  /** Sequence number expected in the next received packet; the file has the low 16 bits of it. */
  readonly nr: number | undefined;
  /** Sequence number of the next packet to send; the file has the low 16 bits of it. */
  readonly ns: number | undefined;
  /** Reference count. */
  readonly references: number | undefined;
}

/** Facts about a tunnel. */
export interface TunnelDebugFacts {
  /** Reference count of its socket. */
  readonly socketReferences: number;
  /** Reference count of the tunnel. */
  readonly references: number;
}

/** All facts that only the debug file has. */
export interface DebugFacts {
  /** By our id. */
  readonly tunnels: ReadonlyMap<number, TunnelDebugFacts>;
  /** By our ids, as "tunnel/session". */
  readonly sessions: ReadonlyMap<string, SessionDebugFacts>;
}

/** The facts where the file cannot be read. */
export const NO_DEBUG_FACTS: DebugFacts = { tunnels: new Map(), sessions: new Map() };

const NOTHING: SessionDebugFacts = { l2spec: undefined, nr: undefined, ns: undefined, references: undefined };

/** Lines with facts about a session: `   refcnt N`, `   offset 0 l2specific TYPE/LENGTH`, `   NR/NS tx …`. */
const SESSION_LINE = /^ {3}(?:refcnt (\d+)|offset \d+ l2specific (\d+)\/|(\d+)\/(\d+) tx )/;

/** Reads the file's text. Lines of any other format are skipped. */
export function parseDebugFacts(text: string): DebugFacts {
  const tunnels = new Map<number, TunnelDebugFacts>();
  const sessions = new Map<string, SessionDebugFacts>();
  let tunnelId = "";
  let key = "";
  const put = (facts: Partial<SessionDebugFacts>): void => {
    const known = sessions.get(key);
    if (known === undefined) sessions.set(key, { ...NOTHING, ...facts });
    else Object.assign(known, facts);
  };
  for (const line of text.split("\n")) {
    let match: RegExpExecArray | null;
    if ((match = SESSION_LINE.exec(line))) {
      const [, references, l2specType, nr, ns] = match;
      if (references !== undefined) put({ references: Number(references) });
      else if (l2specType !== undefined) put({ l2spec: l2specType === "0" ? "none" : "default" });
      else put({ nr: Number(nr), ns: Number(ns) });
    } else if ((match = /^ {2}SESSION (\d+), /.exec(line))) key = `${tunnelId}/${match[1]}`;
    else if ((match = /^TUNNEL (\d+) peer /.exec(line))) tunnelId = match[1]!;
    else if ((match = /^ \d+ sessions, refcnt (\d+)\/(\d+)/.exec(line))) {
      tunnels.set(Number(tunnelId), {
        socketReferences: Number(match[1]),
        references: Number(match[2]),
      });
    }
  }
  return { tunnels, sessions };
}
