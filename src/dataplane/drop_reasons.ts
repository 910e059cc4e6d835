/**
 * The reasons for which the data path drops packets, with what each means. A dropped packet is counted under exactly one
 * reason: on its session if it has one, otherwise on the endpoint that received it.
 *
 * @module
 */

/** Meanings of the reasons, in the order of the counters. The documentation prints them. */
export const DROP_MEANINGS = {
  too_short: "shorter than the headers that it must have; over UDP shorter than 14 bytes",
  bad_version: "neither L2TP version 2 nor 3",
  bad_ip_header: "IPv4: no complete header of protocol 115 in front of the packet",
  bad_control: "over IP: session id 0, but not the start of a control message",
  unknown_session: "no session has the id",
  wrong_endpoint: "the tunnel of the session uses another socket",
  wrong_peer: "the packet is not from the tunnel's peer",
  not_ready: "an Ethernet session without a device, not yet or no longer",
  cookie_mismatch: "the cookie is not `peer_cookie`",
  seq_missing: "no sequence number, and the session requires one",
  seq_old: "sequence number outside the receive window: an old or repeated packet",
  seq_gap: "not the expected sequence number, and the session does not reorder",
  reorder_full: "the reorder queue was full",
  expired: "waited in the reorder queue longer than the timeout",
  session_removed: "waited in the reorder queue when the session was deleted",
  no_ppp: "a PPP session on which no PPP runs",
  ppp_closed: "PPP: an IP packet of a version that PPP has not opened, not yet or no longer",
  ppp_bad_packet: "PPP: the frame's IP packet is not of the version that its protocol field names",
  ppp_control_flood: "PPP: a control frame beyond the session's rate limit",
  ppp_control_full: "PPP: a control frame while the queue of control frames of all sessions was full",
  frame_too_short: "the inner frame is shorter than an Ethernet header, or than PPP's protocol field",
  device_full: "the device did not accept the frame",
  tx_too_short: "to be sent: shorter than an Ethernet header, or than PPP's protocol field",
  tx_too_long: "to be sent: longer than the PPP peer accepts, or than a packet with its headers can be",
  tx_ppp_closed: "to be sent over PPP: not an IP packet, or of a version that PPP has not opened",
  tx_failed: "to be sent: the socket refused the packet",
  tx_bad_offload:
    "to be sent: the device's offload request is not valid, such as a checksum behind the frame's end",
} as const;

/** A reason for which the data path drops packets. */
export type DropReason = keyof typeof DROP_MEANINGS;

/** The reasons, in the order of their counters. */
export const DROP_REASONS = Object.keys(DROP_MEANINGS) as readonly DropReason[];
