/**
 * Two hosts joined by a cable, a subsystem under test on the first, a peer made by hand on the second:
 *
 * ```
 *   a: 10.0.0.1 fd00::1, the subject ── veth ── b: 10.0.0.2 10.0.0.3 fd00::2, sockets of the case
 * ```
 *
 * Everything here is synchronous: the subject is a kernel or another process.
 *
 * @module
 */

import { assert, AssertionError, assertStrictEquals } from "@std/assert";
import { LinkClient } from "../../src/client/link_client.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import type { Link } from "../../src/model/link.ts";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { checked } from "../../ffi/errno.ts";
import { libc } from "../../ffi/libc.ts";
import { AF_INET } from "../../src/base/inet.ts";
import { SOCK_DGRAM, Socket } from "../../ffi/sockets/socket.ts";
import { Pair } from "../support/namespaces.ts";
import { Api, type Attributes, listAttributes } from "./api.ts";
import type { Subject } from "./subject.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const SIOCSIFNAME = 0x8923n;
const IFREQ_SIZE = 40;
const IFNAMSIZ = 16;

const napping = new Int32Array(new SharedArrayBuffer(4));

/** Holds the thread. */
export function sleep(milliseconds: number): void {
  Atomics.wait(napping, 0, 0, milliseconds);
}

/** Timeout for actions of milliseconds, which may take this long on an emulated machine. */
const PATIENCE_MS = 10_000;

/** Waits until `probe` gives the wanted value; fails with the difference if it does not come to that. */
export function eventually<T>(probe: () => T, wanted: T, what?: string): void {
  const end = performance.now() + PATIENCE_MS;
  for (let nap = 1;; nap = Math.min(2 * nap, 20)) {
    try {
      return assertDeepStrictEquals(probe(), wanted, what);
    } catch (error) {
      if (!(error instanceof AssertionError) || performance.now() > end) throw error;
    }
    sleep(nap);
  }
}

/** The two hosts. */
export class ConformanceFixture implements AsyncDisposable {
  /** The subsystem under test. */
  readonly subject: Subject;
  /** Name of the subject's namespace. */
  readonly a: string;
  /** Name of the peer's namespace. */
  readonly b: string;
  /** The subject in its namespace. */
  readonly api: Api;
  /** Interfaces of the subject's namespace. */
  readonly links: LinkClient;
  readonly #pair: Pair;
  readonly #linksAtRest: readonly string[];

  private constructor(subject: Subject, pair: Pair) {
    this.subject = subject;
    this.#pair = pair;
    this.a = pair.a.name;
    this.b = pair.b.name;
    this.api = subject.open(this.a);
    this.links = inNamespace(this.a, () => LinkClient.open());
    this.#linksAtRest = this.linkNames();
  }

  /** Builds the hosts. */
  static async create(subject: Subject): Promise<ConformanceFixture> {
    const pair = await Pair.create();
    await pair.b.ip("addr add 10.0.0.3/24 dev cable");
    for (const { name } of [pair.a, pair.b]) {
      // Interfaces that come up must say nothing of their own.
      inNamespace(name, () => Deno.writeTextFileSync("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"));
    }
    return new ConformanceFixture(subject, pair);
  }

  /** Names of the interfaces of the subject's namespace. */
  linkNames(): string[] {
    return this.links.links().map(({ name }) => name).toSorted();
  }

  /** An interface of the subject's namespace. */
  link(name: string): Link {
    const link = this.links.link(name);
    assert(link !== undefined, `there is no interface ${name}`);
    return link;
  }

  /** Gives an interface of the subject's namespace, which is down, another name. */
  rename(from: string, to: string): void {
    const request = new Uint8Array(IFREQ_SIZE);
    request.set(new TextEncoder().encode(from));
    request.set(new TextEncoder().encode(to), IFNAMSIZ);
    using socket = inNamespace(this.a, () => Socket.open(AF_INET, SOCK_DGRAM, 0));
    checked("ioctl(SIOCSIFNAME)", libc.ioctl(socket.number, SIOCSIFNAME, request));
  }

