/**
 * Traffic that must pass through a pseudowire, with either subsystem at each end.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { AF_INET } from "../../src/base/inet.ts";
import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { encodeInet } from "../../ffi/sockets/sockaddr.ts";
import type { Socket } from "../../ffi/sockets/socket.ts";
import { openUdp, SOL_IP } from "../../ffi/sockets/udp.ts";
import { frame, FrameSocket, numberOf, Pinger, receiveNow, takeFrames } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { type HostName, type Hosts, other, Wire, type WireOptions } from "./wire.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** IPv4 and ICMP headers. */
const ECHO_OVERHEAD = 28;
const IP_MULTICAST_IF = 32;
const IP_ADD_MEMBERSHIP = 35;
const MULTICAST_GROUP = Uint8Array.of(239, 1, 2, 3);
const MULTICAST_PORT = 5007;

/** Whole packets up to the MTU, one byte more refused, and what is longer in fragments of the inner IP. */
export async function checkMtu(hosts: Hosts, wire: Wire): Promise<void> {
  for (const name of ["a", "b"] as const) {
    const mtu = wire.mtu(name);
    const peerMtu = wire.mtu(other(name));
    // Echoes come back, so both ends must take them.
    for (const size of [0, 1, 63, 1000, Math.min(mtu, peerMtu) - ECHO_OVERHEAD]) {
      await wire.ping({ count: 1, size, dontFragment: true }, name);
    }
    using tooLong = new Pinger(hosts[name].netns, wire.address(other(name)), {
      size: mtu - ECHO_OVERHEAD + 1,
      dontFragment: true,
    });
    assertStrictEquals(assertThrows(() => tooLong.send(), SyscallError).errno, Errno.EMSGSIZE);
    await wire.ping({ count: 1, size: 3 * mtu }, name);
  }
}

/** `Ip: FragCreates` or the like of a host. */
function snmp(hosts: Hosts, name: HostName, field: string): number {
  const text = inNamespace(hosts[name].netns, () => Deno.readTextFileSync("/proc/thread-self/net/snmp"));
  const [names, values] = text.split("\n").filter((line) => line.startsWith("Ip: "))
    .map((line) => line.split(" ")) as [string[], string[]];
  return Number(values[names.indexOf(field)]);
}

/** Packets that fill devices whose MTU is the cable's own: what carries them goes in fragments. */
export async function checkFragments(hosts: Hosts, options: WireOptions): Promise<void> {
  await using wire = new Wire(hosts, { ...options, mtu: 1500 });
  const before = snmp(hosts, "a", "FragCreates");
  for (const name of ["a", "b"] as const) {
    await wire.ping({ size: 1500 - ECHO_OVERHEAD, dontFragment: true }, name);
  }
  if (options.family !== 6) assert(snmp(hosts, "a", "FragCreates") >= before + 12, "fragments were made");
  await wire.transfer(100_000);
  await wire.assertMirrored();
}

/** Packets of nearly 9000 bytes, over a cable that takes them; TCP, too. */
export async function checkJumbo(hosts: Hosts, options: WireOptions): Promise<void> {
  const cables = [hosts.a, hosts.b];
  for (const host of cables) host.change("cable", { mtu: 9000 });
  try {
    {
      await using wire = new Wire(hosts, options);
      // The overhead of every encapsulation is less than 100 bytes.
      for (const name of ["a", "b"] as const) assert(wire.mtu(name) > 8900 && wire.mtu(name) < 9000);
      await checkMtu(hosts, wire);
    }
    await using wire = new Wire(hosts, { ...options, mtu: 8900 });
    await wire.ping({ size: 8900 - ECHO_OVERHEAD, dontFragment: true });
    await wire.ping({ size: 8900 - ECHO_OVERHEAD, dontFragment: true }, "b");
    await wire.transfer(1_000_000);
    await wire.assertMirrored();
  } finally {
    for (const host of cables) host.change("cable", { mtu: 1500 });
  }
}

/** IPv6 neighbour discovery, all-hosts multicast, and an IPv4 multicast group work. */
export async function checkMulticast(hosts: Hosts, wire: Wire): Promise<void> {
  for (const name of ["a", "b"] as const) {
    hosts[name].sysctl(`net/ipv6/conf/${wire.device}/accept_dad`, "0");
    hosts[name].sysctl(`net/ipv6/conf/${wire.device}/disable_ipv6`, "0");
  }
  for (const name of ["a", "b"] as const) {
    using pinger = new Pinger(hosts[name].netns, "ff02::1", { device: wire.device });
    let asked = -Infinity;
    // Wait for the link-local addresses of both ends: there is no source and no reply before.
    await until(() => {
      const now = performance.now();
      if (now - asked > 200) {
        asked = now;
        sendIfAddressed(pinger);
      }
      return pinger.replies().length > 0;
    }, "all hosts on the wire answer");
  }
  for (const name of ["a", "b"] as const) await checkGroup(hosts, wire, name);
}

