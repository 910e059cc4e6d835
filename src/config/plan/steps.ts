/**
 * Steps of plans, as data: each step is one request, with the steps that undo it. Pure.
 *
 * @module
 */

import { isIpv6Text } from "../../base/inet.ts";
import { isLinkLocalText } from "../../base/ip_address.ts";
import type { SessionChanges, SessionIds, SessionParameters } from "../../model/session.ts";
import type { DesiredPpp } from "../../model/ppp/settings.ts";
import type { TunnelParameters } from "../../model/tunnel.ts";
import {
  type ActualLink,
  type ActualSession,
  type ActualTunnel,
  sessionParameters,
  tunnelParameters,
} from "./actual.ts";
import type { Hook } from "./hooks.ts";
import type { Prefix } from "../schema/settings.ts";

export type { SessionIds } from "../../model/session.ts";

/** A session's interface. */
export interface LinkPlace extends SessionIds {
  /** Name of the network namespace that it is in; `undefined` for the tunnel's. */
  readonly netns?: string | undefined;
}

/** One request. */
export type PlanStep =
  | { readonly do: "createTunnel"; readonly tunnel: TunnelParameters; readonly scope: string | undefined }
  /** Ends PPP on these of its sessions first. */
  | { readonly do: "deleteTunnel"; readonly tunnelId: number; readonly ppp?: readonly number[] | undefined }
  | { readonly do: "createSession"; readonly session: SessionParameters }
  /** Ends PPP first, if it runs, so that the peer is notified. */
  | { readonly do: "deleteSession"; readonly key: SessionIds; readonly ppp?: boolean | undefined }
  | { readonly do: "modifySession"; readonly key: SessionIds; readonly changes: SessionChanges }
  /** Moves it out of the tunnel's namespace. */
  | { readonly do: "moveLink"; readonly key: SessionIds; readonly netns: string }
  | { readonly do: "setMtu"; readonly key: LinkPlace; readonly mtu: number }
  /** `undefined` removes it from its bridge. */
  | { readonly do: "setBridge"; readonly key: LinkPlace; readonly bridge: string | undefined }
  | { readonly do: "setUp"; readonly key: LinkPlace; readonly up: boolean }
  | { readonly do: "addAddress"; readonly key: LinkPlace; readonly prefix: Prefix }
  | { readonly do: "deleteAddress"; readonly key: LinkPlace; readonly prefix: Prefix }
  | {
    readonly do: "runPpp";
    readonly key: SessionIds;
    readonly ppp: DesiredPpp;
    /** A free name unless given. */
    readonly interfaceName: string | undefined;
  }
  /** Reads the file of secrets again for running PPP. */
  | { readonly do: "renewSecrets"; readonly key: SessionIds; readonly ppp: DesiredPpp }
  | { readonly do: "runHook"; readonly hook: Hook };

/** A step, and the steps that undo it, in order. */
export interface PlannedStep {
  /** The step. */
  readonly step: PlanStep;
  /** Steps that undo it. */
  readonly undo: readonly PlanStep[];
}

/** Configuration of an interface; settings that are left out stay as they are. */
export interface DesiredLink {
  /** Name of its network namespace. */
  readonly netns?: string | undefined;
  readonly mtu?: number | undefined;
  /** `"none"` for none. */
  readonly bridge?: string | undefined;
  readonly addresses?: readonly Prefix[] | undefined;
  readonly up?: boolean | undefined;
}

/** Steps that configure a new interface, which is down and has no settings. */
export function configureLinkSteps(
  session: SessionIds,
  { netns, mtu, bridge, addresses = [], up }: DesiredLink,
): PlanStep[] {
  const steps: PlanStep[] = [];
  const key = netns === undefined ? session : { ...session, netns };
  if (netns !== undefined) steps.push({ do: "moveLink", key: session, netns });
  if (mtu !== undefined) steps.push({ do: "setMtu", key, mtu });
  if (bridge !== undefined && bridge !== "none") steps.push({ do: "setBridge", key, bridge });
  for (const prefix of addresses) steps.push({ do: "addAddress", key, prefix });
  if (up === true) steps.push({ do: "setUp", key, up });
  return steps;
}

/** Steps that change an existing interface, in its namespace. */
export function changeLinkSteps(session: SessionIds, link: ActualLink, desired: DesiredLink): PlannedStep[] {
  const steps: PlannedStep[] = [];
  const key = link.away ? { ...session, netns: link.netns } : session;
  const { mtu, bridge, addresses, up } = desired;
  const goesDown = up === false && link.up;
  if (goesDown) {
    steps.push({ step: { do: "setUp", key, up: false }, undo: [{ do: "setUp", key, up: true }] });
  }
  if (mtu !== undefined && mtu !== link.mtu) {
    steps.push({ step: { do: "setMtu", key, mtu }, undo: [{ do: "setMtu", key, mtu: link.mtu }] });
  }
  if (bridge !== undefined && bridge !== (link.bridge ?? "none")) {
    steps.push({
      step: { do: "setBridge", key, bridge: bridge === "none" ? undefined : bridge },
      undo: [{ do: "setBridge", key, bridge: link.bridge }],
    });
  }
  if (addresses !== undefined) {
    const has = (list: readonly Prefix[], { address, prefixLength }: Prefix): boolean =>
      list.some((each) => each.address === address && each.prefixLength === prefixLength);
    // An interface that goes down loses its IPv6 addresses.
    const left = link.addresses.filter(({ address }) => !(goesDown && isIpv6Text(address)));
    for (const present of left) {
      const { address, prefixLength, automatic } = present;
      if (automatic || isLinkLocalText(address) || has(addresses, present)) continue;
      const prefix = { address, prefixLength };
      steps.push({ step: { do: "deleteAddress", key, prefix }, undo: [{ do: "addAddress", key, prefix }] });
    }
    for (const prefix of addresses) {
      if (has(left, prefix)) continue;
      steps.push({ step: { do: "addAddress", key, prefix }, undo: [{ do: "deleteAddress", key, prefix }] });
    }
  }
  if (up === true && !link.up) {
    steps.push({ step: { do: "setUp", key, up: true }, undo: [{ do: "setUp", key, up: false }] });
  }
  return steps;
}

/** Steps that create a deleted session again, with its interface. */
export function recreateSession(actual: ActualSession): PlanStep[] {
  const { session: { tunnelId, sessionId }, link, ppp } = actual;
  const key = { tunnelId, sessionId };
  const configure = link === undefined ? [] : configureLinkSteps(key, {
    netns: link.away ? link.netns : undefined,
    mtu: link.mtu,
    bridge: link.bridge,
    addresses: link.addresses.filter(({ automatic, address }) => !automatic && !isLinkLocalText(address)),
    up: link.up,
  });
  const run: PlanStep[] = ppp === undefined
    ? []
    : [{ do: "runPpp", key, ppp: ppp.desired, interfaceName: ppp.interfaceName }];
  return [{ do: "createSession", session: sessionParameters(actual) }, ...configure, ...run];
}

/** Steps that create a deleted tunnel again, with its sessions. */
export function recreateTunnel(actual: ActualTunnel): PlanStep[] {
  return [
    { do: "createTunnel", tunnel: tunnelParameters(actual), scope: actual.scope },
    ...actual.sessions.flatMap(recreateSession),
  ];
}
