/**
 * The keywords of a command line, before anything is checked against the system.
 *
 * @module
 */

import type { HookSettings, SessionSettings, TunnelSettings } from "../../config/schema/settings.ts";

/**
 * All keywords of a line; those not given are `undefined`. The fields are those of the configuration's settings. As with
 * `ip`, every keyword is taken with every verb, the last of several wins, and an id or port of 0 counts as not given.
 */
export interface Arguments
  extends Omit<TunnelSettings, keyof HookSettings>, Omit<SessionSettings, keyof HookSettings> {
  tunnel?: boolean | undefined;
  session?: boolean | undefined;
  /** File of arguments for pppd, which is to run PPP instead of the daemon. */
  pppdFile?: string | undefined;
}
