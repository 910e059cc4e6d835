/**
 * Explains error counters, with advice: a table by the daemon's drop reasons (`src/dataplane/drop_reasons.ts` documents
 * them) and by the kernel's counters.
 *
 * @module
 */

import type { HealthVerdict, Severity } from "./health.ts";
import type { SessionStatus } from "./overview.ts";

/** The session whose errors are explained; empty for errors of a tunnel or socket. */
type ErrorContext = Partial<SessionStatus>;

/** A rule that explains errors. */
export interface ErrorRule {
  /** Name of the problem. */
  readonly problem: string;
  readonly severity: Severity;
  /** Drop reasons and counters that the rule explains. */
  readonly reasons: readonly string[];
  /** Restricts the rule. The first rule in the table that applies is used. */
  readonly applies?: (context: ErrorContext) => boolean;
  /** Describes the problem. `total` is the number of packets. */
  readonly judge: (context: ErrorContext, total: number) => HealthVerdict;
}

function sessionKeywords({ session }: ErrorContext): string {
  return session === undefined
    ? "tunnel_id … session_id …"
    : `tunnel_id ${session.tunnelId} session_id ${session.sessionId}`;
}

/** Returns the value of `seq` that keeps sending as it is and does not require numbers from the peer. */
function seqWithoutReceiving({ session }: ErrorContext): string {
  return session?.sendSeq === true ? "send" : "none";
}

/** Reports whether all received packets are dropped, in contrast to single lost or late ones. */
function nothingPasses({ session, rates }: ErrorContext): boolean {
  if (session?.recvSeq !== true) return false;
  return rates === undefined ? session.counters.rxPackets === 0n : rates.rxPackets === 0;
}

const SEQ_MISSING: Pick<ErrorRule, "problem" | "severity" | "judge"> = {
  problem: "no_sequence_numbers",
  severity: "error",
  judge: (context, total) => ({
    message: `peer sends no sequence numbers but recv_seq is on: ${total} packets dropped`,
    advice: [
      "At the peer: seq both (or send)",
      `Or here: l2tp set session ${sessionKeywords(context)} seq ${seqWithoutReceiving(context)}`,
    ],
  }),
};

