/** `src/subsystem/debugfs.ts`: the debug file, as captured from kernels. */

import { assertStrictEquals } from "@std/assert";
import { ZERO_COUNTERS } from "../../src/model/counters.ts";
import { debugfsText, type DebugSession, type DebugTunnel } from "../../src/subsystem/debugfs.ts";
import { goldenText } from "../support/golden.ts";
import { sampleIpTunnel, sampleSession, sampleTunnel, sampleTunnel6 } from "../support/samples.ts";
import { hexBytes } from "../support/golden.ts";
import { SubsystemFixture } from "./fixture.ts";

const CAPTURED = goldenText("l2tp/debugfs_tunnels.txt").split("\n").filter((line) => !line.startsWith("#"));
const HEADER = CAPTURED.slice(0, 11).join("\n") + "\n";

function text(...tunnels: DebugTunnel[]): string {
  return [...debugfsText(tunnels)].join("");
}

function debugTunnel(changes: Partial<DebugTunnel>): DebugTunnel {
  return {
    tunnel: sampleTunnel(),
    socketReferences: 3,
    references: 2,
    sessionCount: 0,
    sessions: [],
    ...changes,
  };
}

function debugSession(changes: Partial<DebugSession>): DebugSession {
  return {
    session: sampleSession(),
    l2spec: "default",
    nr: 0,
    ns: 0,
    references: 2,
    interfaceName: "l2e0",
    ...changes,
  };
}

const sent = (packets: bigint, bytes: bigint) => ({ ...ZERO_COUNTERS, txPackets: packets, txBytes: bytes });

Deno.test("debugfs: a captured tunnel with two sessions (6.1)", () => {
  const first = debugSession({
    session: sampleSession({ sessionId: 1001, peerSessionId: 2001 }),
    interfaceName: "l2tpeth0",
  });
  const second = debugSession({
    session: sampleSession({
      cookie: hexBytes("deadbeefcafebabe"),
      peerCookie: hexBytes("01020304"),
      sendSeq: true,
      recvSeq: true,
      counters: { ...sent(9n, 770n), rxErrors: 6n },
    }),
    l2spec: "none",
  });
  const tunnel = sampleTunnel({ counters: sent(9n, 770n) });
  const shown = text(debugTunnel({ tunnel, references: 4, sessionCount: 2, sessions: [first, second] }));
  assertStrictEquals(shown, CAPTURED.join("\n"));
});

Deno.test("debugfs: a captured tunnel over IPv6 with numbers (6.1), the same over IP (6.1)", () => {
  const counters = { ...sent(9n, 874n), rxPackets: 9n, rxBytes: 874n };
  const session = debugSession({
    session: sampleSession({ sendSeq: true, recvSeq: true, counters }),
    nr: 9,
    ns: 9,
  });
  const six = debugTunnel({
    tunnel: sampleTunnel6({ counters }),
    references: 3,
    sessionCount: 1,
    sessions: [session],
  });
  const ip = debugTunnel({ tunnel: sampleIpTunnel(), socketReferences: 2 });
  assertStrictEquals(
    text(six, ip),
    HEADER + `
TUNNEL 3000 peer 4000 from fd00::1 to fd00::2
 source port 5000, dest port 6000
 L2TPv3, UDP
 1 sessions, refcnt 3/3
 00000000 rx 9/874/0 rx 9/874/0
  SESSION 1000, peer 2000, ETH
   nr 9, ns 9
   refcnt 2
   config 0/0/R/S/-/LAC 00000000 0
   offset 0 l2specific 1/4
   9/9 tx 9/874/0 rx 9/874/0
   interface l2e0

TUNNEL 3000 peer 4000 from 10.0.0.1 to 10.0.0.2
 L2TPv3, IP
 0 sessions, refcnt 2/2
 00000000 rx 0/0/0 rx 0/0/0
`,
  );
});

