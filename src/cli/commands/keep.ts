/**
 * `keep`: the background process that holds a tunnel's socket open (it inherits the descriptor) until the tunnel is
 * deleted. Only {@link CliPorts.createScopedTunnel} starts it.
 *
 * @module
 */

import type { Tunnel } from "../../model/tunnel.ts";
import type { Context } from "../context.ts";

/** First and longest pause between two checks for the tunnel. */
const FIRST_NAP_MS = 20;
const LONGEST_NAP_MS = 1000;

/** Waits until no tunnel has the id and the local port (0 for encap ip; any if it is left out). */
export async function keep(context: Context, [tunnelId, localPort]: readonly string[]): Promise<number> {
  const id = Number(tunnelId);
  const isOurs = (tunnel: Tunnel): boolean =>
    tunnel.tunnelId === id && (localPort === undefined || (tunnel.localPort ?? 0) === Number(localPort));
  const isThere = (): boolean => {
    const tunnel = context.l2tp.tunnel(id);
    return tunnel !== undefined && isOurs(tunnel);
  };
  // Only kernel tunnels need it, whatever the environment chooses.
  context.dataplane = "kernel";
  using events = context.lazy.network.openEvents("kernel");
  await context.open("read");
  // It may have been deleted before the subscription.
  if (!isThere()) return 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (napMs: number): void => {
    if (isThere()) timer = setTimeout(() => look(Math.min(2 * napMs, LONGEST_NAP_MS)), napMs);
    else events.close();
  };
  try {
    for await (const event of events) {
      // The kernel notifies before a deletion has finished, seconds before if there are many; and the notification may
      // be about a tunnel of another namespace, so waiting continues.
      const perhaps = event.type === "eventsLost" || (event.type === "tunnelDeleted" && isOurs(event.tunnel));
      if (!perhaps) continue;
      clearTimeout(timer);
      look(FIRST_NAP_MS);
    }
  } finally {
    clearTimeout(timer);
  }
  return 0;
}
