/**
 * Tunnels over sockets of the requester (L2TP_ATTR_FD). §2.1.
 *
 * @module
 */

import { assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { AF_INET, AF_INET6 } from "../../src/base/inet.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { openTunnelSocket } from "../../src/driver/tunnel_socket/open.ts";
import type { TunnelParameters } from "../../src/model/tunnel.ts";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { openFile, type OwnedFd } from "../../ffi/fd.ts";
import { AF_UNIX, encodeInet } from "../../ffi/sockets/sockaddr.ts";
import { MSG_DONTWAIT, SOCK_DGRAM, Socket } from "../../ffi/sockets/socket.ts";
import type { Answer, Attributes } from "./api.ts";
import { eventually, hex, ip, UDP4, UDP6 } from "./fixture.ts";
import { type Case, type Trial, without } from "./case.ts";
import { DIFFERENCES } from "./differences.ts";
import { type Carrier, CARRIERS, data, Ethernet, frame, OVER_UDP, Peer } from "./wire.ts";
import { setReceiveTimeout } from "../support/receive_timeout.ts";
import { assertFields } from "../support/assertions.ts";

const { TUNNEL_CREATE, TUNNEL_DELETE } = L2TP_CMD;
const SOCK_STREAM = 1;
const RECEIVE_TIMEOUT_MS = 5000;

/** Attributes of a managed tunnel: no addresses. */
const MANAGED = without(UDP4, "IP_SADDR", "IP_DADDR", "UDP_SPORT", "UDP_DPORT");

function adopt(t: Trial, fd: OwnedFd, changes: Attributes = {}): Answer {
  return t.call(TUNNEL_CREATE, { ...MANAGED, FD: fd.number, ...changes }, { fds: [fd.number] });
}

function open(t: Trial, netns: string, family: number, type: number, protocol = 0): Socket {
  return t.stack.use(inNamespace(netns, () => Socket.open(family, type, protocol)));
}

/** The socket of a tunnel from us, port 5000, to the peer's 6000. */
function tunnelSocket(t: Trial, { encap, family }: Carrier): Socket {
  const v4 = family === 4;
  const wanted: TunnelParameters = {
    tunnelId: 1,
    peerTunnelId: 2,
    encap,
    local: v4 ? "10.0.0.1" : "fd00::1",
    peer: v4 ? "10.0.0.2" : "fd00::2",
    localPort: 5000,
    peerPort: 6000,
  };
  const socket = t.stack.use(inNamespace(t.fixture.a, () => openTunnelSocket(wanted)));
  setReceiveTimeout(socket, RECEIVE_TIMEOUT_MS);
  return socket;
}

type Refusal = readonly [rule: string, code: string, fd: (t: Trial) => OwnedFd, changes?: Attributes];

const REFUSED: readonly Refusal[] = [
  ["of a file", "ENOTSOCK", (t) => t.stack.use(openFile("/proc/self/status"))],
  ["of a local socket", "EPROTONOSUPPORT", (t) => open(t, t.fixture.a, AF_UNIX, SOCK_DGRAM)],
  ["of a stream", "EPROTONOSUPPORT", (t) => open(t, t.fixture.a, AF_INET, SOCK_STREAM)],
  [
    "of a UDP socket, for encapsulation in IP",
    "EPROTONOSUPPORT",
    (t) => open(t, t.fixture.a, AF_INET, SOCK_DGRAM),
    { ENCAP_TYPE: 1 },
  ],
  [
    "of a UDP socket over IPv6, for encapsulation in IP",
    "EPROTONOSUPPORT",
    (t) => open(t, t.fixture.a, AF_INET6, SOCK_DGRAM),
    { ENCAP_TYPE: 1 },
  ],
  ["of a socket of another namespace", "EINVAL", (t) => open(t, t.fixture.b, AF_INET, SOCK_DGRAM)],
  ["of a UDP socket, for ENCAP_TYPE 2", "EINVAL", (t) => open(t, t.fixture.a, AF_INET, SOCK_DGRAM), {
    ENCAP_TYPE: 2,
  }],
  ["of a UDP socket, without PEER_CONN_ID", "EINVAL", (t) => open(t, t.fixture.a, AF_INET, SOCK_DGRAM), {
    PEER_CONN_ID: undefined,
  }],
];

function refused([rule, code, fd, changes]: Refusal): Case {
  return {
    name: `§2.1 TUNNEL_CREATE with FD ${rule}: ${code}`,
    run: (t) => {
      assertStrictEquals(adopt(t, fd(t), changes).code, code);
      assertStrictEquals(t.hasTunnel(1), false);
    },
  };
}

/** Data both ways over the socket, and what is left of it afterwards. */
function works(carrier: Carrier): Case {
  return {
    name:
      `§2.1 a tunnel over a socket of ours, ${carrier.name}: data both ways; the socket stays when it is deleted`,
    run: (t) => {
      if (carrier.encap === "ip" && !t.expected(DIFFERENCES.ipSockets)) return;
      const socket = tunnelSocket(t, carrier);
      const { code } = adopt(t, socket, { ENCAP_TYPE: carrier.encap === "udp" ? 0 : 1 });
      assertStrictEquals(code, "OK");
      t.session();
      const [tunnel] = t.fixture.api.client.tunnels();
      const v4 = carrier.family === 4;
      assertEquals([tunnel!.local, tunnel!.peer], v4 ? ["10.0.0.1", "10.0.0.2"] : ["fd00::1", "fd00::2"]);
      if (carrier.encap === "udp") assertEquals([tunnel!.localPort, tunnel!.peerPort], [5000, 6000]);
      const peer = Peer.open(t, carrier);
      const eth = Ethernet.open(t);
      eth.send(frame(1));
      peer.expect(data(carrier.encap, frame(1), { sessionId: 21 }));
      peer.send(data(carrier.encap, frame(2)));
      eth.expect(frame(2));
      t.ok(TUNNEL_DELETE, { CONN_ID: 1 });
      eventually(() => [t.hasTunnel(1), t.fixture.links.link("pw0")], [false, undefined]);
      assertNotStrictEquals(socket.localName().length, 0, "the socket is ours still");
    },
  };
}

const MORE: readonly Case[] = [
  {
    name: "§2.1 TUNNEL_CREATE with FD that is not open: EBADF",
    run: (t) => {
      assertStrictEquals(t.call(TUNNEL_CREATE, { ...MANAGED, FD: 9999 }).code, "EBADF");
      assertStrictEquals(t.call(TUNNEL_CREATE, { ...UDP4, FD: 9999 }).code, "EBADF", "beside addresses too");
    },
  },
  {
    name: "§2.1 TUNNEL_CREATE with FD of a tunnel: EBUSY",
    run: (t) => {
      const socket = tunnelSocket(t, OVER_UDP);
      assertStrictEquals(adopt(t, socket).code, "OK");
      assertStrictEquals(adopt(t, socket, { CONN_ID: 5 }).code, "EBUSY");
      assertStrictEquals(t.hasTunnel(5), false);
    },
  },
  {
    name: "§2.1 with FD addresses, ports and checksums of the request are ignored",
    run: (t) => {
      const socket = tunnelSocket(t, OVER_UDP);
      const others = {
        IP_SADDR: ip("10.9.9.9"),
        IP_DADDR: ip("10.8.8.8"),
        UDP_SPORT: 1,
        UDP_DPORT: 2,
        UDP_CSUM: 1,
      };
      assertStrictEquals(adopt(t, socket, others).code, "OK");
      const [tunnel] = t.fixture.api.client.tunnels();
      const { local, peer, localPort, peerPort, udpChecksum } = tunnel!;
      assertEquals([local, peer, localPort, peerPort, udpChecksum], [
        "10.0.0.1",
        "10.0.0.2",
        5000,
        6000,
        false,
      ]);
    },
  },
  {
    name: "§4.6 with FD the socket's options say whether checksums are sent",
    run: (t) => {
      const socket = open(t, t.fixture.a, AF_INET, SOCK_DGRAM);
      socket.bind(encodeInet({ address: ip("10.0.0.1"), port: 5000 }));
      socket.connect(encodeInet({ address: ip("10.0.0.2"), port: 6000 }));
      assertStrictEquals(adopt(t, socket).code, "OK");
      const [tunnel] = t.fixture.api.client.tunnels();
      assertStrictEquals(tunnel!.udpChecksum, true);
    },
  },
  {
    name: "§2.1 a tunnel is deleted with the last descriptor of its socket, without notification",
    run: (t) => {
      const socket = tunnelSocket(t, OVER_UDP);
      assertStrictEquals(adopt(t, socket).code, "OK");
      t.session();
      const said = t.fixture.notifications(() => {
        socket.close();
        if (t.expected(DIFFERENCES.dyingSocket)) {
          eventually(() => [t.hasTunnel(1), t.fixture.links.link("pw0")], [false, undefined]);
        }
      });
      assertEquals(said, []);
      assertStrictEquals(t.hasTunnel(1), !t.expected(DIFFERENCES.dyingSocket));
    },
  },
  {
    name: "§3.5 control messages to a tunnel over a socket of ours reach the socket, data does not",
    run: (t) => {
      const socket = tunnelSocket(t, OVER_UDP);
      assertStrictEquals(adopt(t, socket).code, "OK");
      t.session();
      const peer = Peer.open(t, OVER_UDP);
      const eth = Ethernet.open(t);
      const control = hex("c803 0014 00000001 0000 0000 8008 0000 0000 0006");
      peer.send(data("udp", frame(1)));
      peer.send(control);
      peer.send(data("udp", frame(2)));
      eth.expect(frame(1), frame(2));
      const buffer = new Uint8Array(new ArrayBuffer(2048));
      if (t.expected(DIFFERENCES.controlToOwner)) {
        const length = socket.receive(buffer, 0);
        assertEquals(buffer.slice(0, length), control);
      }
      assertFields(assertThrows(() => socket.receive(buffer, MSG_DONTWAIT)), { code: "EAGAIN" });
    },
  },
  {
    name: "§2.1 what the owner of a tunnel's socket sends goes out as it is",
    run: (t) => {
      const socket = tunnelSocket(t, OVER_UDP);
      assertStrictEquals(adopt(t, socket).code, "OK");
      const peer = Peer.open(t, OVER_UDP);
      const control = hex("c803 000c 00000002 0000 0000");
      socket.send(control);
      peer.expect(control);
    },
  },
  {
    name: "§2.1 a tunnel over an unconnected socket of ours carries data once it is connected",
    run: (t) => {
      const socket = open(t, t.fixture.a, AF_INET, SOCK_DGRAM);
      socket.bind(encodeInet({ address: ip("10.0.0.1"), port: 5000 }));
      assertStrictEquals(adopt(t, socket).code, "OK");
      t.session();
      const peer = Peer.open(t, OVER_UDP);
      const eth = Ethernet.open(t);
      eth.send(frame(1));
      t.sleep(100);
      peer.expectNothing();
      socket.connect(encodeInet({ address: ip("10.0.0.2"), port: 6000 }));
      eth.send(frame(2));
      peer.expect(data("udp", frame(2), { sessionId: 21 }));
    },
  },
  {
    name: "§2.1 a tunnel over a socket of ours has its id and is refused like others: EEXIST",
    run: (t) => {
      t.tunnel({ UDP_SPORT: 5001 }, UDP6);
      assertStrictEquals(adopt(t, tunnelSocket(t, OVER_UDP)).code, "EEXIST");
    },
  },
];

/** The cases. */
export const MANAGED_CASES: readonly Case[] = [...REFUSED.map(refused), ...CARRIERS.map(works), ...MORE];
