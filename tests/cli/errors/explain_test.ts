/**
 * `src/cli/errors/explain.ts` and `explain_module.ts` as whole command lines: the line that `ip` prints, then why and what to
 * try.
 */

import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { Errno } from "../../../src/base/errno.ts";
import { explainMissingModule } from "../../../src/cli/errors/explain_module.ts";
import type { SystemFacts } from "../../../src/cli/ports.ts";
import { FakeHost } from "../../support/fake_host.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const TUNNEL =
  "add tunnel tunnel_id 1 peer_tunnel_id 2 local 10.0.0.1 remote 10.0.0.2 udp_sport 5000 udp_dport 6000";
const IP_TUNNEL = "add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2";
const SESSION = "add session tunnel_id 1 session_id 10 peer_session_id 20 name pw0";

/** One refusal: what leads to it, and all that is printed. */
interface Case {
  readonly name: string;
  readonly prepare?: readonly string[];
  readonly setUp?: (host: FakeHost) => void;
  readonly line: string;
  readonly code?: number;
  readonly err: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: "tunnel id in use",
    prepare: [TUNNEL],
    line: TUNNEL.replace("5000", "5001"),
    err: [
      "RTNETLINK answers: File exists",
      "  Tunnel 1 (UDP from 10.0.0.1 port 5000 to 10.0.0.2 port 6000, peer tunnel 2) has that id.",
      "  Choose another tunnel_id, or delete it first: l2tp del tunnel tunnel_id 1",
    ],
  },
  {
    name: "tunnel id still in use by one that is going",
    setUp: ({ home }) => home.l2tp.refuseNext("TUNNEL_CREATE", Errno.EEXIST),
    line: IP_TUNNEL,
    err: [
      "RTNETLINK answers: File exists",
      "  The kernel is still taking down a tunnel with id 1.",
      "  Choose another tunnel_id, or delete it first: l2tp del tunnel tunnel_id 1",
    ],
  },
  {
    name: "port of another tunnel",
    prepare: [TUNNEL],
    line: TUNNEL.replace("tunnel_id 1", "tunnel_id 9"),
    err: [
      "RTNETLINK answers: Address already in use",
      "  Tunnel 1 (UDP from 10.0.0.1 port 5000 to 10.0.0.2 port 6000, peer tunnel 2) has UDP port 5000.",
      "  Choose another udp_sport; each tunnel needs its own.",
    ],
  },
  {
    name: "port of another program",
    setUp: ({ home }) => home.l2tp.takenPorts.add(5000),
    line: TUNNEL,
    err: [
      "RTNETLINK answers: Address already in use",
      "  Another program has UDP port 5000 on 10.0.0.1: ss -uanp sport = :5000",
      "  Choose another udp_sport; each tunnel needs its own.",
    ],
  },
  {
    name: "connection id of another socket",
    setUp: ({ home }) => home.l2tp.refuseNext("TUNNEL_CREATE", Errno.EADDRINUSE),
    line: IP_TUNNEL,
    err: [
      "RTNETLINK answers: Address already in use",
      "  Another L2TP/IP socket of this host has connection id 1 on 10.0.0.1.",
      "  Choose another tunnel_id.",
    ],
  },
  {
    name: "address that is not ours",
    line: IP_TUNNEL.replace("10.0.0.1", "10.9.9.9"),
    err: [
      "RTNETLINK answers: Cannot assign requested address",
      "  10.9.9.9 is not an address of this host in this network namespace.",
      "  It has 127.0.0.1, 10.0.0.1",
      "  Add it (ip addr add 10.9.9.9/… dev …), or let the kernel choose: local any",
    ],
  },
  {
    name: "IPv6 address that is not ours, of a host with many",
    setUp: ({ home }) => {
      for (let i = 2; i < 9; i++) home.links.addAddress("eth0", `fd00::${i}`, 64);
    },
    line: "add tunnel tid 1 ptid 2 encap ip local fd09::9 remote fd00::2",
    err: [
      "RTNETLINK answers: Cannot assign requested address",
      "  fd09::9 is not an address of this host in this network namespace.",
      "  It has fd00::1, fd00::2, fd00::3, fd00::4, fd00::5, …",
      "  Add it (ip addr add fd09::9/… dev …), or let the kernel choose: local any",
    ],
  },
  {
    name: "no route",
    setUp: ({ home }) => home.l2tp.unreachable.add("10.0.0.2"),
    line: IP_TUNNEL,
    err: [
      "RTNETLINK answers: Network is unreachable",
      "  There is no route from 10.0.0.1 to 10.0.0.2.",
      "  The kernel looks for one when the tunnel is created: bring the interface up and add the route first.",
      "  See: ip route get 10.0.0.2",
    ],
  },
  {
    name: "no route for IPv6",
    setUp: ({ home }) => home.l2tp.refuseNext("TUNNEL_CREATE", Errno.EHOSTUNREACH),
    line: "add tunnel tid 1 ptid 2 encap ip local fd00::1 remote fd00::2",
    err: [
      "RTNETLINK answers: No route to host",
      "  There is no route from fd00::1 to fd00::2.",
      "  The kernel looks for one when the tunnel is created: bring the interface up and add the route first.",
      "  See: ip -6 route get fd00::2",
    ],
  },
  {
    name: "families differ",
    line: IP_TUNNEL.replace("10.0.0.2", "fd00::2"),
    err: [
      "RTNETLINK answers: Invalid argument",
      "  10.0.0.1 and fd00::2 are of different families.",
      "  Give two IPv4 addresses or two IPv6 ones.",
    ],
  },
  {
    name: "link-local without its interface",
    line: "add tunnel tid 1 ptid 2 encap ip local fe80::1 remote fe80::2",
    err: [
      "RTNETLINK answers: Invalid argument",
      "  fe80::1 is link-local, so the kernel needs to know its interface.",
      "  Add it: fe80::1%INTERFACE",
    ],
  },
  {
    name: "link-local on an interface that is not there",
    line: "add tunnel tid 1 ptid 2 encap ip local fe80::1%eth9 remote fe80::2%eth9",
    err: ["RTNETLINK answers: No such device", "  There is no interface eth9 here.", "  See: ip link"],
  },
  {
    name: "no module for IP over IPv4",
    setUp: ({ home }) => void home.l2tp.modules.delete("l2tp_ip"),
    line: IP_TUNNEL,
    err: [
      "RTNETLINK answers: Protocol not supported",
      "  Kernel 6.1.0-41-amd64 has no module l2tp_ip.",
      "  Debian's standard kernels have it, the cloud ones do not: apt install linux-image-amd64 (or -arm64), reboot",
    ],
  },
  {
    name: "no module for IP over IPv6",
    setUp: ({ home }) => void home.l2tp.modules.delete("l2tp_ip6"),
    line: "add tunnel tid 1 ptid 2 encap ip local fd00::1 remote fd00::2",
    err: [
      "RTNETLINK answers: Protocol not supported",
      "  Kernel 6.1.0-41-amd64 has no module l2tp_ip6.",
      "  Debian's standard kernels have it, the cloud ones do not: apt install linux-image-amd64 (or -arm64), reboot",
    ],
  },
  {
    name: "no tunnel for the session, and there are none",
    line: SESSION,
    err: [
      "RTNETLINK answers: No such device",
      "  There is no tunnel 1 in this network namespace.",
      "  There are no tunnels.",
    ],
  },
  {
    name: "no tunnel for the session, among many",
    prepare: [2, 3, 4, 5, 6, 7].map((id) => IP_TUNNEL.replace("tunnel_id 1", `tunnel_id ${id}`)),
    line: SESSION,
    err: [
      "RTNETLINK answers: No such device",
      "  There is no tunnel 1 in this network namespace.",
      "  The tunnels are: 2, 3, 4, 5, 6, …",
    ],
  },
  {
    name: "session id in use in this tunnel",
    prepare: [TUNNEL, SESSION],
    line: SESSION.replace("pw0", "pw1"),
    err: [
      "RTNETLINK answers: File exists",
      "  Session 10 already exists in tunnel 1, with peer session 20 and interface pw0.",
      "  Choose another session_id, or delete it first: l2tp del session tunnel_id 1 session_id 10",
    ],
  },
  {
    name: "PPP session id in use",
    prepare: [TUNNEL, "add session tid 1 sid 10 psid 20 pw_type ppp"],
    line: SESSION,
    err: [
      "RTNETLINK answers: File exists",
      "  Session 10 already exists in tunnel 1, with peer session 20.",
      "  Choose another session_id, or delete it first: l2tp del session tunnel_id 1 session_id 10",
    ],
  },
  {
    name: "session id in use, nobody knows where",
    prepare: [TUNNEL],
    setUp: ({ home }) => home.l2tp.refuseNext("SESSION_CREATE", Errno.EEXIST),
    line: SESSION,
    err: ["RTNETLINK answers: File exists"],
  },
  {
    name: "interface name in use",
    prepare: [TUNNEL],
    line: SESSION.replace("pw0", "eth0"),
    err: [
      "RTNETLINK answers: File exists",
      "  Interface eth0 already exists.",
      "  Choose another name, or leave it out.",
    ],
  },
  {
    name: "session id in use in another tunnel",
    prepare: [IP_TUNNEL, SESSION, TUNNEL.replace("tunnel_id 1", "tunnel_id 9")],
    line: SESSION.replace("tunnel_id 1", "tunnel_id 9").replace("pw0", "pw1"),
    err: [
      "RTNETLINK answers: File exists",
      "  Session id 10 is in use in tunnel 1 to 10.0.0.2.",
      "  Tunnels over IP share their session ids with all others of the namespace. Choose another session_id.",
    ],
  },
  {
    name: "Ethernet in a version 2 tunnel",
    prepare: [`${TUNNEL} version 2`],
    line: SESSION,
    err: [
      "RTNETLINK answers: Protocol not supported",
      "  Sessions of version 2 carry PPP: add pw_type ppp, or ppp and the keywords of PPP.",
    ],
  },
  {
    name: "Ethernet in a version 2 tunnel of the same command",
    prepare: [],
    line: `${TUNNEL} version 2 session sid 10 psid 20`,
    err: [
      "RTNETLINK answers: Protocol not supported",
      "  Sessions of version 2 carry PPP: add pw_type ppp, or ppp and the keywords of PPP.",
    ],
  },
  {
    name: "no module for Ethernet",
    prepare: [TUNNEL],
    setUp: (host) => {
      host.home.l2tp.modules.delete("l2tp_eth");
      host.system = { ...host.system, distribution: "openwrt" };
    },
    line: SESSION,
    err: [
      "RTNETLINK answers: Protocol not supported",
      "  Kernel 6.1.0-41-amd64 has no module l2tp_eth.",
      "  Install it: opkg install kmod-l2tp-eth",
    ],
  },
  {
    name: "no module for PPP",
    prepare: [`${TUNNEL} version 2`],
    setUp: (host) => {
      host.home.l2tp.modules.delete("l2tp_ppp");
      host.system = {
        ...host.system,
        hasModule: () => true,
        forbiddenBy: () => "/etc/modprobe.d/l2tp_ppp.conf",
      };
    },
    line: "add session tid 1 sid 10 psid 20 pw_type ppp",
    err: [
      "RTNETLINK answers: Protocol not supported",
      "  Kernel module l2tp_ppp exists but was not loaded.",
      "  /etc/modprobe.d/l2tp_ppp.conf forbids it.",
      "  Load it as root all the same: modprobe --ignore-install l2tp_ppp, or change that file.",
    ],
  },
  {
    name: "name that no interface can have",
    prepare: [TUNNEL],
    line: SESSION.replace("pw0", "a:b"),
    err: ["RTNETLINK answers: Invalid argument", '  "a:b" is not a valid interface name.'],
  },
  {
    name: "deleting a tunnel that is not there",
    prepare: [TUNNEL],
    line: "del tunnel tid 9",
    err: [
      "RTNETLINK answers: No such device",
      "  There is no tunnel 9 in this network namespace.",
      "  The tunnels are: 1",
    ],
  },
  {
    name: "announcing a tunnel that is not there",
    line: "set tunnel tid 9",
    err: [
      "RTNETLINK answers: No such device",
      "  There is no tunnel 9 in this network namespace.",
      "  There are no tunnels.",
    ],
  },
  {
    name: "deleting a session that is not there",
    prepare: [TUNNEL, SESSION],
    line: "del session tid 1 sid 9",
    err: [
      "RTNETLINK answers: No such device",
      "  There is no session 9 in tunnel 1.",
      "  The sessions are: 10",
    ],
  },
  {
    name: "deleting a session of a tunnel that is not there",
    prepare: [TUNNEL],
    line: "del session tid 8 sid 9",
    err: [
      "RTNETLINK answers: No such device",
      "  There is no tunnel 8 in this network namespace.",
      "  The tunnels are: 1",
    ],
  },
  {
    name: "deleting a session without saying its tunnel",
    prepare: [TUNNEL, SESSION],
    line: "del session sid 10",
    err: [
      "RTNETLINK answers: No such device",
      "  The session's tunnel must be given as well: add tunnel_id ID",
    ],
  },
  {
    name: "changing a session by a name that none was made with",
    prepare: [TUNNEL, SESSION],
    line: "set session name pw9 seq none",
    err: [
      "RTNETLINK answers: No such device",
      '  No session was created with the interface name "pw9".',
      "  The kernel does not follow renamed interfaces: see l2tp show session",
    ],
  },
  {
    name: "address that the interface has already",
    prepare: [TUNNEL],
    line: `${SESSION} addr 10.1.0.1/24 addr 10.1.0.1/24`,
    err: ["RTNETLINK answers: File exists", "  The interface already has that address."],
  },
  {
    name: "no privilege, changing",
    setUp: ({ home }) => home.l2tp.privileged = false,
    line: IP_TUNNEL,
    err: [
      "RTNETLINK answers: Operation not permitted",
      "  L2TP needs CAP_NET_ADMIN in the user namespace that owns this network namespace, for reading too.",
      "  Run it as root: sudo l2tp …",
    ],
  },
  {
    name: "no privilege, reading",
    setUp: ({ home }) => home.l2tp.privileged = false,
    line: "show tunnel",
    code: 1,
    err: [
      "RTNETLINK answers: Operation not permitted",
      "  L2TP needs CAP_NET_ADMIN in the user namespace that owns this network namespace, for reading too.",
      "  Run it as root: sudo l2tp …",
    ],
  },
  {
    name: "no L2TP in the kernel",
    setUp: ({ home }) => home.l2tp.hasFamily = false,
    line: "-dataplane kernel show",
    code: 1,
    err: [
      "RTNETLINK answers: No such file or directory",
      "  Kernel 6.1.0-41-amd64 has no module l2tp_netlink.",
      "  Debian's standard kernels have it, the cloud ones do not: apt install linux-image-amd64 (or -arm64), reboot",
    ],
  },
  {
    name: "what the kernel explains itself",
    prepare: [TUNNEL],
    setUp: ({ home }) =>
      home.links.refusal = (step) => step === "mtu 70000" ? { errno: 22, extack: "mtu too big" } : undefined,
    line: `${SESSION} mtu 70000`,
    err: ["Error: mtu too big."],
  },
  {
    name: "an mtu that the interface cannot have",
    prepare: [TUNNEL],
    setUp: ({ home }) =>
      home.links.refusal = (step) =>
        step === "mtu 70000" ? { errno: 22, extack: "mtu greater than device maximum" } : undefined,
    line: `${SESSION} mtu 70000`,
    err: [
      "Error: mtu greater than device maximum.",
      "  mtu of a session's interface is 68 to 65535.",
    ],
  },
  {
    name: "what the kernel explains with a full stop",
    setUp: ({ home }) =>
      home.l2tp.refuseNext("TUNNEL_CREATE", 34, { extack: "Attribute failed policy validation." }),
    line: IP_TUNNEL,
    err: ["Error: Attribute failed policy validation."],
  },
  {
    name: "an error nobody knows more about",
    setUp: ({ home }) => home.l2tp.refuseNext("TUNNEL_CREATE", Errno.ENOMEM),
    line: IP_TUNNEL,
    err: ["RTNETLINK answers: Cannot allocate memory"],
  },
  {
    name: "a host that has no address",
    line: "add tunnel tid 1 ptid 2 encap ip local 10.0.0.1 remote no.example",
    code: 1,
    err: [
      'Error: any valid address is expected rather than "no.example".',
      '  Host name "no.example" cannot be resolved: Name or service not known',
      "  Give the address itself, or see: getent hosts no.example",
    ],
  },
  {
    name: "a host that has no address of this family",
    setUp: (host) => host.hosts.set("six.example", ["fd00::2"]),
    line: "add tunnel tid 1 ptid 2 encap ip local 10.0.0.1 remote six.example",
    code: 1,
    err: [
      'Error: any valid address is expected rather than "six.example".',
      '  Host name "six.example" cannot be resolved: it has no address',
      "  Give the address itself, or see: getent hosts six.example",
    ],
  },
  {
    name: "a scope where none belongs",
    line: "add tunnel tid 1 ptid 2 encap ip local fd00::1%eth0 remote fd00::2",
    code: 1,
    err: [
      'Error: any valid address is expected rather than "fd00::1%eth0".',
      "  Only link-local addresses (fe80::/10) take %INTERFACE.",
    ],
  },
];

