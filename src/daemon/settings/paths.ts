/**
 * Where the daemon keeps what outlives it. The folder is emptied at boot, as the tunnels are.
 *
 * @module
 */

/** Files of one daemon. */
export interface DaemonPaths {
  /** Their folder. */
  readonly folder: string;
  /** The socket that clients connect to. */
  readonly socket: string;
  /** The journal. */
  readonly journal: string;
}

/** The files of the daemon whose folder is `L2TP_RUNTIME_DIR`, or `/run/l2tp`. */
export function daemonPaths(): DaemonPaths {
  const folder = Deno.env.get("L2TP_RUNTIME_DIR") || "/run/l2tp";
  return { folder, socket: `${folder}/api.sock`, journal: `${folder}/journal` };
}
