/**
 * Every offload off in turn at one end, all of them on at the other: TCP by hash, several flows of it at once, over
 * IPv4 and IPv6 inside, UDP by the datagram, sequence numbers, and ways that take no messages of many datagrams.
 */

import { assert, assertEquals } from "@std/assert";
import { OFFLOADS, SPEED_OFFLOADS } from "../../src/model/offloads.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { checkDatagrams, checksumErrors, snmp, transferIpv6 } from "./offload_checks.ts";
import { Hosts, userClient, Wire, type WireOptions } from "./wire.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const MEGABYTE = 1_000_000;

/** All that carries a tunnel. */
const CARRIERS: readonly WireOptions[] = [
  { encap: "udp", family: 4 },
  { encap: "udp", family: 6 },
  { encap: "ip", family: 4 },
  { encap: "ip", family: 6 },
];

for (const list of ["all", "none", ...SPEED_OFFLOADS.map((offload) => `no-${offload}`)]) {
  Deno.test(`offload ${list} at one end, all at the other`, async (t) => {
    await using pair = await Pair.create();
    await using one = await TestDaemon.start({ args: ["offload", list] });
    await using all = await TestDaemon.start({ args: ["offload", "all"] });
    using hosts = new Hosts(pair, (netns, name) => userClient(name === "a" ? one : all, netns));

    for (const carrier of CARRIERS) {
      const name = `${carrier.encap} over IPv${carrier.family}`;
      await t.step(`${name}: TCP and UDP`, async () => {
        const before = checksumErrors(hosts);
        await using wire = new Wire(hosts, { ...carrier, cookieA: 8, cookieB: 4 });
        await wire.ping({ count: 1 });
        const speed = await wire.transfer(8 * MEGABYTE);
        await Promise.all(Array.from({ length: 4 }, () => wire.transfer(MEGABYTE)));
        await transferIpv6(hosts, wire, 4 * MEGABYTE);
        await checkDatagrams(hosts, wire, "a");
        await checkDatagrams(hosts, wire, "b");
        await wire.assertMirrored();
        assertDeepStrictEquals(checksumErrors(hosts), before);
        console.log(`offload ${list}, ${name}: 8 MB each way at ${speed.toFixed(0)} Mbit/s`);
      });

      await t.step(`${name}: with sequence numbers, and with a reorder queue`, async () => {
        for (const reorderTimeoutMs of [0, 100]) {
          const session = { sendSeq: true, recvSeq: true, reorderTimeoutMs };
          await using wire = new Wire(hosts, { ...carrier, session });
          await wire.transfer(2 * MEGABYTE);
          await checkDatagrams(hosts, wire, "a");
          await wire.assertMirrored();
        }
      });

      await t.step(`${name}: what is too long for the way goes in fragments`, async () => {
        await using wire = new Wire(hosts, { ...carrier, mtu: 1500 });
        const before = snmp(hosts, "a", "Ip", "FragCreates");
        await wire.transfer(MEGABYTE);
        await wire.assertMirrored();
        if (carrier.family === 4) assert(snmp(hosts, "a", "Ip", "FragCreates") > before + 500);
      });
    }

    await t.step("show -d lists the active offloads", async () => {
      await using _wire = new Wire(hosts, {});
      const names = (name: "a" | "b"): readonly string[] => hosts[name].l2tp.offloads()[0]!.offloads;
      const off: readonly string[] = list === "none"
        ? OFFLOADS
        : ["bpf", ...SPEED_OFFLOADS.filter((each) => `no-${each}` === list)];
      // tso, uso and coalesce need tap's headers.
      const gone = off.includes("tap") ? [...off, "tso", "uso", "coalesce"] : off;
      assertEquals(names("a"), OFFLOADS.filter((each) => !gone.includes(each)));
      assertEquals(names("b"), SPEED_OFFLOADS);
    });
  });
}
