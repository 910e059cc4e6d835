/**
 * Requirements of generic netlink: privileges, commands, versions, attributes, extended acknowledgements. §1.
 *
 * @module
 */

import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { errnoName } from "../../src/base/errno.ts";
import { NetlinkError, SyscallError } from "../../src/base/errors.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_HDRLEN } from "../../src/wire/netlink/constants.ts";
import { type Attributes, encodeRequest } from "./api.ts";
import { ETH, hex, KEY, UDP4, UDP6 } from "./fixture.ts";
import { type Case, type Trial, without } from "./case.ts";
import { DIFFERENCES } from "./differences.ts";
import { asNobody } from "./privileges.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const { NOOP, TUNNEL_CREATE, TUNNEL_DELETE, TUNNEL_MODIFY, TUNNEL_GET } = L2TP_CMD;
const { SESSION_CREATE, SESSION_DELETE, SESSION_MODIFY, SESSION_GET } = L2TP_CMD;

const POLICY = "Attribute failed policy validation";

function concatenate(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Result of a command of a user without privileges. */
function unprivileged(t: Trial, command: number, attributes: Attributes): string {
  return inNamespace(t.fixture.a, () =>
    asNobody(() => {
      try {
        using api = t.fixture.subject.openHere();
        return api.call(command, attributes).code;
      } catch (error) {
        if (error instanceof NetlinkError || error instanceof SyscallError) return errnoName(error.errno);
        throw error;
      }
    }));
}

const COMMANDS: readonly (readonly [name: string, command: number, attributes: Attributes])[] = [
  ["TUNNEL_CREATE", TUNNEL_CREATE, { ...UDP4, CONN_ID: 7 }],
  ["TUNNEL_DELETE", TUNNEL_DELETE, { CONN_ID: 1 }],
  ["TUNNEL_MODIFY", TUNNEL_MODIFY, { CONN_ID: 1 }],
  ["TUNNEL_GET", TUNNEL_GET, { CONN_ID: 1 }],
  ["SESSION_CREATE", SESSION_CREATE, { ...ETH, SESSION_ID: 12, IFNAME: "pw1" }],
  ["SESSION_DELETE", SESSION_DELETE, KEY],
  ["SESSION_MODIFY", SESSION_MODIFY, KEY],
  ["SESSION_GET", SESSION_GET, KEY],
];

const PRIVILEGES: readonly Case[] = [
  {
    name: "§1.1 NOOP needs no privilege",
    run: (t) => assertStrictEquals(unprivileged(t, NOOP, {}), t.expected(DIFFERENCES.unprivileged)[0]),
  },
  ...COMMANDS.map(([name, command, attributes]): Case => ({
    name: `§1.1 ${name} takes CAP_NET_ADMIN, whatever it asks`,
    run: (t) => {
      t.tunnel();
      t.session();
      const [, code] = t.expected(DIFFERENCES.unprivileged);
      assertStrictEquals(unprivileged(t, command, attributes), code);
      assertStrictEquals(unprivileged(t, command, {}), code, "before its attributes are looked at");
      assertEquals([t.hasTunnel(1), t.hasTunnel(7)], [true, false]);
      assertEquals([t.hasSession(1, 11), t.hasSession(1, 12)], [true, false]);
    },
  })),
];

/** An attribute of a good request made wrong. */
type Malformed = readonly [rule: string, command: number, attributes: Attributes, code: string];

const MALFORMED: readonly Malformed[] = [
  ["CONN_ID of 3 bytes", TUNNEL_CREATE, { ...UDP4, CONN_ID: new Uint8Array(3) }, "ERANGE"],
  ["CONN_ID of 0 bytes", TUNNEL_DELETE, { CONN_ID: true }, "ERANGE"],
  ["PROTO_VERSION of 0 bytes", TUNNEL_CREATE, { ...UDP4, PROTO_VERSION: true }, "ERANGE"],
  ["ENCAP_TYPE of 1 byte", TUNNEL_CREATE, { ...UDP4, ENCAP_TYPE: new Uint8Array(1) }, "ERANGE"],
  ["IP_SADDR of 3 bytes", TUNNEL_CREATE, { ...UDP4, IP_SADDR: new Uint8Array(3) }, "ERANGE"],
  ["IP6_SADDR of 17 bytes", TUNNEL_CREATE, { ...UDP6, IP6_SADDR: new Uint8Array(17) }, "ERANGE"],
  ["UDP_SPORT of 1 byte", TUNNEL_CREATE, { ...UDP4, UDP_SPORT: new Uint8Array(1) }, "ERANGE"],
  ["UDP_CSUM of 0 bytes", TUNNEL_CREATE, { ...UDP4, UDP_CSUM: true }, "ERANGE"],
  ["FD of 2 bytes", TUNNEL_CREATE, { ...UDP4, FD: new Uint8Array(2) }, "ERANGE"],
  ["SESSION_ID of 2 bytes", SESSION_CREATE, { ...ETH, SESSION_ID: new Uint8Array(2) }, "ERANGE"],
  ["PW_TYPE of 1 byte", SESSION_CREATE, { ...ETH, PW_TYPE: new Uint8Array(1) }, "ERANGE"],
  ["RECV_TIMEOUT of 4 bytes", SESSION_CREATE, { ...ETH, RECV_TIMEOUT: new Uint8Array(4) }, "ERANGE"],
  ["SEND_SEQ of 0 bytes", SESSION_MODIFY, { ...KEY, SEND_SEQ: true }, "ERANGE"],
  ["COOKIE of 9 bytes", SESSION_CREATE, { ...ETH, COOKIE: new Uint8Array(9) }, "ERANGE"],
  ["PEER_COOKIE of 9 bytes", SESSION_CREATE, { ...ETH, PEER_COOKIE: new Uint8Array(9) }, "ERANGE"],
  ["IFNAME of 16 bytes with no NUL", SESSION_CREATE, { ...ETH, IFNAME: hex("61".repeat(16)) }, "EINVAL"],
  ["IFNAME of 16 characters and NUL", SESSION_CREATE, { ...ETH, IFNAME: "a".repeat(16) }, "EINVAL"],
  ["IFNAME with no NUL", SESSION_CREATE, { ...ETH, IFNAME: hex("7077") }, "EINVAL"],
  ["IFNAME of 0 bytes", SESSION_CREATE, { ...ETH, IFNAME: true }, "EINVAL"],
  ["DEBUG of 1 byte, though ignored", TUNNEL_CREATE, { ...UDP4, DEBUG: new Uint8Array(1) }, "ERANGE"],
  ["MTU of 1 byte, though ignored", SESSION_CREATE, { ...ETH, MTU: new Uint8Array(1) }, "ERANGE"],
];

/** Offset in the message of the attribute that differs in width from what it should be. */
function offsetOf(command: number, attributes: Attributes, bad: string): number {
  const before: Record<string, Attributes[keyof Attributes]> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (name === bad) break;
    before[name] = value;
  }
  return NLMSG_HDRLEN + encodeRequest(command, before as Attributes).length;
}

