/**
 * Running the programs that a configuration wants run when tunnels and sessions come and go.
 *
 * @module
 */

import { HookError } from "../../base/hook_error.ts";
import { inNamespace } from "./namespace.ts";

/** So many run at a time; the others wait their turn. */
const RUNNING_MAX = 8;
/** Longer lines are cut, and of more lines the rest is left out: they go to a log. */
const LINE_MAX = 500;
const LINES_MAX = 200;
/** For so long after its end a hook's output is waited for: what it left running may hold the pipe open. */
const REST_MS = 200;

/** A program to run. */
interface HookProcess {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly netns: string | undefined;
}

/** Runs programs without a shell, each in a session and process group of its own, which is what is killed. */
export class HookRunner {
  readonly #write: (line: string) => void;
  readonly #interrupts = new Set<() => void>();
  readonly #queue: (() => void)[] = [];
  readonly #all = new Set<Promise<unknown>>();
  #running = 0;

  /** `write` takes the lines that programs write, and what {@link tell} is told. */
  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /**
   * Runs a program to its end, with nothing on standard input, in the root folder. What it writes is told line by line.
   *
   * @throws {HookError} if it cannot be started, does not end with 0, takes too long, or is interrupted
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

  /** Tells the administrator something. */
  tell(line: string): void {
    this.#write(line);
  }

  /** Kills what runs, and lets what waits for its turn fail. */
  interrupt(): void {
    for (const interrupt of [...this.#interrupts]) interrupt();
  }

  /** Resolves when all that was begun has ended. */
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
    await this.#turn();
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

  async #turn(): Promise<void> {
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

/** Ends a program with all that it started, but for what left its group. */
function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** What a program writes. */
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

  /** Reads what is left, and closes. */
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
    // Terminals and logs are not for a program's control characters.
    const text = line.replaceAll(/\p{Cc}/gu, (control) => control === "\t" ? " " : "");
    const cut = text.length > LINE_MAX ? `${text.slice(0, LINE_MAX)}…` : text;
    this.#write(
      this.#lines > LINES_MAX ? `${this.#name}: further lines are left out` : `${this.#name}: ${cut}`,
    );
  }
}
