/**
 * Explains why the kernel refused a request, and what to try. It looks at the system again after the error, so an
 * explanation is best effort. It changes nothing.
 *
 * @module
 */

import { ipVersionOf, isIpv6Text } from "../../base/inet.ts";
import { Errno } from "../../base/errno.ts";
import { FamilyMissingError, NetlinkError } from "../../base/errors.ts";
import { DaemonError } from "../../client/daemon/error.ts";
import type { Tunnel } from "../../model/tunnel.ts";
import type { Arguments } from "../grammar/arguments.ts";
import type { Context } from "../context.ts";
import { explainDaemon } from "./explain_daemon.ts";
import { explainMissingModule } from "./explain_module.ts";

/** Largest number of examples in a list. */
const EXAMPLES = 5;

/** Lines with the reason and what to try; none if nothing more is known. */
export function explain(error: unknown, given: Arguments, context: Context): string[] {
  try {
    if (error instanceof FamilyMissingError) {
      return explainMissingModule("l2tp_netlink", context.lazy.system);
    }
    if (error instanceof DaemonError) return explainDaemon(error);
    if (!(error instanceof NetlinkError)) return [];
    if (error.errno === Errno.EPERM) return explainPermission();
    switch (error.operation) {
      case "L2TP_CMD_TUNNEL_CREATE":
        return explainTunnelCreate(error, given, context);
      case "L2TP_CMD_SESSION_CREATE":
        return explainSessionCreate(error, given, context);
      case "L2TP_CMD_TUNNEL_DELETE":
      case "L2TP_CMD_TUNNEL_MODIFY":
        return error.errno === Errno.ENODEV ? noSuchTunnel(given.tunnelId, context) : [];
      case "L2TP_CMD_SESSION_DELETE":
      case "L2TP_CMD_SESSION_MODIFY":
        return error.errno === Errno.ENODEV ? noSuchSession(given, context) : [];
      case "RTM_NEWLINK":
        return explainLink(error, given, context);
      case "RTM_NEWADDR":
        return error.errno === Errno.EEXIST ? ["The interface already has that address."] : [];
      default:
        return [];
    }
  } catch {
    // An explanation that fails must not hide the error that it explains.
    return [];
  }
}

function explainPermission(): string[] {
  return [
    "L2TP needs CAP_NET_ADMIN in the user namespace that owns this network namespace, for reading too.",
    "Run it as root: sudo l2tp …",
  ];
}

function subsystemOf(context: Context): string {
  return context.l2tp.dataplane === "user" ? "daemon" : "kernel";
}

function describe(tunnel: Tunnel): string {
  const port = (number: number | undefined): string => (number === undefined ? "" : ` port ${number}`);
  return `Tunnel ${tunnel.tunnelId} (${tunnel.encap?.toUpperCase() ?? "??"} from ${tunnel.local}${
    port(tunnel.localPort)
  }` +
    ` to ${tunnel.peer}${port(tunnel.peerPort)}, peer tunnel ${tunnel.peerTunnelId})`;
}

