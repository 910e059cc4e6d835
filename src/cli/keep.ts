/**
 * `keep`: the background process that holds a tunnel's socket open (it inherits the descriptor) until the tunnel is
 * deleted. Only {@link CliPorts.createScopedTunnel} starts it.
 *
 * @module
 */

import type { Context } from "./context.ts";

/** Waits until there is no tunnel with the id. */
export async function keep(context: Context, [tunnelId]: readonly string[]): Promise<number> {
  const id = Number(tunnelId);
  using events = context.ports.openEvents();
  // Deleted before the listening began: nothing will be told of it.
  if (context.l2tp.tunnel(id) === undefined) return 0;
  for await (const event of events) {
    const about = event.type === "eventsLost" ||
      (event.type === "tunnelDeleted" && event.tunnel.tunnelId === id);
    if (about && await isGone(context, id)) return 0;
  }
  return 0;
}

/** The notification of a deletion comes before its end, and may be about another namespace's tunnel. */
async function isGone(context: Context, tunnelId: number): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt++) {
    if (context.l2tp.tunnel(tunnelId) === undefined) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