function sendIfAddressed(pinger: Pinger): void {
  try {
    pinger.send();
  } catch (error) {
    if (!(error instanceof SyscallError) || error.errno !== Errno.EADDRNOTAVAIL) throw error;
  }
}

async function checkGroup(hosts: Hosts, wire: Wire, from: HostName): Promise<void> {
  const to = other(from);
  using stack = new DisposableStack();
  const open = (name: HostName): Socket =>
    inNamespace(hosts[name].netns, () => {
      const port = name === to ? MULTICAST_PORT : 0;
      return stack.use(openUdp(AF_INET, { local: { address: new Uint8Array(4), port } }));
    });
  const [receiver, sender] = [open(to), open(from)];
  receiver.setOption(
    SOL_IP,
    IP_ADD_MEMBERSHIP,
    multicastRequest(MULTICAST_GROUP, hosts[to].index(wire.device)),
  );
  sender.setOption(
    SOL_IP,
    IP_MULTICAST_IF,
    multicastRequest(new Uint8Array(4), hosts[from].index(wire.device)),
  );
  const datagram = new TextEncoder().encode(`from ${from} to everybody`);
  sender.send(datagram, encodeInet({ address: MULTICAST_GROUP, port: MULTICAST_PORT }));
  const buffer = new Uint8Array(new ArrayBuffer(100));
  let got: Uint8Array | undefined;
  await until(() => (got = receiveNow(receiver, buffer)) !== undefined, "the datagram for the group");
  assertEquals(got, datagram);
}

/** `struct ip_mreqn`: {in_addr group, in_addr local, int index}. */
function multicastRequest(group: Uint8Array, index: number): Uint8Array<ArrayBuffer> {
  const request = new Uint8Array(12);
  request.set(group);
  new DataView(request.buffer).setInt32(8, index, HOST_IS_LITTLE_ENDIAN);
  return request;
}

/** Frames of all lengths, byte for byte, and both ends' counters to the packet and the byte. */
export async function checkCounters(hosts: Hosts, options: WireOptions): Promise<void> {
  await using wire = new Wire(hosts, options);
  const header = options.encap === "ip" ? 4 : 8;
  const sublayer = options.session?.l2spec === "none" ? 0 : 4;
  for (const from of ["a", "b"] as const) {
    const to = other(from);
    using out = new FrameSocket(hosts[from].netns, wire.device);
    using into = new FrameSocket(hosts[to].netns, wire.device);
    const cookie = (from === "a" ? options.cookieA : options.cookieB) ?? 0;
    let bytes = 0;
    let count = 0;
    for (let length = 60; length <= wire.mtu(from) + 14; length += 97, count++) {
      out.send(frame(count, { length }));
      bytes += header + cookie + sublayer + length;
    }
    const frames = await takeFrames(into, count, "arrive");
    assertDeepStrictEquals(frames.map(numberOf), Array.from({ length: count }, (_, i) => i));
    await until(() => wire.counters(to).rxPackets >= count, "they are counted");
    const { txPackets, txBytes } = wire.counters(from);
    const { rxPackets, rxBytes } = wire.counters(to);
    assertEquals(
      { txPackets, txBytes, rxPackets, rxBytes },
      { txPackets: BigInt(count), txBytes: BigInt(bytes), rxPackets: BigInt(count), rxBytes: BigInt(bytes) },
    );
  }
  await wire.assertMirrored();
}

/** Every frame is dropped at its arrival for the sequence number that it does not have. */
export async function checkNothingArrives(hosts: Hosts, wire: Wire): Promise<void> {
  for (const from of ["a", "b"] as const) {
    const to = other(from);
    using out = new FrameSocket(hosts[from].netns, wire.device);
    using into = new FrameSocket(hosts[to].netns, wire.device);
    for (let number = 0; number < 5; number++) out.send(frame(number));
    await until(() => wire.counters(to).rxSeqDiscards === 5n, "five packets are dropped");
    const { rxPackets, rxErrors, rxCookieDiscards } = wire.counters(to);
    assertEquals([rxPackets, rxErrors, rxCookieDiscards], [0n, 5n, 0n]);
    assertStrictEquals(wire.counters(from).txPackets, 5n);
    assertStrictEquals(into.take(), undefined);
  }
}

/** A device goes down and comes back, at one end and the other, while TCP goes through it and echoes beside it. */
export async function checkDownAndUp(hosts: Hosts, bytes: number): Promise<void> {
  await using wire = new Wire(hosts);
  await using bystander = new Wire(hosts);
  let finished = false;
  const transferred = wire.transfer(bytes).finally(() => finished = true);
  for (let i = 0; i < 6 && !finished; i++) {
    const before = wire.counters("b").rxPackets;
    await until(() => finished || wire.counters("b").rxPackets > before + 100n, "TCP moves");
    const host = hosts[i % 2 === 0 ? "a" : "b"];
    host.change(wire.device, { up: false });
    await bystander.ping({ count: 20 });
    host.change(wire.device, { up: true });
  }
  await transferred;
  await bystander.assertMirrored();
}
