/**
 * Interactive mode: `l2tp shell`. Lines are command lines; this room adds the prompt, completion while typing, help at
 * every word, abbreviations, filters and a history.
 *
 * @module
 */

export { HISTORY_SIZE } from "./history.ts";
export type { HistoryStore, ShellPorts, Terminal } from "./ports.ts";
export { runShell } from "./shell.ts";
