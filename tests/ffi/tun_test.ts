/** `ffi/kernel/tun.ts`, and frames of `ffi/packets/mod.ts`, as root in namespaces on this machine's kernel. */

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { Epoll, EPOLLERR, EPOLLIN } from "../../ffi/process/epoll.ts";
import { lastErrno } from "../../ffi/errno.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { ioctl } from "../../ffi/kernel/ioctl.ts";
import { openNetns, withNetns } from "../../ffi/kernel/netns.ts";
import { daemonLibc, packetLibc } from "../../ffi/packet_libc.ts";
import { PacketArena } from "../../ffi/packets/mod.ts";
import { interfaceIndex } from "../../ffi/sockets/resolve.ts";
import { TapDevice, TunDevice, type TunTapDevice, type TunTapOptions } from "../../ffi/kernel/tun.ts";
import { Errno, errnoName } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { Namespace } from "../support/namespaces.ts";
import { until } from "../support/until.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

// Opened here, because a library opened within a test counts as a leak.
bindLibc();
packetLibc();
daemonLibc();

const TUNSETIFF = "ioctl(0x400454ca)";
const TUNSETCARRIER = 0x400454e2;

/** Sets the carrier of a device (`linux/if_tun.h`); a new device has carrier. */
function setCarrier(device: TunTapDevice, on: boolean): void {
  ioctl(device, TUNSETCARRIER, new Uint8Array(new Int32Array([on ? 1 : 0]).buffer));
}

/** A namespace in which only this test sends frames. */
async function quiet(): Promise<Namespace> {
  const namespace = await Namespace.create("l2tp-ffi");
  await namespace.sh("sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1");
  await namespace.sh("sysctl", "-q", "-w", "net.ipv6.conf.default.disable_ipv6=1");
  return namespace;
}

/** Opens a device in the namespace. */
function open(namespace: Namespace, name: string, options?: TunTapOptions): TapDevice {
  using netns = openNetns(namespace.name);
  return withNetns(netns, () => TapDevice.open(name, options));
}

function exists(namespace: Namespace, name: string): boolean {
  using netns = openNetns(namespace.name);
  return withNetns(netns, () => interfaceIndex(name) !== undefined);
}

function refusal(action: () => TunTapDevice): string {
  try {
    using device = action();
    return device.name;
  } catch (error) {
    assert(error instanceof SyscallError);
    assertStrictEquals(error.call, TUNSETIFF);
    return error.code;
  }
}

Deno.test("TapDevice.open() creates an Ethernet device, down, in the thread's namespace; closing deletes it", async () => {
  await using scratch = await quiet();
  await assertNoLeaks(async () => {
    using device = open(scratch, "frames0");
    assertStrictEquals(device.name, "frames0");
    assertMatch(await scratch.ip("tuntap show"), /^frames0: tap/m);
    assertMatch(
      await scratch.ip("-d link show frames0"),
      /mtu 1500.* state DOWN[^]*pi off vnet_hdr off persist off/,
    );
    using netns = openNetns(scratch.name);
    assert(withNetns(netns, () => interfaceIndex("frames0"))! > 1);
    assertStrictEquals(interfaceIndex("frames0"), undefined, "not in the namespace of this test");
    device.close();
    assertStrictEquals(exists(scratch, "frames0"), false);
  });
});

Deno.test("TapDevice.open() completes a name template, and accepts any name that the kernel accepts", async () => {
  await using scratch = await quiet();
  await assertNoLeaks(() => {
    using first = open(scratch, "l2tpeth%d");
    using second = open(scratch, "l2tpeth%d", { exclusive: true });
    using nameless = open(scratch, "");
    using longest = open(scratch, "abcdefghijklmno");
    using unicode = open(scratch, "é");
    assertEquals(
      [first.name, second.name, nameless.name, longest.name, unicode.name],
      ["l2tpeth0", "l2tpeth1", "tap0", "abcdefghijklmno", "é"],
    );
    for (const name of [".", "..", "a b", "a/b", "a:b", "%", "x%s", "x%d%d", "all", "default"]) {
      assertStrictEquals(refusal(() => open(scratch, name)), "EINVAL", name);
    }
    assertThrows(() => open(scratch, "abcdefghijklmnop"), RangeError);
  });
});

