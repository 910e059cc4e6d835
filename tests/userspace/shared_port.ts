/**
 * Two tunnels over one local UDP port, which the kernel's own subsystem cannot have:
 *
 * ```
 *   b: 10.0.0.2:1701 ── cable ── 10.0.0.1:1701 :a: cable2 10.0.2.1 ── 10.0.2.3:1701 :c
 * ```
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { L2tpClient } from "../../src/client/l2tp_client.ts";
import { Namespace } from "../support/namespaces.ts";
import { ping } from "../support/traffic.ts";
import { ipBatch } from "./bridges.ts";
import { Host, type Hosts } from "./wire.ts";

/** Host a, in userspace, distinguishes its two peers by address: all ids are the same. `open` is for host c. */
export async function checkSharedPort(hosts: Hosts, open: (netns: string) => L2tpClient): Promise<void> {
  await using far = await Namespace.create("c");
  await ipBatch(hosts.a.netns, [
    `link add cable2 type veth peer name cable netns ${far.name}`,
    "addr add 10.0.2.1/24 dev cable2",
    "link set cable2 up",
  ]);
  await ipBatch(far.name, [
    "addr add 10.0.2.3/24 dev cable",
    "link set cable up",
    "route add 10.0.0.0/24 via 10.0.2.1",
  ]);
  using c = new Host(far, open(far.name));
  const peers = [[1, hosts.b, "10.0.0.2"], [2, c, "10.0.2.3"]] as const;
  for (const [number, host, address] of peers) {
    const shared = { encap: "udp", localPort: 1701, peerPort: 1701 } as const;
    const [here, there] = [{ tunnelId: number, peerTunnelId: 7 }, { tunnelId: 7, peerTunnelId: number }];
    hosts.a.l2tp.createTunnel({ ...here, ...shared, local: "10.0.0.1", peer: address });
    host.l2tp.createTunnel({ ...there, ...shared, local: address, peer: "10.0.0.1" });
    const device = `shared${number}`;
    hosts.a.l2tp.createSession({
      ...here,
      sessionId: 5,
      peerSessionId: 6,
      interfaceName: device,
    });
    host.l2tp.createSession({ ...there, sessionId: 6, peerSessionId: 5, interfaceName: "shared" });
    for (const [at, name, last] of [[hosts.a, device, 1], [host, "shared", 2]] as const) {
      const index = at.index(name);
      at.links.addAddress({ index, address: `192.168.${100 + number}.${last}`, prefixLength: 24 });
      at.links.changeLink(index, { up: true });
    }
  }
  for (let round = 0; round < 2; round++) {
    for (const [number, host] of peers) {
      await ping(hosts.a.netns, `192.168.${100 + number}.2`);
      await ping(host.netns, `192.168.${100 + number}.1`);
    }
  }
  assertEquals(hosts.a.l2tp.drops(), []);
  for (const [number, host] of peers) {
    const mine = hosts.a.l2tp.tunnel(number)!.counters;
    const its = host.l2tp.tunnel(7)!.counters;
    assertEquals([mine.txPackets, mine.rxPackets], [its.rxPackets, its.txPackets]);
    // Requests and replies both ways, and the search for the address.
    assert(mine.txPackets >= 12n);
    hosts.a.l2tp.deleteTunnel(number);
    host.l2tp.deleteTunnel(7);
  }
}
