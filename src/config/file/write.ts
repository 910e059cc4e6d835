/**
 * Writes configurations. Pure.
 *
 * @module
 */

import { type Actual, sessionSettings, tunnelSettings } from "../plan/actual.ts";
import { applicableSession } from "../schema/fields.ts";
import { writeTomlString } from "../schema/kinds.ts";
import { PPP_SETTINGS, SESSION_SETTINGS, type Setting, TUNNEL_SETTINGS } from "../schema/schema.ts";
import type { SessionSettings, TunnelSettings } from "../schema/settings.ts";

/** A session to write. */
export interface WrittenSession {
  /** Its name for the file. */
  readonly label: string;
  /** Its settings. */
  readonly settings: SessionSettings;
}

/** A tunnel to write. */
export interface WrittenTunnel {
  /** Its name for the file. */
  readonly label: string;
  /** Its settings. */
  readonly settings: TunnelSettings;
  /** Its sessions. */
  readonly sessions: readonly WrittenSession[];
}

/** TOML of the tunnels, after lines of comment. Settings with their default are left out. */
export function writeConfig(tunnels: readonly WrittenTunnel[], comment: readonly string[] = []): string {
  const blocks = tunnels.flatMap(({ label, settings, sessions }) => {
    const path = `tunnel.${key(label)}`;
    return [
      block(path, TUNNEL_SETTINGS, settings),
      ...sessions.flatMap(({ label, settings }) => {
        const own = `${path}.session.${key(label)}`;
        const { ppp } = settings;
        const table = block(own, SESSION_SETTINGS, settings);
        return ppp === undefined ? table : [table, block(`${own}.ppp`, PPP_SETTINGS, ppp)];
      }),
    ];
  });
  const head = comment.map((line) => `# ${line}`.trimEnd() + "\n").join("");
  return [...(head === "" ? [] : [head]), ...blocks].join("\n");
}

function block<T>(path: string, schema: readonly Setting<T>[], settings: T): string {
  const lines = schema.flatMap(({ key, write, fallback }) => {
    const text = write(settings);
    return text === undefined || text === fallback ? [] : `${key} = ${text}\n`;
  });
  return `[${path}]\n${lines.join("")}`;
}

/** A key in the name of a table. */
function key(label: string): string {
  return /^[A-Za-z0-9_-]+$/.test(label) ? label : writeTomlString(label);
}

/** The existing tunnels, with their ids as names. */
export function writtenActual({ tunnels }: Actual): WrittenTunnel[] {
  return tunnels.map((tunnel) => ({
    label: String(tunnel.tunnel.tunnelId),
    settings: tunnelSettings(tunnel),
    sessions: tunnel.sessions.map((session) => ({
      label: String(session.session.sessionId),
      settings: applicableSession(sessionSettings(session), tunnel.tunnel.version === 2 ? 2 : 3),
    })),
  }));
}
