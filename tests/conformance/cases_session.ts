/**
 * SESSION_CREATE, _DELETE, _MODIFY: what is refused and in which order, what is taken, defaults; uniqueness of session
 * ids; interfaces and their MTU. §2.5, §2.6, §4.5, §4.7.
 *
 * @module
 */

import { assert, assertStrictEquals } from "@std/assert";
import { formatHex } from "../../src/base/hex.ts";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import type { Attributes } from "./api.ts";
import { ETH, eventually, hex, ip, IP4, IP6, KEY, UDP4, UDP6 } from "./fixture.ts";
import { type Case, type Trial, without } from "./case.ts";
import { DIFFERENCES } from "./differences.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const { SESSION_CREATE, SESSION_DELETE, SESSION_MODIFY, SESSION_GET } = L2TP_CMD;

type Refusal = readonly [rule: string, attributes: Attributes, code: string, before?: (t: Trial) => void];

const V2 = (t: Trial): void => t.tunnel({ PROTO_VERSION: 2 });
const V3 = (t: Trial): void => t.tunnel();
const ONE = (t: Trial): void => {
  t.tunnel({}, IP4);
  t.session();
};

const CREATE_REFUSED: readonly Refusal[] = [
  ["without CONN_ID", without(ETH, "CONN_ID"), "EINVAL"],
  ["in an unknown tunnel", ETH, "ENODEV"],
  ["in an unknown tunnel and without anything else", { CONN_ID: 1 }, "ENODEV"],
  ["without SESSION_ID", without(ETH, "SESSION_ID"), "EINVAL", V3],
  ["without PEER_SESSION_ID", without(ETH, "PEER_SESSION_ID"), "EINVAL", V3],
  ["without PW_TYPE", without(ETH, "PW_TYPE"), "EINVAL", V3],
  ["with PW_TYPE 12", { ...ETH, PW_TYPE: 12 }, "EINVAL", V3],
  ["with PW_TYPE 65535", { ...ETH, PW_TYPE: 65_535 }, "EINVAL", V3],
  ["with PW_TYPE 0", { ...ETH, PW_TYPE: 0 }, "EPROTONOSUPPORT", V3],
  ["with PW_TYPE 4 (VLAN)", { ...ETH, PW_TYPE: 4 }, "EPROTONOSUPPORT", V3],
  ["with PW_TYPE 8 (PPP AC)", { ...ETH, PW_TYPE: 8 }, "EPROTONOSUPPORT", V3],
  ["with PW_TYPE 11 (IP)", { ...ETH, PW_TYPE: 11 }, "EPROTONOSUPPORT", V3],
  ["for Ethernet in a tunnel of version 2", ETH, "EPROTONOSUPPORT", V2],
  ["for PW_TYPE 12 in a tunnel of version 2", { ...ETH, PW_TYPE: 12 }, "EINVAL", V2],
  ["with L2SPEC_TYPE 2", { ...ETH, L2SPEC_TYPE: 2 }, "EINVAL", V3],
  ["with L2SPEC_TYPE 255 and PW_TYPE 4", { ...ETH, L2SPEC_TYPE: 255, PW_TYPE: 4 }, "EINVAL", V3],
  ["with a COOKIE of 9 bytes", { ...ETH, COOKIE: new Uint8Array(9) }, "ERANGE", V3],
  ["with a PEER_COOKIE of 9 bytes", { ...ETH, PEER_COOKIE: new Uint8Array(9) }, "ERANGE", V3],
  ["with an interface name in use", { ...ETH, IFNAME: "cable" }, "EEXIST", V3],
  ['with the interface name "a/b"', { ...ETH, IFNAME: "a/b" }, "EINVAL", V3],
  ['with the interface name "."', { ...ETH, IFNAME: "." }, "EINVAL", V3],
  ['with the interface name ".."', { ...ETH, IFNAME: ".." }, "EINVAL", V3],
  ["with a blank in the interface name", { ...ETH, IFNAME: "a b" }, "EINVAL", V3],
  ["with a colon in the interface name", { ...ETH, IFNAME: "a:b" }, "EINVAL", V3],
  ["with an empty interface name", { ...ETH, IFNAME: "" }, "EINVAL", V3],
  ["with two numbers in the interface name", { ...ETH, IFNAME: "x%d%d" }, "EINVAL", V3],
  ['with the interface name "x%s"', { ...ETH, IFNAME: "x%s" }, "EINVAL", V3],
  ["with its id in use, over IP", { ...ETH, IFNAME: "pw1" }, "EEXIST", ONE],
  ["with its id in use and a bad interface name", { ...ETH, IFNAME: "a/b" }, "EEXIST", ONE],
  ["with its id in use and L2SPEC_TYPE 2", { ...ETH, L2SPEC_TYPE: 2 }, "EINVAL", ONE],
];

