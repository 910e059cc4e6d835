/** `import`: files of three other programs, and that what is written is what they meant. */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { FakeHost } from "../../../support/fake_host.ts";
import { assertDeepStrictEquals } from "../../../support/assertions.ts";

const NETDEV = `# a unit
[NetDev]
Name=site-a
Kind=l2tp
MTUBytes=1400

[L2TP]
TunnelId=10
PeerTunnelId=20
Local=10.0.0.1
Remote=10.0.0.2
EncapsulationType=udp
UDPSourcePort=3000
UDPDestinationPort=4000
UDPChecksum=yes
UDP6ZeroChecksumTx=true

[L2TPSession]
Name=l2tp-a
SessionId=100
PeerSessionId=200

[L2TPSession]
Name=l2tp-b
SessionId=101
PeerSessionId=201
Layer2SpecificHeader=none
`;

const NETDEV_TOML = `# Generated from a.netdev by l2tp import.

[tunnel.site-a]
tunnel_id = 10
peer_tunnel_id = 20
local = "10.0.0.1"
remote = "10.0.0.2"
udp_sport = 3000
udp_dport = 4000
udp_csum = true

[tunnel.site-a.session.l2tp-a]
session_id = 100
peer_session_id = 200
interface = "l2tp-a"

[tunnel.site-a.session.l2tp-b]
session_id = 101
peer_session_id = 201
interface = "l2tp-b"
l2spec_type = "none"
`;

const QL2TPD = `[tunnel.t1]
version = "l2tpv3"
encap = "udp"
local = "10.0.0.1:5000"
tid = 62719
peer = "10.0.0.2:5001"
ptid = 72819
hello_timeout = 7500 # milliseconds

[tunnel.t1.session.s1]
pseudowire = "eth"
sid = 12389
psid = 1234
seqnum = false
cookie = [ 0x12, 0xe9, 0x54, 0x0f, 0xe2, 0x68, 0x72, 0xbc ]
peer_cookie = [ 0x74, 0x2e, 0x28, 0xa8 ]
interface_name = "l2tpeth42"
l2spec_type = "default"

[tunnel.t2]
version = "l2tpv3"
encap = "ip"
local = "fd00::1"
peer = "[fd00::2]:0"
tid = 1
ptid = 2
[tunnel.t2.session.s1]
pseudowire = "eth"
sid = 3
psid = 4
reorder_timeout = 20
`;

const QL2TPD_TOML = `# Generated from ql2tpd.toml by l2tp import.

[tunnel.t1]
tunnel_id = 62719
peer_tunnel_id = 72819
local = "10.0.0.1"
remote = "10.0.0.2"
udp_sport = 5000
udp_dport = 5001

[tunnel.t1.session.s1]
session_id = 12389
peer_session_id = 1234
interface = "l2tpeth42"
cookie = "12e9540fe26872bc"
peer_cookie = "742e28a8"

[tunnel.t2]
tunnel_id = 1
peer_tunnel_id = 2
encap = "ip"
local = "fd00::1"
remote = "fd00::2"

[tunnel.t2.session.s1]
session_id = 3
peer_session_id = 4
l2spec_type = "none"
reorder_timeout = 20
`;

const COMMANDS = `#!/bin/sh
set -e
modprobe l2tp_eth
ip l2tp add tunnel tunnel_id 3000 peer_tunnel_id 4000 encap udp local 10.0.0.1 \\
  remote 10.0.0.2 udp_sport 5000 udp_dport 6000
ip l2tp add session tunnel_id 3000 session_id 1000 peer_session_id 2000 cookie 0011223344556677 seq send name pw0
ip link set pw0 up mtu 1488
ip link set dev pw0 master br0
ip addr add 10.42.1.1/24 dev pw0
ip address add fd42::1/64 dev pw0
sudo ip l2tp add tunnel tid 5 ptid 6 encap ip local any remote peer.example
ip l2tp add session tid 5 sid 7 psid 8 l2spec_type none offset 8
ip route add default dev pw0
echo done
`;

