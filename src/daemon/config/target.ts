/**
 * The system that the daemon's configuration file is applied to: the daemon's own network namespace, and in it the
 * daemon's subsystem or the kernel's.
 *
 * @module
 */

import { type ApplyTarget, USER_TIMER_HZ } from "../../apply/target.ts";
import { L2tpClient } from "../../client/l2tp_client.ts";
import { LinkClient } from "../../client/link_client.ts";
import { createScopedTunnel } from "../../client/scoped_tunnel.ts";
import type { DataplaneChoice } from "../../client/subsystem.ts";
import type { Config } from "../../config/schema/settings.ts";
import { hostAddressesInBackground } from "../../driver/system/hosts.ts";
import { Keepers } from "../../driver/tunnel_socket/keeper.ts";
import { kernelTimerHz } from "../../driver/system/kernel_clock.ts";
import { HookRunner } from "../../driver/system/hook_runner.ts";
import { readKernelDebugfs } from "../../driver/system/kernel_debugfs.ts";
import { isKernelAtLeast, kernelRelease } from "../../driver/system/kernel_release.ts";
import { readPrivateFile } from "../../driver/system/private_file.ts";
import { inNamespace, withNamespaceFd } from "../../driver/system/namespace.ts";
import { currentNamespace, namespaceNames } from "../../driver/system/namespace_names.ts";
import { openNetworkChanges } from "../../driver/netlink/network_changes.ts";
import type { PendingTunnel } from "../../model/pending_tunnel.ts";
import { openNetns } from "../../../ffi/kernel/netns.ts";
import { ConfiguredTunnels } from "./configured_tunnels.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import type { DaemonOptions } from "../settings/options.ts";
import { type InProcessApi, openInProcessClient } from "../api/in_process_transport.ts";
import type { PppSessions } from "../ppp/sessions.ts";

/** Dependencies of a {@link DaemonTarget}. All is borrowed. */
export interface DaemonTargetParts {
  /** The daemon's own subsystem, and what its requests take. */
  readonly api: InProcessApi;
  /** The namespaces. */
  readonly namespaces: NetworkNamespaces;
  /** Runs PPP. */
  readonly ppp: PppSessions;
  /** The subsystem of the tunnels. Default: the daemon's own. */
  readonly dataplane: DataplaneChoice | undefined;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/** The configured tunnels in the daemon's own namespace, with the clients and keepers that create them. */
export class DaemonTarget implements Disposable {
  readonly #netns: string;
  readonly #tunnels: ConfiguredTunnels;
  readonly #stack: DisposableStack;

  private constructor(netns: string, tunnels: ConfiguredTunnels, stack: DisposableStack) {
    this.#netns = netns;
    this.#tunnels = tunnels;
    this.#stack = stack;
  }

  /**
   * Opens the clients that the tunnels of the configuration need. No tunnel is created yet.
   *
   * @throws {FamilyMissingError} if they are for the kernel, which has no L2TP and could load none
   * @throws {SyscallError}
   */
  static open(
    config: Config,
    { config: path = "", prune, keep }: Pick<DaemonOptions, "config" | "prune" | "keep">,
    { api, namespaces, ppp, dataplane, log }: DaemonTargetParts,
  ): DaemonTarget {
    using stack = new DisposableStack();
    const netns = namespaces.hold(openNetns("/proc/thread-self/ns/net"));
    stack.defer(() => namespaces.release(netns));
    const kernel = stack.use(kernelClient(dataplane));
    const l2tp = kernel ?? stack.use(openInProcessClient(api, netns));
    const links = stack.use(LinkClient.open());
    const keepers = new Keepers();
    const target: ApplyTarget = {
      l2tp,
      links,
      debugfs: () => kernel === undefined ? [...api.subsystem.debugfs(netns)].join("") : readKernelDebugfs(),
      openLinks: (netns) => inNamespace(netns, LinkClient.open),
      moveLink: (index, netns) => withNamespaceFd(netns, (netnsFd) => links.changeLink(index, { netnsFd })),
      netnsNames: namespaceNames,
      namespaceName: currentNamespace,
      timerHz: () => kernel === undefined ? USER_TIMER_HZ : kernelTimerHz(),
      ppp: {
        sessions: () => [...ppp.statuses(netns)],
        run: (request) => ppp.run(netns, request),
        renewSecrets: (request) => ppp.renewSecrets(netns, request),
        end: (session) => ppp.end(netns, session),
        readPrivateFile,
      },
      hooks: new HookRunner(log),
      createScopedTunnel: (tunnel, scope) => createScopedTunnel(keepers, l2tp, tunnel, scope),
    };
    const tunnels = new ConfiguredTunnels(config, {
      target,
      path,
      prune,
      // The kernel's tunnels outlive the daemon.
      takeDown: !keep && kernel === undefined,
      resolve: hostAddressesInBackground,
      monitor: openNetworkChanges,
      now: () => performance.now(),
      log,
    });
    return new DaemonTarget(netns, tunnels, stack.move());
  }

  /** As {@link ConfiguredTunnels.run}. */
  async run(onApplied: () => void): Promise<void> {
    await this.#tunnels.run(onApplied);
  }

  /** As {@link ConfiguredTunnels.reload}. */
  reload(): void {
    this.#tunnels.reload();
  }

  /** As {@link ConfiguredTunnels.end}. */
  end(): void {
    this.#tunnels.end();
  }

  /** As {@link ConfiguredTunnels.pending}; none for another namespace. */
  pending(netns: string): Iterable<PendingTunnel> {
    return netns === this.#netns ? this.#tunnels.pending() : [];
  }

  /** Closes the clients. The tunnels stay. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** Opens a client of the kernel; `undefined` if the daemon's subsystem is chosen, or with `auto` if the kernel has no L2TP. */
function kernelClient(choice: DataplaneChoice | undefined): L2tpClient | undefined {
  if (choice === undefined || choice === "user") return undefined;
  const options = {
    get acceptsDuplicateSessions(): boolean {
      return isKernelAtLeast(kernelRelease(), 6, 10);
    },
  };
  return choice === "kernel" ? L2tpClient.open(options) : L2tpClient.openIfThere(options);
}
