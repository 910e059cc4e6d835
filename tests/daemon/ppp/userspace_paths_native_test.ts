/**
 * `src/daemon/ppp/userspace_paths.ts` with the whole subsystem but its API: PPP sessions between two hosts become interfaces.
 *
 * ```
 *   a: 10.0.0.1 fd00::1 ── cable ── b: 10.0.0.2 fd00::2
 *      10.9.0.1 ppp0 ═══ session ═══ ppp0 10.9.0.2
 * ```
 */

import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
  fail,
} from "@std/assert";
import { openNetns } from "../../../ffi/kernel/netns.ts";
import { SyscallError } from "../../../src/base/errors.ts";
import { LinkClient } from "../../../src/client/link_client.ts";
import { BpfSessions } from "../../../src/daemon/platform/bpf_sessions.ts";
import { Devices } from "../../../src/daemon/platform/devices.ts";
import { Endpoints } from "../../../src/daemon/platform/endpoints.ts";
import { NetworkNamespaces } from "../../../src/driver/system/network_namespaces.ts";
import { type PppPathRequest, PppPaths } from "../../../src/daemon/ppp/userspace_paths.ts";
import { SystemOffloads } from "../../../src/daemon/platform/offloads.ts";
import { LinuxPlatform } from "../../../src/daemon/platform/linux_platform.ts";
import { DataPlanes } from "../../../src/driver/data_plane/planes.ts";
import { inNamespace } from "../../../src/driver/system/namespace.ts";
import type { PppPath } from "../../../src/driver/ppp/path.ts";
import { DEFAULT_OFFLOADS } from "../../../src/model/offloads.ts";
import type { Link } from "../../../src/model/link.ts";
import type { SessionParameters } from "../../../src/model/session.ts";
import type { TunnelParameters } from "../../../src/model/tunnel.ts";
import { Subsystem } from "../../../src/subsystem/subsystem.ts";
import { L2TP_CMD } from "../../../src/wire/genl/l2tp/constants.ts";
import { encodeSessionCommand, encodeSessionCreate } from "../../../src/wire/genl/l2tp/session.ts";
import { encodeTunnelCommand, encodeTunnelCreate } from "../../../src/wire/genl/l2tp/tunnel.ts";
import { NLM_F_ACK, NLM_F_REQUEST } from "../../../src/wire/netlink/constants.ts";
import { decodeError, decodeMessages } from "../../../src/wire/netlink/message.ts";
import { Pair } from "../../support/namespaces.ts";
import { ping, transfer } from "../../support/traffic.ts";
import { until } from "../../support/until.ts";
import { USERSPACE_L2TP_FAMILY_ID } from "../../../src/wire/l2tpd/constants.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

type Host = "a" | "b";

/** Ids of a host's tunnel and session. */
const IDS = { a: { tunnelId: 1, sessionId: 11 }, b: { tunnelId: 2, sessionId: 22 } } as const;

function other(host: Host): Host {
  return host === "a" ? "b" : "a";
}

/** The subsystem of both hosts. */
class PairFixture implements AsyncDisposable {
  readonly pair: Pair;
  readonly paths: PppPaths;
  readonly platform: LinuxPlatform;
  readonly subsystem: Subsystem;
  readonly #stack: DisposableStack;
  readonly #keys: Record<Host, string>;
  readonly #namespaces: NetworkNamespaces;

