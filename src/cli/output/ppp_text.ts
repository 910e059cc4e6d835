/**
 * PPP on a session for `show -details`, as lines and as JSON.
 *
 * @module
 */

import type { PppdSessionStatus, PppLinkStatus, PppSessionStatus } from "../../client/daemon/ppp_client.ts";
import type { LcpValues, PppAuthStatus, PppStatus } from "../../model/ppp/status.ts";
import { pppEndText } from "../../model/ppp/end.ts";
import { pppdExitText } from "../../model/ppp/pppd.ts";

/** PPP on a session. */
export interface PppJson {
  /** Name of the interface. */
  interface: string;
  /** RFC 1661's phase: `"dead"`, `"establish"`, `"authenticate"`, `"network"`, `"terminate"`. */
  phase: string;
  lcp: { state: string; local: LcpJson; peer: LcpJson };
  /** Our authentication; absent if the peer does not require it. */
  auth_local?: PppAuthJson;
  /** The peer's authentication; absent if we do not require it. */
  auth_peer?: PppAuthJson;
  /** Absent if IPv4 is off. */
  ipcp?: { state: string; local?: string; peer?: string; dns: readonly string[]; nbns: readonly string[] };
  /** Interface identifiers are 16 hex digits. Absent if IPv6 is off. */
  ipv6cp?: { state: string; local_id?: string; peer_id?: string };
  echo: { sent: number; answered: number; missed_in_a_row: number; round_trip_ms?: number };
  /** The peer's text of an LCP Identification (RFC 1570 section 2.1). */
  identification?: string;
  /** Frames that were not used, by the name of the reason. */
  drops: { [reason: string]: number };
  /** The reason of its end, in words; absent while it runs. */
  end?: string;
  /** The same as a word: `"authenticationFailed"`, `"lcpTimedOut"`, … */
  end_reason?: string;
}

/** PPP on a session that pppd has. */
export interface PppdJson {
  /** Name of the interface; absent as long as there is none. */
  interface?: string;
  pppd: {
    /** Its file of arguments. */
    file: string;
    /** Its process id; absent between an end and the restart. */
    pid?: number;
    /** Number of starts. */
    starts: number;
  };
  /** The reason of its last end, in words. */
  end?: string;
  /** Its exit status (pppd(8)); with a signal 128 and the signal's number. */
  end_status?: number;
}

/** LCP options of one end: what it accepts. */
export interface LcpJson {
  mru: number;
  /** Hex digits. */
  magic: string;
  pfc: boolean;
  acfc: boolean;
  /** Authentication that it requires of the other end. */
  auth?: string;
}

/** An authentication. */
export interface PppAuthJson {
  method: string;
  state: string;
  name?: string;
}

/** PPP as JSON. */
export function pppJson(session: PppSessionStatus): PppJson | PppdJson {
  return session.pppd === undefined ? linkJson(session) : pppdJson(session);
}

function pppdJson({ interfaceName, pppd: { file, pid, starts, end } }: PppdSessionStatus): PppdJson {
  return {
    ...(interfaceName !== undefined && { interface: interfaceName }),
    pppd: { file, ...(pid !== undefined && { pid }), starts },
    ...(end !== undefined && { end: pppdExitText(end), end_status: end.status }),
  };
}

function linkJson({ interfaceName, status }: PppLinkStatus): PppJson {
  const { phase, lcp, auth, ipcp, ipv6cp, echo, identification, drops, end } = status;
  return {
    interface: interfaceName,
    phase,
    lcp: { state: lcp.state, local: lcpJson(lcp.local), peer: lcpJson(lcp.peer) },
    ...(auth.local !== undefined && { auth_local: authJson(auth.local) }),
    ...(auth.peer !== undefined && { auth_peer: authJson(auth.peer) }),
    ...(ipcp !== undefined && {
      ipcp: {
        state: ipcp.state,
        ...(ipcp.local !== undefined && { local: ipcp.local }),
        ...(ipcp.peer !== undefined && { peer: ipcp.peer }),
        dns: ipcp.dns,
        nbns: ipcp.nbns,
      },
    }),
    ...(ipv6cp !== undefined && {
      ipv6cp: {
        state: ipv6cp.state,
        ...(ipv6cp.localId !== undefined && { local_id: ipv6cp.localId }),
        ...(ipv6cp.peerId !== undefined && { peer_id: ipv6cp.peerId }),
      },
    }),
    echo: {
      sent: echo.sent,
      answered: echo.answered,
      missed_in_a_row: echo.missed,
      ...(echo.roundTripMs !== undefined && { round_trip_ms: rounded(echo.roundTripMs) }),
    },
    ...(identification !== undefined && { identification }),
    drops,
    ...(end !== undefined && { end: pppEndText(end), end_reason: end.reason }),
  };
}

