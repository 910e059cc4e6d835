/** Several workers in one daemon: a hub whose spokes are spread over them. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { steeredIndex } from "../../ffi/sockets/steering.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { Hosts, userClient, Wire, type WireOptions } from "./wire.ts";
import { assertFields } from "../support/assertions.ts";

const WORKERS = 3;
const SPOKES = 6;
const HUB_PORT = 1701;
const MEGABYTE = 1_000_000;

for (
  const carrier of [
    { encap: "udp", family: 4 },
    { encap: "udp", family: 6 },
    { encap: "ip", family: 4 },
  ] as const satisfies readonly WireOptions[]
) {
  Deno.test(`${WORKERS} workers, ${carrier.encap} over IPv${carrier.family}: each spoke has its own`, async () => {
    await using pair = await Pair.create();
    await using hub = await TestDaemon.start({ args: ["workers", `${WORKERS}`] });
    await using spokes = await TestDaemon.start();
    using hosts = new Hosts(pair, (netns, name) => userClient(name === "a" ? hub : spokes, netns));
    await using stack = new AsyncDisposableStack();
    const wires: Wire[] = [];
    const shares = new Set<number>();
    for (let i = 0; i < SPOKES; i++) {
      const address = carrier.family === 6 ? `fd00::${10 + i}` : `10.0.0.${10 + i}`;
      await pair.b.ip(`addr add ${address}/${carrier.family === 6 ? "64" : "24"} dev cable nodad`);
      shares.add(steeredIndex(parseIpAddress(address)!, WORKERS));
      const ports = carrier.encap === "udp" ? { near: HUB_PORT, far: 1800 + i } : undefined;
      wires.push(stack.use(
        new Wire(hosts, {
          ...carrier,
          cookieA: 8,
          tunnelA: { peer: address, ...(ports && { localPort: ports.near, peerPort: ports.far }) },
          tunnelB: { local: address, ...(ports && { localPort: ports.far, peerPort: ports.near }) },
        }),
      ));
    }
    assertStrictEquals(shares.size, WORKERS, "every worker has some");
    for (const wire of wires) await wire.ping({ count: 2 });
    await Promise.all(wires.map((wire) => wire.transfer(2 * MEGABYTE)));
    for (const wire of wires) await wire.assertMirrored();
    assertEquals(hosts.a.l2tp.drops(), []);
  });
}

Deno.test("a port with peers on several workers refuses a tunnel without a peer, and vice versa", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start({ args: ["workers", "2"] });
  using client = daemon.client(pair.a.name);
  const create = (tunnelId: number, peerPort: number, localPort: number): void =>
    client.createTunnel({
      tunnelId,
      peerTunnelId: tunnelId,
      encap: "udp",
      local: "10.0.0.1",
      peer: "10.0.0.2",
      localPort,
      peerPort,
    });
  create(1, 1701, 1701);
  assertFields(assertThrows(() => create(2, 0, 1701)), { code: "EADDRINUSE" });
  create(3, 0, 1702);
  create(4, 1701, 1702);
  assertEquals(client.tunnels().map(({ tunnelId }) => tunnelId), [1, 3, 4]);
});
