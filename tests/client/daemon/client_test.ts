/** `src/client/daemon/client.ts`, `empty_subsystem.ts`, `subsystem.ts`, and descriptors on their way to a transport. */

import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { Errno } from "../../../src/base/errno.ts";
import { DecodeError, NetlinkError } from "../../../src/base/errors.ts";
import { resolveFamily } from "../../../src/client/genl_family.ts";
import { L2tpClient } from "../../../src/client/l2tp_client.ts";
import { emptyL2tpClient, EmptySubsystem } from "../../../src/client/daemon/empty_subsystem.ts";
import { type ClientPurpose, openSubsystem, type UserSubsystem } from "../../../src/client/subsystem.ts";
import { DaemonClient } from "../../../src/client/daemon/client.ts";
import { NetlinkConnection } from "../../../src/driver/netlink/connection.ts";
import { L2TPD_FAMILY_ID } from "../../../src/wire/l2tpd/constants.ts";
import { encodeL2tpdText, L2TPD_CMD } from "../../../src/wire/l2tpd/family.ts";
import { NLM_F_DUMP } from "../../../src/wire/netlink/constants.ts";
import { dump, FakeTransport, type KernelFunction, refuse } from "../../support/fake_kernel.ts";
import { FakeL2tpKernel, FAMILY_ID } from "../../support/fake_l2tp_kernel.ts";
import { FakeLinks } from "../../support/fake_links.ts";
import { assertDeepStrictEquals, assertFields } from "../../support/assertions.ts";

const FAMILY = { name: "l2tp", id: FAMILY_ID, groups: new Map() };
const TUNNEL = {
  tunnelId: 1,
  peerTunnelId: 2,
  encap: "ip",
  local: "127.0.0.1",
  peer: "127.0.0.2",
} as const;

function userClient(kernel: KernelFunction): { client: L2tpClient; transport: FakeTransport } {
  const transport = new FakeTransport(kernel);
  const connection = new NetlinkConnection(transport);
  return { client: new L2tpClient(connection, FAMILY, { daemon: new DaemonClient(connection) }), transport };
}

/** A daemon that answers dumps with these texts. */
function saying(command: number, ...texts: string[]): KernelFunction {
  return (request) => dump(request, texts.map((text) => encodeL2tpdText(command, text)));
}

Deno.test("L2tpClient.debugfs() asks the daemon's own family for its debug text and puts the pieces together", () => {
  const { client, transport } = userClient(saying(L2TPD_CMD.DEBUGFS, "TUNNEL 1\n  SES", "SION 2\n"));
  assertStrictEquals(client.dataplane, "user");
  assertStrictEquals(client.debugfs(), "TUNNEL 1\n  SESSION 2\n");
  const [request] = transport.requests;
  assertEquals([request!.type, request!.payload[0]], [L2TPD_FAMILY_ID, L2TPD_CMD.DEBUGFS]);
  assertStrictEquals(request!.flags & NLM_F_DUMP, NLM_F_DUMP);
  assertStrictEquals(userClient(saying(L2TPD_CMD.DEBUGFS)).client.debugfs(), "");
});

Deno.test("L2tpClient.drops() reads rows of sessions, tunnels and sockets", () => {
  const { client } = userClient(saying(
    L2TPD_CMD.DROPS,
    '{"tunnel_id":1,"session_id":2,"drops":{"cookie_mismatch":3}}',
    '{"tunnel_id":1,"drops":{}}',
    '{"local":"10.0.0.1","port":1701,"drops":{"a":1,"b":2}}',
  ));
  const none = { tunnelId: undefined, sessionId: undefined, local: undefined, port: undefined };
  assertDeepStrictEquals(client.drops(), [
    { ...none, tunnelId: 1, sessionId: 2, reasons: new Map([["cookie_mismatch", 3]]) },
    { ...none, tunnelId: 1, reasons: new Map() },
    { ...none, local: "10.0.0.1", port: 1701, reasons: new Map([["a", 1], ["b", 2]]) },
  ]);
});