function refused([rule, attributes, code, before]: Refusal): Case {
  return {
    name: `§2.5 SESSION_CREATE ${rule}: ${code}`,
    run: (t) => {
      before?.(t);
      const links = t.fixture.linkNames();
      const count = t.fixture.api.client.sessions().length;
      assertStrictEquals(t.call(SESSION_CREATE, attributes).code, code);
      assertStrictEquals(t.fixture.api.client.sessions().length, count, "and nothing is made");
      eventually(() => t.fixture.linkNames(), links, "and no interface");
    },
  };
}

type Taken = readonly [rule: string, attributes: Attributes, shown: Record<string, unknown>];

const PLAIN = {
  tunnelId: 1,
  sessionId: 11,
  peerTunnelId: 2,
  peerSessionId: 21,
  pseudowireType: 5,
  cookie: undefined,
  peerCookie: undefined,
  sendSeq: false,
  recvSeq: false,
  lnsMode: false,
  reorderTimeoutMs: 0,
  usingIpsec: false,
};

const CREATE_TAKEN: readonly Taken[] = [
  ["with nothing optional: the defaults", ETH, { ...PLAIN, interfaceName: "pw0" }],
  ["without IFNAME: l2tpeth0", without(ETH, "IFNAME"), { interfaceName: "l2tpeth0" }],
  ["with IFNAME x%d: x0", { ...ETH, IFNAME: "x%d" }, { interfaceName: "x0" }],
  ["with IFNAME a%db: a0b", { ...ETH, IFNAME: "a%db" }, { interfaceName: "a0b" }],
  ["with an IFNAME of 15 bytes", { ...ETH, IFNAME: "abcdefghijklmno" }, { interfaceName: "abcdefghijklmno" }],
  ["with a PEER_CONN_ID that is not the tunnel's: ignored", { ...ETH, PEER_CONN_ID: 99 }, {
    peerTunnelId: 2,
  }],
  ["with SESSION_ID 0", { ...ETH, SESSION_ID: 0 }, { sessionId: 0 }],
  ["with PEER_SESSION_ID 0", { ...ETH, PEER_SESSION_ID: 0 }, { peerSessionId: 0 }],
  ["with the largest ids", { ...ETH, SESSION_ID: 0xffffffff, PEER_SESSION_ID: 0xffffffff }, {
    sessionId: 0xffffffff,
    peerSessionId: 0xffffffff,
  }],
  ["with SEND_SEQ 1", { ...ETH, SEND_SEQ: 1 }, { sendSeq: true, recvSeq: false, lnsMode: false }],
  ["with SEND_SEQ 2: bit 0 counts", { ...ETH, SEND_SEQ: 2 }, { sendSeq: false }],
  ["with SEND_SEQ 255: bit 0 counts", { ...ETH, SEND_SEQ: 255 }, { sendSeq: true }],
  ["with RECV_SEQ 1", { ...ETH, RECV_SEQ: 1 }, { recvSeq: true, sendSeq: false, lnsMode: false }],
  ["with RECV_SEQ 2: bit 0 counts", { ...ETH, RECV_SEQ: 2 }, { recvSeq: false }],
  ["with LNS_MODE 1", { ...ETH, LNS_MODE: 1 }, { lnsMode: true, sendSeq: false, recvSeq: false }],
  ["with LNS_MODE 2: bit 0 counts", { ...ETH, LNS_MODE: 2 }, { lnsMode: false }],
  ["with RECV_TIMEOUT 1000", { ...ETH, RECV_TIMEOUT: 1000 }, { reorderTimeoutMs: 1000 }],
  ["with L2SPEC_TYPE 0", { ...ETH, L2SPEC_TYPE: 0 }, { sessionId: 11 }],
  ["with OFFSET, L2SPEC_LEN, DEBUG, MTU, VLAN_ID, DATA_SEQ: ignored", {
    ...ETH,
    OFFSET: 4,
    L2SPEC_LEN: 9,
    DEBUG: 15,
    MTU: 99,
    VLAN_ID: 7,
    DATA_SEQ: 1,
  }, PLAIN],
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((length): Taken => {
    const cookie = hex("a1a2a3a4a5a6a7a8").slice(0, length);
    return [
      `with cookies of ${length} bytes`,
      { ...ETH, COOKIE: cookie, PEER_COOKIE: cookie },
      { cookie: length === 0 ? undefined : cookie, peerCookie: length === 0 ? undefined : cookie },
    ];
  }),
];

