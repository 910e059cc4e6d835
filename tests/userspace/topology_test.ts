/** The subsystem in userspace with more than one wire between two hosts: bridges, shared ports, crowds, and trouble. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Creation } from "../../src/client/creation.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { Pinger } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { Bridges } from "./bridges.ts";
import { checkDownAndUp } from "./checks.ts";
import { checkNarrowPath } from "./narrow_path.ts";
import { checkSharedPort } from "./shared_port.ts";
import { type HostName, Hosts, userClient } from "./wire.ts";

const MEGABYTE = 1_000_000;
const CROWD = 100;
const ROUNDS = 3;

Deno.test("wires in userspace", async (t) => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  using hosts = new Hosts(pair, (netns) => userClient(daemon, netns));

  for (const encap of ["udp", "ip"] as const) {
    await t.step(
      `${encap}: both ends in a bridge, TCP and tagged frames between the hosts behind`,
      async () => {
        await using bridges = await Bridges.create(hosts, { encap, cookieA: 8, cookieB: 8 });
        await bridges.check(MEGABYTE);
        await bridges.checkTagged();
        await bridges.checkComingBack();
      },
    );
  }

  await t.step("two peers behind one local UDP port, with the same ids", async () => {
    await checkSharedPort(hosts, (netns) => userClient(daemon, netns));
  });

  await t.step("a path MTU smaller than that of the interface", async () => {
    await checkNarrowPath(hosts, (netns) => userClient(daemon, netns));
  });

  await t.step(`${CROWD} tunnels at a time`, async () => {
    const creations = (name: HostName): Creation[] =>
      Array.from({ length: CROWD }, (_, i) => wiresOf(name, i + 1)).flat();
    for (const name of ["a", "b"] as const) {
      const { l2tp, links } = hosts[name];
      const outcomes = await l2tp.createAll(creations(name), { goOn: false });
      assert(outcomes.every((outcome) => outcome === undefined));
      for (let number = 1; number <= CROWD; number++) {
        const index = hosts[name].index(`crowd${number}`);
        links.addAddress({ index, address: crowdAddress(name, number), prefixLength: 24 });
        links.changeLink(index, { up: true });
      }
    }
    using stack = new DisposableStack();
    const waiting = Array.from({ length: CROWD }, (_, i) => ({
      pinger: stack.use(new Pinger(hosts.a.netns, crowdAddress("b", i + 1), { size: 1000 })),
      replies: 0,
    }));
    for (let round = 0; round < ROUNDS; round++) {
      for (const { pinger } of waiting) pinger.send();
    }
    await until(() => {
      for (const each of waiting) each.replies += each.pinger.replies().length;
      return waiting.every(({ replies }) => replies === ROUNDS);
    }, "every tunnel brings all replies");
    for (const name of ["a", "b"] as const) {
      const { l2tp, links } = hosts[name];
      const tunnels = l2tp.tunnels();
      assertStrictEquals(tunnels.length, CROWD);
      for (const { counters: { txPackets, rxPackets, rxErrors } } of tunnels) {
        // An ARP packet or two of either side beside the echoes.
        assert(txPackets > ROUNDS && rxPackets > ROUNDS && rxErrors === 0n);
      }
      for (let number = 1; number <= CROWD; number++) l2tp.deleteTunnel(number);
      assertEquals(links.links().filter((link) => link.name.startsWith("crowd")), []);
    }
  });

  await t.step(
    "an interface goes down and up: its TCP connection continues, and other tunnels are unaffected",
    async () => {
      await checkDownAndUp(hosts, 30 * MEGABYTE);
    },
  );
});

function crowdAddress(name: HostName, number: number): string {
  return `10.100.${number}.${name === "a" ? 1 : 2}`;
}

/** A tunnel with a session, the same ids at both ends. */
function wiresOf(name: HostName, number: number): Creation[] {
  const [own, peer] = name === "a" ? [1, 2] : [2, 1];
  return [
    {
      tunnel: {
        tunnelId: number,
        peerTunnelId: number,
        encap: "udp",
        local: `10.0.0.${own}`,
        peer: `10.0.0.${peer}`,
        localPort: 10_000 + number,
        peerPort: 10_000 + number,
      },
    },
    {
      session: {
        tunnelId: number,
        sessionId: number,
        peerSessionId: number,
        interfaceName: `crowd${number}`,
      },
    },
  ];
}