Deno.test("TapDevice.open(): the kernel's errors for an existing name", async () => {
  await using scratch = await quiet();
  await scratch.ip("link add bridge0 type bridge");
  await scratch.ip("tuntap add dev tun0 mode tun");
  await scratch.ip("tuntap add dev queues0 mode tap multi_queue");
  await scratch.ip("tuntap add dev kept0 mode tap");
  await assertNoLeaks(() => {
    using held = open(scratch, "held0");
    const attach = (name: string): string => refusal(() => open(scratch, name));
    const exclusive = (name: string): string => refusal(() => open(scratch, name, { exclusive: true }));
    for (const name of [held.name, "kept0", "bridge0", "tun0", "queues0", "lo"]) {
      assertStrictEquals(exclusive(name), "EBUSY", name);
    }
    for (const name of ["bridge0", "tun0", "queues0", "lo"]) assertStrictEquals(attach(name), "EINVAL", name);
    assertStrictEquals(attach(held.name), "EBUSY");
    assertStrictEquals(attach("kept0"), "kept0");
  });
});

Deno.test("TapDevice.setPersist(): the device outlives its descriptor and can be attached again", async () => {
  await using scratch = await quiet();
  await assertNoLeaks(async () => {
    {
      using device = open(scratch, "kept0");
      device.setPersist(true);
    }
    assertStrictEquals(exists(scratch, "kept0"), true);
    const index = await scratch.ip("-br link show kept0");
    {
      using again = open(scratch, "kept0");
      assertStrictEquals(
        await scratch.ip("-br link show kept0").then((now) => now.split(/\s+/)[2]),
        index.split(/\s+/)[2],
      );
      again.setPersist(false);
      assertStrictEquals(exists(scratch, "kept0"), true);
    }
    assertStrictEquals(exists(scratch, "kept0"), false);
  });
});

Deno.test("TUNSETCARRIER turns the carrier of a TapDevice off and on", async () => {
  await using scratch = await quiet();
  using device = open(scratch, "frames0");
  await scratch.ip("link set frames0 up");
  assertMatch(await scratch.ip("link show frames0"), /LOWER_UP/);
  setCarrier(device, false);
  assertMatch(await scratch.ip("link show frames0"), /NO-CARRIER/);
  setCarrier(device, true);
  assertMatch(await scratch.ip("link show frames0"), /LOWER_UP/);
});

const OUR_MAC = [2, 0, 0, 0, 0, 2];

/** An ARP request for 10.9.9.1 from 10.9.9.2. */
const WHO_HAS = Uint8Array.of(
  ...[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...OUR_MAC, 0x08, 0x06],
  ...[0, 1, 0x08, 0, 6, 4, 0, 1, ...OUR_MAC, 10, 9, 9, 2, 0, 0, 0, 0, 0, 0, 10, 9, 9, 1],
);

/** The Internet checksum of the bytes. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += bytes[i]! << (i % 2 === 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An Echo-Request from 10.9.9.2 to 10.9.9.1 in Ethernet. */
function echoRequest(to: Uint8Array, data: Uint8Array): Uint8Array {
  const frame = new Uint8Array(14 + 20 + 8 + data.length);
  const view = new DataView(frame.buffer);
  frame.set([...to, ...OUR_MAC, 0x08, 0x00, 0x45, 0]);
  view.setUint16(16, frame.length - 14);
  frame.set([0x40, 0, 64, 1, 0, 0, 10, 9, 9, 2, 10, 9, 9, 1], 20);
  view.setUint16(24, checksum(frame.subarray(14, 34)));
  frame.set([8, 0, 0, 0, 0x12, 0x34, 0, 1], 34);
  frame.set(data, 42);
  view.setUint16(36, checksum(frame.subarray(34)));
  return frame;
}

