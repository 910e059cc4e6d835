/**
 * A tunnel over a path that is narrower than what one end sees of it:
 *
 * ```
 *   a: 10.0.0.1 fd00::1 ── cable ── :b, a router: ── cable3, MTU 1300 ── 10.0.3.3 fd00:3::3 :c
 * ```
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { L2tpClient } from "../../src/client/l2tp_client.ts";
import { Namespace } from "../support/namespaces.ts";
import { ping, Pinger, transfer } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { ipBatch } from "./bridges.ts";
import { Host, type Hosts } from "./wire.ts";

const NARROW_MTU = 1300;
/** Data of an echo that fits into the devices but not, once encapsulated, through the narrow part. */
const ECHO_BYTES = 1372;
const ASK_AGAIN_MS = 200;

/** The router reports to host a that packets are too long; tunnel packets are fragmented from then on. */
export async function checkNarrowPath(hosts: Hosts, open: (netns: string) => L2tpClient): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const far = stack.use(await Namespace.create("c"));
  await ipBatch(hosts.b.netns, [
    `link add cable3 type veth peer name cable netns ${far.name}`,
    "addr add 10.0.3.2/24 dev cable3",
    "link set cable3 up",
  ]);
  hosts.b.sysctl("net/ipv4/ip_forward", "1");
  hosts.b.sysctl("net/ipv6/conf/cable3/disable_ipv6", "0");
  hosts.b.sysctl("net/ipv6/conf/all/forwarding", "1");
  await ipBatch(hosts.b.netns, [
    "addr add fd00:3::2/64 dev cable3 nodad",
    `link set cable3 mtu ${NARROW_MTU}`,
  ]);
  await ipBatch(far.name, [
    "addr add 10.0.3.3/24 dev cable",
    "addr add fd00:3::3/64 dev cable nodad",
    `link set cable mtu ${NARROW_MTU} up`,
    "route add 10.0.0.0/24 via 10.0.3.2",
    "route add fd00::/64 via fd00:3::2",
  ]);
  await ipBatch(hosts.a.netns, ["route add 10.0.3.0/24 via 10.0.0.2", "route add fd00:3::/64 via fd00::2"]);
  stack.defer(() =>
    ipBatch(hosts.a.netns, ["route del 10.0.3.0/24 via 10.0.0.2", "route del fd00:3::/64 via fd00::2"])
  );
  const c = stack.use(new Host(far, open(far.name)));
  let number = 0;
  for (const [encap, local, peer] of WAYS) {
    number++;
    // Path MTU cached for an earlier tunnel.
    await hosts.a.namespace.ip("-4 route flush cache");
    await hosts.a.namespace.ip("-6 route flush cache");
    const tunnelId = 8000 + number;
    const ports = encap === "udp" ? { localPort: tunnelId, peerPort: tunnelId } : {};
    const address = (last: number): string => `192.168.${200 + number}.${last}`;
    const ends = [[hosts.a, local, peer, address(1)], [c, peer, local, address(2)]] as const;
    for (const [host, local, peer, inside] of ends) {
      const ids = { tunnelId, peerTunnelId: tunnelId, sessionId: tunnelId, peerSessionId: tunnelId };
      host.l2tp.createTunnel({ ...ids, ...ports, encap, local, peer });
      host.l2tp.createSession({ ...ids, interfaceName: "narrow" });
      const index = host.index("narrow");
      host.links.addAddress({ index, address: inside, prefixLength: 24 });
      // Whatever this end knows of the path by now.
      host.links.changeLink(index, { mtu: 1400, up: true });
    }
    try {
      await echoAtLast(hosts.a.netns, address(2));
      await ping(hosts.a.netns, address(2), { size: ECHO_BYTES });
      await transfer({ from: hosts.a.netns, to: far.name, address: address(2) }, 100_000);
      for (const host of [hosts.a, c]) {
        const { rxErrors, rxInvalid } = host.l2tp.tunnel(tunnelId)!.counters;
        assertEquals([rxErrors, rxInvalid ?? 0n], [0n, 0n]);
      }
    } finally {
      for (const host of [hosts.a, c]) {
        host.l2tp.deleteTunnel(tunnelId);
        await until(() => host.links.link("narrow") === undefined, "the device goes");
      }
    }
  }
}

const WAYS = [
  ["udp", "10.0.0.1", "10.0.3.3"],
  ["udp", "fd00::1", "fd00:3::3"],
  ["ip", "10.0.0.1", "10.0.3.3"],
  ["ip", "fd00::1", "fd00:3::3"],
] as const;

/** The first ones are lost: that is how a learns. */
async function echoAtLast(netns: string, to: string): Promise<void> {
  using pinger = new Pinger(netns, to, { size: ECHO_BYTES });
  let asked = -Infinity;
  await until(() => {
    const now = performance.now();
    if (now - asked > ASK_AGAIN_MS) {
      asked = now;
      pinger.send();
    }
    return pinger.replies().length > 0;
  }, `echoes of ${ECHO_BYTES} bytes get to ${to}`);
}
