/**
 * The state of the system, as far as a configuration can say it.
 *
 * @module
 */

import { type Actual, type ActualLink, type ActualSession, isLinkLocalText } from "../config/actual.ts";
import type { Link, LinkAddress } from "../model/link.ts";
import type { Tunnel } from "../model/tunnel.ts";
import { parseL2specs } from "./l2specs.ts";
import type { Site } from "./site.ts";

/** Looks at everything that a configuration could be about, in the present namespace. */
export function observe(site: Site): Actual {
  const { l2tp, links } = site;
  const tunnels = l2tp.tunnels();
  const sessions = tunnels.length === 0 ? [] : l2tp.sessions();
  const debugfs = sessions.length === 0 ? undefined : site.debugfs();
  const l2specs = parseL2specs(debugfs ?? "");
  const interfaces = new Interfaces(links.links(), links.addresses());
  const rows = sessions.map((session): ActualSession => ({
    session,
    l2spec: l2specs.get(`${session.tunnelId}/${session.sessionId}`),
    link: interfaces.find(session.interfaceName),
  }));
  const byTunnel = Map.groupBy(rows, ({ session }) => session.tunnelId);
  return {
    tunnels: tunnels.map((tunnel) => ({
      tunnel,
      scope: interfaces.scopeOf(tunnel),
      sessions: byTunnel.get(tunnel.tunnelId) ?? [],
    })),
    interfaces: interfaces.names,
  };
}

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

  find(name: string | undefined): ActualLink | undefined {
    const link = name === undefined ? undefined : this.#byName.get(name);
    if (link === undefined) return undefined;
    const addresses = this.#addresses.get(link.index) ?? [];
    return {
      name: link.name,
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

  /** The one interface that has the tunnel's link-local address. */
  scopeOf({ local }: Tunnel): string | undefined {
    if (!isLinkLocalText(local)) return undefined;
    const owners = [...this.#addresses].filter(([, list]) => list.some(({ address }) => address === local));
    return owners.length === 1 ? this.#byIndex.get(owners[0]![0])?.name : undefined;
  }
}
