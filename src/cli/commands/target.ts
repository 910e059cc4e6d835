/**
 * The system that `apply` and `save` work on: that of the present namespace.
 *
 * @module
 */

import { type ApplyTarget, USER_TIMER_HZ } from "../../apply/target.ts";
import type { Context } from "../context.ts";
import { pppHost } from "./ppp.ts";

/** The system of the context's clients. The context opens them when they are first used. */
export function targetOf(context: Context): ApplyTarget {
  return {
    get l2tp() {
      return context.l2tp;
    },
    get links() {
      return context.links;
    },
    debugfs: () => context.debugfs(),
    openLinks: (netns) => context.lazy.network.openLinks(netns),
    moveLink: (index, netns) => context.lazy.network.moveLink(context.links, index, netns),
    netnsNames: () => context.lazy.system.netnsNames(),
    namespaceName: () => context.lazy.system.netnsName(),
    timerHz: () => context.l2tp.dataplane === "user" ? USER_TIMER_HZ : context.lazy.system.kernelTimerHz(),
    get ppp() {
      return pppHost(context);
    },
    get hooks() {
      return context.hooks;
    },
    createScopedTunnel: (tunnel, scope) =>
      context.lazy.network.createScopedTunnel(context.l2tp, tunnel, scope),
  };
}
