/**
 * The rooms of the project, as data: what each holds, what it may import, whether it is pure, and where its tests are.
 * The lint plugin beside this file enforces the table; the test runner takes the folders of the pure tests from it, and
 * the documentation's table of rooms is checked against it.
 *
 * @module
 */

/** A room: a folder of the project with its own rules. */
export interface Room {
  /** Path from the project's root; it ends with a slash. The room of a file is the one with the longest path. */
  readonly path: string;
  /** One sentence for the documentation's table of rooms. */
  readonly holds: string;
  /**
   * Folders or files that it may import besides its own sub-rooms. A folder stands for all below it. A sub-room has no
   * right to the files of the room around it unless they are named here.
   */
  readonly imports: readonly string[];
  /** Pure rooms are synchronous, and take time and randomness as arguments. */
  readonly pure?: true;
  /** Whether it may open native libraries. */
  readonly native?: true;
  /** Other rooms import only its `mod.ts`. */
  readonly door?: true;
  /** It runs in a thread of its own, which starts it by its URL: no other room imports it. */
  readonly apart?: true;
  /** Folder of its tests that need no privilege; those of a sub-room are in a sub-folder. */
  readonly tests?: string;
}

const BASE = "src/base/";
const MODEL = "src/model/";
const WIRE = "src/wire/";
const SUBSYSTEM = "src/subsystem/";
const ENGINE = "src/engine/";
const DATAPLANE = "src/dataplane/";
const METRICS = "src/metrics/";
const CONFIG = "src/config/";
const SCHEMA = "src/config/schema/";
const PLAN = "src/config/plan/";
const FILE = "src/config/file/";
const DOCTOR = "src/doctor/";
const FFI = "ffi/";
const DRIVER = "src/driver/";
const NETLINK = "src/driver/netlink/";
const SYSTEM = "src/driver/system/";
const DATA_PLANE = "src/driver/data_plane/";
const CLIENT = "src/client/";
const APPLY = "src/apply/";
const DAEMON = "src/daemon/";
const DAEMON_EVENTS = "src/daemon/events.ts";
const STATUS = "src/status/";
const TUI = "src/tui/";
const CLI = "src/cli/";

const GRAMMAR = "src/cli/grammar/";
const OUTPUT = "src/cli/output/";
const ERRORS = "src/cli/errors/";
/** What the commands of one run share. */
const CLI_CONTEXT = ["src/cli/context.ts", "src/cli/ports.ts"];

const UP_TO_DRIVER = [BASE, MODEL, WIRE, SUBSYSTEM, ENGINE, DATAPLANE, METRICS, DOCTOR, FFI];

