/**
 * `add`, `set`, `del` and `flush`: the commands that change something. `add` is done whole or not at all.
 *
 * @module
 */

import { ipVersionOf, isIpv6Text } from "../../base/inet.ts";
import { Errno } from "../../base/errno.ts";
import { NetlinkError, SyscallError } from "../../base/errors.ts";
import { isLinkLocal, parseIpAddress } from "../../base/ip_address.ts";
import { createConfiguredTunnel } from "../../apply/create_tunnel.ts";
import type { Creation } from "../../client/creation.ts";
import type { LinkClient } from "../../client/link_client.ts";
import type { SessionKey, SessionParameters } from "../../model/session.ts";
import type { TunnelParameters } from "../../model/tunnel.ts";
import type { Arguments } from "../grammar/arguments.ts";
import { sessionChangesOf } from "../../config/plan/parameters.ts";
import { sessionFields, tunnelFields } from "../../config/schema/fields.ts";
import { SESSION_SETTINGS } from "../../config/schema/schema.ts";
import { sequenceFlags } from "../../config/schema/settings.ts";
import type { Context } from "../context.ts";
import { selectionOf } from "../filters.ts";
import type { Options } from "../grammar/options.ts";
import { pppHost, readPppSettings } from "./ppp.ts";
import { addressExpected, argumentWrong, cannotOpenNetns } from "../grammar/messages.ts";
import { findSessions, findTunnels } from "./show.ts";
import { targetOf } from "./target.ts";
import { UsageError } from "../grammar/usage_error.ts";

/** Creates a tunnel, a session with its interface, or both. */
export async function add(context: Context, given: Arguments): Promise<void> {
  const tunnel = given.tunnel ? tunnelParameters(given) : undefined;
  const settings = given.ppp === undefined ? undefined : await readPppSettings(context, given);
  using links = given.session ? checkLinkTargets(context, given) : undefined;
  // A session alone needs an existing tunnel, so starting a daemon would be no use.
  await context.open(tunnel === undefined ? "read" : "create");
  using undo = new DisposableStack();
  if (tunnel !== undefined) {
    createConfiguredTunnel(targetOf(context), tunnel, given.remote?.scope ?? given.local?.scope);
    undo.defer(() =>
      undoing(context, `tunnel ${tunnel.tunnelId}`, () => context.l2tp.deleteTunnel(tunnel.tunnelId))
    );
  }
  if (given.session) {
    const key = { tunnelId: given.tunnelId!, sessionId: given.sessionId! };
    context.l2tp.createSession(sessionParameters(given));
    undo.defer(() => undoing(context, `session ${key.sessionId}`, () => context.l2tp.deleteSession(key)));
    if (links !== undefined) setUpLink(context, key, given, links);
    if (settings !== undefined) {
      await pppHost(context).run({ ...key, dataplane: context.l2tp.dataplane, settings });
    }
  }
  undo.move();
}

/**
 * The tunnel or session that the arguments of an `add` create, if the command needs neither a socket nor an interface.
 * Many such creations can be sent at a time.
 *
 * @throws {UsageError}
 */
export function plainCreation(given: Arguments): Creation | undefined {
  const { tunnel, session, local, remote } = given;
  if (tunnel === session || local?.scope !== undefined || remote?.scope !== undefined) return undefined;
  if (tunnel) return { tunnel: tunnelParameters(given) };
  if (given.ppp !== undefined) return undefined;
  return wantsLinkSettings(given) ? undefined : { session: sessionParameters(given) };
}

/** Undoes a step after a later one failed. Prints a failure. */
function undoing(context: Context, what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    // It is gone already.
    if (error instanceof NetlinkError && error.errno === Errno.ENODEV) return;
    context.ports.err(`Could not delete ${what} again: ${error instanceof Error ? error.message : error}\n`);
  }
}

/** Largest id in version 2, which has 16 bits for it (RFC 2661 section 3.1); the kernel does not check. */
const MAX_V2_ID = 0xffff;

function checkV2(given: Arguments): void {
  if (given.encap === "ip") {
    throw new UsageError(argumentWrong("ip", "version 2 needs encap udp"), {
      advice: ["L2TPv2 runs over UDP only (RFC 2661 section 8.1).", "Leave encap out, or use version 3."],
    });
  }
  for (const id of [given.tunnelId, given.peerTunnelId]) {
    if (id! > MAX_V2_ID) {
      throw new UsageError(argumentWrong(String(id), "invalid ID"), {
        advice: [`Version 2 has 16 bits for an id: 1 to ${MAX_V2_ID}.`],
      });
    }
  }
}

