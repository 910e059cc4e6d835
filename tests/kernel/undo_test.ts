/**
 * `l2tp add` with everything in one line: all of it, or nothing.
 */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { Namespace } from "../support/namespaces.ts";
import { l2tp } from "../support/processes.ts";
import { clientIn, linkNames, linksIn, openHost, requireL2tp, until } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const UDP = "encap udp local 10.0.0.1 remote 10.0.0.2";

Deno.test("a line makes tunnel, session, and the interface in another namespace's bridge", async () => {
  requireL2tp();
  await using host = await openHost("whole");
  await using inside = await Namespace.create("inside");
  await inside.ip("link add br0 type bridge");
  const line = `add tunnel session tunnel_id 1 peer_tunnel_id 2 ${UDP} udp_sport 5000 udp_dport 6000 ` +
    `session_id 10 peer_session_id 20 name l2e0 mtu 1400 master br0 addr 192.168.7.1/24 addr fd07::1/64 ` +
    `netns ${inside.name} up`;
  assertDeepStrictEquals(await l2tp(["-n", host.name, ...line.split(" ")]), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  assert(!linkNames(host).includes("l2e0"), "the interface has left the tunnel's namespace");
  using links = linksIn(inside);
  const { index, name, up, mtu, master } = links.link("l2e0")!;
  assertDeepStrictEquals([name, up, mtu, master], ["l2e0", true, 1400, links.link("br0")!.index]);
  const addresses = links.addresses().filter((address) =>
    address.index === index && !/^fe80/.test(address.address)
  );
  assertEquals(addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`), [
    "192.168.7.1/24",
    "fd07::1/64",
  ]);
  using client = clientIn(host);
  assertStrictEquals(client.session({ interfaceName: "l2e0" })?.tunnelId, 1);
  client.deleteTunnel(1);
  await until("the interface goes with the tunnel, wherever it is", () => links.link("l2e0") === undefined);
});

/** A line whose step fails, and what is said of it. */
interface Failing {
  readonly step: string;
  /** The words behind `add tunnel session …` for the tunnel, `session_id …` for the session. */
  readonly tunnel?: string;
  readonly session: string;
  readonly exitCode: number;
  readonly code?: string;
  readonly error: RegExp;
}

const FAILING: readonly Failing[] = [
  {
    step: "no such bridge",
    session: "session_id 10 peer_session_id 20 name l2e0 master br9 up",
    exitCode: 255,
    error: /^Error: argument "br9" is wrong: Device does not exist$/,
  },
  {
    step: "no such namespace",
    session: "session_id 10 peer_session_id 20 name l2e0 netns nowhere up",
    exitCode: 255,
    error: /nowhere/,
  },
  {
    step: "the tunnel",
    tunnel:
      "tunnel_id 1 peer_tunnel_id 2 encap udp local 10.9.9.9 remote 10.0.0.2 udp_sport 5000 udp_dport 6000",
    session: "session_id 10 peer_session_id 20 name l2e0 up",
    exitCode: 2,
    code: "EADDRNOTAVAIL",
    error: /^RTNETLINK answers: Cannot assign requested address$/,
  },
  {
    step: "the session: its name is taken",
    session: "session_id 10 peer_session_id 20 name d0 up",
    exitCode: 2,
    code: "EEXIST",
    error: /^RTNETLINK answers: File exists$/,
  },
  {
    step: "the session: its id is taken by a tunnel over IP",
    session: "session_id 99 peer_session_id 20 name l2e0 up",
    exitCode: 2,
    code: "EEXIST",
    error: /^RTNETLINK answers: File exists$/,
  },
  {
    step: "mtu",
    session: "session_id 10 peer_session_id 20 name l2e0 mtu 70000 up",
    exitCode: 2,
    code: "EINVAL",
    error: /^Error: mtu greater than device maximum\.$/,
  },
  {
    step: "master: a device that cannot have members",
    session: "session_id 10 peer_session_id 20 name l2e0 mtu 1400 master d0 up",
    exitCode: 2,
    code: "EOPNOTSUPP",
    error: /not supported/,
  },
  {
    step: "addr: the same one twice",
    session: "session_id 10 peer_session_id 20 name l2e0 addr 192.168.7.1/24 addr 192.168.7.1/24 up",
    exitCode: 2,
    code: "EEXIST",
    error: /exists|assigned/,
  },
  {
    step: "netns: the name is taken there",
    session: "session_id 10 peer_session_id 20 name taken netns INSIDE up",
    exitCode: 2,
    code: "EEXIST",
    error: /exists/,
  },
  {
    step: "addr, after the interface has left",
    session:
      "session_id 10 peer_session_id 20 name l2e0 netns INSIDE addr 192.168.7.1/24 addr 192.168.7.1/24 up",
    exitCode: 2,
    code: "EEXIST",
    error: /exists|assigned/,
  },
];

Deno.test("a line that fails at any step leaves nothing behind", async (t) => {
  requireL2tp();
  await using host = await openHost("undo");
  await using inside = await Namespace.create("inside");
  await inside.ip("link add taken type dummy");
  using client = clientIn(host);
  // Conflicts with one of the lines only.
  client.createTunnel({ tunnelId: 9, peerTunnelId: 9, encap: "ip", local: "10.0.0.1", peer: "10.0.0.2" });
  client.createSession({ tunnelId: 9, sessionId: 99, peerSessionId: 99, interfaceName: "other" });
  const everything = (): unknown => ({
    tunnels: client.tunnels().map(({ tunnelId }) => tunnelId),
    sessions: client.sessions().map(({ sessionId }) => sessionId),
    links: linkNames(host),
    inside: linkNames(inside),
  });
  const before = everything();

  const rest = ` ${UDP} udp_sport 5000 udp_dport 6000`;
  const lines = FAILING.map(({ tunnel, session }) =>
    `add tunnel session ${tunnel ?? `tunnel_id 1 peer_tunnel_id 2${rest}`} ${session}`.replace(
      "INSIDE",
      inside.name,
    )
  );
  // One process for all of them: each line would find what the one before left.
  const ended = await l2tp(["-n", host.name, "-j", "-force", "-batch", "-"], {
    stdin: lines.join("\n") + "\n",
  });
  assertEquals([ended.code, ended.stdout], [1, ""]);
  const errors = ended.stderr.trimEnd().split("\n").map((line) =>
    JSON.parse(line) as { error: string; exit_code: number; code?: string; line: number }
  );
  assertStrictEquals(errors.length, FAILING.length, ended.stderr);
  for (const [i, { step, exitCode, code, error }] of FAILING.entries()) {
    await t.step(step, () => {
      const said = errors[i]!;
      assertDeepStrictEquals([said.line, said.exit_code, said.code], [i + 1, exitCode, code], ended.stderr);
      assertMatch(said.error, error);
    });
  }
  await until("nothing is left", () => JSON.stringify(everything()) === JSON.stringify(before));

  await t.step("as a separate process", async () => {
    const { code, stderr } = await l2tp(["-n", host.name, ...lines[5]!.split(" ")]);
    assertStrictEquals(code, 2);
    assertMatch(stderr, /^Error: mtu greater than device maximum\.\n/);
    await until("nothing is left", () => JSON.stringify(everything()) === JSON.stringify(before));
  });
});
