/**
 * TUNNEL_CREATE, _DELETE, _MODIFY: what is refused and in which order, what is taken, defaults. §2.1 to §2.3.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { AF_INET, IPPROTO_L2TP } from "../../src/base/inet.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { encodeInet } from "../../ffi/sockets/sockaddr.ts";
import { encodeL2tpIp } from "../../ffi/sockets/sockaddr.ts";
import { SOCK_DGRAM, Socket } from "../../ffi/sockets/socket.ts";
import type { Attributes } from "./api.ts";
import { ETH, eventually, hex, ip, IP4, IP6, ip6, UDP4, UDP6 } from "./fixture.ts";
import { type Case, type Trial, without } from "./case.ts";
import { DIFFERENCES } from "./differences.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const { TUNNEL_CREATE, TUNNEL_DELETE, TUNNEL_MODIFY, TUNNEL_GET, SESSION_CREATE } = L2TP_CMD;

/** A tunnel in the way of others. */
const THERE = (t: Trial): void => t.tunnel();

type Refusal = readonly [rule: string, attributes: Attributes, code: string, before?: (t: Trial) => void];

/** Bound to the address as another program would be. */
function occupyUdp(t: Trial): void {
  const socket = inNamespace(t.fixture.a, () => Socket.open(AF_INET, SOCK_DGRAM, 0));
  t.stack.use(socket).bind(encodeInet({ address: ip("10.0.0.1"), port: 5000 }));
}

const MIXED = { ...without(UDP4, "IP_DADDR"), IP6_DADDR: ip6(2) };

const CREATE_REFUSED: readonly Refusal[] = [
  ["without CONN_ID", without(UDP4, "CONN_ID"), "EINVAL"],
  ["without PEER_CONN_ID", without(UDP4, "PEER_CONN_ID"), "EINVAL"],
  ["without PROTO_VERSION", without(UDP4, "PROTO_VERSION"), "EINVAL"],
  ["without ENCAP_TYPE", without(UDP4, "ENCAP_TYPE"), "EINVAL"],
  ["without addresses", without(UDP4, "IP_SADDR", "IP_DADDR"), "EINVAL"],
  ["without IP_SADDR", without(UDP4, "IP_SADDR"), "EINVAL"],
  ["without IP_DADDR", without(UDP4, "IP_DADDR"), "EINVAL"],
  ["without IP6_SADDR", without(UDP6, "IP6_SADDR"), "EINVAL"],
  ["without IP6_DADDR", without(UDP6, "IP6_DADDR"), "EINVAL"],
  ["with addresses of two families", MIXED, "EINVAL"],
  ["with ENCAP_TYPE 2", { ...UDP4, ENCAP_TYPE: 2 }, "EINVAL"],
  ["with ENCAP_TYPE 65535", { ...UDP4, ENCAP_TYPE: 65_535 }, "EINVAL"],
  ["with nothing at all", {}, "EINVAL"],
  ["with a tunnel id in use", { ...UDP4, UDP_SPORT: 5001 }, "EEXIST", THERE],
  [
    "with a tunnel id in use, of another version and encapsulation",
    { ...IP4, PROTO_VERSION: 2 },
    "EEXIST",
    THERE,
  ],
  ["with a tunnel id in use and a port in use", UDP4, "EEXIST", THERE],
  ["with a tunnel id in use and no addresses", without(UDP4, "IP_SADDR", "IP_DADDR"), "EINVAL", THERE],
  ["with a tunnel id in use and ENCAP_TYPE 2", { ...UDP4, ENCAP_TYPE: 2 }, "EINVAL", THERE],
  ["with a tunnel id in use and a bad descriptor", { ...UDP4, FD: 9999 }, "EEXIST", THERE],
  [
    "from an address that is not local, UDP over IPv4",
    { ...UDP4, IP_SADDR: ip("10.9.9.9") },
    "EADDRNOTAVAIL",
  ],
  ["from an address that is not local, IPv4", { ...IP4, IP_SADDR: ip("10.9.9.9") }, "EADDRNOTAVAIL"],
  ["from an address that is not local, UDP over IPv6", { ...UDP6, IP6_SADDR: ip6(9) }, "EADDRNOTAVAIL"],
  ["from an address that is not local, IPv6", { ...IP6, IP6_SADDR: ip6(9) }, "EADDRNOTAVAIL"],
  ["without route, UDP over IPv4", { ...UDP4, IP_DADDR: ip("203.0.113.1") }, "ENETUNREACH"],
  ["without route, IPv4", { ...IP4, IP_DADDR: ip("203.0.113.1") }, "ENETUNREACH"],
  [
    "without route, UDP over IPv6",
    { ...UDP6, IP6_DADDR: hex("20010db8000000000000000000000001") },
    "ENETUNREACH",
  ],
  ["without route, IPv6", { ...IP6, IP6_DADDR: hex("20010db8000000000000000000000001") }, "ENETUNREACH"],
  ["over IPv6 from a link-local address without scope", {
    ...UDP6,
    IP6_SADDR: hex("fe800000000000000000000000000001"),
    IP6_DADDR: hex("fe800000000000000000000000000002"),
  }, "EINVAL"],
  ["with a port that another program has", UDP4, "EADDRINUSE", occupyUdp],
];

