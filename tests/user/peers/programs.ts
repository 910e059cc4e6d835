/**
 * Programs that run in a network namespace while something is measured, and what they use.
 *
 * @module
 */

/** How long a program may take to say what is waited for. */
const READY_MS = 10_000;
/** Linux tells programs of time in units of its own, a hundred a second on every machine that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** How to start one. */
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

  /** Its process id: `ip netns exec` becomes the program. */
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
   * @throws {Error} with its words
   */
  async output(): Promise<string> {
    const { code } = await this.#child.status;
    await Promise.all(this.#copied);
    if (code !== 0) throw new Error(`${this.#command.join(" ")}: exit ${code}: ${this.said.slice(0, 2000)}`);
    return this.#stdout;
  }

  /** Ends it, if it has not ended yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended === undefined) {
      try {
        this.#child.kill("SIGTERM");
      } catch (error) {
        if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    await this.#child.status;
    await Promise.all(this.#copied);
  }
}

/** Seconds of processor time that these processes have used, in user mode and in the kernel, with all their threads. */
export function processorSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name, which may hold anything, ends with the last parenthesis; behind it stand fields 3 and on.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[14 - 3]) + Number(fields[15 - 3]);
  }
  return ticks / TICKS_PER_SECOND;
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
      // It has ended meanwhile.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return pids;
}