  private constructor(pair: Pair, planes: DataPlanes) {
    this.pair = pair;
    this.#stack = new DisposableStack();
    const namespaces = this.#namespaces = this.#stack.use(new NetworkNamespaces());
    this.#stack.use(planes);
    const log = (line: string): void => fail(line);
    const offloads = new SystemOffloads(DEFAULT_OFFLOADS, log);
    const devices = new Devices(namespaces, offloads, log);
    const endpoints = new Endpoints(planes, offloads);
    const bpf = this.#stack.use(new BpfSessions({ namespaces, offloads, log }));
    this.platform = new LinuxPlatform({
      planes,
      namespaces,
      endpoints,
      adopted: new Set(),
      devices,
      offloads,
      bpf,
    });
    this.subsystem = new Subsystem(this.platform);
    this.paths = new PppPaths({ subsystem: this.subsystem, platform: this.platform, devices });
    this.#keys = {
      a: namespaces.hold(openNetns(pair.a.name)),
      b: namespaces.hold(openNetns(pair.b.name)),
    };
  }

  static async create(): Promise<PairFixture> {
    const pair = await Pair.create();
    return new PairFixture(pair, await DataPlanes.start(1, {}));
  }

  /** Key of a host's namespace. */
  key(host: Host): string {
    return this.#keys[host];
  }

  /** Name of a host's namespace. */
  netns(host: Host): string {
    return this.pair[host].name;
  }

  /** Lets go of a host's namespace, which only its tunnels hold then. */
  release(host: Host): void {
    this.#namespaces.release(this.key(host));
  }

  /** Asks the subsystem for something that must succeed. */
  ask(host: Host, payload: Uint8Array): void {
    const caller = { netns: this.key(host), portId: 1, privileged: true, takeFd: () => undefined };
    const header = {
      type: USERSPACE_L2TP_FAMILY_ID,
      flags: NLM_F_REQUEST | NLM_F_ACK,
      sequence: 1,
      portId: 0,
    };
    const { replies } = this.subsystem.request({ ...header, payload }, caller);
    assertStrictEquals(decodeError(decodeMessages(replies.at(-1)!).at(-1)!)?.errno, 0);
  }

  /** Makes a host's end of a session. */
  create(
    host: Host,
    family: 4 | 6,
    tunnel: Partial<TunnelParameters> = {},
    session: Partial<SessionParameters> = {},
  ): void {
    const peer = other(host);
    const address = (of: Host): string => (family === 4 ? "10.0.0." : "fd00::") + (of === "a" ? 1 : 2);
    const [own, its] = [IDS[host], IDS[peer]];
    this.ask(
      host,
      encodeTunnelCreate({
        ...{ tunnelId: own.tunnelId, peerTunnelId: its.tunnelId, encap: "udp" },
        ...{ local: address(host), peer: address(peer), localPort: 1701, peerPort: 1701 },
        ...tunnel,
      }),
    );
    this.ask(
      host,
      encodeSessionCreate({ ...own, peerSessionId: its.sessionId, pseudowire: "ppp", ...session }),
    );
  }

  attach(host: Host, request: Partial<PppPathRequest> = {}): PppPath {
    const nothing = (): void => {};
    return this.paths.attach({
      netns: this.key(host),
      ...IDS[host],
      receive: nothing,
      lost: nothing,
      ...request,
    });
  }

  within<T>(host: Host, action: (links: LinkClient) => T): T {
    return inNamespace(this.netns(host), () => {
      using links = LinkClient.open();
      return action(links);
    });
  }

  link(host: Host, name: string): Link | undefined {
    return this.within(host, (links) => links.link(name));
  }

  /** What a host's session has dropped, by reason. */
  drops(host: Host): Record<string, number> {
    const mine = [...this.platform.drops(this.key(host))].find(({ sessionId }) => sessionId !== undefined);
    return Object.fromEntries(mine?.reasons ?? []);
  }

  offloads(host: Host): readonly string[] {
    return [...this.platform.sessionOffloads(this.key(host))].flatMap(({ offloads }) => offloads);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of ["a", "b"] as const) this.subsystem.dropNamespace(this.key(host));
    this.#stack.dispose();
    await this.pair[Symbol.asyncDispose]();
  }
}

/**
 * Agrees with the other end the shortest way there is: each says its address in a control frame, and whoever hears the
 * other's opens up.
 */
class TrivialPpp {
  readonly path: PppPath;
  opened = false;
  lost = 0;
  readonly #fixture: PairFixture;
  readonly #host: Host;

  constructor(fixture: PairFixture, host: Host) {
    this.#fixture = fixture;
    this.#host = host;
    this.path = fixture.attach(host, {
      receive: (frame) => this.#hear(frame),
      lost: () => this.lost++,
    });
  }

