/**
 * A real pseudo-terminal for tests: tmux with a server of its own and one pane, in which a shell runs.
 *
 * @module
 */

import { sh } from "./processes.ts";

/** How long a screen may take to show what is waited for. */
const LIMIT_MS = 30_000;
const POLL_MS = 30;

/** A terminal with a shell in it, gone at the end. */
export class Tmux implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** A terminal of this size with an interactive bash that has these variables. */
  static async open(
    size: { readonly columns: number; readonly rows: number },
    env: Readonly<Record<string, string>>,
  ): Promise<Tmux> {
    const tmux = new Tmux(await Deno.makeTempDir({ prefix: "l2tp-tmux." }));
    const variables = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    const { columns, rows } = size;
    await tmux.#tmux(
      ...["new-session", "-d", "-x", String(columns), "-y", String(rows), ...variables],
      "bash --norc --noprofile -i",
    );
    await tmux.#tmux("set-option", "-g", "status", "off");
    await tmux.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
    await tmux.line("PS1='$ '");
    await tmux.line("clear");
    return tmux;
  }

  async #tmux(...words: readonly string[]): Promise<string> {
    return await sh("tmux", "-u", "-f", "/dev/null", "-S", `${this.#folder}/socket`, ...words);
  }

  /** Presses keys, by tmux's names for them: `"C-c"`, `"Down"`, `"Escape"`. */
  async keys(...names: readonly string[]): Promise<void> {
    await this.#tmux("send-keys", ...names);
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", text);
  }

  /** Types a line. */
  async line(text: string): Promise<void> {
    await this.type(text);
    await this.keys("Enter");
  }

  /** What the screen shows, row by row. */
  async screen(): Promise<string[]> {
    return (await this.#tmux("capture-pane", "-p")).replace(/\n$/, "").split("\n");
  }

  /** Waits until the screen shows what the pattern says; the screen then. */
  async sees(pattern: RegExp): Promise<string[]> {
    const end = performance.now() + LIMIT_MS;
    for (;;) {
      const rows = await this.screen();
      const text = rows.join("\n");
      if (pattern.test(text)) return rows;
      if (performance.now() > end) throw new Error(`The screen never showed ${pattern}:\n${text}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Whether the other screen is shown, and whether the cursor is. */
  async modes(): Promise<
    { readonly otherScreen: boolean; readonly cursor: boolean; readonly wraps: boolean }
  > {
    const text = await this.#tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag}");
    const [otherScreen, cursor, wraps] = text.trim().split(" ").map((flag) => flag === "1");
    return { otherScreen: otherScreen!, cursor: cursor!, wraps: wraps! };
  }

  /** Gives the terminal another size. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** How the terminal's line is set up, as `stty -g` of the shell tells it. The shell must be waiting for a line. */
  async lineSettings(): Promise<string> {
    const path = `${this.#folder}/stty-${performance.now()}`;
    await this.line(`stty -g > ${path}.new && mv ${path}.new ${path}`);
    for (const end = performance.now() + LIMIT_MS;;) {
      try {
        return await Deno.readTextFile(path);
      } catch (error) {
        if (performance.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }

  /** Process ids of the shell's children. */
  async children(): Promise<number[]> {
    const shell = (await this.#tmux("display-message", "-p", "#{pane_pid}")).trim();
    const text = await Deno.readTextFile(`/proc/${shell}/task/${shell}/children`);
    return text.split(" ").filter((word) => word !== "").map(Number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
    await Deno.remove(this.#folder, { recursive: true });
  }
}