function checkScopes({ local, remote }: Arguments): void {
  const scopes = [local?.scope, remote?.scope];
  if (scopes.includes(undefined) || scopes[0] === scopes[1]) return;
  throw new UsageError(argumentWrong(remote!.text, `it is on another interface than ${local!.text}`), {
    advice: ["Both ends of a tunnel between link-local addresses are on one link."],
  });
}

function tunnelParameters(given: Arguments): TunnelParameters {
  checkScopes(given);
  if (given.version === 2) checkV2(given);
  const peer = given.remote!.address;
  const anyAddress = isIpv6Text(peer) ? "::" : "0.0.0.0";
  return {
    ...tunnelFields(given),
    ...{ tunnelId: given.tunnelId!, peerTunnelId: given.peerTunnelId!, encap: given.encap ?? "udp" },
    local: given.local!.type === "any" ? anyAddress : given.local!.address,
    peer,
  };
}

function sessionParameters(given: Arguments): SessionParameters {
  const { tunnelId, peerTunnelId, sessionId, peerSessionId, sequence } = given;
  return {
    ...sessionFields(given),
    ...(sequence !== undefined && sequenceFlags(sequence)),
    ...{ tunnelId: tunnelId!, peerTunnelId, sessionId: sessionId!, peerSessionId: peerSessionId! },
    pseudowire: given.ppp === undefined ? given.pseudowire : "ppp",
  };
}

/** Whether the arguments have settings of the session's interface beside its name. */
function wantsLinkSettings(given: Arguments): boolean {
  return LINK_FIELDS.some((field) => given[field] !== undefined);
}

const LINK_FIELDS = SESSION_SETTINGS.filter(({ group, key }) => group === "interface" && key !== "interface")
  .map(({ field }) => field as keyof Arguments);

/**
 * Checks before anything is created that the bridge and the namespace for the interface exist; `undefined` if the
 * arguments do not configure the interface.
 */
function checkLinkTargets(context: Context, given: Arguments): LinkTargets | undefined {
  if (!wantsLinkSettings(given)) return undefined;
  const { bridge, netns } = given;
  if (given.pseudowire === "ppp" || given.ppp !== undefined) {
    throw new UsageError(argumentWrong("ppp", "interface settings need pw_type eth"), {
      advice: ["PPP configures the interface of a PPP session: see the keywords after ppp in l2tp help add"],
    });
  }
  using stack = new DisposableStack();
  const targets = stack.use(
    new LinkTargets(netns === undefined ? context.links : openLinks(netns, context), netns),
  );
  const masterIndex = bridge === undefined ? undefined : targets.links.link(bridge)?.index;
  if (bridge !== undefined && masterIndex === undefined) {
    throw new UsageError(argumentWrong(bridge, "Device does not exist"), {
      advice: [`Create the bridge first: ip link add ${bridge} type bridge`],
    });
  }
  targets.masterIndex = masterIndex;
  stack.move();
  return targets;
}

function openLinks(netns: string, { lazy }: Context): LinkClient {
  try {
    return lazy.network.openLinks(netns);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new UsageError(cannotOpenNetns(netns, error.errno), {
      advice: ["To see which there are: ip netns list"],
    });
  }
}

/** The namespace and the bridge for the session's interface. */
class LinkTargets implements Disposable {
  /** Client in the namespace that the interface will be in. */
  readonly links: LinkClient;
  readonly #netns: string | undefined;
  masterIndex: number | undefined;

  constructor(links: LinkClient, netns: string | undefined) {
    this.links = links;
    this.#netns = netns;
  }

