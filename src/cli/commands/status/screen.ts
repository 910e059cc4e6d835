/**
 * `status --watch` on a terminal: reads keys and samples, and writes changes of the screen. `src/tui/` draws it.
 *
 * @module
 */

import { DaemonError } from "../../../client/daemon/error.ts";
import { type Key, KeyReader } from "../../../tui/keys.ts";
import type { Overview } from "../../../status/overview.ts";
import { render, type Rendered } from "../../../tui/render.ts";
import { type Screen, screenUpdate } from "../../../tui/screen.ts";
import { handleKey, INITIAL_STATE, type ViewState } from "../../../tui/state.ts";
import { Tracker } from "../../../status/tracker.ts";
import type { Context } from "../../context.ts";
import { failureOf } from "../../errors/failure.ts";
import type { Options } from "../../grammar/options.ts";
import type { FullScreen } from "../../ports.ts";
import { Sampler } from "./sample.ts";

/** Time limit for the rest of a key's escape sequence, in milliseconds. After it, Escape is a key of its own. */
const SEQUENCE_MS = 50;

/** Shows the live view until the user ends it; resolves to the exit code. */
export async function watchScreen(
  context: Context,
  screen: FullScreen,
  settings: { readonly intervalMs: number; readonly options: Options },
): Promise<number> {
  const view = new LiveView(context, screen, settings.options);
  const keys = new KeyReader();
  const now = (): number => context.lazy.clock.monotonicMs();
  let nextMs = now() + settings.intervalMs;
  view.paint();
  for (;;) {
    const waitMs = Math.max(0, nextMs - now());
    const event = await screen.next(keys.isPending ? Math.min(waitMs, SEQUENCE_MS) : waitMs);
    if (event.type === "ended") return 0;
    if (event.type === "resized") view.forgetScreen();
    const pressed = event.type === "typed"
      ? keys.push(event.text)
      : event.type === "timeout"
      ? keys.flush()
      : [];
    for (const key of pressed) {
      if (view.press(key) === "quit") return 0;
    }
    if (now() >= nextMs) {
      await view.refresh();
      // A machine that is too slow for the interval pauses for as long as the work took.
      nextMs = Math.max(nextMs + settings.intervalMs, now() + (now() - nextMs));
    }
    view.paint();
  }
}

class LiveView {
  readonly #context: Context;
  readonly #screen: FullScreen;
  readonly #sampler: Sampler;
  readonly #tracker = new Tracker();
  readonly #options: Options;
  readonly #unicode: boolean;
  readonly #colored: boolean;
  #overview: Overview;
  #state: ViewState = INITIAL_STATE;
  #around: Rendered["viewport"] = { keys: [], page: 0 };
  #shown: Screen | undefined;
  #trouble: string | undefined;

  constructor(context: Context, screen: FullScreen, options: Options) {
    const { ports } = context;
    this.#context = context;
    this.#screen = screen;
    this.#options = options;
    this.#sampler = new Sampler(context);
    const locale = ports.env("LC_ALL") || ports.env("LC_CTYPE") || ports.env("LANG") || "";
    this.#unicode = /utf-?8/i.test(locale);
    this.#colored = options.color === "always" || (options.color !== "never" && !ports.env("NO_COLOR"));
    this.#overview = this.#tracker.update(this.#sampler.read({ whole: false }));
  }

  /** Reads a sample. If the daemon is gone, the last sample stays on the screen until a daemon is back. */
  async refresh(): Promise<void> {
    try {
      if (this.#trouble !== undefined || this.#context.hasNoSubsystem) await this.#context.reopen();
      if (this.#trouble !== undefined && this.#context.hasNoSubsystem) return;
      this.#overview = this.#tracker.update(this.#sampler.read({ whole: this.#state.mode === "details" }));
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof DaemonError)) throw error;
      this.#trouble = failureOf(error, {}, this.#context).message;
    }
  }

  /** Writes the changes since the last call, with one write. */
  paint(): void {
    const screen = this.#draw();
    const text = screenUpdate(this.#shown, screen, this.#colored);
    if (text !== "") this.#screen.write(text);
    this.#shown = screen;
  }

  #draw(): Screen {
    const { columns, rows } = this.#screen.size;
    const { screen, state, viewport } = render(this.#overview, this.#state, {
      columns,
      rows,
      clock: this.#context.lazy.clock.now().toTimeString().slice(0, 8),
      location: this.#options.netns === undefined ? "" : `netns ${this.#options.netns}`,
      unicode: this.#unicode,
      updateError: this.#trouble,
    });
    [this.#state, this.#around] = [state, viewport];
    return screen;
  }

  /** Handles a key. */
  press(key: Key): "quit" | undefined {
    const { state, effect } = handleKey(this.#state, key, this.#around);
    this.#state = state;
    if (effect === "quit") return "quit";
    if (effect === "suspend") this.#screen.suspend();
    if (effect !== undefined) this.forgetScreen();
    // The next key of the same input moves in the list that this key made.
    else this.#draw();
    return undefined;
  }

  /** Makes the next {@link paint} write the whole screen. */
  forgetScreen(): void {
    this.#shown = undefined;
  }
}
