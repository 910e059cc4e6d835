/**
 * The line editor: Node's readline, which receives one key at a time. So the editor can answer a question mark at once,
 * and reads nothing from the terminal while a command runs, which may read it itself.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import { createInterface, emitKeypressEvents, type Interface, type Key } from "node:readline";
import { Readable, Writable } from "node:stream";
import { type PasteMark, PasteMarks } from "./paste_marks.ts";
import type { Terminal } from "./ports.ts";
import type { Suggestions } from "./suggest.ts";
import { HISTORY_SIZE } from "./history.ts";

/** Completion and help for the line that is being typed. */
export interface Helper {
  /** Completions of the last word of the text. */
  suggest(text: string): Promise<Suggestions>;
  /** The answer to a question mark after the text; `undefined` where the mark is an ordinary character. */
  explain(text: string): Promise<string | undefined>;
}

/** The end of a line: Enter; Ctrl-C; Ctrl-D or the end of the terminal. */
export type TypedLine =
  | { readonly type: "line"; readonly text: string }
  | { readonly type: "cancelled" }
  | { readonly type: "left" };

/** A key, or the begin or end of pasted text. */
type Keypress =
  | { readonly type: "key"; readonly text: string | undefined; readonly key: Key; readonly pasted?: true }
  | { readonly type: PasteMark };

/** Edits lines on a terminal. */
export class Editor implements Disposable {
  readonly #terminal: Terminal;
  readonly #helper: Helper;
  readonly #readline: Interface;
  readonly #decoder = new EventEmitter();
  readonly #pasteMarks = new PasteMarks();
  readonly #resizing: Disposable;
  #keys: Keypress[] = [];
  #suggesting: Promise<unknown> | undefined;
  #ended: TypedLine | undefined;
  #afterTab = false;
  /** Whether the line is the offered one, and nothing was typed since. */
  #offered = false;

