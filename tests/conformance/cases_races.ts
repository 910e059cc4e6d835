/**
 * Two connections at once: creation, deletion and queries of the same things, each on a thread of its own.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { ETH, eventually, IP4, KEY, UDP4 } from "./fixture.ts";
import type { Case, Trial } from "./case.ts";
import { hammer, type HammerOrder } from "./hammer.ts";
import { CARRIERS, data, Ethernet, frame, OVER_UDP, Peer } from "./wire.ts";

const { TUNNEL_CREATE, TUNNEL_DELETE, TUNNEL_MODIFY, TUNNEL_GET } = L2TP_CMD;
const { SESSION_CREATE, SESSION_DELETE, SESSION_MODIFY, SESSION_GET } = L2TP_CMD;

type Commands = HammerOrder["commands"];

const ROUNDS = 60;

/** Lets another thread do its commands while `meanwhile` runs here; how often each of its answers came. */
async function beside(
  t: Trial,
  commands: Commands,
  rounds: number,
  meanwhile: () => void,
): Promise<Record<string, number>> {
  const worker = new Worker(new URL("./hammer.ts", import.meta.url), { type: "module" });
  try {
    const done = new Promise<Record<string, number>>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Record<string, number>>): void => resolve(data);
      worker.onerror = (event): void => reject(new Error(event.message));
    });
    const order: HammerOrder = { netns: t.fixture.a, path: t.fixture.subject.path, commands, rounds };
    worker.postMessage(order);
    meanwhile();
    return await done;
  } finally {
    worker.terminate();
  }
}

function race(name: string, here: Commands, there: Commands, allowed: readonly string[]): Case {
  return {
    name: `races: ${name}`,
    run: async (t) => {
      const order = { netns: t.fixture.a, path: undefined, commands: here, rounds: ROUNDS };
      let ours: Record<string, number> = {};
      const theirs = await beside(t, there, ROUNDS, () => {
        // The other thread takes a while to start.
        const end = performance.now() + 600;
        do {
          for (const [code, count] of Object.entries(hammer(t.fixture.api, order))) {
            ours = { ...ours, [code]: (ours[code] ?? 0) + count };
          }
        } while (performance.now() < end);
      });
      for (const codes of [ours, theirs]) {
        const odd = Object.keys(codes).filter((code) => !allowed.includes(code));
        assertEquals(odd, [], `answers: ${JSON.stringify([ours, theirs])}`);
      }
      // Everything still works.
      t.fixture.flush();
      t.tunnel();
      t.session();
      const peer = Peer.open(t, OVER_UDP);
      const eth = Ethernet.open(t);
      peer.send(data("udp", frame(1)));
      eth.expect(frame(1));
    },
  };
}

const TUNNEL_CYCLE: Commands = [[TUNNEL_CREATE, UDP4], [SESSION_CREATE, ETH], [TUNNEL_DELETE, {
  CONN_ID: 1,
}]];
const IP_CYCLE: Commands = [[TUNNEL_CREATE, IP4], [SESSION_CREATE, ETH], [TUNNEL_DELETE, { CONN_ID: 1 }]];
const SESSION_CYCLE: Commands = [[SESSION_CREATE, ETH], [SESSION_MODIFY, { ...KEY, SEND_SEQ: 1 }], [
  SESSION_DELETE,
  KEY,
]];
const QUERIES: Commands = [[TUNNEL_GET, { CONN_ID: 1 }], [SESSION_GET, KEY], [SESSION_GET, {
  IFNAME: "pw0",
}]];
const BUSY = ["OK", "EEXIST", "ENODEV", "EADDRINUSE"];

/** The cases. */
export const RACE_CASES: readonly Case[] = [
  race("a tunnel over UDP is created and deleted from two sides", TUNNEL_CYCLE, TUNNEL_CYCLE, BUSY),
  race("a tunnel over IP is created and deleted from two sides", IP_CYCLE, IP_CYCLE, BUSY),
  race("a tunnel over UDP is deleted while it is asked for", TUNNEL_CYCLE, QUERIES, BUSY),
  race("a tunnel over IP is deleted while it is asked for", IP_CYCLE, QUERIES, BUSY),
  race(
    "a session is created, changed and deleted from two sides",
    [[TUNNEL_CREATE, UDP4], ...SESSION_CYCLE],
    SESSION_CYCLE,
    BUSY,
  ),
  race(
    "a tunnel is deleted while its session is created and changed",
    TUNNEL_CYCLE,
    [...SESSION_CYCLE, [TUNNEL_MODIFY, { CONN_ID: 1 }]],
    BUSY,
  ),
  ...[OVER_UDP, CARRIERS[2]!].map((carrier): Case => ({
    name: `races: counters are asked for while frames come, ${carrier.name}`,
    run: async (t) => {
      t.tunnel({}, carrier.tunnel);
      t.session();
      const peer = Peer.open(t, carrier);
      const eth = Ethernet.open(t);
      const count = 300;
      const codes = await beside(t, QUERIES, ROUNDS, () => {
        for (let number = 0; number < count; number++) {
          peer.send(data(carrier.encap, frame(number)));
          eth.expect(frame(number));
        }
      });
      assertEquals(Object.keys(codes), ["OK"]);
      eventually(() => t.sessionStats()["RX_PACKETS"], count);
    },
  })),
];