for (const { name, prepare, setUp, line, code = 2, err } of CASES) {
  Deno.test(`failure: ${name}`, async () => {
    const host = new FakeHost();
    await host.prepare(...prepare ?? []);
    setUp?.(host);
    const before = [host.home.l2tp.tunnels.size, host.home.l2tp.sessions.length];
    assertDeepStrictEquals(await host.run(line), { code, out: "", err: `${err.join("\n")}\n` });
    assertDeepStrictEquals([host.home.l2tp.tunnels.size, host.home.l2tp.sessions.length], before);
  });
}

Deno.test("failure: an explanation that fails does not hide the error", async () => {
  const host = new FakeHost();
  const { l2tp } = host.home;
  l2tp.refuseNext("TUNNEL_CREATE", Errno.EEXIST);
  l2tp.refuseNext("TUNNEL_GET", Errno.EPERM);
  const { code, err } = await host.run(IP_TUNNEL);
  assertEquals([code, err], [2, "RTNETLINK answers: File exists\n"]);
});

Deno.test("failure: an explanation changes nothing", async () => {
  const host = new FakeHost();
  await host.prepare(TUNNEL, SESSION);
  await host.run(SESSION);
  assertEquals(host.home.l2tp.commands.filter((name) => !name.endsWith("_GET")), ["SESSION_CREATE"]);
});