/** The rooms, from the ground up. */
export const ROOMS: readonly Room[] = [
  {
    path: BASE,
    holds: "bytes, hex, addresses, error numbers and errors",
    imports: [],
    pure: true,
    tests: "tests/base",
  },
  {
    path: MODEL,
    holds: "tunnel, session, counters, link, event, PPP link: the nouns all rooms share",
    imports: [BASE],
    pure: true,
    tests: "tests/model",
  },
  {
    path: WIRE,
    holds:
      "codecs: `netlink/`, `genl/`, `rtnl/`, `xfrm/`, `l2tp/` (data headers), `ppp/`, `bpf/` (instructions); numbers of `ip/` and `virtio/` headers",
    imports: [BASE, MODEL],
    pure: true,
    tests: "tests/wire",
  },
  {
    path: SUBSYSTEM,
    holds: "the kernel's API and rules as a machine: request in; reply, notifications and changes out",
    imports: [BASE, MODEL, WIRE],
    pure: true,
    tests: "tests/subsystem",
  },
  {
    path: ENGINE,
    holds:
      "protocol engines: `ppp/`, which is PPP in place of pppd; frames and time in, frames and what to tell the system out",
    imports: [BASE, MODEL, WIRE],
    pure: true,
    tests: "tests/engine",
  },
  {
    path: DATAPLANE,
    holds:
      "what the kernel does with packets, on batches: look-up, cookies, sequence, reordering, counters; cutting and joining super-frames, checksums; the BPF programs that carry sessions in the kernel",
    imports: [BASE, MODEL, WIRE],
    pure: true,
    tests: "tests/dataplane",
  },
  {
    path: METRICS,
    holds: "the metrics as a table, from what was found to numbers with labels; the dashboard",
    imports: [BASE, MODEL],
    pure: true,
    tests: "tests/metrics",
  },
  {
    path: CONFIG,
    holds:
      "configuration files: schema, decoding with line and column, plans of steps and what undoes them, writers, readers of other formats",
    imports: [BASE, MODEL],
    pure: true,
    tests: "tests/config",
  },
  {
    path: SCHEMA,
    holds: "every setting as a row: key, type, help, rules",
    imports: [BASE, MODEL],
    pure: true,
  },
  {
    path: PLAN,
    holds: "from a configuration and a system as it is to steps, and what undoes them",
    imports: [BASE, MODEL, SCHEMA],
    pure: true,
  },
  {
    path: FILE,
    holds: "decoding with line and column, writing",
    imports: [BASE, MODEL, SCHEMA, PLAN],
    pure: true,
  },
  {
    path: `${CONFIG}import/`,
    holds: "readers of systemd-networkd's and go-l2tp's files",
    imports: [BASE, MODEL, SCHEMA, PLAN, FILE],
    pure: true,
  },
  {
    path: DOCTOR,
    holds: "the doctor's rules: facts about a machine in, findings out",
    imports: [BASE, MODEL],
    pure: true,
    tests: "tests/doctor",
  },
  {
    path: FFI,
    holds:
      "the only `Deno.dlopen`: sockets, descriptors, poll, namespaces, TUN and TAP devices, PPPoL2TP sockets, PPP channels and units, packet vectors, BPF maps and programs, struct layouts",
    imports: [BASE],
    native: true,
  },
  {
    path: DRIVER,
    holds:
      "netlink and daemon connections, tunnel sockets, the workers that move packets, what attaches BPF programs, the kernel's PPP, hooks: binds pure rooms to descriptors",
    imports: UP_TO_DRIVER,
    tests: "tests/driver",
  },
  {
    path: NETLINK,
    holds: "netlink sockets: requests, dumps, notifications",
    imports: [BASE, MODEL, WIRE, FFI],
  },
  {
    path: SYSTEM,
    holds:
      "namespaces, host names, kernel modules and release, timers, files, hooks, what the doctor inspects",
    imports: [BASE, MODEL, DATAPLANE, DOCTOR, FFI, NETLINK],
  },
  {
    path: `${DRIVER}daemon_api/`,
    holds: "the daemon's socket, seen from its clients; starting a daemon",
    imports: [BASE, MODEL, WIRE, DOCTOR, FFI, NETLINK, SYSTEM],
  },
  {
    path: `${DRIVER}tunnel_socket/`,
    holds: "tunnel sockets, and the processes that keep them open",
    imports: [BASE, MODEL, FFI, SYSTEM],
  },
  {
    path: DATA_PLANE,
    holds: "the main thread's side of the workers: handles, commands, counters in shared memory",
    imports: [BASE, MODEL, SUBSYSTEM, DATAPLANE, FFI],
  },
  {
    path: `${DATA_PLANE}worker/`,
    holds: "the worker that moves packets between tunnel sockets and devices",
    imports: [
      ...[BASE, MODEL, WIRE, SUBSYSTEM, DATAPLANE, FFI],
      ...["commands", "counter_slots", "options", "sync_call"].map((name) => `${DATA_PLANE}${name}.ts`),
    ],
    apart: true,
  },
  {
    path: `${DRIVER}bpf/`,
    holds: "loads and attaches the BPF programs of the data path",
    imports: [BASE, WIRE, DATAPLANE, FFI, NETLINK, SYSTEM],
  },
  {
    path: `${DRIVER}ppp/`,
    holds: "the kernel's PPP channels and units, PPPoL2TP sockets, pppd",
    imports: [BASE, MODEL, ENGINE, DATAPLANE, FFI, NETLINK],
  },
  {
    path: `${DRIVER}terminal/`,
    holds: "lines and full screens on a terminal, the history file, standard streams",
    imports: [BASE, MODEL, FFI],
  },
  {
    path: `${DRIVER}metrics/`,
    holds: "metrics as Prometheus' text",
    imports: [BASE, METRICS],
  },
  {
    path: CLIENT,
    holds: "the typed L2TP API, over either subsystem",
    imports: [BASE, MODEL, WIRE, METRICS, DOCTOR, DRIVER],
    tests: "tests/client",
  },
  {
    path: `${CLIENT}kernel/`,
    holds: "the client's kernel side: whether it has L2TP, watching sessions, IPsec policies",
    imports: [BASE, MODEL, WIRE, DRIVER, CLIENT],
  },
  {
    path: `${CLIENT}daemon/`,
    holds: "the client's daemon side: finding it, its own requests, PPP, traces, the empty subsystem",
    imports: [BASE, MODEL, WIRE, METRICS, DRIVER, CLIENT],
  },
  {
    path: APPLY,
    holds:
      "making a system as a configuration says: looking at it, doing the steps of plans or undoing them, reading TOML",
    imports: [BASE, MODEL, CONFIG, CLIENT],
  },
  {
    path: DAEMON,
    holds:
      "`l2tp daemon`: API server, journal, sockets and devices of the userspace subsystem, PPP sessions, the tunnels of its configuration file",
    imports: [...UP_TO_DRIVER, CONFIG, DRIVER, CLIENT, APPLY],
    tests: "tests/daemon",
  },
  {
    path: `${DAEMON}journal/`,
    holds:
      "the journal: what outlives a daemon, one record for each change; commits, and restoring at the start",
    imports: [BASE, MODEL, SUBSYSTEM, DRIVER, `${DAEMON}platform/`],
  },
  {
    path: `${DAEMON}settings/`,
    holds: "arguments and paths of the daemon",
    imports: [BASE, MODEL, METRICS],
  },
  {
    path: `${DAEMON}platform/`,
    holds:
      "what the userspace subsystem asks of Linux: sockets, devices, session paths, offloads, BPF programs",
    imports: [...UP_TO_DRIVER, DRIVER, CLIENT, DAEMON_EVENTS],
  },
  {
    path: `${DAEMON}ppp/`,
    holds: "PPP sessions of the daemon, over userspace sessions and kernel ones",
    imports: [...UP_TO_DRIVER, DRIVER, CLIENT, `${DAEMON}platform/`],
  },
  {
    path: `${DAEMON}api/`,
    holds: "the API server: clients, requests, notifications, the daemon's own family",
    imports: [...UP_TO_DRIVER, DRIVER, CLIENT, DAEMON_EVENTS, `${DAEMON}journal/`, `${DAEMON}ppp/`],
  },
  {
    path: `${DAEMON}metrics/`,
    holds: "the endpoint for Prometheus and what it reads",
    imports: [...UP_TO_DRIVER, DRIVER, CLIENT, `${DAEMON}platform/`, `${DAEMON}ppp/`],
  },
  {
    path: `${DAEMON}config/`,
    holds: "the tunnels of the daemon's configuration file: they wait for what they need, and come back",
    imports: [
      ...UP_TO_DRIVER,
      CONFIG,
      DRIVER,
      CLIENT,
      APPLY,
      `${DAEMON}api/`,
      `${DAEMON}ppp/`,
      `${DAEMON}settings/`,
    ],
  },
  {
    path: STATUS,
    holds: "the status of tunnels and sessions: samples in; rates, what is wrong and what to do out",
    // Of the client it takes types, and of the subsystem the text of the debug file.
    imports: [BASE, MODEL, SUBSYSTEM, CLIENT],
    pure: true,
    tests: "tests/status",
  },
  {
    path: TUI,
    holds: "the live status view: a status and keys in, screens out",
    imports: [BASE, MODEL, STATUS],
    pure: true,
    tests: "tests/tui",
  },
  {
    path: CLI,
    holds: "grammar, commands, text and JSON, explanations",
    imports: [BASE, MODEL, METRICS, DOCTOR, CONFIG, CLIENT, APPLY, STATUS, TUI],
    tests: "tests/cli",
  },
  {
    path: GRAMMAR,
    holds: "verbs, objects, keywords and options as tables, and the parser that reads them",
    // Of the context and the ports it takes types.
    imports: [BASE, MODEL, CONFIG, CLIENT, ...CLI_CONTEXT],
  },
  {
    path: OUTPUT,
    holds: "text as `ip l2tp` prints it, details, JSON",
    imports: [BASE, MODEL, METRICS, DOCTOR, CONFIG, CLIENT, APPLY, STATUS, GRAMMAR, ...CLI_CONTEXT],
  },
  {
    path: ERRORS,
    holds: "what went wrong, why, and what to try",
    imports: [BASE, MODEL, CONFIG, CLIENT, APPLY, GRAMMAR, OUTPUT, ...CLI_CONTEXT],
  },
  {
    path: `${CLI}commands/`,
    holds: "a file for each verb, or a folder",
    imports: [
      ...[BASE, MODEL, METRICS, DOCTOR, CONFIG, CLIENT, APPLY, STATUS, TUI, GRAMMAR, OUTPUT, ERRORS],
      ...CLI_CONTEXT,
      `${CLI}filters.ts`,
    ],
  },
  {
    // The shell's lines are the command line's: it reads, completes, explains and runs them with the same code.
    path: "src/shell/",
    holds:
      "interactive mode: prompt, line editing, help at every word, abbreviations, filters, history; its lines are the command line's",
    imports: [BASE, MODEL, CLIENT, CLI],
    tests: "tests/shell",
  },
];

