/**
 * The texts that fill the screen in place of the list: details of a session, problems, and help.
 *
 * @module
 */

import { isIpv6Text } from "../base/inet.ts";
import { formatHex } from "../base/hex.ts";
import type { Problem, Severity } from "../status/health.ts";
import { errorsText, wrapped } from "../status/health_text.ts";
import type { History } from "../status/history.ts";
import type { Overview, SessionStatus } from "../status/overview.ts";
import type { Rates } from "../status/rates.ts";
import { STYLE } from "./screen.ts";
import { sparkline } from "./sparkline.ts";
import { shortDuration, shortNumber } from "../status/units.ts";

/** A line with its style. */
export interface StyledLine {
  readonly text: string;
  readonly style: number;
}

/** Style of each severity. */
export const SEVERITY_STYLES: Readonly<Record<Severity, number>> = {
  error: STYLE.red | STYLE.bold,
  warning: STYLE.yellow,
  note: STYLE.plain,
};

function plain(text: string): StyledLine {
  return { text, style: STYLE.plain };
}

/** Formats the details of a session. */
export function detailLines(
  status: SessionStatus,
  problems: readonly Problem[],
  columns: number,
  unicode: boolean,
): StyledLine[] {
  const { session, tunnel, link } = status;
  const { tunnelId, sessionId } = session;
  const own = problems.filter((problem) =>
    problem.tunnelId === tunnelId && (problem.sessionId === undefined || problem.sessionId === sessionId)
  );
  return [
    {
      text: `Session ${sessionId} in tunnel ${tunnelId}, peer session ${session.peerSessionId}, ` +
        `tunnel ${session.peerTunnelId}`,
      style: STYLE.bold,
    },
    ...(tunnel === undefined ? [] : [plain(
      `  L2TPv${tunnel.version} over ${tunnel.encap?.toUpperCase() ?? "?"} from ` +
        `${endpoint(tunnel.local, tunnel.localPort)} to ${endpoint(tunnel.peer, tunnel.peerPort)}`,
    )]),
    plain(`  interface ${interfaceText(status)}`),
    ...wrapped(`  ${optionsText(status)}`, "    ", columns).map(plain),
    ...(status.offloads === undefined ? [] : [plain(`  offloads ${status.offloads.join(" ") || "none"}`)]),
    plain(""),
    ...trafficLines(status),
    plain(""),
    barLine("RX bytes/s", status.rxHistory, columns, unicode),
    barLine("TX bytes/s", status.txHistory, columns, unicode),
    plain(""),
    ...wrapped(`  errors since creation: ${errorsText(status.errors)}`, "    ", columns).map(plain),
    plain(
      `  last packet from the peer: ${
        (status.rates?.rxPackets ?? 0) > 0 ? "just now" : `at least ${shortDuration(status.silentMs)} ago`
      }`,
    ),
    plain(""),
    ...problemLines(
      own,
      columns,
      link?.up === true ? "Nothing is wrong." : "No problem is known.",
    ),
  ];
}

function endpoint(address: string, port: number | undefined): string {
  if (port === undefined) return address;
  return isIpv6Text(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

function interfaceText({ session, link, master, state, pathMtu }: SessionStatus): string {
  if (session.interfaceName === undefined) return "none: no PPP attached";
  if (link === undefined) return `${session.interfaceName}: no interface of this name in this namespace`;
  return `${link.name} ${state}  mtu ${link.mtu}${master === undefined ? "" : `  master ${master}`}` +
    (pathMtu === undefined ? "" : `  path MTU ${pathMtu}`);
}

function optionsText({ session, debug }: SessionStatus): string {
  const { sendSeq, recvSeq, reorderTimeoutMs, lnsMode, cookie, peerCookie } = session;
  const seq = sendSeq ? (recvSeq ? "both" : "send") : recvSeq ? "recv" : "none";
  return `seq ${seq}  reorder_timeout ${reorderTimeoutMs}  lns_mode ${lnsMode ? "on" : "off"}` +
    (debug?.l2spec === undefined ? "" : `  l2spec_type ${debug.l2spec}`) +
    (debug?.nr === undefined || !(sendSeq || recvSeq) ? "" : `  nr ${debug.nr}  ns ${debug.ns}`) +
    (cookie === undefined ? "" : `  cookie ${formatHex(cookie)}`) +
    (peerCookie === undefined ? "" : `  peer_cookie ${formatHex(peerCookie)}`);
}

function trafficLines({ session: { counters }, rates }: SessionStatus): StyledLine[] {
  const rate = (member: keyof Rates): string => (rates === undefined ? "-" : shortNumber(rates[member]));
  const row = (name: string, cells: readonly string[]): StyledLine =>
    plain(`  ${name.padEnd(4)}${cells.map((cell) => cell.padStart(12)).join("")}`);
  return [
    row("", ["packets/s", "bytes/s", "packets", "bytes", "errors"]),
    row("RX", [
      rate("rxPackets"),
      rate("rxBytes"),
      ...[counters.rxPackets, counters.rxBytes, counters.rxErrors].map((value) => shortNumber(Number(value))),
    ]),
    row("TX", [
      rate("txPackets"),
      rate("txBytes"),
      ...[counters.txPackets, counters.txBytes, counters.txErrors].map((value) => shortNumber(Number(value))),
    ]),
  ];
}

function barLine(name: string, history: History, columns: number, unicode: boolean): StyledLine {
  const values = history.values();
  const width = Math.max(0, Math.min(values.length, columns - 24));
  return {
    text: `  ${name} ${sparkline(values, width, unicode)} max ${shortNumber(Math.max(...values))}`,
    style: STYLE.plain,
  };
}

/** Formats problems with their advice. */
export function problemLines(problems: readonly Problem[], columns: number, none: string): StyledLine[] {
  if (problems.length === 0) return [{ text: `  ${none}`, style: STYLE.green }];
  return problems.flatMap(({ severity, subject, message, advice }) => [
    ...wrapped(`${severity}: ${subject}: ${message}`, "  ", columns).map((text) => ({
      text,
      style: SEVERITY_STYLES[severity],
    })),
    ...advice.flatMap((line) => wrapped(`  -> ${line}`, "     ", columns)).map(plain),
  ]);
}

/** Formats the errors by reason and all problems. */
export function allProblemLines({ problems, errors }: Overview, columns: number): StyledLine[] {
  return [
    ...wrapped(`Errors since creation (* within the last 10 s): ${errorsText(errors)}`, "  ", columns)
      .map(plain),
    plain(""),
    ...problemLines(problems, columns, "Nothing is wrong."),
  ];
}

/** The help screen. */
export const HELP_LINES: readonly StyledLine[] = [
  { text: "Keys", style: STYLE.bold },
  ...[
    "  up down k j      select another session; PgUp PgDn Home End too",
    "  Enter            details of the selected session; Enter, Esc or q: back",
    "  s S              sort by rate, rx, tx, errors, name, id; S: previous key",
    "  r                reverse the order",
    "  /                filter: words to match, !word to exclude; Esc: clear",
    "                   (interface, ids, state, addresses, bridge)",
    "  p                all problems, with advice",
    "  Ctrl-L           redraw the screen",
    "  Ctrl-Z           suspend; fg resumes",
    "  q Ctrl-C         quit",
    "",
    "  Rates are per second, in thousands (k) and millions (M). Bars: the last 60 s",
    "  of a session, scaled to its own maximum. ERRORS: packets since creation, red",
    "  if any occurred within the last 10 s.",
  ].map(plain),
];
