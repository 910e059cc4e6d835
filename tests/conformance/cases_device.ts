/**
 * The Ethernet interface of a session as a network interface. §4.4, §4.7.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { LinkClient } from "../../src/client/link_client.ts";
import { inNamespace, withNamespaceFd } from "../../src/driver/system/namespace.ts";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { eventually, KEY } from "./fixture.ts";
import type { Case, Trial } from "./case.ts";
import { wire } from "./cases_data.ts";
import { DIFFERENCES } from "./differences.ts";
import { CARRIERS, data, Ethernet, frame, OVER_UDP } from "./wire.ts";

/** Largest MTU that both kinds of interface take. */
const LARGEST_MTU = 65_521;
/** A frame of that MTU, which with a header and IP is too long for IP. */
const TOO_LONG = frame(1, LARGEST_MTU);

/** Gives the cable's end on the subject's host another MTU for as long as the action runs. */
function withCableMtu(t: Trial, mtu: number, action: () => void): void {
  const { index } = t.fixture.link("cable");
  t.fixture.links.changeLink(index, { mtu });
  try {
    action();
  } finally {
    t.fixture.links.changeLink(index, { mtu: 1500 });
  }
}

/** The cases. */
export const DEVICE_CASES: readonly Case[] = [
  {
    name: "§4.7 the MTU follows the route's at creation, and not later",
    run: (t) => {
      t.tunnel();
      withCableMtu(t, 1400, () => {
        t.session();
        assertStrictEquals(t.fixture.link("pw0").mtu, 1346);
      });
      t.sleep(50);
      assertStrictEquals(t.fixture.link("pw0").mtu, 1346);
      t.session({ SESSION_ID: 12, IFNAME: "pw1" });
      assertStrictEquals(t.fixture.link("pw1").mtu, 1446);
    },
  },
  {
    name: "§4.7 an MTU of one's own choice stays",
    run: (t) => {
      t.tunnel();
      t.session();
      for (const mtu of [68, 1500, 9000, LARGEST_MTU]) {
        t.fixture.links.changeLink(t.fixture.link("pw0").index, { mtu });
        assertStrictEquals(t.fixture.link("pw0").mtu, mtu);
      }
    },
  },
  {
    name: "§4.7 names are counted up: l2tpeth0, l2tpeth1, and the lowest that is free",
    run: (t) => {
      t.tunnel();
      const make = (id: number): void => t.session({ SESSION_ID: id, IFNAME: undefined });
      [11, 12, 13].forEach(make);
      const names = (): (string | undefined)[] =>
        t.fixture.api.client.sessions().toSorted((a, b) => a.sessionId - b.sessionId)
          .map(({ interfaceName }) => interfaceName);
      assertEquals(names(), ["l2tpeth0", "l2tpeth1", "l2tpeth2"]);
      t.ok(L2TP_CMD.SESSION_DELETE, { CONN_ID: 1, SESSION_ID: 12 });
      eventually(() => t.fixture.links.link("l2tpeth1"), undefined);
      make(14);
      assertEquals(names(), ["l2tpeth0", "l2tpeth2", "l2tpeth1"]);
    },
  },
  ...[OVER_UDP, CARRIERS[2]!].map((carrier): Case => ({
    name: `§4.4 ${carrier.name}: a frame that fits no packet counts TX_ERRORS on session and tunnel`,
    run: (t) => {
      const { eth, peer } = wire(t, carrier);
      t.fixture.links.changeLink(t.fixture.link("pw0").index, { mtu: LARGEST_MTU });
      eth.send(TOO_LONG);
      const sent = { TX_PACKETS: 1, TX_BYTES: data(carrier.encap, TOO_LONG).length };
      const counted = carrier.encap === "ip" && t.expected(DIFFERENCES.overlongOverIp);
      eventually(() => t.sessionStats(), counted ? sent : { TX_ERRORS: 1 });
      eventually(() => t.tunnelStats(), counted ? sent : { TX_ERRORS: 1 });
      eth.send(frame(2));
      peer.expect(data(carrier.encap, frame(2), { sessionId: 21 }));
      peer.expectNothing();
    },
  })),
  {
    name:
      "§4.7 an interface can move to another namespace; its session stays listed, and takes it away from there",
    run: (t) => {
      t.tunnel();
      t.session();
      const { index } = t.fixture.link("pw0");
      withNamespaceFd(t.fixture.b, (netnsFd) => t.fixture.links.changeLink(index, { netnsFd }));
      using there = inNamespace(t.fixture.b, () => LinkClient.open());
      assertEquals([t.fixture.links.link("pw0"), there.link("pw0")?.name], [undefined, "pw0"]);
      assert(t.hasSession(1, 11));
      t.ok(L2TP_CMD.SESSION_GET, { IFNAME: "pw0" });
      t.ok(L2TP_CMD.SESSION_DELETE, KEY);
      eventually(() => [t.hasSession(1, 11), there.link("pw0")], [false, undefined]);
    },
  },
  {
    name: "§4.7 an interface can be taken down and up under traffic",
    run: (t) => {
      const { peer } = wire(t);
      const { index } = t.fixture.link("pw0");
      for (let n = 0; n < 20; n++) {
        peer.send(data("udp", frame(n)));
        t.fixture.links.changeLink(index, { up: n % 2 === 1 });
      }
      t.fixture.links.changeLink(index, { up: true });
      t.sleep(20);
      // A socket that was open meanwhile would tell that the interface was down.
      Ethernet.open(t).send(frame(100));
      peer.expect(data("udp", frame(100), { sessionId: 21 }));
    },
  },
];
