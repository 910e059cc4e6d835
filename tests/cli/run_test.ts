/** `src/cli/run.ts` and `context.ts`: what belongs to no command of its own, and how the program ends. */

import { assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { Context } from "../../src/cli/context.ts";
import { PROGRAM_VERSION } from "../../src/model/version.ts";
import { FakeHost } from "../support/fake_host.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

const TUNNEL = "add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2";

Deno.test("PROGRAM_VERSION is the version of deno.json", () => {
  const { version } = JSON.parse(Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)));
  assertStrictEquals(PROGRAM_VERSION, version);
  assertMatch(PROGRAM_VERSION, /^\d+\.\d+\.\d+/);
});

Deno.test("version: as a verb and as an option, as text and as JSON, whatever else is on the line", async () => {
  const host = new FakeHost();
  for (const line of ["version", "-V", "-Version", "--Version", "show -V"]) {
    assertDeepStrictEquals(
      await host.run(line),
      { code: 0, out: `l2tp ${PROGRAM_VERSION}\n`, err: "" },
      line,
    );
  }
  assertEquals(JSON.parse((await host.run("-j version")).out), {
    program: "l2tp",
    version: PROGRAM_VERSION,
  });
  assertStrictEquals(host.transports.length, 0);
});

Deno.test("no words at all: usage on standard error, 255", async () => {
  for (const line of ["", "-j", "-s -d"]) {
    const { code, out, err } = await new FakeHost().run(line);
    assertEquals([code, out], [255, ""], line);
    assertMatch(err, /^Usage: l2tp /, line);
  }
});

Deno.test("-netns: everything happens there; what is not there is told as by ip", async () => {
  const host = new FakeHost();
  const blue = host.addNamespace("blue");
  blue.links.add("eth0");
  blue.links.addAddress("eth0", "10.0.0.1", 24);
  for (const line of [`-n blue ${TUNNEL}`, `${TUNNEL.replace("tunnel_id 1", "tunnel_id 2")} --netns=blue`]) {
    assertDeepStrictEquals(await host.run(line), { code: 0, out: "", err: "" });
  }
  assertDeepStrictEquals([host.home.l2tp.tunnels.size, blue.l2tp.tunnels.size], [0, 2]);
  assertEquals(await host.run("-n green show"), {
    code: 255,
    out: "",
    err: 'Cannot open network namespace "green": No such file or directory\n' +
      "  To see which there are: ip netns list\n",
  });
  const session = await host.run("-n blue add session tid 1 sid 1 psid 1 name pw0 up");
  assertStrictEquals(session.code, 0);
  assertStrictEquals(blue.links.byName("pw0")!.up, true);
});

Deno.test("errors of this program itself are not made up as errors of the user", async () => {
  const host = new FakeHost();
  host.ports.openL2tp = () => {
    throw new TypeError("defect");
  };
  assertFields(await assertRejects(() => host.run("show")), { name: "TypeError", message: "defect" });
});

Deno.test("Context.print() hands output over in pieces, and flush() what is left", () => {
  const host = new FakeHost();
  const order: string[] = [];
  host.ports.out = (text) => void order.push(`out ${text.length}`);
  host.ports.err = () => void order.push("err");
  using context = new Context(host.ports);
  context.print("");
  context.flush();
  assertEquals(order, []);
  context.print("x".repeat(64 * 1024 - 1));
  assertEquals(order, []);
  context.print("y");
  assertEquals(order, ["out 65536"]);
  context.print("z");
  context.flush();
  context.flush();
  assertEquals(order, ["out 65536", "out 1"]);
});

Deno.test("Context opens each connection once, when it is needed, and closes it", async () => {
  const host = new FakeHost();
  {
    using context = new Context(host.ports);
    assertThrows(() => context.links, ReferenceError);
    assertThrows(() => context.l2tp, ReferenceError);
    await context.loadLazy();
    assertStrictEquals(host.transports.length, 0);
    await context.open("read");
    await context.open("create");
    assertStrictEquals(context.l2tp, context.l2tp);
    assertStrictEquals(context.links, context.links);
    assertStrictEquals(host.transports.length, 2);
    assertDeepStrictEquals(host.transports.map(({ disposals }) => disposals), [0, 0]);
  }
  assertStrictEquals(host.leaks, 0);
});