Deno.test("L2tpClient.drops() throws DecodeError for an answer that is not valid, NetlinkError for refusals", () => {
  for (const text of ["", "nonsense", "null", "7", "{}", '{"drops":null}', '{"drops":{"a":"1"}}']) {
    assertThrows(
      () => userClient(saying(L2TPD_CMD.DROPS, text)).client.drops(),
      DecodeError,
      undefined,
      text,
    );
  }
  const { client } = userClient((request) => [refuse(request, Errno.EOPNOTSUPP)]);
  assertFields(assertThrows(() => client.drops()), { name: "NetlinkError", operation: "L2TPD_CMD_DROPS" });
});

Deno.test("a client of the kernel tells neither", () => {
  const transport = new FakeTransport(new FakeL2tpKernel(new FakeLinks()).handle);
  const client = new L2tpClient(new NetlinkConnection(transport), FAMILY);
  assertEquals([client.dataplane, client.daemon], ["kernel", undefined]);
  assertEquals([client.debugfs(), client.drops(), client.offloads()], [undefined, [], []]);
  assertStrictEquals(transport.requests.length, 0);
});

Deno.test("EmptySubsystem: empty listings, and the answers to unknown ids", () => {
  const transport = new EmptySubsystem();
  const connection = new NetlinkConnection(transport);
  using client = new L2tpClient(connection, resolveFamily(connection, "l2tp"));
  client.noop();
  assertEquals([client.tunnels(), client.sessions()], [[], []]);
  assertEquals([client.tunnel(1), client.session({ interfaceName: "a" })], [undefined, undefined]);
  for (
    const act of [
      () => client.deleteTunnel(1),
      () => client.announceTunnel(1),
      () => client.deleteSession({ tunnelId: 1, sessionId: 2 }),
      () => client.modifySession({ tunnelId: 1, sessionId: 2 }, { sendSeq: true }),
      () => client.createSession({ tunnelId: 1, sessionId: 2, peerSessionId: 3 }),
    ]
  ) assertFields(assertThrows(act), { name: "NetlinkError", errno: Errno.ENODEV });
  assertThrows(() => transport.receive(), ReferenceError);
});

Deno.test("EmptySubsystem answers several requests of one datagram", async () => {
  const client = new L2tpClient(new NetlinkConnection(new EmptySubsystem()), FAMILY);
  const session = { tunnelId: 1, sessionId: 2, peerSessionId: 3 };
  const outcomes = await client.createAll([{ session }, { session }], { goOn: true });
  assertEquals(outcomes.map((outcome) => (outcome as NetlinkError).errno), [Errno.ENODEV, Errno.ENODEV]);
});

/** Keeps the descriptors that were sent. */
class FdTransport extends FakeTransport {
  readonly fds: (readonly number[] | undefined)[] = [];

  override send(datagram: Uint8Array<ArrayBuffer>, fds?: readonly number[]): void {
    this.fds.push(fds);
    super.send(datagram);
  }
}

Deno.test("a tunnel's descriptor goes with its request, in order where several go together", async () => {
  const kernel = new FakeL2tpKernel(new FakeLinks());
  for (const fd of [7, 8, 9]) {
    kernel.sockets.set(fd, {
      local: "127.0.0.1",
      peer: "127.0.0.2",
      localPort: undefined,
      peerPort: undefined,
    });
  }
  const transport = new FdTransport(kernel.handle);
  const client = new L2tpClient(new NetlinkConnection(transport), FAMILY);
  client.createTunnel({ ...TUNNEL, fd: 7 });
  client.deleteTunnel(1);
  await client.createAll([
    { tunnel: { ...TUNNEL, tunnelId: 2, fd: 9 } },
    { session: { tunnelId: 2, sessionId: 1, peerSessionId: 1 } },
    { tunnel: { ...TUNNEL, tunnelId: 3 } },
    { tunnel: { ...TUNNEL, tunnelId: 4, fd: 8 } },
  ], { goOn: true });
  assertEquals(transport.fds, [[7], undefined, [9, 8]]);
});