function refused([rule, attributes, code, before]: Refusal): Case {
  return {
    name: `§2.1 TUNNEL_CREATE ${rule}: ${code}`,
    run: (t) => {
      before?.(t);
      const count = t.fixture.api.client.tunnels().length;
      assertStrictEquals(t.call(TUNNEL_CREATE, attributes).code, code);
      assertStrictEquals(t.fixture.api.client.tunnels().length, count, "and nothing is made");
    },
  };
}

type Taken = readonly [rule: string, attributes: Attributes, shown: Record<string, unknown>];

const CREATE_TAKEN: readonly Taken[] = [
  ["over UDP and IPv4", UDP4, {
    encap: "udp",
    local: "10.0.0.1",
    peer: "10.0.0.2",
    localPort: 5000,
    peerPort: 6000,
  }],
  ["over UDP and IPv6", UDP6, {
    encap: "udp",
    local: "fd00::1",
    peer: "fd00::2",
    localPort: 5000,
    peerPort: 6000,
  }],
  ["over IPv4", IP4, { encap: "ip", local: "10.0.0.1", peer: "10.0.0.2", localPort: undefined }],
  ["over IPv6", IP6, { encap: "ip", local: "fd00::1", peer: "fd00::2", localPort: undefined }],
  ["of version 2", { ...UDP4, PROTO_VERSION: 2 }, { version: 2, encap: "udp" }],
  ["of version 2 over IP", { ...IP4, PROTO_VERSION: 2 }, { version: 2, encap: "ip" }],
  ["of version 2 with ids above 16 bits", {
    ...UDP4,
    PROTO_VERSION: 2,
    CONN_ID: 0x12345,
    PEER_CONN_ID: 0x54321,
  }, { tunnelId: 0x12345, peerTunnelId: 0x54321 }],
  ["of version 9", { ...UDP4, PROTO_VERSION: 9 }, { version: 9 }],
  ["of version 0", { ...UDP4, PROTO_VERSION: 0 }, { version: 0 }],
  ["with CONN_ID 0", { ...UDP4, CONN_ID: 0 }, { tunnelId: 0, peerTunnelId: 2 }],
  ["with PEER_CONN_ID 0", { ...UDP4, PEER_CONN_ID: 0 }, { tunnelId: 1, peerTunnelId: 0 }],
  ["with the largest ids", { ...UDP4, CONN_ID: 0xffffffff, PEER_CONN_ID: 0xffffffff }, {
    tunnelId: 0xffffffff,
    peerTunnelId: 0xffffffff,
  }],
  ["with addresses of both families: IPv6 wins", {
    ...UDP6,
    IP_SADDR: ip("10.0.0.1"),
    IP_DADDR: ip("10.0.0.2"),
  }, { local: "fd00::1", peer: "fd00::2" }],
  ["with one IPv6 address beside two of IPv4", { ...UDP4, IP6_SADDR: ip6(1) }, {
    local: "10.0.0.1",
    peer: "10.0.0.2",
  }],
  ["without UDP_DPORT: not connected", without(UDP4, "UDP_DPORT"), {
    peer: "0.0.0.0",
    peerPort: 0,
    local: "10.0.0.1",
  }],
  ["from any address: the route's", { ...UDP4, IP_SADDR: ip("0.0.0.0") }, {
    local: "10.0.0.1",
    peer: "10.0.0.2",
  }],
  ["from any address over IPv4: the route's", { ...IP4, IP_SADDR: ip("0.0.0.0") }, {
    local: "10.0.0.1",
    peer: "10.0.0.2",
  }],
  ["from any IPv6 address: the route's", { ...UDP6, IP6_SADDR: new Uint8Array(16) }, {
    local: "fd00::1",
    peer: "fd00::2",
  }],
  ["with UDP_CSUM 1", { ...UDP4, UDP_CSUM: 1 }, { udpChecksum: true }],
  ["with UDP_CSUM 0: presence means on", { ...UDP4, UDP_CSUM: 0 }, { udpChecksum: true }],
  ["without UDP_CSUM: off", UDP4, { udpChecksum: false, checksumTx: undefined, checksumRx: undefined }],
  ["over IPv6: checksums on", UDP6, { udpChecksum: undefined, checksumTx: true, checksumRx: true }],
  ["with UDP_ZERO_CSUM6_TX", { ...UDP6, UDP_ZERO_CSUM6_TX: true }, { checksumTx: false, checksumRx: true }],
  ["with UDP_ZERO_CSUM6_RX", { ...UDP6, UDP_ZERO_CSUM6_RX: true }, { checksumTx: true, checksumRx: false }],
  ["with UDP_CSUM over IPv6: without effect", { ...UDP6, UDP_CSUM: 1 }, {
    udpChecksum: undefined,
    checksumTx: true,
  }],
  ["with UDP_ZERO_CSUM6_TX over IPv4: without effect", { ...UDP4, UDP_ZERO_CSUM6_TX: true }, {
    udpChecksum: false,
    checksumTx: undefined,
  }],
  ["with DEBUG, MTU, MRU, VLAN_ID, OFFSET, DATA_SEQ: ignored", {
    ...UDP4,
    DEBUG: 15,
    MTU: 1400,
    MRU: 1400,
    VLAN_ID: 7,
    OFFSET: 4,
    DATA_SEQ: 1,
  }, { tunnelId: 1 }],
];

