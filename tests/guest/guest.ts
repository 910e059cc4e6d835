/**
 * Runs a command as root on a real Linux kernel that has L2TP and PPP: Debian's, in an emulated machine whose
 * root is this machine's root file system. As a program: `deno run -A tests/guest/guest.ts -- ip l2tp show
 * tunnel`.
 *
 * @module
 */
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { GuestError } from "./guest_error.ts";
import { type GuestImage, prepareGuest } from "./guest_image.ts";
import { EndMark, GuestPort, TextTail } from "./guest_port.ts";
import { qemuArguments } from "./qemu.ts";
import { Scratch } from "./scratch.ts";

export { GuestError, type GuestStage } from "./guest_error.ts";
export { type GuestImage, prepareGuest } from "./guest_image.ts";

/** A command to run in the guest, and its options. */
export interface GuestOptions {
  /** The program and its arguments; no shell takes part. The program is searched for in root's PATH. */
  command: readonly string[];
  /** Working directory of the command: an absolute path. Default: the current directory. */
  cwd?: string;
  /** Variables for the command besides PATH, HOME=/root, LANG=C.UTF-8, TERM=dumb and L2TP_GUEST=1. */
  env?: Readonly<Record<string, string>>;
  /**
   * Directories below which the guest's changes are the host's too; made if they do not exist. All other
   * changes to files are lost when the command ends. What the host changes during a run is seen reliably only
   * here.
   */
  writable?: readonly string[];
  /** Time limit for booting and the command, in seconds. Default: 300. */
  timeoutSeconds?: number;
  /** The guest's memory in MiB, files that it changes included; 2048 if not given. */
  memoryMib?: number;
  /** The guest's processors; 2 if not given. */
  cpus?: number;
  /**
   * "inherit", the default, passes the command's stdout on as it comes; "piped" collects it for the result.
   */
  stdout?: "inherit" | "piped";
  /** As for stdout. */
  stderr?: "inherit" | "piped";
  /** Copies the guest's kernel log to stderr. */
  consoleLog?: boolean;
  /** Ends the guest, and the call with the signal's reason. */
  signal?: AbortSignal;
}

/** Result of a command in the guest. */
export interface GuestResult {
  /**
   * The command's exit code, 128 and the signal's number if a signal ended it; 124 if the time limit was
   * reached.
   */
  code: number;
  /** The time limit ended the command. A command may also exit with 124 by itself. */
  timedOut: boolean;
  /** Standard output as UTF-8; empty unless "piped". */
  stdout: string;
  /** Standard error as UTF-8; empty unless "piped". */
  stderr: string;
  /** From QEMU's start until the command could start; NaN if the time limit was reached before. */
  bootSeconds: number;
  /** From QEMU's start until its end. */
  totalSeconds: number;
}

/** GNU timeout's exit code for a time limit. */
const CODE_TIME_LIMIT = 124;
/** The exit code of this program for a failure of the bench, as opposed to one of the command. */
const CODE_GUEST_FAILED = 125;

/**
 * Runs a command in the guest and waits for its end. Creates the guest if necessary ({@linkcode prepareGuest}), outside
 * of the time limit. The command's stdin is empty. Booting takes some 8 s of both processors of a small machine: run
 * one guest at a time.
 *
 * @throws {GuestError} the guest failed, as opposed to the command
 * @throws {PackagesMissingError} Debian packages are missing and cannot be installed from here
 * @throws {TypeError} the options are invalid
 * @throws {Deno.errors.BrokenPipe} the reader of this program's stdout or stderr has closed it
 * @throws {Deno.errors.Interrupted} a signal that this program survives arrived before the guest was started
 */