function explainTunnelCreate(error: NetlinkError, given: Arguments, context: Context): string[] {
  const local = given.local?.text ?? "";
  const remote = given.remote?.text ?? "";
  const ipv6 = isIpv6Text(given.remote?.address ?? "");
  switch (error.errno) {
    case Errno.EEXIST: {
      const tunnel = context.l2tp.tunnel(given.tunnelId!);
      return [
        tunnel === undefined
          ? `The ${subsystemOf(context)} is still taking down a tunnel with id ${given.tunnelId}.`
          : `${describe(tunnel)} has that id.`,
        `Choose another tunnel_id, or delete it first: l2tp del tunnel tunnel_id ${given.tunnelId}`,
      ];
    }
    case Errno.EADDRINUSE:
      return explainAddressInUse(given, context);
    case Errno.EADDRNOTAVAIL: {
      const mine = context.links.addresses().map(({ address }) => address)
        .filter((address) => isIpv6Text(address) === ipv6);
      return [
        `${local} is not an address of this host${
          given.local?.type === "any" ? "" : " in this network namespace"
        }.`,
        ...(mine.length === 0
          ? []
          : [`It has ${mine.slice(0, EXAMPLES).join(", ")}${mine.length > EXAMPLES ? ", …" : ""}`]),
        `Add it (ip addr add ${local}/… dev …), or let the kernel choose: local any`,
      ];
    }
    case Errno.ENETUNREACH:
    case Errno.EHOSTUNREACH:
      return [
        `There is no route from ${local} to ${remote}.`,
        `The ${
          subsystemOf(context)
        } looks for one when the tunnel is created: bring the interface up and add the route first.`,
        `See: ip ${ipv6 ? "-6 " : ""}route get ${given.remote?.address ?? remote}`,
      ];
    case Errno.EPROTONOSUPPORT:
      return given.encap === "ip" && context.l2tp.dataplane === "kernel"
        ? explainMissingModule(ipv6 ? "l2tp_ip6" : "l2tp_ip", context.lazy.system)
        : [];
    case Errno.EINVAL:
      return explainInvalidTunnel(given, context);
    case Errno.ENODEV: {
      const scope = given.remote?.scope ?? given.local?.scope;
      return scope === undefined ? [] : [`There is no interface ${scope} here.`, "See: ip link"];
    }
    default:
      return [];
  }
}

function explainAddressInUse(given: Arguments, context: Context): string[] {
  const tunnels = context.l2tp.tunnels();
  if (given.encap === "ip") {
    return [
      `Another L2TP/IP socket of this host has connection id ${given.tunnelId} on ${given.local?.text}.`,
      "Choose another tunnel_id.",
    ];
  }
  const holder = tunnels.find((tunnel) => tunnel.localPort === given.localPort);
  if (holder !== undefined && context.l2tp.dataplane === "user") {
    return [
      `${describe(holder)} has UDP port ${given.localPort}.`,
      "Tunnels that share a port need different peers and the same checksum settings.",
    ];
  }
  return [
    holder === undefined
      ? `Another program has UDP port ${given.localPort} on ${given.local?.text}: ss -uanp sport = :${given.localPort}`
      : `${describe(holder)} has UDP port ${given.localPort}.`,
    "Choose another udp_sport; each tunnel needs its own.",
  ];
}

function explainInvalidTunnel({ local, remote }: Arguments, context: Context): string[] {
  if (local === undefined || remote === undefined) return [];
  if (local.type !== "any" && ipVersionOf(local.address) !== ipVersionOf(remote.address)) {
    return [
      `${local.text} and ${remote.text} are of different families.`,
      "Give two IPv4 addresses or two IPv6 ones.",
    ];
  }
  const unscoped = [local, remote].find(({ address, scope }) =>
    /^fe[89ab]/.test(address) && scope === undefined
  );
  return unscoped === undefined ? [] : [
    `${unscoped.text} is link-local, so the ${subsystemOf(context)} needs to know its interface.`,
    `Add it: ${unscoped.text}%INTERFACE`,
  ];
}

function explainSessionCreate(error: NetlinkError, given: Arguments, context: Context): string[] {
  switch (error.errno) {
    case Errno.ENODEV:
      return noSuchTunnel(given.tunnelId, context);
    case Errno.EEXIST:
      return explainSessionExists(given, context);
    case Errno.EPROTONOSUPPORT: {
      // A tunnel of the same command may be gone again.
      const version = context.l2tp.tunnel(given.tunnelId!)?.version ?? given.version;
      if (version === 2 && given.pseudowire !== "ppp" && given.ppp === undefined) {
        return ["Sessions of version 2 carry PPP: add pw_type ppp, or ppp and the keywords of PPP."];
      }
      if (context.l2tp.dataplane === "user") return [];
      return explainMissingModule(given.pseudowire === "ppp" ? "l2tp_ppp" : "l2tp_eth", context.lazy.system);
    }
    case Errno.ENOENT:
      // Only the daemon opens a file for a session.
      return [
        "The daemon creates interfaces with /dev/net/tun, which does not exist here.",
        "As root: modprobe tun",
      ];
    case Errno.EINVAL:
      return given.interfaceName === undefined
        ? []
        : [`"${given.interfaceName}" is not a valid interface name.`];
    default:
      return [];
  }
}

