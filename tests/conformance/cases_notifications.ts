/**
 * Notifications: what they say, to whom, and of what there are none. §2.7.
 *
 * @module
 */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { NLM_F_ACK } from "../../src/wire/netlink/constants.ts";
import type { Listed } from "./api.ts";
import { ETH, eventually, ip, KEY, UDP4 } from "./fixture.ts";
import type { Case, Trial } from "./case.ts";
import { DIFFERENCES } from "./differences.ts";
import { asNobody } from "./privileges.ts";
import { CSUM_OFF, flags, NAME, PORTS, SESSION_IDS, STATS, tunnelHead, V4 } from "./reply_lists.ts";
import type { Listener } from "./subject.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

const { TUNNEL_CREATE, TUNNEL_DELETE, TUNNEL_MODIFY, TUNNEL_GET } = L2TP_CMD;
const { SESSION_CREATE, SESSION_DELETE, SESSION_MODIFY, SESSION_GET } = L2TP_CMD;

const MADE_TUNNEL: readonly Listed[] = [...tunnelHead("00"), CSUM_OFF, ...PORTS, ...V4];
const MADE_SESSION: readonly Listed[] = [...SESSION_IDS, NAME, ...flags("00", "00", "00"), STATS];

/** Command and body of a notification. */
function heard(t: Trial, act: () => void): [number, readonly Listed[]][] {
  return t.fixture.notifications(act).map(({ command, attributes }) => [command, attributes]);
}

/** The cases. */
export const NOTIFICATION_CASES: readonly Case[] = [
  {
    name: "§2.7 TUNNEL_CREATE notifies with the body of TUNNEL_GET",
    run: (t) => assertEquals(heard(t, () => t.tunnel()), [[TUNNEL_CREATE, MADE_TUNNEL]]),
  },
  {
    name: "§2.7 TUNNEL_MODIFY notifies, and nothing else",
    run: (t) => {
      t.tunnel();
      assertEquals(heard(t, () => t.ok(TUNNEL_MODIFY, { CONN_ID: 1 })), [[TUNNEL_MODIFY, MADE_TUNNEL]]);
    },
  },
  {
    name: "§2.7 TUNNEL_DELETE notifies of the tunnel, not of its sessions",
    run: (t) => {
      t.tunnel();
      t.session();
      const said = heard(t, () => {
        t.ok(TUNNEL_DELETE, { CONN_ID: 1 });
        eventually(() => t.hasTunnel(1), false);
      });
      assertEquals(said, [[TUNNEL_DELETE, MADE_TUNNEL]]);
    },
  },
  {
    name: "§2.7 SESSION_CREATE notifies with the body of SESSION_GET, the name expanded",
    run: (t) => {
      t.tunnel();
      assertEquals(heard(t, () => t.session({ IFNAME: "pw%d" })), [[SESSION_CREATE, MADE_SESSION]]);
    },
  },
  {
    name: "§2.7 SESSION_MODIFY notifies of the session as it is then",
    run: (t) => {
      t.tunnel();
      t.session();
      const said = heard(t, () => t.ok(SESSION_MODIFY, { ...KEY, SEND_SEQ: 1 }));
      assertEquals(said, [[SESSION_MODIFY, [...SESSION_IDS, NAME, ...flags("00", "01", "00"), STATS]]]);
    },
  },
  {
    name: "§2.7 SESSION_DELETE notifies of the session as it was",
    run: (t) => {
      t.tunnel();
      t.session();
      assertEquals(heard(t, () => t.ok(SESSION_DELETE, KEY)), [[SESSION_DELETE, MADE_SESSION]]);
    },
  },
  {
    name:
      "§2.7 a notification has flags 4, the family's type, and the requester's sequence number and port id",
    run: (t) => {
      let sequence = 0;
      const [first] = t.fixture.notifications(() => {
        sequence = t.ok(TUNNEL_CREATE, UDP4).sequence;
      });
      assertDeepStrictEquals([first!.type, first!.flags, first!.sequence], [
        t.fixture.api.family.id,
        NLM_F_ACK,
        sequence,
      ]);
      const { portId } = t.fixture.api;
      if (portId !== undefined) assertStrictEquals(first!.portId, portId);
      const [reply] = t.ok(TUNNEL_GET, { CONN_ID: 1 }).replies;
      assertStrictEquals(first!.portId, reply!.portId, "the one that replies have");
    },
  },
  {
    name: "§2.7 GET, dumps, NOOP and refusals notify of nothing",
    run: (t) => {
      t.tunnel();
      t.session();
      const said = heard(t, () => {
        t.ok(TUNNEL_GET, { CONN_ID: 1 });
        t.ok(SESSION_GET, KEY);
        t.fixture.api.dump(TUNNEL_GET);
        t.ok(L2TP_CMD.NOOP, {});
        assertStrictEquals(t.call(TUNNEL_CREATE, UDP4).code, "EEXIST");
        assertStrictEquals(t.call(SESSION_MODIFY, { IFNAME: "none" }).code, "ENODEV");
        assertStrictEquals(t.call(SESSION_CREATE, { ...ETH, SESSION_ID: 12 }).code, "EEXIST");
      });
      assertEquals(said, []);
    },
  },
  {
    name: "§2.7 renaming an interface notifies of nothing",
    run: (t) => {
      t.tunnel();
      t.session();
      assertEquals(heard(t, () => t.fixture.rename("pw0", "other")), []);
    },
  },
  {
    name: "§2.7 listeners in another namespace",
    run: (t) => {
      const said = t.fixture.notifications(() => t.tunnel(), t.fixture.b);
      assertStrictEquals(said.length, t.expected(DIFFERENCES.foreignNotifications) ? 1 : 0);
    },
  },
  {
    name: "§2.7 every listener is notified",
    run: (t) => {
      using more = t.fixture.subject.listen(t.fixture.a);
      assertStrictEquals(heard(t, () => t.tunnel()).length, 1);
      assertStrictEquals(more.take()[0]!.payload[0], TUNNEL_CREATE);
    },
  },
  {
    name: "§2.7 joining the multicast group needs no privilege",
    run: (t) => {
      const listen = (): Listener =>
        inNamespace(t.fixture.a, () => asNobody(() => t.fixture.subject.listenHere()));
      const [code] = t.expected(DIFFERENCES.unprivileged);
      if (code !== "OK") {
        assertFields(assertThrows(listen), { code });
        return;
      }
      using listener = listen();
      t.tunnel();
      assertStrictEquals(listener.take()[0]!.payload[0], TUNNEL_CREATE);
    },
  },
  {
    name: "§2.7 notifications of a tunnel over UDP with an address of the route's choice name that address",
    run: (t) => {
      const said = heard(t, () => t.tunnel({ IP_SADDR: ip("0.0.0.0") }));
      assertEquals(said, [[TUNNEL_CREATE, MADE_TUNNEL]]);
    },
  },
];
