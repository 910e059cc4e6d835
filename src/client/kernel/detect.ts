/**
 * Detects whether the kernel has L2TP.
 *
 * @module
 */

import { FamilyMissingError } from "../../base/errors.ts";
import { L2tpClient } from "../l2tp_client.ts";

/** Reports whether the kernel answers L2TP requests. The kernel loads its modules for that if it can. */
export function kernelHasL2tp(): boolean {
  try {
    L2tpClient.open()[Symbol.dispose]();
    return true;
  } catch (error) {
    if (error instanceof FamilyMissingError) return false;
    throw error;
  }
}
