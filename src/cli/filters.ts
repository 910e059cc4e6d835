/**
 * The filters of `show` and `flush`, as one table: which keyword picks tunnels, which picks sessions, and how.
 *
 * @module
 */

import { pseudowireName } from "../model/pseudowire.ts";
import { sequenceOf } from "../config/schema/settings.ts";
import type { Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";
import type { Arguments } from "./grammar/arguments.ts";

/** Compares the value of one keyword with tunnels, sessions or both. */
interface Filter<Value> {
  readonly tunnel?: (wanted: Value, tunnel: Tunnel) => boolean;
  readonly session?: (wanted: Value, session: Session) => boolean;
}

/** Arguments that are no filters: objects, and keywords of commands that create something. */
type NoFilter =
  | "tunnel"
  | "session"
  | "l2spec"
  | "up"
  | "mtu"
  | "bridge"
  | "addresses"
  | "netns"
  | "ppp"
  | "pppdFile";

/** All other arguments. A new argument needs a row below, or a place in {@link NoFilter}. */
type FilterField = Exclude<keyof Arguments, NoFilter>;

type Filters = { readonly [Field in FilterField]-?: Filter<NonNullable<Arguments[Field]>> };

/** A row without `tunnel` is about a property that only sessions have; a row without `session`, that only tunnels have. */
const FILTERS: Filters = {
  tunnelId: {
    tunnel: (wanted, { tunnelId }) => wanted === tunnelId,
    session: (wanted, { tunnelId }) => wanted === tunnelId,
  },
  peerTunnelId: {
    tunnel: (wanted, { peerTunnelId }) => wanted === peerTunnelId,
    session: (wanted, { peerTunnelId }) => wanted === peerTunnelId,
  },
  encap: { tunnel: (wanted, { encap }) => wanted === encap },
  version: { tunnel: (wanted, { version }) => wanted === version },
  local: { tunnel: (wanted, { local }) => wanted.type === "any" || wanted.address === local },
  remote: { tunnel: (wanted, { peer }) => wanted.type === "any" || wanted.address === peer },
  localPort: { tunnel: (wanted, { localPort }) => wanted === localPort },
  peerPort: { tunnel: (wanted, { peerPort }) => wanted === peerPort },
  udpChecksum: { tunnel: (wanted, { udpChecksum }) => wanted === udpChecksum },
  checksumTx: { tunnel: (wanted, { checksumTx }) => wanted === checksumTx },
  checksumRx: { tunnel: (wanted, { checksumRx }) => wanted === checksumRx },
  sessionId: { session: (wanted, { sessionId }) => wanted === sessionId },
  peerSessionId: { session: (wanted, { peerSessionId }) => wanted === peerSessionId },
  interfaceName: { session: (wanted, { interfaceName }) => wanted === interfaceName },
  pseudowire: { session: (wanted, { pseudowireType }) => pseudowireName(pseudowireType) === wanted },
  cookie: { session: (wanted, { cookie }) => isSame(wanted, cookie) },
  peerCookie: { session: (wanted, { peerCookie }) => isSame(wanted, peerCookie) },
  sequence: { session: (wanted, session) => wanted === sequenceOf(session) },
  reorderTimeoutMs: { session: (wanted, { reorderTimeoutMs }) => wanted === reorderTimeoutMs },
  lnsMode: { session: (wanted, { lnsMode }) => wanted === lnsMode },
};

function isSame(wanted: Uint8Array, actual: Uint8Array | undefined): boolean {
  return actual !== undefined && wanted.length === actual.length &&
    wanted.every((byte, i) => byte === actual[i]);
}

/** The rows of the arguments that are given. */
function given(picked: Arguments): { readonly wanted: never; readonly filter: Filter<never> }[] {
  return Object.entries(picked).flatMap(([field, wanted]) =>
    wanted !== undefined && Object.hasOwn(FILTERS, field)
      ? { wanted: wanted as never, filter: FILTERS[field as FilterField] as Filter<never> }
      : []
  );
}

/** The tunnels and sessions that arguments pick. */
export interface Selection {
  /** Whether all tunnels and all sessions are picked. */
  readonly isAll: boolean;
  /** Whether an argument is about a property that only sessions have. */
  readonly isAboutSessions: boolean;
  /** Whether an argument is about a property that only tunnels have. */
  readonly isAboutTunnels: boolean;
  /** Whether the tunnel itself is picked. */
  tunnel(tunnel: Tunnel): boolean;
  /** Whether the session itself is picked. Its tunnel must be picked as well. */
  session(session: Session): boolean;
}

/** The selection of the arguments: all of them must match. */
export function selectionOf(picked: Arguments): Selection {
  const rows = given(picked);
  return {
    isAll: rows.length === 0,
    isAboutSessions: rows.some(({ filter }) => filter.tunnel === undefined),
    isAboutTunnels: rows.some(({ filter }) => filter.session === undefined),
    tunnel: (tunnel) => rows.every(({ wanted, filter }) => filter.tunnel?.(wanted, tunnel) ?? true),
    session: (session) => rows.every(({ wanted, filter }) => filter.session?.(wanted, session) ?? true),
  };
}
