/** `L2tpClient.createAll()`: many creations at a time, done as if one by one. */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Errno } from "../../src/base/errno.ts";
import { NetlinkError } from "../../src/base/errors.ts";
import { resolveFamily } from "../../src/client/genl_family.ts";
import type { Creation } from "../../src/client/creation.ts";
import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { NetlinkConnection } from "../../src/driver/netlink/connection.ts";
import type { SessionParameters } from "../../src/model/session.ts";
import { FakeTransport } from "../support/fake_kernel.ts";
import { FakeL2tpKernel } from "../support/fake_l2tp_kernel.ts";
import { FakeLinks } from "../support/fake_links.ts";
import { assertFields } from "../support/assertions.ts";

function open(acceptsDuplicates = false): { client: L2tpClient; kernel: FakeL2tpKernel; links: FakeLinks } {
  const links = new FakeLinks();
  links.add("eth0");
  links.addAddress("eth0", "10.0.0.1", 24);
  const kernel = new FakeL2tpKernel(links);
  kernel.acceptsDuplicates = acceptsDuplicates;
  const connection = new NetlinkConnection(new FakeTransport(kernel.handle, { background: true }));
  const options = { acceptsDuplicateSessions: acceptsDuplicates };
  return { client: new L2tpClient(connection, resolveFamily(connection, "l2tp"), options), kernel, links };
}

function tunnel(tunnelId: number, localPort = 5000 + tunnelId): Creation {
  const ends = { local: "10.0.0.1", peer: "10.0.0.2", localPort, peerPort: 1 };
  return { tunnel: { tunnelId, peerTunnelId: 1, encap: "udp", ...ends } };
}

function session(tunnelId: number, sessionId: number, more: Partial<SessionParameters> = {}): Creation {
  return { session: { tunnelId, sessionId, peerSessionId: 1, ...more } };
}

/** What became of each, in a word. */
function words(outcomes: readonly (NetlinkError | "notCreated" | undefined)[]): string[] {
  return outcomes.map((outcome) => outcome instanceof NetlinkError ? outcome.code : outcome ?? "created");
}

/** What is there: tunnel ids, and sessions as "tunnel/session". */
function present(kernel: FakeL2tpKernel): [number[], string[]] {
  return [
    [...kernel.tunnels.keys()],
    kernel.sessions.map(({ tunnelId, sessionId }) => `${tunnelId}/${sessionId}`),
  ];
}

Deno.test("createAll() creates all in order, sessions in tunnels of the same exchange too", async () => {
  const { client, kernel } = open();
  const outcomes = await client.createAll([
    tunnel(1),
    session(1, 10),
    tunnel(2),
    session(2, 20),
    session(1, 11),
  ], {
    goOn: false,
  });
  assertEquals(words(outcomes), Array(5).fill("created"));
  assertEquals(present(kernel), [[1, 2], ["1/10", "2/20", "1/11"]]);
  assertEquals(await client.createAll([], { goOn: false }), []);
});

Deno.test("createAll() of more than one datagram has room for: all, and nothing behind a refusal in any", async () => {
  const many = Array.from({ length: 1000 }, (_, i) => session(1, i + 1, { interfaceName: `pw${i}` }));
  const { client, kernel } = open();
  assertEquals(
    words(await client.createAll([tunnel(1), ...many], { goOn: false })),
    Array(1001).fill("created"),
  );
  assertStrictEquals(kernel.sessions.length, 1000);
  const other = open();
  const refused = many.with(300, session(9, 1));
  const outcomes = words(await other.client.createAll([tunnel(1), ...refused], { goOn: false }));
  assertEquals(outcomes.slice(0, 301), Array(301).fill("created"));
  assertEquals(outcomes.slice(302), Array(699).fill("notCreated"));
  assertStrictEquals(other.kernel.sessions.length, 300);
});

