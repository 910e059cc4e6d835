/** `src/subsystem/trace.ts`: the text of every event. */

import { assertStrictEquals } from "@std/assert";
import { formatTrace, type TraceEvent } from "../../src/subsystem/trace.ts";

const SESSION = { netns: "a", tunnelId: 3, sessionId: 11 };

Deno.test("formatTrace(): every event as the kernel prints it", () => {
  const packet = { ...SESSION, packetNs: 5, nr: 6, reorderQueueLength: 7 };
  const registered = { ...SESSION, event: "register_session" as const, peerTunnelId: 4, peerSessionId: 21 };
  const table: [trace: TraceEvent, text: string][] = [
    [
      { event: "register_tunnel", netns: "a", tunnelId: 3, peerTunnelId: 4, version: 2, encap: "ip", fd: 8 },
      "register_tunnel: tunl 3: type=managed encap=IP version=L2TPv2 tid=3 ptid=4 fd=8",
    ],
    [{ event: "delete_tunnel", netns: "a", tunnelId: 3 }, "delete_tunnel: tunl 3"],
    [{ event: "free_tunnel", netns: "a", tunnelId: 3 }, "free_tunnel: tunl 3"],
    [
      { ...registered, pseudowireType: 8 },
      "register_session: sess 3/11: pseudowire=PPP_AC sid=11 psid=21 tid=3 ptid=4",
    ],
    [
      { ...registered, pseudowireType: 10 },
      "register_session: sess 3/11: pseudowire=0xa sid=11 psid=21 tid=3 ptid=4",
    ],
    [{ event: "delete_session", ...SESSION }, "delete_session: sess 3/11"],
    [{ event: "free_session", ...SESSION }, "free_session: sess 3/11"],
    [{ event: "session_seqnum_lns_enable", ...SESSION }, "session_seqnum_lns_enable: sess 3/11"],
    [{ event: "session_seqnum_lns_disable", ...SESSION }, "session_seqnum_lns_disable: sess 3/11"],
    [
      { event: "session_seqnum_update", ...SESSION, ns: 1, nr: 2 },
      "session_seqnum_update: sess 3/11: ns=1 nr=2",
    ],
    [
      { event: "session_seqnum_reset", ...SESSION, ns: 1, nr: 2 },
      "session_seqnum_reset: sess 3/11: ns=1 nr=2",
    ],
    [
      { event: "session_pkt_expired", ...packet },
      "session_pkt_expired: sess 3/11: pkt_ns=5 my_nr=6 reorder_q_len=7",
    ],
    [
      { event: "session_pkt_outside_rx_window", ...packet },
      "session_pkt_outside_rx_window: sess 3/11: pkt_ns=5 my_nr=6 reorder_q_len=7",
    ],
    [{ event: "session_pkt_oos", ...packet }, "session_pkt_oos: sess 3/11: pkt_ns=5 my_nr=6 reorder_q_len=7"],
  ];
  for (const [trace, text] of table) assertStrictEquals(formatTrace(trace), text);
});
