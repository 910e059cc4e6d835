/**
 * `src/driver/netlink/socket.ts` and `notifications.ts` on the running kernel, by rtnetlink, which every Linux has,
 * through `LinkClient`, in a namespace of the test.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { bindLibc } from "../../../ffi/libc.ts";
import { AF_NETLINK, decodeInet, encodeNetlink } from "../../../ffi/sockets/sockaddr.ts";
import { MSG_DONTWAIT, SOCK_RAW, Socket } from "../../../ffi/sockets/socket.ts";
import { Errno } from "../../../src/base/errno.ts";
import { FamilyMissingError, SyscallError } from "../../../src/base/errors.ts";
import { L2tpClient } from "../../../src/client/l2tp_client.ts";
import { L2tpEvents } from "../../../src/client/l2tp_events.ts";
import { LinkClient } from "../../../src/client/link_client.ts";
import { inNamespace, withNamespaceFd } from "../../../src/driver/system/namespace.ts";
import { NetlinkConnection } from "../../../src/driver/netlink/connection.ts";
import { NetlinkNotifications } from "../../../src/driver/netlink/notifications.ts";
import { openNetworkChanges } from "../../../src/driver/netlink/network_changes.ts";
import { DatagramReader, NetlinkSocket } from "../../../src/driver/netlink/socket.ts";
import { openTunnelSocket } from "../../../src/driver/tunnel_socket/open.ts";
import {
  decodeLink,
  encodeGetLink,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
} from "../../../src/wire/rtnl/link.ts";
import { NLM_F_REQUEST, NLMSG_ERROR } from "../../../src/wire/netlink/constants.ts";
import { decodeError, decodeMessages, encodeMessage } from "../../../src/wire/netlink/message.ts";
import { assertNoLeaks } from "../../support/descriptors.ts";
import { Namespace } from "../../support/namespaces.ts";
import { runProgram } from "../../support/processes.ts";
import { EMULATED } from "../../ffi/emulated.ts";
import { assertDeepStrictEquals, assertFields } from "../../support/assertions.ts";

bindLibc();

const GET_LO = { operation: "RTM_GETLINK", type: RTM_GETLINK, payload: encodeGetLink("lo") };

const NETLINK_ROUTE = 0;
const RTNLGRP_LINK = 1;
const RTM_NEWROUTE = 24;

Deno.test("LinkClient.open(): the loopback interface of this machine", async () => {
  await assertNoLeaks(() => {
    using links = LinkClient.open();
    const lo = links.link("lo")!;
    assertEquals([lo.index, lo.name, lo.mtu, lo.master], [1, "lo", 65536, undefined]);
    assert(links.links().some(({ name }) => name === "lo"));
    assertStrictEquals(links.link("no-such-link"), undefined);
  });
});

Deno.test("LinkClient in a namespace: everything it can change, as `ip` sees it afterwards", async () => {
  await using scratch = await Namespace.create("l2tp-ffi");
  await using other = await Namespace.create("l2tp-ffi");
  await scratch.ip("link add v0 type veth peer name v1");
  await scratch.ip("link add br0 type bridge");
  await assertNoLeaks(async () => {
    // A socket stays in the namespace in which it was opened.
    using links = inNamespace(scratch.name, LinkClient.open);
    const [v0, br0] = [links.link("v0")!.index, links.link("br0")!.index];
    links.changeLink(v0, { mtu: 1400, master: br0, up: true });
    assertMatch(await scratch.ip("link show v0"), /<[^>]*\bUP\b[^>]*> mtu 1400 .*master br0/);
    const { up, mtu, master } = links.link("v0")!;
    assertDeepStrictEquals([up, mtu, master], [true, 1400, br0]);
    links.addAddress({ index: v0, address: "10.0.0.1", prefixLength: 24 });
    links.addAddress({ index: v0, address: "fd00::1", prefixLength: 64 });
    assertMatch(await scratch.ip("addr show v0"), /inet 10\.0\.0\.1\/24[^]*inet6 fd00::1\/64/);
    const mine = links.addresses().filter(({ index, address }) =>
      index === v0 && !address.startsWith("fe80")
    );
    assertDeepStrictEquals(mine, [
      { index: v0, address: "10.0.0.1", prefixLength: 24 },
      { index: v0, address: "fd00::1", prefixLength: 64 },
    ]);
    links.changeLink(v0, { master: 0, up: false });
    assertStrictEquals(links.link("v0")!.master, undefined);
    withNamespaceFd(other.name, (netnsFd) => links.changeLink(links.link("v1")!.index, { netnsFd }));
    assertStrictEquals(links.link("v1"), undefined);
    assertMatch(await other.ip("link show v1"), /v1@/);
  });
});

Deno.test("LinkClient in a namespace: both ends' addresses, routes and another name, as `ip` sees them", async () => {
  await using scratch = await Namespace.create("l2tp-ffi");
  await scratch.ip("link add v0 type veth peer name v1");
  await scratch.ip("link set v1 up");
  await assertNoLeaks(async () => {
    using links = inNamespace(scratch.name, LinkClient.open);
    const { index } = links.link("v0")!;
    links.changeLink(index, { name: "dial0" });
    links.changeLink(index, { up: true });
    const addresses = [
      { index, address: "10.1.0.1", prefixLength: 32, peer: "10.1.0.2" },
      { index, address: "fd00::1", prefixLength: 128, peer: "fd00::2" },
      { index, address: "fe80::1:2:3:4", prefixLength: 64 },
    ];
    for (const address of addresses) links.addAddress(address);
    assertMatch(
      await scratch.ip("addr show dial0"),
      /inet 10\.1\.0\.1 peer 10\.1\.0\.2\/32 [^]*inet6 fd00::1 peer fd00::2\/128 /,
    );
    const there = links.addresses().filter((each) => each.index === index);
    for (const address of addresses) {
      assertDeepStrictEquals(there.find((each) => each.address === address.address), address);
    }
    const routes = [
      { index, destination: "0.0.0.0", prefixLength: 0 },
      { index, destination: "10.9.0.0", prefixLength: 16, metric: 7 },
      { index, destination: "::", prefixLength: 0, metric: 77 },
      { index, destination: "fd09::", prefixLength: 32 },
    ];
    for (const route of routes) links.addRoute(route);
    assertFields(assertThrows(() => links.addRoute(routes[0]!)), {
      errno: Errno.EEXIST,
      operation: "RTM_NEWROUTE",
    });
    const four = await scratch.ip("-4 route show");
    assertMatch(four, /^default dev dial0 scope link *$/m);
    assertMatch(four, /^10\.9\.0\.0\/16 dev dial0 scope link metric 7 *$/m);
    const six = await scratch.ip("-6 route show");
    assertMatch(six, /^default dev dial0 metric 77 /m);
    assertMatch(six, /^fd09::\/32 dev dial0 metric 1024 /m);
    // A destination with host bits behind its prefix.
    assertFields(assertThrows(() => links.addRoute({ index, destination: "10.8.0.1", prefixLength: 16 })), {
      errno: Errno.EINVAL,
    });
    for (const route of routes) links.deleteRoute(route);
    for (const address of addresses) links.deleteAddress(address);
    assertFields(assertThrows(() => links.deleteRoute(routes[0]!)), {
      errno: Errno.ESRCH,
      operation: "RTM_DELROUTE",
    });
    const left = `${await scratch.ip("-4 route show")}${await scratch.ip("-6 route show")}`;
    assertNotMatch(left, /default|10\.9|fd09/);
    assertNotMatch(await scratch.ip("addr show dial0"), /10\.1\.0\.1|fd00::1|fe80::1:2/);
  });
});

Deno.test("LinkClient: errors of the real kernel, with its extended acknowledgement", async () => {
  await using scratch = await Namespace.create("l2tp-ffi");
  await scratch.ip("link add v0 type veth peer name v1");
  await assertNoLeaks(() => {
    using links = inNamespace(scratch.name, LinkClient.open);
    const { index } = links.link("v0")!;
    assertFields(assertThrows(() => links.changeLink(999_999, { up: true })), {
      errno: Errno.ENODEV,
      operation: "RTM_NEWLINK",
    });
    // veth gives the reason in its extended acknowledgement.
    assertFields(assertThrows(() => links.changeLink(index, { mtu: 70_000 })), {
      errno: Errno.EINVAL,
      extack: /mtu/,
    });
    links.addAddress({ index, address: "10.0.0.1", prefixLength: 24 });
    assertFields(assertThrows(() => links.addAddress({ index, address: "10.0.0.1", prefixLength: 24 })), {
      errno: Errno.EEXIST,
      operation: "RTM_NEWADDR",
    });
    // The offset of the attribute in the request.
    const error = assertThrows(() => links.link("a-name-far-too-long"));
    assert(error instanceof Error && "extack" in error && "attributeOffset" in error);
    assertEquals([error.extack, error.attributeOffset], ["Attribute failed policy validation", 32]);
    // The client still works afterwards.
    assertStrictEquals(links.link("v0")!.index, index);
  });
});

Deno.test("LinkClient.links() of 600 interfaces: a dump in many datagrams, complete", async () => {
  await using scratch = await Namespace.create("l2tp-ffi");
  const lines = Array.from({ length: 300 }, (_, i) => `link add d${i} type veth peer name e${i}`).join("\n");
  const made = await runProgram(["ip", "-n", scratch.name, "-batch", "-"], { stdin: lines });
  assertStrictEquals(made.code, 0, made.stderr);
  await assertNoLeaks(() => {
    using links = inNamespace(scratch.name, LinkClient.open);
    for (let round = 0; round < 3; round++) {
      const names = new Set(links.links().map(({ name }) => name));
      assertStrictEquals(names.size, 601);
      assert(names.has("d0") && names.has("e299") && names.has("lo"));
    }
  });
});

Deno.test("NetlinkSocket: each socket has a port id of its own; a netlink protocol that does not exist", async () => {
  await assertNoLeaks(() => {
    using a = NetlinkSocket.open(NETLINK_ROUTE);
    using b = NetlinkSocket.open(NETLINK_ROUTE);
    for (const socket of [a, b]) new NetlinkConnection(socket).request(GET_LO, () => {});
    assert(a.portId !== 0 && b.portId !== 0 && a.portId !== b.portId);
    assertFields(assertThrows(() => NetlinkSocket.open(31)), {
      name: "SyscallError",
      errno: Errno.EPROTONOSUPPORT,
    });
  });
});

Deno.test("NetlinkSocket.receive() accepts datagrams of the kernel only", async () => {
  await assertNoLeaks(() => {
    using transport = NetlinkSocket.open(NETLINK_ROUTE);
    using other = Socket.open(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    other.bind(encodeNetlink(0));
    const connection = new NetlinkConnection(transport);
    connection.request(GET_LO);
    // Another process may send to this port id; on a busy machine one will.
    other.send(new Uint8Array(20), encodeNetlink(transport.portId));
    let name = "";
    connection.request(GET_LO, (reply) => {
      name = decodeLink(reply.payload).name;
    });
    assertStrictEquals(name, "lo");
  });
});

// qemu-user passes on only the rtnetlink messages that it can translate (EOPNOTSUPP).
Deno.test("DatagramReader reads a datagram that is longer than its buffer at first, and then shorter ones", {
  ignore: EMULATED,
}, async () => {
  await assertNoLeaks(() => {
    using socket = Socket.open(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    socket.bind(encodeNetlink(0));
    const reader = new DatagramReader(socket);
    // Without NETLINK_CAP_ACK, the kernel returns the whole refused request.
    for (const length of [100_000, 40_000, 0, 120_001]) {
      const payload = Uint8Array.from({ length }, (_, i) => i * 7);
      const request = encodeMessage({
        type: 0x7fff,
        flags: NLM_F_REQUEST,
        sequence: length,
        portId: 0,
        payload,
      });
      socket.send(request, encodeNetlink(0));
      const [answer] = decodeMessages(reader.read(0)!);
      assertDeepStrictEquals([answer!.type, answer!.sequence], [NLMSG_ERROR, length]);
      assertStrictEquals(decodeError(answer!).errno, Errno.EOPNOTSUPP);
      assertEquals(answer!.payload.subarray(20, 20 + length), payload);
    }
    assertStrictEquals(reader.read(MSG_DONTWAIT), undefined);
  });
});

Deno.test("NetlinkSocket.sendInBackground() reaches the kernel, and failures are thrown as errors", async () => {
  await assertNoLeaks(async () => {
    const transport = NetlinkSocket.open(NETLINK_ROUTE);
    const connection = new NetlinkConnection(transport);
    const request = { operation: "RTM_GETLINK", type: RTM_GETLINK, payload: encodeGetLink("lo") };
    const missing = { ...request, payload: encodeGetLink("no-such-link") };
    const outcomes = await connection.requestAll([request, missing, request]);
    assertEquals(outcomes.map((outcome) => outcome?.code), [undefined, "ENODEV", undefined]);
    // More than a socket's send buffer holds.
    const huge = new Uint8Array(64 * 1024 * 1024);
    assertFields(await assertRejects(() => transport.sendInBackground(huge)), {
      name: "SyscallError",
      errno: Errno.EMSGSIZE,
    });
    connection[Symbol.dispose]();
  });
});

Deno.test("NetlinkNotifications: events of interfaces, in order, until it is closed", async () => {
  await using scratch = await Namespace.create("l2tp-ffi");
  await assertNoLeaks(async () => {
    const source = inNamespace(scratch.name, () => NetlinkNotifications.open(NETLINK_ROUTE, RTNLGRP_LINK));
    let next = source.next();
    await scratch.ip("link add n0 type bridge");
    const names: string[] = [];
    while (!names.includes("n0")) {
      const datagram = await next;
      assert(datagram instanceof Uint8Array);
      for (const { type, payload } of decodeMessages(datagram)) {
        if (type === 16) names.push(decodeLink(payload).name);
      }
      if (!names.includes("n0")) next = source.next();
    }
    const pending = source.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    source.close();
    // A pending next() closes the descriptors; nothing else is called here.
    assertStrictEquals(await pending, undefined);
  });
});

Deno.test("NetlinkNotifications.close() twice, and next() after it", async () => {
  await assertNoLeaks(async () => {
    const source = NetlinkNotifications.open(NETLINK_ROUTE, RTNLGRP_LINK);
    const pending = source.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    source.close();
    source.close();
    assertStrictEquals(await pending, undefined);
    assertStrictEquals(await source.next(), undefined);
    source.close();
  });
});

Deno.test("NetlinkNotifications.close() without a pending next()", async () => {
  await assertNoLeaks(async () => {
    const source = NetlinkNotifications.open(NETLINK_ROUTE, RTNLGRP_LINK);
    source[Symbol.dispose]();
    assertStrictEquals(await source.next(), undefined);
  });
});

Deno.test("NetlinkNotifications: a full buffer is reported as an overrun, and reading continues", async () => {
  await using scratch = await Namespace.create("l2tp-ffi");
  await assertNoLeaks(async () => {
    const source = inNamespace(
      scratch.name,
      () => NetlinkNotifications.open(NETLINK_ROUTE, RTNLGRP_LINK, { receiveBufferBytes: 4096 }),
    );
    const lines = Array.from({ length: 50 }, (_, i) => `link add n${i} type bridge`).join("\n");
    const made = await runProgram(["ip", "-n", scratch.name, "-batch", "-"], { stdin: lines });
    assertStrictEquals(made.code, 0, made.stderr);
    let losses = 0;
    let datagrams = 0;
    while (losses === 0) {
      if (await source.next() === "overrun") losses++;
      else datagrams++;
      assert(datagrams < 200, "the loss is told");
    }
    const next = source.next();
    await scratch.ip("link add last type bridge");
    assert((await next) instanceof Uint8Array);
    source.close();
  });
});

Deno.test("openTunnelSocket(): UDP sockets are bound, connected and have the checksum options", async () => {
  await assertNoLeaks(() => {
    const ends = { tunnelId: 1, peerTunnelId: 2, encap: "udp" as const, peerPort: 1701 };
    using four = openTunnelSocket({ ...ends, local: "127.0.0.1", peer: "127.0.0.2" });
    assertStrictEquals(decodeInet(four.peerName()).port, 1701);
    assertDeepStrictEquals([...decodeInet(four.peerName()).address], [127, 0, 0, 2]);
    assertStrictEquals(
      four.option(1, 11),
      1,
      "SO_NO_CHECK: off unless udp_csum is on, as the kernel's own sockets",
    );
    using summed = openTunnelSocket({ ...ends, local: "127.0.0.1", peer: "127.0.0.2", udpChecksum: true });
    assertStrictEquals(summed.option(1, 11), 0);
    using six = openTunnelSocket({ ...ends, local: "::1", peer: "::1", checksumTx: false });
    assertDeepStrictEquals([six.option(17, 101), six.option(17, 102)], [1, 0]);
    using none = openTunnelSocket({ ...ends, local: "::1", peer: "::1", checksumRx: false });
    assertDeepStrictEquals([none.option(17, 101), none.option(17, 102)], [0, 1]);
  });
});

Deno.test("openTunnelSocket(): link-local addresses in their scope; invalid scopes, addresses and ports", async () => {
  await using scratch = await Namespace.create("l2tp-ffi");
  await scratch.ip("link add v0 type veth peer name v1");
  await scratch.ip("addr add fe80::1/64 dev v0 nodad");
  await scratch.ip("link set v0 up");
  await scratch.ip("link set v1 up");
  await assertNoLeaks(() =>
    inNamespace(scratch.name, () => {
      const tunnel = {
        tunnelId: 1,
        peerTunnelId: 2,
        encap: "udp" as const,
        local: "fe80::1",
        peer: "fe80::2",
        localPort: 5000,
        peerPort: 1,
      };
      using socket = openTunnelSocket(tunnel, { scope: "v0" });
      assertStrictEquals(decodeInet(socket.localName()).port, 5000);
      assertNotStrictEquals(decodeInet(socket.peerName()).scopeId, 0);
      assertFields(assertThrows(() => openTunnelSocket(tunnel, { scope: "v0" })), {
        errno: Errno.EADDRINUSE,
      });
      const error = assertThrows(() => openTunnelSocket(tunnel, { scope: "v9" }), SyscallError);
      assertEquals([error.call, error.code], ['if_nametoindex("v9")', "ENODEV"]);
      assertFields(assertThrows(() => openTunnelSocket({ ...tunnel, localPort: 5001 })), {
        errno: Errno.EINVAL,
      });
      assertThrows(() => openTunnelSocket({ ...tunnel, peer: undefined }), RangeError);
      assertFields(assertThrows(() => openTunnelSocket({ ...tunnel, local: "fe80::9" }, { scope: "v0" })), {
        errno: Errno.EADDRNOTAVAIL,
      });
    })
  );
});

// qemu-user does not know generic netlink (EPROTONOSUPPORT).
Deno.test(
  "L2tpClient.open() and L2tpEvents.open() find the family or say that there is none, and leave nothing open",
  {
    ignore: EMULATED,
  },
  async () => {
    for (const open of [() => L2tpClient.open(), () => L2tpEvents.open({ receiveBufferBytes: 8192 })]) {
      await assertNoLeaks(() => {
        try {
          open()[Symbol.dispose]();
        } catch (error) {
          assert(error instanceof FamilyMissingError, String(error));
          assertStrictEquals(error.family, "l2tp");
        }
      });
    }
  },
);

Deno.test("openNetworkChanges(): notifications of addresses, routes and links, of one namespace", async () => {
  await using scratch = await Namespace.create("changes");
  const source = inNamespace(scratch.name, openNetworkChanges);
  const heard = async (): Promise<Set<number>> => {
    const types = new Set<number>();
    await scratch.ip("link add one type veth peer name two");
    await scratch.ip("link set two up");
    await scratch.ip("link set one up");
    await scratch.ip("addr add 10.77.0.1/24 dev one");
    await scratch.ip("route add 10.78.0.0/24 via 10.77.0.2");
    await scratch.ip("addr add fd77::1/64 dev one nodad");
    await scratch.ip("-6 route add fd78::/64 dev one");
    for (let datagram; (datagram = await source.next()) !== undefined && datagram !== "overrun";) {
      for (const { type, payload } of decodeMessages(datagram)) {
        types.add(type);
        // The last route: rtm_family and rtm_dst_len of struct rtmsg.
        const isLast = type === RTM_NEWROUTE && payload[0] === 10 && payload[1] === 64 &&
          String(payload).includes("253,120");
        if (isLast) return types;
      }
    }
    return types;
  };
  const types = await heard();
  source.close();
  assertEquals(
    [...types].filter((type) => [RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE].includes(type)).sort((x, y) =>
      x - y
    ),
    [
      RTM_NEWLINK,
      RTM_NEWADDR,
      RTM_NEWROUTE,
    ],
  );
});
