/**
 * Hooks: programs that run when tunnels and sessions come and go, and their environment variables. Pure.
 *
 * @module
 */

import type { Session } from "../../model/session.ts";
import type { Tunnel } from "../../model/tunnel.ts";
import { type ConfigSession, type ConfigTunnel, HOOK_TIMEOUT_S } from "../schema/settings.ts";

/** Event of a hook: the tunnel or session works, is about to be deleted, or is deleted. */
export type HookEvent = "up" | "pre-down" | "down";

/** PATH of hooks. */
const HOOK_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A program to run. */
export interface Hook {
  /** The event. */
  readonly event: HookEvent;
  /** The program's absolute path and its arguments. */
  readonly command: readonly string[];
  /** Whether the next step waits until it ends. */
  readonly wait: boolean;
  /** Time limit, in milliseconds. */
  readonly timeoutMs: number;
  /** The tunnel, or that of the session. */
  readonly tunnel: HookThing<Tunnel>;
  /** The session; `undefined` if it is about the tunnel. */
  readonly session: HookThing<Session> | undefined;
  /** Network namespace of the session's interface; `undefined` if it is the tunnel's. */
  readonly netns: string | undefined;
  /** Whether it runs only if the hook for "up" of the same tunnel or session ran: it undoes that. */
  readonly onlyAfterUp: boolean;
}

/** The tunnel or session of a hook. */
interface HookThing<T> {
  /** Its name in the file. */
  readonly label: string;
  /** Our id of it. */
  readonly id: number;
  /** Its last state; `undefined` if it did not exist when the plan was made. */
  readonly before: T | undefined;
}

const KEYS = {
  "up": { field: "onUp", key: "on_up" },
  "pre-down": { field: "onPreDown", key: "on_pre_down" },
  "down": { field: "onDown", key: "on_down" },
} as const;

/** The session of a hook, and its last state. */
interface HookSession {
  readonly entry: ConfigSession;
  readonly before: Session | undefined;
}

/** The hook of a tunnel, or of its session, for the event; `undefined` if it has none. */
export function hookOf(
  event: HookEvent,
  tunnel: { readonly entry: ConfigTunnel; readonly before: Tunnel | undefined },
  session: HookSession | undefined,
  onlyAfterUp = false,
): Hook | undefined {
  const settings = (session ?? tunnel).entry.settings;
  const command = settings[KEYS[event].field];
  if (command === undefined) return undefined;
  return {
    event,
    command,
    wait: settings.hookWait ?? true,
    timeoutMs: 1000 * (settings.hookTimeoutS ?? HOOK_TIMEOUT_S),
    tunnel: { label: tunnel.entry.label, id: tunnel.entry.settings.tunnelId!, before: tunnel.before },
    session: session === undefined ? undefined : {
      label: session.entry.label,
      id: session.entry.settings.sessionId!,
      before: session.before,
    },
    netns: session?.entry.settings.netns,
    onlyAfterUp,
  };
}

/** The hook in words: `on_up of session office of tunnel paris`. */
export function hookName({ event, tunnel, session }: Hook): string {
  const of = session === undefined ? "" : ` of session ${session.label}`;
  return `${KEYS[event].key}${of} of tunnel ${tunnel.label}`;
}

/** Key of the hook's tunnel or session, the same for all events. */
export function hookThingKey({ tunnel, session }: Hook): string {
  return JSON.stringify([tunnel.id, session?.id]);
}

/** Facts about the system in the environment of hooks. */
export interface HookSystem {
  /** The tunnel's subsystem. */
  readonly dataplane: string;
  /** Name of the network namespace that the hook runs in; `""` for one without. */
  readonly netns: string;
}

/**
 * The whole environment of a hook. It has no secrets, such as cookies. `tunnel` and `session` are the present or the last
 * state.
 */
export function hookEnvironment(
  hook: Hook,
  tunnel: Tunnel | undefined,
  session: Session | undefined,
  { dataplane, netns }: HookSystem,
): Record<string, string> {
  const text = (value: string | number | undefined): string => value === undefined ? "" : String(value);
  return {
    PATH: HOOK_PATH,
    L2TP_EVENT: hook.event,
    L2TP_DATAPLANE: dataplane,
    L2TP_NETNS: netns,
    L2TP_TUNNEL: hook.tunnel.label,
    L2TP_TUNNEL_ID: text(hook.tunnel.id),
    L2TP_PEER_TUNNEL_ID: text(tunnel?.peerTunnelId),
    L2TP_VERSION: text(tunnel?.version),
    L2TP_ENCAP: text(tunnel?.encap),
    L2TP_LOCAL: text(tunnel?.local),
    L2TP_REMOTE: text(tunnel?.peer),
    L2TP_LOCAL_PORT: text(tunnel?.localPort),
    L2TP_REMOTE_PORT: text(tunnel?.peerPort),
    ...(hook.session !== undefined && {
      L2TP_SESSION: hook.session.label,
      L2TP_SESSION_ID: text(hook.session.id),
      L2TP_PEER_SESSION_ID: text(session?.peerSessionId),
      L2TP_INTERFACE: text(session?.interfaceName),
    }),
  };
}
