/**
 * Requirements on PPP between two hosts, with either subsystem at each end.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { parseHex } from "../../src/base/hex.ts";
import { formatIpAddress, linkLocalAddress } from "../../src/base/ip_address.ts";
import type { AuthMethod, PppEnd } from "../../src/model/ppp/status.ts";
import { sh } from "../support/processes.ts";
import { ping, transfer } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import {
  ADDRESSES,
  clientSettings,
  type PppHostName,
  type PppHosts,
  type PppJoin,
  serverSettings,
  USER,
} from "./ppp_hosts.ts";

/** The ways of authentication. */
export const METHODS: readonly AuthMethod[] = ["pap", "chap", "mschap", "mschapv2"];

/** A row of the matrix but for the way of authentication. */
export const JOINS: readonly PppJoin[] = [
  { version: 2, family: 4 },
  { version: 2, family: 6 },
  { version: 3, family: 4 },
  { version: 3, family: 6 },
];

/** Comes up with the way of authentication, passes IPv4 and IPv6, and leaves nothing behind. */
export async function checkRow(hosts: PppHosts, join: PppJoin, method: AuthMethod | "none"): Promise<void> {
  await using _parting = hosts.join(join);
  hosts.run("a", serverSettings(method));
  hosts.run("b", clientSettings());
  await hosts.up();
  const [a, b] = [hosts.status("a")!, hosts.status("b")!];
  if (method === "none") assertEquals([a.auth, b.auth], [{}, {}]);
  else {
    assertEquals(a.auth.peer, { method, state: "succeeded", name: USER });
    assertStrictEquals(b.auth.local?.method, method);
    assertStrictEquals(b.auth.local?.state, "succeeded");
  }
  const { local, peer, dns } = b.ipcp!;
  assertEquals([local, peer, dns], [ADDRESSES.b, ADDRESSES.a, ["192.0.2.53"]]);
  await checkPings(hosts);
}

/** The link-local address with this interface identifier, as the kernel prints it. */
export function linkLocal(identifier: string): string {
  return formatIpAddress(linkLocalAddress(parseHex(identifier)!));
}

/**
 * Waits until the kernel delivers packets to the IPv6 address. It has the address at once, without duplicate address
 * detection, but its route only from a work queue (`addrconf_dad_work`, `net/ipv6/addrconf.c`), which a busy machine delays.
 */
export async function takesPackets(netns: string, address: string): Promise<void> {
  const routes = ["ip", "-n", netns, "-6", "route", "show", "table", "local"];
  await until(
    async () => (await sh(...routes)).includes(`local ${address} `),
    `a route to ${address} in ${netns}`,
  );
}

/** Both protocols, from both ends. */
export async function checkPings(hosts: PppHosts): Promise<void> {
  for (const [name, other] of [["a", "b"], ["b", "a"]] as const) {
    await ping(hosts[name].netns, ADDRESSES[other], { count: 2 });
    const [own, address] = [name, other].map((host) => linkLocal(hosts.status(host)!.ipv6cp!.localId!)) as [
      string,
      string,
    ];
    await Promise.all([takesPackets(hosts[name].netns, own), takesPackets(hosts[other].netns, address)]);
    await ping(hosts[name].netns, address, { count: 2, device: hosts.interfaceName(name) });
  }
}

/** A wrong secret: every method refuses it, both ends report it, and no packet passes. */
export async function checkRefused(hosts: PppHosts, method: AuthMethod): Promise<void> {
  await using _parting = hosts.join({ version: 2, family: 4 });
  hosts.run("a", serverSettings(method));
  hosts.run("b", clientSettings("quite another"));
  await until(() => hosts.status("a")?.end !== undefined, "a has refused");
  const end = hosts.status("a")!.end!;
  assertStrictEquals(end.reason, "authenticationFailed");
  assert(end.reason === "authenticationFailed" && end.of === "peer" && end.method === method);
  await until(() => hosts.status("b")?.end !== undefined, "b has been told");
  const told = hosts.status("b")!.end!.reason;
  assert(told === "authenticationFailed" || told === "terminatedByPeer", told);
  assertStrictEquals(hosts.status("a")!.ipcp?.local, undefined);
}

/** Bytes over TCP, by hash, both ways at once. */
export async function checkTransfer(hosts: PppHosts, join: PppJoin, bytes: number): Promise<void> {
  await using _parting = hosts.join(join);
  hosts.run("a", serverSettings("chap"));
  hosts.run("b", clientSettings());
  await hosts.up();
  await transfer({ from: hosts.b.netns, to: hosts.a.netns, address: ADDRESSES.a }, bytes);
}

/** The session of one end is deleted: the other end learns it and is ready for a new one, which comes up. */
export async function checkTornDown(
  hosts: PppHosts,
  name: PppHostName,
  reasons: readonly PppEnd["reason"][],
): Promise<void> {
  const other = name === "a" ? "b" : "a";
  await using _parting = hosts.join({ version: 2, family: 4 });
  hosts.run("a", serverSettings("none"));
  hosts.run("b", clientSettings());
  await hosts.up();
  hosts.deleteSession(name);
  await until(() => hosts.status(other)?.end !== undefined, `${other} learns that PPP is over`);
  const { reason } = hosts.status(other)!.end!;
  assert(reasons.includes(reason), reason);
}
