/**
 * Data packets, byte by byte, in both directions; cookies; what is no data; counters; checksums; fragments. §3, §4.1,
 * §4.4 to §4.7.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import type { Attributes } from "./api.ts";
import { eventually, hex, KEY } from "./fixture.ts";
import type { Case, Trial } from "./case.ts";
import { DIFFERENCES } from "./differences.ts";
import { type Carrier, CARRIERS, data, type DataOptions, Ethernet, frame, OVER_UDP, Peer } from "./wire.ts";

const { SESSION_CREATE, SESSION_DELETE, SESSION_MODIFY, TUNNEL_DELETE } = L2TP_CMD;

/** A tunnel with one session, its interface and its peer. */
interface Wire {
  readonly eth: Ethernet;
  readonly peer: Peer;
}

/** Makes tunnel 1 with session 11 to 21. */
export function wire(
  t: Trial,
  carrier: Carrier = OVER_UDP,
  session: Attributes = {},
  tunnel: Attributes = {},
): Wire {
  const peer = Peer.open(t, carrier);
  t.tunnel(tunnel, carrier.tunnel);
  t.session(session);
  return { eth: Ethernet.open(t), peer };
}

const COOKIE = hex("0102030405060708");
const PEER_COOKIE = hex("a1a2a3a4a5a6a7a8");

/** Packets and bytes, as counted for packets of that length. */
function counted(direction: "RX" | "TX", ...packets: readonly Uint8Array[]): Record<string, number> {
  const bytes = packets.reduce((sum, { length }) => sum + length, 0);
  return { [`${direction}_PACKETS`]: packets.length, [`${direction}_BYTES`]: bytes };
}

function bothWays(carrier: Carrier, cookieLength: number, l2spec: "none" | "default"): Case {
  const [cookie, peerCookie] = [COOKIE.slice(0, cookieLength), PEER_COOKIE.slice(0, cookieLength)];
  return {
    name: `§3 ${carrier.name}, cookies of ${cookieLength}, sublayer ${l2spec}: bytes, delivery, counters`,
    run: (t) => {
      const cookies = cookieLength === 0 ? {} : { COOKIE: cookie, PEER_COOKIE: peerCookie };
      const { eth, peer } = wire(t, carrier, { ...cookies, L2SPEC_TYPE: l2spec === "default" ? 1 : 0 });
      const sent = [frame(1), frame(2, 46), frame(3, 1000)].map((content) => {
        eth.send(content);
        return data(carrier.encap, content, { sessionId: 21, cookie, l2spec });
      });
      peer.expect(...sent);
      const received = [frame(4), frame(5, 1000)];
      const packets = received.map((content) => data(carrier.encap, content, { cookie: peerCookie, l2spec }));
      for (const packet of packets) peer.send(packet);
      eth.expect(...received);
      const stats = { ...counted("TX", ...sent), ...counted("RX", ...packets) };
      eventually(() => t.sessionStats(), stats);
      eventually(() => t.tunnelStats(), stats, "the tunnel's are the sums");
    },
  };
}

const BYTES: readonly Case[] = CARRIERS.flatMap((carrier) =>
  [0, 4, 8].flatMap((cookie) =>
    (["default", "none"] as const).map((l2spec) => bothWays(carrier, cookie, l2spec))
  )
);

/** Frames sent with sequence numbers count up from 0. */
function sequenced(carrier: Carrier): Case {
  return {
    name: `§3.4 ${carrier.name}: SEND_SEQ numbers packets from 0; turned off and on it goes on counting`,
    run: (t) => {
      const { eth, peer } = wire(t, carrier, { SEND_SEQ: 1, COOKIE });
      const packet = (number: number, sequence?: number): Uint8Array =>
        data(carrier.encap, frame(number), {
          sessionId: 21,
          cookie: COOKIE,
          ...(sequence !== undefined && { sequence }),
        });
      for (const number of [0, 1, 2]) {
        eth.send(frame(number));
        peer.expect(packet(number, number));
      }
      t.ok(SESSION_MODIFY, { ...KEY, SEND_SEQ: 0 });
      eth.send(frame(3));
      peer.expect(packet(3));
      t.ok(SESSION_MODIFY, { ...KEY, SEND_SEQ: 1 });
      eth.send(frame(4));
      peer.expect(packet(4, 3));
    },
  };
}

