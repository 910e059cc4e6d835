/**
 * Parts of the client that a plain `show` does not use. `src/lazy.ts` loads them; the daemon's connection is loaded
 * alone where only that is needed.
 *
 * @module
 */

import { inspectDaemon } from "../driver/daemon_api/inspect.ts";
import { inNamespace, withNamespaceFd } from "../driver/system/namespace.ts";
import { Keepers } from "../driver/tunnel_socket/keeper.ts";
import type { DaemonFacts } from "../doctor/facts.ts";
import type { PendingTunnel } from "../model/pending_tunnel.ts";
import type { TunnelParameters } from "../model/tunnel.ts";
import { pendingTunnels } from "./daemon/pending_tunnels.ts";
import { connectDaemon, openDaemonEvents, openDaemonTrace, startDaemon } from "./daemon/lazy.ts";
import { journalLeftIn } from "./daemon/locate.ts";
import type { DaemonClient } from "./daemon/client.ts";
import type { L2tpTrace } from "./daemon/trace.ts";
import { kernelHasL2tp } from "./kernel/detect.ts";
import type { L2tpClient } from "./l2tp_client.ts";
import { L2tpEvents } from "./l2tp_events.ts";
import { LinkClient } from "./link_client.ts";
import { createScopedTunnel } from "./scoped_tunnel.ts";
import type { Dataplane } from "./subsystem.ts";

export { DaemonSocket } from "../driver/daemon_api/connection.ts";
export { daemonL2tpClient } from "./daemon/client.ts";
export { DaemonProcess } from "./daemon/lazy.ts";

/** Interfaces, notifications and tunnel sockets of this system. Every method throws the errors of its client. */
export class NetworkClients {
  readonly #runtimeDir: string;
  readonly #keepers = new Keepers();

  /** Opens nothing yet. `runtimeDir` is the folder of the daemon's socket, as an absolute path. */
  constructor(runtimeDir: string) {
    this.#runtimeDir = runtimeDir;
  }

  /** Opens a client for interfaces, in the named namespace or (without a name) the present one. */
  openLinks(netns?: string): LinkClient {
    return netns === undefined ? LinkClient.open() : inNamespace(netns, LinkClient.open);
  }

  /** Moves an interface of the present namespace, by its index, to another namespace. */
  moveLink(links: LinkClient, index: number, netns: string): void {
    withNamespaceFd(netns, (netnsFd) => links.changeLink(index, { netnsFd }));
  }

  /** Subscribes to the notifications of a subsystem. */
  openEvents(dataplane: Dataplane): L2tpEvents {
    return dataplane === "kernel" ? L2tpEvents.open() : openDaemonEvents(this.#runtimeDir);
  }

  /** Creates a tunnel between link-local addresses. */
  createScopedTunnel(l2tp: L2tpClient, tunnel: TunnelParameters, scope: string): void {
    createScopedTunnel(this.#keepers, l2tp, tunnel, scope);
  }

  /** Whether the kernel answers L2TP requests. */
  kernelHasL2tp(): boolean {
    return kernelHasL2tp();
  }
}

/** The daemon of one folder. Every method throws `DaemonError` if the daemon cannot be used. */
export class DaemonClients {
  readonly #runtimeDir: string;
  readonly #netns: string | undefined;

  /** Opens nothing yet. A daemon that has to be started runs in the network namespace of the path `netns`. */
  constructor(runtimeDir: string, netns: string | undefined) {
    this.#runtimeDir = runtimeDir;
    this.#netns = netns;
  }

  /** Subscribes to the trace events of the userspace subsystem. */
  openTrace(): L2tpTrace {
    return openDaemonTrace(this.#runtimeDir);
  }

  /** A client of the daemon for the present namespace; `undefined` if no daemon runs. */
  connect(): DaemonClient | undefined {
    return connectDaemon(this.#runtimeDir);
  }

  /** The same client. Starts a daemon if none runs; `startedPid` is its process id. */
  async start(): Promise<{ readonly daemon: DaemonClient; readonly startedPid: number | undefined }> {
    return await startDaemon({ runtimeDir: this.#runtimeDir, netns: this.#netns });
  }

  /** Tunnels of the daemon's configuration file that differ from the file; none if no daemon answers. */
  pendingTunnels(daemon?: DaemonClient): readonly PendingTunnel[] {
    return pendingTunnels(this.#runtimeDir, daemon);
  }

  /** Facts about the daemon, for the doctor. */
  inspect(): DaemonFacts {
    return inspectDaemon(this.#runtimeDir, journalLeftIn(this.#runtimeDir));
  }
}