const COMMANDS_TOML = `# Generated from tunnels.sh by l2tp import.

[tunnel.3000]
tunnel_id = 3000
peer_tunnel_id = 4000
local = "10.0.0.1"
remote = "10.0.0.2"
udp_sport = 5000
udp_dport = 6000

[tunnel.3000.session.pw0]
session_id = 1000
peer_session_id = 2000
interface = "pw0"
cookie = "0011223344556677"
seq = "send"
mtu = 1488
bridge = "br0"
addresses = ["10.42.1.1/24", "fd42::1/64"]
up = true

[tunnel.5]
tunnel_id = 5
peer_tunnel_id = 6
encap = "ip"
remote = "peer.example"

[tunnel.5.session.7]
session_id = 7
peer_session_id = 8
l2spec_type = "none"
`;

function hostWith(files: Record<string, string>): FakeHost {
  const host = new FakeHost();
  for (const [path, text] of Object.entries(files)) host.files.set(path, text.split("\n"));
  return host;
}

Deno.test("import: units of systemd-networkd", async () => {
  const host = hostWith({ "a.netdev": NETDEV });
  const { code, out, err } = await host.run("import a.netdev");
  assertDeepStrictEquals([code, out], [0, NETDEV_TOML]);
  assertStrictEquals(err, "a.netdev:5:1: MTUBytes is left out\n");
  assertStrictEquals((await host.run("import networkd a.netdev")).out, out);
});

Deno.test("import: ql2tpd.toml", async () => {
  const host = hostWith({ "ql2tpd.toml": QL2TPD });
  const { code, out, err } = await host.run("import ql2tpd.toml");
  assertDeepStrictEquals([code, out], [0, QL2TPD_TOML]);
  assertStrictEquals(err, "ql2tpd.toml:8:1: hello_timeout belongs to a control protocol, and is left out\n");
});

Deno.test("import: commands", async () => {
  const host = hostWith({ "tunnels.sh": COMMANDS });
  const { code, out, err } = await host.run("import tunnels.sh");
  assertDeepStrictEquals([code, out], [0, COMMANDS_TOML]);
  assertStrictEquals(
    err,
    `tunnels.sh:12:1: Ignoring option "offset"
tunnels.sh:13:1: left out: it sets nothing of an interface above
tunnels.sh:14:1: left out: not a command of ip or l2tp
`,
  );
});