type Mismatch = readonly [rule: string, own: Uint8Array, sent: Uint8Array];

const MISMATCHES: readonly Mismatch[] = [
  ["of 4 bytes, the last one wrong", hex("a1a2a3a4"), hex("a1a2a3a5")],
  ["of 8 bytes, the last one wrong", hex("a1a2a3a4a5a6a7a8"), hex("a1a2a3a4a5a6a7a9")],
  ["of 8 bytes, the first one wrong", hex("a1a2a3a4a5a6a7a8"), hex("a2a2a3a4a5a6a7a8")],
  ["of 8 bytes, none sent", hex("a1a2a3a4a5a6a7a8"), hex("")],
  ["of 3 bytes, the last one wrong", hex("a1a2a3"), hex("a1a2a4")],
];

function mismatch(carrier: Carrier, [rule, own, sent]: Mismatch): Case {
  return {
    name: `§4.1 ${carrier.name}, a cookie ${rule}: counted and dropped`,
    run: (t) => {
      const { eth, peer } = wire(t, carrier, { PEER_COOKIE: own });
      for (const number of [1, 2]) peer.send(data(carrier.encap, frame(number, 40), { cookie: sent }));
      const good = data(carrier.encap, frame(3), { cookie: own });
      peer.send(good);
      eth.expect(frame(3));
      eth.expectNothing();
      const received = counted("RX", good);
      eventually(() => t.sessionStats(), { ...received, RX_COOKIE_DISCARDS: 2, RX_ERRORS: 2 });
      eventually(() => t.tunnelStats(), received, "errors are the session's alone");
    },
  };
}

type Stray = readonly [rule: string, packet: Uint8Array<ArrayBuffer>, oldInvalid: number];

/** UDP datagrams that are not data packets of the session, and whether Linux before 6.10 counts them as invalid. */
const STRAYS: readonly Stray[] = [
  ["of an unknown session", data("udp", frame(1), { sessionId: 12 }), 0],
  ["of session 0", data("udp", frame(1), { sessionId: 0 }), 0],
  ["that is a control message", hex("c803 0014 00000001 0000 0000 8008 0000 0000 0006"), 0],
  ["that is a control message of 12 bytes", hex("c803 000c 00000001 0000 0000"), 1],
  ["that is shorter than 14 bytes", hex("00030000 0000000b 00000000 ff"), 1],
  ["of 1 byte", hex("00"), 1],
  ["of no bytes", hex(""), 1],
  ["of version 2 with another tunnel id", hex("0002 0007 000b ff03 c021 0101 0004 0000"), 1],
];

function stray([rule, packet, oldInvalid]: Stray): Case {
  return {
    name: `§3.5 over UDP a packet ${rule} never reaches the data path`,
    run: (t) => {
      const { eth, peer } = wire(t);
      peer.send(packet);
      const good = data("udp", frame(3));
      peer.send(good);
      eth.expect(frame(3));
      eth.expectNothing();
      const received = counted("RX", good);
      const invalid = t.expected(DIFFERENCES.shortPacketsInvalid) ? oldInvalid : 0;
      eventually(() => t.sessionStats(), received);
      eventually(() => t.tunnelStats(), invalid === 0 ? received : { ...received, RX_INVALID: invalid });
    },
  };
}