function malformed([rule, command, attributes, code]: Malformed): Case {
  return {
    name: `§1.3 ${rule}: ${code}, said where`,
    run: (t) => {
      if (command !== TUNNEL_CREATE) t.tunnel();
      const answer = t.call(command, attributes);
      const offset = offsetOf(command, attributes, rule.split(/[ ,]/)[0]!);
      assertDeepStrictEquals([answer.code, answer.extack, answer.offset], [code, POLICY, offset]);
      assertStrictEquals(t.fixture.api.client.sessions().length, 0);
    },
  };
}

const READING: readonly Case[] = [
  {
    name: "§1.3 an unknown attribute is ignored",
    run: (t) => {
      const unknown = hex("0800 6300 01020304 0500 ff3f 09000000");
      const answer = t.fixture.api.send(concatenate(encodeRequest(TUNNEL_CREATE, UDP4), unknown));
      assertEquals([answer.code, answer.extack], ["OK", undefined]);
    },
  },
  {
    name: "§1.3 an integer that is too long counts by its first bytes",
    run: (t) => {
      t.tunnel({ CONN_ID: hex("0500000001020304"), PROTO_VERSION: hex("0305"), UDP_SPORT: hex("88130102") });
      const [tunnel] = t.fixture.api.client.tunnels();
      assertEquals([tunnel!.tunnelId, tunnel!.version, tunnel!.localPort], [5, 3, 5000]);
    },
  },
  {
    name: "§1.3 of an attribute given twice the last one counts",
    run: (t) => {
      const twice = encodeRequest(TUNNEL_CREATE, { CONN_ID: 6 }).slice(4);
      const answer = t.fixture.api.send(concatenate(encodeRequest(TUNNEL_CREATE, UDP4), twice));
      assertStrictEquals(answer.code, "OK");
      assertEquals([t.hasTunnel(1), t.hasTunnel(6)], [false, true]);
    },
  },
  {
    name: "§1.3 bytes after the last attribute are ignored, and reported",
    run: (t) => {
      const answer = t.fixture.api.send(concatenate(encodeRequest(TUNNEL_CREATE, UDP4), hex("0200 0900")));
      assertEquals([answer.code, answer.extack], ["OK", "bytes leftover after parsing attributes"]);
      assert(t.hasTunnel(1));
    },
  },
  {
    name: "§1.3 an attribute that ends behind the message is ignored with all that follow",
    run: (t) => {
      const answer = t.fixture.api.send(
        concatenate(encodeRequest(TUNNEL_CREATE, UDP4), hex("4000 0900 07000000")),
      );
      assertStrictEquals(answer.code, "OK");
      assertEquals([t.hasTunnel(1), t.hasTunnel(7)], [true, false]);
    },
  },
  {
    name: "§1.3 the NESTED and NET_BYTEORDER bits of an attribute's type are ignored",
    run: (t) => {
      t.tunnel();
      for (const type of ["0980", "0940"]) {
        const answer = t.fixture.api.send(hex(`04010000 0800 ${type} 01000000`));
        assertStrictEquals(answer.code, "OK", type);
      }
    },
  },
  {
    name: "§1.3 flags UDP_ZERO_CSUM6_TX and _RX may have a payload",
    run: (t) => {
      t.tunnel({ UDP_ZERO_CSUM6_TX: hex("00"), UDP_ZERO_CSUM6_RX: hex("0000") }, UDP6);
      const [tunnel] = t.fixture.api.client.tunnels();
      assertEquals([tunnel!.checksumTx, tunnel!.checksumRx], [false, false]);
    },
  },
  {
    name: "§1.3 refusals of the family itself have no text",
    run: (t) => {
      for (
        const answer of [t.call(TUNNEL_CREATE, {}), t.call(SESSION_CREATE, ETH), t.call(SESSION_GET, {})]
      ) {
        assertNotStrictEquals(answer.code, "OK");
        assertEquals([answer.extack, answer.offset], [undefined, undefined]);
      }
    },
  },
  {
    name: "§1.3 a wrong attribute counts before a missing one and before what is not there",
    run: (t) => {
      assertStrictEquals(t.call(TUNNEL_CREATE, { IFNAME: hex("6161") }).code, "EINVAL");
      assertStrictEquals(t.call(TUNNEL_CREATE, { COOKIE: new Uint8Array(9) }).code, "ERANGE");
      assertStrictEquals(t.call(SESSION_GET, { CONN_ID: 1, SESSION_ID: new Uint8Array(1) }).code, "ERANGE");
    },
  },
  {
    name: "§1.3 of two wrong attributes the first one is reported",
    run: (t) => {
      const answer = t.call(TUNNEL_CREATE, { COOKIE: new Uint8Array(9), CONN_ID: new Uint8Array(3) });
      assertDeepStrictEquals([answer.code, answer.offset], ["ERANGE", NLMSG_HDRLEN + 4]);
    },
  },
];

