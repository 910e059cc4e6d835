/**
 * Runs the hook programs that the configuration defines for tunnels and sessions.
 *
 * @module
 */

import { HookError } from "../../base/hook_error.ts";
import { inNamespace } from "./namespace.ts";

/** Maximum number of hooks that run at the same time; others wait. */
const RUNNING_MAX = 8;
/** Longer lines are truncated and further lines dropped, since they go to a log. */
const LINE_MAX = 500;
const LINES_MAX = 200;
/** Time to wait for a hook's output after it has ended: its children may hold the pipe open. */
const REST_MS = 200;

/** A program to run. */
interface HookProcess {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly netns: string | undefined;
}

/**
 * Runs programs without a shell, each in a session and process group of its own, so that the whole group can be
 * killed.
 */
export class HookRunner {
  readonly #write: (line: string) => void;
  readonly #interrupts = new Set<() => void>();
  readonly #queue: (() => void)[] = [];
  readonly #all = new Set<Promise<unknown>>();
  #running = 0;

  /** `write` receives the lines that programs write, and those of {@link tell}. */
  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /**
   * Runs a program to its end, with empty standard input, in the root folder. Its output goes to `write` line by
   * line.
   *
   * @throws {HookError} if it cannot be started, exits with another status than 0, exceeds its time limit, or is
   * interrupted
   */
  async run(hook: HookProcess): Promise<void> {
    const ended = this.#run(hook);
    const settled = ended.catch(() => {});
    this.#all.add(settled);
    try {
      await ended;
    } finally {
      this.#all.delete(settled);
    }
  }

  /** Writes a line to the log. */
  tell(line: string): void {
    this.#write(line);
  }

  /** Kills running hooks, and makes waiting ones fail. */
  interrupt(): void {
    for (const interrupt of [...this.#interrupts]) interrupt();
  }

  /** Resolves when all hooks have ended. */
  async settled(): Promise<void> {
    while (this.#all.size > 0) await Promise.all(this.#all);
  }

  async #run(hook: HookProcess): Promise<void> {
    let trouble: "timeout" | "interrupted" | undefined;
    let child: Deno.ChildProcess | undefined;
    const stop = (why: typeof trouble): void => {
      trouble ??= why;
      if (child !== undefined) killGroup(child.pid);
    };
    const interrupt = (): void => stop("interrupted");
    this.#interrupts.add(interrupt);
    await this.#waitForSlot();
    try {
      if (trouble !== undefined) throw new HookError(hook.name, "interrupted", "was interrupted");
      child = spawn(hook);
      const timer = setTimeout(() => stop("timeout"), hook.timeoutMs);
      const output = new Output(hook.name, this.#write, [child.stdout, child.stderr]);
      const status = await child.status;
      clearTimeout(timer);
      await output.end();
      if (trouble === "timeout") {
        throw new HookError(hook.name, trouble, `took longer than ${hook.timeoutMs / 1000} s and was killed`);
      }
      if (trouble !== undefined) throw new HookError(hook.name, "interrupted", "was interrupted");
      if (status.success) return;
      const how = status.signal === null
        ? `ended with exit code ${status.code}`
        : `was ended by ${status.signal}`;
      throw new HookError(hook.name, "failed", how);
    } finally {
      this.#interrupts.delete(interrupt);
      this.#running--;
      this.#queue.shift()?.();
    }
  }

  async #waitForSlot(): Promise<void> {
    while (this.#running >= RUNNING_MAX) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#running++;
  }
}

function spawn({ name, command, environment, netns }: HookProcess): Deno.ChildProcess {
  const [program = "", ...args] = command;
  const start = (): Deno.ChildProcess =>
    new Deno.Command(program, {
      args,
      cwd: "/",
      env: environment,
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
  try {
    return netns === undefined ? start() : inNamespace(netns, start);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new HookError(name, "notStarted", `cannot be started: ${error.message}`);
  }
}

/** Kills a program with its children, except those that left its process group. */
function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    // The program has ended already.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Collects the output of a program. */
class Output {
  readonly #name: string;
  readonly #write: (line: string) => void;
  readonly #readers: readonly ReadableStreamDefaultReader<string>[];
  readonly #read: Promise<unknown>;
  #lines = 0;

  constructor(
    name: string,
    write: (line: string) => void,
    streams: readonly ReadableStream<Uint8Array<ArrayBuffer>>[],
  ) {
    this.#name = name;
    this.#write = write;
    this.#readers = streams.map((stream) => stream.pipeThrough(new TextDecoderStream()).getReader());
    this.#read = Promise.all(this.#readers.map((reader) => this.#readAll(reader)));
  }

  /** Reads the rest of the output, and closes the pipes. */
  async end(): Promise<void> {
    const timer = setTimeout(() => {
      for (const reader of this.#readers) void reader.cancel();
    }, REST_MS);
    await this.#read;
    clearTimeout(timer);
  }

  async #readAll(reader: ReadableStreamDefaultReader<string>): Promise<void> {
    let rest = "";
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const lines = (rest + next.value).split("\n");
      rest = lines.pop()!.slice(0, LINE_MAX + 1);
      for (const line of lines) this.#line(line);
    }
    if (rest !== "") this.#line(rest);
  }

  #line(line: string): void {
    this.#lines++;
    if (this.#lines > LINES_MAX + 1) return;
    // A program's control characters must not reach terminals and logs.
    const text = line.replaceAll(/\p{Cc}/gu, (control) => control === "\t" ? " " : "");
    const cut = text.length > LINE_MAX ? `${text.slice(0, LINE_MAX)}…` : text;
    this.#write(
      this.#lines > LINES_MAX ? `${this.#name}: further lines omitted` : `${this.#name}: ${cut}`,
    );
  }
}