Deno.test("createAll() without goOn: nothing behind the first refusal stays, what is in front of it does", async () => {
  const { client, kernel, links } = open();
  const outcomes = await client.createAll([
    tunnel(1),
    session(1, 10, { interfaceName: "pw0" }),
    session(9, 1),
    tunnel(2),
    session(2, 20),
    session(1, 11, { interfaceName: "pw1" }),
    // What is refused behind the first refusal is not told: it was never the user's turn to see it.
    session(9, 2),
  ], { goOn: false });
  assertEquals(words(outcomes), ["created", "created", "ENODEV", ...Array(4).fill("notCreated")]);
  assertEquals(present(kernel), [[1], ["1/10"]]);
  assertEquals([...links.links.values()].map(({ name }) => name), ["lo", "eth0", "pw0"]);
});

Deno.test("createAll() without goOn deletes by ids: what has the name of a session to be deleted stays", async () => {
  const { client, kernel } = open();
  await client.createAll([tunnel(1), session(1, 10, { interfaceName: "pw%d" })], { goOn: false });
  const outcomes = await client.createAll([
    session(9, 1),
    // The kernel makes pw1 of it, so that no session is called pw%d.
    session(1, 11, { interfaceName: "pw%d" }),
    session(1, 12, { interfaceName: undefined }),
    session(1, 13),
  ], { goOn: false });
  assertEquals(words(outcomes), ["ENODEV", "notCreated", "notCreated", "notCreated"]);
  assertEquals(present(kernel), [[1], ["1/10"]]);
});

Deno.test("createAll() with goOn: each is tried, and each refusal told", async () => {
  const { client, kernel } = open();
  const outcomes = await client.createAll([
    tunnel(1),
    tunnel(1),
    session(9, 1),
    tunnel(2, 5001),
    session(1, 10),
    session(1, 10, { interfaceName: "pw1" }),
  ], { goOn: true });
  assertEquals(words(outcomes), ["created", "EEXIST", "ENODEV", "EADDRINUSE", "created", "EEXIST"]);
  assertEquals(present(kernel), [[1], ["1/10"]]);
});

Deno.test("createAll() takes what somebody else deleted meanwhile for deleted", async () => {
  const { client, kernel } = open();
  kernel.refuseNext("TUNNEL_DELETE", Errno.ENODEV);
  const outcomes = await client.createAll([session(9, 1), tunnel(1)], { goOn: false });
  assertEquals(words(outcomes), ["ENODEV", "notCreated"]);
});

Deno.test("createAll() throws when what was created cannot be deleted again", async () => {
  const { client, kernel } = open();
  kernel.refuseNext("TUNNEL_DELETE", Errno.EPERM);
  assertFields(await assertRejects(() => client.createAll([session(9, 1), tunnel(1)], { goOn: false })), {
    errno: Errno.EPERM,
  });
});

Deno.test("createAll() where the kernel would take the same id twice: duplicates are refused here", async () => {
  for (const goOn of [true, false]) {
    const { client, kernel } = open(true);
    await client.createAll([tunnel(1), session(1, 10)], { goOn });
    const outcomes = await client.createAll(
      [session(1, 11), session(1, 10), session(1, 12), session(1, 12)],
      { goOn },
    );
    const expected = goOn
      ? ["created", "EEXIST", "created", "EEXIST"]
      : ["created", "EEXIST", "notCreated", "notCreated"];
    assertEquals(words(outcomes), expected);
    assertEquals(present(kernel)[1], goOn ? ["1/10", "1/11", "1/12"] : ["1/10", "1/11"]);
    assertStrictEquals((outcomes[1] as NetlinkError).operation, "L2TP_CMD_SESSION_CREATE");
  }
});

Deno.test("createAll() where the kernel would take the same id twice: an id is taken only by what was created", async () => {
  const { client, kernel } = open(true);
  await client.createAll([tunnel(1)], { goOn: true });
  const outcomes = await client.createAll([
    session(1, 10, { interfaceName: "a:b" }),
    session(1, 10, { interfaceName: "pw0" }),
  ], { goOn: true });
  assertEquals(words(outcomes), ["EINVAL", "created"]);
  assertEquals(present(kernel)[1], ["1/10"]);
});

Deno.test("createAll(): 1,000 creations at a time", async () => {
  const { client, kernel } = open();
  const creations = [tunnel(1), ...Array.from({ length: 999 }, (_, i) => session(1, i + 1))];
  assertEquals(new Set(await client.createAll(creations, { goOn: false })), new Set([undefined]));
  assertStrictEquals(kernel.sessions.length, 999);
});
