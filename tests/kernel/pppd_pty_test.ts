/** PPP against pppd at the other end of a pseudo terminal: no L2TP, and RFC 1662's framing in between. */

import { assertMatch, assertStrictEquals } from "@std/assert";
import { METHODS } from "../interop/ppp_checks.ts";
import { ADDRESSES, serverSettings } from "../interop/ppp_hosts.ts";
import { CLIENT, Pppd } from "../interop/pppd.ts";
import {
  checkPppdAsks,
  checkPppdEnds,
  checkPppdFreezes,
  checkPppdRefuses,
  checkSecondChoice,
  checkTransfer,
  checkWeAsk,
  checkWeRefuse,
  type LinkToPppd,
  up,
} from "../interop/pppd_checks.ts";
import { SerialLink } from "../interop/serial_link.ts";
import { Namespace } from "../support/namespaces.ts";
import { ping } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { requireL2tp } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** Each byte of it is escaped and found again in this program, which the emulated machine is slow at. */
const TCP_BYTES = 200_000;

Deno.test("PPP of ours and pppd over a serial line", async (t) => {
  // Whoever has that has PPP.
  requireL2tp();
  await using ours = await Namespace.create("a");
  await using its = await Namespace.create("b");
  /** The line, and what tests of pppd take it for. */
  function connect(): LinkToPppd & { readonly line: SerialLink } {
    const line = new SerialLink(ours.name);
    return {
      line,
      netns: { ours: ours.name, its: its.name },
      run: (settings) => line.run(settings),
      status: () => line.status(),
      interfaceName: () => line.interfaceName(),
      start: (options) => Pppd.start({ netns: its, link: line.terminal, options }),
      [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
    };
  }
  const step = (
    name: string,
    check: (link: ReturnType<typeof connect>) => Promise<void>,
  ): Promise<boolean> =>
    t.step(name, async () => {
      await using link = connect();
      await check(link);
    });

  await step("we ask pppd for no name", (link) => checkWeAsk(link, "none"));
  for (const method of METHODS) {
    await step(`we ask pppd for ${method}`, (link) => checkWeAsk(link, method));
    await step(`pppd asks us for ${method}, and hands us our address`, (link) => checkPppdAsks(link, method));
    await step(`${method}: pppd's secret is wrong, and we refuse it`, (link) => checkWeRefuse(link, method));
    await step(
      `${method}: our secret is wrong, and pppd refuses it`,
      (link) => checkPppdRefuses(link, method),
    );
  }
  await step("a pppd that refuses what we prefer gets what it takes", checkSecondChoice);
  await step("TCP each way by hash", (link) => checkTransfer(link, TCP_BYTES));

  for (
    const [option, accm] of [["asyncmap 0", 0], ["asyncmap a0000", 0xa_0000], [
      "default-asyncmap",
      undefined,
    ]] as const
  ) {
    await step(`${option}: control characters are escaped as pppd asks`, async (link) => {
      link.run(serverSettings("chap"));
      await using _pppd = await link.start([...CLIENT, ...option.split(" ")]);
      await up(link);
      assertStrictEquals(link.status()!.lcp.peer.accm, accm);
      // Every control character there is, and both that mean something.
      await ping(ours.name, ADDRESSES.b, { size: 1400 });
      await ping(its.name, ADDRESSES.a, { size: 1400 });
      assertDeepStrictEquals(link.line.drops, { short: 0, long: 0, aborted: 0, fcs: 0 });
    });
  }

  await step("pppd ends the link: we are told, and serve the next one", async (link) => {
    await checkPppdEnds(link);
    await using _next = await link.start(CLIENT);
    await up(link);
  });
  await step("we end the link: pppd is told", async (link) => {
    link.run(serverSettings("chap"));
    await using peer = await link.start(CLIENT);
    await up(link);
    await link.line.end();
    await until(() => peer.ended, "pppd ends");
    assertMatch(await peer.end(), /LCP terminated by peer/);
  });
  await step("pppd falls silent: its echo replies are missed", checkPppdFreezes);
  await step("we fall silent: pppd misses our echo replies", async (link) => {
    link.run(serverSettings("chap"));
    await using peer = await link.start(CLIENT);
    await up(link);
    link.line.setSilent(true);
    await until(() => peer.ended, "pppd ends");
    assertMatch(await peer.end(), /No response to 3 echo-requests/);
  });
});
