/**
 * Programs that run in a network namespace while something is measured, and what they use.
 *
 * @module
 */

/** Time limit for an expected line of output. */
const READY_MS = 10_000;
/** No program takes longer from its start to its end: iperf3 waits for ever for a peer that has gone. */
const PROGRAM_MS = 60_000;
/** Clock ticks per second (USER_HZ): 100 on every architecture that Deno supports. */
const TICKS_PER_SECOND = 100;

/** Options of a program. */
export interface StartOptions {
  /** Variables of its environment beside our own. */
  readonly env?: Record<string, string>;
  /** Standard error goes to its output, too. */
  readonly withErrors?: boolean;
}

/** A program in a network namespace; it is ended with what uses it, by its process id. */
export class Program implements AsyncDisposable {
  readonly #command: readonly string[];
  readonly #child: Deno.ChildProcess;
  readonly #copied: Promise<void>[];
  #ended: Deno.CommandStatus | undefined;
  #stdout = "";
  #stderr = "";

  /** Starts it. */
  constructor(netns: string, command: readonly string[], options: StartOptions = {}) {
    this.#command = command;
    this.#child = new Deno.Command("ip", {
      args: ["netns", "exec", netns, ...command],
      env: { LC_ALL: "C", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child.status.then((status) => this.#ended = status);
    const copy = async (from: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> => {
      for await (const text of from.pipeThrough(new TextDecoderStream())) add(text);
    };
    this.#copied = [
      copy(this.#child.stdout, (text) => this.#stdout += text),
      copy(this.#child.stderr, (text) => this.#stderr += text),
    ];
  }

  /** Process id: `ip netns exec` replaces itself by the program. */
  get pid(): number {
    return this.#child.pid;
  }

  /** All that it has said so far. */
  get said(): string {
    return this.#stdout + this.#stderr;
  }

  /**
   * Waits until it says this.
   *
   * @throws {Error} it ends before, or takes too long
   */
  async says(text: string | RegExp): Promise<void> {
    const end = performance.now() + READY_MS;
    while (this.said.search(text) < 0) {
      if (this.#ended !== undefined || performance.now() > end) {
        throw new Error(`${this.#command.join(" ")} did not say ${text}: ${this.said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /**
   * Waits for its end, which must be a good one; what it wrote on standard output.
   *
   * @throws {Error} with its words, or it has not ended after a minute
   */
  async output(): Promise<string> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#end("SIGKILL");
    }, PROGRAM_MS);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    await Promise.all(this.#copied);
    if (isLate) {
      throw new Error(`${this.#command.join(" ")} did not end by itself: ${this.said.slice(0, 2000)}`);
    }
    if (code !== 0) throw new Error(`${this.#command.join(" ")}: exit ${code}: ${this.said.slice(0, 2000)}`);
    return this.#stdout;
  }

  #end(signal: Deno.Signal): void {
    if (this.#ended !== undefined) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Ends it, if it has not ended yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end("SIGTERM");
    await this.#child.status;
    await Promise.all(this.#copied);
  }
}

/** Reads the kernel's statistics of a process; `undefined` for a missing process or a zombie. */
function processFacts(
  pid: number,
): { readonly parent: number; readonly ticks: number; readonly isUser: boolean } | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || isGone(error)) return undefined;
    throw error;
  }
  // The name, which may hold anything, ends with the last parenthesis; behind it stand fields 3 and on.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): string => fields[number - 3]!;
  if (field(3) === "Z") return undefined;
  // Threads of the kernel have no memory of their own.
  return {
    parent: Number(field(4)),
    ticks: Number(field(14)) + Number(field(15)),
    isUser: field(23) !== "0",
  };
}

/** Reading the file of a process that ends meanwhile fails with ESRCH, for which Deno has no class. */
function isGone(error: unknown): boolean {
  return error instanceof Error && /os error 3\)/.test(error.message);
}

/**
 * Seconds of processor time that these processes have used, in user mode and in the kernel, with all their threads.
 *
 * @throws {Error} one of them has ended
 */
export function processorSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const facts = processFacts(pid);
    if (facts === undefined) throw new Error(`process ${pid}, which moved the tunnel's packets, has ended`);
    ticks += facts.ticks;
  }
  return ticks / TICKS_PER_SECOND;
}

/** Processor time of other programs during the measurement. */
export class Others {
  readonly #started = performance.now();
  readonly #before = Others.#ticks();

  /** Processor time of every process that is neither we nor a descendant of ours. */
  static #ticks(): Map<number, number> {
    const all = new Map<number, NonNullable<ReturnType<typeof processFacts>>>();
    for (const { name } of Deno.readDirSync("/proc")) {
      const facts = /^\d+$/.test(name) ? processFacts(Number(name)) : undefined;
      if (facts !== undefined) all.set(Number(name), facts);
    }
    const isOurs = (pid: number): boolean => {
      for (let at = pid; at > 1; at = all.get(at)?.parent ?? 0) if (at === Deno.pid) return true;
      return false;
    };
    return new Map(
      [...all].filter(([pid, { isUser }]) => isUser && !isOurs(pid)).map(([pid, { ticks }]) => [pid, ticks]),
    );
  }

  /** Cores that they have kept busy since; those of programs that have started and ended meanwhile are not known. */
  cores(): number {
    let ticks = 0;
    for (const [pid, now] of Others.#ticks()) ticks += now - (this.#before.get(pid) ?? 0);
    return ticks / TICKS_PER_SECOND / ((performance.now() - this.#started) / 1000);
  }
}

/** Seconds that all processors of this machine together have not been idle. */
export function busySeconds(): number {
  const [line] = Deno.readTextFileSync("/proc/stat").split("\n");
  // user nice system idle iowait irq softirq steal; what guests use is in user and nice already.
  const [user, nice, system, , , irq, softirq] = line!.split(/ +/).slice(1).map(Number);
  return (user! + nice! + system! + irq! + softirq!) / TICKS_PER_SECOND;
}

/** Bytes of memory that the process has. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s*(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
  if (kibibytes === undefined) throw new Error(`process ${pid} has no memory`);
  return Number(kibibytes) * 1024;
}

/** Process ids of all programs of this machine that have one of these names. */
export function pidsOf(names: readonly string[]): number[] {
  const pids: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (names.includes(Deno.readTextFileSync(`/proc/${name}/comm`).trim())) pids.push(Number(name));
    } catch (error) {
      // The process has ended meanwhile.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return pids;
}
