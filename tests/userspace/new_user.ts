/**
 * Simulates a new user who knows the goal but not the syntax: types `?` at every word, then the shortest unambiguous
 * prefix of a listed word, and completes it with Tab.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { lastLine, type TestTerminal } from "../support/test_terminal.ts";

/** Words that `?` listed. */
interface Answer {
  /** The words that are needed. */
  readonly needed: readonly string[];
  /** All words and values, the needed ones first. */
  readonly all: readonly string[];
}

/** Sits before an interactive mode. */
export class NewUser {
  readonly #terminal: TestTerminal;
  readonly #prompt: () => string;
  /** Number of times `?` was typed. */
  questions = 0;

  constructor(terminal: TestTerminal, prompt: () => string) {
    this.#terminal = terminal;
    this.#prompt = prompt;
  }

  /** Looks around. */
  async begin(): Promise<void> {
    const { all } = await this.#ask("");
    assert(all.includes("add") && all.includes("show"), all.join(" "));
  }

  /** Makes a tunnel with a session over UDP; `wishes` are what he knows by the keywords that ask for it. */
  async make(wishes: Readonly<Record<string, string>>): Promise<void> {
    let line = "";
    for (const word of ["add", "tunnel", "session"]) line = await this.#choose(line, word);
    const wanted = new Set(Object.keys(wishes));
    for (;;) {
      const { needed, all } = await this.#ask(line);
      const next = needed[0] ?? all.find((word) => wanted.has(word));
      if (next === undefined) {
        line = await this.#choose(line, "up");
        assert((await this.#ask(line)).all.includes("<Enter>"));
        break;
      }
      line = await this.#choose(line, next);
      wanted.delete(next);
      const value = wishes[next];
      assert(value !== undefined, `He does not know what ${next} is to be`);
      const { all: values } = await this.#ask(line);
      line = values.includes(value) ? await this.#choose(line, value) : await this.#type(line, `${value} `);
    }
    assertEquals([...wanted], []);
    await this.#terminal.press("Enter");
    await this.#terminal.until((text) => lastLine(text) === this.#prompt(), "the line is run");
  }

  /** Asks what may come next. */
  async #ask(line: string): Promise<Answer> {
    this.questions++;
    const mark = `${this.#prompt()} ${line}?`;
    const asked = (text: string): number => text.split(mark).length;
    const before = asked(await this.#terminal.text());
    await this.#terminal.type("?");
    const text = await this.#terminal.until(
      (text) => asked(text) > before && lastLine(text) === `${this.#prompt()} ${line}`.trimEnd(),
      `an answer to ${mark}`,
    );
    const lines = text.slice(text.lastIndexOf(mark)).split("\n").slice(1, -1);
    const rows = (part: readonly string[]): string[] =>
      part.map((row) => /^ {2}(\S+)/.exec(row)?.[1]).filter((word) => word !== undefined);
    const also = lines.indexOf("Also:");
    const needed = lines[0] === "Needed:" ? rows(lines.slice(1, also < 0 ? undefined : also)) : [];
    return { needed, all: rows(lines) };
  }

  /** Types the shortest unambiguous prefix of a word among those that `?` lists, and Tab. */
  async #choose(line: string, word: string): Promise<string> {
    const { all } = await this.#ask(line);
    assert(all.includes(word), `? does not list ${word}: ${all.join(" ")}`);
    let length = 1;
    while (
      length < word.length && all.some((other) => other !== word && other.startsWith(word.slice(0, length)))
    ) {
      length++;
    }
    await this.#terminal.type(word.slice(0, length));
    await this.#terminal.press("Tab");
    const whole = `${line}${word}`;
    const isLonger = all.some((other) => other !== word && other.startsWith(word));
    await this.#terminal.line(`${this.#prompt()} ${whole}`);
    return isLonger ? await this.#type(whole, " ") : `${whole} `;
  }

  async #type(line: string, text: string): Promise<string> {
    await this.#terminal.type(text);
    await this.#terminal.line(`${this.#prompt()} ${line}${text}`.trimEnd());
    return line + text;
  }
}
