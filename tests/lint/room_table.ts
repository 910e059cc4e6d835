/**
 * Which room may import which: the architecture's table, as data. The lint plugin beside this file enforces it.
 *
 * @module
 */

/** A room: a folder (or file) of the project with its own rules. */
export interface Room {
  /** Path from the project's root; a folder ends with a slash. */
  readonly path: string;
  /** Rooms it may import besides itself, by path. */
  readonly imports: readonly string[];
  /** Pure rooms are synchronous and take time and chance as arguments. */
  readonly pure?: true;
  /** Whether it may open native libraries. */
  readonly native?: true;
}

const BASE = "src/base/";
const MODEL = "src/model/";
const WIRE = "src/wire/";
const SUBSYSTEM = "src/subsystem/";
const ENGINE = "src/engine/";
const DATAPLANE = "src/dataplane/";
const METRICS = "src/metrics/";
const CONFIG = "src/config/";
const DOCTOR = "src/doctor/";
const FFI = "ffi/";
const DRIVER = "src/driver/";
const CLIENT = "src/client/";
const APPLY = "src/apply/";
const DAEMON = "src/daemon/";
const VIEW = "src/view/";
const CLI = "src/cli/";

const UP_TO_DRIVER = [BASE, MODEL, WIRE, SUBSYSTEM, ENGINE, DATAPLANE, METRICS, DOCTOR, FFI];

/** The rooms, from the ground up. */
export const ROOMS: readonly Room[] = [
  { path: BASE, imports: [], pure: true },
  { path: MODEL, imports: [BASE], pure: true },
  { path: WIRE, imports: [BASE, MODEL], pure: true },
  { path: SUBSYSTEM, imports: [BASE, MODEL, WIRE], pure: true },
  { path: ENGINE, imports: [BASE, MODEL, WIRE], pure: true },
  { path: DATAPLANE, imports: [BASE, MODEL, WIRE], pure: true },
  { path: METRICS, imports: [BASE, MODEL], pure: true },
  { path: CONFIG, imports: [BASE, MODEL], pure: true },
  { path: DOCTOR, imports: [BASE, MODEL], pure: true },
  { path: FFI, imports: [BASE], native: true },
  { path: DRIVER, imports: UP_TO_DRIVER },
  { path: CLIENT, imports: [BASE, MODEL, WIRE, METRICS, DRIVER] },
  { path: APPLY, imports: [BASE, MODEL, CONFIG, CLIENT] },
  { path: DAEMON, imports: [...UP_TO_DRIVER, CONFIG, DRIVER, CLIENT, APPLY] },
  { path: CLI, imports: [BASE, MODEL, METRICS, DOCTOR, CONFIG, CLIENT, APPLY, VIEW] },
  // The shell's lines are the command line's: it reads, completes, explains and runs them with the same code.
  { path: "src/shell/", imports: [BASE, MODEL, CLIENT, CLI] },
  // Of the client it takes types, and of the subsystem the text of the debug file.
  { path: VIEW, imports: [BASE, MODEL, SUBSYSTEM, CLIENT], pure: true },
];

/** The room that a file is in, by its path from the project's root; `undefined` for main.ts and the tests. */
export function roomOf(path: string): Room | undefined {
  return ROOMS.find((room) => path.startsWith(room.path));
}
