/** Packets that one data path sends and another receives: every combination of version, encapsulation and options. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { type EndpointKind, readCounters } from "../../src/dataplane/mod.ts";
import { hexBytes } from "../support/golden.ts";
import { Random } from "../support/random.ts";
import { arriving, DataPathHarness, drops } from "./support.ts";

const KINDS: readonly EndpointKind[] = ["udp4", "udp6", "ip4", "ip6"];

Deno.test("round trip: all combinations of version, encapsulation, family, cookie, sublayer, sequence, PPP", () => {
  const random = new Random(40);
  let combinations = 0;
  for (const version of [2, 3] as const) {
    for (const kind of version === 2 ? KINDS.slice(0, 2) : KINDS) {
      for (const cookieLength of version === 2 ? [0] : [0, 3, 4, 5, 8]) {
        for (const l2spec of version === 2 ? ["none"] as const : ["none", "default"] as const) {
          for (const sendSeq of [false, true]) {
            for (const pseudowire of version === 2 ? ["ppp"] as const : ["eth", "ppp"] as const) {
              for (const reorderTimeoutMs of [0, 10]) {
                combinations++;
                const cookie = random.bytes(cookieLength);
                const spec = { l2spec, sendSeq, pseudowire, reorderTimeoutMs } as const;
                const there = new DataPathHarness();
                const sessionId = 1 + random.below(0xffff);
                const tunnelId = 1 + random.below(0xffff);
                const sender = there.session(
                  there.tunnel(there.endpoint(kind), { version, peerTunnelId: tunnelId }),
                  {
                    ...spec,
                    peerSessionId: sessionId,
                    cookie,
                  },
                );
                const here = new DataPathHarness();
                const endpoint = here.endpoint(kind);
                const tunnel = here.tunnel(endpoint, { version, tunnelId });
                const receiver = here.session(tunnel, {
                  ...spec,
                  sessionId,
                  peerCookie: cookie,
                  recvSeq: sendSeq && sender.canSequence,
                });
                let bytes = 0;
                for (let round = 0; round < 3; round++) {
                  const frames = Array.from({ length: 1 + random.below(8) }, () => {
                    const frame = random.bytes(14 + random.below(1500));
                    // A PPP control protocol: Address and Control are not compressed, and it is not IP.
                    if (pseudowire === "ppp") frame[0] = 0x80 + 2 * random.below(64);
                    return frame;
                  });
                  const packets = there.transmit(sender, frames);
                  for (const packet of packets) bytes += packet.length;
                  const arrived = here.receive(endpoint, packets.map((packet) => arriving(kind, packet)));
                  assertEquals(arrived.map((each) => each.bytes), frames);
                }
                const sent = readCounters(sender.counters);
                for (const { counters } of [receiver, tunnel]) {
                  const received = readCounters(counters);
                  assertEquals([received.rxPackets, received.rxBytes], [sent.txPackets, sent.txBytes]);
                  assertStrictEquals(received.rxErrors, 0n);
                }
                assertStrictEquals(Number(sent.txBytes), bytes);
                assertStrictEquals(receiver.nr, sender.ns);
                assertEquals(drops(receiver.counters), {});
                here.assertConservation();
              }
            }
          }
        }
      }
    }
  }
  assertStrictEquals(combinations, 2 * 1 * 1 * 2 * 1 * 2 + 4 * 5 * 2 * 2 * 2 * 2);
});

/** Captured data packets of the kernel: UDP payload and the PPP frame in it (xl2tpd, Debian 12). */
const CAPTURED: readonly [string, string][] = [
  [
    "0002 b8d4 33e9 ff03 c021 0101 0014 0104 0578 0206 0000 0000 0506 3924 a6fe",
    "c021 0101 0014 0104 0578 0206 0000 0000 0506 3924 a6fe",
  ],
  ["0002 b8d4 33e9 ff03 c021 0900 0008 3924 a6fe", "c021 0900 0008 3924 a6fe"],
  ["0002 b8d4 33e9 ff03 8021 0101 000a 0306 ac1f 0001", "8021 0101 000a 0306 ac1f 0001"],
  ["0002 b8d4 33e9 ff03 8057 0101 000e 010a 4dba aebd 2145 0680", "8057 0101 000e 010a 4dba aebd 2145 0680"],
];

Deno.test("golden: the kernel's own version 2 packets are received, and sent byte for byte", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const tunnel = harness.tunnel(endpoint, { version: 2, tunnelId: 47316, peerTunnelId: 47316 });
  const session = harness.session(tunnel, { sessionId: 13289, peerSessionId: 13289 });
  const packets = CAPTURED.map(([packet]) => hexBytes(packet));
  const frames = CAPTURED.map(([, frame]) => hexBytes(frame));
  assertEquals(harness.receive(endpoint, packets).map(({ bytes }) => bytes), frames);
  assertEquals(harness.transmit(session, frames), packets);
  harness.assertConservation();
});

Deno.test("golden: captured control messages of the same tunnel are passed on as control messages", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  harness.session(harness.tunnel(endpoint, { version: 2, tunnelId: 47316 }), { sessionId: 13289 });
  const messages = [
    "c802 000c b8d4 0000 0001 0002",
    "c802 001c b8d4 33e9 0001 0003 8008 0000 0000 000b 8008 0000 000e 867c",
  ].map(hexBytes);
  assertEquals(harness.receive(endpoint, messages), []);
  assertEquals(harness.control.map(({ bytes }) => bytes), messages);
});

Deno.test("golden: the kernel's version 3 packet with cookie and sequence number", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const session = harness.session(harness.tunnel(endpoint), {
    sessionId: 0x04050607,
    peerCookie: hexBytes("a1a2a3a4a5a6a7a8"),
  });
  const frame = hexBytes("333300000016 021122334455 86dd 6000");
  const packet = Uint8Array.of(...hexBytes("00030000 04050607 a1a2a3a4a5a6a7a8 40000000"), ...frame);
  assertEquals(harness.receive(endpoint, [packet]).map(({ bytes }) => bytes), [frame]);
  assertStrictEquals(session.nr, 1);
  assertStrictEquals(session.sendSeq, true);
});