/** Which ways openSubsystem() takes, and where it ends. */
async function way(
  choice: "auto" | "kernel" | "user",
  purpose: ClientPurpose,
  kernel: boolean,
  daemon: boolean,
): Promise<string> {
  const steps: string[] = [];
  const step = (name: string): L2tpClient => {
    steps.push(name);
    return new L2tpClient(new NetlinkConnection(new EmptySubsystem()), FAMILY);
  };
  const user: UserSubsystem = {
    connect: () => Promise.resolve(daemon ? step("connect") : void step("no daemon")),
    emptyClient: () => step("nothing"),
    leftBehind: () => undefined,
    absent: () => new RangeError("absent"),
    start: () => Promise.resolve({ client: step("start"), pid: 5 }),
  };
  try {
    const opened = await openSubsystem(choice, purpose, {
      kernel: () => {
        step("kernel");
        return kernel ? step("has it") : undefined;
      },
      user: () => user,
    });
    opened.client;
    assertStrictEquals(opened.startedPid, steps.at(-1) === "start" ? 5 : undefined);
    assertStrictEquals(opened.isEmpty, steps.at(-1) === "nothing" ? true : undefined);
  } catch (error) {
    steps.push((error as Error).name);
  }
  return steps.join(", ");
}

Deno.test("openSubsystem(): every choice, purpose and state of the world", async () => {
  const table: [...Parameters<typeof way>, expected: string][] = [
    ["auto", "read", true, true, "kernel, has it"],
    ["auto", "create", true, false, "kernel, has it"],
    ["auto", "listen", true, false, "kernel, has it"],
    ["auto", "read", false, true, "kernel, connect"],
    ["auto", "create", false, true, "kernel, connect"],
    ["auto", "listen", false, true, "kernel, connect"],
    ["auto", "read", false, false, "kernel, no daemon, nothing"],
    ["auto", "create", false, false, "kernel, no daemon, start"],
    ["auto", "listen", false, false, "kernel, no daemon, RangeError"],
    ["kernel", "read", true, true, "kernel, has it"],
    ["kernel", "read", false, true, "kernel, FamilyMissingError"],
    ["kernel", "create", false, false, "kernel, FamilyMissingError"],
    ["user", "read", true, true, "connect"],
    ["user", "read", true, false, "no daemon, nothing"],
    ["user", "create", true, false, "no daemon, start"],
    ["user", "listen", true, false, "no daemon, RangeError"],
  ];
  for (const [choice, purpose, kernel, daemon, expected] of table) {
    assertStrictEquals(await way(choice, purpose, kernel, daemon), expected, `${choice} ${purpose}`);
  }
  const defect = openSubsystem("auto", "read", {
    kernel: () => {
      throw new TypeError("defect");
    },
    user: () => {
      throw new Error("asked");
    },
  });
  await assertRejects(() => defect, TypeError);
});

Deno.test("emptyL2tpClient() is a client of the subsystem in userspace, with no daemon and nothing to show", () => {
  using client = emptyL2tpClient();
  assertStrictEquals(client.dataplane, "user");
  assertEquals([client.debugfs(), client.drops(), client.offloads()], ["", [], []]);
  assertEquals([client.daemon, client.tunnels(), client.sessions()], [undefined, [], []]);
});

Deno.test("DaemonClient.declaredTunnels() leaves out rows that are not valid", () => {
  const row = { name: "a", tunnel_id: 1, message: "waits for a route", since_ms: 5, waits_for: "route" };
  const { client } = userClient(saying(
    L2TPD_CMD.DECLARED,
    JSON.stringify(row),
    "nonsense",
    JSON.stringify({ ...row, tunnel_id: "1" }),
  ));
  assertEquals(client.daemon!.pendingTunnels(), [{
    name: "a",
    tunnelId: 1,
    waitsFor: "route",
    subject: undefined,
    message: "waits for a route",
    sinceMs: 5,
  }]);
});

Deno.test("DaemonClient and PppClient work over one connection", () => {
  const { client, transport } = userClient((request) =>
    request.payload[0] === L2TPD_CMD.PPP_STATUS ? dump(request, []) : [refuse(request, Errno.ENODEV)]
  );
  assertEquals(client.daemon!.ppp.sessions(), []);
  const session = { dataplane: "user", tunnelId: 1, sessionId: 2 } as const;
  assertFields(assertThrows(() => client.daemon!.ppp.end(session)), {
    operation: "L2TPD_CMD_PPP_END",
    code: "ENODEV",
  });
  assertEquals(transport.requests.map(({ payload }) => payload[0]), [
    L2TPD_CMD.PPP_STATUS,
    L2TPD_CMD.PPP_END,
  ]);
});