function taken([rule, attributes, shown]: Taken): Case {
  return {
    name: `§2.5 SESSION_CREATE ${rule}`,
    run: (t) => {
      t.tunnel();
      t.ok(SESSION_CREATE, attributes);
      const [session, ...more] = t.fixture.api.client.sessions();
      assertStrictEquals(more.length, 0);
      const plain = (value: unknown): unknown => value instanceof Uint8Array ? formatHex(value) : value;
      for (const [key, value] of Object.entries(shown)) {
        assertDeepStrictEquals(plain(session![key as "sessionId"]), plain(value), key);
      }
      const link = t.fixture.link(session!.interfaceName!);
      assertStrictEquals(link.up, false, "the interface is there, and down");
    },
  };
}

/** The existing session, the new session with the same id, and the result. */
type Sharing = readonly [rule: string, first: Attributes, second: Attributes, code: string];

const OTHER_UDP = { ...UDP4, CONN_ID: 2, UDP_SPORT: 5001 };
const OTHER_IP = { ...IP4, CONN_ID: 2 };
const SHARING: readonly Sharing[] = [
  ["of another UDP tunnel", UDP4, OTHER_UDP, "OK"],
  ["of another UDP tunnel, over IPv6", UDP4, { ...UDP6, CONN_ID: 2, UDP_SPORT: 5001 }, "OK"],
  ["of an IP tunnel, in a UDP tunnel", IP4, OTHER_UDP, "EEXIST"],
  ["of a UDP tunnel, in an IP tunnel", UDP4, OTHER_IP, "EEXIST"],
  ["of another IP tunnel", IP4, OTHER_IP, "EEXIST"],
  ["of an IP tunnel, in one over IPv6", IP4, { ...IP6, CONN_ID: 2 }, "EEXIST"],
];

function sharing([rule, first, second, code]: Sharing): Case {
  return {
    name: `§4.5 SESSION_CREATE with the session id ${rule}: ${code}`,
    run: (t) => {
      t.tunnel({}, first);
      t.tunnel({}, second);
      t.session();
      assertStrictEquals(t.call(SESSION_CREATE, { ...ETH, CONN_ID: 2, IFNAME: "pw1" }).code, code);
      assertStrictEquals(t.hasSession(1, 11), true);
      assertStrictEquals(t.hasSession(2, 11), code === "OK");
    },
  };
}

type Mtu = readonly [rule: string, tunnel: Attributes, session: Attributes, mtu: number];

