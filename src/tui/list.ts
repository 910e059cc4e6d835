/**
 * The list of sessions as a table that fits the screen: what matters least makes way first. Pure.
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
import { fitted, widthOf } from "./width.ts";

/** A column of the table. */
interface Column {
  readonly title: string;
  readonly width: number;
  /** Numbers stand at the right. */
  readonly right?: true;
  /** What the sessions are sorted by when its title is marked. */
  readonly sort?: SortKey;
  readonly text: (status: SessionStatus) => string;
  readonly style?: (status: SessionStatus) => number;
}

type ColumnName = "name" | "id" | "state" | "rxPackets" | "rx" | "txPackets" | "tx" | "errors";

/** What makes way for the rest, in this order; the bars stand among the columns. */
const DISPENSABLE: readonly (ColumnName | "bars")[] = [
  "txPackets",
  "rxPackets",
  "errors",
  "bars",
  "id",
  "state",
  "tx",
  "rx",
];

/** Bars that are narrower than this tell nothing. */
const LEAST_BARS = 10;
const NAME_WIDTH = { least: 9, most: 15 };

/** A table for these sessions, on a screen of so many columns. */
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
    for (const name of DISPENSABLE) {
      if (left() >= (shown.has("bars") ? LEAST_BARS : -1)) break;
      shown.delete(name);
    }
    this.#columns = Object.entries(all).filter(([name]) => shown.has(name as ColumnName)).map(([, column]) =>
      column
    );
    this.#barWidth = shown.has("bars") ? Math.min(left(), HISTORY_SECONDS) : 0;
  }

  /** Draws the titles; that of the order is marked. */
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

  /** Draws a session. */
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
  // Titles have room for the mark of the order.
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
      text: (status) => fitted(nameOf(status), nameWidth, mark),
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