/** Least MTU of an Ethernet interface (`ETH_MIN_MTU`). */
const MTU_MIN = 68;
/** Largest MTU of a session's interface of the kernel: `max_mtu` in net/l2tp/l2tp_eth.c. */
const MTU_MAX_KERNEL = 65535;
/** Largest MTU of a TAP device, which is that without its header of 14 bytes: `max_mtu` in drivers/net/tun.c. */
const MTU_MAX_USER = 65521;

function explainLink(error: NetlinkError, given: Arguments, context: Context): string[] {
  if (given.mtu === undefined || !/^mtu (greater|less) than device m/.test(error.extack ?? "")) return [];
  const most = context.l2tp.dataplane === "user" ? MTU_MAX_USER : MTU_MAX_KERNEL;
  return [`mtu of a session's interface is ${MTU_MIN} to ${most}.`];
}

function explainSessionExists(given: Arguments, context: Context): string[] {
  const sessions = context.l2tp.sessions();
  const here = sessions.find(({ tunnelId, sessionId }) =>
    tunnelId === given.tunnelId && sessionId === given.sessionId
  );
  if (here !== undefined) {
    return [
      `Session ${here.sessionId} already exists in tunnel ${here.tunnelId}, with peer session ${here.peerSessionId}` +
      (here.interfaceName === undefined ? "." : ` and interface ${here.interfaceName}.`),
      "Choose another session_id, or delete it first: " +
      `l2tp del session tunnel_id ${here.tunnelId} session_id ${here.sessionId}`,
    ];
  }
  if (given.interfaceName !== undefined && context.links.link(given.interfaceName) !== undefined) {
    return [
      `Interface ${given.interfaceName} already exists.`,
      "Choose another name, or leave it out.",
    ];
  }
  const elsewhere = sessions.find(({ sessionId }) => sessionId === given.sessionId);
  if (elsewhere === undefined) return [];
  const tunnel = context.l2tp.tunnel(elsewhere.tunnelId);
  return [
    `Session id ${given.sessionId} is in use in tunnel ${elsewhere.tunnelId}` +
    (tunnel === undefined ? "." : ` to ${tunnel.peer}.`),
    "Tunnels over IP share their session ids with all others of the namespace. Choose another session_id.",
  ];
}

function noSuchTunnel(tunnelId: number | undefined, context: Context): string[] {
  const ids = context.l2tp.tunnels().map((tunnel) => tunnel.tunnelId);
  return [`There is no tunnel ${tunnelId ?? 0} in this network namespace.`, listOf("tunnels", ids)];
}

function noSuchSession(given: Arguments, context: Context): string[] {
  if (given.sessionId === undefined && given.interfaceName !== undefined) {
    return [
      `No session was created with the interface name "${given.interfaceName}".`,
      `The ${subsystemOf(context)} does not follow renamed interfaces: see l2tp show session`,
    ];
  }
  if (given.tunnelId === undefined) return ["The session's tunnel must be given as well: add tunnel_id ID"];
  if (context.l2tp.tunnel(given.tunnelId) === undefined) return noSuchTunnel(given.tunnelId, context);
  const ids = context.l2tp.sessions().filter(({ tunnelId }) => tunnelId === given.tunnelId)
    .map(({ sessionId }) => sessionId);
  return [`There is no session ${given.sessionId} in tunnel ${given.tunnelId}.`, listOf("sessions", ids)];
}

function listOf(what: string, ids: readonly number[]): string {
  if (ids.length === 0) return `There are no ${what}.`;
  return `The ${what} are: ${ids.slice(0, EXAMPLES).join(", ")}${ids.length > EXAMPLES ? ", …" : ""}`;
}
