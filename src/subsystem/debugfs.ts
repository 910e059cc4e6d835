/**
 * The text of the kernel's debug file `l2tp/tunnels` (`net/l2tp/l2tp_debugfs.c`).
 *
 * @module
 */

import { formatHex } from "../base/hex.ts";
import type { Counters } from "../model/counters.ts";
import type { SessionDebugFacts, TunnelDebugFacts } from "../model/debug_facts.ts";
import type { Optional } from "../model/optional.ts";
import type { L2Spec, Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";
import { L2TP_PWTYPE } from "../model/pseudowire.ts";

/** A session in the debug file. Facts that are `undefined` are printed as a question mark. */
export interface DebugSession extends Optional<SessionDebugFacts> {
  /** The session as netlink reports it. */
  readonly session: Session;
  /** Present name of its interface; `undefined` for a PPP session without a PPP interface. */
  readonly interfaceName: string | undefined;
}

/** A tunnel in the debug file. Facts that are `undefined` are printed as a question mark. */
export interface DebugTunnel extends Optional<TunnelDebugFacts> {
  /** The tunnel. */
  readonly tunnel: Tunnel;
  /** Count of sessions, without the one of id 0 that stands for a version 2 tunnel. */
  readonly sessionCount: number;
  /** Its sessions, in the order of the text. */
  readonly sessions: Iterable<DebugSession>;
}

const HEADER = [
  "TUNNEL ID, peer ID from IP to IP",
  " L2TPv2/L2TPv3, UDP/IP",
  " sessions session-count, refcnt refcnt/sk->refcnt",
  " debug tx-pkts/bytes/errs rx-pkts/bytes/errs",
  "  SESSION ID, peer ID, PWTYPE",
  "   refcnt cnt",
  "   offset OFFSET l2specific TYPE/LEN",
  "   [ cookie ]",
  "   [ peer cookie ]",
  "   config mtu/mru/rcvseq/sendseq/dataseq/lns debug reorderto",
  "   nr/ns tx-pkts/bytes/errs rx-pkts/bytes/errs",
].join("\n") + "\n";

/** Yields the text in parts: the header, then one part for each tunnel and each session. */
export function* debugfsText(tunnels: Iterable<DebugTunnel>): Generator<string, void, void> {
  yield HEADER;
  for (const tunnel of tunnels) {
    yield tunnelText(tunnel);
    for (const session of tunnel.sessions) yield sessionText(session);
  }
}

function tunnelText({ tunnel, socketReferences, references, sessionCount }: DebugTunnel): string {
  const udp = tunnel.encap === "udp";
  return `\nTUNNEL ${tunnel.tunnelId} peer ${tunnel.peerTunnelId} from ${tunnel.local} to ${tunnel.peer}\n` +
    (udp ? ` source port ${tunnel.localPort ?? 0}, dest port ${tunnel.peerPort ?? 0}\n` : "") +
    ` L2TPv${tunnel.version}, ${tunnel.encap?.toUpperCase() ?? ""}\n` +
    ` ${sessionCount} sessions, refcnt ${known(socketReferences)}/${known(references)}\n` +
    // The kernel prints "rx" for both.
    ` 00000000 rx ${sent(tunnel.counters)} rx ${received(tunnel.counters)}\n`;
}

function sessionText({ session, l2spec, nr, ns, references, interfaceName }: DebugSession): string {
  const { sendSeq, recvSeq, counters } = session;
  const shortNr = known(nr === undefined ? nr : nr & 0xffff);
  const shortNs = known(ns === undefined ? ns : ns & 0xffff);
  return `  SESSION ${session.sessionId}, peer ${session.peerSessionId}, ` +
    `${PSEUDOWIRES.get(session.pseudowireType) ?? ""}\n` +
    (sendSeq || recvSeq ? `   nr ${shortNr}, ns ${shortNs}\n` : "") +
    `   refcnt ${known(references)}\n` +
    `   config 0/0/${recvSeq ? "R" : "-"}/${sendSeq ? "S" : "-"}/-/${session.lnsMode ? "LNS" : "LAC"} ` +
    `00000000 ${session.reorderTimeoutMs}\n` +
    `   offset 0 l2specific ${l2spec === undefined ? "?/?" : L2SPECS[l2spec]}\n` +
    cookieText("cookie", session.cookie) +
    cookieText("peer cookie", session.peerCookie) +
    `   ${shortNr}/${shortNs} tx ${sent(counters)} rx ${received(counters)}\n` +
    (interfaceName === undefined ? "" : `   interface ${interfaceName}\n`);
}

/** Type and length of the sublayers, as printed. */
const L2SPECS: Readonly<Record<L2Spec, string>> = { default: "1/4", none: "0/0" };

function known(value: number | undefined): string {
  return value === undefined ? "?" : String(value);
}

const PSEUDOWIRES: ReadonlyMap<number, string> = new Map([
  [L2TP_PWTYPE.ETH, "ETH"],
  [L2TP_PWTYPE.PPP, "PPP"],
]);

/** The kernel prints 4 bytes of every cookie that is not 8 bytes long. */
function cookieText(name: string, cookie: Uint8Array | undefined): string {
  if (cookie === undefined || cookie.length === 0) return "";
  const shown = new Uint8Array(cookie.length === 8 ? 8 : 4);
  shown.set(cookie.subarray(0, shown.length));
  return `   ${name} ${formatHex(shown)}\n`;
}

function sent({ txPackets, txBytes, txErrors }: Counters): string {
  return `${txPackets}/${txBytes}/${txErrors}`;
}

function received({ rxPackets, rxBytes, rxErrors }: Counters): string {
  return `${rxPackets}/${rxBytes}/${rxErrors}`;
}
