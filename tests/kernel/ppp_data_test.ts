/**
 * PPP sessions of two kernels, each with a path of ours. Of the categories of the kernel's own API tests these are, as
 * far as they are about PPP: data, cookie mismatch, data shutdown, race delete, and sequence numbers.
 *
 * ```
 *   a: ppp 10.77.0.1 fe80::1 ── 10.0.0.1 fd00::1 ── cable ── 10.0.0.2 fd00::2 ── b: ppp 10.77.0.2 fe80::2
 * ```
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { SessionWatch } from "../../src/client/kernel/session_watch.ts";
import { KernelPpp } from "../../src/driver/ppp/kernel_ppp.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { Pppol2tpSocket } from "../../src/driver/ppp/pppol2tp_socket.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { hexBytes } from "../support/golden.ts";
import { Pair } from "../support/namespaces.ts";
import { runProgram } from "../support/processes.ts";
import { clientIn, deleteTunnels, linksIn, requireL2tp, until } from "./kernel.ts";
import { attachIn, type End, Notes, openEnd, tunnelOf, type Variant } from "./ppp.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** So many in one tunnel. */
const SESSIONS = 100;

async function withEnds(
  pair: Pair,
  variant: Variant,
  action: (a: End, b: End, ppp: KernelPpp) => Promise<void> | void,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    await deleteTunnels(pair.a);
    await deleteTunnels(pair.b);
  });
  await assertNoLeaks(async () => {
    const ppp = KernelPpp.open();
    const served = ppp.run();
    try {
      using a = openEnd(pair.a, ppp, variant, 1);
      using b = openEnd(pair.b, ppp, variant, 2);
      await action(a, b, ppp);
    } finally {
      ppp.close();
      await served;
    }
  });
}

function letThrough({ path }: End): void {
  path.pass("ipv4", true);
  path.pass("ipv6", true);
}

/** Both families cross, and each end has counted what the other has. */
async function data(pair: Pair, variant: Variant): Promise<void> {
  await withEnds(pair, variant, async (a, b) => {
    a.path.send(hexBytes("c0210101000a010405dc"));
    assertEquals(await b.user.take(1), ["c0210101000a010405dc"]);
    b.path.send(hexBytes("80210101000a03060a4d0002"));
    assertEquals(await a.user.take(1), ["80210101000a03060a4d0002"]);
    letThrough(a);
    letThrough(b);
    const agreed = { mtu: 1400, mru: 1400, pfc: false, acfc: false };
    for (const { path } of [a, b]) path.configure(agreed);
    await pair.a.sh("ping", "-c", "2", "-i", "0.2", "-W", "10", "-s", "1372", "-M", "do", "10.77.0.2");
    await pair.b.sh("ping", "-c", "2", "-i", "0.2", "-W", "10", `fe80::1%${b.path.interfaceName}`);
    await until("what one has sent the other has received", () => {
      const [of, to] = [a.socket.counters(), b.socket.counters()];
      return of.txPackets === to.rxPackets && of.txBytes === to.rxBytes &&
        to.txPackets === of.rxPackets && to.txBytes === of.rxBytes && of.txPackets >= 5n;
    });
    for (const { socket, user } of [a, b]) {
      const { txErrors, rxErrors } = socket.counters();
      assertDeepStrictEquals([txErrors, rxErrors, user.frames, user.losses], [0n, 0n, [], 0]);
    }
  });
}

/** Packets with a wrong cookie are dropped and counted. */
async function cookieMismatch(pair: Pair, variant: Variant): Promise<void> {
  await withEnds(pair, variant, async (a, b) => {
    letThrough(a);
    letThrough(b);
    for (let i = 0; i < 3; i++) a.path.send(hexBytes("c0210101000a010405dc"));
    await runProgram(["ip", "netns", "exec", pair.a.name, "ping", "-c", "1", "-W", "1", "10.77.0.2"]);
    const { txPackets } = a.l2tp.session({ tunnelId: 100, sessionId: 10 })!.counters;
    assert(txPackets >= 4n);
    await until("all are counted", () => {
      const { rxCookieDiscards, rxErrors } = b.l2tp.session({ tunnelId: 200, sessionId: 20 })!.counters;
      return rxCookieDiscards! >= txPackets && rxErrors === rxCookieDiscards;
    });
    assertStrictEquals(b.socket.counters().rxPackets, 0n);
    assertEquals(b.user.frames, []);
  });
}