const IP_STRAYS: readonly (readonly [rule: string, packet: Uint8Array<ArrayBuffer>])[] = [
  ["of an unknown session", data("ip", frame(1), { sessionId: 12 })],
  ["that is a control message", hex("00000000 c803 0014 00000001 0000 0000 8008 0000 0000 0006")],
  ["that is a control message without T", hex("00000000 4803 0014 00000001 0000 0000 8008 0000 0000 0006")],
  ["that is shorter than a session id", hex("0000 0b")],
  ["of no bytes but the session id 0", hex("00000000")],
];

function ipStray([rule, packet]: (typeof IP_STRAYS)[number]): Case {
  return {
    name: `§3.5 over IP a packet ${rule} never reaches the data path`,
    run: (t) => {
      const { eth, peer } = wire(t, CARRIERS[2]);
      peer.send(packet);
      const good = data("ip", frame(3));
      peer.send(good);
      eth.expect(frame(3));
      eth.expectNothing();
      eventually(() => t.sessionStats(), counted("RX", good));
      eventually(() => t.tunnelStats(), counted("RX", good));
    },
  };
}

const COUNTING: readonly Case[] = [
  {
    name: "§3.5 a data packet of a known session and version 4 is invalid",
    run: (t) => {
      const { eth, peer } = wire(t);
      const wrong = data("udp", frame(1));
      wrong[1] = 4;
      peer.send(wrong);
      peer.send(data("udp", frame(3)));
      eth.expect(frame(3));
      eth.expectNothing();
      eventually(() => t.tunnelStats()["RX_INVALID"], 1);
      eventually(() => t.sessionStats()["RX_PACKETS"], 1);
    },
  },
  {
    name: "§3.2 reserved bits of a data packet's flags are ignored",
    run: (t) => {
      const { eth, peer } = wire(t);
      const odd = data("udp", frame(1));
      odd.set(hex("0ff3 ffff"));
      peer.send(odd);
      eth.expect(frame(1));
    },
  },
  {
    name: "§3.4 other bits of the sublayer are ignored",
    run: (t) => {
      const { eth, peer } = wire(t);
      const odd = data("udp", frame(1));
      odd.set(hex("bf123456"), 8);
      peer.send(odd);
      eth.expect(frame(1));
      eventually(() => t.sessionStats(), counted("RX", odd), "and it is no sequence number");
    },
  },
  {
    name: "§4.4 counters of one session are not another's, the tunnel's are the sums",
    run: (t) => {
      const { eth, peer } = wire(t);
      t.session({ SESSION_ID: 12, PEER_SESSION_ID: 22, IFNAME: "pw1" });
      const second = Ethernet.open(t, "pw1");
      eth.send(frame(1));
      const one = data("udp", frame(1), { sessionId: 21 });
      peer.expect(one);
      second.send(frame(2, 100));
      const two = data("udp", frame(2, 100), { sessionId: 22 });
      peer.expect(two);
      eventually(() => t.sessionStats(11), counted("TX", one));
      eventually(() => t.sessionStats(12), counted("TX", two));
      eventually(() => t.tunnelStats(), counted("TX", one, two));
      t.ok(SESSION_DELETE, KEY);
      eventually(() => t.hasSession(1, 11), false);
      eventually(() => t.tunnelStats(), counted("TX", one, two), "they stay when a session goes");
    },
  },
  {
    name: "§4.4 a re-created session counts from 0",
    run: (t) => {
      const { eth, peer } = wire(t, OVER_UDP, { SEND_SEQ: 1 });
      eth.send(frame(1));
      peer.expect(data("udp", frame(1), { sessionId: 21, sequence: 0 }));
      t.ok(SESSION_DELETE, KEY);
      eventually(() => [t.hasSession(1, 11), t.fixture.links.link("pw0")], [false, undefined]);
      t.session({ SEND_SEQ: 1 });
      assertEquals(t.sessionStats(), {});
      Ethernet.open(t).send(frame(2));
      peer.expect(data("udp", frame(2), { sessionId: 21, sequence: 0 }));
    },
  },
  {
    name: "§2.7 SESSION_DELETE's notification has the counters of that moment",
    run: (t) => {
      const { eth, peer } = wire(t);
      const packet = data("udp", frame(1));
      peer.send(packet);
      eth.expect(frame(1));
      eventually(() => t.sessionStats(), counted("RX", packet));
      const [said] = t.fixture.notifications(() => t.ok(SESSION_DELETE, KEY));
      const stats = said!.attributes.find(([name]) => name === "STATS")![1] as [string, string][];
      assertEquals(stats.filter(([, value]) => /[1-9a-f]/.test(value)), [
        ["RX_PACKETS", "0100000000000000"],
        ["RX_BYTES", `${packet.length.toString(16)}00000000000000`],
      ]);
    },
  },
  {
    name: "§4.4 an interface that is down delivers nothing; up again it does",
    run: (t) => {
      const { eth, peer } = wire(t);
      const { index } = t.fixture.link("pw0");
      t.fixture.links.changeLink(index, { up: false });
      peer.send(data("udp", frame(1)));
      const again = (): Ethernet => Ethernet.open(t);
      eventually(() => t.fixture.link("pw0").up, false);
      t.sleep(50);
      const second = again();
      peer.send(data("udp", frame(2)));
      second.expect(frame(2));
      void eth;
    },
  },
  {
    name: "§4.7 outer packets may be fragmented, both ways",
    run: (t) => {
      const { eth, peer } = wire(t);
      t.fixture.links.changeLink(t.fixture.link("pw0").index, { mtu: 9000 });
      eth.send(frame(1, 8000));
      peer.expect(data("udp", frame(1, 8000), { sessionId: 21 }));
      peer.send(data("udp", frame(2, 8000)));
      eth.expect(frame(2, 8000));
    },
  },
  {
    name: "§4.7 outer packets over IPv6 may be fragmented, both ways",
    run: (t) => {
      const { eth, peer } = wire(t, CARRIERS[3]);
      t.fixture.links.changeLink(t.fixture.link("pw0").index, { mtu: 9000 });
      eth.send(frame(1, 8000));
      peer.expect(data("ip", frame(1, 8000), { sessionId: 21 }));
      peer.send(data("ip", frame(2, 8000)));
      eth.expect(frame(2, 8000));
    },
  },
];

