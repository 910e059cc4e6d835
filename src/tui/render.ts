/**
 * Renders the live view: overview, view state and screen size in, screen out.
 *
 * @module
 */

import type { Problem } from "../status/health.ts";
import { ratesText } from "../status/health_text.ts";
import {
  allProblemLines,
  detailLines,
  HELP_LINES,
  problemLines,
  SEVERITY_STYLES,
  type StyledLine,
} from "./lines.ts";
import { SessionList } from "./list.ts";
import { listedSessions } from "./order.ts";
import type { Overview, SessionStatus } from "../status/overview.ts";
import { Screen, STYLE } from "./screen.ts";
import { fitToList, type Viewport, type ViewState } from "./state.ts";
import { truncated, widthOf } from "./width.ts";

/** Inputs of the renderer beside the overview and the view state. */
export interface Frame {
  readonly columns: number;
  readonly rows: number;
  /** Current time, as text. */
  readonly clock: string;
  /** Location, such as `netns blue`; may be empty. */
  readonly location: string;
  /** The terminal supports Unicode. */
  readonly unicode: boolean;
  /** Reason why the last update failed; the overview is then out of date. */
  readonly updateError?: string | undefined;
}

/** The screen, the state that it shows, and the viewport for key handling. */
export interface Rendered {
  readonly screen: Screen;
  readonly state: ViewState;
  readonly viewport: Viewport;
}

/** Rows of the head above the list. On a low screen the most important row stays longest. */
const HEAD_ROWS = 4;
/** Rows beside head and list: the column titles, and the help line at the bottom. */
const OTHER_ROWS = 2;
/** Minimum rows of the list; the head shrinks first. */
const MIN_LIST_ROWS = 3;

/** Renders the whole screen. */
export function render(overview: Overview, before: ViewState, frame: Frame): Rendered {
  const { rows, columns } = frame;
  const head = Math.max(1, Math.min(HEAD_ROWS, rows - OTHER_ROWS - MIN_LIST_ROWS));
  const page = Math.max(0, rows - head - OTHER_ROWS);
  const sessions = listedSessions(overview, before);
  const viewport = { keys: sessions.map(({ key }) => key), page };
  const state = fitToList(before, viewport);
  const screen = new Screen(columns, rows);
  drawHead(screen, head, overview, frame);
  if (state.mode === "list") drawList(screen, head, page, sessions, state, frame);
  const scrolled = state.mode === "list" ? state : drawText(screen, head, overview, state, frame);
  drawBottom(screen, rows - 1, sessions.length, overview.sessions.length, scrolled, frame);
  if (!frame.unicode) screen.toAscii();
  return { screen, state: scrolled, viewport };
}

function drawHead(screen: Screen, rows: number, overview: Overview, frame: Frame): void {
  const { tunnels, tunnelsUp, sessions, sessionsUp, rates, dataplane, problems } = overview;
  const subsystem = dataplane === "kernel" ? "kernel" : "userspace (l2tp daemon)";
  const title = ` l2tp status: ${subsystem}${frame.location === "" ? "" : `, ${frame.location}`}`;
  screen.paintRow(0, STYLE.reverse);
  const end = screen.put(0, 0, truncated(title, screen.columns, mark(frame)), STYLE.reverse | STYLE.bold);
  const clockAt = screen.columns - widthOf(frame.clock) - 1;
  if (clockAt > end) screen.put(0, clockAt, frame.clock, STYLE.reverse);
  const lines: StyledLine[] = [
    worstLine(problems, frame),
    {
      text:
        `Tunnels ${tunnelsUp} up of ${tunnels.length}   Sessions ${sessionsUp} up of ${sessions.length}   ` +
        `Problems ${problems.length === 0 ? "none" : problems.length}`,
      style: STYLE.plain,
    },
    { text: rates === undefined ? "measuring" : ratesText(rates), style: STYLE.plain },
  ];
  // `lines` is in order of importance. The worst problem is shown last.
  const kept = lines.slice(0, Math.max(0, rows - 1));
  const [worst, ...others] = kept;
  for (const [i, { text, style }] of [...others, ...(worst === undefined ? [] : [worst])].entries()) {
    screen.put(1 + i, 0, truncated(text, screen.columns, mark(frame)), style);
  }
}

function worstLine([worst, ...others]: readonly Problem[], { updateError }: Frame): StyledLine {
  if (updateError !== undefined) {
    return { text: `Not up to date: ${updateError}`, style: SEVERITY_STYLES.error };
  }
  if (worst === undefined) return { text: "Nothing is wrong.", style: STYLE.green };
  const more = others.length === 0 ? "" : ` (and ${others.length} more: p)`;
  return {
    text: `${worst.severity}: ${worst.subject}: ${worst.message}${more}`,
    style: SEVERITY_STYLES[worst.severity],
  };
}

function drawList(
  screen: Screen,
  head: number,
  page: number,
  sessions: readonly SessionStatus[],
  state: ViewState,
  { unicode }: Frame,
): void {
  const table = new SessionList(sessions, screen.columns, unicode);
  table.drawTitles(screen, head, state.sort, state.reversed);
  for (let i = 0; i < page; i++) {
    const status = sessions[state.top + i];
    if (status === undefined) break;
    table.drawSession(screen, head + 1 + i, status, state.top + i === state.index);
  }
  if (sessions.length > 0) return;
  const why = state.filter === "" ? "There are no sessions." : "No session matches the filter.";
  screen.put(head + 1, 0, why, STYLE.dim);
}

/** Draws details, problems or help in place of the list. Returns the state with the scroll position clamped. */
function drawText(
  screen: Screen,
  head: number,
  overview: Overview,
  state: ViewState,
  frame: Frame,
): ViewState {
  const lines = linesOf(overview, state, frame);
  const room = Math.max(0, screen.rows - head - 1);
  const scroll = Math.min(state.scroll, Math.max(0, lines.length - room));
  for (const [i, { text, style }] of lines.slice(scroll, scroll + room).entries()) {
    screen.put(head + i, 0, truncated(text, screen.columns, mark(frame)), style);
  }
  return { ...state, scroll };
}

function linesOf(overview: Overview, state: ViewState, { columns, unicode }: Frame): readonly StyledLine[] {
  if (state.mode === "help") return HELP_LINES;
  if (state.mode === "problems") return allProblemLines(overview, columns);
  const status = overview.sessions.find(({ key }) => key === state.selected);
  if (status === undefined) {
    return problemLines([], columns, `Session ${state.selected ?? ""} no longer exists.`).map(({ text }) => ({
      text,
      style: STYLE.yellow,
    }));
  }
  return detailLines(status, overview.problems, columns, unicode);
}

function drawBottom(
  screen: Screen,
  row: number,
  listed: number,
  all: number,
  state: ViewState,
  frame: Frame,
): void {
  if (state.isEditing) {
    const end = screen.put(row, 0, `/${state.filter}`, STYLE.bold);
    screen.put(row, end, "_", STYLE.reverse);
    screen.put(row, end + 2, "Enter: keep  Esc: clear", STYLE.dim);
    return;
  }
  const filtered = state.filter === "" ? "" : `"${state.filter}": ${listed} of ${all}  `;
  const text = state.mode === "list"
    ? `${filtered}q quit  s sort:${state.sort}  r reverse  / filter  Enter details  p problems  ? help`
    : "q back  up/down scroll  p problems  ? help";
  screen.put(row, 0, truncated(text, screen.columns, mark(frame)), STYLE.dim);
}

function mark({ unicode }: Frame): string {
  return unicode ? "…" : "~";
}