/** Pure tests of what is no room: the arithmetic of the benchmarks, the documentation, the lint rules. */
const MORE_PURE_TESTS = [
  "tests/std",
  "tests/support",
  "tests/benchmarks/figures",
  "tests/docs",
  "tests/lint",
];

/** Folders with the tests that need no privilege, but for files that end in `_native_test.ts`. */
export function pureTestFolders(): string[] {
  return [...ROOMS.flatMap(({ tests }) => tests ?? []), ...MORE_PURE_TESTS];
}

/** The room that a file is in, by its path from the project's root; `undefined` for main.ts and the tests. */
export function roomOf(path: string): Room | undefined {
  let found: Room | undefined;
  for (const room of ROOMS) {
    if (path.startsWith(room.path) && room.path.length > (found?.path.length ?? 0)) found = room;
  }
  return found;
}

/** Why a file of the room may not import the file `to`, both by their paths; `undefined` if it may. */
export function refusalOf(room: Room, to: string): string | undefined {
  const other = roomOf(to);
  if (other === room) return undefined;
  if (other?.apart === true) return `${other.path} runs in a thread of its own`;
  const isInside = other?.path.startsWith(room.path) === true;
  if (!isInside && !room.imports.some((path) => to.startsWith(path))) {
    return `it may import ${room.imports.length === 0 ? "nothing" : room.imports.join(", ")}`;
  }
  const closed = ROOMS.find(({ door, path }) =>
    door === true && to.startsWith(path) && !room.path.startsWith(path) && to !== `${path}mod.ts`
  );
  return closed === undefined ? undefined : `${closed.path} is entered by its mod.ts`;
}