/** All rules. */
export const ERROR_RULES: readonly ErrorRule[] = [
  {
    problem: "cookie_mismatch",
    severity: "error",
    reasons: ["cookie_mismatch", "rx_cookie_discards"],
    judge: (_, total) => ({
      message: `cookie mismatch: peer sends another cookie, or none; ${total} packets dropped`,
      advice: ["cookie here must equal peer_cookie at the peer, and peer_cookie here its cookie"],
    }),
  },
  { ...SEQ_MISSING, reasons: ["seq_missing"] },
  // The kernel has a single counter for all drops related to sequence numbers.
  { ...SEQ_MISSING, reasons: ["rx_seq_discards"], applies: nothingPasses },
  {
    problem: "out_of_order",
    severity: "warning",
    reasons: ["seq_gap", "seq_old", "rx_seq_discards"],
    judge: (context, total) => ({
      message: `packets arrived late, twice or out of order: ${total} dropped`,
      advice: [
        context.session?.reorderTimeoutMs === 0
          ? `Reorder them: l2tp set session ${sessionKeywords(context)} reorder_timeout 50`
          : "The path reorders packets. Is it load-balanced per packet?",
      ],
    }),
  },
  {
    problem: "reorder_expired",
    severity: "warning",
    reasons: ["expired", "reorder_full"],
    judge: (context, total) => ({
      message: `packets were lost on the path, and others waited too long for them: ${total} dropped`,
      advice: [
        `Is the path lossy? Or wait longer: l2tp set session ${sessionKeywords(context)} reorder_timeout ` +
        String(2 * Math.max(context.session?.reorderTimeoutMs ?? 0, 25)),
      ],
    }),
  },
  {
    problem: "unknown_session",
    severity: "error",
    reasons: ["unknown_session"],
    judge: (_, total) => ({
      message: `the peer sends to an unknown session id: ${total} packets dropped`,
      advice: ["peer_session_id at the peer must equal session_id here"],
    }),
  },
  {
    problem: "wrong_peer",
    severity: "warning",
    reasons: ["wrong_peer", "wrong_endpoint"],
    judge: (_, total) => ({
      message: `packets from another address or to another port than the tunnel's: ${total} dropped`,
      advice: ["Is there a NAT on the path? remote and udp_dport must be the source of the packets"],
    }),
  },
  {
    problem: "device_not_ready",
    severity: "error",
    reasons: ["not_ready"],
    judge: (_, total) => ({
      message: `the session's interface is down or deleted: ${total} packets dropped`,
      advice: ["Is it up? If it was deleted, delete the session and add it again"],
    }),
  },
  {
    problem: "device_full",
    severity: "warning",
    reasons: ["device_full"],
    judge: (_, total) => ({
      message: `the session's interface did not accept frames: ${total} dropped`,
      advice: ["Is it up? Otherwise this host is too slow for the traffic"],
    }),
  },
  {
    problem: "too_long",
    severity: "warning",
    reasons: ["tx_too_long"],
    judge: ({ link }, total) => ({
      message: `frames were too long to send: ${total} dropped`,
      advice: [`Lower the mtu: ip link set ${link?.name ?? "…"} mtu …`],
    }),
  },
  {
    problem: "cannot_send",
    severity: "error",
    reasons: ["tx_failed", "tx_errors"],
    judge: ({ tunnel }, total) => ({
      message: `packets could not be sent: ${total}`,
      advice: [`Is there a route? ip route get ${tunnel?.peer ?? "…"}. Is a firewall in the way?`],
    }),
  },
  {
    problem: "bad_frames",
    severity: "warning",
    reasons: ["frame_too_short", "tx_too_short", "tx_bad_offload"],
    judge: (_, total) => ({
      message: `malformed frames: ${total} dropped`,
      advice: ["l2spec_type must be the same at both ends, and both sessions Ethernet"],
    }),
  },
  {
    problem: "ppp_bad_packets",
    severity: "warning",
    reasons: ["ppp_bad_packet"],
    judge: (_, total) => ({
      message: `PPP frames whose IP version contradicts their protocol: ${total} dropped`,
      advice: ["The peer's PPP is faulty, or another program sends to this session"],
    }),
  },
  {
    problem: "ppp_closed",
    severity: "note",
    reasons: ["ppp_closed", "tx_ppp_closed"],
    judge: (_, total) => ({
      message: `packets of an IP version that PPP has not negotiated: ${total} dropped`,
      advice: ["Normal while PPP comes up. Otherwise: do both ends enable the same of IPv4 and IPv6?"],
    }),
  },
  {
    problem: "ppp_control_flood",
    severity: "warning",
    reasons: ["ppp_control_flood", "ppp_control_full"],
    judge: (_, total) => ({
      message: `PPP control frames arrived faster than they can be processed: ${total} dropped`,
      advice: [
        "Does the peer send an unsupported protocol, or attack? Otherwise this host is too slow",
      ],
    }),
  },
  {
    problem: "bad_packets",
    severity: "warning",
    reasons: ["too_short", "bad_version", "bad_ip_header", "bad_control", "rx_invalid"],
    judge: (_, total) => ({
      message: `packets that are not valid L2TP for this tunnel: ${total} dropped`,
      advice: ["Does the peer use the same L2TP version? Does another program send to this port?"],
    }),
  },
  {
    problem: "no_ppp",
    severity: "warning",
    reasons: ["no_ppp"],
    judge: (_, total) => ({
      message: `no PPP runs on this session: ${total} packets dropped`,
      advice: ["Create it with PPP: l2tp add session … ppp …, or a ppp table in the configuration file"],
    }),
  },
  {
    problem: "receive_errors",
    severity: "warning",
    reasons: ["rx_errors"],
    judge: (_, total) => ({
      message: `received packets that could not be delivered: ${total} dropped`,
      advice: ["Is the interface up? l2spec_type and cookie must be the same at both ends"],
    }),
  },
];
