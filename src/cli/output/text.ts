/**
 * Tunnels and sessions as lines of text. Without details and statistics the lines are those of `ip l2tp`, byte for
 * byte, odd empty ones included.
 *
 * @module
 */

import { pseudowireName } from "../../model/pseudowire.ts";
import { formatHex } from "../../base/hex.ts";
import type { Counters } from "../../model/counters.ts";
import type { Session } from "../../model/session.ts";
import type { Tunnel } from "../../model/tunnel.ts";
import type { Dataplane } from "../../client/subsystem.ts";
import type { SessionDetails } from "./details.ts";
import type { Reasons, TunnelDrops } from "./drops.ts";
import type { Options } from "../grammar/options.ts";
import { pppLines } from "./ppp_text.ts";

/** How text is to look. */
export interface TextStyle {
  /** Joins the lines of one entry. */
  readonly separator: "\n" | "\\";
  /** Put before and after what is coloured; empty without colour. */
  readonly color: readonly [start: string, end: string];
  /** Whether to show packet counters. */
  readonly statistics: boolean;
  /** Whether to show what `ip l2tp` never does. */
  readonly details: boolean;
  /** Which subsystem it is about. */
  readonly dataplane: Dataplane;
}

/** What the style depends on beside the options. */
export interface TextSurroundings {
  /** Where the text goes to, and the environment. */
  readonly ports: { readonly terminal: boolean; env(name: string): string | undefined };
  /** What the text is about. */
  readonly l2tp: { readonly dataplane: Dataplane };
}

const CYAN = "\x1b[36m";
const BOLD_CYAN = "\x1b[1;36m";
const RESET = "\x1b[0m";

/**
 * The style that the options ask for. As with `ip`, colours are brighter where COLORFGBG says that the background is
 * dark (its last field 0 to 6, or 8).
 */
export function textStyle(options: Options, { ports, l2tp }: TextSurroundings): TextStyle {
  const colored = options.color === "always" || (options.color === "auto" && ports.terminal);
  const dark = /;(?:[0-6]|8)$/.test(ports.env("COLORFGBG") ?? "");
  return {
    separator: options.oneline === true ? "\\" : "\n",
    color: colored ? [dark ? BOLD_CYAN : CYAN, RESET] : ["", ""],
    statistics: options.statistics === true,
    details: options.details === true,
    dataplane: l2tp.dataplane,
  };
}

/** A tunnel's text, its last newline included. */
export function tunnelText(tunnel: Tunnel, style: TextStyle, drops?: TunnelDrops | undefined): string {
  return tunnelLines(tunnel, style, drops).join(style.separator) + "\n";
}

/** A session's text, its last newline included. */
export function sessionText(
  session: Session,
  details: SessionDetails | undefined,
  style: TextStyle,
  drops?: Reasons | undefined,
): string {
  const lines = sessionLines(session, details, style, drops);
  // An entry on one line has no use for the empty lines that keep old scripts happy.
  const kept = style.separator === "\n" && !style.statistics && !style.details
    ? lines
    : lines.filter((line) => line !== "");
  return kept.join(style.separator) + "\n";
}

/** A tunnel with its sessions beneath it, its last newline included. */
export function tunnelWithSessionsText(
  tunnel: Tunnel,
  sessions: readonly (readonly [Session, SessionDetails | undefined, (Reasons | undefined)?])[],
  style: TextStyle,
  drops?: TunnelDrops | undefined,
): string {
  const lines = tunnelLines(tunnel, style, drops);
  for (const [session, details, sessionDrops] of sessions) {
    for (const line of sessionLines(session, details, style, sessionDrops)) {
      if (line !== "" && line !== OFFSETS) lines.push(`  ${line}`);
    }
  }
  return lines.join(style.separator) + "\n";
}

/** The constant line that `ip l2tp` prints for scripts older than the removal of offsets. */
const OFFSETS = "  offset 0, peer offset 0";

