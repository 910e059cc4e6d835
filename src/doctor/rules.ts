/**
 * The doctor's rules. Each computes findings from the facts about a host.
 *
 * @module
 */

import { isIpv6Text } from "../base/inet.ts";
import { isLinkLocalText } from "../base/ip_address.ts";
import { SPEED_OFFLOADS } from "../model/offloads.ts";
import type { DaemonFacts, MachineFacts, PortHolder, SessionFacts, TunnelFacts } from "./facts.ts";
import { interfaceOverhead } from "../model/session_mtu.ts";

/**
 * Severity of a finding. `error`: tunnels cannot work. `warning`: something works badly or will fail. `note`: worth
 * knowing. `ok`: nothing to do.
 */
export type Level = "error" | "warning" | "note" | "ok";

/** Result of a rule. */
export interface Finding {
  /** Name of the rule. */
  readonly check: string;
  /** Severity. */
  readonly level: Level;
  /** The fact, in one line. */
  readonly text: string;
  /** Advice, one line each. */
  readonly fix: readonly string[];
}

/** A finding without its rule's name. */
type Found = Omit<Finding, "check">;

/** A rule of the doctor. */
export interface DoctorRule {
  /** Name of the rule: one word. */
  readonly check: string;
  /** It checks tunnels and sessions, so it is left out where these could not be read. */
  readonly ofTunnels?: true;
  /** Computes the findings. Returns at least one. */
  readonly judge: (facts: MachineFacts) => readonly Found[];
}

function found(level: Level, text: string, ...fix: string[]): Found {
  return { level, text, fix };
}

/** Socket buffer that the daemon requests, in bytes. Sockets of kernel tunnels use the sysctl's default. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** The assigned UDP port of L2TP (RFC 3931 section 4.1.2). */
const L2TP_PORT = 1701;

function kernel({ kernelL2tp, kernelRelease, modules, tunError }: MachineFacts): Found[] {
  const forbidden = modules.filter((module) => module.forbiddenBy !== undefined && !module.loaded);
  const all = forbidden.map(({ name, forbiddenBy }) =>
    found(
      kernelL2tp && name === "l2tp_core" ? "note" : "warning",
      `${forbiddenBy} forbids loading ${name}.`,
      `Remove the line from that file, then: modprobe ${name}`,
    )
  );
  if (kernelL2tp) {
    const missing = modules.filter(({ available }) => !available).map(({ name }) => name);
    all.push(
      missing.length === 0
        ? found("ok", `Kernel ${kernelRelease} has L2TP and all its modules.`)
        : found("note", `Kernel ${kernelRelease} has L2TP, but lacks ${missing.join(", ")}.`),
    );
  } else {
    const there = modules.some(({ name, available }) => name === "l2tp_netlink" && available);
    const instead = tunError === undefined
      ? ": tunnels run in userspace"
      : ", and userspace cannot use TAP devices";
    all.push(found(
      tunError === undefined ? "note" : "error",
      there
        ? `Kernel ${kernelRelease} has L2TP modules that are not loaded${instead}.`
        : `Kernel ${kernelRelease} has no L2TP${instead}.`,
      ...(there ? ["To use the kernel's L2TP: modprobe -a l2tp_netlink l2tp_eth l2tp_ip l2tp_ip6"] : []),
    ));
  }
  return all;
}

function tun({ tunError, kernelL2tp, dataplane }: MachineFacts): Found[] {
  if (tunError === undefined) return [found("ok", "/dev/net/tun can be opened.")];
  const needed = dataplane === "user" || !kernelL2tp;
  const fix = tunError === "EACCES" || tunError === "EPERM"
    ? ["Run this as root. In a container, allow the device: c 10:200 rw"]
    : ["As root: modprobe tun. In a container, pass the device: --device /dev/net/tun"];
  return [found(needed ? "error" : "note", `/dev/net/tun cannot be opened: ${tunError}.`, ...fix)];
}

