/** The doctor's rules as a table: a change to a healthy host, and the finding that it causes. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { MachineFacts, SessionFacts, TunnelFacts } from "../../src/doctor/facts.ts";
import { diagnose, isHealthy, type Level, RULES } from "../../src/doctor/rules.ts";
import { SPEED_OFFLOADS } from "../../src/model/offloads.ts";
import { sampleSession, sampleTunnel } from "../support/samples.ts";

const TUNNEL: TunnelFacts = {
  tunnel: sampleTunnel({ tunnelId: 1, peer: "10.0.0.2", encap: "udp", localPort: 1701 }),
  path: { mtu: 1500 },
};

const SESSION: SessionFacts = {
  session: sampleSession({ tunnelId: 1, sessionId: 10, interfaceName: "pw0", cookie: undefined }),
  link: { index: 5, name: "pw0", up: true, state: "unknown", mtu: 1446, master: undefined },
  l2spec: "default",
  offloads: SPEED_OFFLOADS,
  addresses: [],
};

const HEALTHY: MachineFacts = {
  version: "1.0.0",
  kernelRelease: "6.12.1",
  kernelL2tp: false,
  modules: [{ name: "l2tp_netlink", loaded: false, available: false, forbiddenBy: undefined }],
  tunError: undefined,
  capabilities: new Set(["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_ADMIN"]),
  sysctls: new Map([
    ["net.ipv4.ip_forward", "1"],
    ["net.ipv6.conf.all.forwarding", "1"],
    ["net.core.rmem_max", "212992"],
    ["net.ipv4.conf.all.rp_filter", "0"],
    ["net.ipv4.conf.eth0.rp_filter", "0"],
  ]),
  reversePathDrops: 0,
  udpBufferDrops: 0,
  ports: [{ port: 1701, address: "10.0.0.1", pid: 77, program: "l2tp" }],
  missingOffloads: new Map(),
  daemon: {
    path: "/run/l2tp/api.sock",
    trouble: undefined,
    pid: 77,
    version: "1.0.0",
    descriptors: { open: 20, limit: 1024 },
    leftBehind: undefined,
  },
  dataplane: "user",
  unread: false,
  tunnels: [TUNNEL],
  sessions: [SESSION],
};

const ABSENT = {
  ...HEALTHY.daemon,
  trouble: "absent",
  pid: undefined,
  version: undefined,
  descriptors: undefined,
};

function sysctls(changes: Record<string, string>): Partial<MachineFacts> {
  return { sysctls: new Map([...HEALTHY.sysctls, ...Object.entries(changes)]) };
}

function session(changes: Partial<SessionFacts>): Partial<MachineFacts> {
  return { sessions: [{ ...SESSION, ...changes }] };
}

const LINK = SESSION.link!;
const MODULE = { name: "l2tp_netlink", loaded: false, available: true, forbiddenBy: undefined };

/** Changed facts; the rule that reports them, severity, text, and advice. */
type Row = readonly [Partial<MachineFacts>, string, Level, RegExp, RegExp?];