const FRAMING: readonly Case[] = [
  {
    name: "§1.1 NOOP replies with an empty message, then its acknowledgement",
    run: (t) => {
      const { replies, code } = t.call(NOOP, {});
      assertStrictEquals(code, "OK");
      assertDeepStrictEquals(replies.map(({ payload, type }) => [[...payload], type]), [
        [[0, 1, 0, 0], t.fixture.api.family.id],
      ]);
    },
  },
  ...[9, 10, 127, 255].map((command): Case => ({
    name: `§1.1 command ${command}: EOPNOTSUPP`,
    run: (t) => {
      assertStrictEquals(t.call(command, {}).code, "EOPNOTSUPP");
      assertStrictEquals(t.call(command, UDP4).code, "EOPNOTSUPP");
    },
  })),
  {
    name: "§1.1 dumps of commands that have none: EOPNOTSUPP",
    run: (t) => {
      const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP;
      for (const [name, command] of Object.entries(L2TP_CMD)) {
        if (name.endsWith("_GET")) continue;
        assertStrictEquals(t.call(command, UDP4, { flags }).code, "EOPNOTSUPP", name);
      }
      assertStrictEquals(t.hasTunnel(1), false);
    },
  },
  {
    name: "§1 the version in the generic header is not looked at",
    run: (t) => {
      t.ok(TUNNEL_CREATE, UDP4, { version: 0 });
      t.ok(TUNNEL_GET, { CONN_ID: 1 }, { version: 77 });
    },
  },
  {
    name: "§1 a message without generic header: EINVAL",
    run: (t) => {
      for (const length of [0, 1, 3]) {
        assertStrictEquals(t.fixture.api.send(new Uint8Array(length)).code, "EINVAL");
      }
    },
  },
  {
    name: "§1 a message type that is no family's: ENOENT",
    run: (t) => assertStrictEquals(t.call(NOOP, {}, { type: 0x7ff0 }).code, "ENOENT"),
  },
  {
    name: "§1 the controller reports the family's number and its group",
    run: (t) => {
      const { family } = t.fixture.api;
      assertStrictEquals(family.name, "l2tp");
      assertEquals([...family.groups.keys()], ["l2tp"]);
    },
  },
  {
    name: "§1 without the ACK flag a success is not acknowledged, a refusal is",
    run: (t) => {
      const flags = NLM_F_REQUEST;
      assertStrictEquals(t.call(TUNNEL_CREATE, without(UDP4, "CONN_ID"), { flags }).code, "EINVAL");
      const { code, sequence } = t.fixture.api.sendPair(
        encodeRequest(TUNNEL_CREATE, UDP4),
        encodeRequest(TUNNEL_DELETE, { CONN_ID: 99 }),
      );
      assertEquals([code, sequence], ["ENODEV", "second"]);
      assert(t.hasTunnel(1));
    },
  },
  {
    name: "§1 several requests in one datagram are done in order, whatever becomes of each",
    run: async (t) => {
      const { client } = t.fixture.api;
      const [good, bad, last] = await client.createAll([
        { tunnel: { tunnelId: 1, peerTunnelId: 2, encap: "ip", local: "10.0.0.1", peer: "10.0.0.2" } },
        { tunnel: { tunnelId: 1, peerTunnelId: 3, encap: "ip", local: "10.0.0.1", peer: "10.0.0.2" } },
        { session: { tunnelId: 1, sessionId: 11, peerSessionId: 21, interfaceName: "pw0" } },
      ], { goOn: true });
      assertStrictEquals(good, undefined);
      assert(bad instanceof NetlinkError && bad.code === "EEXIST");
      assertStrictEquals(last, undefined);
      assert(t.hasSession(1, 11));
    },
  },
];

/** The cases. */
export const PROTOCOL_CASES: readonly Case[] = [
  ...FRAMING,
  ...PRIVILEGES,
  ...MALFORMED.map(malformed),
  ...READING,
];
