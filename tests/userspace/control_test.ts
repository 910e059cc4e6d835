/** Control messages on the sockets of tunnels reach the clients that subscribed to them, and never the data path. */

import { assertEquals } from "@std/assert";
import { AF_INET } from "../../src/base/inet.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { encodeInet } from "../../ffi/sockets/sockaddr.ts";
import { openRawL2tp, openUdp } from "../../ffi/sockets/udp.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { NetlinkConnection } from "../../src/driver/netlink/connection.ts";
import { DaemonSocket } from "../../src/driver/daemon_api/connection.ts";
import { L2TPD_FAMILY_ID } from "../../src/wire/l2tpd/constants.ts";
import { decodeL2tpdControl, encodeL2tpdRequest, L2TPD_CMD } from "../../src/wire/l2tpd/family.ts";
import { decodeMessages } from "../../src/wire/netlink/message.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";

bindLibc();
localLibc();
daemonLibc();

const HOST_A = Uint8Array.of(10, 0, 0, 1);
const HOST_B = Uint8Array.of(10, 0, 0, 2);
/** An SCCRQ without AVPs, but for its message type. */
const SCCRQ = Uint8Array.fromHex("c803001400000000000000008008000000000001");
/** A ZLB of version 2: as short as control messages get. */
const ZLB_V2 = Uint8Array.fromHex("c802000c0001000000010001");

/** Everything that arrives in the namespace from here on. */
function subscribe(daemon: TestDaemon, netns: string): DaemonSocket {
  const socket = inNamespace(netns, () => DaemonSocket.connect(daemon.socketPath));
  new NetlinkConnection(socket).request({
    operation: "L2TPD_CMD_CONTROL",
    type: L2TPD_FAMILY_ID,
    payload: encodeL2tpdRequest(L2TPD_CMD.CONTROL),
  });
  return socket;
}

Deno.test("control messages over UDP and over IP reach the clients that asked, with their source", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  using client = daemon.client(pair.a.name);
  const ends = { local: "10.0.0.1", peer: "10.0.0.2" };
  client.createTunnel({
    tunnelId: 1,
    peerTunnelId: 2,
    encap: "udp",
    ...ends,
    localPort: 1701,
    peerPort: 1701,
  });
  client.createTunnel({ tunnelId: 2, peerTunnelId: 3, encap: "ip", ...ends });
  client.createSession({ tunnelId: 1, sessionId: 1, peerSessionId: 1, pseudowire: "ppp" });
  using here = subscribe(daemon, pair.a.name);
  using _elsewhere = subscribe(daemon, pair.b.name);
  using udp = inNamespace(pair.b.name, () => openUdp(AF_INET, { local: { address: HOST_B, port: 4444 } }));
  using raw = inNamespace(pair.b.name, () => openRawL2tp(AF_INET, { address: HOST_B, port: 0 }));
  // The sender need not be the tunnel's peer: a new one asks for a tunnel of its own.
  for (const message of [SCCRQ, ZLB_V2]) udp.send(message, encodeInet({ address: HOST_A, port: 1701 }));
  raw.send(Uint8Array.of(0, 0, 0, 0, ...SCCRQ), encodeInet({ address: HOST_A, port: 0 }));
  const got: unknown[] = [];
  while (got.length < 3) {
    for (const { payload } of decodeMessages(here.receive())) {
      const { message, ...from } = decodeL2tpdControl(payload);
      got.push([message.toHex(), from]);
    }
  }
  const overUdp = { local: "10.0.0.1", port: 1701, peer: "10.0.0.2", peerPort: 4444 };
  const overIp = { local: "10.0.0.1", port: 0, peer: "10.0.0.2", peerPort: 0 };
  const sorted = (list: readonly unknown[]): string[] => list.map((item) => JSON.stringify(item)).sort();
  assertEquals(
    sorted(got),
    sorted([[SCCRQ.toHex(), overUdp], [ZLB_V2.toHex(), overUdp], [SCCRQ.toHex(), overIp]]),
  );
  const { rxPackets, rxErrors, rxInvalid } = client.tunnel(1)!.counters;
  assertEquals([rxPackets, rxErrors, rxInvalid], [0n, 0n, 0n]);
});
