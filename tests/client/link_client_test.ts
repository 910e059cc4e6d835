/** `src/client/link_client.ts` against interfaces in memory. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Errno } from "../../src/base/errno.ts";
import { formatHex } from "../../src/base/hex.ts";
import { LinkClient } from "../../src/client/link_client.ts";
import { NetlinkConnection } from "../../src/driver/netlink/connection.ts";
import {
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
} from "../../src/wire/netlink/constants.ts";
import { ack, dump, FakeTransport, reply } from "../support/fake_kernel.ts";
import { encodeLink, FakeLinks } from "../support/fake_links.ts";
import { goldenPayload, hexBytes } from "../support/golden.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

function open(): { client: LinkClient; links: FakeLinks; transport: FakeTransport } {
  const links = new FakeLinks();
  const transport = new FakeTransport(links.handle);
  return { client: new LinkClient(new NetlinkConnection(transport)), links, transport };
}

Deno.test("LinkClient.link() finds an interface by the name it has now, and undefined is for none", () => {
  const { client, links } = open();
  const pw0 = links.add("pw0", { mtu: 1446, master: 7, state: "down" });
  assertDeepStrictEquals(client.link("pw0"), pw0);
  assertStrictEquals(client.link("lo")!.index, 1);
  assertStrictEquals(client.link("pw1"), undefined);
});

Deno.test("LinkClient.link() throws other refusals, with extended acknowledgement", () => {
  const { client, links } = open();
  links.refusal = () => ({ errno: Errno.ERANGE, extack: "Attribute failed policy validation", offset: 36 });
  assertFields(assertThrows(() => client.link("a name that is too long")), {
    name: "NetlinkError",
    operation: "RTM_GETLINK",
    errno: Errno.ERANGE,
    extack: "Attribute failed policy validation",
    attributeOffset: 36,
  });
});

Deno.test("LinkClient.link() passes over messages that are no link", () => {
  const link = { index: 4, name: "pw0", up: true, state: "up", mtu: 1400, master: undefined };
  const transport = new FakeTransport((request) => [
    reply(request, hexBytes("0218000004000000"), { type: 20 }),
    reply(request, encodeLink(link), { type: 16 }),
    ack(request),
  ]);
  assertDeepStrictEquals(new LinkClient(new NetlinkConnection(transport)).link("pw0"), link);
});

Deno.test("LinkClient.links() lists all interfaces", () => {
  const { client, links, transport } = open();
  const pw0 = links.add("pw0");
  assertDeepStrictEquals(client.links(), [links.byName("lo"), pw0]);
  assertDeepStrictEquals(transport.requests.map(({ type, flags }) => [type, flags]), [[
    18,
    NLM_F_REQUEST | NLM_F_DUMP,
  ]]);
});

Deno.test("LinkClient.links() lists 5,000 interfaces", () => {
  const payloads = Array.from(
    { length: 5000 },
    (_, i) =>
      encodeLink({ index: i, name: `pw${i}`, up: false, state: "down", mtu: 1500, master: undefined }),
  );
  const transport = new FakeTransport((request) => dump(request, payloads, { type: 16 }));
  const links = new LinkClient(new NetlinkConnection(transport)).links();
  assertStrictEquals(links.length, 5000);
  assertStrictEquals(links[4999]!.name, "pw4999");
});

Deno.test("LinkClient.changeLink() changes what is given and nothing else", () => {
  const { client, links } = open();
  const { index } = links.add("pw0");
  client.changeLink(index, { up: true });
  assertDeepStrictEquals(links.byName("pw0"), {
    ...links.byName("pw0")!,
    up: true,
    mtu: 1500,
    master: undefined,
  });
  client.changeLink(index, { mtu: 1400, master: 9 });
  client.changeLink(index, { master: 0 });
  client.changeLink(index, { up: false });
  assertEquals(links.steps, ["up", "mtu 1400", "master 9", "master 0", "down"]);
  const { up, mtu, master } = links.byName("pw0")!;
  assertEquals([up, mtu, master], [false, 1400, undefined]);
});

Deno.test("LinkClient.changeLink() moves an interface by the descriptor of a namespace", () => {
  const { client, links } = open();
  const other = new FakeLinks();
  links.namespaceOf = (fd) => (fd === 42 ? other : undefined);
  const { index } = links.add("pw0", { mtu: 1400 });
  assertFields(assertThrows(() => client.changeLink(index, { netnsFd: 41 })), { errno: Errno.EBADF });
  client.changeLink(index, { netnsFd: 42 });
  assertStrictEquals(links.byName("pw0"), undefined);
  assertStrictEquals(other.byName("pw0")!.mtu, 1400);
});

Deno.test("LinkClient.changeLink() throws the kernel's refusal", () => {
  const { client, links } = open();
  assertFields(assertThrows(() => client.changeLink(99, { up: true })), {
    operation: "RTM_NEWLINK",
    errno: Errno.ENODEV,
  });
  links.refusal = (
    step,
  ) => (step === "mtu 70000" ? { errno: Errno.EINVAL, extack: "mtu too large" } : undefined);
  assertFields(assertThrows(() => client.changeLink(1, { mtu: 70000 })), {
    errno: Errno.EINVAL,
    extack: "mtu too large",
  });
});

Deno.test("LinkClient.addAddress() and addresses(): both families, each address once", () => {
  const { client, links, transport } = open();
  const { index } = links.add("pw0");
  client.addAddress({ index, address: "10.0.0.1", prefixLength: 24 });
  client.addAddress({ index, address: "FD00::0:1", prefixLength: 64 });
  assertDeepStrictEquals(client.addresses(), [
    { index: 1, address: "127.0.0.1", prefixLength: 8 },
    { index, address: "10.0.0.1", prefixLength: 24 },
    { index, address: "fd00::1", prefixLength: 64 },
  ]);
  assertFields(assertThrows(() => client.addAddress({ index, address: "10.0.0.1", prefixLength: 24 })), {
    operation: "RTM_NEWADDR",
    errno: Errno.EEXIST,
  });
  // As `ip addr add`: an address that is there is not replaced in silence.
  assertStrictEquals(transport.requests[0]!.flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
});

Deno.test("LinkClient.addAddress() refuses what is no address before anything is sent", () => {
  const { client, transport } = open();
  for (const address of ["", "10.0.0", "10.0.0.1/24", "host"]) {
    assertThrows(
      () => client.addAddress({ index: 1, address, prefixLength: 24 }),
      RangeError,
      undefined,
      address,
    );
  }
  assertStrictEquals(transport.requests.length, 0);
});

Deno.test("LinkClient.deleteAddress() takes one address away, of either family, and no other", () => {
  const { client, links, transport } = open();
  const { index } = links.add("pw0");
  for (const address of ["10.0.0.1", "10.0.0.2", "fd00::1"]) {
    client.addAddress({ index, address, prefixLength: 24 });
  }
  client.deleteAddress({ index, address: "10.0.0.1", prefixLength: 24 });
  client.deleteAddress({ index, address: "fd00::1", prefixLength: 24 });
  assertDeepStrictEquals(client.addresses().filter((each) => each.index === index), [
    { index, address: "10.0.0.2", prefixLength: 24 },
  ]);
  assertFields(assertThrows(() => client.deleteAddress({ index, address: "10.0.0.1", prefixLength: 24 })), {
    operation: "RTM_DELADDR",
    errno: Errno.EADDRNOTAVAIL,
  });
  const sent = transport.requests.length;
  assertThrows(() => client.deleteAddress({ index, address: "host", prefixLength: 24 }), RangeError);
  assertStrictEquals(transport.requests.length, sent);
});

Deno.test("LinkClient.changeLink() gives an interface another name, and not one that is taken", () => {
  const { client, links } = open();
  const { index } = links.add("ppp0");
  links.add("eth0");
  client.changeLink(index, { name: "dial0" });
  assertStrictEquals(client.link("dial0")!.index, index);
  assertStrictEquals(client.link("ppp0"), undefined);
  assertFields(assertThrows(() => client.changeLink(index, { name: "eth0" })), { errno: Errno.EEXIST });
});

Deno.test("LinkClient: an address with that of the other end, of either family, there and away again", () => {
  const { client, links, transport } = open();
  const { index } = links.add("ppp0");
  const four = { index, address: "10.1.0.1", prefixLength: 32, peer: "10.1.0.2" };
  const six = { index, address: "fd00::1", prefixLength: 128, peer: "fd00::2" };
  client.addAddress(four);
  client.addAddress(six);
  assertDeepStrictEquals(client.addresses().filter((each) => each.index === index), [four, six]);
  assertFields(assertThrows(() => client.deleteAddress({ index, address: "10.1.0.1", prefixLength: 32 })), {
    errno: Errno.EADDRNOTAVAIL,
  });
  client.deleteAddress(four);
  client.deleteAddress(six);
  assertEquals(client.addresses().filter((each) => each.index === index), []);
  const sent = transport.requests.length;
  for (const peer of ["", "host", "fd00::2"]) {
    assertThrows(() => client.addAddress({ ...four, peer }), RangeError, undefined, peer);
    assertThrows(() => client.deleteAddress({ ...four, peer }), RangeError, undefined, peer);
  }
  assertStrictEquals(transport.requests.length, sent);
});

Deno.test("LinkClient.addRoute() and deleteRoute(): each as asked, a new one only where there is none", () => {
  const { client, links, transport } = open();
  const route = { index: 5, destination: "0.0.0.0", prefixLength: 0 };
  const asked = formatHex(goldenPayload("rtnl/route_add_ipv4_default_request"));
  client.addRoute(route);
  client.deleteRoute(route);
  assertEquals(links.steps, [`route ${asked}`, `no route ${asked}`]);
  assertDeepStrictEquals(transport.requests.map(({ flags }) => flags), [
    NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    NLM_F_REQUEST | NLM_F_ACK,
  ]);
  links.refusal = () => ({ errno: Errno.EEXIST });
  assertFields(assertThrows(() => client.addRoute(route)), {
    operation: "RTM_NEWROUTE",
    errno: Errno.EEXIST,
  });
  assertFields(assertThrows(() => client.deleteRoute(route)), {
    operation: "RTM_DELROUTE",
    errno: Errno.EEXIST,
  });
  for (const destination of ["", "default", "10.0.0.0/8"]) {
    assertThrows(() => client.addRoute({ ...route, destination }), RangeError, undefined, destination);
    assertThrows(() => client.deleteRoute({ ...route, destination }), RangeError, undefined, destination);
  }
  assertStrictEquals(transport.requests.length, 4);
});

Deno.test("LinkClient closes its connection", () => {
  const { client, transport } = open();
  client[Symbol.dispose]();
  assertStrictEquals(transport.disposals, 1);
});
