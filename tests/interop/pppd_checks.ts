/**
 * Requirements on our PPP with pppd as the peer, over any link.
 *
 * @module
 */

import { linkLocal, takesPackets } from "./ppp_checks.ts";
import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import type { AuthMethod, PppStatus } from "../../src/model/ppp/status.ts";
import type { PppSessionSettings } from "../../src/model/ppp/settings.ts";
import { ping, transfer } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { ADDRESSES, clientSettings, serverSettings, USER } from "./ppp_hosts.ts";
import { CLIENT, type Pppd, REFUSE, REQUIRE, SERVER } from "./pppd.ts";

/** A link to run PPP over, without PPP at either end. */
export interface LinkToPppd extends AsyncDisposable {
  /** Names of the namespaces of both ends. */
  readonly netns: { readonly ours: string; readonly its: string };
  /** Runs PPP at our end. */
  run(settings: PppSessionSettings): void;
  /** Returns the status of our PPP; `undefined` if it does not run. */
  status(): PppStatus | undefined;
  /** Name of our interface. */
  interfaceName(): string;
  /** Runs pppd at the other end. */
  start(options: readonly string[]): Promise<Pppd>;
}

/** Waits until IPv4 and IPv6 are up. */
export async function up(link: LinkToPppd): Promise<void> {
  await until(() => {
    const { ipcp, ipv6cp } = link.status() ?? {};
    return ipcp?.state === "Opened" && ipv6cp?.state === "Opened";
  }, "both protocols are up");
}

/** Pings the other end by both protocols, and is pinged by it. */
async function checkPings(link: LinkToPppd, peer: string): Promise<void> {
  const { ipcp, ipv6cp } = link.status()!;
  const { ours, its } = link.netns;
  await ping(ours, peer, { count: 2 });
  const [own, other] = [linkLocal(ipv6cp!.localId!), linkLocal(ipv6cp!.peerId!)];
  await Promise.all([takesPackets(ours, own), takesPackets(its, other)]);
  await ping(ours, other, { count: 2, device: link.interfaceName() });
  await ping(its, ipcp!.local!, { count: 2 });
  await ping(its, own, { count: 2, device: "ppp0" });
}

/** We ask pppd for its name, and hand it its address. */
export async function checkWeAsk(link: LinkToPppd, method: AuthMethod | "none"): Promise<void> {
  link.run(serverSettings(method));
  await using _pppd = await link.start(CLIENT);
  await up(link);
  const { auth } = link.status()!;
  assertEquals(auth, method === "none" ? {} : { peer: { method, state: "succeeded", name: USER } });
  await checkPings(link, ADDRESSES.b);
}

/** pppd asks us, and hands us our address and a name server. */
export async function checkPppdAsks(link: LinkToPppd, method: AuthMethod): Promise<void> {
  link.run(clientSettings());
  await using _pppd = await link.start([...SERVER, REQUIRE[method]]);
  await up(link);
  const { auth, ipcp } = link.status()!;
  assertEquals(auth, { local: { method, state: "succeeded", name: USER } });
  assertEquals([ipcp?.local, ipcp?.peer, ipcp?.dns], [ADDRESSES.b, ADDRESSES.a, ["192.0.2.53"]]);
  await checkPings(link, ADDRESSES.a);
}

/** pppd's secret is wrong: we refuse it, and it ends. */
export async function checkWeRefuse(link: LinkToPppd, method: AuthMethod): Promise<void> {
  link.run(serverSettings(method));
  await using peer = await link.start([...CLIENT, "password", "quite another"]);
  await until(() => link.status()?.end !== undefined, "we have refused");
  const end = link.status()!.end!;
  assert(end.reason === "authenticationFailed" && end.of === "peer" && end.method === method, end.reason);
  await until(() => peer.ended, "pppd has ended");
  assertMatch(await peer.end(), /authentication failed|Failed to authenticate/i);
}

/** Our secret is wrong: pppd refuses us, and we report it. */
export async function checkPppdRefuses(link: LinkToPppd, method: AuthMethod): Promise<void> {
  link.run(clientSettings("quite another"));
  await using _pppd = await link.start([...SERVER, REQUIRE[method]]);
  await until(() => link.status()?.end !== undefined, "we are told");
  const { reason } = link.status()!.end!;
  assert(reason === "authenticationFailed" || reason === "terminatedByPeer", reason);
  assertStrictEquals(link.status()!.ipcp?.local, undefined);
}

/** A pppd that refuses what we prefer gets what it takes. */
export async function checkSecondChoice(link: LinkToPppd): Promise<void> {
  link.run({ ...serverSettings("mschapv2"), require: ["mschapv2", "chap"] });
  await using _pppd = await link.start([...CLIENT, REFUSE.mschapv2, REFUSE.mschap]);
  await up(link);
  assertStrictEquals(link.status()!.auth.peer?.method, "chap");
}

/** So many bytes of TCP each way, by hash; says how long that took. */
export async function checkTransfer(link: LinkToPppd, bytes: number): Promise<void> {
  link.run(serverSettings("chap"));
  await using _pppd = await link.start(CLIENT);
  await up(link);
  const { ours, its } = link.netns;
  const speed = await transfer({ from: its, to: ours, address: ADDRESSES.a }, bytes);
  console.log(`${bytes / 1e6} MB each way at ${speed.toFixed(0)} Mbit/s`);
}

/** pppd terminates the link: we report it. */
export async function checkPppdEnds(link: LinkToPppd): Promise<void> {
  link.run(serverSettings("chap"));
  await using peer = await link.start(CLIENT);
  await up(link);
  await peer.end();
  await until(() => link.status()?.end?.reason === "terminatedByPeer", "we are told");
}

/** pppd falls silent: its echo replies are missed. */
export async function checkPppdFreezes(link: LinkToPppd): Promise<void> {
  link.run(serverSettings("chap"));
  await using peer = await link.start(CLIENT);
  await up(link);
  peer.freeze();
  await until(() => link.status()?.end?.reason === "peerUnresponsive", "we miss it");
}
