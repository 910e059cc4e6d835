/**
 * The schema of the configuration, as one table: a row for each setting of a tunnel or session. Decoding, writing,
 * comparing, keywords of the command line, help and the documentation use it. Settings of PPP are in `ppp_schema.ts`.
 *
 * ```toml
 * [defaults.tunnel]               # for every tunnel; [defaults.session] for every session
 * encap = "ip"
 *
 * [class.session.office]          # for those with class = "office"; also [class.tunnel.NAME]
 * bridge = "br0"
 * up = true
 *
 * [tunnel.paris]                  # names of tunnels and sessions are free
 * tunnel_id = 1
 * peer_tunnel_id = 2
 * local = "10.0.0.1"
 * remote = "10.0.0.2"
 *
 * [tunnel.paris.session.one]
 * class = "office"                # or several: ["office", "quiet"]; later ones win
 * session_id = 10
 * peer_session_id = 20
 * interface = "pw0"
 *
 * [tunnel.paris.session.two.ppp]  # runs PPP on the session
 * user = "alice"
 * secret-file = "/etc/l2tp/secrets"
 * ```
 *
 * Settings of a tunnel or session win over those of its classes, and these over the defaults; also within `ppp`. Pure.
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
  INTERFACE,
  type Kind,
  MILLISECONDS,
  MTU,
  NETNS,
  PORT,
  PREFIXES,
  SECONDS,
  SEQUENCE,
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
  traits: Traits<NonNullable<TunnelSettings[Field]>>,
): Setting<TunnelSettings> {
  return setting<TunnelSettings, Field>("l2tp", key, field, kind, traits);
}

function session<Field extends keyof SessionSettings>(
  key: string,
  field: Field,
  kind: Kind<NonNullable<SessionSettings[Field]>>,
  traits: Traits<NonNullable<SessionSettings[Field]>>,
): Setting<SessionSettings> {
  return setting<SessionSettings, Field>("l2tp", key, field, kind, traits);
}

function link<Field extends keyof SessionSettings>(
  key: string,
  field: Field,
  kind: Kind<NonNullable<SessionSettings[Field]>>,
  traits: Traits<NonNullable<SessionSettings[Field]>>,
): Setting<SessionSettings> {
  return setting<SessionSettings, Field>("interface", key, field, kind, traits);
}

/** Settings of the programs that run when a tunnel or a session comes and goes. */
function hooks<T extends HookSettings>(): Setting<T>[] {
  const command = (
    key: string,
    field: "onUp" | "onPreDown" | "onDown",
    help: string,
  ): Setting<HookSettings> =>
    setting<HookSettings, typeof field>("hooks", key, field, COMMAND, { help, changes: true });
  const rows = [
    command("on_up", "onUp", "program to run after it is created"),
    command("on_pre_down", "onPreDown", "program to run before it is deleted"),
    command("on_down", "onDown", "program to run after it is deleted"),
    setting<HookSettings, "hookWait">("hooks", "hook_wait", "hookWait", BOOLEAN, {
      help: "wait until hook programs have ended",
      byDefault: true,
      changes: true,
    }),
    setting<HookSettings, "hookTimeoutS">("hooks", "hook_timeout", "hookTimeoutS", SECONDS, {
      help: "time limit for hook programs",
      byDefault: HOOK_TIMEOUT_S,
      changes: true,
    }),
  ];
  return rows as unknown as Setting<T>[];
}

