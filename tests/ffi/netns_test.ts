/** `ffi/kernel/netns.ts`, `ffi/sockets/resolve.ts` and `src/driver/system/namespace.ts` as root on this machine. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { enterNetns, openNetns, withNetns } from "../../ffi/kernel/netns.ts";
import {
  interfaceIndex,
  ResolveError,
  resolveHost,
  resolveHostInBackground,
} from "../../ffi/sockets/resolve.ts";
import { AF_INET, AF_INET6 } from "../../src/base/inet.ts";
import { Errno } from "../../src/base/errno.ts";
import { formatIpAddress } from "../../src/base/ip_address.ts";
import { enterNamespace, inNamespace, withNamespaceFd } from "../../src/driver/system/namespace.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { Namespace } from "../support/namespaces.ts";
import { assertFields } from "../support/assertions.ts";

bindLibc();

/** The kernel's identifier of the calling thread's namespace. */
function present(): string {
  return Deno.readLinkSync("/proc/thread-self/ns/net");
}

Deno.test("withNetns() runs inside and returns, with the action's result", async () => {
  await using scratch = await Namespace.create("l2tp-ffi");
  await scratch.ip("link add inside type bridge");
  await assertNoLeaks(() => {
    const home = present();
    using namespace = openNetns(scratch.name);
    assertStrictEquals(interfaceIndex("inside"), undefined);
    const [index, there] = withNetns(namespace, () => [interfaceIndex("inside"), present()]);
    assert(typeof index === "number" && index > 1);
    assertNotStrictEquals(there, home);
    assertStrictEquals(present(), home);
    assertStrictEquals(interfaceIndex("inside"), undefined);
  });
});

Deno.test("withNetns() returns when the action throws", async () => {
  await using scratch = await Namespace.create("l2tp-ffi");
  await assertNoLeaks(() => {
    const home = present();
    using namespace = openNetns(scratch.name);
    assertFields(
      assertThrows(() =>
        withNetns(namespace, () => {
          throw new TypeError("inside");
        })
      ),
      { message: "inside" },
    );
    assertStrictEquals(present(), home);
  });
});

Deno.test("nested withNetns() returns step by step", async () => {
  await using outer = await Namespace.create("l2tp-ffi");
  await using inner = await Namespace.create("l2tp-ffi");
  await outer.ip("link add outer0 type bridge");
  await inner.ip("link add inner0 type bridge");
  using first = openNetns(outer.name);
  using second = openNetns(`/var/run/netns/${inner.name}`);
  const seen = withNetns(first, () => [
    interfaceIndex("outer0") !== undefined,
    withNetns(second, () => [interfaceIndex("inner0") !== undefined, interfaceIndex("outer0") !== undefined]),
    interfaceIndex("outer0") !== undefined,
  ]);
  assertEquals(seen, [true, [true, false], true]);
});

Deno.test("openNetns() and enterNetns() fail with the errno of a missing path or of another kind of file", async () => {
  await assertNoLeaks(() => {
    assertFields(assertThrows(() => openNetns("no-such-namespace")), {
      name: "SyscallError",
      call: 'open("/var/run/netns/no-such-namespace")',
      errno: Errno.ENOENT,
    });
    assertFields(assertThrows(() => inNamespace("no-such-namespace", () => 1)), { errno: Errno.ENOENT });
    using file = openNetns("/dev/null");
    assertFields(assertThrows(() => enterNetns(file)), { call: "setns", errno: Errno.EINVAL });
    // A namespace of another kind is refused.
    using mounts = openNetns("/proc/self/ns/mnt");
    assertFields(assertThrows(() => enterNetns(mounts)), { call: "setns", errno: Errno.EINVAL });
    assertFields(assertThrows(() => withNetns(file, () => 1)), { errno: Errno.EINVAL });
  });
});

