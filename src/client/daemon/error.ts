/**
 * The daemon's troubles, for rooms that may not look into the driver's.
 *
 * @module
 */

export { DaemonError, type DaemonTrouble } from "../../driver/daemon_api/error.ts";
