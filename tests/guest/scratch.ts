/**
 * A directory and the programs that work in it, both gone when their owner ends, however it ends.
 *
 * @module
 */

const SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** A program started through {@linkcode Scratch.run} failed. */
export class CommandError extends Error {
  /** The class, for programs that cannot use instanceof. */
  override readonly name = "CommandError";

  /**
   * Formats the failure of a command with its output.
   *
   * @param command the whole command line
   * @param code exit code; 127 if the program does not exist
   * @param stderr standard error of the command
   */
  constructor(readonly command: readonly string[], readonly code: number, readonly stderr: string) {
    super(`${command.join(" ")} failed (exit code ${code}): ${stderr.trim()}`);
  }
}

/**
 * A temporary directory and child processes with one lifetime. Leaving the scope of an `await using` kills
 * what still runs and removes the directory. So does the end of this program: by SIGINT, SIGTERM or SIGHUP,
 * which take their effect afterwards; by Deno.exit; by an uncaught error. SIGKILL leaves the directory
 * behind, never a process.
 */
export class Scratch implements AsyncDisposable {
  readonly #children = new Map<Deno.ChildProcess, Promise<unknown>>();
  readonly #signalListeners = new Map<Deno.Signal, () => void>();
  #interruptedBy: Deno.Signal | undefined;
  #disposed: Promise<void> | undefined;

  private constructor(
    /** The directory's absolute path. Only its owner can enter it. */
    readonly directory: string,
  ) {
    for (const signal of SIGNALS) {
      const listener = (): void => this.#interrupt(signal);
      this.#signalListeners.set(signal, listener);
      Deno.addSignalListener(signal, listener);
    }
    addEventListener("unload", this.#abandon);
    addEventListener("error", this.#abandon);
    addEventListener("unhandledrejection", this.#abandon);
  }

  /**
   * Makes a new one.
   *
   * @param prefix how the directory's name starts
   * @param parent where it is made; the system's place for temporary files if not given
   */
  static async open(prefix: string, parent?: string): Promise<Scratch> {
    return new Scratch(await Deno.makeTempDir(parent === undefined ? { prefix } : { prefix, dir: parent }));
  }

  /** The signal that is about to end this program, if one came. */
  get interruptedBy(): Deno.Signal | undefined {
    return this.#interruptedBy;
  }

  /**
   * Starts a program that dies no later than this scratch.
   *
   * @param command the program and its arguments
   * @param options as for Deno.Command; /usr/sbin and /sbin are always searched for the program
   * @throws {Deno.errors.Interrupted} a signal came, or the scope was left
   */
  spawn(command: readonly string[], options: Omit<Deno.CommandOptions, "args"> = {}): Deno.ChildProcess {
    this.#mustLive();
    // A process group of its own keeps the terminal's Ctrl-C away from it: it ends when we say so, not in a
    // race with us. The parent-death signal is for the one case that leaves us no time to say it, SIGKILL.
    const child = new Deno.Command("setpriv", {
      ...options,
      args: ["--pdeathsig", "KILL", "--", ...command],
      env: {
        LC_ALL: "C",
        ...options.env,
        PATH: `${Deno.env.get("PATH") ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`,
      },
      detached: true,
    }).spawn();
    this.#children.set(child, child.status.then(() => this.#children.delete(child)));
    return child;
  }

  /**
   * Runs a program to its end and returns what it wrote on stdout.
   *
   * @param command the program and its arguments
   * @param options its working directory (the scratch directory if not given) and its input (none if not
   * given)
   * @throws {CommandError} its exit code was not 0
   * @throws {Deno.errors.Interrupted} a signal came
   */
  async run(
    command: readonly string[],
    options: { cwd?: string; input?: Uint8Array<ArrayBuffer> } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const child = this.spawn(command, {
      cwd: options.cwd ?? this.directory,
      stdin: options.input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    });
    // A program that exits before it has read everything breaks the pipe; its exit code shows the error.
    const fed = options.input === undefined
      ? undefined
      : new Blob([options.input]).stream().pipeTo(child.stdin).catch(() => undefined);
    const [{ code, stdout, stderr }] = await Promise.all([child.output(), fed]);
    // Killed by us: not a failure, and not to be retried.
    this.#mustLive();
    if (code !== 0) throw new CommandError(command, code, new TextDecoder().decode(stderr));
    return stdout;
  }

  /**
   * Kills what still runs, removes the directory. When a signal came, returns only if the program survived
   * it.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    await this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#killAll();
    await Promise.all(this.#children.values());
    await removeTree(this.directory);
    removeEventListener("unload", this.#abandon);
    removeEventListener("error", this.#abandon);
    removeEventListener("unhandledrejection", this.#abandon);
    for (const [signal, listener] of this.#signalListeners) Deno.removeSignalListener(signal, listener);
    if (this.#interruptedBy === undefined) return;
    // Without our listener the signal does what it would have done: end the program, and tell its parent why.
    Deno.kill(Deno.pid, this.#interruptedBy);
    // Signals are delivered by another thread; what follows should only be seen by a program that handles
    // them.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  #interrupt(signal: Deno.Signal): void {
    this.#interruptedBy ??= signal;
    this.#disposed ??= this.#dispose();
  }

  /** The program exits now: no promise will be awaited. */
  readonly #abandon = (event: Event): void => {
    if (event.defaultPrevented) return;
    this.#killAll();
    try {
      Deno.removeSync(this.directory, { recursive: true });
    } catch {
      // The directory is gone already, or a killed process still uses it: there is no time to wait.
    }
  };

  #mustLive(): void {
    if (this.#disposed === undefined) return;
    throw new Deno.errors.Interrupted(`interrupted by ${this.#interruptedBy ?? "the end of its work"}`);
  }

  #killAll(): void {
    for (const child of this.#children.keys()) {
      try {
        // The whole group: dpkg-deb, for one, leaves the work to a child of its own.
        Deno.kill(-child.pid, "SIGKILL");
      } catch {
        // The process has exited, and its status will arrive.
      }
    }
  }
}

/**
 * Removes a directory with all that is in it, or a file; nothing happens if there is none. Killed programs
 * may still be making files in it when we start, and are given a few seconds to be gone.
 */
export async function removeTree(directory: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.remove(directory, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