export async function runInGuest(options: GuestOptions): Promise<GuestResult> {
  const script = commandScript(options);
  options.signal?.throwIfAborted();
  const image = await prepareGuest();
  options.signal?.throwIfAborted();

  await using scratch = await Scratch.open("l2tp-guest.");
  const writable: string[] = [];
  for (const directory of options.writable ?? []) {
    await Deno.mkdir(directory, { recursive: true });
    writable.push(await Deno.realPath(directory));
  }
  const mark = `--end-${crypto.randomUUID()}--`;
  const control = await writeControl(scratch, image, { script, writable, mark });
  const ports = {
    console: new GuestPort(scratch.directory, "console"),
    stdout: new GuestPort(scratch.directory, "stdout"),
    stderr: new GuestPort(scratch.directory, "stderr"),
    events: new GuestPort(scratch.directory, "events"),
  };

  const started = performance.now();
  const secondsSoFar = (): number => (performance.now() - started) / 1000;
  const qemu = scratch.spawn(
    qemuArguments({
      image,
      ports,
      control,
      writable,
      verbose: options.consoleLog ?? false,
      memoryMib: options.memoryMib ?? 2048,
      cpus: options.cpus ?? 2,
    }),
    { stdin: "null", stdout: "null", stderr: "piped" },
  );
  const kill = (): void => {
    try {
      qemu.kill("SIGKILL");
    } catch {
      // QEMU has exited: the ports will report it.
    }
  };

  const consoleTail = new TextTail(16_384);
  const outputs = [
    new CommandOutput(ports.stdout, mark, options.stdout === "piped" ? undefined : Deno.stdout),
    new CommandOutput(ports.stderr, mark, options.stderr === "piped" ? undefined : Deno.stderr),
  ] as const;
  const events: { booted?: number; code?: number } = {};
  const echo = options.consoleLog ? Deno.stderr : undefined;
  const told = Promise.all([
    follow(ports.events, events, secondsSoFar),
    ...outputs.map((output) => output.copy()),
  ]);
  const logged = Promise.all([
    log(ports.console.read(), consoleTail, echo),
    log(qemu.stderr, consoleTail, echo),
  ]);
  // Awaited last; a closed stderr ends the guest before.
  logged.catch(kill);
  const ended = qemu.status.then(() => {
    for (const port of Object.values(ports)) port.close();
  });

  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, (options.timeoutSeconds ?? 300) * 1000);
  options.signal?.addEventListener("abort", kill);
  try {
    // Either the guest said all it had to say or QEMU ended, which closes the ports.
    await told;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", kill);
    kill();
    await ended;
  }
  await logged;

  const complete = events.code !== undefined && outputs.every((output) => output.complete);
  if (!complete) options.signal?.throwIfAborted();
  if (!complete && !timedOut) throw failure(options, events.booted !== undefined, scratch, consoleTail);
  return {
    code: complete ? events.code ?? CODE_GUEST_FAILED : CODE_TIME_LIMIT,
    timedOut: !complete,
    stdout: outputs[0].text,
    stderr: outputs[1].text,
    bootSeconds: events.booted ?? NaN,
    totalSeconds: secondsSoFar(),
  };
}

/**
 * Reports whether this machine's kernel has L2TP with its netlink interface: loaded, built in, or as a module that
 * would be loaded on first use. Loads nothing, and does not check privileges.
 */
