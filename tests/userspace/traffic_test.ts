/** The subsystem in userspace at both ends, two network namespaces and a cable: everything Ethernet goes through. */

import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import {
  checkCounters,
  checkFragments,
  checkJumbo,
  checkMtu,
  checkMulticast,
  checkNothingArrives,
} from "./checks.ts";
import { Hosts, userClient, Wire, type WireOptions } from "./wire.ts";

/** Variant 2 of the captures. */
const NEEDS_WHAT_IT_CANNOT_GET = { l2spec: "none", sendSeq: true, recvSeq: true } as const;

const MEGABYTE = 1_000_000;

/** All that carries a tunnel. */
const CARRIERS: readonly (WireOptions & { readonly name: string })[] = [
  { name: "UDP over IPv4", encap: "udp", family: 4 },
  { name: "UDP over IPv6", encap: "udp", family: 6 },
  { name: "IPv4", encap: "ip", family: 4 },
  { name: "IPv6", encap: "ip", family: 6 },
];

/** Every cookie with every other, every sublayer, sequence numbers, and checksums where there are any. */
function* variants(carrier: WireOptions): Generator<WireOptions> {
  for (const cookieA of [0, 4, 8]) {
    for (const cookieB of [0, 4, 8]) {
      yield { ...carrier, cookieA, cookieB, session: { l2spec: "none" } };
      yield { ...carrier, cookieA, cookieB };
      yield { ...carrier, cookieA, cookieB, session: { sendSeq: true, recvSeq: true } };
      yield {
        ...carrier,
        cookieA,
        cookieB,
        session: { sendSeq: true, recvSeq: true, reorderTimeoutMs: 100 },
      };
    }
  }
  // One way: b, which has to have them, is not the LNS, so it sends them as well once it has received one.
  yield { ...carrier, a: { sendSeq: true }, b: { recvSeq: true } };
  if (carrier.encap !== "udp") return;
  if (carrier.family === 4) yield { ...carrier, tunnel: { udpChecksum: true } };
  else yield { ...carrier, tunnel: { checksumTx: false, checksumRx: false } };
}

Deno.test("userspace to userspace", async (t) => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  using hosts = new Hosts(pair, (netns) => userClient(daemon, netns));

  for (const { name, ...carrier } of CARRIERS) {
    await t.step(`${name}: all cookies, sublayers, sequence numbers and checksums`, async () => {
      for (const options of variants(carrier)) {
        await using wire = new Wire(hosts, options);
        await wire.ping({ count: 2 });
        await wire.ping({ count: 1 }, "b");
        await wire.assertMirrored();
      }
    });
    await t.step(`${name}: counters to the byte`, async () => {
      await checkCounters(hosts, { ...carrier, cookieA: 8, cookieB: 4 });
      await checkCounters(hosts, { ...carrier, session: { l2spec: "none" } });
    });
    await t.step(`${name}: frames up to the MTU, TCP, multicast`, async () => {
      await using wire = new Wire(hosts, { ...carrier, cookieA: 8, cookieB: 4 });
      await checkMtu(hosts, wire);
      const speed = await wire.transfer(MEGABYTE);
      console.log(`${name}: 1 MB each way at ${speed.toFixed(0)} Mbit/s`);
      await checkMulticast(hosts, wire);
    });
    await t.step(`${name}: packets that need fragments outside`, () => checkFragments(hosts, carrier));
    await t.step(`${name}: jumbo frames`, () => checkJumbo(hosts, carrier));
  }

  await t.step("100 MB of TCP each way", async () => {
    await using wire = new Wire(hosts, { cookieA: 8, cookieB: 4 });
    const speed = await wire.transfer(100 * MEGABYTE);
    console.log(`100 MB each way at ${speed.toFixed(0)} Mbit/s`);
    await wire.assertMirrored();
  });

  await t.step(
    "without a sublayer there are no sequence numbers: a receiver that requires them drops everything",
    async () => {
      await using wire = new Wire(hosts, { cookieA: 8, cookieB: 4, session: NEEDS_WHAT_IT_CANNOT_GET });
      await checkNothingArrives(hosts, wire);
    },
  );
});
