/**
 * A cable of veth that does what a network card does.
 *
 * @module
 */

import type { Pair } from "../support/namespaces.ts";
import { sh } from "../support/processes.ts";

/**
 * Has checksums computed and TCP cut before packets cross the cable: the kernel's `l2tp_eth` takes a checksum that is
 * still to be computed for a wrong one (`l2tp_eth_dev_recv` sets CHECKSUM_NONE). Needs the Debian package ethtool.
 *
 * @param on Whether it does: at first, it does not
 */
export async function computeChecksums(pair: Pair, on = true): Promise<void> {
  for (const { name } of [pair.a, pair.b]) {
    await sh("ip", "netns", "exec", name, "ethtool", "-K", "cable", "tx", on ? "off" : "on");
  }
}