const TABLE: readonly Row[] = [
  [{}, "kernel", "note", /^Kernel 6\.12\.1 has no L2TP: tunnels run in userspace\.$/],
  [{ tunError: "ENOENT" }, "kernel", "error", /no L2TP, and userspace cannot use TAP devices/],
  [
    { modules: [MODULE] },
    "kernel",
    "note",
    /modules that are not loaded/,
    /^To use the kernel's L2TP: modprobe -a/,
  ],
  [
    { kernelL2tp: true, modules: [{ ...MODULE, loaded: true }] },
    "kernel",
    "ok",
    /has L2TP and all its modules/,
  ],
  [
    { modules: [{ ...MODULE, forbiddenBy: "/etc/modprobe.d/l2tp.conf" }] },
    "kernel",
    "warning",
    /^\/etc\/modprobe\.d\/l2tp\.conf forbids loading l2tp_netlink\.$/,
    /modprobe l2tp_netlink$/,
  ],
  [{ kernelL2tp: true, dataplane: "kernel" }, "kernel", "note", /has L2TP, but lacks l2tp_netlink\.$/],
  [{ tunError: "ENOENT" }, "tun", "error", /cannot be opened: ENOENT/, /modprobe tun/],
  [{ tunError: "EPERM" }, "tun", "error", /cannot be opened: EPERM/, /c 10:200 rw/],
  [{ tunError: "ENOENT", kernelL2tp: true, dataplane: "kernel" }, "tun", "note", /cannot be opened/],
  [
    { capabilities: new Set(["CAP_NET_ADMIN"]) },
    "capabilities",
    "error",
    /^This process lacks CAP_NET_RAW, CAP_SYS_ADMIN\.$/,
    /sudo l2tp doctor/,
  ],
  [{ capabilities: new Set(["CAP_NET_ADMIN"]), kernelL2tp: true }, "capabilities", "ok", /has CAP_NET_ADMIN/],
  [{}, "daemon", "ok", /process 77\) answers at .*, version 1\.0\.0\.$/],
  [
    { daemon: { ...HEALTHY.daemon, version: "0.9.0" } },
    "daemon",
    "warning",
    /version 0\.9\.0 instead of 1/,
    /^Restart it/,
  ],
  [{ daemon: { ...HEALTHY.daemon, version: undefined } }, "daemon", "warning", /is older than this/],
  [{ daemon: ABSENT, dataplane: undefined }, "daemon", "ok", /the first tunnel starts one/],
  [{ daemon: ABSENT, dataplane: "kernel" }, "daemon", "ok", /none is needed/],
  [
    { daemon: { ...ABSENT, leftBehind: "/run/l2tp/journal" } },
    "daemon",
    "warning",
    /a previous one left tunnels in \/run\/l2tp\/journal/,
    /l2tp daemon --fresh$/,
  ],
  [{ daemon: { ...ABSENT, trouble: "silent" } }, "daemon", "error", /does not answer\.$/, /start another/],
  [{ daemon: { ...ABSENT, trouble: "forbidden" } }, "daemon", "error", /refuses access/, /group l2tp/],
  [
    { daemon: { ...HEALTHY.daemon, descriptors: { open: 922, limit: 1024 } } },
    "daemon",
    "warning",
    /922 of 1024 file descriptors/,
    /LimitNOFILE/,
  ],
  [
    { ...sysctls({ "net.ipv4.conf.all.rp_filter": "1" }), reversePathDrops: 3 },
    "sysctls",
    "warning",
    /^3 packets were dropped .*rp_filter is 1 on eth0\)/,
    /^sysctl -w net\.ipv4\.conf\.all\.rp_filter=2$/,
  ],
  [{ reversePathDrops: 3 }, "sysctls", "ok", /^No problem with rp_filter/],
  [
    {
      ...sysctls({ "net.ipv4.conf.all.rp_filter": "2", "net.ipv4.conf.eth0.rp_filter": "1" }),
      reversePathDrops: 3,
    },
    "sysctls",
    "ok",
    /^No problem with rp_filter/,
  ],
  [sysctls({ "net.ipv4.conf.all.rp_filter": "1" }), "sysctls", "ok", /^No problem with rp_filter/],
  [{ udpBufferDrops: 9 }, "sysctls", "warning", /^9 UDP datagrams .*rmem_max is 212992/, /rmem_max=4194304/],
  [
    { ...sysctls({ "net.core.rmem_max": "8388608" }), udpBufferDrops: 9 },
    "sysctls",
    "ok",
    /^No problem with rp_filter/,
  ],
  [
    {
      ...sysctls({ "net.ipv4.ip_forward": "0" }),
      ...session({ addresses: [{ index: 5, address: "192.168.1.1", prefixLength: 24 }] }),
    },
    "sysctls",
    "note",
    /^pw0 has an address, but IP forwarding is off \(net\.ipv4\.ip_forward is 0\)/,
    /net\.ipv4\.ip_forward=1$/,
  ],
  [
    {
      ...sysctls({ "net.ipv6.conf.all.forwarding": "0" }),
      ...session({ addresses: [{ index: 5, address: "fe80::1", prefixLength: 64 }] }),
    },
    "sysctls",
    "ok",
    /^No problem with .* IP forwarding/,
  ],
  [
    { ports: [...HEALTHY.ports, { port: 1701, address: "0.0.0.0", pid: 5, program: "xl2tpd" }], tunnels: [] },
    "ports",
    "warning",
    /^UDP port 1701 at 0\.0\.0\.0 is bound by xl2tpd \(process 5\): tunnels cannot use udp_sport 1701\.$/,
    /^Stop it/,
  ],
  [
    { ports: [{ port: 1701, address: "::", pid: undefined, program: undefined }] },
    "ports",
    "warning",
    /^UDP port 1701, which a tunnel uses, is also bound at :: by another program\.$/,
    /^To find the program: ss -ulnp/,
  ],
  [
    { ports: [{ port: 1701, address: "::", pid: undefined, program: undefined }], dataplane: "kernel" },
    "ports",
    "ok",
    /No other program/,
  ],
  [
    { ports: [{ port: 53, address: "::", pid: 1, program: "named" }] },
    "ports",
    "ok",
    /No other program uses UDP port 1701/,
  ],
  [
    { tunnels: [{ ...TUNNEL, path: { code: "ENETUNREACH" } }] },
    "paths",
    "error",
    /^Tunnel 1: no route to the peer 10\.0\.0\.2: ENETUNREACH\.$/,
    /ip route get 10\.0\.0\.2$/,
  ],
  [
    { tunnels: [{ ...TUNNEL, path: { code: "EADDRNOTAVAIL" } }] },
    "paths",
    "error",
    /no longer an address of this host/,
  ],
  [
    { tunnels: [{ ...TUNNEL, path: { mtu: 1400 } }] },
    "paths",
    "warning",
    /^pw0 has MTU 1446, which makes packets of up to 1500 bytes, but the path MTU to 10\.0\.0\.2 is 1400:/,
    /^ip link set pw0 mtu 1346$/,
  ],
  [session({ link: { ...LINK, mtu: 1447 } }), "paths", "warning", /up to 1501 bytes/, /mtu 1446$/],
  [{ tunnels: [{ ...TUNNEL, path: { mtu: 100 } }] }, "paths", "warning", /is 100:/, /^Raise the MTU/],
  [{ tunnels: [], sessions: [] }, "paths", "ok", /no tunnels/],
  [
    { tunnels: [{ tunnel: { ...TUNNEL.tunnel, peer: "fe80::2" }, path: undefined }] },
    "paths",
    "note",
    /^Tunnel 1: the path to fe80::2 is not checked: its interface is unknown\.$/,
  ],
  [
    { tunnels: [{ tunnel: { ...TUNNEL.tunnel, peer: "0.0.0.0" }, path: undefined }] },
    "paths",
    "ok",
    /^There is a route to every peer/,
  ],
  [
    session({ link: undefined }),
    "interfaces",
    "warning",
    /there is no interface pw0/,
    /renamed, moved or deleted/,
  ],
  [session({ link: { ...LINK, up: false } }), "interfaces", "warning", /pw0 is down/, /^ip link set pw0 up$/],
  [
    { missingOffloads: new Map([["uso", "it takes Linux 6.2"]]) },
    "offloads",
    "note",
    /^Offload uso unavailable: it takes/,
  ],
  [
    session({ offloads: ["tap", "tso", "uso", "gso", "gro", "coalesce"] }),
    "offloads",
    "note",
    /^Offload simd is off for 1 session, though/,
    /turned off/,
  ],
  [
    {
      tunnels: [{ ...TUNNEL, tunnel: { ...TUNNEL.tunnel, encap: "ip" } }],
      ...session({ offloads: ["tap", "tso", "uso", "coalesce", "simd"] }),
    },
    "offloads",
    "note",
    /^Offload gso works with UDP only: 1 session over IP/,
  ],
  [
    session({ offloads: ["tap", "tso", "uso", "gso", "coalesce", "simd", "bpf"] }),
    "offloads",
    "ok",
    /All offloads are on/,
  ],
  [{ dataplane: "kernel" }, "offloads", "ok", /needs no offloads/],
  ...["paths", "interfaces", "offloads"].map((check): Row => [
    { unread: true, tunnels: [], sessions: [] },
    check,
    "note",
    /^Not checked, because tunnels and sessions could not be read\.$/,
  ]),
];

Deno.test("a healthy host has nothing to fix, and every rule has a finding", () => {
  const findings = diagnose(HEALTHY);
  assert(isHealthy(findings), JSON.stringify(findings));
  assertEquals([...new Set(findings.map(({ check }) => check))], RULES.map(({ check }) => check));
});

for (const [changes, check, level, text, fix] of TABLE) {
  Deno.test(`doctor: ${check} ${level}: ${text.source}`, () => {
    const findings = diagnose({ ...HEALTHY, ...changes });
    const mine = findings.filter((finding) => finding.check === check);
    const found = mine.find((finding) => text.test(finding.text));
    assert(found !== undefined, JSON.stringify(mine));
    assertStrictEquals(found.level, level);
    if (fix !== undefined) assert(found.fix.some((line) => fix.test(line)), JSON.stringify(found.fix));
    // Every problem has advice. A rule that found a problem does not also report ok.
    if (level === "error" || level === "warning") assert(!isHealthy(findings));
    if (level === "warning") assert(found.fix.length > 0);
    if (level === "ok") assert(mine.every((other) => other.level === "ok"));
  });
}