/** Sequence numbers are sent and asked for as the sessions say. */
async function sequence(pair: Pair): Promise<void> {
  const variant = { version: 2, encap: "udp", family: "inet" } as const;
  const numbered = { sendSeq: true, recvSeq: true };
  await withEnds(pair, { ...variant, a: numbered, b: numbered }, async (a, b) => {
    letThrough(a);
    letThrough(b);
    await pair.a.sh("ping", "-c", "2", "-i", "0.2", "-W", "10", "10.77.0.2");
    assertStrictEquals(b.socket.counters().rxSeqDiscards, 0n);
  });
  await withEnds(pair, { ...variant, b: { recvSeq: true, lnsMode: true } }, async (a, b) => {
    a.path.send(hexBytes("c0210101000a010405dc"));
    await until("it is refused", () => b.socket.counters().rxSeqDiscards === 1n);
    // The peer of a LNS learns from its packets that it is to number its own.
    b.socket.change({ sendSeq: true });
    b.path.send(hexBytes("c0210101000a010405dc"));
    assertEquals(await a.user.take(1), ["c0210101000a010405dc"]);
    assertStrictEquals(a.socket.settings().sendSeq, true);
    a.path.send(hexBytes("c0210202000a010405dc"));
    assertEquals(await b.user.take(1), ["c0210202000a010405dc"]);
  });
}

/** A session is closed in each way while packets flow. */
async function shutdown(pair: Pair, variant: Variant): Promise<void> {
  for (const how of ["path", "socket", "session", "tunnel"] as const) {
    await withEnds(pair, variant, async (a, b) => {
      letThrough(a);
      letThrough(b);
      const args = ["netns", "exec", pair.b.name, "ping", "-q", "-i", "0.002", "-w", "30", "10.77.0.1"];
      const ping = new Deno.Command("ip", { args, stdout: "null", stderr: "null" }).spawn();
      const before = a.socket.counters().rxPackets;
      await until("packets flow", () => a.socket.counters().rxPackets > before + 20n);
      if (how === "path") a.path[Symbol.dispose]();
      else if (how === "socket") a.socket[Symbol.dispose]();
      else if (how === "session") a.l2tp.deleteSession({ tunnelId: 100, sessionId: 10 });
      else a.l2tp.deleteTunnel(100);
      if (how === "socket") await until("the loss is told", () => a.user.losses === 1);
      ping.kill("SIGKILL");
      await ping.status;
    });
  }
}

/** Whoever else deletes a session or its tunnel: its holder learns of it, and of no namesake's. */
async function watched(pair: Pair): Promise<void> {
  const variant = { version: 2, encap: "udp", family: "inet" } as const;
  for (const how of ["session", "tunnel"] as const) {
    await withEnds(pair, variant, async (a, b) => {
      const watch = SessionWatch.open();
      const running = watch.run();
      const names = [[a, 100, 10], [b, 200, 20], [b, 100, 10]] as const;
      // The last is named as the first, and in the other namespace.
      b.l2tp.createTunnel({ ...tunnelOf(variant, 2), tunnelId: 100, localPort: 5999 });
      b.l2tp.createSession({ tunnelId: 100, sessionId: 10, peerSessionId: 1, pseudowire: "ppp" });
      const gone: number[] = [];
      for (const [i, [{ l2tp }, tunnelId, sessionId]] of names.entries()) {
        watch.watch({
          ...{ tunnelId, sessionId },
          exists: () => l2tp.session({ tunnelId, sessionId }) !== undefined,
          gone: () => void gone.push(i),
        });
      }
      if (how === "session") a.l2tp.deleteSession({ tunnelId: 100, sessionId: 10 });
      else a.l2tp.deleteTunnel(100);
      await until("the loss is told", () => gone.length > 0);
      b.l2tp.deleteTunnel(200);
      await until("the other's loss is told", () => gone.length > 1);
      watch.close();
      await running;
      assertDeepStrictEquals(gone, [0, 1]);
    });
  }
}