/** Sources other than the tunnel's peer, and whether packets from them are accepted. */
function fromElsewhere(carrier: Carrier, what: string, options: Parameters<typeof Peer.open>[2]): Case {
  return {
    name: `§4.1 ${carrier.name}: a packet from ${what}`,
    run: (t) => {
      const { eth, peer } = wire(t, carrier);
      const other = Peer.open(t, carrier, options);
      other.send(data(carrier.encap, frame(1)));
      const taken = carrier.encap === "ip" && t.expected(DIFFERENCES.ipSource);
      if (taken) eth.expect(frame(1));
      peer.send(data(carrier.encap, frame(2)));
      eth.expect(frame(2));
      eth.expectNothing();
      eventually(() => t.sessionStats()["RX_PACKETS"], taken ? 2 : 1);
    },
  };
}

const SCOPES: readonly Case[] = [
  {
    name: "§4.5 an id shared by two UDP tunnels: the tunnel of the socket decides",
    run: (t) => {
      const { eth, peer } = wire(t);
      t.tunnel({ CONN_ID: 2, UDP_SPORT: 5001, UDP_DPORT: 6001 });
      t.session({ CONN_ID: 2, IFNAME: "pw1" });
      const second = Ethernet.open(t, "pw1");
      const secondPeer = Peer.open(t, OVER_UDP, { port: 6001, to: 5001 });
      peer.send(data("udp", frame(1)));
      secondPeer.send(data("udp", frame(2, 20)));
      eth.expect(frame(1));
      second.expect(frame(2, 20));
      eth.expectNothing();
      second.expectNothing();
      eventually(() => t.sessionStats(11, 1), counted("RX", data("udp", frame(1))));
      eventually(() => t.sessionStats(11, 2), counted("RX", data("udp", frame(2, 20))));
    },
  },
  {
    name: "§4.5 a packet on one tunnel's port for a session of another",
    run: (t) => {
      const { eth, peer } = wire(t);
      t.tunnel({ CONN_ID: 2, UDP_SPORT: 5001, UDP_DPORT: 6001 });
      t.session({ CONN_ID: 2, SESSION_ID: 12, IFNAME: "pw1" });
      const second = Ethernet.open(t, "pw1");
      peer.send(data("udp", frame(1), { sessionId: 12 }));
      if (t.expected(DIFFERENCES.foreignTunnel)) second.expect(frame(1));
      peer.send(data("udp", frame(2)));
      eth.expect(frame(2));
      eth.expectNothing();
      second.expectNothing();
    },
  },
  {
    name: "§4.5 tunnels over IP between the same hosts: the session id decides",
    run: (t) => {
      const { eth, peer } = wire(t, CARRIERS[2]);
      t.tunnel({ CONN_ID: 2 }, CARRIERS[2]!.tunnel);
      t.session({ CONN_ID: 2, SESSION_ID: 12, IFNAME: "pw1" });
      const second = Ethernet.open(t, "pw1");
      peer.send(data("ip", frame(1), { sessionId: 12 }));
      peer.send(data("ip", frame(2), { sessionId: 11 }));
      second.expect(frame(1));
      eth.expect(frame(2));
    },
  },
  fromElsewhere(OVER_UDP, "another port of the peer is not taken", { port: 6009 }),
  fromElsewhere(OVER_UDP, "another address is not taken", { address: "10.0.0.3" }),
  fromElsewhere(CARRIERS[2]!, "another address", { address: "10.0.0.3" }),
];

