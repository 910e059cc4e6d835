/**
 * Interactive mode: `l2tp shell`. The lines are the command line's; this room adds the prompt, completion while typing,
 * help at every word, abbreviations, filters and a history.
 *
 * @module
 */

// Whoever loads this room needs all of the command line anyway. Saying so keeps the bundler from cutting what a plain
// `show` loads into more files, one for each set of doors that lead to it.
export * as cli from "../cli/lazy.ts";
export { HISTORY_SIZE } from "./history.ts";
export type { HistoryStore, ShellPorts, Terminal } from "./ports.ts";
export { runShell } from "./shell.ts";
