/**
 * Takes the snapshot of all namespaces that the daemon's metrics are computed from.
 *
 * @module
 */

import { LinkClient } from "../../client/link_client.ts";
import { NetlinkError, SyscallError } from "../../base/errors.ts";
import { NamespaceNames } from "../../driver/system/namespace_names.ts";
import type { NamespaceSnapshot, ProcessFacts, Snapshot } from "../../metrics/metric.ts";
import type { Link } from "../../model/link.ts";
import { withPppInterfaces } from "../../model/ppp/interfaces.ts";
import type { Subsystem } from "../../subsystem/subsystem.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import type { PppSessions } from "../ppp/sessions.ts";
import type { LinuxPlatform } from "../platform/linux_platform.ts";

/** The sources of a snapshot. All is borrowed. */
export interface SnapshotParts {
  /** The tables. */
  readonly subsystem: Subsystem;
  /** Reports drops and offloads. */
  readonly platform: LinuxPlatform;
  /** The namespaces. */
  readonly namespaces: NetworkNamespaces;
  /** The PPP sessions. */
  readonly ppp: PppSessions;
}

/** Takes a snapshot of everything; `version` is the program's. */
export function takeSnapshot(version: string, parts: SnapshotParts): Snapshot {
  const names = new NamespaceNames("/proc/thread-self/ns/net");
  const namespaces = [...parts.subsystem.namespaces].map((key) => namespaceSnapshot(key, names, parts));
  return { version, dataplane: "user", daemon: processFacts(), namespaces };
}

function namespaceSnapshot(
  key: string,
  names: NamespaceNames,
  { subsystem, platform, namespaces, ppp }: SnapshotParts,
): NamespaceSnapshot {
  return {
    netns: names.nameOf(namespaces.pathOf(key)),
    tunnels: [...subsystem.tunnels(key)],
    sessions: withPppInterfaces([...subsystem.sessions(key)], ppp.interfaces(key, "user")),
    links: linksOf(key, namespaces),
    drops: [...platform.drops(key)],
    offloads: [...platform.sessionOffloads(key)],
  };
}

function linksOf(key: string, namespaces: NetworkNamespaces): readonly Link[] | undefined {
  try {
    return namespaces.run(key, () => {
      using links = LinkClient.open();
      return links.links();
    });
  } catch (error) {
    // Metrics without the state of interfaces are better than none.
    if (error instanceof SyscallError || error instanceof NetlinkError) return undefined;
    throw error;
  }
}

function processFacts(): ProcessFacts {
  const [, limit] = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits")) ?? [];
  return {
    startSeconds: performance.timeOrigin / 1000,
    residentBytes: Deno.memoryUsage().rss,
    openFds: [...Deno.readDirSync("/proc/self/fd")].length,
    maxFds: Number(limit ?? NaN),
  };
}
