/**
 * Runs programs on a real pseudo-terminal: tmux sends keys and reads the screen.
 *
 * Programs react to keys with a delay, above all on a busy machine. After pressing keys, wait for their effect
 * ({@linkcode TestTerminal.until}) or, if there may be none, until the program has processed them ({@linkcode
 * TestTerminal.settle}).
 *
 * @module
 */

import { runProgram, sh } from "./processes.ts";

/** Far longer than anything on a screen takes, also on a busy or emulated machine. */
const LIMIT_MS = 60_000;
const POLL_MS = 30;
/** A character that no test types otherwise and no program takes for more than a letter. */
const MARK = "Z";

/** Options of a program on a terminal. */
export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** Variables of its environment beside the test's own. */
  readonly env?: Record<string, string>;
}

/** Terminal modes that a program may have changed. */
export interface TerminalModes {
  /** The alternate screen is active. */
  readonly otherScreen: boolean;
  readonly cursor: boolean;
  readonly wraps: boolean;
}

/**
 * A terminal with a program, closed at the end of the test. The screen shows the program's exit code, and the line
 * settings before and after it are compared.
 */
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
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    await terminal.#tmux("-u", "-f", "/dev/null", "new-session", "-d", ...size, script);
    // tmux's own line takes one row of the screen.
    await terminal.#tmux("set-option", "-g", "status", "off");
    await terminal.resize(columns, rows);
    return terminal;
  }

  /** Starts an interactive bash without anybody's settings, whose prompt is a dollar sign and a blank. */
  static async startShell(options: TerminalOptions = {}): Promise<TestTerminal> {
    const terminal = await TestTerminal.start(["bash", "--norc", "--noprofile", "-i"], {
      ...options,
      env: { ...options.env, PS1: "$ " },
    });
    await terminal.line("$");
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

  /** Types the text and presses Enter. */
  async enter(text: string): Promise<void> {
    await this.type(text);
    await this.press("Enter");
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

  /** Returns the screen, row by row. */
  async screen(): Promise<string[]> {
    return (await this.#tmux("capture-pane", "-p")).replace(/\n$/, "").split("\n");
  }

  /** Returns screen and scrollback with wrapped lines joined, without empty lines at the end. */
  async text(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p", "-J", "-S", "-")).trimEnd();
  }

  /** Waits until the text is so; resolves to it. */
  async until(condition: (text: string) => boolean, what: string): Promise<string> {
    return await poll(() => this.text(), condition, what);
  }

  /** Waits until the last line, without blanks at its end, is this. */
  async line(expected: string): Promise<string> {
    return await this.until(
      (text) => lastLine(text) === expected,
      `the last line is ${JSON.stringify(expected)}`,
    );
  }

  /** Waits until the screen, its rows joined by newlines, is as the pattern says; resolves to its rows. */
  async sees(pattern: RegExp): Promise<string[]> {
    const screen = async (): Promise<string> => (await this.screen()).join("\n");
    return (await poll(screen, (text) => pattern.test(text), `the screen shows ${pattern}`)).split("\n");
  }

  /**
   * Waits until a line editor at the end of its line has dealt with everything that was typed, whatever that does:
   * keys are taken in order, so types a letter, waits for it, and takes it away again.
   */
  async settle(): Promise<void> {
    await this.type(MARK);
    await this.until((text) => lastLine(text).endsWith(MARK), "what is typed last is on the screen");
    await this.press("BSpace");
    await this.until((text) => !lastLine(text).endsWith(MARK), "it is off the screen again");
  }

  /** Returns the modes: alternate screen, cursor visibility, line wrapping. */
  async modes(): Promise<TerminalModes> {
    const text = await this.#tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag}");
    const [otherScreen, cursor, wraps] = text.trim().split(" ").map((flag) => flag === "1");
    return { otherScreen: otherScreen!, cursor: cursor!, wraps: wraps! };
  }

  /** Returns the line settings from `stty -g`. A shell must be waiting for a command. */
  async lineSettings(): Promise<string> {
    // Read from outside, the settings would be those of the shell's line editor or of running commands.
    const path = `${this.#folder}/stty-${performance.now()}`;
    await this.enter(`stty -g > ${path}.new && mv ${path}.new ${path}`);
    return await poll(() => readText(path), (text) => text !== "", "stty tells how the line is set up");
  }

  /** Process id of what runs on the terminal: the program, or if that is a shell, what runs in it. */
  async processId(): Promise<number> {
    // The first is the shell that started the program.
    for (let pid = Number(await this.#tmux("display-message", "-p", "#{pane_pid}"));;) {
      const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
      const [child] = children.split(" ").filter((word) => word !== "");
      if (child === undefined) return pid;
      pid = Number(child);
    }
  }

  /** Reports whether the program, which must have ended, restored the terminal. */
  async isRestored(): Promise<boolean> {
    await this.until((text) => /^left with \d+$/m.test(text), "the program ends");
    const [before, after] = ["before", "after"].map((name) => () => readText(`${this.#folder}/${name}`));
    return await poll(after!, (text) => text !== "", "stty tells how the line is set up") === await before!();
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

/** Asks until the answer is so; resolves to it. */
async function poll(
  ask: () => Promise<string>,
  condition: (text: string) => boolean,
  what: string,
): Promise<string> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const text = await ask();
    if (condition(text)) return text;
    if (performance.now() > end) {
      throw new Error(`Waited in vain for this: ${what}. The terminal has:\n${text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
