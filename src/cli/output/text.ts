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

/** The style of text. */
export interface TextStyle {
  /** Joins the lines of one entry. */
  readonly separator: "\n" | "\\";
  /** Escape sequences around coloured text; empty without colour. */
  readonly color: readonly [start: string, end: string];
  /** Whether to show packet counters. */
  readonly statistics: boolean;
  /** Whether to show details, which `ip l2tp` never does. */
  readonly details: boolean;
  /** The subsystem. */
  readonly dataplane: Dataplane;
}

/** Inputs of the style beside the options. */
export interface TextSurroundings {
  /** The output and the environment. */
  readonly ports: { readonly terminal: boolean; env(name: string): string | undefined };
  /** The subsystem that the text is about. */
  readonly l2tp: { readonly dataplane: Dataplane };
}

const CYAN = "\x1b[36m";
const BOLD_CYAN = "\x1b[1;36m";
const RESET = "\x1b[0m";

/**
 * The style that the options choose. As with `ip`, colours are brighter if COLORFGBG names a dark background (its last
 * field is 0 to 6, or 8).
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
  // Empty lines are for old scripts; an entry on one line does not need them.
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

/** The constant line that `ip l2tp` prints for scripts that are older than the removal of offsets. */
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

/** One line with the reasons whose count is not 0, or none. */
function dropLines(name: string, reasons: Reasons): string[] {
  const words = [...reasons].filter(([, count]) => count > 0).map(([reason, count]) =>
    `  ${reason} ${count}`
  );
  return words.length === 0 ? [] : [`  ${name}:${words.join("").replace(/^ /, "")}`];
}

function onOff(value: boolean): string {
  return value ? "on" : "off";
}