function capabilities({ capabilities, kernelL2tp }: MachineFacts): Found[] {
  const needed = kernelL2tp ? ["CAP_NET_ADMIN"] : ["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_ADMIN"];
  const missing = needed.filter((name) => !capabilities.has(name));
  if (missing.length === 0) return [found("ok", `This process has ${needed.join(", ")}.`)];
  return [found("error", `This process lacks ${missing.join(", ")}.`, "Run it as root: sudo l2tp doctor")];
}

/** Returns the interfaces with strict reverse path filtering: the maximum of `all` and the interface's value counts. */
function strictInterfaces(sysctls: ReadonlyMap<string, string>): string[] {
  const all = Number(sysctls.get("net.ipv4.conf.all.rp_filter") ?? 0);
  return [...sysctls].flatMap(([path, value]) => {
    const [, name] = /^net\.ipv4\.conf\.(.+)\.rp_filter$/.exec(path) ?? [];
    const isOne = name !== undefined && name !== "all" && name !== "default" && name !== "lo";
    return isOne && Math.max(all, Number(value)) === 1 ? [name] : [];
  });
}

function sysctls({ sysctls, reversePathDrops, udpBufferDrops, sessions }: MachineFacts): Found[] {
  const all: Found[] = [];
  const strict = strictInterfaces(sysctls);
  if (strict.length > 0 && reversePathDrops > 0) {
    all.push(found(
      "warning",
      `${reversePathDrops} packets were dropped by reverse path filtering (rp_filter is 1 on ${
        some(strict)
      }).`,
      "sysctl -w net.ipv4.conf.all.rp_filter=2",
    ));
  }
  const most = Number(sysctls.get("net.core.rmem_max") ?? Infinity);
  if (udpBufferDrops > 0 && most < BUFFER_BYTES) {
    all.push(found(
      "warning",
      `${udpBufferDrops} UDP datagrams were dropped because a socket buffer was full (net.core.rmem_max is ${most}).`,
      `sysctl -w net.core.rmem_max=${BUFFER_BYTES} net.core.rmem_default=${BUFFER_BYTES}`,
    ));
  }
  const routed = (ipv6: boolean): string[] =>
    sessions.filter(({ link, addresses }) =>
      link?.master === undefined &&
      addresses.some(({ address }) => isIpv6Text(address) === ipv6 && !/^fe[89ab]/i.test(address))
    ).map(({ session }) => session.interfaceName ?? "");
  for (
    const [path, names] of [
      ["net.ipv4.ip_forward", routed(false)],
      ["net.ipv6.conf.all.forwarding", routed(true)],
    ] as const
  ) {
    if (names.length === 0 || sysctls.get(path) !== "0") continue;
    all.push(found(
      "note",
      `${some(names)} has an address, but IP forwarding is off (${path} is 0).`,
      `If hosts behind this one use the tunnel: sysctl -w ${path}=1`,
    ));
  }
  return all.length > 0 ? all : [
    found(
      "ok",
      "No problem with rp_filter, socket buffers or IP forwarding.",
    ),
  ];
}

/** Lists up to three names, and counts the others. */
function some(names: readonly string[]): string {
  return names.length <= 3
    ? names.join(", ")
    : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}

function paths({ tunnels, sessions }: MachineFacts): Found[] {
  if (tunnels.length === 0) return [found("ok", "There are no tunnels.")];
  const all = tunnels.flatMap((each) => noWay(each));
  const byId = new Map(tunnels.map((each) => [each.tunnel.tunnelId, each]));
  for (const each of sessions) {
    const tunnel = byId.get(each.session.tunnelId);
    if (tunnel !== undefined) all.push(...tooLarge(tunnel, each));
  }
  return all.length > 0
    ? all
    : [found("ok", "There is a route to every peer, and full frames fit the path MTU.")];
}

function noWay({ tunnel, path }: TunnelFacts): Found[] {
  if (path === undefined) {
    const { tunnelId, peer } = tunnel;
    return isLinkLocalText(peer)
      ? [found("note", `Tunnel ${tunnelId}: the path to ${peer} is not checked: its interface is unknown.`)]
      : [];
  }
  if ("mtu" in path) return [];
  const fix = path.code === "EADDRNOTAVAIL"
    ? `Add the address: ip addr add ${tunnel.local}/… dev …`
    : `Add a route. To check: ip route get ${tunnel.peer}`;
  const text = path.code === "EADDRNOTAVAIL"
    ? `Tunnel ${tunnel.tunnelId}: ${tunnel.local} is no longer an address of this host.`
    : `Tunnel ${tunnel.tunnelId}: no route to the peer ${tunnel.peer}: ${path.code}.`;
  return [found("error", text, fix)];
}