  /** Takes away every tunnel, and waits until nothing is left of them. */
  flush(): void {
    const { client } = this.api;
    for (const { tunnelId } of client.tunnels()) {
      const { code } = this.api.call(L2TP_CMD.TUNNEL_DELETE, { CONN_ID: tunnelId });
      assert(code === "OK" || code === "ENODEV", code);
    }
    eventually(() => client.tunnels().length, 0, "all tunnels go");
    eventually(() => this.linkNames(), [...this.#linksAtRest], "all interfaces go");
  }

  /**
   * The notifications that members of the group in `netns` get because of what `act` does, as [command, attributes]:
   * up to the creation of a tunnel made behind it, which is not among them.
   */
  notifications(act: () => void, netns: string = this.a): Heard[] {
    using listener = this.subject.listen(netns);
    act();
    const sentinel = { ...UDP4, CONN_ID: 0xfeedf00d, UDP_SPORT: 0 };
    using api = this.subject.open(netns);
    const there = netns === this.a
      ? sentinel
      : { ...sentinel, IP_SADDR: ip("10.0.0.2"), IP_DADDR: ip("10.0.0.1") };
    assertStrictEquals(api.call(L2TP_CMD.TUNNEL_CREATE, there).code, "OK");
    const heard: Heard[] = [];
    try {
      for (;;) {
        for (const message of listener.take()) {
          const attributes = listAttributes(message.payload);
          if (attributes.some(([name, value]) => name === "CONN_ID" && value === "0df0edfe")) return heard;
          const { type, flags, sequence, portId, payload } = message;
          heard.push({ command: payload[0]!, attributes, type, flags, sequence, portId });
        }
      }
    } finally {
      api.call(L2TP_CMD.TUNNEL_DELETE, { CONN_ID: 0xfeedf00d });
      eventually(() => api.call(L2TP_CMD.TUNNEL_GET, { CONN_ID: 0xfeedf00d }).code, "ENODEV");
    }
  }

  /** Takes the hosts apart. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.api[Symbol.dispose]();
    this.links[Symbol.dispose]();
    await this.#pair[Symbol.asyncDispose]();
  }
}

/** A notification. */
export interface Heard {
  /** Number of the command. */
  readonly command: number;
  /** Attributes of the message, in order. */
  readonly attributes: ReturnType<typeof listAttributes>;
  /** Message type. */
  readonly type: number;
  /** Flags of the message header. */
  readonly flags: number;
  /** Sequence number. */
  readonly sequence: number;
  /** Port id. */
  readonly portId: number;
}

/** Bytes of an IPv4 address in dotted decimals. */
export function ip(address: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(address.split(".").map(Number));
}

/** Bytes of fd00::`last`. */
export function ip6(last: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  bytes[0] = 0xfd;
  bytes[15] = last;
  return bytes;
}

/** Bytes of hex digits. */
export function hex(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(digits.replaceAll(" ", "").match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

/** Attributes of a good tunnel over UDP and IPv4. */
export const UDP4: Attributes = {
  CONN_ID: 1,
  PEER_CONN_ID: 2,
  PROTO_VERSION: 3,
  ENCAP_TYPE: 0,
  IP_SADDR: ip("10.0.0.1"),
  IP_DADDR: ip("10.0.0.2"),
  UDP_SPORT: 5000,
  UDP_DPORT: 6000,
};

/** Attributes of a good tunnel over IP. */
export const IP4: Attributes = { ...UDP4, ENCAP_TYPE: 1, UDP_SPORT: undefined, UDP_DPORT: undefined };

const NO_V4 = { IP_SADDR: undefined, IP_DADDR: undefined };
const V6 = { ...NO_V4, IP6_SADDR: ip6(1), IP6_DADDR: ip6(2) };

/** Attributes of a good tunnel over UDP and IPv6. */
export const UDP6: Attributes = { ...UDP4, ...V6 };

/** Attributes of a good tunnel over IPv6. */
export const IP6: Attributes = { ...IP4, ...V6 };

/** Attributes of a good Ethernet session in tunnel 1. */
export const ETH: Attributes = {
  CONN_ID: 1,
  PEER_CONN_ID: 2,
  SESSION_ID: 11,
  PEER_SESSION_ID: 21,
  PW_TYPE: 5,
  IFNAME: "pw0",
};

/** Key of that session. */
export const KEY: Attributes = { CONN_ID: 1, SESSION_ID: 11 };