Deno.test("explainMissingModule(): there or not, forbidden or not, by distribution", () => {
  const system = (distribution: string, changes: Partial<SystemFacts> = {}): SystemFacts => ({
    kernelRelease: "6.12.1",
    distribution,
    hasModule: () => false,
    forbiddenBy: () => undefined,
    ...changes,
  });
  const table: [module: string, distribution: string, advice: RegExp][] = [
    ["l2tp_eth", "debian", /apt install linux-image-amd64/],
    ["l2tp_eth", "ubuntu", /^Install the kernel's extra modules: apt install linux-modules-extra-6\.12\.1$/],
    ["l2tp_eth", "fedora", /^Install the kernel's extra modules: dnf install kernel-modules-extra-6\.12\.1$/],
    ["l2tp_eth", "rhel", /dnf install kernel-modules-extra-/],
    ["l2tp_eth", "rocky", /dnf install kernel-modules-extra-/],
    ["l2tp_netlink", "openwrt", /opkg install kmod-l2tp$/],
    ["l2tp_eth", "openwrt", /opkg install kmod-l2tp-eth$/],
    ["l2tp_ip", "openwrt", /opkg install kmod-l2tp-ip$/],
    ["l2tp_ip6", "openwrt", /opkg install kmod-l2tp-ip$/],
    ["l2tp_ppp", "openwrt", /opkg install kmod-pppol2tp$/],
    ["l2tp_eth", "alpine", /apk add linux-lts/],
    ["l2tp_eth", "gentoo", /CONFIG_L2TP and CONFIG_L2TP_V3/],
    ["l2tp_eth", "", /CONFIG_L2TP/],
  ];
  for (const [module, distribution, advice] of table) {
    const lines = explainMissingModule(module, system(distribution));
    assertStrictEquals(lines[0], `Kernel 6.12.1 has no module ${module}.`);
    assertMatch(lines[1]!, advice, `${module} ${distribution}`);
  }
  assertEquals(
    explainMissingModule("l2tp_eth", system("debian", { hasModule: (name) => name === "l2tp_eth" })),
    [
      "Kernel module l2tp_eth exists but was not loaded.",
      "A container cannot load modules: let the host do it.",
      "Load it as root: modprobe l2tp_eth",
    ],
  );
});