function lcpJson({ mru, magic, pfc, acfc, auth }: LcpValues): LcpJson {
  return { mru, magic: hex(magic), pfc, acfc, ...(auth !== undefined && { auth }) };
}

function authJson({ method, state, name }: PppAuthStatus): PppAuthJson {
  return { method, state, ...(name !== undefined && { name }) };
}

/** PPP as lines, indented as a session's are. */
export function pppLines(session: PppSessionStatus): string[] {
  return session.pppd === undefined ? linkLines(session) : pppdLines(session);
}

function pppdLines({ interfaceName, pppd: { file, pid, starts, end } }: PppdSessionStatus): string[] {
  const process = pid === undefined ? "restarts" : `process ${pid}`;
  const again = starts > 1 ? `  started ${starts} times` : "";
  const lines = [`  ppp ${interfaceName ?? "without interface"}  pppd ${process}  file ${file}${again}`];
  if (end !== undefined) lines.push(`    ended: ${pppdExitText(end)}`);
  return lines;
}

function linkLines({ interfaceName, status }: PppLinkStatus): string[] {
  const { lcp, auth, ipcp, ipv6cp, echo, end } = status;
  const lines = [
    `  ppp ${interfaceName}  phase ${status.phase}`,
    `    lcp ${lcp.state}  mru ${lcp.local.mru}/${lcp.peer.mru}  magic ${hex(lcp.local.magic)}/${
      hex(lcp.peer.magic)
    }${flags(lcp)}`,
  ];
  const proofs = [authText("us", auth.local), authText("peer", auth.peer)].filter((text) => text !== "");
  if (proofs.length > 0) lines.push(`    auth${proofs.join("")}`);
  if (ipcp !== undefined) {
    const servers = ipcp.dns.length === 0 ? "" : `  dns ${ipcp.dns.join(" ")}`;
    lines.push(`    ipcp ${ipcp.state}${pair(ipcp.local, ipcp.peer)}${servers}`);
  }
  if (ipv6cp !== undefined) lines.push(`    ipv6cp ${ipv6cp.state}${pair(ipv6cp.localId, ipv6cp.peerId)}`);
  if (echo.sent > 0) {
    const roundTrip = echo.roundTripMs === undefined ? "" : `  round trip ${rounded(echo.roundTripMs)} ms`;
    lines.push(`    echo sent ${echo.sent}  answered ${echo.answered}  missed ${echo.missed}${roundTrip}`);
  }
  if (status.identification !== undefined) {
    lines.push(`    peer says ${JSON.stringify(status.identification)}`);
  }
  if (end !== undefined) lines.push(`    ended: ${pppEndText(end)}`);
  return lines;
}

function flags({ local, peer }: PppStatus["lcp"]): string {
  const names = [
    ...(local.pfc ? ["pfc"] : []),
    ...(local.acfc ? ["acfc"] : []),
    ...(peer.pfc ? ["peer_pfc"] : []),
    ...(peer.acfc ? ["peer_acfc"] : []),
  ];
  return names.map((name) => `  ${name}`).join("");
}

function authText(who: string, auth: PppAuthStatus | undefined): string {
  if (auth === undefined) return "";
  const name = auth.name === undefined ? "" : ` as ${JSON.stringify(auth.name)}`;
  return `  ${who} ${auth.method}${name} ${auth.state}`;
}

function pair(local: string | undefined, peer: string | undefined): string {
  return local === undefined && peer === undefined ? "" : `  ${local ?? "?"} peer ${peer ?? "?"}`;
}

function hex(magic: number): string {
  return magic.toString(16).padStart(8, "0");
}

/** Milliseconds with a digit for each microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
