/**
 * `service`: what a service manager is to be told of the daemon.
 *
 * @module
 */

import type { Context } from "./context.ts";
import { argumentRequired, argumentWrong } from "./messages.ts";
import { UsageError } from "./usage_error.ts";

/** Where the program is taken to be when it does not run as one file. */
const USUAL_PATH = "/usr/local/bin/l2tp";

/** Each tunnel and session may have a descriptor, and the daemon has room for so many of both. */
const DESCRIPTORS = 262_144;

/**
 * The unit for systemd. `program` is the absolute path of the executable. What each line is for stands in the unit, so
 * that whoever changes it knows what goes.
 */
export function systemdUnit(program: string): string {
  return `# Made by "l2tp service systemd". Put it into /etc/systemd/system/l2tp.service, then:
#   systemctl daemon-reload && systemctl enable --now l2tp
# Further words for the daemon (workers, offload, metrics): systemctl edit l2tp, with
#   [Service]
#   ExecStart=
#   ExecStart=${program} daemon --keep metrics 127.0.0.1:9550
[Unit]
Description=L2TP tunnels and sessions in userspace
Documentation=man:l2tp(8)
# TAP devices: the module is loaded before, because the daemon itself may load none.
Wants=modprobe@tun.service
After=modprobe@tun.service network-pre.target
Before=network.target
# It is to be there always: no giving up after some failures.
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=${program} daemon --keep
Restart=always
RestartSec=1
# One that takes over thousands of tunnels is ready late.
TimeoutStartSec=120
LimitNOFILE=${DESCRIPTORS}

# The socket and the journal; what a daemon leaves is for the next one.
RuntimeDirectory=l2tp
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes
# Where the executable unpacks itself.
CacheDirectory=l2tp
CacheDirectoryMode=1700
Environment=XDG_CACHE_HOME=/var/cache HOME=/
UMask=0077

# NET_ADMIN: devices, interfaces, socket buffers. NET_RAW: IP protocol 115. NET_BIND_SERVICE: UDP ports below 1024.
# SYS_ADMIN: work in other network namespaces. SYS_PTRACE: find those without a name again after a restart. CHOWN: the
# socket for the group l2tp.
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_CHOWN
NoNewPrivileges=yes

# Of devices, TAP alone.
DevicePolicy=closed
DeviceAllow=/dev/net/tun rw

# Of namespaces, network ones, and only to enter them. Mounts of the host still arrive, so that namespaces that
# "ip netns" makes later are there, in /run/netns.
RestrictNamespaces=net
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service @pkey
SystemCallFilter=~@keyring @obsolete @reboot @swap
SystemCallErrorNumber=EPERM
# Not MemoryDenyWriteExecute: the runtime compiles what it runs.

[Install]
WantedBy=multi-user.target
`;
}

/**
 * Prints the unit; resolves to the exit code.
 *
 * @throws {UsageError} if another service manager is asked for
 */
export function service(context: Context, [manager, ...more]: readonly string[]): number {
  if (manager === undefined) throw new UsageError(argumentRequired("systemd"));
  if (manager !== "systemd") {
    throw new UsageError(argumentWrong(manager, "there is a unit for systemd"));
  }
  if (more[0] !== undefined) throw new UsageError(argumentWrong(more[0], "nothing goes behind systemd"));
  context.print(systemdUnit(context.more.programPath ?? USUAL_PATH));
  return 0;
}