export async function kernelHasL2tp(): Promise<boolean> {
  try {
    await Deno.stat("/sys/module/l2tp_netlink");
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    const dryRun = new Deno.Command("modprobe", {
      args: ["-n", "-q", "l2tp_netlink"],
      // The program is not in the PATH of users other than root.
      env: { PATH: `${Deno.env.get("PATH") ?? "/usr/bin:/bin"}:/usr/sbin:/sbin` },
      stdin: "null",
    });
    return (await dryRun.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** One of the command's two output streams. */
class CommandOutput {
  readonly #port: GuestPort;
  readonly #mark: EndMark;
  readonly #sink: { write(bytes: Uint8Array): Promise<number> } | undefined;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(
    port: GuestPort,
    mark: string,
    sink: { write(bytes: Uint8Array): Promise<number> } | undefined,
  ) {
    this.#port = port;
    this.#mark = new EndMark(mark);
    this.#sink = sink;
  }

  /** The output is complete. */
  get complete(): boolean {
    return this.#mark.found;
  }

  /** Received output; empty if it was passed on. */
  get text(): string {
    return this.#text + this.#decoder.decode();
  }

  /** Copies until the end mark, or the guest's end. */
  async copy(): Promise<void> {
    for await (const piece of this.#port.read()) {
      await this.#deliver(this.#mark.push(piece));
      if (this.#mark.found) return;
    }
    await this.#deliver(this.#mark.flush());
  }

  async #deliver(bytes: Uint8Array): Promise<void> {
    if (this.#sink === undefined) this.#text += this.#decoder.decode(bytes, { stream: true });
    else await writeAll(this.#sink, bytes);
  }
}

/** Follows what guest_init.sh reports, until the command's exit code or the guest's end. */
async function follow(
  port: GuestPort,
  events: { booted?: number; code?: number },
  secondsSoFar: () => number,
): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of port.read()) {
    text += decoder.decode(piece, { stream: true });
    if (events.booted === undefined && text.startsWith("booted\n")) events.booted = secondsSoFar();
    const code = /^exit (\d+)$/m.exec(text.endsWith("\n") ? text : "")?.[1];
    if (code === undefined) continue;
    events.code = Number(code);
    return;
  }
}

async function log(
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
  tail: TextTail,
  echo: { write(bytes: Uint8Array): Promise<number> } | undefined,
): Promise<void> {
  for await (const piece of pieces) {
    tail.push(piece);
    if (echo !== undefined) await writeAll(echo, piece);
  }
}

async function writeAll(
  sink: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await sink.write(bytes.subarray(done));
}

function failure(
  options: GuestOptions,
  booted: boolean,
  scratch: Scratch,
  consoleTail: TextTail,
): GuestError {
  const during = booted ? `while it ran ${options.command[0]}` : "before it could run the command";
  const why = scratch.interruptedBy === undefined
    ? "the guest ended"
    : `${scratch.interruptedBy} ended the guest`;
  return new GuestError(booted ? "run" : "boot", `${why} ${during}`, consoleTail.toString());
}

/** Writes what the guest reads at boot; returns the directory that it finds it in. */
async function writeControl(
  scratch: Scratch,
  image: GuestImage,
  content: { script: string; writable: readonly string[]; mark: string },
): Promise<string> {
  const control = join(scratch.directory, "control");
  await Deno.mkdir(control);
  await Deno.copyFile(new URL("./guest_init.sh", import.meta.url), join(control, "guest_init.sh"));
  await Deno.writeTextFile(join(control, "command.sh"), content.script);
  await Deno.writeTextFile(join(control, "end_mark"), `${content.mark}\n`);
  await Deno.writeTextFile(join(control, "writable"), content.writable.map((path) => `${path}\n`).join(""));
  await Deno.writeTextFile(join(control, "modules_directory"), image.modulesDirectory);
  return control;
}

/** The shell script that becomes the command, in an environment that has nothing yet. */
function commandScript(options: GuestOptions): string {
  if (options.command.length === 0) throw new TypeError("no command for the guest");
  const cwd = options.cwd ?? Deno.cwd();
  if (!cwd.startsWith("/")) {
    throw new TypeError(`the guest's working directory is not an absolute path: ${cwd}`);
  }
  const variables = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    LANG: "C.UTF-8",
    TERM: "dumb",
    L2TP_GUEST: "1",
    ...options.env,
  };
  const lines: string[] = [];
  for (const [name, value] of Object.entries(variables)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new TypeError(`not the name of a variable: ${name}`);
    lines.push(`export ${name}=${quote(value)}`);
  }
  lines.push(`cd ${quote(cwd)} || exit 126`, `exec -- ${options.command.map(quote).join(" ")}`);
  return lines.join("\n") + "\n";
}

function quote(text: string): string {
  if (text.includes("\0")) throw new TypeError("a NUL character cannot be passed to a program");
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const USAGE = `usage: deno run -A tests/guest/guest.ts [OPTIONS] -- COMMAND [ARGUMENT]...
Runs a command as root on Debian's kernel, in an emulated machine with this machine's files.
  -t SECONDS   time limit for boot and command (300)
  -w DIR       let the guest change files below DIR (repeatable)
  -e NAME=V    a variable for the command (repeatable)
  -m MIB       the guest's memory (2048)
  -c N         the guest's processors (2)
  -v           the guest's console and how long it took, on stderr
Exit code: the command's; 124 for the time limit; 125 if the guest failed.`;

async function main(): Promise<number> {
  let options: GuestOptions;
  try {
    options = parseCommandLine(Deno.args);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(`guest: ${error.message}\n${USAGE}`);
    return CODE_GUEST_FAILED;
  }
  try {
    const result = await runInGuest(options);
    if (result.timedOut) console.error(`guest: time limit of ${options.timeoutSeconds ?? 300} s`);
    if (options.consoleLog) {
      const { bootSeconds, totalSeconds } = result;
      const boot = Number.isNaN(bootSeconds) ? "did not boot" : `booted after ${bootSeconds.toFixed(1)} s`;
      console.error(`guest: ${boot}, ${totalSeconds.toFixed(1)} s in all`);
    }
    return result.code;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(`guest: ${error.message}`);
    return CODE_GUEST_FAILED;
  }
}

function parseCommandLine(args: readonly string[]): GuestOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      time: { type: "string", short: "t" },
      writable: { type: "string", short: "w", multiple: true },
      env: { type: "string", short: "e", multiple: true },
      memory: { type: "string", short: "m" },
      cpus: { type: "string", short: "c" },
      verbose: { type: "boolean", short: "v" },
    },
  });
  if (positionals.length === 0) throw new TypeError("no command");
  const env: Record<string, string> = {};
  for (const assignment of values.env ?? []) {
    const equals = assignment.indexOf("=");
    if (equals < 1) throw new TypeError(`not NAME=VALUE: ${assignment}`);
    env[assignment.slice(0, equals)] = assignment.slice(equals + 1);
  }
  const options: GuestOptions = { command: positionals, env, consoleLog: values.verbose ?? false };
  if (values.writable !== undefined) options.writable = values.writable;
  if (values.time !== undefined) options.timeoutSeconds = positive(values.time);
  if (values.memory !== undefined) options.memoryMib = positive(values.memory);
  if (values.cpus !== undefined) options.cpus = positive(values.cpus);
  return options;
}

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new TypeError(`not a number above 0: ${text}`);
  return number;
}

// Not Deno.exit, which would cut off what is still to be written.
if (import.meta.main) process.exitCode = await main();
