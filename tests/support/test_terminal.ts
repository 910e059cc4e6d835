/**
 * Programs on a real pseudo-terminal: tmux types, and tells what is on the screen.
 *
 * @module
 */

import { runProgram, sh } from "./processes.ts";

/** Far longer than anything on a screen takes, also on a busy machine. */
const LIMIT_MS = 20_000;

/** How to start a program on a terminal. */
export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** Variables of its environment beside the test's own. */
  readonly env?: Record<string, string>;
}

/** A terminal with a program on it, gone when the test ends. Its program's exit code comes to stand on the screen. */
export class TestTerminal implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts a program; 80 columns and 24 rows unless said otherwise. */
  static async start(command: readonly string[], options: TerminalOptions = {}): Promise<TestTerminal> {
    const terminal = new TestTerminal(await Deno.makeTempDir({ prefix: "l2tp-terminal." }));
    const { columns = 80, rows = 24, env = {} } = options;
    const assignments = Object.entries({ LC_ALL: "C.UTF-8", ...env }).map(([name, value]) =>
      `${name}=${value}`
    );
    const words = ["env", ...assignments, ...command].map(quote).join(" ");
    const state = (name: string): string => `stty -g >${quote(`${terminal.#folder}/${name}`)}`;
    const script = `${state("before")}; ${words}; echo "left with $?"; ${state("after")}; exec sleep 1000`;
    await terminal.#tmux("-f", "/dev/null", "new-session", "-d", "-x", `${columns}`, "-y", `${rows}`, script);
    return terminal;
  }

  async #tmux(...words: readonly string[]): Promise<string> {
    return await sh("tmux", "-S", `${this.#folder}/socket`, ...words);
  }

  /** Types the text. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", "--", text);
  }

  /** Presses keys by tmux's names: `Tab`, `Enter`, `Up`, `C-c`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** Pastes the text as terminals do, with marks around it for programs that asked for them. */
  async paste(text: string): Promise<void> {
    await this.#tmux("set-buffer", "--", text);
    await this.#tmux("paste-buffer", "-p", "-r");
  }

  /** Gives the terminal another size. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
  }

  /** What is on the screen now, row by row, without empty rows at the end. */
  async screen(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p")).trimEnd();
  }

  /** What is and was on the screen, lines whole that are broken there. */
  async text(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p", "-J", "-S", "-")).trimEnd();
  }

  /** Waits until the text is so; resolves to it. */
  async until(condition: (text: string) => boolean, what: string): Promise<string> {
    const end = performance.now() + LIMIT_MS;
    for (;;) {
      const text = await this.text();
      if (condition(text)) return text;
      if (performance.now() > end) {
        throw new Error(`Waited in vain for this: ${what}. The terminal has:\n${text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  /** Waits until the last line, without blanks at its end, is this. */
  async line(expected: string): Promise<string> {
    return await this.until(
      (text) => lastLine(text) === expected,
      `the last line is ${JSON.stringify(expected)}`,
    );
  }

  /** Whether the program left the terminal as it found it; once it has ended. */
  async isRestored(): Promise<boolean> {
    await this.until((text) => /^left with \d+$/m.test(text), "the program ends");
    for (let tries = 0; tries < 100; tries++) {
      const [before, after] = ["before", "after"].map((name) => readText(`${this.#folder}/${name}`));
      if (after !== "") return before === after;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The server is this terminal's own.
    await runProgram(["tmux", "-S", `${this.#folder}/socket`, "kill-server"]);
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** The last line of a text. */
export function lastLine(text: string): string {
  return text.slice(text.lastIndexOf("\n") + 1).trimEnd();
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
