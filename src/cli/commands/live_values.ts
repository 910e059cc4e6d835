/**
 * Existing things that a value can name: ids, interfaces, addresses. Completion and the shell's help use them, so the
 * look-up is quick, and without a subsystem it finds nothing and prints nothing.
 *
 * @module
 */

import {
  DecodeError,
  FamilyMissingError,
  NetlinkError,
  NetlinkProtocolError,
  SyscallError,
} from "../../base/errors.ts";
import { isLinkLocal, parseIpAddress } from "../../base/ip_address.ts";
import { DaemonError } from "../../client/daemon/error.ts";
import type { Session } from "../../model/session.ts";
import type { Tunnel } from "../../model/tunnel.ts";
import type { Arguments } from "../grammar/arguments.ts";
import type { Context } from "../context.ts";
import type { Next, NextWord } from "../grammar/next_words.ts";
import { UsageError } from "../grammar/usage_error.ts";
import type { LiveKind } from "../grammar/values.ts";

/** Time limit for the daemon's answer, while the user waits for a completion. */
export const ANSWER_LIMIT_MS = 100;

/** Kinds of links that others can join, with keyword `master`. */
const MASTER_KINDS: ReadonlySet<string> = new Set(["bridge", "bond", "team"]);

/**
 * Existing things that the next word can name, in the present namespace and the context's subsystem. The lazy ports must
 * be loaded.
 */
export async function liveValues({ value, given }: Next, context: Context): Promise<NextWord[]> {
  if (value?.live === undefined) return [];
  try {
    return distinct(await ask(value.live, given, context));
  } catch (error) {
    if (isTrouble(error)) return [];
    throw error;
  }
}

/** Whether the error is about the system, and not a defect of this program. */
export function isTrouble(error: unknown): boolean {
  return [
    DaemonError,
    DecodeError,
    FamilyMissingError,
    NetlinkError,
    NetlinkProtocolError,
    SyscallError,
    UsageError,
  ].some((type) => error instanceof type);
}

async function ask(kind: LiveKind, given: Arguments, context: Context): Promise<NextWord[]> {
  switch (kind) {
    case "netns":
      return context.lazy.system.netnsNames().map((word) => ({ word, help: "network namespace" }));
    case "bridge":
      return context.links.links().filter(({ kind = "" }) => MASTER_KINDS.has(kind)).map((
        { name, kind = "", up },
      ) => ({ word: name, help: `${kind}, ${up ? "up" : "down"}` }));
    case "ownAddress":
      return ownAddresses(context);
    case "sessionId":
    case "peerSessionId":
    case "interface":
      await context.open("read", ANSWER_LIMIT_MS);
      return context.l2tp.sessions().filter(({ tunnelId }) =>
        given.tunnelId === undefined || tunnelId === given.tunnelId
      ).map((session) => ({ word: sessionWord(kind, session), help: sessionHelp(kind, session) }));
    default:
      await context.open("read", ANSWER_LIMIT_MS);
      return context.l2tp.tunnels().map((tunnel) => ({
        word: tunnelWord(kind, tunnel),
        help: tunnelHelp(kind, tunnel),
      }));
  }
}

function ownAddresses({ links }: Context): NextWord[] {
  const names = new Map(links.links().map(({ index, name }) => [index, name]));
  return links.addresses().map(({ address, index }) => {
    const name = names.get(index) ?? "";
    const bytes = parseIpAddress(address);
    const scope = bytes !== undefined && isLinkLocal(bytes) ? `%${name}` : "";
    return { word: address + scope, help: `address of ${name}` };
  });
}

type SessionKind = "sessionId" | "peerSessionId" | "interface";
type TunnelKind = Exclude<LiveKind, SessionKind | "netns" | "bridge" | "ownAddress">;

function sessionWord(kind: SessionKind, session: Session): string {
  switch (kind) {
    case "sessionId":
      return idText(session.sessionId);
    case "peerSessionId":
      return idText(session.peerSessionId);
    case "interface":
      return session.interfaceName ?? "";
    default:
      return kind satisfies never;
  }
}

function sessionHelp(kind: SessionKind, { sessionId, tunnelId, interfaceName }: Session): string {
  const session = kind === "sessionId" ? "in" : `session ${sessionId} in`;
  const name = interfaceName === undefined || kind === "interface" ? "" : `, interface ${interfaceName}`;
  return `${session} tunnel ${tunnelId}${name}`;
}

function tunnelWord(kind: TunnelKind, tunnel: Tunnel): string {
  switch (kind) {
    case "tunnelId":
      return idText(tunnel.tunnelId);
    case "peerTunnelId":
      return idText(tunnel.peerTunnelId);
    case "local":
      return tunnel.local;
    case "remote":
      return tunnel.peer;
    case "localPort":
      return idText(tunnel.localPort ?? 0);
    case "peerPort":
      return idText(tunnel.peerPort ?? 0);
    default:
      return kind satisfies never;
  }
}

function tunnelHelp(kind: TunnelKind, { tunnelId, local, peer, encap }: Tunnel): string {
  const tunnel = kind === "tunnelId" ? "" : `tunnel ${tunnelId}, `;
  return `${tunnel}${local} to ${peer}${encap === undefined ? "" : ` over ${encap}`}`;
}

/** The number as a word; empty for 0, which means none. */
function idText(id: number): string {
  return id === 0 ? "" : String(id);
}

/** Rows without duplicate words, sorted; numbers in numeric order. Rows without a word are left out. */
function distinct(rows: readonly NextWord[]): NextWord[] {
  const byWord = new Map<string, NextWord>();
  for (const row of rows) if (row.word !== "" && !byWord.has(row.word)) byWord.set(row.word, row);
  return [...byWord.values()].sort((a, b) => compareWords(a.word, b.word));
}

function compareWords(a: string, b: string): number {
  const isNumber = /^\d+$/;
  if (isNumber.test(a) && isNumber.test(b)) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}