Deno.test("import: what is written makes what the commands themselves make", async () => {
  const lines = COMMANDS.split("\n").filter((line) =>
    !/^(#|set|modprobe|sudo|ip r|echo|ip l2tp add session tid 5)/.test(line)
  );
  const host = hostWith({ "tunnels.sh": lines.join("\n") });
  host.home.links.add("br0");
  const { out } = await host.run("import tunnels.sh");
  host.files.set("l2tp.toml", out.split("\n"));
  const creations = lines.filter((line) => !/^ip (link|addr)/.test(line));
  host.files.set("creations", creations);
  await host.prepare("-batch creations");
  const pw0 = host.home.links.byName("pw0")!;
  const { out: diff } = await host.run("apply --dry-run -f l2tp.toml");
  assertStrictEquals(pw0.up, false);
  // The interface is all that the commands to the subsystem alone do not make.
  assertEquals(diff.split("\n").filter((line) => line.startsWith("+")), [
    "+   mtu = 1488",
    '+   bridge = "br0"',
    '+   addresses = ["10.42.1.1/24", "fd42::1/64"]',
    "+   up = true",
  ]);
  await host.prepare("apply -f l2tp.toml");
  const saved = (await host.run("save")).out;
  assertStrictEquals(
    saved.replaceAll("session.1000]", "session.pw0]").replace(/^#.*\n/, ""),
    out.replace(/^#.*\n/, ""),
  );
});

Deno.test("import: every format comes back from apply and save as it went in", async () => {
  for (const text of [NETDEV, QL2TPD]) {
    const host = hostWith({ file: text });
    host.home.links.addAddress("eth0", "fd00::1", 64);
    const { out } = await host.run("import file");
    host.files.set("l2tp.toml", out.split("\n"));
    await host.prepare("apply -f l2tp.toml");
    const first = (await host.run("-j -d show")).out;
    await host.prepare("save -f saved.toml", "flush", "apply -f saved.toml");
    const strip = (json: string): string => json.replaceAll(/"ifindex":\d+/g, "");
    assertStrictEquals(strip((await host.run("-j -d show")).out), strip(first));
    assertMatch((await host.run("apply --prune -f l2tp.toml")).out, /^Nothing to do/);
  }
});

Deno.test("import: several files make one configuration, whose names are different", async () => {
  const host = hostWith({
    "a.netdev": NETDEV,
    "b.netdev": NETDEV.replaceAll("l2tp-", "m-").replace("=10\n", "=11\n"),
  });
  const { code, out } = await host.run("import a.netdev b.netdev");
  assertStrictEquals(code, 0);
  assertEquals(out.match(/^\[tunnel\.[^.]+\]$/gm), ["[tunnel.site-a]", "[tunnel.site-a-2]"]);
});

Deno.test("import: what is wrong or missing is told, with its line", async () => {
  const host = hostWith({
    "vlan.netdev": "[NetDev]\nName=v\nKind=vlan\n",
    "bad.netdev": NETDEV.replace("=10\n", "=zehn\n").replace("Remote=10.0.0.2", "Remote=peer.example"),
    "bad.toml": QL2TPD.replace("tid = 62719", "tid = 0").replace("0xa8 ]", "0xa8, 1 ]"),
    "no.toml": "[tunnel.a\n",
    "bad.sh": "ip l2tp add session tid 1 sid 1 psid 1\nip l2tp add tunnel tid x\nip l2tp del tunnel tid 1\n",
  });
  const errors = async (line: string): Promise<[number, string[]]> => {
    const { code, err } = await host.run(line);
    return [code, err.trimEnd().split("\n")];
  };
  const nothing = (file: string): string[] => [
    `Error: there is no tunnel in ${file}.`,
    "  l2tp recognizes units of systemd-networkd, files of go-l2tp and commands: see l2tp help import",
  ];
  assertDeepStrictEquals(await errors("import vlan.netdev"), [255, [
    "vlan.netdev:3:1: this is not a unit of an L2TP tunnel: its Kind is vlan",
    ...nothing("vlan.netdev"),
  ]]);
  assertEquals(await errors("import bad.netdev"), [1, [
    "bad.netdev:5:1: MTUBytes is left out",
    'bad.netdev:8:1: TunnelId "zehn" must be 1 to 4294967295',
    'bad.netdev:11:1: Remote "peer.example" is not an address',
    "the configuration printed:3:9: tunnel site-a needs tunnel_id",
    "the configuration printed:3:9: tunnel site-a needs remote",
  ]]);
  const [code, lines] = await errors("import bad.toml");
  assertStrictEquals(code, 1);
  assertEquals(lines.slice(0, 2), [
    "bad.toml:5:1: tid must be 1 to 4294967295",
    "bad.toml:8:1: hello_timeout belongs to a control protocol, and is left out",
  ]);
  assert(lines.includes("bad.toml:16:1: peer_cookie must be 4 or 8 bytes"));
  assertDeepStrictEquals(await errors("import ql2tpd no.toml"), [255, [
    "no.toml:1:10: illegal character in key",
    ...nothing("no.toml"),
  ]]);
  assertDeepStrictEquals(await errors("import bad.sh"), [255, [
    "bad.sh:1:1: there is no tunnel 1 above: left out",
    'bad.sh:2:1: argument "x" is wrong: invalid ID',
    "bad.sh:3:1: left out: it adds neither a tunnel nor a session",
    ...nothing("bad.sh"),
  ]]);
});

Deno.test("import: a file in which nothing is recognized is refused, and none of its lines is printed", async () => {
  const secrets = 'alice * "wonderland"\nip wonderland\nl2tp show wonderland\n';
  const cookie = "ip l2tp add session tid 1 sid 1 psid 1 cookie wonderland\n";
  const unit = "[NetDev]\nKind=l2tp\nwonderland\n";
  const host = hostWith({ secrets, cookie, unit });
  for (const file of ["secrets", "cookie"]) {
    const { code, out, err } = await host.run(`import ${file}`);
    assertEquals([code, out], [255, ""], file);
    assertMatch(err, new RegExp(`^Error: there is no tunnel in ${file}\\.$`, "m"));
    assertNotMatch(err, /wonderland/);
  }
  assertNotMatch((await host.run("import unit")).err, /wonderland/);
});