  [Symbol.dispose](): void {
    // Without a namespace it is the client that all commands share.
    if (this.#netns !== undefined) this.links[Symbol.dispose]();
  }
}

function setUpLink(context: Context, key: SessionKey, given: Arguments, targets: LinkTargets): void {
  const name = context.l2tp.session(key)?.interfaceName;
  if (name === undefined) throw new NetlinkError({ operation: "L2TP_CMD_SESSION_GET", errno: Errno.ENODEV });
  if (given.netns !== undefined) {
    context.lazy.network.moveLink(context.links, linkIndex(context.links, name), given.netns);
  }
  const { links, masterIndex } = targets;
  const index = linkIndex(links, name);
  if (given.mtu !== undefined) links.changeLink(index, { mtu: given.mtu });
  if (masterIndex !== undefined) links.changeLink(index, { master: masterIndex });
  for (const address of given.addresses ?? []) links.addAddress({ index, ...address });
  if (given.up) links.changeLink(index, { up: true });
}

function linkIndex(links: LinkClient, name: string): number {
  const link = links.link(name);
  if (link === undefined) throw new NetlinkError({ operation: "RTM_GETLINK", errno: Errno.ENODEV });
  return link.index;
}

/** Changes a session, or lets the subsystem notify its listeners of a tunnel, in which nothing can be changed. */
export function set(context: Context, given: Arguments): void {
  if (given.session) {
    context.l2tp.modifySession(sessionKey(given), sessionChangesOf(given, givenKeys(given)));
  } else {
    context.l2tp.announceTunnel(given.tunnelId!);
  }
}

/** Keys of the settings that are given. */
function givenKeys(given: Arguments): ReadonlySet<string> {
  const fields: ReadonlySet<string> = new Set(
    Object.entries(given).filter(([, value]) => value !== undefined).map(([field]) => field),
  );
  return new Set(SESSION_SETTINGS.filter(({ field }) => fields.has(field)).map(({ key }) => key));
}

/** Deletes a tunnel or a session. As with `ip`, it is a session if a session id is given, whatever the object. */
export function del(context: Context, given: Arguments): void {
  if (given.sessionId !== undefined || given.session) context.l2tp.deleteSession(sessionKey(given));
  else context.l2tp.deleteTunnel(given.tunnelId!);
}

function sessionKey(given: Arguments): SessionKey {
  return given.sessionId === undefined && given.interfaceName !== undefined
    ? { interfaceName: given.interfaceName }
    : { tunnelId: given.tunnelId ?? 0, sessionId: given.sessionId! };
}

/** Deletes all tunnels, or the tunnels or sessions that the filters pick. */
export function flush(context: Context, picked: Arguments, options: Options): void {
  const sessions = picked.session || (!picked.tunnel && selectionOf(picked).isAboutSessions);
  const deletions = sessions
    ? findSessions(context, picked, { counters: false }).map(({ tunnelId, sessionId }) => () =>
      context.l2tp.deleteSession({ tunnelId, sessionId })
    )
    : findTunnels(context, picked, { counters: false }).map(({ tunnelId }) => () =>
      context.l2tp.deleteTunnel(tunnelId)
    );
  let count = 0;
  for (const deletion of deletions) {
    try {
      deletion();
      count++;
    } catch (error) {
      // It is gone since the listing.
      if (!(error instanceof NetlinkError) || error.errno !== Errno.ENODEV) throw error;
    }
  }
  if (options.statistics) {
    context.print(`Deleted ${count} ${sessions ? "session" : "tunnel"}${count === 1 ? "" : "s"}\n`);
  }
}

/**
 * Resolves host names and checks scopes.
 *
 * @throws {UsageError} if a name has no address of the family that the other end has
 */
export function resolveAddresses(context: Context, given: Arguments): void {
  for (const field of ["local", "remote"] as const) {
    const argument = given[field];
    if (argument?.type === "host") {
      const other = given[field === "local" ? "remote" : "local"];
      const family = other?.type === "address" ? ipVersionOf(other.address) : undefined;
      given[field] = { ...argument, type: "address", address: lookUp(context, argument.text, family) };
    } else if (argument?.scope !== undefined && !isLinkLocal(parseIpAddress(argument.address)!)) {
      throw new UsageError(addressExpected(argument.text), {
        exitCode: 1,
        advice: [`Only link-local addresses (fe80::/10) take %INTERFACE.`],
      });
    }
  }
}

function lookUp(context: Context, host: string, family: 4 | 6 | undefined): string {
  const failed = (reason: string): UsageError =>
    new UsageError(addressExpected(host), {
      exitCode: 1,
      advice: [
        `Host name "${host}" cannot be resolved: ${reason}`,
        "Give the address itself, or see: getent hosts " + host,
      ],
    });
  let addresses: string[];
  try {
    addresses = context.lazy.system.resolveHost(host, family);
  } catch (error) {
    throw failed(error instanceof Error && "reason" in error ? String(error.reason) : String(error));
  }
  const first = addresses[0];
  if (first === undefined) throw failed("it has no address");
  return first;
}