function tunnelLines(tunnel: Tunnel, style: TextStyle, drops: TunnelDrops | undefined): string[] {
  const lines = [
    `Tunnel ${tunnel.tunnelId}, encap ${tunnel.encap?.toUpperCase() ?? "??"}`,
    `  From ${tunnel.local} to ${tunnel.peer}`,
    `  Peer tunnel ${tunnel.peerTunnelId}`,
  ];
  if (tunnel.encap === "udp") {
    lines.push(`  UDP source / dest ports: ${tunnel.localPort ?? 0}/${tunnel.peerPort ?? 0}`);
    lines.push(`  UDP checksum: ${checksumWord(tunnel)}`);
  }
  if (style.details) {
    lines.push(`  version ${tunnel.version}  ipsec ${onOff(tunnel.usingIpsec)}`);
    lines.push(`  dataplane ${style.dataplane}`);
  }
  if (style.statistics) lines.push(...counterLines(tunnel.counters));
  if (drops !== undefined) {
    lines.push(...dropLines("dropped", drops.own), ...dropLines("dropped at socket", drops.socket));
  }
  return lines;
}

function checksumWord({ udpChecksum, checksumTx, checksumRx }: Tunnel): string {
  if (udpChecksum !== undefined) return udpChecksum ? "enabled" : "disabled";
  if (checksumTx) return checksumRx ? "enabled" : "tx";
  return checksumRx ? "rx" : "disabled";
}

function sessionLines(
  session: Session,
  details: SessionDetails | undefined,
  style: TextStyle,
  drops: Reasons | undefined,
): string[] {
  const lines = [
    `Session ${session.sessionId} in tunnel ${session.tunnelId}`,
    `  Peer session ${session.peerSessionId}, tunnel ${session.peerTunnelId}`,
  ];
  if (session.interfaceName !== undefined) {
    lines.push(`${style.color[0]}  interface name: ${session.interfaceName}${style.color[1]}`);
  }
  lines.push(OFFSETS);
  const cookie = session.cookie === undefined ? "" : `  cookie ${formatHex(session.cookie)}`;
  const peerCookie = session.peerCookie === undefined ? "" : `  peer cookie ${formatHex(session.peerCookie)}`;
  const timeout = session.reorderTimeoutMs === 0 ? "" : `  reorder timeout: ${session.reorderTimeoutMs}`;
  lines.push(cookie + peerCookie + timeout);
  if (session.sendSeq || session.recvSeq) {
    lines.push(`  sequence numbering:${session.sendSeq ? " send" : ""}${session.recvSeq ? " recv" : ""}`);
  }
  if (style.details) lines.push(...detailLines(session, details), `  dataplane ${style.dataplane}`);
  if (style.statistics) lines.push(...counterLines(session.counters));
  if (drops !== undefined) lines.push(...dropLines("dropped", drops));
  return lines;
}

function detailLines(session: Session, details: SessionDetails | undefined): string[] {
  const l2spec = details === undefined ? "" : `  l2spec ${details.l2spec ?? "unknown"}`;
  const lines = [
    `  pseudowire ${pseudowireName(session.pseudowireType)}${l2spec}  lns_mode ${onOff(session.lnsMode)}` +
    `  ipsec ${onOff(session.usingIpsec)}`,
  ];
  const link = details?.link;
  if (link !== undefined) {
    const master = details?.master === undefined ? "" : `  master ${details.master}`;
    lines.push(`  interface ${link.up ? "up" : "down"}  state ${link.state}  mtu ${link.mtu}${master}`);
  } else if (details !== undefined && session.interfaceName !== undefined) {
    lines.push("  interface renamed or in another namespace");
  }
  if (details?.ppp !== undefined) lines.push(...pppLines(details.ppp));
  const offloads = details?.offloads;
  if (offloads !== undefined) lines.push(`  offloads ${offloads.length === 0 ? "none" : offloads.join(" ")}`);
  return lines;
}

function counterLines(counters: Counters): string[] {
  const known = (
    name: string,
    value: bigint | undefined,
  ): string => (value === undefined ? "" : `  ${name} ${value}`);
  return [
    `  TX: packets ${counters.txPackets}  bytes ${counters.txBytes}  errors ${counters.txErrors}`,
    `  RX: packets ${counters.rxPackets}  bytes ${counters.rxBytes}  errors ${counters.rxErrors}` +
    `  seq_discards ${counters.rxSeqDiscards}  oos_packets ${counters.rxOosPackets}` +
    known("cookie_discards", counters.rxCookieDiscards) + known("invalid", counters.rxInvalid),
  ];
}

/** One line with the reasons that there were, or none. */
function dropLines(name: string, reasons: Reasons): string[] {
  const words = [...reasons].filter(([, count]) => count > 0).map(([reason, count]) =>
    `  ${reason} ${count}`
  );
  return words.length === 0 ? [] : [`  ${name}:${words.join("").replace(/^ /, "")}`];
}

function onOff(value: boolean): string {
  return value ? "on" : "off";
}
