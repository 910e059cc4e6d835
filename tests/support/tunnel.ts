/**
 * The tunnel that most tests with traffic begin with.
 *
 * @module
 */

import type { L2tpClient } from "../../src/client/l2tp_client.ts";
import type { Namespace, Pair } from "./namespaces.ts";

/** One end of the tunnel. */
export interface TunnelEnd {
  readonly netns: Namespace;
  /** A client of the subsystem there, until the end is made. */
  readonly client: L2tpClient;
  /** Ids of tunnel and session, and the last part of all addresses: here, and at the other end. */
  readonly own: 1 | 2;
  readonly other: 1 | 2;
}

/**
 * Creates a UDP tunnel with one session between the two hosts of a pair. Ids and addresses contain the host's number:
 *
 * ```
 *   a: tunnel 1, session 1, pw0 192.168.7.1/24 ── b: tunnel 2, session 2, pw0 192.168.7.2/24
 * ```
 *
 * @param open a client of the subsystem in that namespace
 * @param more further parameters of each end
 */
export async function joinByTunnel(
  { a, b }: Pair,
  open: (netns: Namespace) => L2tpClient,
  more: (end: TunnelEnd) => void | Promise<void> = () => {},
): Promise<void> {
  for (const [netns, own, other] of [[a, 1, 2], [b, 2, 1]] as const) {
    using client = open(netns);
    client.createTunnel({
      tunnelId: own,
      peerTunnelId: other,
      encap: "udp",
      local: `10.0.0.${own}`,
      peer: `10.0.0.${other}`,
      localPort: 1701,
      peerPort: 1701,
    });
    client.createSession({ tunnelId: own, sessionId: own, peerSessionId: other, interfaceName: "pw0" });
    await netns.ip(`addr add 192.168.7.${own}/24 dev pw0`);
    await netns.ip("link set pw0 up");
    await more({ netns, client, own, other });
  }
}