/** Settings of a tunnel, in the order in which they are written. */
export const TUNNEL_SETTINGS: readonly Setting<TunnelSettings>[] = [
  tunnel("tunnel_id", "tunnelId", ID, { help: "our id of the tunnel", required: true, own: true }),
  tunnel("peer_tunnel_id", "peerTunnelId", ID, { help: "the peer's id of the tunnel", required: true }),
  tunnel("version", "version", VERSION, { help: "L2TP version", byDefault: 3 }),
  tunnel(
    "encap",
    "encap",
    word({ ip: "IP protocol 115, without ports", udp: "UDP; needs udp_sport and udp_dport" }),
    { help: "encapsulation of the tunnel: UDP, or IP protocol 115", byDefault: "udp" },
  ),
  tunnel("local", "local", endAddress({ hosts: false }), {
    help: "our address; any: the system chooses; a link-local one takes %INTERFACE",
    fallback: '"any"',
  }),
  tunnel("remote", "remote", endAddress({ hosts: true }), {
    help: "the peer's address or host name",
    required: true,
  }),
  tunnel("udp_sport", "localPort", PORT, { help: "our UDP port; required with encap udp", over: "udp" }),
  tunnel("udp_dport", "peerPort", PORT, {
    help: "the peer's UDP port; required with encap udp",
    over: "udp",
  }),
  tunnel("udp_csum", "udpChecksum", BOOLEAN, {
    help: "send UDP checksums over IPv4",
    byDefault: false,
    over: "udp4",
  }),
  tunnel("udp6_csum_tx", "checksumTx", BOOLEAN, {
    help: "send UDP checksums over IPv6",
    byDefault: true,
    over: "udp6",
  }),
  tunnel("udp6_csum_rx", "checksumRx", BOOLEAN, {
    help: "require UDP checksums over IPv6",
    byDefault: true,
    over: "udp6",
  }),
  ...hooks<TunnelSettings>(),
];

/** Settings of a session, in the order in which they are written. */
export const SESSION_SETTINGS: readonly Setting<SessionSettings>[] = [
  session("session_id", "sessionId", ID, { help: "our id of the session", required: true, own: true }),
  session("peer_session_id", "peerSessionId", ID, { help: "the peer's id of the session", required: true }),
  session(
    "pw_type",
    "pseudowire",
    word({ eth: "Ethernet frames, through an Ethernet interface", ppp: "PPP frames" }),
    {
      help: "pseudowire type; always ppp in a version 2 tunnel and with a table ppp",
      byDefault: "eth",
    },
  ),
  link("interface", "interfaceName", INTERFACE, {
    help: "name of the session's interface; a free name unless given",
    fallback: "l2tpethN or pppN",
    own: true,
  }),
  session("cookie", "cookie", COOKIE, {
    help: "cookie that we send in each packet",
    fallback: "none",
    v3Only: true,
  }),
  session("peer_cookie", "peerCookie", COOKIE, {
    help: "cookie that each received packet must have",
    fallback: "none",
    v3Only: true,
  }),
  session(
    "l2spec_type",
    "l2spec",
    word({ none: "no sublayer", default: "4 bytes, with a sequence number" }),
    {
      help: "L2-specific sublayer, the same at both ends",
      byDefault: "default",
      v3Only: true,
      unreported: true,
    },
  ),
  session("seq", "sequence", SEQUENCE, {
    help: "sequence numbers: send them, require them, both or none; best both, at both ends",
    byDefault: "none",
    changes: true,
  }),
  session("reorder_timeout", "reorderTimeoutMs", MILLISECONDS, {
    help: "how long packets wait for missing ones before them; 0: late ones are dropped",
    byDefault: 0,
    changes: true,
  }),
  session("lns_mode", "lnsMode", BOOLEAN, {
    help: "the peer cannot turn our sequence numbers on and off",
    byDefault: false,
    changes: true,
  }),
  link("netns", "netns", NETNS, {
    help: "network namespace of the interface, by its ip netns name; its other settings apply there",
  }),
  link("mtu", "mtu", MTU, { help: "MTU of the interface", changes: true }),
  link("bridge", "bridge", BRIDGE, { help: "bridge or bond that the interface joins", changes: true }),
  link("addresses", "addresses", PREFIXES, {
    help: "addresses of the interface; others are removed, except link-local and automatic ones",
    changes: true,
  }),
  link("up", "up", BOOLEAN, { help: "set the interface up or down", changes: true }),
  ...hooks<SessionSettings>(),
];

/** The row of a setting of a session. */
export function sessionSetting(key: string): Setting<SessionSettings> {
  return rowOf(SESSION_SETTINGS, key);
}

/** The row of a setting of a tunnel. */
export function tunnelSetting(key: string): Setting<TunnelSettings> {
  return rowOf(TUNNEL_SETTINGS, key);
}

function rowOf<T>(schema: readonly Setting<T>[], key: string): Setting<T> {
  const row = schema.find((row) => row.key === key);
  if (row === undefined) throw new RangeError(`Cannot find setting "${key}": the schema has no such row`);
  return row;
}

/** The keys of settings that are about a session's interface. */
export const INTERFACE_KEYS: readonly string[] = SESSION_SETTINGS.filter(({ group }) => group === "interface")
  .map(({ key }) => key);