function tooLarge({ tunnel, path }: TunnelFacts, facts: SessionFacts): Found[] {
  const { session, link } = facts;
  if (path === undefined || !("mtu" in path) || link === undefined) return [];
  // An unknown sublayer counts as the default one.
  const overhead = interfaceOverhead(tunnel, session, facts, "default");
  const packet = link.mtu + overhead;
  if (packet <= path.mtu) return [];
  const best = path.mtu - overhead;
  return [found(
    "warning",
    `${link.name} has MTU ${link.mtu}, which makes packets of up to ${packet} bytes, but the path MTU to ` +
      `${tunnel.peer} is ${path.mtu}: packets are fragmented or lost.`,
    best >= 68
      ? `ip link set ${link.name} mtu ${best}`
      : `Raise the MTU of the interface towards ${tunnel.peer}`,
  )];
}

function interfaces({ sessions }: MachineFacts): Found[] {
  const all = sessions.flatMap(({ session, link }) => {
    const name = session.interfaceName;
    const which = `Session ${session.sessionId} in tunnel ${session.tunnelId}`;
    if (name === undefined) return [];
    if (link === undefined) {
      return [found(
        "warning",
        `${which}: there is no interface ${name} in this namespace.`,
        "It was renamed, moved or deleted. If it was deleted, delete the session and add it again.",
      )];
    }
    if (!link.up) return [found("warning", `${which}: ${name} is down.`, `ip link set ${name} up`)];
    return [];
  });
  return all.length > 0 ? all : [found("ok", "All session interfaces are up.")];
}

function ports({ ports, tunnels, daemon, dataplane }: MachineFacts): Found[] {
  const isOurs = (holder: PortHolder): boolean =>
    holder.pid === undefined ? dataplane === "kernel" : holder.pid === daemon.pid;
  const wanted = new Set([L2TP_PORT, ...tunnels.flatMap(({ tunnel }) => tunnel.localPort ?? [])]);
  const used = new Set(tunnels.map(({ tunnel }) => tunnel.localPort));
  const all = ports.filter((holder) => wanted.has(holder.port) && !isOurs(holder)).map((holder) => {
    const who = holder.program === undefined
      ? "another program"
      : `${holder.program} (process ${holder.pid})`;
    return found(
      "warning",
      used.has(holder.port)
        ? `UDP port ${holder.port}, which a tunnel uses, is also bound at ${holder.address} by ${who}.`
        : `UDP port ${holder.port} at ${holder.address} is bound by ${who}: tunnels cannot use udp_sport ` +
          `${holder.port}.`,
      holder.pid === undefined
        ? `To find the program: ss -ulnp sport = :${holder.port}`
        : "Stop it, or choose another udp_sport.",
    );
  });
  return all.length > 0 ? all : [found("ok", `No other program uses UDP port ${[...wanted].join(", ")}.`)];
}

function offloads({ missingOffloads, sessions, tunnels, dataplane }: MachineFacts): Found[] {
  if (dataplane === "kernel") return [found("ok", "Tunnels run in the kernel, which needs no offloads.")];
  const all = [...missingOffloads].map(([offload, why]) =>
    found("note", `Offload ${offload} unavailable: ${why}. The daemon works without it.`)
  );
  const encapOf = new Map(tunnels.map(({ tunnel }) => [tunnel.tunnelId, tunnel.encap]));
  for (const offload of SPEED_OFFLOADS) {
    if (missingOffloads.has(offload)) continue;
    const without = sessions.filter(({ offloads }) =>
      // Tunnels with BPF sessions do without GRO: merged packets would not reach the BPF program one by one.
      offloads !== undefined && !offloads.includes(offload) &&
      !(offload === "gro" && offloads.includes("bpf"))
    );
    const isOfUdp = offload === "gso" || offload === "gro";
    const overIp = without.filter(({ session }) => isOfUdp && encapOf.get(session.tunnelId) === "ip");
    const others = without.filter((each) => !overIp.includes(each));
    if (overIp.length > 0) {
      all.push(
        found("note", `Offload ${offload} works with UDP only: ${count(overIp)} over IP cannot use it.`),
      );
    }
    if (others.length > 0) {
      all.push(found(
        "note",
        `Offload ${offload} is off for ${count(others)}, though this kernel supports it.`,
        "It was turned off (l2tp daemon offload, L2TP_OFFLOAD), the session carries PPP, or another program opened " +
          "its socket.",
      ));
    }
  }
  return all.length > 0 ? all : [found("ok", "All offloads are on.")];
}

