/**
 * Explains why the daemon cannot be used, and what to try.
 *
 * @module
 */

import type { DaemonError } from "../../client/daemon/error.ts";

/** The line that is printed first. */
export function daemonTrouble({ trouble, path }: DaemonError): string {
  switch (trouble) {
    case "absent":
      return "Error: no L2TP here: the kernel has none, and no l2tp daemon runs.";
    case "ended":
      return "Error: the l2tp daemon has ended.";
    case "silent":
      return "Error: the l2tp daemon does not answer.";
    case "forbidden":
      return "Error: no permission to talk to the l2tp daemon.";
    case "garbled":
      return "Error: invalid reply from the l2tp daemon.";
    case "notStarted":
      return "Error: the l2tp daemon could not be started.";
    case "badPath":
      return `Error: "${path}" cannot be the path of a socket.`;
    default:
      return trouble satisfies never;
  }
}

/** Lines with the reason and what to try. */
export function explainDaemon({ trouble, path, lastWords }: DaemonError): string[] {
  const log = `Its log, if l2tp started it: ${path.replace(/[^/]*$/, "daemon.log")}`;
  switch (trouble) {
    case "absent":
      return [
        `No daemon listens at ${path}.`,
        "Start it: l2tp daemon. Adding a tunnel starts it as well.",
      ];
    case "ended":
      return ["The last request may or may not have been carried out: see l2tp show", log];
    case "silent":
      return [`There was no answer at ${path}.`, log];
    case "forbidden":
      return [
        `Only root and, if it exists, the group l2tp may write to ${path}.`,
        "Run it as root: sudo l2tp …",
      ];
    case "garbled":
      return [`Another program may be listening at ${path}.`];
    case "notStarted":
      return lastWords.length > 0
        ? ["The reason:", ...lastWords.map((line) => `  ${line}`)]
        : ["It printed nothing. Run it in the foreground: l2tp daemon"];
    case "badPath":
      return ["L2TP_RUNTIME_DIR is the path of the daemon's folder, of at most 98 bytes."];
    default:
      return trouble satisfies never;
  }
}
