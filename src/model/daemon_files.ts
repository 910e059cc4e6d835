/**
 * The files of a daemon in its folder, which the daemon and its clients share. The folder is emptied at boot, as the
 * tunnels are.
 *
 * @module
 */

/** The folder unless another one is named (`L2TP_RUNTIME_DIR`). */
export const DEFAULT_RUNTIME_DIR = "/run/l2tp";

/** First line of every journal. A journal with nothing but this line tells of no tunnel. */
export const JOURNAL_HEADER = '{"l2tp_journal":1}\n';

/** Paths of a daemon's files. */
export interface DaemonFiles {
  /** Their folder. */
  readonly folder: string;
  /** The socket that clients connect to. */
  readonly socket: string;
  /** The journal. */
  readonly journal: string;
  /** The log of a daemon that was started in the background. */
  readonly log: string;
}

/** The files of the daemon that has this folder. */
export function daemonFiles(folder: string): DaemonFiles {
  return {
    folder,
    socket: `${folder}/api.sock`,
    journal: `${folder}/journal`,
    log: `${folder}/daemon.log`,
  };
}
