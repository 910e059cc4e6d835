/**
 * Collects facts about this machine for the doctor. Best effort: unreadable facts are omitted. Changes nothing, sends
 * nothing.
 *
 * @module
 */

import { AF_INET, AF_INET6, IPPROTO_UDP } from "../../base/inet.ts";
import { SyscallError } from "../../base/errors.ts";
import { formatIpAddress, isLinkLocal, parseIpAddress } from "../../base/ip_address.ts";
import { WasmChecksum, WasmMissingError } from "../../dataplane/checksum/wasm_checksum.ts";
import type { Offload } from "../../model/offloads.ts";
import type { Inspection, ModuleFacts, PortHolder, TunnelFacts } from "../../doctor/facts.ts";
import type { Tunnel } from "../../model/tunnel.ts";
import { SOCK_DGRAM, Socket } from "../../../ffi/sockets/socket.ts";
import { tunHasVnetHeader } from "../../../ffi/kernel/tun.ts";
import { pathMtu, probeUdpSegment, setUdpGro } from "../../../ffi/sockets/udp.ts";
import { effectiveCapabilities } from "./capabilities.ts";
import { forbiddingFile, hasKernelModule } from "./kernel_modules.ts";
import { isKernelAtLeast, kernelRelease } from "./kernel_release.ts";
import { linkAt, namesIn, readProcFile } from "./proc_files.ts";

const MODULES = ["l2tp_core", "l2tp_netlink", "l2tp_eth", "l2tp_ip", "l2tp_ip6", "l2tp_ppp"];

/** Inspects the machine as seen from the calling thread's network namespace, and the given UDP ports. */
export function inspectMachine(ports: readonly number[]): Inspection {
  return {
    kernelRelease: kernelRelease(),
    modules: MODULES.map(moduleFacts),
    ...tunFacts(),
    capabilities: effectiveCapabilities(),
    sysctls: readSysctls(),
    reversePathDrops: counterOf("netstat", "TcpExt", "IPReversePathFilter"),
    udpBufferDrops: counterOf("snmp", "Udp", "RcvbufErrors"),
    ports: holdersOf(new Set(ports)),
  };
}

/** The path to a tunnel's peer by the current routes. */
export function pathToPeer({ local, peer }: Tunnel): TunnelFacts["path"] {
  const [from, to] = [parseIpAddress(local), parseIpAddress(peer)];
  if (from === undefined || to === undefined || to.every((byte) => byte === 0) || isLinkLocal(to)) {
    return undefined;
  }
  try {
    const end = (address: Uint8Array): { address: Uint8Array; port: number } => ({ address, port: 0 });
    return { mtu: pathMtu(to.length === 16 ? AF_INET6 : AF_INET, end(from), end(to)).mtu };
  } catch (error) {
    if (error instanceof SyscallError) return { code: error.code };
    throw error;
  }
}

function moduleFacts(name: string): ModuleFacts {
  const loaded = new RegExp(`^${name} `, "m").test(readProcFile("/proc/modules"));
  return { name, loaded, available: hasKernelModule(name), forbiddenBy: forbiddingFile(name) };
}

function tunFacts(): Pick<Inspection, "tunError" | "missingOffloads"> {
  const missing = new Map<Offload, string>();
  let tunError: string | undefined;
  try {
    if (!tunHasVnetHeader()) missing.set("tap", "the TUN/TAP driver does not support virtio headers");
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    tunError = error.code;
  }
  const release = kernelRelease();
  if (!isKernelAtLeast(release, 6, 2)) missing.set("uso", `requires Linux 6.2, this kernel is ${release}`);
  const without = (action: (socket: Socket) => void): string | undefined => {
    try {
      using socket = Socket.open(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
      action(socket);
      return undefined;
    } catch (error) {
      if (error instanceof SyscallError) return error.message;
      throw error;
    }
  };
  const gso = without(probeUdpSegment);
  const gro = without((socket) => setUdpGro(socket, true));
  if (gso !== undefined) missing.set("gso", gso);
  if (gro !== undefined) missing.set("gro", gro);
  try {
    new WasmChecksum(new WebAssembly.Memory({ initial: 1 }));
  } catch (error) {
    if (!(error instanceof WasmMissingError)) throw error;
    missing.set("simd", error.message);
  }
  return { tunError, missingOffloads: missing };
}

function readSysctls(): Map<string, string> {
  const paths = [
    ...["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/core/rmem_max"],
    ...namesIn("/proc/sys/net/ipv4/conf").map((name) => `net/ipv4/conf/${name}/rp_filter`),
  ];
  const found = new Map<string, string>();
  for (const path of paths) {
    const value = readProcFile(`/proc/sys/${path}`).trim();
    if (value !== "") found.set(path.replaceAll("/", "."), value);
  }
  return found;
}

/** A counter of `/proc/net/FILE`: a line of names after the group's name, followed by a line of values. */
function counterOf(file: string, group: string, name: string): number {
  const lines = readProcFile(`/proc/thread-self/net/${file}`).split("\n")
    .filter((line) => line.startsWith(`${group}: `)).map((line) => line.split(" "));
  const at = lines[0]?.indexOf(name) ?? -1;
  return at < 0 ? 0 : Number(lines[1]?.[at] ?? 0);
}

/** Sockets bound to one of the UDP ports, with their processes. */
function holdersOf(ports: ReadonlySet<number>): PortHolder[] {
  const rows = ["udp", "udp6"].flatMap((file) =>
    readProcFile(`/proc/thread-self/net/${file}`).split("\n").slice(1)
  )
    .flatMap((line) => {
      const [, local, , , , , , , , inode] = line.trim().split(/\s+/);
      const [address, port] = local?.split(":") ?? [];
      if (address === undefined || port === undefined || !ports.has(parseInt(port, 16))) return [];
      return [{ address: addressOf(address), port: parseInt(port, 16), inode: inode ?? "" }];
    });
  const owners = rows.length === 0
    ? new Map<string, number>()
    : ownersOf(new Set(rows.map(({ inode }) => inode)));
  return rows.map(({ address, port, inode }) => {
    const pid = owners.get(inode);
    const program = pid === undefined ? undefined : readProcFile(`/proc/${pid}/comm`).trim();
    return { address, port, pid, program };
  });
}

/** `0100007F` is 127.0.0.1: 32-bit words in the order of this machine, which is little-endian. */
function addressOf(hex: string): string {
  const bytes = Uint8Array.fromHex(hex);
  for (let i = 0; i < bytes.length; i += 4) bytes.subarray(i, i + 4).reverse();
  return formatIpAddress(bytes);
}

/** Id of one process for each socket. */
function ownersOf(inodes: ReadonlySet<string>): Map<string, number> {
  const owners = new Map<string, number>();
  for (const pid of namesIn("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of namesIn(`/proc/${pid}/fd`)) {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(linkAt(`/proc/${pid}/fd/${fd}`)) ?? [];
      if (inode !== undefined && inodes.has(inode)) owners.set(inode, Number(pid));
    }
  }
  return owners;
}
