/**
 * Processes in the background that hold a tunnel's socket open.
 *
 * @module
 */

import type { Socket } from "../../ffi/socket.ts";

/**
 * Starts this program again as `l2tp keep TUNNEL_ID`, in a session of its own so that no terminal's signals reach it.
 * It inherits the socket, which must have been opened `inheritable`, and ends when the tunnel is gone.
 */
export function startKeeper(_socket: Socket, tunnelId: number): void {
  const itself = Deno.build.standalone
    ? []
    : ["run", "--allow-all", "--no-config", "--no-lock", Deno.mainModule];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...itself, "keep", String(tunnelId)],
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  });
  command.spawn().unref();
}
