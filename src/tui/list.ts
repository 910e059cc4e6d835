/**
 * The session list as a table that fits the screen. The least important columns are omitted first.
 *
 * @module
 */

import type { SessionReadiness, SessionStatus } from "../status/overview.ts";
import { type Rates, throughput, ZERO_RATES } from "../status/rates.ts";
import { type Screen, STYLE } from "./screen.ts";
import { HISTORY_SECONDS } from "../status/history.ts";
import { sparkline } from "./sparkline.ts";
import type { SortKey } from "./state.ts";
import { shortNumber } from "../status/units.ts";
import { truncated, widthOf } from "./width.ts";

/** A column of the table. */
interface Column {
  readonly title: string;
  readonly width: number;
  /** Right-aligned. */
  readonly right?: true;
  /** Sort key of this column; its title is marked while the list is sorted by it. */
  readonly sort?: SortKey;
  readonly text: (status: SessionStatus) => string;
  readonly style?: (status: SessionStatus) => number;
}

type ColumnName = "name" | "id" | "state" | "rxPackets" | "rx" | "txPackets" | "tx" | "errors";

/** Columns, and the bars, to omit on a narrow screen, in this order. */
const OMISSION_ORDER: readonly (ColumnName | "bars")[] = [
  "txPackets",
  "rxPackets",
  "errors",
  "bars",
  "id",
  "state",
  "tx",
  "rx",
];

/** Minimum width of the bars. */
const MIN_BAR_WIDTH = 10;
const NAME_WIDTH = { least: 9, most: 15 };

/** The table of these sessions for a screen of this width. */
export class SessionList {
  readonly #columns: readonly Column[];
  readonly #barWidth: number;
  readonly #unicode: boolean;

  constructor(sessions: readonly SessionStatus[], columns: number, unicode: boolean) {
    this.#unicode = unicode;
    const all = columnsFor(sessions, unicode ? "…" : "~");
    const shown = new Set<ColumnName | "bars">([...Object.keys(all) as ColumnName[], "bars"]);
    const left = (): number => {
      let room = columns;
      for (const [name, { width }] of Object.entries(all)) {
        if (shown.has(name as ColumnName)) room -= width + 1;
      }
      return room;
    };
    for (const name of OMISSION_ORDER) {
      if (left() >= (shown.has("bars") ? MIN_BAR_WIDTH : -1)) break;
      shown.delete(name);
    }
    this.#columns = Object.entries(all).filter(([name]) => shown.has(name as ColumnName)).map(([, column]) =>
      column
    );
    this.#barWidth = shown.has("bars") ? Math.min(left(), HISTORY_SECONDS) : 0;
  }

  /** Draws the titles, and marks the one of the sort key. */
  drawTitles(screen: Screen, row: number, sort: SortKey, reversed: boolean): void {
    screen.paintRow(row, STYLE.reverse);
    let at = 0;
    for (const { title, width, right, sort: own } of this.#columns) {
      const style = own === sort ? STYLE.reverse | STYLE.bold : STYLE.reverse;
      const marked = own !== sort ? title : markedTitle(title, reversed, this.#unicode);
      screen.put(row, at + (right ? width - widthOf(marked) : 0), marked, style);
      at += width + 1;
    }
    if (this.#barWidth > 0) screen.put(row, at, sort === "rate" ? "LAST 60 s" : "last 60 s", STYLE.reverse);
  }

  /** Draws the row of a session. */
  drawSession(screen: Screen, row: number, status: SessionStatus, isSelected: boolean): void {
    const over = isSelected ? STYLE.reverse : STYLE.plain;
    if (isSelected) screen.paintRow(row, over);
    let at = 0;
    for (const { width, right, text, style } of this.#columns) {
      const shown = text(status);
      screen.put(
        row,
        at + (right ? Math.max(0, width - shown.length) : 0),
        shown,
        over | (style?.(status) ?? 0),
      );
      at += width + 1;
    }
    if (this.#barWidth === 0) return;
    const rx = status.rxHistory.values();
    const tx = status.txHistory.values();
    const both = rx.map((value, i) => value + tx[i]!);
    screen.put(row, at, sparkline(both, this.#barWidth, this.#unicode), over | STYLE.cyan);
  }
}

function markedTitle(title: string, reversed: boolean, unicode: boolean): string {
  const mark = unicode ? (reversed ? "▲" : "▼") : reversed ? "^" : "v";
  return `${mark}${title}`;
}

const STATE_STYLES: Readonly<Record<SessionReadiness, number>> = {
  up: STYLE.green,
  down: STYLE.red | STYLE.bold,
  absent: STYLE.dim,
  detached: STYLE.dim,
};

function columnsFor(sessions: readonly SessionStatus[], mark: string): Record<ColumnName, Column> {
  let [name, id] = [NAME_WIDTH.least, "SESSION".length];
  for (const status of sessions) {
    name = Math.max(name, widthOf(nameOf(status)));
    id = Math.max(id, status.key.length);
  }
  // Leave room for the mark of the sort key.
  const nameWidth = Math.min(name, NAME_WIDTH.most) + 1;
  const rate = (title: string, member: keyof Rates, sort?: SortKey): Column => ({
    title,
    width: 7,
    right: true,
    ...(sort !== undefined && { sort }),
    text: ({ rates }) => (rates === undefined ? "-" : shortNumber(rates[member])),
    style: ({ rates = ZERO_RATES }) => (throughput(rates) === 0 ? STYLE.dim : STYLE.plain),
  });
  return {
    name: {
      title: "INTERFACE",
      width: nameWidth,
      sort: "name",
      text: (status) => truncated(nameOf(status), nameWidth, mark),
    },
    id: { title: "SESSION", width: id + 1, sort: "id", text: ({ key }) => key },
    state: {
      title: "STATE",
      width: 8,
      text: ({ state }) => state,
      style: ({ state }) => STATE_STYLES[state],
    },
    rxPackets: rate("RX p/s", "rxPackets"),
    rx: rate("RX B/s", "rxBytes", "rx"),
    txPackets: rate("TX p/s", "txPackets"),
    tx: rate("TX B/s", "txBytes", "tx"),
    errors: {
      title: "ERRORS",
      width: 7,
      right: true,
      sort: "errors",
      text: ({ errors }) => shortNumber(errors.reduce((sum, { total }) => sum + total, 0)),
      style: ({ errors }) =>
        errors.some(({ recent }) => recent)
          ? STYLE.red | STYLE.bold
          : errors.length === 0
          ? STYLE.dim
          : STYLE.plain,
    },
  };
}

function nameOf({ link, session }: SessionStatus): string {
  return link?.name ?? session.interfaceName ?? "-";
}
