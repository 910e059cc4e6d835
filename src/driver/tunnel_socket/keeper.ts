/**
 * Background processes that hold a tunnel's socket open.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import type { TunnelParameters } from "../../model/tunnel.ts";
import { decodeInet } from "../../../ffi/sockets/sockaddr.ts";
import type { Socket } from "../../../ffi/sockets/socket.ts";
import { openTunnelSocket } from "./open.ts";

/**
 * Time to wait for an address that a keeper of this process still holds after its tunnel was deleted, in
 * milliseconds.
 */
const RELEASE_LIMIT_MS = 1000;

/** The background processes that this process started. They outlive it. */
export class Keepers {
  readonly #started: { readonly tunnelId: number; readonly child: Deno.ChildProcess }[] = [];

  /**
   * Opens the socket for a tunnel with scoped addresses, so that a keeper can inherit it. If its address is in use,
   * ends the keepers of this process whose tunnels were deleted (`isThere` returns false), and retries for a while.
   *
   * @throws {SyscallError}
   */
  openSocket(tunnel: TunnelParameters, scope: string, exists: (tunnelId: number) => boolean): Socket {
    for (let waitedMs = 0, pauseMs = 1;; waitedMs += pauseMs, pauseMs = Math.min(2 * pauseMs, 50)) {
      try {
        return openTunnelSocket(tunnel, { scope, inheritable: true });
      } catch (error) {
        const taken = error instanceof SyscallError && error.errno === Errno.EADDRINUSE;
        if (!taken || this.#started.length === 0 || waitedMs >= RELEASE_LIMIT_MS) throw error;
        for (const { tunnelId, child } of this.#started) {
          if (!exists(tunnelId)) end(child);
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
      }
    }
  }

  /**
   * Starts this program again as `l2tp keep TUNNEL_ID PORT`, in a session of its own so that terminal signals do not
   * reach it. The process inherits the socket and ends when the tunnel is deleted.
   */
  start(socket: Socket, tunnel: TunnelParameters): void {
    const port = tunnel.encap === "udp" ? decodeInet(socket.localName()).port : 0;
    const itself = Deno.build.standalone
      ? []
      // The keeper uses other V8 flags, and must not replace the code cache of short commands.
      : ["run", "--allow-all", "--no-config", "--no-lock", "--no-code-cache", Deno.mainModule];
    const child = new Deno.Command(Deno.execPath(), {
      args: [...itself, "keep", String(tunnel.tunnelId), String(port)],
      cwd: "/",
      // Deno reads npm's settings from HOME, and fails if they are invalid.
      env: { HOME: "/" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    child.unref();
    this.#started.push({ tunnelId: tunnel.tunnelId, child });
  }
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill();
  } catch {
    // The process has ended already.
  }
}
