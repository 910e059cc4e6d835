/**
 * Re-exports `DaemonError` for rooms that may not import the driver.
 *
 * @module
 */

export { DaemonError, type DaemonTrouble } from "../../driver/daemon_api/error.ts";