type Sent = readonly [rule: string, family: 4 | 6, tunnel: Attributes, zero: boolean];

const CHECKSUMS_SENT: readonly Sent[] = [
  ["IPv4: none by default", 4, {}, true],
  ["IPv4: with UDP_CSUM", 4, { UDP_CSUM: 1 }, false],
  ["IPv6: by default", 6, {}, false],
  ["IPv6: none with UDP_ZERO_CSUM6_TX", 6, { UDP_ZERO_CSUM6_TX: true }, true],
  ["IPv6: with UDP_ZERO_CSUM6_RX", 6, { UDP_ZERO_CSUM6_RX: true }, false],
];

function checksumSent([rule, family, tunnel, zero]: Sent): Case {
  return {
    name: `§4.6 checksums sent over ${rule}`,
    run: (t) => {
      const { eth } = wire(t, CARRIERS[family === 4 ? 0 : 1], {}, tunnel);
      const raw = Peer.openRawUdp(t, family);
      eth.send(frame(1));
      const packet = raw.receive();
      const view = new DataView(packet.buffer);
      assertEquals([view.getUint16(0), view.getUint16(2)], [5000, 6000]);
      assertStrictEquals(view.getUint16(6) === 0, zero, `checksum ${view.getUint16(6)}`);
    },
  };
}

type Taken = readonly [rule: string, family: 4 | 6, tunnel: Attributes, checksum: number, taken: boolean];

const CHECKSUMS_TAKEN: readonly Taken[] = [
  ["IPv4, none: taken", 4, {}, 0, true],
  ["IPv4, none, with UDP_CSUM: taken", 4, { UDP_CSUM: 1 }, 0, true],
  ["IPv4, wrong: dropped", 4, {}, 0x1234, false],
  ["IPv4, wrong, with UDP_CSUM: dropped", 4, { UDP_CSUM: 1 }, 0x1234, false],
  ["IPv6, none: dropped", 6, {}, 0, false],
  ["IPv6, none, with UDP_ZERO_CSUM6_TX: dropped", 6, { UDP_ZERO_CSUM6_TX: true }, 0, false],
  ["IPv6, none, with UDP_ZERO_CSUM6_RX: taken", 6, { UDP_ZERO_CSUM6_RX: true }, 0, true],
  ["IPv6, wrong, with UDP_ZERO_CSUM6_RX: dropped", 6, { UDP_ZERO_CSUM6_RX: true }, 0x1234, false],
];

