/**
 * The tables of `docs/reference/configuration.md`: what a configuration can say, made from the schema.
 *
 * @module
 */

import { PPP_SETTINGS, SESSION_SETTINGS, type Setting, TUNNEL_SETTINGS } from "../../src/config/schema.ts";

/** The rows of a table, as Markdown. */
function table<T>(title: string, schema: readonly Setting<T>[]): string {
  const rows = schema.map(({ key, type, help, fallback, required, own }) => {
    const wanted = fallback === undefined ? (required ? "needed" : "") : `default \`${fallback}\``;
    const notes = [wanted, own ? "not shared" : ""].filter((note) => note !== "").join("; ");
    return `| \`${key}\` | ${help} | ${type.replaceAll('"', "`")} | ${notes} |\n`;
  });
  return `| ${title} | what it is | value | |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}

/** The tables, as they stand there. */
export function schemaTables(): string {
  return [
    table("a tunnel says", TUNNEL_SETTINGS),
    table("a session says", SESSION_SETTINGS),
    table("a session's table `ppp` says", PPP_SETTINGS),
  ].join("\n");
}
