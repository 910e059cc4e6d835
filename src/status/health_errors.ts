/**
 * What errors mean and what to do about them: a table by the reason that the daemon names
 * (`src/dataplane/counters.ts` says when each is counted) or the kernel's counter. Pure.
 *
 * @module
 */

import type { HealthVerdict, Severity } from "./health.ts";
import type { SessionStatus } from "./overview.ts";

/** What is known of the session that the errors are of; nothing if they are a tunnel's or a socket's. */
type Whose = Partial<SessionStatus>;

/** A rule about errors. */
export interface ErrorRule {
  /** Name of the problem. */
  readonly problem: string;
  readonly severity: Severity;
  /** The reasons that it is about. */
  readonly reasons: readonly string[];
  /** Whether it is about these errors at all; the first rule that is counts. */
  readonly applies?: (whose: Whose) => boolean;
  /** Says what is wrong, given how many packets there were. */
  readonly judge: (whose: Whose, total: number) => HealthVerdict;
}

function words({ session }: Whose): string {
  return session === undefined
    ? "tunnel_id … session_id …"
    : `tunnel_id ${session.tunnelId} session_id ${session.sessionId}`;
}

/** The word for `seq` that leaves sending as it is and receiving without need of numbers. */
function seqWithoutReceiving({ session }: Whose): string {
  return session?.sendSeq === true ? "send" : "none";
}

/** Whether all packets are refused, so that it is no matter of single ones that were lost or late. */
function nothingPasses({ session, rates }: Whose): boolean {
  if (session?.recvSeq !== true) return false;
  return rates === undefined ? session.counters.rxPackets === 0n : rates.rxPackets === 0;
}

const SEQ_MISSING: Pick<ErrorRule, "problem" | "severity" | "judge"> = {
  problem: "no_sequence_numbers",
  severity: "error",
  judge: (whose, total) => ({
    message: `peer sends no sequence numbers but recv_seq is on: ${total} packets dropped`,
    advice: [
      "At the peer: seq both (or send)",
      `Or here: l2tp set session ${words(whose)} seq ${seqWithoutReceiving(whose)}`,
    ],
  }),
};

/** The rules. */
export const ERROR_RULES: readonly ErrorRule[] = [
  {
    problem: "cookie_mismatch",
    severity: "error",
    reasons: ["cookie_mismatch", "rx_cookie_discards"],
    judge: (_, total) => ({
      message: `cookie mismatches: peer configured another cookie; ${total} packets dropped`,
      advice: ["peer_cookie here must be cookie at the peer, and cookie here peer_cookie there"],
    }),
  },
  { ...SEQ_MISSING, reasons: ["seq_missing"] },
  // The kernel has one counter for all that sequence numbers cause.
  { ...SEQ_MISSING, reasons: ["rx_seq_discards"], applies: nothingPasses },
  {
    problem: "out_of_order",
    severity: "warning",
    reasons: ["seq_gap", "seq_old", "rx_seq_discards"],
    judge: (whose, total) => ({
      message: `packets came late, twice or out of order: ${total} dropped`,
      advice: [
        whose.session?.reorderTimeoutMs === 0
          ? `Let them wait for each other: l2tp set session ${words(whose)} reorder_timeout 50`
          : "Their order got lost on the way: is it load-balanced packet by packet?",
      ],
    }),
  },
  {
    problem: "reorder_expired",
    severity: "warning",
    reasons: ["expired", "reorder_full"],
    judge: (whose, total) => ({
      message: `packets are missing on the way, others waited too long for them: ${total} dropped`,
      advice: [
        `Is the path lossy? Or wait longer: l2tp set session ${words(whose)} reorder_timeout ` +
        String(2 * Math.max(whose.session?.reorderTimeoutMs ?? 0, 25)),
      ],
    }),
  },
  {
    problem: "unknown_session",
    severity: "error",
    reasons: ["unknown_session"],
    judge: (_, total) => ({
      message: `peer sends to a session that is not here: ${total} packets dropped`,
      advice: [
        "peer_session_id at the peer must be session_id here. Which one it sends: l2tp monitor --trace",
      ],
    }),
  },
  {
    problem: "wrong_peer",
    severity: "warning",
    reasons: ["wrong_peer", "wrong_endpoint"],
    judge: (_, total) => ({
      message: `packets from another address or to another port than the tunnel's: ${total} dropped`,
      advice: ["Is there a NAT on the way? remote and udp_dport must be where packets come from"],
    }),
  },
  {
    problem: "device_not_ready",
    severity: "error",
    reasons: ["not_ready"],
    judge: (_, total) => ({
      message: `the session's interface is not there to take packets: ${total} dropped`,
      advice: ["Was it deleted? Delete the session and add it again"],
    }),
  },
  {
    problem: "device_full",
    severity: "warning",
    reasons: ["device_full"],
    judge: (_, total) => ({
      message: `the session's interface did not take frames: ${total} dropped`,
      advice: ["Is it up? Else this host is too slow for what comes"],
    }),
  },
  {
    problem: "too_long",
    severity: "warning",
    reasons: ["tx_too_long"],
    judge: ({ link }, total) => ({
      message: `frames were too long to be sent: ${total} dropped`,
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
      message: `frames that make no sense: ${total} dropped`,
      advice: ["l2spec_type must be the same at both ends, and both sessions Ethernet"],
    }),
  },
  {
    problem: "ppp_bad_packets",
    severity: "warning",
    reasons: ["ppp_bad_packet"],
    judge: (_, total) => ({
      message: `PPP frames whose packet is not of the IP version that they say: ${total} dropped`,
      advice: ["The peer's PPP is at fault, or something else sends to this session"],
    }),
  },
  {
    problem: "ppp_closed",
    severity: "note",
    reasons: ["ppp_closed", "tx_ppp_closed"],
    judge: (_, total) => ({
      message: `packets of an IP version that PPP has not agreed on: ${total} dropped`,
      advice: ["Normal while PPP comes up. Else: does the peer want IPv4 and IPv6 alike?"],
    }),
  },
  {
    problem: "ppp_control_flood",
    severity: "warning",
    reasons: ["ppp_control_flood", "ppp_control_full"],
    judge: (_, total) => ({
      message: `control frames of PPP came faster than they are taken: ${total} dropped`,
      advice: [
        "Does the peer send a protocol that nobody here speaks, or attack? Else this host is too slow",
      ],
    }),
  },
  {
    problem: "bad_packets",
    severity: "warning",
    reasons: ["too_short", "bad_version", "bad_ip_header", "bad_control", "rx_invalid"],
    judge: (_, total) => ({
      message: `packets that are no L2TP of this tunnel: ${total} dropped`,
      advice: ["Is the peer's version the same? Does something else send to this port?"],
    }),
  },
  {
    problem: "no_ppp",
    severity: "warning",
    reasons: ["no_ppp"],
    judge: (_, total) => ({
      message: `nobody runs PPP on this session: ${total} packets dropped`,
      advice: ["Make it with PPP: l2tp add session … ppp …, or the table ppp in the configuration file"],
    }),
  },
  {
    problem: "receive_errors",
    severity: "warning",
    reasons: ["rx_errors"],
    judge: (_, total) => ({
      message: `received packets that could not be used: ${total} dropped`,
      advice: ["Is the interface up? l2spec_type and cookie must be the same at both ends"],
    }),
  },
];
