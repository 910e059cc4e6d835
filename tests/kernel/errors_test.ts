/**
 * Errors of `l2tp` when the real kernel refuses: the line of `ip`, then reason and advice, and the same as JSON.
 */

import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { AF_INET, IPPROTO_L2TP } from "../../src/base/inet.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { encodeInet, encodeL2tpIp } from "../../ffi/sockets/sockaddr.ts";
import { SOCK_DGRAM, Socket } from "../../ffi/sockets/socket.ts";
import type { Namespace } from "../support/namespaces.ts";
import { l2tp, programUnderTest, runProgram } from "../support/processes.ts";
import { clientIn, openHost, requireL2tp } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** A line, and what is said of it. */
interface Refused {
  readonly why: string;
  readonly line: string;
  readonly error: string;
  readonly code: string;
  readonly errno: number;
  /** The lines behind the first. */
  readonly advice: readonly string[];
}

const V4 = "local 10.0.0.1 remote 10.0.0.2";
const NEW = "add tunnel tunnel_id 7 peer_tunnel_id 8";
const TUNNEL_1 = "Tunnel 1 (UDP from 10.0.0.1 port 5000 to 10.0.0.2 port 6000, peer tunnel 2)";

const REFUSED: readonly Refused[] = [
  {
    why: "the tunnel's id is in use",
    line: `add tunnel tunnel_id 1 peer_tunnel_id 8 encap udp ${V4} udp_sport 5001 udp_dport 6001`,
    error: "RTNETLINK answers: File exists",
    code: "EEXIST",
    errno: 17,
    advice: [
      `${TUNNEL_1} has that id.`,
      "Choose another tunnel_id, or delete it first: l2tp del tunnel tunnel_id 1",
    ],
  },
  {
    why: "another tunnel has the port",
    line: `${NEW} encap udp ${V4} udp_sport 5000 udp_dport 6001`,
    error: "RTNETLINK answers: Address already in use",
    code: "EADDRINUSE",
    errno: 98,
    advice: [`${TUNNEL_1} has UDP port 5000.`, "Choose another udp_sport; each tunnel needs its own."],
  },
  {
    why: "another program has the port",
    line: `${NEW} encap udp ${V4} udp_sport 7000 udp_dport 6001`,
    error: "RTNETLINK answers: Address already in use",
    code: "EADDRINUSE",
    errno: 98,
    advice: [
      "Another program has UDP port 7000 on 10.0.0.1: ss -uanp sport = :7000",
      "Choose another udp_sport; each tunnel needs its own.",
    ],
  },
  {
    why: "another program has the connection id",
    line: `add tunnel tunnel_id 77 peer_tunnel_id 8 encap ip ${V4}`,
    error: "RTNETLINK answers: Address already in use",
    code: "EADDRINUSE",
    errno: 98,
    advice: [
      "Another L2TP/IP socket of this host has connection id 77 on 10.0.0.1.",
      "Choose another tunnel_id.",
    ],
  },
  {
    why: "the local address is not here",
    line: `${NEW} encap ip local 10.9.9.9 remote 10.0.0.2`,
    error: "RTNETLINK answers: Cannot assign requested address",
    code: "EADDRNOTAVAIL",
    errno: 99,
    advice: [
      "10.9.9.9 is not an address of this host in this network namespace.",
      "It has 127.0.0.1, 10.0.0.1",
      "Add it (ip addr add 10.9.9.9/… dev …), or let the kernel choose: local any",
    ],
  },
  {
    why: "no route",
    line: `${NEW} encap udp local 10.0.0.1 remote 203.0.113.1 udp_sport 5001 udp_dport 6001`,
    error: "RTNETLINK answers: Network is unreachable",
    code: "ENETUNREACH",
    errno: 101,
    advice: [
      "There is no route from 10.0.0.1 to 203.0.113.1.",
      "The kernel looks for one when the tunnel is created: bring the interface up and add the route first.",
      "See: ip route get 203.0.113.1",
    ],
  },
  {
    why: "the families differ",
    line: `${NEW} encap ip local 10.0.0.1 remote fd00::2`,
    error: "RTNETLINK answers: Invalid argument",
    code: "EINVAL",
    errno: 22,
    advice: [
      "10.0.0.1 and fd00::2 are of different families.",
      "Give two IPv4 addresses or two IPv6 ones.",
    ],
  },
  {
    why: "link-local without interface",
    line: `${NEW} encap udp local fe80::1 remote fe80::2 udp_sport 5001 udp_dport 6001`,
    error: "RTNETLINK answers: Invalid argument",
    code: "EINVAL",
    errno: 22,
    advice: [
      "fe80::1 is link-local, so the kernel needs to know its interface.",
      "Add it: fe80::1%INTERFACE",
    ],
  },
  {
    why: "a session without its tunnel",
    line: "add session tunnel_id 99 session_id 11 peer_session_id 21",
    error: "RTNETLINK answers: No such device",
    code: "ENODEV",
    errno: 19,
    advice: ["There is no tunnel 99 in this network namespace.", "The tunnels are: 1, 3"],
  },
  {
    why: "the session's id is in use in its tunnel",
    line: "add session tunnel_id 3 session_id 10 peer_session_id 21",
    error: "RTNETLINK answers: File exists",
    code: "EEXIST",
    errno: 17,
    advice: [
      "Session 10 already exists in tunnel 3, with peer session 20 and interface l2e0.",
      "Choose another session_id, or delete it first: l2tp del session tunnel_id 3 session_id 10",
    ],
  },
  {
    why: "the session's id is in use in a tunnel over IP",
    line: "add session tunnel_id 1 session_id 10 peer_session_id 21",
    error: "RTNETLINK answers: File exists",
    code: "EEXIST",
    errno: 17,
    advice: [
      "Session id 10 is in use in tunnel 3 to 10.0.0.3.",
      "Tunnels over IP share their session ids with all others of the namespace. Choose another session_id.",
    ],
  },
  {
    why: "the interface's name is in use",
    line: "add session tunnel_id 1 session_id 11 peer_session_id 21 name d0",
    error: "RTNETLINK answers: File exists",
    code: "EEXIST",
    errno: 17,
    advice: ["Interface d0 already exists.", "Choose another name, or leave it out."],
  },
  {
    why: "no such tunnel to delete",
    line: "del tunnel tunnel_id 99",
    error: "RTNETLINK answers: No such device",
    code: "ENODEV",
    errno: 19,
    advice: ["There is no tunnel 99 in this network namespace.", "The tunnels are: 1, 3"],
  },
  {
    why: "no such session to change",
    line: "set session tunnel_id 3 session_id 99 seq both",
    error: "RTNETLINK answers: No such device",
    code: "ENODEV",
    errno: 19,
    advice: ["There is no session 99 in tunnel 3.", "The sessions are: 10"],
  },
];

