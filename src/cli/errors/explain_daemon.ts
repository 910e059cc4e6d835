/**
 * What is wrong with the daemon, and what to try.
 *
 * @module
 */

import type { DaemonError } from "../../client/daemon/error.ts";

/** The line that is printed first. */
export function daemonTrouble({ trouble, path }: DaemonError): string {
  switch (trouble) {
    case "absent":
      return "Error: there is no L2TP here: no kernel's, no daemon's.";
    case "ended":
      return "Error: the l2tp daemon has ended.";
    case "silent":
      return "Error: the l2tp daemon does not answer.";
    case "forbidden":
      return "Error: the l2tp daemon may not be talked to: Permission denied";
    case "garbled":
      return "Error: the answer of the l2tp daemon makes no sense.";
    case "notStarted":
      return "Error: the l2tp daemon could not be started.";
    case "badPath":
      return `Error: "${path}" cannot be the path of a socket.`;
    default:
      return trouble satisfies never;
  }
}

/** Lines of why and what to try. */
export function explainDaemon({ trouble, path, lastWords }: DaemonError): string[] {
  const log = `Its log, if l2tp started it: ${path.replace(/[^/]*$/, "daemon.log")}`;
  switch (trouble) {
    case "absent":
      return [
        `Nobody listens at ${path}.`,
        "Start the one in userspace: l2tp daemon, or add a tunnel first.",
      ];
    case "ended":
      return ["What was asked of it last may have been done or not: see l2tp show", log];
    case "silent":
      return [`It was waited for at ${path}.`, log];
    case "forbidden":
      return [
        `Who may write to ${path} may: root and, where there is one, the group l2tp.`,
        "Try it as root: sudo l2tp …",
      ];
    case "garbled":
      return [`Is it l2tp that listens at ${path}?`];
    case "notStarted":
      return lastWords.length > 0
        ? ["The reason:", ...lastWords.map((line) => `  ${line}`)]
        : ["It said nothing. See what it says in the foreground: l2tp daemon"];
    case "badPath":
      return ["L2TP_RUNTIME_DIR names the daemon's folder: a path of at most 98 bytes."];
    default:
      return trouble satisfies never;
  }
}
