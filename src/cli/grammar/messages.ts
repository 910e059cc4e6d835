/**
 * First lines of errors, in the words of `ip`, which scripts and people know. The differential suite compares them with
 * the real `ip`.
 *
 * @module
 */

import { errnoText } from "../../base/errno.ts";

/** A required argument is missing. */
export function argumentRequired(keyword: string): string {
  return `Error: argument "${keyword}" is required`;
}

/** An argument's value is wrong. */
export function argumentWrong(value: string, reason: string): string {
  return `Error: argument "${value}" is wrong: ${reason}`;
}

/** A value is not an address. */
export function addressExpected(value: string): string {
  return `Error: any valid address is expected rather than "${value}".`;
}

/** A value is not an address with a prefix length. */
export function prefixExpected(value: string): string {
  return `Error: any valid prefix is expected rather than "${value}".`;
}

/** The line ends after a keyword that needs a value. */
export const LINE_INCOMPLETE = 'Command line is not complete. Try option "help"';

/** A keyword that no command has. */
export function unknownKeyword(word: string): string {
  return `Unknown command: ${word}`;
}

/** A verb that does not exist. */
export function unknownVerb(word: string): string {
  return `Command "${word}" is unknown, try "l2tp help".`;
}

/** A global option that does not exist. */
export function unknownOption(option: string): string {
  return `Option "${option}" is unknown, try "l2tp help".`;
}

/** `encap` with another word than `ip` or `udp`. */
export function unknownEncap(value: string): string {
  return `Unknown tunnel encapsulation "${value}"`;
}

/** A type of L2-specific sublayer other than `none` or `default`. */
export function unknownL2spec(value: string): string {
  return `Unknown layer2specific header type "${value}"`;
}

/** `seq` with another word than `none`, `send`, `recv` or `both`. */
export function unknownSeq(value: string): string {
  return `Unknown seq value "${value}"`;
}

/** A given keyword means nothing to this command. */
export function ignoringOption(keyword: string): string {
  return `Ignoring option "${keyword}"`;
}

/** The kernel refused. */
export function kernelAnswers(errno: number): string {
  return `RTNETLINK answers: ${errnoText(errno)}`;
}

/** The kernel refused with a reason (extended ACK). */
export function kernelExplains(extack: string): string {
  return `Error: ${extack.replace(/\.?$/, ".")}`;
}

/** A daemon was started. */
export function daemonStarted(pid: number, kernelLacksL2tp: boolean): string {
  return `Started l2tp daemon (process ${pid}): ` +
    (kernelLacksL2tp
      ? "this kernel has no L2TP, so tunnels run in userspace.\n"
      : "tunnels run in userspace.\n");
}

/** A daemon was started in the background, for PPP on sessions of the kernel. */
export function pppDaemonStarted(pid: number): string {
  return `Started l2tp daemon (process ${pid}): it runs PPP.\n`;
}

/** No daemon runs, but a journal has the tunnels of one that ended without deleting them. */
export function daemonLeft(journal: string): string {
  return `l2tp daemon is not running, and left tunnels in the journal ${journal}:\n` +
    "  l2tp daemon restores them, l2tp daemon --fresh discards them\n";
}

/** A named network namespace cannot be opened. */
export function cannotOpenNetns(name: string, errno: number): string {
  return `Cannot open network namespace "${name}": ${errnoText(errno)}`;
}

/** A batch file cannot be opened. */
export function cannotOpenFile(path: string, errno: number): string {
  return `Cannot open file "${path}" for reading: ${errnoText(errno)}`;
}

/** A line of a batch failed. */
export function batchLineFailed(file: string, line: number): string {
  return `Command failed ${file}:${line}`;
}

/** A quote in a batch line has no end. */
export const UNTERMINATED_QUOTE = "Unterminated quoted string";

/** A full-screen view needs a terminal. */
export const NO_TERMINAL = "Error: standard input and output are not a terminal.";