  /** `history` are lines of earlier sessions, the last first. */
  constructor(terminal: Terminal, helper: Helper, history: readonly string[]) {
    this.#terminal = terminal;
    this.#helper = helper;
    const output = new TerminalOutput(terminal);
    this.#resizing = terminal.onResize(() => output.emit("resize"));
    this.#readline = createInterface({
      // It is never read: `write()` passes the keys.
      input: new Readable({ read: () => {} }),
      output,
      terminal: true,
      history: [...history],
      historySize: HISTORY_SIZE,
      removeHistoryDuplicates: true,
      completer: (text: string, done: (error: null, result: [string[], string]) => void) => {
        this.#suggesting = this.#helper.suggest(text).then(({ words, last }) =>
          done(null, [[...words], last])
        );
      },
    });
    this.#readline.on("line", (text) => this.#ended = { type: "line", text });
    this.#readline.on("SIGINT", () => this.#ended = { type: "cancelled" });
    // Ctrl-Z does nothing: returning from it would leave the screen in disorder.
    this.#readline.on("SIGTSTP", () => {});
    this.#readline.on("close", () => this.#ended ??= { type: "left" });
    emitKeypressEvents(this.#decoder as unknown as NodeJS.ReadableStream);
    this.#decoder.on(
      "keypress",
      (text: string | undefined, key: Key) => this.#keys.push({ type: "key", text, key }),
    );
  }

  /** Lets the user type a line, which begins with `offered`. */
  async readLine(prompt: string, offered = ""): Promise<TypedLine> {
    this.#terminal.setMode("editing");
    this.#readline.setPrompt(prompt);
    this.#readline.prompt();
    if (offered !== "" && this.#keys.length === 0) {
      this.#readline.write(offered);
      this.#offered = true;
    }
    this.#ended = undefined;
    for (;;) {
      const keypress = await this.#nextKey();
      if (keypress === undefined) return { type: "left" };
      await this.#press(keypress);
      this.#offered = false;
      const ended = this.#takeEnd();
      if (ended !== undefined) return ended;
    }
  }

  [Symbol.dispose](): void {
    this.#resizing[Symbol.dispose]();
    this.#readline.close();
  }

  #takeEnd(): TypedLine | undefined {
    const ended = this.#ended;
    this.#ended = undefined;
    if (ended?.type === "cancelled") {
      this.#clear("^C\n");
      // The next arrow-up begins at the last line again.
      (this.#readline as Interface & { historyIndex: number }).historyIndex = -1;
    } else if (ended?.type === "left") {
      this.#terminal.write("\n");
    }
    return ended;
  }

  async #nextKey(): Promise<Keypress | undefined> {
    while (this.#keys.length === 0) {
      const bytes = await this.#terminal.read();
      if (bytes === undefined) return undefined;
      for (const part of this.#pasteMarks.split(bytes)) {
        if (typeof part === "string") this.#keys.push({ type: part });
        else this.#decoder.emit("data", part);
      }
    }
    return this.#keys.shift();
  }

  async #press(keypress: Keypress): Promise<void> {
    const afterTab = this.#afterTab;
    this.#afterTab = false;
    if (keypress.type === "pasteBegins") return await this.#paste();
    if (keypress.type !== "key") return;
    const { text, key, pasted } = keypress;
    if (!pasted && text === "?" && await this.#answer("?")) return;
    if (key.name === "tab") {
      // A tab in pasted text separates words.
      if (pasted) return this.#readline.write(" ");
      if (afterTab && await this.#answer("")) return;
      this.#afterTab = true;
    }
    this.#readline.write(text as string, key);
    await this.#suggesting;
    if (this.#suggesting !== undefined) {
      // readline inserts completions in a microtask.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#suggesting = undefined;
    }
  }

  /** Collects pasted text. Several lines replace an offered line that was not touched. */
  async #paste(): Promise<void> {
    const wasOffered = this.#offered;
    const pasted: Keypress[] = [];
    for (let next = await this.#nextKey(); next !== undefined; next = await this.#nextKey()) {
      if (next.type === "pasteEnds") break;
      if (next.type === "key") pasted.push({ ...next, pasted: true });
    }
    if (wasOffered && pasted.some((next) => next.type === "key" && isEnter(next.key))) {
      this.#readline.write(null as unknown as string, { ctrl: true, name: "e" });
      this.#readline.write(null as unknown as string, { ctrl: true, name: "u" });
    }
    this.#keys = [...pasted, ...this.#keys];
  }

  /** Prints the answer to a question at the cursor, below the line; returns whether there is an answer. */
  async #answer(mark: string): Promise<boolean> {
    const { line, cursor } = this.#readline;
    const answer = await this.#helper.explain(line.slice(0, cursor));
    if (answer === undefined) return false;
    this.#clear(`${mark}\n${answer}`);
    this.#readline.prompt();
    this.#readline.write(line);
    for (let at = this.#readline.cursor; at > cursor; at = this.#readline.cursor) {
      this.#readline.write(null as unknown as string, { ctrl: true, name: "b" });
      if (this.#readline.cursor >= at) break;
    }
    return true;
  }

  /** Writes the text after the line on the screen, and clears the line of the editor. */
  #clear(text: string): void {
    this.#readline.write(null as unknown as string, { ctrl: true, name: "e" });
    this.#terminal.write(text);
    const output = this.#readline as Interface & { output: TerminalOutput };
    output.output.muted = true;
    this.#readline.write(null as unknown as string, { ctrl: true, name: "u" });
    output.output.muted = false;
  }
}

function isEnter({ name }: Key): boolean {
  return name === "return" || name === "enter";
}

/** The stream that readline writes to. */
class TerminalOutput extends Writable {
  readonly #terminal: Terminal;
  /** Whether output is discarded. */
  muted = false;

  constructor(terminal: Terminal) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
  }

  /** readline checks this property. */
  get isTTY(): true {
    return true;
  }

  get columns(): number {
    return this.#terminal.size().columns;
  }

  get rows(): number {
    return this.#terminal.size().rows;
  }

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    if (!this.muted) this.#terminal.write(String(chunk));
    done();
  }
}