  /** Says its address. */
  speak(): void {
    this.path.send(Uint8Array.of(0x80, 0x21, 1, 1, 0, 8, 10, 9, 0, this.#last(this.#host)));
  }

  #last(host: Host): number {
    return host === "a" ? 1 : 2;
  }

  #hear(frame: Uint8Array): void {
    assertDeepStrictEquals([...frame], [0x80, 0x21, 1, 1, 0, 8, 10, 9, 0, this.#last(other(this.#host))]);
    if (this.opened) return;
    this.opened = true;
    this.path.configure({ mtu: 1400, mru: 1400, pfc: this.#host === "a", acfc: this.#host === "b" });
    this.path.pass("ipv4", true);
    this.path.pass("ipv6", true);
    this.#fixture.within(this.#host, (links) => {
      const index = this.path.interfaceIndex;
      links.changeLink(index, { up: true });
      links.addAddress({ index, address: `10.9.0.${this.#last(this.#host)}`, prefixLength: 24 });
      links.addAddress({ index, address: `fd09::${this.#last(this.#host)}`, prefixLength: 64 });
    });
    // The other one may not have been there the first time.
    this.speak();
  }
}

for (const version of [2, 3] as const) {
  for (const family of [4, 6] as const) {
    Deno.test(`version ${version} over UDP and IPv${family}: both ends agree, and IPv4, IPv6 and TCP go through`, async () => {
      await using fixture = await PairFixture.create();
      for (const host of ["a", "b"] as const) {
        fixture.create(
          host,
          family,
          { version },
          version === 3
            ? { cookie: Uint8Array.of(1, 2, 3, 4), peerCookie: Uint8Array.of(1, 2, 3, 4) }
            : { sendSeq: true },
        );
        assertStrictEquals(fixture.link(host, "ppp0"), undefined, "a session alone makes no interface");
      }
      const [a, b] = [new TrivialPpp(fixture, "a"), new TrivialPpp(fixture, "b")];
      assertEquals([a.path.interfaceName, b.path.interfaceName], ["ppp0", "ppp0"]);
      assertStrictEquals(fixture.link("a", "ppp0")!.index, a.path.interfaceIndex);
      a.speak();
      await until(() => a.opened && b.opened, "both ends agree");
      assertEquals([fixture.link("a", "ppp0")!.mtu, fixture.link("b", "ppp0")!.mtu], [1400, 1400]);
      const [from, to] = [fixture.netns("a"), fixture.netns("b")];
      await ping(from, "10.9.0.2", { size: 1372, dontFragment: true });
      await ping(to, "10.9.0.1");
      await until(
        () => fixture.within("b", (links) => links.addresses().some(({ address }) => address === "fd09::2")),
        "b's address",
      );
      await ping(from, "fd09::2");
      await transfer({ from, to, address: "10.9.0.2" }, 3_000_000);
      await transfer({ from, to, address: "fd09::2", listen: "::" }, 3_000_000);
      const automatic = fixture.within(
        "a",
        (links) =>
          links.addresses().filter(({ index, address }) =>
            index === a.path.interfaceIndex && address.startsWith("fe80")
          ),
      );
      assertEquals(automatic, [], "no address but those agreed on");
      assertEquals([fixture.drops("a"), fixture.drops("b")], [{}, {}]);
      assert(fixture.offloads("a").includes("tso") && fixture.offloads("b").includes("coalesce"));
    });
  }
}

Deno.test("disposed of: the device is gone, the session drops what it gets, and can be attached again", async () => {
  await using fixture = await PairFixture.create();
  for (const host of ["a", "b"] as const) fixture.create(host, 4, { version: 2 });
  const a = fixture.attach("a");
  let lost = 0;
  const first = fixture.attach("b", { interfaceName: "wan", lost: () => lost++ });
  assertStrictEquals(first.interfaceName, "wan");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assertStrictEquals(fixture.link("b", "wan"), undefined);
  a.send(Uint8Array.fromHex("c021090100080a0b0c0d"));
  await until(() => fixture.drops("b").no_ppp === 1, "nobody is there");
  assert(!fixture.offloads("b").includes("tap"));
  const frames: string[] = [];
  const second = fixture.attach("b", { receive: (frame) => frames.push(frame.toHex()) });
  // What is asked of the first one now is for nobody.
  first.send(Uint8Array.fromHex("c0210901000801020304"));
  first.pass("ipv4", true);
  first.configure({ mtu: 1000, mru: 1000, pfc: false, acfc: false });
  first[Symbol.dispose]();
  assert(fixture.offloads("b").includes("tap"));
  assertStrictEquals(fixture.link("b", second.interfaceName)!.mtu, 1500);
  a.send(Uint8Array.fromHex("c021090100080a0b0c0d"));
  await until(() => frames.length > 0, "a control frame");
  assertEquals(frames, ["c021090100080a0b0c0d"]);
  assertStrictEquals(lost, 0);
});

Deno.test("lost: with the session, the tunnel, or the device; then nothing is left", async () => {
  await using fixture = await PairFixture.create();
  const remove = [
    (host: Host): void => fixture.ask(host, encodeSessionCommand(L2TP_CMD.SESSION_DELETE, IDS[host])),
    (host: Host): void => fixture.ask(host, encodeTunnelCommand(L2TP_CMD.TUNNEL_DELETE, IDS[host].tunnelId)),
  ];
  for (const take of remove) {
    fixture.create("a", 4, { version: 2 });
    let lost = 0;
    const path = fixture.attach("a", { lost: () => lost++ });
    take("a");
    await until(() => lost === 1, "told");
    assertStrictEquals(fixture.link("a", "ppp0"), undefined);
    path.send(Uint8Array.fromHex("c021090100080a0b0c0d"));
    path[Symbol.dispose]();
    fixture.subsystem.dropNamespace(fixture.key("a"));
  }
  fixture.create("a", 4, { version: 2 });
  let lost = 0;
  fixture.attach("a", { lost: () => lost++ });
  await fixture.pair.a.ip("link delete ppp0");
  await until(() => lost === 1, "told of the device");
  const again = fixture.attach("a", { lost: () => lost++ });
  assertNotStrictEquals(fixture.link("a", again.interfaceName), undefined);
  again[Symbol.dispose]();
  assertStrictEquals(lost, 1);
  const last = fixture.attach("a", { lost: () => lost++ });
  fixture.release("a");
  remove[1]!("a");
  await until(() => lost === 2, "told, and the namespace is held no more");
  last.configure({ mtu: 1000, mru: 1000, pfc: false, acfc: false });
  last[Symbol.dispose]();
});

Deno.test("refused: no such session, no PPP, attached already, a name that is taken; and nothing is left of it", async () => {
  await using fixture = await PairFixture.create();
  fixture.create("a", 4);
  const session = { ...IDS.a, peerSessionId: 9 };
  fixture.ask(
    "a",
    encodeSessionCreate({ ...session, sessionId: 12, pseudowire: "eth", interfaceName: "eth9" }),
  );
  const attach = (request: Partial<PppPathRequest>) => (): PppPath => fixture.attach("a", request);
  assertStrictEquals(assertThrows(attach({ sessionId: 99 }), SyscallError).code, "ENODEV");
  assertStrictEquals(assertThrows(attach({ tunnelId: 99 }), SyscallError).code, "ENODEV");
  assertStrictEquals(assertThrows(attach({ netns: fixture.key("b") }), SyscallError).code, "ENODEV");
  assertStrictEquals(assertThrows(attach({ sessionId: 12 }), SyscallError).code, "EPROTONOSUPPORT");
  assertStrictEquals(assertThrows(attach({ interfaceName: "eth9" }), SyscallError).code, "EEXIST");
  assertStrictEquals(assertThrows(attach({ interfaceName: "cable" }), SyscallError).code, "EEXIST");
  assertThrows(attach({ interfaceName: "abcdefghijklmnop" }), RangeError);
  using path = fixture.attach("a");
  assertStrictEquals(assertThrows(attach({}), SyscallError).code, "EBUSY");
  assertStrictEquals(assertThrows(attach({ interfaceName: "other" }), SyscallError).code, "EBUSY");
  assertStrictEquals(fixture.link("a", "other"), undefined);
  for (const mtu of [0, 65_536]) {
    assertThrows(() => path.configure({ mtu, mru: 1500, pfc: false, acfc: false }), RangeError);
  }
  assertStrictEquals(fixture.link("a", "ppp0")!.mtu, 1500);
  path.configure({ mtu: 1, mru: 1, pfc: false, acfc: false });
  assertStrictEquals(fixture.link("a", "ppp0")!.mtu, 68, "as little as a device can have");
});
