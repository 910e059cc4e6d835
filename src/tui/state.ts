/**
 * What the live view shows, and how keys change it. Pure.
 *
 * @module
 */

import type { Key, NamedKey } from "./keys.ts";

/** What sessions are put in order by. */
export type SortKey = "rate" | "rx" | "tx" | "errors" | "name" | "id";

/** The orders, as `s` goes through them. */
export const SORT_KEYS: readonly SortKey[] = ["rate", "rx", "tx", "errors", "name", "id"];

/** What fills the screen. */
export type ViewMode = "list" | "details" | "problems" | "help";

/** What the live view shows. */
export interface ViewState {
  readonly mode: ViewMode;
  readonly sort: SortKey;
  /** Whether the order is the other way round than usual: largest first for numbers, smallest for names. */
  readonly reversed: boolean;
  /** Words that a session must have. */
  readonly filter: string;
  /** Whether the filter is being typed. */
  readonly isEditing: boolean;
  /** The session that the user moved to; until then the row at {@link index} is selected, whichever it is. */
  readonly selected: string | undefined;
  /** The selected row. */
  readonly index: number;
  /** The list's first visible row. */
  readonly top: number;
  /** The first visible line of anything that is not the list. */
  readonly scroll: number;
}

/** At the start. */
export const INITIAL_STATE: ViewState = {
  mode: "list",
  sort: "rate",
  reversed: false,
  filter: "",
  isEditing: false,
  selected: undefined,
  index: 0,
  top: 0,
  scroll: 0,
};

/** What there is to move in. */
export interface Surroundings {
  /** Keys of the listed sessions, in their order. */
  readonly keys: readonly string[];
  /** Rows of the list that fit onto the screen. */
  readonly page: number;
}

/** What a key has the program do beside showing the state. */
export type Effect = "quit" | "suspend" | "redraw";

/** What a key does. */
export interface Pressed {
  readonly state: ViewState;
  readonly effect?: Effect;
}

/** What a key does to what is shown. */
export function press(state: ViewState, key: Key, around: Surroundings): Pressed {
  if ("name" in key) {
    if (key.name === "interrupt") return { state, effect: "quit" };
    if (key.name === "suspend" || key.name === "redraw") return { state, effect: key.name };
  }
  if (state.isEditing) return { state: edit(state, key) };
  if ("character" in key && key.character === "q") {
    return state.mode === "list" ? { state, effect: "quit" } : { state: toList(state) };
  }
  return { state: state.mode === "list" ? inList(state, key, around) : inText(state, key, around) };
}

function edit(state: ViewState, key: Key): ViewState {
  if ("character" in key) return refiltered(state, state.filter + key.character);
  switch (key.name) {
    case "enter":
      return { ...state, isEditing: false };
    case "escape":
      return { ...refiltered(state, ""), isEditing: false };
    case "backspace":
      return refiltered(state, [...state.filter].slice(0, -1).join(""));
    case "deleteLine":
      return refiltered(state, "");
    default:
      return state;
  }
}

function refiltered(state: ViewState, filter: string): ViewState {
  return { ...state, filter, selected: undefined, index: 0, top: 0 };
}

function toList(state: ViewState): ViewState {
  return { ...state, mode: "list", scroll: 0 };
}

function toMode(state: ViewState, mode: ViewMode): ViewState {
  return { ...state, mode, scroll: 0 };
}

function inList(state: ViewState, key: Key, around: Surroundings): ViewState {
  if ("name" in key) {
    if (key.name === "enter") return around.keys.length === 0 ? state : toDetails(state, around);
    if (key.name === "escape") return refiltered(state, "");
    return moved(state, stepOf(key.name, around.page), around);
  }
  switch (key.character) {
    case "k":
      return moved(state, -1, around);
    case "j":
      return moved(state, 1, around);
    case "g":
      return moved(state, -Infinity, around);
    case "G":
      return moved(state, Infinity, around);
    case "s":
      return { ...state, sort: nextSort(state.sort, 1), top: 0 };
    case "S":
      return { ...state, sort: nextSort(state.sort, -1), top: 0 };
    case "r":
      return { ...state, reversed: !state.reversed, top: 0 };
    case "/":
      return { ...state, isEditing: true };
    case "p":
      return toMode(state, "problems");
    case "?":
    case "h":
      return toMode(state, "help");
    default:
      return state;
  }
}

/** The details are about the session that is selected now, also when another takes its row. */
function toDetails(state: ViewState, { keys }: Surroundings): ViewState {
  return { ...toMode(state, "details"), selected: keys[Math.min(state.index, keys.length - 1)] };
}

function inText(state: ViewState, key: Key, { page }: Surroundings): ViewState {
  if ("name" in key) {
    if (key.name === "escape" || key.name === "backspace" || key.name === "enter" || key.name === "left") {
      return toList(state);
    }
    return { ...state, scroll: Math.max(0, state.scroll + finite(stepOf(key.name, page))) };
  }
  switch (key.character) {
    case "k":
      return { ...state, scroll: Math.max(0, state.scroll - 1) };
    case "j":
      return { ...state, scroll: state.scroll + 1 };
    case "p":
      return state.mode === "problems" ? toList(state) : toMode(state, "problems");
    case "?":
    case "h":
      return state.mode === "help" ? toList(state) : toMode(state, "help");
    default:
      return state;
  }
}

function stepOf(name: NamedKey, page: number): number {
  switch (name) {
    case "up":
      return -1;
    case "down":
      return 1;
    case "pageUp":
      return -Math.max(1, page);
    case "pageDown":
      return Math.max(1, page);
    case "home":
      return -Infinity;
    case "end":
      return Infinity;
    default:
      return 0;
  }
}

/** More lines than any text here has: how far is cut where it is shown. */
const FAR = 1_000_000;

function finite(step: number): number {
  return Math.min(Math.max(step, -FAR), FAR);
}

function moved(state: ViewState, step: number, { keys }: Surroundings): ViewState {
  if (step === 0 || keys.length === 0) return state;
  const index = Math.min(Math.max(state.index + finite(step), 0), keys.length - 1);
  return { ...state, index, selected: keys[index] };
}

function nextSort(sort: SortKey, step: 1 | -1): SortKey {
  const at = SORT_KEYS.indexOf(sort) + step + SORT_KEYS.length;
  return SORT_KEYS[at % SORT_KEYS.length]!;
}

/**
 * The state where the list is this one now: the selection stays with its session, or where that is gone with its row;
 * and the selected row is visible.
 */
export function settled(state: ViewState, { keys, page }: Surroundings): ViewState {
  const found = state.selected === undefined ? -1 : keys.indexOf(state.selected);
  const selected = found < 0 && state.mode !== "details" ? undefined : state.selected;
  const index = found >= 0 ? found : Math.min(state.index, Math.max(0, keys.length - 1));
  const highest = Math.max(0, keys.length - page);
  const top = Math.min(Math.max(Math.min(state.top, index), index - page + 1, 0), highest);
  return { ...state, selected, index, top };
}
