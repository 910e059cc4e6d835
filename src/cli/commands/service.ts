/**
 * `service`: what a service manager is to be told of the daemon.
 *
 * @module
 */

import type { Context } from "../context.ts";
import { argumentRequired, argumentWrong, LINE_INCOMPLETE } from "../grammar/messages.ts";
import { UsageError } from "../grammar/usage_error.ts";

/** Where the program is taken to be when it does not run as one file. */
const USUAL_PATH = "/usr/local/bin/l2tp";

/** Each tunnel and session may have a descriptor, and the daemon has room for so many of both. */
const DESCRIPTORS = 262_144;

/**
 * The unit for systemd. `program` is the absolute path of the executable; `config` that of the configuration file which
 * the daemon is to apply, if any. What each line is for stands in the unit, so that whoever changes it knows what goes.
 */
export function systemdUnit(program: string, config: string | undefined): string {
  const words = config === undefined ? "" : ` config ${config}`;
  return `# Made by "l2tp service systemd${words}". Put it into /etc/systemd/system/l2tp.service, then:
#   systemctl daemon-reload && systemctl enable --now l2tp
# Further words for the daemon (workers, offload, metrics): systemctl edit l2tp, with
#   [Service]
#   ExecStart=
#   ExecStart=${program} daemon --keep${words} metrics 127.0.0.1:9550
${config === undefined ? NO_CONFIG_COMMENT : ""}[Unit]
Description=L2TP tunnels and sessions in userspace
Documentation=man:l2tp(8)
# TUN and TAP devices: the module is loaded before, because the daemon itself may load none.
Wants=modprobe@tun.service
After=modprobe@tun.service network-pre.target
Before=network.target
# It is to be there always: no giving up after some failures.
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=${program} daemon --keep${words}
${config === undefined ? "" : RELOAD}Restart=always
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

# Of devices, TUN and TAP, and the kernel's PPP.
DevicePolicy=closed
DeviceAllow=/dev/net/tun rw
DeviceAllow=/dev/ppp rw

# Of namespaces, network ones, and only to enter them. Mounts of the host still arrive, so that namespaces that
# "ip netns" makes later are there, in /run/netns.
RestrictNamespaces=net
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PPPOX
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
# bpf is for "offload bpf".
SystemCallFilter=@system-service @pkey bpf
SystemCallFilter=~@keyring @obsolete @reboot @swap
SystemCallErrorNumber=EPERM
# Not MemoryDenyWriteExecute: the runtime compiles what it runs.

[Install]
WantedBy=multi-user.target
`;
}

/** What the unit says where it has no file: a daemon without one would end on the signal of a reload. */
const NO_CONFIG_COMMENT = `# For tunnels from a file at boot: l2tp service systemd config /etc/l2tp/l2tp.toml
`;

/** What goes with a file. */
const RELOAD =
  `# Hooks run with what is left to the daemon below: no other capabilities, and hardly a folder to write to.
# A file that is wrong is told, with its line, in the journal, and changes nothing.
ExecReload=/bin/kill -HUP $MAINPID
# At the start it ends the daemon, for good: it will not be better in a second.
RestartPreventExitStatus=255
`;

/**
 * Prints the unit; resolves to the exit code.
 *
 * @throws {UsageError} if another service manager is asked for, or the file's path is not absolute
 */
export function service(context: Context, [manager, ...more]: readonly string[]): number {
  if (manager === undefined) throw new UsageError(argumentRequired("systemd"));
  if (manager !== "systemd") {
    throw new UsageError(argumentWrong(manager, "there is a unit for systemd"));
  }
  const [word, config, ...rest] = more;
  if (word !== undefined && word !== "config") {
    throw new UsageError(argumentWrong(word, "config FILE goes behind systemd, and nothing else"));
  }
  if (word !== undefined && config === undefined) throw new UsageError(LINE_INCOMPLETE);
  if (rest[0] !== undefined) throw new UsageError(argumentWrong(rest[0], "nothing goes behind the file"));
  // A unit has rules of its own for blanks, quotes, percent and dollar signs.
  if (config !== undefined && !/^\/[A-Za-z0-9_./@+-]+$/.test(config)) {
    throw new UsageError(argumentWrong(config, "it must be an absolute path of letters, digits and _./@+-"));
  }
  context.print(systemdUnit(context.lazy.system.programPath ?? USUAL_PATH, config));
  return 0;
}
