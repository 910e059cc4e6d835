/** `src/cli/commands/keep.ts`: the process in the background that lives as long as its tunnel. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Tunnel } from "../../../src/model/tunnel.ts";
import { encodeTunnel } from "../../../src/wire/genl/l2tp/tunnel.ts";
import { encodeMessage } from "../../../src/wire/netlink/message.ts";
import { FAMILY_ID } from "../../support/fake_l2tp_kernel.ts";
import { FakeHost } from "../../support/fake_host.ts";
import { sampleIpTunnel, sampleTunnel } from "../../support/samples.ts";
import { until } from "../../support/until.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const IP_TUNNEL = sampleIpTunnel({ tunnelId: 7 });
const UDP_TUNNEL = sampleTunnel({ tunnelId: 7, localPort: 5000 });

function deleted(tunnel: Tunnel): Uint8Array<ArrayBuffer> {
  const payload = encodeTunnel(2, tunnel);
  return encodeMessage({ type: FAMILY_ID, flags: 4, sequence: 1, portId: 2, payload });
}

/** A `keep` that runs. */
class Keeping {
  readonly host = new FakeHost();
  over = false;
  readonly ended: Promise<number>;

  /** Starts it with the tunnel there. */
  constructor(line: string, tunnel: Tunnel) {
    this.host.home.l2tp.tunnels.set(tunnel.tunnelId, tunnel);
    this.ended = this.host.run(line).then(({ code }) => {
      this.over = true;
      return code;
    });
  }

  /** Waits until it has dealt with everything and listens. */
  async listening(): Promise<void> {
    await until(() => this.over || this.host.notifications.waiting, "keep listens");
    assertStrictEquals(this.over, false);
  }

  /** It must end by itself, with 0 and nothing left open. */
  async assertEnds(): Promise<void> {
    await until(() => this.over, "keep ends");
    assertStrictEquals(await this.ended, 0);
    assertStrictEquals(this.host.notifications.closings, 1);
    assertStrictEquals(this.host.leaks, 0);
  }
}

Deno.test("keep ends at once where there is no such tunnel", async () => {
  for (const line of ["keep 7", "keep 7 0", "keep 7 5000"]) {
    const host = new FakeHost();
    assertDeepStrictEquals(await host.run(line), { code: 0, out: "", err: "" }, line);
    assertStrictEquals(host.notifications.closings, 1);
    assertStrictEquals(host.leaks, 0);
  }
});

Deno.test("keep ends at once where the tunnel with the id is another one", async () => {
  await new Keeping("keep 7 5001", UDP_TUNNEL).assertEnds();
  await new Keeping("keep 7 5001", IP_TUNNEL).assertEnds();
  await new Keeping("keep 7 0", UDP_TUNNEL).assertEnds();
});

Deno.test("keep ends when its tunnel is deleted, by id and port, or by id alone", async () => {
  const table: [line: string, tunnel: Tunnel][] = [
    ["keep 7 5000", UDP_TUNNEL],
    ["keep 7", UDP_TUNNEL],
    ["keep 7 0", IP_TUNNEL],
    ["keep 7", IP_TUNNEL],
  ];
  for (const [line, tunnel] of table) {
    const keeping = new Keeping(line, tunnel);
    await keeping.listening();
    keeping.host.home.l2tp.deleteTunnel(7);
    keeping.host.notifications.push(deleted(tunnel));
    await keeping.assertEnds();
  }
});

Deno.test("keep does not even look when another tunnel is deleted", async () => {
  const keeping = new Keeping("keep 7 5000", UDP_TUNNEL);
  await keeping.listening();
  keeping.host.home.l2tp.commands.length = 0;
  keeping.host.notifications.push(
    deleted({ ...UDP_TUNNEL, tunnelId: 8 }),
    deleted({ ...UDP_TUNNEL, localPort: 5001 }),
  );
  await keeping.listening();
  assertEquals(keeping.host.home.l2tp.commands, []);
  keeping.host.home.l2tp.deleteTunnel(7);
  keeping.host.notifications.push(deleted(UDP_TUNNEL));
  await keeping.assertEnds();
});

Deno.test("keep waits for the end of a deletion whose notification came first", async () => {
  const keeping = new Keeping("keep 7 5000", UDP_TUNNEL);
  await keeping.listening();
  keeping.host.notifications.push(deleted(UDP_TUNNEL));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertStrictEquals(keeping.over, false);
  keeping.host.home.l2tp.deleteTunnel(7);
  await keeping.assertEnds();
});

Deno.test("keep ends when a new tunnel has taken the id of its own", async () => {
  const keeping = new Keeping("keep 7 5000", UDP_TUNNEL);
  await keeping.listening();
  keeping.host.home.l2tp.tunnels.set(7, { ...UDP_TUNNEL, localPort: 6000 });
  keeping.host.notifications.push(deleted(UDP_TUNNEL));
  await keeping.assertEnds();
});

Deno.test("keep looks for itself when events were lost", async () => {
  const keeping = new Keeping("keep 7 5000", UDP_TUNNEL);
  await keeping.listening();
  keeping.host.home.l2tp.deleteTunnel(7);
  keeping.host.notifications.push("overrun");
  await keeping.assertEnds();
});

Deno.test("keep stays when such a tunnel is deleted in another namespace, or events were lost, and its own is there", async () => {
  for (const item of [deleted(UDP_TUNNEL), "overrun" as const]) {
    const keeping = new Keeping("keep 7 5000", UDP_TUNNEL);
    await keeping.listening();
    keeping.host.notifications.push(item);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assertStrictEquals(keeping.over, false);
    // And it hears of the end of its own all the same.
    keeping.host.home.l2tp.deleteTunnel(7);
    keeping.host.notifications.push(deleted(UDP_TUNNEL));
    await keeping.assertEnds();
  }
});
