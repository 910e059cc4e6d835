/**
 * Data packets that end too early, and the order in which they are looked at. §3.5, §4.1.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import { eventually, hex, ip6 } from "./fixture.ts";
import type { Case } from "./case.ts";
import { wire } from "./cases_data.ts";
import { CARRIERS, data, frame, OVER_UDP } from "./wire.ts";

const COOKIE = ip6(7).slice(8);

/** The cases. */
export const SHORT_CASES: readonly Case[] = [
  {
    name: "§3.5 over UDP a data packet of a known session that ends within its header is invalid",
    run: (t) => {
      const { eth, peer } = wire(t, OVER_UDP, { PEER_COOKIE: COOKIE });
      const whole = data("udp", frame(1), { cookie: COOKIE });
      for (const length of [15, 17, 19]) peer.send(whole.slice(0, length));
      peer.send(whole);
      eth.expect(frame(1));
      eth.expectNothing();
      const good = { RX_PACKETS: 1, RX_BYTES: whole.length };
      eventually(() => t.tunnelStats(), { ...good, RX_INVALID: 3 });
      eventually(() => t.sessionStats(), good);
    },
  },
  {
    name: "§3.5 over IP a data packet of a known session that ends within its header is dropped",
    run: (t) => {
      const { eth, peer } = wire(t, CARRIERS[2], { PEER_COOKIE: COOKIE });
      const whole = data("ip", frame(1), { cookie: COOKIE });
      for (const length of [4, 5, 11, 15]) peer.send(whole.slice(0, length));
      peer.send(whole);
      eth.expect(frame(1));
      eth.expectNothing();
      eventually(() => t.sessionStats()["RX_PACKETS"], 1);
      assertStrictEquals(t.sessionStats()["RX_COOKIE_DISCARDS"], undefined);
    },
  },
  ...CARRIERS.slice(0, 3).map((carrier): Case => ({
    name: `§4.1 ${carrier.name}: a frame too short for Ethernet is not delivered`,
    run: (t) => {
      const { eth, peer } = wire(t, carrier);
      peer.send(data(carrier.encap, frame(1).slice(0, 13)));
      peer.send(data(carrier.encap, frame(2)));
      eth.expect(frame(2));
      eth.expectNothing();
    },
  })),
  {
    name: "§4.1 the cookie is looked at before the sequence number",
    run: (t) => {
      const { eth, peer } = wire(t, OVER_UDP, { PEER_COOKIE: COOKIE });
      peer.send(data("udp", frame(1), { cookie: hex("ff".repeat(8)), sequence: 5 }));
      eventually(() => t.sessionStats(), { RX_COOKIE_DISCARDS: 1, RX_ERRORS: 1 });
      assertStrictEquals(t.fixture.api.client.session({ tunnelId: 1, sessionId: 11 })!.sendSeq, false);
      peer.send(data("udp", frame(2), { cookie: COOKIE, sequence: 100 }));
      eth.expect(frame(2));
    },
  },
  {
    name: "§4.1 without PEER_COOKIE the session id alone protects",
    run: (t) => {
      const { eth, peer } = wire(t, OVER_UDP, { COOKIE, L2SPEC_TYPE: 0 });
      peer.send(data("udp", frame(1), { l2spec: "none" }));
      eth.expect(frame(1));
    },
  },
];