Deno.test("debugfs: a captured tunnel of xl2tpd (6.1): version 2, PPP, session 0", () => {
  const tunnel = sampleTunnel({
    tunnelId: 29781,
    peerTunnelId: 47316,
    version: 2,
    local: "10.0.0.2",
    peer: "10.0.0.1",
    localPort: 1701,
    peerPort: 1701,
  });
  const ppp = { pseudowireType: 7, interfaceName: undefined };
  const zero = debugSession({
    session: sampleSession({ ...ppp, sessionId: 0, peerSessionId: 0 }),
    l2spec: "none",
    references: 3,
    interfaceName: "(null)",
  });
  const real = debugSession({
    session: sampleSession({ ...ppp, sessionId: 34428, peerSessionId: 13289, lnsMode: true }),
    l2spec: "none",
    references: 3,
    interfaceName: "ppp0",
  });
  assertStrictEquals(
    text(debugTunnel({ tunnel, references: 4, sessionCount: 1, sessions: [zero, real] })),
    HEADER + `
TUNNEL 29781 peer 47316 from 10.0.0.2 to 10.0.0.1
 source port 1701, dest port 1701
 L2TPv2, UDP
 1 sessions, refcnt 3/4
 00000000 rx 0/0/0 rx 0/0/0
  SESSION 0, peer 0, PPP
   refcnt 3
   config 0/0/-/-/-/LAC 00000000 0
   offset 0 l2specific 0/0
   0/0 tx 0/0/0 rx 0/0/0
   interface (null)
  SESSION 34428, peer 13289, PPP
   refcnt 3
   config 0/0/-/-/-/LNS 00000000 0
   offset 0 l2specific 0/0
   0/0 tx 0/0/0 rx 0/0/0
   interface ppp0
`,
  );
});

Deno.test("Subsystem.debugfs(): one namespace, ascending, live numbers, odd cookies", () => {
  const bench = new SubsystemFixture();
  assertStrictEquals([...bench.subsystem.debugfs("a")].join(""), HEADER);
  bench.addTunnel({ tunnelId: 2, localPort: 5002 });
  bench.addTunnel({ tunnelId: 1, encap: "ip" });
  bench.addSession({ tunnelId: 2, sessionId: 12, pseudowire: "ppp", cookie: Uint8Array.of(1, 2, 3, 4, 5) });
  bench.addSession({
    tunnelId: 2,
    sessionId: 11,
    cookie: Uint8Array.of(0xab),
    recvSeq: true,
    reorderTimeoutMs: 1500,
  });
  bench.addSession({ tunnelId: 2, sessionId: 0, pseudowire: "ppp" });
  const path = bench.platform.path(2, 11);
  path.current = { ...path.current, nr: 0x12345, ns: 0xffffff };
  bench.caller = { ...bench.caller, netns: "b" };
  bench.addTunnel();
  assertStrictEquals(
    [...bench.subsystem.debugfs("a")].join(""),
    HEADER + `
TUNNEL 1 peer 4000 from 10.0.0.1 to 10.0.0.2
 L2TPv3, IP
 0 sessions, refcnt 2/2
 00000000 rx 0/0/0 rx 0/0/0

TUNNEL 2 peer 4000 from 10.0.0.1 to 10.0.0.2
 source port 5002, dest port 6000
 L2TPv3, UDP
 2 sessions, refcnt 3/5
 00000000 rx 0/0/0 rx 0/0/0
  SESSION 0, peer 2000, PPP
   refcnt 2
   config 0/0/-/-/-/LAC 00000000 0
   offset 0 l2specific 1/4
   0/0 tx 0/0/0 rx 0/0/0
  SESSION 11, peer 2000, ETH
   nr 9029, ns 65535
   refcnt 2
   config 0/0/R/-/-/LAC 00000000 1500
   offset 0 l2specific 1/4
   cookie ab000000
   9029/65535 tx 0/0/0 rx 0/0/0
   interface l2tpeth0
  SESSION 12, peer 2000, PPP
   refcnt 2
   config 0/0/-/-/-/LAC 00000000 0
   offset 0 l2specific 1/4
   cookie 01020304
   0/0 tx 0/0/0 rx 0/0/0
`,
  );
});
