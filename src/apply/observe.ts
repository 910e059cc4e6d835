/**
 * Reads the state of the system that a configuration is compared with.
 *
 * @module
 */

import { SyscallError } from "../base/errors.ts";
import { isLinkLocalText } from "../base/ip_address.ts";
import {
  type Actual,
  type ActualLink,
  type ActualPpp,
  type ActualSession,
  isPppSession,
} from "../config/plan/actual.ts";
import { desiredPppOf } from "../config/plan/ppp_parameters.ts";
import type { ConfigTunnel } from "../config/schema/settings.ts";
import { parseDebugFacts } from "../model/debug_facts.ts";
import type { Link, LinkAddress } from "../model/link.ts";
import type { Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";
import { lookAtSecrets } from "./secrets.ts";
import type { ApplyTarget } from "./target.ts";

/**
 * Reads tunnels, sessions, interfaces and PPP in the target's namespace. Interfaces are also read in the namespaces that
 * the entries name, and, if a session's interface is found in none of them, in all namespaces that have names.
 */
export function observe(target: ApplyTarget, entries: readonly ConfigTunnel[] = []): Actual {
  const { l2tp, links } = target;
  const tunnels = l2tp.tunnels();
  const sessions = tunnels.length === 0 ? [] : l2tp.sessions();
  const debug = parseDebugFacts(sessions.length === 0 ? "" : target.debugfs() ?? "").sessions;
  const interfaces = new Interfaces(links.links(), links.addresses());
  const others = new OtherNamespaces(target, entries);
  const ppp = sessions.some(isPppSession) ? runningPpp(target) : new Map<string, ActualPpp>();
  const rows = sessions.map((session): ActualSession => {
    const key = `${session.tunnelId}/${session.sessionId}`;
    return {
      ...debug.get(key),
      session,
      link: interfaces.find(session.interfaceName, others.home, false) ?? others.find(session),
      ppp: isPppSession(session) ? ppp.get(key) : undefined,
    };
  });
  const byTunnel = Map.groupBy(rows, ({ session }) => session.tunnelId);
  return {
    tunnels: tunnels.map((tunnel) => ({
      tunnel,
      scope: interfaces.scopeOf(tunnel),
      sessions: byTunnel.get(tunnel.tunnelId) ?? [],
    })),
    interfaces: interfaces.names,
    netns: others.home,
    namespaces: others.names,
    secrets: secretsOf(target, entries, rows),
    timerHz: target.timerHz(),
  };
}

/** PPP that the daemon runs on the target's sessions, by "tunnel/session"; pppd's sessions have no settings to compare. */
function runningPpp({ l2tp, ppp }: ApplyTarget): Map<string, ActualPpp> {
  const running = new Map<string, ActualPpp>();
  for (const session of ppp.sessions()) {
    if (session.dataplane !== l2tp.dataplane || session.pppd !== undefined) continue;
    const { tunnelId, sessionId, interfaceName, settings } = session;
    const stamp = settings.secretsFrom?.stamp;
    running.set(`${tunnelId}/${sessionId}`, { interfaceName, desired: desiredPppOf(settings), stamp });
  }
  return running;
}

/** Reads the secret files that the entries name, and those that PPP runs with. */
function secretsOf(
  { ppp }: ApplyTarget,
  entries: readonly ConfigTunnel[],
  running: readonly ActualSession[],
): Actual["secrets"] {
  const wishes = entries.flatMap(({ sessions }) => sessions.map(({ settings }) => settings.ppp))
    .concat(running.map((session) => session.ppp?.desired));
  const paths = new Set(wishes.flatMap((wish) => wish?.secretFile ?? []));
  return new Map([...paths].map((path) => [path, lookAtSecrets(path, ppp.readPrivateFile)]));
}

/** Interfaces of network namespaces other than the tunnels'. */
class OtherNamespaces {
  /** Name of the tunnels' own namespace. */
  readonly home: string;
  readonly #target: ApplyTarget;
  /** Namespace of a session's interface as configured, by "tunnel/session". */
  readonly #wanted = new Map<string, string>();
  readonly #namespaces = new Map<string, Interfaces>();
  #hasAll = false;

  constructor(target: ApplyTarget, entries: readonly ConfigTunnel[]) {
    this.#target = target;
    this.home = target.namespaceName();
    for (const { settings: { tunnelId }, sessions } of entries) {
      for (const { settings: { sessionId, netns } } of sessions) {
        if (netns === undefined || netns === this.home) continue;
        this.#wanted.set(`${tunnelId}/${sessionId}`, netns);
        this.#open(netns);
      }
    }
  }

  /** Names of the interfaces in each namespace that was read. */
  get names(): ReadonlyMap<string, ReadonlySet<string>> {
    return new Map([...this.#namespaces].map(([name, interfaces]) => [name, interfaces.names]));
  }

  /** Finds the session's interface: in the configured namespace, or in the only one that has such an interface. */
  find({ tunnelId, sessionId, interfaceName }: Session): ActualLink | undefined {
    if (interfaceName === undefined) return undefined;
    const kind = KINDS[this.#target.l2tp.dataplane];
    const lookIn = (netns: string): ActualLink | undefined => {
      const interfaces = this.#namespaces.get(netns);
      return interfaces?.kindOf(interfaceName) === kind
        ? interfaces?.find(interfaceName, netns, true)
        : undefined;
    };
    const wanted = this.#wanted.get(`${tunnelId}/${sessionId}`);
    const there = wanted === undefined ? undefined : lookIn(wanted);
    if (there !== undefined) return there;
    if (!this.#hasAll) {
      this.#hasAll = true;
      for (const netns of this.#target.netnsNames()) if (netns !== this.home) this.#open(netns);
    }
    const found = [...this.#namespaces.keys()].flatMap((netns) => lookIn(netns) ?? []);
    return found.length === 1 ? found[0] : undefined;
  }

  #open(netns: string): void {
    if (this.#namespaces.has(netns)) return;
    try {
      using links = this.#target.openLinks(netns);
      this.#namespaces.set(netns, new Interfaces(links.links(), links.addresses()));
    } catch (error) {
      // The namespace does not exist, or may not be entered.
      if (!(error instanceof SyscallError)) throw error;
    }
  }
}

/** `IFLA_INFO_KIND` of sessions' interfaces: the kernel's L2TP devices have none. */
const KINDS = { kernel: undefined, user: "tun" } as const;

class Interfaces {
  readonly #byName: ReadonlyMap<string, Link>;
  readonly #byIndex: ReadonlyMap<number, Link>;
  readonly #addresses: ReadonlyMap<number, readonly LinkAddress[]>;

  constructor(links: readonly Link[], addresses: readonly LinkAddress[]) {
    this.#byName = new Map(links.map((link) => [link.name, link]));
    this.#byIndex = new Map(links.map((link) => [link.index, link]));
    this.#addresses = Map.groupBy(addresses, ({ index }) => index);
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#byName.keys());
  }

  kindOf(name: string): string | undefined {
    return this.#byName.get(name)?.kind;
  }

  find(name: string | undefined, netns: string, away: boolean): ActualLink | undefined {
    const link = name === undefined ? undefined : this.#byName.get(name);
    if (link === undefined) return undefined;
    const addresses = this.#addresses.get(link.index) ?? [];
    return {
      name: link.name,
      netns,
      away,
      up: link.up,
      mtu: link.mtu,
      bridge: link.master === undefined ? undefined : this.#byIndex.get(link.master)?.name,
      addresses: addresses.map(({ address, prefixLength, automatic }) => ({
        address,
        prefixLength,
        automatic: automatic === true,
      })),
    };
  }

  /** Name of the only interface that has the tunnel's link-local address. */
  scopeOf({ local }: Tunnel): string | undefined {
    if (!isLinkLocalText(local)) return undefined;
    const owners = [...this.#addresses].filter(([, list]) => list.some(({ address }) => address === local));
    return owners.length === 1 ? this.#byIndex.get(owners[0]![0])?.name : undefined;
  }
}