function checksumTaken([rule, family, tunnel, checksum, taken]: Taken): Case {
  return {
    name: `§4.6 checksums received over ${rule}`,
    run: (t) => {
      const { eth, peer } = wire(t, CARRIERS[family === 4 ? 0 : 1], {}, tunnel);
      const raw = Peer.openRawUdp(t, family);
      const content = data("udp", frame(1));
      const packet = new Uint8Array(8 + content.length);
      const view = new DataView(packet.buffer);
      [6000, 5000, packet.length, checksum].forEach((value, i) => view.setUint16(2 * i, value));
      packet.set(content, 8);
      raw.send(packet);
      if (taken) eth.expect(frame(1));
      peer.send(data("udp", frame(2)));
      eth.expect(frame(2));
      eth.expectNothing();
      eventually(() => t.sessionStats(), counted("RX", ...(taken ? [content] : []), content));
    },
  };
}

/** Frames both ways while something is taken away under them; then all of it works again. */
function underTraffic(carrier: Carrier, what: string, command: number, key: Attributes): Case {
  return {
    name: `§2 ${what} under traffic, ${carrier.name}: traffic stops, and continues after re-creation`,
    run: (t) => {
      const { eth, peer } = wire(t, carrier, { PEER_COOKIE });
      const options: DataOptions = { cookie: PEER_COOKIE };
      const burst = (): void => {
        for (let n = 0; n < 100; n++) {
          peer.send(data(carrier.encap, frame(n, 200), options));
          try {
            eth.send(frame(n, 200));
          } catch {
            // The interface went.
          }
        }
      };
      burst();
      t.ok(command, key);
      burst();
      eventually(() => [t.hasSession(1, 11), t.fixture.links.link("pw0")], [false, undefined]);
      if (command === TUNNEL_DELETE) {
        eventually(() => t.hasTunnel(1), false);
        t.tunnel({}, carrier.tunnel);
      }
      t.ok(SESSION_CREATE, { ...KEY, PEER_SESSION_ID: 21, PW_TYPE: 5, IFNAME: "pw0", PEER_COOKIE });
      const again = Ethernet.open(t);
      peer.send(data(carrier.encap, frame(7777), options));
      for (;;) {
        // Packets in flight belong to the session that has the id now.
        if (again.receive()[17] === (7777 & 0xff)) break;
      }
    },
  };
}

/** The cases. */
export const DATA_CASES: readonly Case[] = [
  ...BYTES,
  ...CARRIERS.map(sequenced),
  {
    name: "§3.4 without sublayer there are no sequence numbers: SEND_SEQ has no effect",
    run: (t) => {
      const { eth, peer } = wire(t, OVER_UDP, { SEND_SEQ: 1, L2SPEC_TYPE: 0 });
      eth.send(frame(1));
      peer.expect(data("udp", frame(1), { sessionId: 21, l2spec: "none" }));
    },
  },
  ...CARRIERS.flatMap((carrier) => MISMATCHES.map((row) => mismatch(carrier, row))),
  ...STRAYS.map(stray),
  ...IP_STRAYS.map(ipStray),
  ...COUNTING,
  ...SCOPES,
  ...CHECKSUMS_SENT.map(checksumSent),
  ...CHECKSUMS_TAKEN.map(checksumTaken),
  ...CARRIERS.flatMap((carrier) => [
    underTraffic(carrier, "SESSION_DELETE", SESSION_DELETE, KEY),
    underTraffic(carrier, "TUNNEL_DELETE", TUNNEL_DELETE, { CONN_ID: 1 }),
  ]),
];
