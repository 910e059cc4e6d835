/** `src/tui/screen.ts`, `width.ts` and the views: golden screens, and an emulated terminal. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Screen, screenUpdate, STYLE } from "../../src/tui/screen.ts";
import { glyphsOf, truncated, widthOf } from "../../src/tui/width.ts";
import { FakeDisplay } from "../support/fake_screen.ts";
import { goldenText } from "../support/golden.ts";
import { Random } from "../support/random.ts";
import { screenAfter, SCREENS, screenText, TEXTS } from "./screens.ts";
import { busyOverview } from "../status/support.ts";

for (const [name, make] of Object.entries(SCREENS)) {
  Deno.test(`screen ${name} is as in tests/golden/tui`, () => {
    const screen = make();
    assertStrictEquals(screenText(screen), goldenText(`tui/${name}.txt`));
    assert(screen.lines().every((line) => widthOf(line) <= screen.columns));
  });
}

for (const [name, make] of Object.entries(TEXTS)) {
  Deno.test(`text ${name} is as in tests/golden/tui, and fits 80 columns`, () => {
    const text = make();
    assertStrictEquals(text, goldenText(`tui/${name}.txt`));
    assert(text.split("\n").every((line) => line.length <= 80));
  });
}

Deno.test("a screen is rendered for every terminal size", () => {
  const overview = busyOverview();
  for (let columns = 1; columns <= 140; columns += 3) {
    for (const rows of [1, 2, 3, 4, 5, 6, 7, 8, 24, 60]) {
      for (const keys of [[], ["p"], ["?"], ["enter"], ["/"]]) {
        const screen = screenAfter(overview, keys, { columns, rows });
        assertStrictEquals(screen.lines().length, rows);
        assert(screen.lines().every((line) => widthOf(line) <= columns), `${columns}x${rows}`);
      }
    }
  }
});

const GLYPHS = ["a", "b", " ", "é", "線", "路", "🚀", "▁", "█"];

function randomScreen(random: Random, columns: number, rows: number): Screen {
  const screen = new Screen(columns, rows);
  for (let i = random.below(columns * rows); i > 0; i--) {
    const text = Array.from({ length: random.below(5) }, () => random.pick(GLYPHS)).join("");
    screen.put(random.below(rows), random.below(columns), text, random.pick([0, 1, 4, 9, 68]));
  }
  return screen;
}

Deno.test("screenUpdate() changes any screen into any other on a terminal", () => {
  const random = new Random(7);
  const display = new FakeDisplay(13, 5);
  let shown: Screen | undefined;
  for (let round = 0; round < 2000; round++) {
    if (random.below(50) === 0) {
      display.resize(1 + random.below(20), 1 + random.below(6));
      shown = undefined;
    }
    const next = randomScreen(random, display.columns, display.rows);
    display.feed(screenUpdate(shown, next, true));
    // An overwritten half of a wide character is blank until the next update.
    assertEquals(display.lines(), next.lines(), `round ${round}`);
    for (let row = 0; row < next.rows; row++) {
      for (let column = 0; column < next.columns; column++) {
        const style = next.styles[row * next.columns + column]!;
        assertStrictEquals(
          display.styleAt(row, column) !== "",
          style !== 0,
          `round ${round}: ${row} ${column}`,
        );
      }
    }
    shown = next;
  }
});

Deno.test("screenUpdate() writes changed cells only", () => {
  const overview = busyOverview();
  const before = screenAfter(overview, []);
  assertStrictEquals(screenUpdate(before, screenAfter(overview, []), true), "");
  const tick = screenUpdate(before, screenAfter(overview, [], { clock: "12:07:29" }), true);
  assertStrictEquals(tick, "\x1b[1;79H\x1b[0;7m9\x1b[0m");
});

Deno.test("screenUpdate() without colours keeps the other styles", () => {
  const screen = new Screen(3, 1);
  screen.put(0, 0, "abc", STYLE.red | STYLE.bold);
  assertStrictEquals(screenUpdate(undefined, screen, true), "\x1b[0m\x1b[2J\x1b[1;1H\x1b[0;1;31mabc\x1b[0m");
  assertStrictEquals(screenUpdate(undefined, screen, false), "\x1b[0m\x1b[2J\x1b[1;1H\x1b[0;1mabc\x1b[0m");
});

Deno.test("Screen.put() clips to the screen and does not split wide characters", () => {
  const screen = new Screen(5, 2);
  assertStrictEquals(screen.put(0, 0, "線路線"), 4);
  assertStrictEquals(screen.put(1, 4, "線"), 4);
  screen.put(-1, 0, "x");
  screen.put(2, 0, "x");
  assertEquals(screen.lines(), ["線路", ""]);
});

Deno.test("Screen.put() over one half of a wide character erases the other half", () => {
  const screen = new Screen(4, 2);
  screen.put(0, 0, "線路");
  screen.put(0, 1, "x");
  screen.put(1, 0, "線路");
  screen.put(1, 1, "光");
  assertEquals(screen.lines(), [" x路", " 光"]);
});

Deno.test("widthOf(): wide characters, combining marks, and control characters", () => {
  const table: [text: string, width: number][] = [
    ["pw0", 3],
    ["", 0],
    ["线路", 4],
    ["ひらがな", 8],
    ["カタカナ", 8],
    ["ｶﾀｶﾅ", 4],
    ["하나", 4],
    ["ＡＢ", 4],
    ["、。", 4],
    ["サーバー", 8],
    ["ア・イ", 6],
    ["㈱㌔︵", 6],
    ["\u2329\u303f", 3],
    ["\u{17000}\u{1b170}", 4],
    ["가", 2],
    ["café", 4],
    ["cafe\u0301", 4],
    ["\u0301", 0],
    ["\u200b", 0],
    ["🚀", 2],
    ["👩‍💻", 2],
    ["👨‍👩‍👧‍👦👍🏽🇫🇷", 6],
    ["▁▂█", 3],
    ["…", 1],
    ["Ж", 1],
  ];
  for (const [text, width] of table) assertStrictEquals(widthOf(text), width, JSON.stringify(text));
  for (const bad of ["\x1b", "\n", "\x7f", "\x9b", "\u2028", "\u202e"]) {
    assertEquals(glyphsOf(`é${bad}`).map(({ text }) => text), ["é", "?"], JSON.stringify(bad));
    assertEquals(glyphsOf(bad).map(({ text }) => text), ["?"], JSON.stringify(bad));
  }
});

Deno.test("truncated() cuts between characters and marks the cut", () => {
  const table: [text: string, columns: number, shown: string][] = [
    ["abc", 3, "abc"],
    ["abcd", 3, "ab…"],
    ["線路線", 6, "線路線"],
    ["線路線", 5, "線路…"],
    ["線路線", 4, "線…"],
    ["abc", 1, "…"],
    ["abc", 0, ""],
  ];
  for (const [text, columns, shown] of table) {
    assertStrictEquals(truncated(text, columns), shown, `${text} ${columns}`);
  }
});
