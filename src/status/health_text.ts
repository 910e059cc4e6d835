/**
 * Formats the overview as text of at most 80 columns, except for long names.
 *
 * @module
 */

import type { ErrorCount, Overview, SessionStatus } from "./overview.ts";
import type { Problem } from "./health.ts";
import type { Rates } from "./rates.ts";
import { shortNumber } from "./units.ts";

const COLUMNS = 80;

/** Formats the overview: summary, session table, problems. Ends with a newline. */
export function healthText(overview: Overview): string {
  const { tunnels, tunnelsUp, sessions, sessionsUp, rates, intervalMs, errors, problems } = overview;
  const lines = ["HEALTH"];
  lines.push(
    ` tunnels ${tunnelsUp} up of ${tunnels.length}, sessions ${sessionsUp} up of ${sessions.length}`,
  );
  if (rates !== undefined && intervalMs !== undefined) {
    lines.push(` ${ratesText(rates)}, over ${(intervalMs / 1000).toFixed(1)} s`);
  }
  lines.push(...wrapped(` errors since creation (* increasing): ${errorsText(errors)}`, "  "));
  if (sessions.length > 0) lines.push("", ...sessionTable(sessions));
  lines.push("", ...problemLines(problems));
  return lines.join("\n") + "\n";
}

/** Formats rates in one line. */
export function ratesText({ rxPackets, rxBytes, txPackets, txBytes }: Rates): string {
  return `rx ${shortNumber(rxPackets)} packets/s ${shortNumber(rxBytes)} bytes/s, ` +
    `tx ${shortNumber(txPackets)} packets/s ${shortNumber(txBytes)} bytes/s`;
}

/** Formats error counts in one line. A star marks recent errors. */
export function errorsText(errors: readonly ErrorCount[]): string {
  if (errors.length === 0) return "none";
  return errors.map(({ reason, total, recent }) => `${reason} ${total}${recent ? "*" : ""}`).join(", ");
}

function sessionTable(sessions: readonly SessionStatus[]): string[] {
  const rows = [
    ["INTERFACE", "SESSION", "STATE", "MTU", "RX pkt/s", "byte/s", "TX pkt/s", "byte/s", "ERRORS"],
    ...sessions.map(sessionRow),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    " " +
    row.map((text, column) => column < 3 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!))
      .join(" ")
  );
}

function sessionRow({ key, session, state, link, rates, errors }: SessionStatus): string[] {
  const rate = (member: keyof Rates): string => (rates === undefined ? "-" : shortNumber(rates[member]));
  return [
    link?.name ?? session.interfaceName ?? "-",
    key,
    state,
    link === undefined ? "-" : String(link.mtu),
    rate("rxPackets"),
    rate("rxBytes"),
    rate("txPackets"),
    rate("txBytes"),
    shortNumber(errors.reduce((sum, { total }) => sum + total, 0)),
  ];
}

function problemLines(problems: readonly Problem[]): string[] {
  if (problems.length === 0) return [" nothing is wrong"];
  return problems.flatMap(({ severity, subject, message, advice }) => [
    ...wrapped(` ${severity}: ${subject}: ${message}`, "   "),
    ...advice.flatMap((line) => wrapped(`   -> ${line}`, "      ")),
  ]);
}

/** Breaks text between words into lines of at most `columns`. Continuation lines start with `indent`. */
export function wrapped(text: string, indent: string, columns: number = COLUMNS): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<=\S) /)) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = indent + word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