Deno.test("frames: a host behind the device answers ARP and echo requests, byte for byte", async () => {
  await using scratch = await quiet();
  await assertNoLeaks(async () => {
    using device = open(scratch, "frames0");
    await scratch.ip("addr add 10.9.9.1/24 dev frames0");
    await scratch.ip("link set frames0 up");
    const arena = new PacketArena({ slots: 4, slotSize: 1514, headroom: 20 });
    const exchange = async (frame: Uint8Array): Promise<Uint8Array> => {
      const at = arena.start(3) - 5;
      arena.bytes.set(frame, at);
      assertStrictEquals(arena.writeFrame(device.number, at, frame.length), frame.length);
      let length = -1;
      await until(() => (length = arena.readFrame(device.number, 1)) >= 0, "an answer");
      return arena.bytes.slice(arena.start(1), arena.start(1) + length);
    };
    const reply = await exchange(WHO_HAS);
    const mac = reply.subarray(6, 12);
    assertDeepStrictEquals([...reply.subarray(0, 6)], OUR_MAC);
    assertDeepStrictEquals([...reply.subarray(12, 22)], [0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 2]);
    assertEquals(reply.subarray(22, 28), mac);
    const data = Uint8Array.from({ length: 1400 }, (_, i) => i);
    const echo = await exchange(echoRequest(mac, data));
    assertStrictEquals(echo.length, 1442);
    assertStrictEquals(echo[34], 0, "ICMP_ECHOREPLY");
    assertEquals(echo.subarray(42), data);
    assert(
      arena.bytes.subarray(arena.start(1) - 20, arena.start(1)).every((byte) => byte === 0),
      "headroom",
    );
    assertStrictEquals(arena.readFrame(device.number, 0), -1);
    assertStrictEquals(lastErrno(), Errno.EAGAIN);
  });
});

Deno.test("frames: truncated, refused and lost by the kernel", async () => {
  await using scratch = await quiet();
  await assertNoLeaks(async () => {
    using device = open(scratch, "frames0");
    const arena = new PacketArena({ slots: 2, slotSize: 100 });
    const errnoOf = (result: number): string => result < 0 ? errnoName(lastErrno()) : String(result);
    const fd = device.number;
    assertStrictEquals(errnoOf(arena.readFrame(fd, 0)), "EAGAIN", "down");
    assertStrictEquals(errnoOf(arena.writeFrame(fd, 0, 60)), "EIO", "down");
    await scratch.ip("addr add 10.9.9.1/24 dev frames0");
    await scratch.ip("link set frames0 up");
    assertStrictEquals(errnoOf(arena.writeFrame(fd, 0, 13)), "EINVAL", "shorter than an Ethernet header");
    assertStrictEquals(errnoOf(arena.writeFrame(fd, 0, 14)), "14");
    assertThrows(() => arena.writeFrame(fd, arena.bytes.length - 10, 11), RangeError);
    assertThrows(() => arena.writeFrame(fd, -1, 11), RangeError);
    assertThrows(() => arena.writeFrame(fd, Number.NaN, 11), RangeError);
    arena.bytes.set(WHO_HAS, 0);
    const tiny = new PacketArena({ slots: 1, slotSize: 20 });
    arena.writeFrame(fd, 0, WHO_HAS.length);
    let length = -1;
    await until(() => (length = tiny.readFrame(fd, 0)) >= 0, "an answer");
    assertStrictEquals(length, 20, "cut to the slot");
    assertStrictEquals(errnoOf(tiny.readFrame(fd, 0)), "EAGAIN", "the rest is gone");
  });
});

