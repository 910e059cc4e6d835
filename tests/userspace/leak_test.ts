/** Created and deleted tunnels leave nothing behind: no descriptors, devices or memory. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import type { L2tpClient } from "../../src/client/l2tp_client.ts";
import { LinkClient } from "../../src/client/link_client.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { say } from "../support/say.ts";

bindLibc();
localLibc();
daemonLibc();

const CYCLES = 10_000;
/** By now everything has grown to what it needs. */
const WARM_UP = 2_000;
/** Memory that may come and go with the collector's moods. */
const TOLERANCE_BYTES = 48 * 1024 * 1024;

/** Resources of a daemon. */
interface Held {
  readonly descriptors: number;
  readonly devices: number;
  readonly bytes: number;
}

function held(daemon: TestDaemon, netns: string): Held {
  using links = inNamespace(netns, LinkClient.open);
  const status = Deno.readTextFileSync(`/proc/${daemon.pid}/status`);
  return {
    descriptors: [...Deno.readDirSync(`/proc/${daemon.pid}/fd`)].length,
    devices: links.links().length,
    bytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) * 1024,
  };
}

/** A tunnel with a session and its device, of each kind in turn, and away with them. */
function cycle(client: L2tpClient, number: number): void {
  const tunnelId = 1 + number % 5000;
  const ipv6 = number % 2 === 1;
  const udp = number % 4 < 2;
  client.createTunnel({
    tunnelId,
    peerTunnelId: 1,
    encap: udp ? "udp" : "ip",
    local: ipv6 ? "fd00::1" : "10.0.0.1",
    peer: ipv6 ? "fd00::2" : "10.0.0.2",
    ...(udp && { localPort: 10_000 + tunnelId, peerPort: 10_000 }),
  });
  client.createSession({ tunnelId, sessionId: tunnelId, peerSessionId: 1, cookie: new Uint8Array(8) });
  if (number % 3 === 0) client.deleteSession({ tunnelId, sessionId: tunnelId });
  client.deleteTunnel(tunnelId);
}

Deno.test(`${CYCLES} times created and deleted: nothing is left`, async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  using client = daemon.client(pair.a.name);
  const before = held(daemon, pair.a.name);
  for (let i = 0; i < WARM_UP; i++) cycle(client, i);
  const warm = held(daemon, pair.a.name);
  for (let i = WARM_UP; i < CYCLES; i++) cycle(client, i);
  const after = held(daemon, pair.a.name);
  const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
  say(
    `leak test: ${CYCLES} cycles: ${before.descriptors} descriptors before, ${warm.descriptors} after ${WARM_UP}, ` +
      `${after.descriptors} at the end; ` +
      `${before.devices} devices before, ${after.devices} after; ` +
      `memory ${mib(before.bytes)} before, ${mib(warm.bytes)} after ${WARM_UP}, ${
        mib(after.bytes)
      } at the end`,
  );
  // The runtime opens a few of its own once it has something to cache; what leaks, leaks in every cycle.
  assert(
    after.descriptors <= warm.descriptors,
    `${warm.descriptors} descriptors, then ${after.descriptors}`,
  );
  assertStrictEquals(after.devices, before.devices);
  assert(after.bytes < warm.bytes + TOLERANCE_BYTES, `${mib(warm.bytes)}, then ${mib(after.bytes)}`);
  assertEquals(client.tunnels(), []);
});