function count(sessions: readonly SessionFacts[]): string {
  return `${sessions.length} session${sessions.length === 1 ? "" : "s"}`;
}

const TROUBLES: Readonly<Record<string, string>> = {
  silent: "does not answer",
  ended: "closes the connection",
  forbidden: "refuses access",
  garbled: "sends invalid replies",
};

function daemon({ daemon, dataplane, version }: MachineFacts): Found[] {
  if (daemon.trouble === undefined) return [...ofRunning(daemon, version), ...descriptors(daemon)];
  if (daemon.trouble !== "absent") {
    return [found(
      "error",
      `The daemon at ${daemon.path} ${TROUBLES[daemon.trouble] ?? daemon.trouble}.`,
      daemon.trouble === "forbidden"
        ? "Run this as root or as a member of the group l2tp."
        : "See its log. Stop it and start another: l2tp daemon",
    )];
  }
  if (daemon.leftBehind !== undefined) {
    return [found(
      "warning",
      `No daemon is running, but a previous one left tunnels in ${daemon.leftBehind}.`,
      "To restore them: l2tp daemon. To delete them: l2tp daemon --fresh",
    )];
  }
  return [found(
    "ok",
    dataplane === "kernel"
      ? "No daemon is running, and none is needed."
      : "No daemon is running; the first tunnel starts one.",
  )];
}

function ofRunning({ path, pid, version: theirs }: DaemonFacts, ours: string): Found[] {
  const who = `The daemon (process ${pid}) answers at ${path}`;
  if (theirs === ours) return [found("ok", `${who}, version ${theirs}.`)];
  return [found(
    "warning",
    theirs === undefined
      ? `${who}, but is older than this program.`
      : `${who}, but has version ${theirs} instead of ${ours}.`,
    "Restart it: systemctl restart l2tp. With --keep the tunnels stay up.",
  )];
}

function descriptors({ descriptors }: DaemonFacts): Found[] {
  if (descriptors === undefined || descriptors.open * 10 < descriptors.limit * 9) return [];
  return [found(
    "warning",
    `The daemon has ${descriptors.open} of ${descriptors.limit} file descriptors open. Each session needs one.`,
    "Raise the limit: LimitNOFILE=262144 in its unit, or ulimit -n 262144",
  )];
}

/** All rules, in the order of the output. */
export const RULES: readonly DoctorRule[] = [
  { check: "kernel", judge: kernel },
  { check: "tun", judge: tun },
  { check: "capabilities", judge: capabilities },
  { check: "daemon", judge: daemon },
  { check: "sysctls", judge: sysctls },
  { check: "ports", judge: ports },
  { check: "paths", ofTunnels: true, judge: paths },
  { check: "interfaces", ofTunnels: true, judge: interfaces },
  { check: "offloads", ofTunnels: true, judge: offloads },
];

const NOT_CHECKED: readonly Found[] = [
  found("note", "Not checked, because tunnels and sessions could not be read."),
];

/** Applies all rules. */
export function diagnose(facts: MachineFacts): Finding[] {
  return RULES.flatMap(({ check, ofTunnels, judge }) => {
    const all = ofTunnels && facts.unread ? NOT_CHECKED : judge(facts);
    return all.map((each) => ({ check, ...each }));
  });
}

/** Reports whether no finding is an error or a warning. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ level }) => level === "ok" || level === "note");
}
