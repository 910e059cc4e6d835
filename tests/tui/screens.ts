/**
 * The golden screens under `tests/golden/tui/`: the live view of one population in several states and sizes.
 * `deno run --allow-write=tests/golden/tui tests/tui/screens.ts` regenerates them.
 */

import type { Key, NamedKey } from "../../src/tui/keys.ts";
import type { Overview } from "../../src/status/overview.ts";
import { type Frame, render } from "../../src/tui/render.ts";
import type { Screen } from "../../src/tui/screen.ts";
import { handleKey, INITIAL_STATE } from "../../src/tui/state.ts";
import { healthText } from "../../src/status/health_text.ts";
import { populationText } from "../../src/status/population.ts";
import { busyOverview, overviewOf } from "../status/support.ts";

/** Default frame of the screens. */
const FRAME: Frame = { columns: 80, rows: 24, clock: "12:07:28", location: "netns blue", unicode: true };

/** Returns a key by name or character. */
function keyOf(text: string): Key {
  return text.length === 1 ? { character: text } : { name: text as NamedKey };
}

/** Returns the screen after these keys. */
export function screenAfter(
  overview: Overview,
  keys: readonly string[],
  frame: Partial<Frame> = {},
): Screen {
  const whole = { ...FRAME, ...frame };
  let rendered = render(overview, INITIAL_STATE, whole);
  for (const key of keys) {
    rendered = render(overview, handleKey(rendered.state, keyOf(key), rendered.viewport).state, whole);
  }
  return rendered.screen;
}

const WIDE_NAMES = [
  "线路零",
  "光ファイバー",
  "하나",
  "café",
  "a\u0301b",
  "pw\x1b[2J",
  "x".repeat(15),
  "🚀pw",
  "pw8",
  "pw9",
];

const busy = busyOverview();

/** The screens that `docs/guides/monitoring.md` shows. */
export const DOCUMENTED_SCREENS = ["list_80x16", "details_80x24"] as const;

/** The golden screens by file name. */
export const SCREENS: Readonly<Record<string, () => Screen>> = {
  list_80x24: () => screenAfter(busy, []),
  list_80x16: () => screenAfter(busy, [], { rows: 16 }),
  list_132x30: () => screenAfter(busy, [], { columns: 132, rows: 30 }),
  list_60x12: () => screenAfter(busy, [], { columns: 60, rows: 12 }),
  list_40x8: () => screenAfter(busy, [], { columns: 40, rows: 8 }),
  list_20x4: () => screenAfter(busy, [], { columns: 20, rows: 4 }),
  list_1x1: () => screenAfter(busy, [], { columns: 1, rows: 1 }),
  list_wide_ascii: () => screenAfter(busyOverview((i) => WIDE_NAMES[i]!), [], { unicode: false }),
  list_ascii: () => screenAfter(busy, [], { unicode: false }),
  list_wide_characters: () => screenAfter(busyOverview((i) => WIDE_NAMES[i]!), ["s", "s", "s", "s"]),
  list_by_errors_reversed: () => screenAfter(busy, ["s", "s", "s", "r"]),
  list_moved_down: () => screenAfter(busy, ["end", "up"], { rows: 10 }),
  list_filter_typed: () => screenAfter(busy, ["/", ..."10.0.0.3 !down"]),
  list_filter_kept: () => screenAfter(busy, ["/", ..."pw4", "enter"]),
  list_filter_nothing: () => screenAfter(busy, ["/", ..."nowhere", "enter"]),
  list_old: () => screenAfter(busy, [], { updateError: "Error: the l2tp daemon has ended." }),
  nothing_80x24: () => screenAfter(overviewOf({ tunnels: [], sessions: [] }), []),
  details_80x24: () => screenAfter(busy, ["/", ..."pw4", "enter", "enter"]),
  details_40x16: () => screenAfter(busy, ["/", ..."pw4", "enter", "enter"], { columns: 40, rows: 16 }),
  problems_80x24: () => screenAfter(busy, ["p"]),
  problems_scrolled: () => screenAfter(busy, ["p", "end"], { rows: 10 }),
  help_80x24: () => screenAfter(busy, ["?"]),
};

/** The golden texts of a single `status` run by file name. */
export const TEXTS: Readonly<Record<string, () => string>> = {
  status: () => `${populationText(busy)}\n${healthText(busy)}`,
};

/** Formats a golden file: rows between bars, so that trailing blanks are visible. */
export function screenText(screen: Screen): string {
  return screen.lines().map((line) => `${line}\n`).join("");
}

if (import.meta.main) {
  const folder = new URL("../golden/tui/", import.meta.url);
  Deno.mkdirSync(folder, { recursive: true });
  for (const [name, make] of Object.entries(SCREENS)) {
    Deno.writeTextFileSync(new URL(`${name}.txt`, folder), screenText(make()));
  }
  for (const [name, make] of Object.entries(TEXTS)) {
    Deno.writeTextFileSync(new URL(`${name}.txt`, folder), make());
  }
}