Deno.test("inNamespace() and withNamespaceFd() open the namespace for the duration of the action", async () => {
  await using scratch = await Namespace.create("l2tp-ffi");
  await scratch.ip("link add inside type bridge");
  await assertNoLeaks(() => {
    assert(inNamespace(scratch.name, () => interfaceIndex("inside")) !== undefined);
    const link = withNamespaceFd(scratch.name, (fd) => Deno.readLinkSync(`/proc/self/fd/${fd}`));
    assertMatch(link, new RegExp(`netns/${scratch.name}$|^net:`));
    assertThrows(() =>
      withNamespaceFd(scratch.name, () => {
        throw new TypeError("inside");
      }), TypeError);
  });
});

Deno.test("enterNamespace() stays in the namespace, until the thread is moved again", async () => {
  await using scratch = await Namespace.create("l2tp-ffi");
  await scratch.ip("link add inside type bridge");
  // After the first call, a process keeps a descriptor of its original namespace.
  enterNamespace("/proc/thread-self/ns/net");
  await assertNoLeaks(() => {
    using home = openNetns("/proc/thread-self/ns/net");
    try {
      enterNamespace(scratch.name);
      assertNotStrictEquals(interfaceIndex("inside"), undefined);
      assertFields(assertThrows(() => enterNamespace("no-such-namespace")), { errno: Errno.ENOENT });
      assertNotStrictEquals(interfaceIndex("inside"), undefined);
    } finally {
      enterNetns(home);
    }
    assertStrictEquals(interfaceIndex("inside"), undefined);
  });
});

Deno.test("interfaceIndex(): the loopback interface is 1, a missing one undefined", () => {
  assertStrictEquals(interfaceIndex("lo"), 1);
  for (const name of ["no-such-link", "", "lo0", "a name far too long for any interface"]) {
    assertStrictEquals(interfaceIndex(name), undefined, name);
  }
});

Deno.test("resolveHost(): localhost, literal addresses, one family or both", async () => {
  await assertNoLeaks(() => {
    const four = resolveHost("localhost", AF_INET);
    assert(four.some(({ address }) => formatIpAddress(address) === "127.0.0.1"));
    assert(
      four.every(({ address, port, scopeId }) => address.length === 4 && port === 0 && scopeId === 0),
    );
    const text = (host: string, family: number): string[] =>
      resolveHost(host, family).map(({ address }) => formatIpAddress(address));
    assertEquals(text("10.1.2.3", 0), ["10.1.2.3"]);
    assertEquals(text("fd00::5", 0), ["fd00::5"]);
    assertEquals(text("fd00::5", AF_INET6), ["fd00::5"]);
    assertStrictEquals(resolveHost("fe80::1%lo", 0)[0]!.scopeId, 1);
    for (let i = 0; i < 200; i++) resolveHost("localhost", 0);
  });
});

Deno.test("resolveHostInBackground(): as resolveHost(), while this thread goes on", async () => {
  const texts = async (host: string, family: number): Promise<string[]> =>
    (await resolveHostInBackground(host, family)).map(({ address }) => formatIpAddress(address));
  assertEquals(await texts("10.1.2.3", 0), ["10.1.2.3"]);
  const both = await Promise.all([texts("fd00::5", AF_INET6), texts("10.1.2.4", AF_INET)]);
  assertEquals(both, [["fd00::5"], ["10.1.2.4"]]);
  const error = await assertRejects(() => resolveHostInBackground("10.0.0.1", AF_INET6), ResolveError);
  assertStrictEquals(error.host, "10.0.0.1");
  assert(error.reason.length > 5);
});

Deno.test("resolveHost(): a name without an address", () => {
  for (const host of ["no-such-host.invalid", "", "a b"]) {
    const error = assertThrows(() => resolveHost(host, 0), ResolveError);
    assertStrictEquals(error.host, host);
    assert(error.code < 0 && error.reason.length > 5, `${error.code} ${error.reason}`);
    assertStrictEquals(error.message, `Cannot resolve host name "${host}": ${error.reason}`);
  }
  assertThrows(() => resolveHost("10.0.0.1", AF_INET6), ResolveError);
});
