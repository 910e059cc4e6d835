/**
 * The schema of a configuration, as one table: what a tunnel and a session can say, how it is read and written, and the
 * documentation of it. Decoding, writing, comparing, help and the reference's table all come from it. What a session's PPP can
 * say is in `ppp_schema.ts`, which the command line shares.
 *
 * ```toml
 * [defaults.tunnel]               # for every tunnel; [defaults.session] for every session
 * encap = "ip"
 *
 * [class.session.office]          # for those that say class = "office"; also [class.tunnel.NAME]
 * bridge = "br0"
 * up = true
 *
 * [tunnel.paris]                  # tunnels and sessions have names of the file's own
 * tunnel_id = 1
 * peer_tunnel_id = 2
 * local = "10.0.0.1"
 * remote = "10.0.0.2"
 *
 * [tunnel.paris.session.one]
 * class = "office"                # or several: ["office", "quiet"], of which later ones win
 * session_id = 10
 * peer_session_id = 20
 * interface = "pw0"
 *
 * [tunnel.paris.session.two.ppp]  # has PPP run on the session
 * user = "alice"
 * secret-file = "/etc/l2tp/secrets"
 * ```
 *
 * A thing's own settings win over its classes', and those over the defaults; within `ppp` likewise. Pure.
 *
 * @module
 */

import {
  BOOLEAN,
  BRIDGE,
  COMMAND,
  COOKIE,
  endAddress,
  ID,
  integer,
  INTERFACE,
  type Kind,
  MILLISECONDS,
  NETNS,
  PORT,
  PREFIXES,
  SECONDS,
  VERSION,
  word,
} from "./kinds.ts";
import { type Setting, setting, type Traits } from "./setting.ts";
import { HOOK_TIMEOUT_S, type HookSettings, type SessionSettings, type TunnelSettings } from "./settings.ts";

export { PPP_SETTINGS } from "./ppp_schema.ts";
export type { Setting } from "./setting.ts";

function tunnel<Field extends keyof TunnelSettings>(
  key: string,
  field: Field,
  kind: Kind<NonNullable<TunnelSettings[Field]>>,
  traits: Traits,
): Setting<TunnelSettings> {
  return setting<TunnelSettings, Field>(key, field, kind, traits);
}

function session<Field extends keyof SessionSettings>(
  key: string,
  field: Field,
  kind: Kind<NonNullable<SessionSettings[Field]>>,
  traits: Traits,
): Setting<SessionSettings> {
  return setting<SessionSettings, Field>(key, field, kind, traits);
}

/** What both can say of the programs that are run when they come and go. */
function hooks<T extends HookSettings>(): Setting<T>[] {
  const command = (key: string, field: "onUp" | "onPreDown" | "onDown", help: string): Setting<T> =>
    setting<HookSettings, typeof field>(key, field, COMMAND, { help, changes: true });
  return [
    command("on_up", "onUp", "program to run once it is there"),
    command("on_pre_down", "onPreDown", "program to run before it goes"),
    command("on_down", "onDown", "program to run once it is gone"),
    setting<HookSettings, "hookWait">("hook_wait", "hookWait", BOOLEAN, {
      help: "go on only when its programs have ended",
      fallback: "true",
      changes: true,
    }),
    setting<HookSettings, "hookTimeoutS">("hook_timeout", "hookTimeoutS", SECONDS, {
      help: "its programs are killed when they take longer",
      fallback: String(HOOK_TIMEOUT_S),
      changes: true,
    }),
  ];
}

/** What a tunnel can say, in the order in which it is written. */
export const TUNNEL_SETTINGS: readonly Setting<TunnelSettings>[] = [
  tunnel("tunnel_id", "tunnelId", ID, { help: "our id of the tunnel", required: true, own: true }),
  tunnel("peer_tunnel_id", "peerTunnelId", ID, { help: "the peer's id of the tunnel", required: true }),
  tunnel("version", "version", VERSION, { help: "L2TP version", fallback: "3" }),
  tunnel("encap", "encap", word("udp", "ip"), {
    help: "what carries the tunnel: UDP, or IP protocol 115",
    fallback: '"udp"',
  }),
  tunnel("local", "local", endAddress({ hosts: false }), {
    help: "our address; any leaves the choice to the system; %INTERFACE behind a link-local one",
    fallback: '"any"',
  }),
  tunnel("remote", "remote", endAddress({ hosts: true }), {
    help: "the peer's address or host name",
    required: true,
  }),
  tunnel("udp_sport", "localPort", PORT, { help: "our UDP port; needed with encap udp" }),
  tunnel("udp_dport", "peerPort", PORT, { help: "the peer's UDP port; needed with encap udp" }),
  tunnel("udp_csum", "udpChecksum", BOOLEAN, {
    help: "send UDP checksums over IPv4",
    fallback: "false",
  }),
  tunnel("udp6_csum_tx", "checksumTx", BOOLEAN, {
    help: "send UDP checksums over IPv6",
    fallback: "true",
  }),
  tunnel("udp6_csum_rx", "checksumRx", BOOLEAN, {
    help: "require UDP checksums over IPv6",
    fallback: "true",
  }),
  ...hooks<TunnelSettings>(),
];

/** What a session can say, in the order in which it is written. */
export const SESSION_SETTINGS: readonly Setting<SessionSettings>[] = [
  session("session_id", "sessionId", ID, { help: "our id of the session", required: true, own: true }),
  session("peer_session_id", "peerSessionId", ID, { help: "the peer's id of the session", required: true }),
  session("pw_type", "pseudowire", word("eth", "ppp"), {
    help: "what the session carries; in a version 2 tunnel, and with a table ppp, ppp and nothing else",
    fallback: '"eth"',
  }),
  session("interface", "interfaceName", INTERFACE, {
    help: "the session's interface; one that is not named gets a free name",
    fallback: "l2tpethN or pppN",
    own: true,
  }),
  session("cookie", "cookie", COOKIE, { help: "what we send in each packet", fallback: "none" }),
  session("peer_cookie", "peerCookie", COOKIE, {
    help: "what each received packet must have",
    fallback: "none",
  }),
  session("l2spec_type", "l2spec", word("none", "default"), {
    help: "L2-specific sublayer, the same at both ends",
    fallback: '"default"',
  }),
  session("seq", "sequence", word("none", "send", "recv", "both"), {
    help: "sequence numbers: send them, require them, both, none",
    fallback: '"none"',
    changes: true,
  }),
  session("reorder_timeout", "reorderTimeoutMs", MILLISECONDS, {
    help: "how long packets may wait to be put in order; 0 drops those out of order",
    fallback: "0",
    changes: true,
  }),
  session("lns_mode", "lnsMode", BOOLEAN, {
    help: "the peer cannot turn our sequence numbers on and off",
    fallback: "false",
    changes: true,
  }),
  session("netns", "netns", NETNS, {
    help: "network namespace for the interface, one of ip netns; what else is said of it holds there",
  }),
  session("mtu", "mtu", integer(68, 65535), { help: "MTU of the interface", changes: true }),
  session("bridge", "bridge", BRIDGE, { help: "the bridge or bond of the interface", changes: true }),
  session("addresses", "addresses", PREFIXES, {
    help: "the interface's addresses; others go, except link-local and automatic ones",
    changes: true,
  }),
  session("up", "up", BOOLEAN, { help: "bring the interface up, or take it down", changes: true }),
  ...hooks<SessionSettings>(),
];

/** The keys of settings that are about a session's interface. */
export const INTERFACE_KEYS = ["interface", "netns", "mtu", "bridge", "addresses", "up"] as const;
