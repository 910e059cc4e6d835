/**
 * `status`: prints tunnels and sessions in the format of the kernel's debug file, rates, errors and problems; once, or
 * with `--watch` until the user ends it.
 *
 * @module
 */

import { healthText } from "../../../status/health_text.ts";
import type { Overview } from "../../../status/overview.ts";
import { populationText } from "../../../status/population.ts";
import { Tracker } from "../../../status/tracker.ts";
import type { Context } from "../../context.ts";
import { debugfs } from "../debugfs.ts";
import { EXIT_FAILURE } from "../../errors/failure.ts";
import { formatJson } from "../../output/json.ts";
import { argumentWrong, NO_TERMINAL, unknownKeyword } from "../../grammar/messages.ts";
import type { Options } from "../../grammar/options.ts";
import { watchScreen } from "./screen.ts";
import { statusJson } from "../../output/status_json.ts";
import { Sampler } from "./sample.ts";
import { lineIncomplete, UsageError } from "../../grammar/usage_error.ts";

/** The arguments of `status`. */
interface StatusWords {
  readonly watch: boolean;
  readonly raw: boolean;
  /** Milliseconds from one sample to the next. */
  readonly intervalMs: number;
}

const USUAL_INTERVAL_MS = 1000;
const INTERVAL_SECONDS = { least: 0.1, most: 3600 } as const;

/** Runs `status`; resolves to the exit code. */
export async function status(context: Context, words: readonly string[], options: Options): Promise<number> {
  const wanted = readWords(words);
  if (wanted.raw) return await debugfs(context, []);
  await context.open("read");
  if (!wanted.watch) return await printOnce(context, wanted, options);
  if (options.json) return await printOften(context, wanted, options);
  const screen = context.lazy.terminal.openFullScreen();
  if (screen === undefined) {
    throw new UsageError(NO_TERMINAL, {
      exitCode: EXIT_FAILURE,
      advice: ["Without one: l2tp status, or l2tp status --watch -json, which prints one object a second"],
    });
  }
  using _screen = screen;
  return await watchScreen(context, screen, { intervalMs: wanted.intervalMs, options });
}

function readWords(words: readonly string[]): StatusWords {
  let [watch, raw, intervalMs] = [false, false, USUAL_INTERVAL_MS];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "--watch") watch = true;
    else if (word === "--raw") raw = true;
    else if (word === "interval") intervalMs = readInterval(words[++i]);
    else throw new UsageError(unknownKeyword(word), { advice: ["See: l2tp help status"] });
  }
  if (watch && raw) {
    throw new UsageError(argumentWrong("--raw", "the file is printed once, not watched"));
  }
  return { watch, raw, intervalMs };
}

function readInterval(text: string | undefined): number {
  if (text === undefined) throw lineIncomplete("interval SECONDS", "status");
  const { least, most } = INTERVAL_SECONDS;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(seconds >= least && seconds <= most)) {
    throw new UsageError(argumentWrong(text, `interval is a number of seconds, ${least} to ${most}`));
  }
  return seconds * 1000;
}

/** Prints the state of two samples. An interrupt between them shortens the interval. */
async function printOnce(context: Context, { intervalMs }: StatusWords, options: Options): Promise<number> {
  const sampler = new Sampler(context);
  const tracker = new Tracker();
  let overview = tracker.update(sampler.read({ whole: true }));
  if (overview.sessions.length > 0) {
    await pause(context, intervalMs);
    overview = tracker.update(sampler.read({ whole: true }));
  }
  if (options.json) printJson(context, overview, options);
  else context.print(`${populationText(overview)}\n${healthText(overview)}`);
  return 0;
}

/** Prints one object for each interval until the user interrupts. */
async function printOften(context: Context, { intervalMs }: StatusWords, options: Options): Promise<number> {
  const sampler = new Sampler(context);
  const tracker = new Tracker();
  tracker.update(sampler.read({ whole: true }));
  for (;;) {
    if (await pause(context, intervalMs) === "interrupted") return 0;
    if (context.hasNoSubsystem) await context.reopen();
    printJson(context, tracker.update(sampler.read({ whole: true })), options);
    context.flush();
  }
}

function printJson(context: Context, overview: Overview, options: Options): void {
  const json = statusJson(overview, context.lazy.clock.now());
  context.print(formatJson(json, options.pretty === true) + "\n");
}

async function pause(context: Context, ms: number): Promise<"over" | "interrupted"> {
  const abort = new AbortController();
  using _interrupt = context.lazy.terminal.onInterrupt(() => abort.abort());
  await context.lazy.clock.sleep(ms, abort.signal);
  return abort.signal.aborted ? "interrupted" : "over";
}
