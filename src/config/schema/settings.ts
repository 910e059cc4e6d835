/**
 * A decoded configuration: settings of tunnels and sessions. Pure.
 *
 * @module
 */

import type { Pseudowire, SessionParameters } from "../../model/session.ts";
import type { DesiredPpp } from "../../model/ppp/settings.ts";
import type { TunnelParameters } from "../../model/tunnel.ts";
import type { SourcePosition } from "./problem.ts";

/** An address of an end of a tunnel. */
export interface EndAddress {
  /** As the user wrote it. */
  readonly text: string;
  /** Its type: a literal address, `any`, or a host name, which is resolved later. */
  readonly type: "address" | "any" | "host";
  /** The address in canonical text; `""` unless it is a literal. */
  readonly address: string;
  /** Name of the interface behind `%`, for link-local addresses. */
  readonly scope: string | undefined;
}

/** An address with a prefix length. */
export interface Prefix {
  /** The address in canonical text. */
  readonly address: string;
  /** Bits of the prefix. */
  readonly prefixLength: number;
}

/** Directions in which packets carry sequence numbers. */
export type Sequence = "none" | "send" | "recv" | "both";

/** Sequence numbers as the subsystem has them. */
export interface SequenceFlags {
  /** We send sequence numbers. */
  readonly sendSeq: boolean;
  /** Received packets must have sequence numbers. */
  readonly recvSeq: boolean;
}

/** The directions as one word. */
export function sequenceOf({ sendSeq, recvSeq }: SequenceFlags): Sequence {
  return sendSeq ? (recvSeq ? "both" : "send") : recvSeq ? "recv" : "none";
}

/** The word as flags. */
export function sequenceFlags(sequence: Sequence): SequenceFlags {
  return {
    sendSeq: sequence === "send" || sequence === "both",
    recvSeq: sequence === "recv" || sequence === "both",
  };
}

/** Default time limit of a hook, in seconds. */
export const HOOK_TIMEOUT_S = 30;

/** Programs that run when a tunnel or session comes and goes. */
export interface HookSettings {
  onUp?: readonly string[] | undefined;
  onPreDown?: readonly string[] | undefined;
  onDown?: readonly string[] | undefined;
  hookWait?: boolean | undefined;
  hookTimeoutS?: number | undefined;
}

/** The members of `T`, each of which may be left out. */
type Given<T> = { -readonly [Field in keyof T]?: T[Field] | undefined };

/** Settings of a tunnel that are parameters of the subsystem as they are. */
export type TunnelFields = Given<Omit<TunnelParameters, "local" | "peer" | "fd">>;

/** Settings of a session that are parameters of the subsystem as they are. */
export type SessionFields = Given<
  Omit<SessionParameters, "tunnelId" | "peerTunnelId" | "sendSeq" | "recvSeq">
>;

/** Settings of a tunnel; a setting that is left out has its default. */
export interface TunnelSettings extends HookSettings, TunnelFields {
  local?: EndAddress | undefined;
  remote?: EndAddress | undefined;
}

/** Settings of a session and its interface. A setting that is left out has its default, or (of an interface) stays as it is. */
export interface SessionSettings extends HookSettings, SessionFields {
  sequence?: Sequence | undefined;
  /** Name of the network namespace that the interface is in. */
  netns?: string | undefined;
  up?: boolean | undefined;
  mtu?: number | undefined;
  /** Name of the bridge or bond; `"none"` for none. */
  bridge?: string | undefined;
  addresses?: readonly Prefix[] | undefined;
  /** Options of PPP; `undefined` if this program does not run PPP on the session. */
  ppp?: DesiredPpp | undefined;
}

/** The origin of a setting. */
export interface Origin {
  /** Position of its key. */
  readonly key: SourcePosition;
  /** Position of its value. */
  readonly value: SourcePosition;
  /** Its table: that of the tunnel or session itself, of one of its classes, or of the defaults. */
  readonly from: "own" | "class" | "defaults";
}

/** A session of the configuration. */
export interface ConfigSession {
  /** Its name in the file. */
  readonly label: string;
  /** Position of its table. */
  readonly place: SourcePosition;
  /** Its settings, those of classes and defaults included. */
  readonly settings: SessionSettings;
  /** Origins of its settings, by their keys in the file. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** A tunnel of the configuration. */
export interface ConfigTunnel {
  /** Its name in the file. */
  readonly label: string;
  /** Position of its table. */
  readonly place: SourcePosition;
  /** Its settings, those of classes and defaults included. */
  readonly settings: TunnelSettings;
  /** Origins of its settings, by their keys in the file. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Its sessions, in the file's order. */
  readonly sessions: readonly ConfigSession[];
}

/** A configuration. */
export interface Config {
  /** Its tunnels, in the file's order. */
  readonly tunnels: readonly ConfigTunnel[];
}

/** Version of the tunnel's protocol. */
export function versionOf({ settings }: ConfigTunnel): 2 | 3 {
  return settings.version ?? 3;
}

/** Pseudowire of the session. */
export function pseudowireOf({ ppp, pseudowire = "eth" }: SessionSettings, version: 2 | 3): Pseudowire {
  return version === 2 || ppp !== undefined ? "ppp" : pseudowire;
}
