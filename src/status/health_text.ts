/**
 * The health of the population as lines of text, none longer than 80 columns but for long names. Pure.
 *
 * @module
 */

import type { ErrorCount, Overview, SessionStatus } from "./overview.ts";
import type { Problem } from "./health.ts";
import type { Rates } from "./rates.ts";
import { shortNumber } from "./units.ts";

const COLUMNS = 80;

/** The text, its last newline included. */
export function healthText(overview: Overview): string {
  const { tunnels, tunnelsUp, sessions, sessionsUp, rates, intervalMs, errors, problems } = overview;
  const lines = ["HEALTH"];
  lines.push(
    ` tunnels ${tunnelsUp} up of ${tunnels.length}, sessions ${sessionsUp} up of ${sessions.length}`,
  );
  if (rates !== undefined && intervalMs !== undefined) {
    lines.push(` ${ratesText(rates)}, within ${(intervalMs / 1000).toFixed(1)} s`);
  }
  lines.push(...wrapped(` errors since creation (* more right now): ${errorsText(errors)}`, "  "));
  if (sessions.length > 0) lines.push("", ...sessionTable(sessions));
  lines.push("", ...problemLines(problems));
  return lines.join("\n") + "\n";
}

/** Rates in words. */
export function ratesText({ rxPackets, rxBytes, txPackets, txBytes }: Rates): string {
  return `rx ${shortNumber(rxPackets)} packets/s ${shortNumber(rxBytes)} bytes/s, ` +
    `tx ${shortNumber(txPackets)} packets/s ${shortNumber(txBytes)} bytes/s`;
}

/** Errors in words; a star marks those that are recent. */
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

/** The text in lines that fit, broken between words; all but the first are indented. */
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
