/**
 * The state of the live view, and how keys change it.
 *
 * @module
 */

import type { Key, NamedKey } from "./keys.ts";

/** Sort key of the session list. */
export type SortKey = "rate" | "rx" | "tx" | "errors" | "name" | "id";

/** All sort keys, in the order in which `s` cycles through them. */
export const SORT_KEYS: readonly SortKey[] = ["rate", "rx", "tx", "errors", "name", "id"];

/** Contents of the screen. */
export type ViewMode = "list" | "details" | "problems" | "help";

/** State of the live view. */
export interface ViewState {
  readonly mode: ViewMode;
  readonly sort: SortKey;
  /** The order is reversed. The usual order is: largest number first, names ascending. */
  readonly reversed: boolean;
  /** Text of the filter. */
  readonly filter: string;
  /** The user is typing the filter. */
  readonly isEditing: boolean;
  /** Key of the selected session; `undefined` until the user moves the selection: then {@link index} counts. */
  readonly selected: string | undefined;
  /** Index of the selected row. */
  readonly index: number;
  /** Index of the first visible row of the list. */
  readonly top: number;
  /** First visible line of details, problems or help. */
  readonly scroll: number;
}

/** State at the start. */
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

/** The list that the selection moves in. */
export interface Viewport {
  /** Keys of the listed sessions, in display order. */
  readonly keys: readonly string[];
  /** Number of list rows that fit on the screen. */
  readonly page: number;
}

/** Action that a key requests beside a change of the state. */
export type KeyEffect = "quit" | "suspend" | "redraw";

/** Result of a key. */
export interface KeyResult {
  readonly state: ViewState;
  readonly effect?: KeyEffect;
}

/** Applies a key to the state. */
export function handleKey(state: ViewState, key: Key, viewport: Viewport): KeyResult {
  if ("name" in key) {
    if (key.name === "interrupt") return { state, effect: "quit" };
    if (key.name === "suspend" || key.name === "redraw") return { state, effect: key.name };
  }
  if (state.isEditing) return { state: handleFilterKey(state, key) };
  if ("character" in key && key.character === "q") {
    return state.mode === "list" ? { state, effect: "quit" } : { state: toList(state) };
  }
  return {
    state: state.mode === "list" ? handleListKey(state, key, viewport) : handleTextKey(state, key, viewport),
  };
}

function handleFilterKey(state: ViewState, key: Key): ViewState {
  if ("character" in key) return withFilter(state, state.filter + key.character);
  switch (key.name) {
    case "enter":
      return { ...state, isEditing: false };
    case "escape":
      return { ...withFilter(state, ""), isEditing: false };
    case "backspace":
      return withFilter(state, [...state.filter].slice(0, -1).join(""));
    case "deleteLine":
      return withFilter(state, "");
    default:
      return state;
  }
}

function withFilter(state: ViewState, filter: string): ViewState {
  return { ...state, filter, selected: undefined, index: 0, top: 0 };
}

function toList(state: ViewState): ViewState {
  return { ...state, mode: "list", scroll: 0 };
}

function toMode(state: ViewState, mode: ViewMode): ViewState {
  return { ...state, mode, scroll: 0 };
}

function handleListKey(state: ViewState, key: Key, viewport: Viewport): ViewState {
  if ("name" in key) {
    if (key.name === "enter") return viewport.keys.length === 0 ? state : toDetails(state, viewport);
    if (key.name === "escape") return withFilter(state, "");
    return moved(state, stepOf(key.name, viewport.page), viewport);
  }
  switch (key.character) {
    case "k":
      return moved(state, -1, viewport);
    case "j":
      return moved(state, 1, viewport);
    case "g":
      return moved(state, -Infinity, viewport);
    case "G":
      return moved(state, Infinity, viewport);
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

/** Shows the details of the selected session, and pins the selection to it even if its row changes. */
function toDetails(state: ViewState, { keys }: Viewport): ViewState {
  return { ...toMode(state, "details"), selected: keys[Math.min(state.index, keys.length - 1)] };
}

function handleTextKey(state: ViewState, key: Key, { page }: Viewport): ViewState {
  if ("name" in key) {
    if (key.name === "escape" || key.name === "backspace" || key.name === "enter" || key.name === "left") {
      return toList(state);
    }
    return { ...state, scroll: Math.max(0, state.scroll + clampStep(stepOf(key.name, page))) };
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

/** More lines than any text has. The renderer clamps the scroll position. */
const MAX_SCROLL = 1_000_000;

function clampStep(step: number): number {
  return Math.min(Math.max(step, -MAX_SCROLL), MAX_SCROLL);
}

function moved(state: ViewState, step: number, { keys }: Viewport): ViewState {
  if (step === 0 || keys.length === 0) return state;
  const index = Math.min(Math.max(state.index + clampStep(step), 0), keys.length - 1);
  return { ...state, index, selected: keys[index] };
}

function nextSort(sort: SortKey, step: 1 | -1): SortKey {
  const at = SORT_KEYS.indexOf(sort) + step + SORT_KEYS.length;
  return SORT_KEYS[at % SORT_KEYS.length]!;
}

/**
 * Adapts the state to the current list. The selection follows its session, or stays on its row if the session is gone.
 * The selected row becomes visible.
 */
export function fitToList(state: ViewState, { keys, page }: Viewport): ViewState {
  const found = state.selected === undefined ? -1 : keys.indexOf(state.selected);
  const selected = found < 0 && state.mode !== "details" ? undefined : state.selected;
  const index = found >= 0 ? found : Math.min(state.index, Math.max(0, keys.length - 1));
  const highest = Math.max(0, keys.length - page);
  const top = Math.min(Math.max(Math.min(state.top, index), index - page + 1, 0), highest);
  return { ...state, selected, index, top };
}