/** Deletion by netlink, of another process, against closing the socket. */
async function race(pair: Pair, variant: Variant): Promise<void> {
  for (let round = 0; round < 10; round++) {
    await withEnds(pair, variant, async (a) => {
      const command = round % 2 === 0
        ? ["l2tp", "del", "tunnel", "tunnel_id", "100"]
        : ["l2tp", "del", "session", "tunnel_id", "100", "session_id", "10"];
      const deleting = runProgram(["ip", "-n", pair.a.name, ...command]);
      await new Promise((resolve) => setTimeout(resolve, round));
      if (round % 4 < 2) a.path[Symbol.dispose]();
      a.socket[Symbol.dispose]();
      await deleting;
      await until("the session goes", () => a.l2tp.session({ tunnelId: 100, sessionId: 10 }) === undefined);
    });
  }
}

/** Many sessions of one tunnel are served by one wait, each for itself. */
async function many(pair: Pair): Promise<void> {
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    await deleteTunnels(pair.a);
    await deleteTunnels(pair.b);
  });
  await assertNoLeaks(async () => {
    using all = new DisposableStack();
    const ppp = KernelPpp.open();
    const served = ppp.run();
    const variant = { version: 2, encap: "udp", family: "inet" } as const;
    const ends = ([1, 2] as const).map((end) => {
      const namespace = end === 1 ? pair.a : pair.b;
      const l2tp = all.use(clientIn(namespace));
      const interfaces = all.use(linksIn(namespace));
      const tunnel = tunnelOf(variant, end);
      l2tp.createTunnel(tunnel);
      return Array.from({ length: SESSIONS }, (_, i) => {
        const ids = { sessionId: i + 1, peerSessionId: i + 1 };
        const socket = all.use(inNamespace(namespace.name, () => Pppol2tpSocket.openSession(tunnel, ids)));
        const user = new Notes();
        return { user, path: all.use(attachIn(namespace, ppp, { socket, interfaces, user })) };
      });
    });
    const [a, b] = [ends[0]!, ends[1]!];
    const frame = (i: number): string => `c0210901000${i.toString(16).padStart(5, "0")}`;
    for (const [i, { path }] of a.entries()) path.send(hexBytes(frame(i)));
    for (const [i, { path }] of b.entries()) path.send(hexBytes(frame(i)));
    for (const end of [a, b]) {
      for (const [i, { user }] of end.entries()) assertEquals(await user.take(1), [frame(i)]);
    }
    ppp.close();
    await served;
  });
}

const FAMILIES = ["inet", "inet6"] as const;
const COOKIES = [
  { name: "no cookie", cookie: undefined },
  { name: "cookie4", cookie: hexBytes("a1a2a3a4") },
  { name: "cookie8", cookie: hexBytes("a1a2a3a4a5a6a7a8") },
];

Deno.test("PPP sessions of two kernels", async (t) => {
  requireL2tp();
  await using pair = await Pair.create();
  for (const family of FAMILIES) {
    await t.step(`data, v2 udp ${family}`, () => data(pair, { version: 2, encap: "udp", family }));
    for (const encap of ["udp", "ip"] as const) {
      for (const { name, cookie } of COOKIES) {
        const cookies = cookie === undefined ? {} : { cookie, peerCookie: cookie };
        const variant: Variant = { version: 3, encap, family, a: cookies, b: cookies };
        await t.step(`data, v3 ${encap} ${family}, ${name}`, () => data(pair, variant));
      }
      for (
        const { name, sent } of [
          { name: "cookie4", sent: { cookie: hexBytes("00000001") } },
          { name: "cookie8", sent: { cookie: hexBytes("0000000000000001") } },
          { name: "no peer cookie", sent: {} },
        ]
      ) {
        const wanted = name === "cookie4" ? COOKIES[1]!.cookie! : COOKIES[2]!.cookie!;
        const variant: Variant = { version: 3, encap, family, a: sent, b: { peerCookie: wanted } };
        await t.step(`cookie mismatch, v3 ${encap} ${family}, ${name}`, () => cookieMismatch(pair, variant));
      }
      await t.step(
        `race delete, v3 ${encap} ${family}`,
        () => race(pair, { version: 3, encap, family }),
      );
    }
  }
  await t.step("sequence numbers", () => sequence(pair));
  for (const [version, encap] of [[2, "udp"], [3, "udp"], [3, "ip"]] as const) {
    await t.step(
      `data shutdown, v${version} ${encap}`,
      () => shutdown(pair, { version, encap, family: "inet" }),
    );
  }
  await t.step("sessions deleted by another program", () => watched(pair));
  await t.step("many sessions and one wait", () => many(pair));
});
