/**
 * `apply`: creates, changes and deletes tunnels, sessions and their interfaces to match a configuration file.
 *
 * @module
 */

import { observe } from "../../../apply/observe.ts";
import { lookUpPeers } from "../../../apply/peers.ts";
import { perform } from "../../../apply/perform.ts";
import { changeText, COLORED, type DiffColors, PLAIN, thingName } from "../../../config/plan/change_text.ts";
import { makePlan, type Plan, type Unit } from "../../../config/plan/plan.ts";
import { changeJson } from "../../output/change_json.ts";
import { count, loadConfig, readFileWord, tellProblems } from "./check.ts";
import type { Context } from "../../context.ts";
import { EXIT_FAILURE, failureOf, failureText } from "../../errors/failure.ts";
import { type ChangeJson, formatJson } from "../../output/json.ts";
import type { Options } from "../../grammar/options.ts";
import { targetOf } from "../target.ts";
import { argumentsOf } from "../../errors/step_arguments.ts";
import { EXIT_USAGE } from "../../grammar/usage_error.ts";

/** The arguments of `apply`. */
interface Wanted {
  readonly file: string;
  readonly dryRun: boolean;
  readonly prune: boolean;
}

function readWords(words: readonly string[]): Wanted {
  const [dryRun, prune] = ["--dry-run", "--prune"].map((option) => words.includes(option));
  const rest = words.filter((word) => word !== "--dry-run" && word !== "--prune");
  return { file: readFileWord(rest, "apply"), dryRun: dryRun!, prune: prune! };
}

/** Applies the file; resolves to the exit code. */
export async function apply(context: Context, words: readonly string[], options: Options): Promise<number> {
  const wanted = readWords(words);
  const config = await loadConfig(context, wanted.file, options);
  if (config === undefined) return EXIT_USAGE;
  await context.open("read");
  const plan = makePlan(config, observe(targetOf(context), config.tunnels), {
    prune: wanted.prune,
    peers: await lookUpPeers(config.tunnels, context.lazy.system.resolveHost),
  });
  return await new Applying(context, options, wanted).run(plan);
}

class Applying {
  readonly #context: Context;
  readonly #options: Options;
  readonly #wanted: Wanted;
  readonly #colors: DiffColors;
  readonly #json: ChangeJson[] = [];
  #done = 0;
  #exitCode = 0;

  constructor(context: Context, options: Options, wanted: Wanted) {
    this.#context = context;
    this.#options = options;
    this.#wanted = wanted;
    const { ports } = context;
    const { color } = options;
    const onTerminal = color !== "never" && ports.terminal && !ports.env("NO_COLOR");
    this.#colors = color === "always" || onTerminal ? COLORED : PLAIN;
  }

  async run(plan: Plan): Promise<number> {
    const { dryRun } = this.#wanted;
    const creates = plan.units.some(({ steps, blockers }) =>
      blockers.length === 0 && steps.some(({ step }) => step.do === "createTunnel")
    );
    // A daemon is started only if the plan creates something.
    if (creates && !dryRun) await this.#context.open("create");
    const hasHooks = plan.units.some(({ steps, blockers }) =>
      blockers.length === 0 && steps.some(({ step }) => step.do === "runHook")
    );
    if (hasHooks && !dryRun) await this.#unitsWithHooks(plan.units);
    else for (const unit of plan.units) await this.#unit(unit);
    if (this.#options.json) {
      this.#context.print(formatJson(this.#json, this.#options.pretty === true) + "\n");
    } else this.#summary(plan);
    return this.#exitCode;
  }

  /** An interrupt kills the running hook, so that its unit is undone, and skips the units after it. */
  async #unitsWithHooks(units: readonly Unit[]): Promise<void> {
    const { hooks, lazy } = this.#context;
    let interrupted = false;
    using _interrupt = lazy.terminal.onInterrupt(() => {
      interrupted = true;
      hooks.interrupt();
    });
    for (const unit of units) {
      if (interrupted) break;
      await this.#unit(unit);
    }
    await hooks.settled();
    if (!interrupted) return;
    this.#context.flush();
    this.#context.ports.err("Interrupted: the changes after it were not made.\n");
    this.#exitCode = Math.max(this.#exitCode, EXIT_FAILURE);
  }

  async #unit(unit: Unit): Promise<void> {
    const { changes, notes, blockers, steps } = unit;
    if (!this.#options.json) {
      for (const change of changes) this.#context.print(changeText(change, this.#colors));
    }
    this.#context.flush();
    for (const note of notes) this.#context.ports.err(`Note: ${note}\n`);
    if (blockers.length > 0) {
      this.#reportBlockers(unit);
      return this.#outcome(unit, "blocked");
    }
    if (this.#wanted.dryRun) return this.#outcome(unit, "planned");
    const failed = await perform(targetOf(this.#context), steps);
    if (failed === undefined) {
      this.#done += changes.length;
      return this.#outcome(unit, "done");
    }
    const failure = failureOf(failed.error, argumentsOf(failed.step), this.#context);
    const what = changes.map(thingName).slice(0, 1).join("");
    const advice = [
      ...failure.advice,
      failed.left.length === 0
        ? `The changes of ${what} are undone.`
        : `Some changes of ${what} could not be undone: ${failed.left.map(text).join("; ")}`,
    ];
    this.#context.ports.err(failureText({ ...failure, advice }, this.#options, undefined));
    this.#exitCode = Math.max(this.#exitCode, failure.exitCode);
    this.#outcome(unit, "undone");
  }

  #reportBlockers({ blockers }: Unit): void {
    const problems = blockers.map(({ tunnel, session, key, message, advice }) => ({
      ...(session ?? tunnel).origins.get(key)?.value ?? tunnel.place,
      message: `tunnel ${tunnel.label}: ${message}`,
      advice: [...advice, "Nothing was done for this tunnel."],
    }));
    tellProblems(this.#context, this.#wanted.file, problems, this.#options);
    this.#exitCode = Math.max(this.#exitCode, EXIT_FAILURE);
  }

  #outcome({ changes }: Unit, outcome: ChangeJson["outcome"]): void {
    this.#json.push(...changes.map((change) => changeJson(change, outcome)));
  }

  #summary({ units, untouched, unmanaged }: Plan): void {
    const changes = units.reduce((sum, unit) => sum + unit.changes.length, 0);
    const rest = `${count(untouched.length, "tunnel")} untouched`;
    if (changes === 0 && units.length === 0) this.#context.print(`Nothing to do: ${rest}.\n`);
    else if (this.#wanted.dryRun) this.#context.print(`${count(changes, "change")} to make; ${rest}.\n`);
    else this.#context.print(`${this.#done} of ${count(changes, "change")} made; ${rest}.\n`);
    const names = [
      ...unmanaged.tunnels.map((id) => `tunnel ${id}`),
      ...unmanaged.sessions.map(({ tunnelId, sessionId }) => `session ${sessionId} of tunnel ${tunnelId}`),
    ];
    if (names.length > 0) {
      this.#context.print(`Not in the file, and kept: ${names.join(", ")} (--prune deletes them).\n`);
    }
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