function taken([rule, attributes, shown]: Taken): Case {
  return {
    name: `§2.1 TUNNEL_CREATE ${rule}`,
    run: (t) => {
      t.ok(TUNNEL_CREATE, attributes);
      const [tunnel, ...more] = t.fixture.api.client.tunnels();
      assertStrictEquals(more.length, 0);
      const found = Object.fromEntries(Object.keys(shown).map((key) => [key, tunnel![key as "tunnelId"]]));
      assertDeepStrictEquals(found, shown);
    },
  };
}

const OTHERS: readonly Case[] = [
  {
    name: "§2.1 UDP_SPORT 0 or missing: a port that is free, each time another",
    run: (t) => {
      t.tunnel({ CONN_ID: 1, UDP_SPORT: 0 });
      t.tunnel({ CONN_ID: 2, UDP_SPORT: undefined });
      const ports = t.fixture.api.client.tunnels().map(({ localPort }) => localPort!);
      assertStrictEquals(new Set(ports).size, 2);
      for (const port of ports) assert(port > 0, `port ${port}`);
    },
  },
  {
    name: "§2.1 TUNNEL_CREATE with the port of another tunnel",
    run: (t) => {
      t.tunnel();
      assertStrictEquals(
        t.call(TUNNEL_CREATE, { ...UDP4, CONN_ID: 7, IP_DADDR: ip("10.0.0.3") }).code,
        t.expected(DIFFERENCES.sharedPort),
      );
    },
  },
  {
    name: "§2.1 TUNNEL_CREATE over IP with the (address, id) of a socket of another program: EADDRINUSE",
    run: (t) => {
      if (!t.expected(DIFFERENCES.ipSockets)) return;
      const socket = t.stack.use(
        inNamespace(t.fixture.a, () => Socket.open(AF_INET, SOCK_DGRAM, IPPROTO_L2TP)),
      );
      socket.bind(encodeL2tpIp({ address: ip("10.0.0.1"), connectionId: 1 }));
      assertStrictEquals(t.call(TUNNEL_CREATE, IP4).code, "EADDRINUSE");
    },
  },
  {
    name: "§2.1 tunnel ids are the namespace's own: the same one and the same port in another",
    run: (t) => {
      t.tunnel();
      using other = t.fixture.subject.open(t.fixture.b);
      const there = { ...UDP4, IP_SADDR: ip("10.0.0.2"), IP_DADDR: ip("10.0.0.1") };
      assertStrictEquals(other.call(TUNNEL_CREATE, there).code, "OK");
      assertEquals(other.client.tunnels().map(({ local }) => local), ["10.0.0.2"]);
      assertEquals(t.fixture.api.client.tunnels().map(({ local }) => local), ["10.0.0.1"]);
      assertStrictEquals(other.call(TUNNEL_DELETE, { CONN_ID: 1 }).code, "OK");
      eventually(() => other.client.tunnels().length, 0);
      assert(t.hasTunnel(1), "ours stays");
    },
  },
  {
    name: "§2.1 a creation that failed leaves the id free",
    run: (t) => {
      assertStrictEquals(t.call(TUNNEL_CREATE, { ...UDP4, IP_SADDR: ip("10.9.9.9") }).code, "EADDRNOTAVAIL");
      t.tunnel();
    },
  },
  {
    name: "§2.2 TUNNEL_DELETE without CONN_ID: EINVAL",
    run: (t) => {
      t.tunnel();
      assertStrictEquals(t.call(TUNNEL_DELETE, {}).code, "EINVAL");
      assertStrictEquals(t.call(TUNNEL_DELETE, { PEER_CONN_ID: 2 }).code, "EINVAL");
      assert(t.hasTunnel(1));
    },
  },
  {
    name: "§2.2 TUNNEL_DELETE of an unknown tunnel: ENODEV",
    run: (t) => assertStrictEquals(t.call(TUNNEL_DELETE, { CONN_ID: 1 }).code, "ENODEV"),
  },
  {
    name: "§2.2 TUNNEL_DELETE takes sessions and interfaces with it; ids, port and names are free again",
    run: (t) => {
      t.tunnel();
      t.session();
      t.session({ SESSION_ID: 12, IFNAME: "pw1" });
      t.ok(TUNNEL_DELETE, { CONN_ID: 1 });
      if (t.expected(DIFFERENCES.deletionAtOnce)) {
        assertEquals([t.hasTunnel(1), t.fixture.links.link("pw0")], [false, undefined]);
      } else {
        eventually(() => [t.hasTunnel(1), t.fixture.links.link("pw0")], [false, undefined]);
        eventually(() => t.fixture.links.link("pw1"), undefined);
      }
      assertEquals(t.fixture.api.client.sessions(), []);
      t.tunnel();
      t.session();
    },
  },
  {
    name: "§2.2 TUNNEL_DELETE twice: ENODEV in the end",
    run: (t) => {
      t.tunnel();
      t.ok(TUNNEL_DELETE, { CONN_ID: 1 });
      eventually(() => t.call(TUNNEL_DELETE, { CONN_ID: 1 }).code, "ENODEV");
    },
  },
  {
    name: "§2.3 TUNNEL_MODIFY without CONN_ID: EINVAL; of an unknown tunnel: ENODEV",
    run: (t) => {
      assertStrictEquals(t.call(TUNNEL_MODIFY, {}).code, "EINVAL");
      assertStrictEquals(t.call(TUNNEL_MODIFY, { CONN_ID: 1 }).code, "ENODEV");
    },
  },
  {
    name: "§2.3 TUNNEL_MODIFY changes nothing",
    run: (t) => {
      t.tunnel();
      const before = t.fixture.api.client.tunnels();
      t.ok(TUNNEL_MODIFY, { ...UDP4, PEER_CONN_ID: 77, UDP_CSUM: 1, UDP_SPORT: 5005, PROTO_VERSION: 2 });
      assertDeepStrictEquals(t.fixture.api.client.tunnels(), before);
    },
  },
  {
    name: "§2.4 TUNNEL_GET without CONN_ID: EINVAL; of an unknown tunnel: ENODEV",
    run: (t) => {
      assertStrictEquals(t.call(TUNNEL_GET, {}).code, "EINVAL");
      assertStrictEquals(t.call(TUNNEL_GET, { CONN_ID: 1 }).code, "ENODEV");
    },
  },
  {
    name: "§2.5 a session in a tunnel without peer port is made all the same",
    run: (t) => {
      t.tunnel({ UDP_DPORT: undefined });
      t.ok(SESSION_CREATE, ETH);
    },
  },
];

/** The cases. */
export const TUNNEL_CASES: readonly Case[] = [
  ...CREATE_REFUSED.map(refused),
  ...CREATE_TAKEN.map(taken),
  ...OTHERS,
];