const COOKIE_4 = { COOKIE: hex("01020304") };
const COOKIE_8 = { COOKIE: hex("0102030405060708") };
const NO_L2SPEC = { L2SPEC_TYPE: 0 };
const LOOPBACK = { ...UDP4, IP_SADDR: ip("127.0.0.1"), IP_DADDR: ip("127.0.0.1") };
const MTUS: readonly Mtu[] = [
  ["UDP over IPv4", UDP4, {}, 1446],
  ["UDP over IPv4, cookie of 4", UDP4, COOKIE_4, 1442],
  ["UDP over IPv4, cookie of 8", UDP4, COOKIE_8, 1438],
  ["UDP over IPv4, cookie of 3", UDP4, { COOKIE: hex("010203") }, 1443],
  ["UDP over IPv4, no sublayer", UDP4, NO_L2SPEC, 1450],
  ["UDP over IPv4, a peer cookie only", UDP4, { PEER_COOKIE: hex("01020304") }, 1446],
  ["UDP over IPv6", UDP6, {}, 1426],
  ["UDP over IPv6, cookie of 4", UDP6, COOKIE_4, 1422],
  ["IPv4, no sublayer", IP4, NO_L2SPEC, 1462],
  ["IPv4", IP4, {}, 1458],
  ["IPv4, cookie of 8", IP4, COOKIE_8, 1450],
  ["IPv6", IP6, {}, 1438],
  ["IPv6, cookie of 8, no sublayer", IP6, { ...COOKIE_8, ...NO_L2SPEC }, 1434],
  ["UDP over the loopback interface, cookie of 8", LOOPBACK, COOKIE_8, 65_473],
  ["a peer that is not known", without(UDP4, "UDP_DPORT"), {}, 1446],
];

function mtu([rule, tunnel, session, expected]: Mtu): Case {
  return {
    name: `§4.7 MTU ${expected}: ${rule}`,
    run: (t) => {
      t.tunnel({}, tunnel);
      t.session(session);
      assertStrictEquals(t.fixture.link("pw0").mtu, expected);
    },
  };
}

type Missing = readonly [selector: string, key: Attributes];

const SELECTORS: readonly Missing[] = [
  ["without any selector", {}],
  ["with CONN_ID only", { CONN_ID: 1 }],
  ["with SESSION_ID only", { SESSION_ID: 11 }],
  ["of an unknown session", { CONN_ID: 1, SESSION_ID: 12 }],
  ["of an unknown tunnel", { CONN_ID: 2, SESSION_ID: 11 }],
  ["of an unknown interface", { IFNAME: "pw1" }],
  ["of an unknown interface beside good ids: the name wins", { ...KEY, IFNAME: "pw1" }],
  ["of an interface that is no session's", { IFNAME: "cable" }],
];

function missing([selector, key]: Missing): Case {
  return {
    name: `§2.6 SESSION_DELETE, _MODIFY, _GET ${selector}: ENODEV`,
    run: (t) => {
      t.tunnel();
      t.session();
      for (const command of [SESSION_GET, SESSION_MODIFY, SESSION_DELETE]) {
        assertStrictEquals(t.call(command, key).code, "ENODEV");
      }
      assert(t.hasSession(1, 11));
    },
  };
}

/** The cases. */
export const SESSION_CASES: readonly Case[] = [
  ...CREATE_REFUSED.map(refused),
  ...CREATE_TAKEN.map(taken),
  ...SHARING.map(sharing),
  {
    name: "§4.5 SESSION_CREATE with a session id of the same UDP tunnel",
    run: (t) => {
      t.tunnel();
      t.session();
      assertStrictEquals(
        t.call(SESSION_CREATE, { ...ETH, IFNAME: "pw1" }).code,
        t.expected(DIFFERENCES.duplicateSession),
      );
    },
  },
  ...MTUS.map(mtu),
  ...SELECTORS.map(missing),
];
