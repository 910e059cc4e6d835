/**
 * The system that commands make as a configuration says: that of the present namespace.
 *
 * @module
 */

import { type Site, USER_TIMER_HZ } from "../../apply/target.ts";
import type { Context } from "../context.ts";
import { pppHost } from "./ppp.ts";

/** The system that the context's clients work on. They are opened as the context opens them. */
export function siteOf(context: Context): Site {
  return {
    get l2tp() {
      return context.l2tp;
    },
    get links() {
      return context.links;
    },
    debugfs: () => context.l2tp.dataplane === "user" ? context.l2tp.debugfs() : context.more.debugfs(),
    openLinks: (netns) => context.more.openLinks(netns),
    moveLink: (index, netns) => context.more.moveLink(context.links, index, netns),
    netnsNames: () => context.more.netnsNames(),
    namespaceName: () => context.more.namespaceName(),
    timerHz: () => context.l2tp.dataplane === "user" ? USER_TIMER_HZ : context.more.kernelTimerHz(),
    get ppp() {
      return pppHost(context);
    },
    get hooks() {
      return context.hooks;
    },
    createScopedTunnel: (tunnel, scope) => context.more.createScopedTunnel(context.l2tp, tunnel, scope),
  };
}
