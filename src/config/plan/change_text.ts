/**
 * The changes of a plan, as a diff that people read. Pure.
 *
 * @module
 */

import type { PlannedChange } from "./plan.ts";

/** Colours around the lines of a diff, by their sign; none without a terminal. */
export type DiffColors = Readonly<Record<Sign, readonly [start: string, end: string]>>;

/** Signs before the lines. */
type Sign = "+" | "-" | "~" | "-/+";

const RESET = "\x1b[0m";
const GREEN = ["\x1b[32m", RESET] as const;
const RED = ["\x1b[31m", RESET] as const;
const YELLOW = ["\x1b[33m", RESET] as const;
const NONE = ["", ""] as const;

/** For terminals: green for new, red for deleted, yellow for changed. */
export const COLORED: DiffColors = { "+": GREEN, "-": RED, "~": YELLOW, "-/+": YELLOW };
/** For files and pipes. */
export const PLAIN: DiffColors = { "+": NONE, "-": NONE, "~": NONE, "-/+": NONE };

const SIGNS: Readonly<Record<PlannedChange["action"], Sign>> = {
  create: "+",
  delete: "-",
  change: "~",
  recreate: "-/+",
};

/** A change as lines: its tunnel or session, and a line for each old and each new value, as in the file. */
export function changeText(change: PlannedChange, colors: DiffColors): string {
  const sign = SIGNS[change.action];
  const suffix = change.action === "recreate" ? ", re-created" : "";
  const line = (sign: Sign, text: string): string => `${colors[sign][0]}${sign} ${text}${colors[sign][1]}\n`;
  const values = change.differences.flatMap(({ key, from, to }) => [
    ...(from === undefined ? [] : [line("-", `  ${key} = ${from}`)]),
    ...(to === undefined ? [] : [line("+", `  ${key} = ${to}`)]),
  ]);
  return line(sign, `${thingName(change)}${suffix}`) + values.join("");
}

/** `tunnel paris (1)`, `session one (10) of tunnel paris (1)`. */
export function thingName({ tunnel, tunnelId, session, sessionId }: PlannedChange): string {
  const ofTunnel = `tunnel ${named(tunnel, tunnelId)}`;
  return sessionId === undefined ? ofTunnel : `session ${named(session, sessionId)} of ${ofTunnel}`;
}

function named(label: string | undefined, id: number): string {
  return label === undefined || label === String(id) ? String(id) : `${label} (${id})`;
}

const PAST: Readonly<Record<PlannedChange["action"], string>> = {
  create: "created",
  delete: "deleted",
  change: "changed",
  recreate: "re-created",
};

/** A change that was made, in one line without values, some of which are secret: `session one (10) of …: changed (mtu)`. */
export function changedThing(change: PlannedChange): string {
  const { action, differences } = change;
  const keys = differences.map(({ key }) => key).join(", ");
  const what = action === "create" || action === "delete" || keys === "" ? "" : ` (${keys})`;
  return `${thingName(change)}: ${PAST[action]}${what}`;
}