/** Expected text of the refusal. */
function asText({ error, advice }: Refused): string {
  return `${error}\n${advice.map((line) => `  ${line}\n`).join("")}`;
}

/** Tunnels, a session, and other programs' sockets that are in the way. */
function obstruct(host: Namespace): DisposableStack {
  using stack = new DisposableStack();
  {
    using client = clientIn(host);
    client.createTunnel({
      tunnelId: 1,
      peerTunnelId: 2,
      encap: "udp",
      local: "10.0.0.1",
      peer: "10.0.0.2",
      localPort: 5000,
      peerPort: 6000,
    });
    client.createTunnel({ tunnelId: 3, peerTunnelId: 4, encap: "ip", local: "10.0.0.1", peer: "10.0.0.3" });
    client.createSession({ tunnelId: 3, sessionId: 10, peerSessionId: 20, interfaceName: "l2e0" });
  }
  const address = parseIpAddress("10.0.0.1")!;
  inNamespace(host.name, () => {
    stack.use(Socket.open(AF_INET, SOCK_DGRAM, 0)).bind(encodeInet({ address, port: 7000 }));
    const connectionId = 77;
    stack.use(Socket.open(AF_INET, SOCK_DGRAM, IPPROTO_L2TP)).bind(encodeL2tpIp({ address, connectionId }));
  });
  return stack.move();
}

Deno.test("refusals are explained", async (t) => {
  requireL2tp();
  await using host = await openHost("errors");
  await host.ip("addr add fe80::1/64 dev d0 nodad");
  using _obstacles = obstruct(host);
  const stdin = REFUSED.map(({ line }) => `${line}\n`).join("");
  const [text, json] = await Promise.all([
    l2tp(["-n", host.name, "-force", "-batch", "-"], { stdin }),
    l2tp(["-n", host.name, "-j", "-force", "-batch", "-"], { stdin }),
  ]);
  assertEquals([text.code, text.stdout, json.code, json.stdout], [1, "", 1, ""]);
  const paragraphs = text.stderr.split(/^Command failed -:\d+\n/m);
  assertStrictEquals(paragraphs.pop(), "");
  const objects = json.stderr.trimEnd().split("\n").map((line) =>
    JSON.parse(line) as Record<string, unknown>
  );
  assertDeepStrictEquals([paragraphs.length, objects.length], [REFUSED.length, REFUSED.length]);
  for (const [i, refused] of REFUSED.entries()) {
    await t.step(refused.why, () => {
      assertStrictEquals(paragraphs[i], asText(refused));
      const { error, code, errno, advice } = refused;
      const place = { file: "-", line: i + 1 };
      assertDeepStrictEquals(objects[i], { error, exit_code: 2, code, errno, advice, ...place });
    });
  }
  await t.step("as a separate process", async () => {
    const [first] = REFUSED as [Refused];
    const ended = await l2tp(["-n", host.name, ...first.line.split(" ")]);
    assertEquals(ended, { code: 2, stdout: "", stderr: asText(first) });
  });
  await t.step("the advised command shows the owner of the port", async () => {
    const [, command] = /: (ss .*)$/.exec(REFUSED[2]!.advice[0]!)!;
    assertMatch(await host.sh("sh", "-c", command!), /\b10\.0\.0\.1:7000\b.*pid=\d+/);
  });
});

Deno.test("without CAP_NET_ADMIN", async (t) => {
  requireL2tp();
  await using host = await openHost("eperm");
  const said = "RTNETLINK answers: Operation not permitted\n" +
    "  L2TP needs CAP_NET_ADMIN in the user namespace that owns this network namespace, for reading too.\n" +
    "  Run it as root: sudo l2tp …\n";
  const dropped = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", "--"];
  const cases: readonly [string, number, readonly string[], readonly string[]][] = [
    ["root without the capability, reading", 1, dropped, ["-n", host.name, "show"]],
    ["root without the capability, changing", 2, dropped, [
      "-n",
      host.name,
      "del",
      "tunnel",
      "tunnel_id",
      "1",
    ]],
    ["root of another user namespace", 1, ["unshare", "--user", "--map-root-user", "--"], ["show"]],
  ];
  const ends = await Promise.all(
    cases.map(([, , before, args]) => runProgram([...before, ...programUnderTest(), ...args])),
  );
  for (const [i, [name, code]] of cases.entries()) {
    await t.step(name, () => assertDeepStrictEquals(ends[i], { code, stdout: "", stderr: said }));
  }
});