Deno.test("a device that is deleted under its descriptor ends waits and fails every call", async () => {
  await using scratch = await quiet();
  await assertNoLeaks(async () => {
    using device = open(scratch, "frames0");
    await scratch.ip("link set frames0 up");
    using epoll = Epoll.open();
    epoll.add(device.number, EPOLLIN, 7);
    assertStrictEquals(epoll.wait(0), 0);
    await scratch.ip("link set frames0 name other0");
    assertStrictEquals(device.name, "frames0", "the name when it was opened");
    const waiting = epoll.waitInBackground(5000);
    await scratch.ip("link delete other0");
    assertStrictEquals(await waiting, 1);
    assertStrictEquals(epoll.tag(0), 7);
    assert(epoll.events(0) & EPOLLERR, "EPOLLERR");
    const arena = new PacketArena({ slots: 1, slotSize: 100 });
    assertStrictEquals(arena.readFrame(device.number, 0), -1);
    assertStrictEquals(errnoName(lastErrno()), "EBADFD");
    assertStrictEquals(arena.writeFrame(device.number, 0, 60), -1);
    assertStrictEquals(errnoName(lastErrno()), "EBADFD");
    assertFields(assertThrows(() => device.setPersist(true)), { name: "SyscallError", code: "EBADFD" });
  });
});

/** Opens a TUN device in the namespace. */
function openTun(namespace: Namespace, name: string, options?: TunTapOptions): TunDevice {
  using netns = openNetns(namespace.name);
  return withNetns(netns, () => TunDevice.open(name, options));
}

Deno.test("TunDevice.open() creates a point-to-point device for IP packets, named by a template", async () => {
  await using scratch = await quiet();
  await assertNoLeaks(async () => {
    using device = openTun(scratch, "ppp%d");
    using second = openTun(scratch, "ppp%d", { exclusive: true, vnetHeader: true });
    using nameless = openTun(scratch, "");
    assertEquals([device.name, second.name, nameless.name], ["ppp0", "ppp1", "tun0"]);
    assertEquals([device.hasVnetHeader, second.hasVnetHeader], [false, true]);
    assertMatch(await scratch.ip("link show ppp0"), /<POINTOPOINT,MULTICAST,NOARP>[^]*link\/none/);
    assertMatch(await scratch.ip("-d link show ppp0"), /tun type tun pi off vnet_hdr off persist off/);
    assertMatch(await scratch.ip("-d link show ppp1"), /tun type tun pi off vnet_hdr on persist off/);
    using tap = open(scratch, "frames0");
    assertStrictEquals(refusal(() => openTun(scratch, "frames0")), "EINVAL", "of the other kind");
    assertStrictEquals(refusal(() => openTun(scratch, tap.name, { exclusive: true })), "EBUSY");
    device.close();
    assertStrictEquals(exists(scratch, "ppp0"), false);
  });
});

Deno.test("TunDevice: IP packets pass unchanged; other data is refused", async () => {
  await using scratch = await quiet();
  await assertNoLeaks(async () => {
    using device = openTun(scratch, "ppp0");
    await scratch.ip("addr add 10.9.9.1 peer 10.9.9.2 dev ppp0");
    await scratch.ip("link set ppp0 up");
    const arena = new PacketArena({ slots: 2, slotSize: 1500 });
    const request = echoRequest(new Uint8Array(6), Uint8Array.of(1, 2, 3)).subarray(14);
    arena.bytes.set(request);
    assertStrictEquals(arena.writeFrame(device.number, 0, request.length), request.length);
    let length = -1;
    await until(() => (length = arena.readFrame(device.number, 1)) >= 0, "an answer");
    const reply = arena.bytes.slice(arena.start(1), arena.start(1) + length);
    assertStrictEquals(reply.length, request.length);
    assertDeepStrictEquals([...reply.subarray(12, 22)], [10, 9, 9, 1, 10, 9, 9, 2, 0, 0]);
    assertEquals(reply.subarray(28), request.subarray(28));
    for (const first of [0x05, 0x55, 0x75]) {
      arena.bytes[0] = first;
      assertStrictEquals(arena.writeFrame(device.number, 0, request.length), -1);
      assertStrictEquals(errnoName(lastErrno()), "EINVAL");
    }
  });
});
