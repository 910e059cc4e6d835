/** `src/tui/keys.ts` and `state.ts`: terminal input and its effect on the state. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Key, KeyReader } from "../../src/tui/keys.ts";
import { fitToList, handleKey, INITIAL_STATE, SORT_KEYS, type ViewState } from "../../src/tui/state.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

function names(keys: readonly Key[]): string[] {
  return keys.map((key) => ("name" in key ? `<${key.name}>` : key.character));
}

Deno.test("KeyReader: characters, controls, and sequences of all common terminals", () => {
  const table: [typed: string, keys: string[]][] = [
    ["a/é線🚀", ["a", "/", "é", "線", "🚀"]],
    ["\x03\x04\x0c\x1a\x15\x7f\x08\r\n\t", [
      "<interrupt>",
      "<interrupt>",
      "<redraw>",
      "<suspend>",
      "<deleteLine>",
      "<backspace>",
      "<backspace>",
      "<enter>",
      "<enter>",
      "<tab>",
    ]],
    ["\x1b[A\x1b[B\x1b[C\x1b[D", ["<up>", "<down>", "<right>", "<left>"]],
    ["\x1bOA\x1bOB\x1bOH\x1bOF", ["<up>", "<down>", "<home>", "<end>"]],
    ["\x1b[5~\x1b[6~\x1b[1~\x1b[4~\x1b[7~\x1b[8~\x1b[H\x1b[F", [
      "<pageUp>",
      "<pageDown>",
      "<home>",
      "<end>",
      "<home>",
      "<end>",
      "<home>",
      "<end>",
    ]],
    ["\x1b[1;5A\x1b[5;2~", ["<up>", "<pageUp>"]],
    ["\x1b[2~\x1b[15~\x1b[200~x\x1b[I\x01", ["x"]],
    ["\x1bx", ["<escape>", "x"]],
    ["\x1b\x1b[A", ["<escape>", "<up>"]],
  ];
  for (const [typed, keys] of table) {
    assertEquals(names(new KeyReader().push(typed)), keys, JSON.stringify(typed));
    const reader = new KeyReader();
    const single = [...typed].flatMap((character) => reader.push(character));
    assertEquals(names(single), keys, `${JSON.stringify(typed)} in pieces`);
  }
});

Deno.test("KeyReader: Escape alone is a key once nothing follows", () => {
  const reader = new KeyReader();
  assertEquals(reader.push("\x1b"), []);
  assertStrictEquals(reader.isPending, true);
  assertEquals(names(reader.flush()), ["<escape>"]);
  assertStrictEquals(reader.isPending, false);
  assertEquals(reader.flush(), []);
});

const AROUND = { keys: ["1/1", "1/2", "1/3", "1/4", "1/5"], page: 2 };

/** Returns the state after these keys: characters, and names in angle brackets. */
function after(typed: string, start: Partial<ViewState> = {}, around = AROUND): ViewState {
  let state: ViewState = fitToList({ ...INITIAL_STATE, ...start }, around);
  for (const [, name, character] of typed.matchAll(/<(\w+)>|(.)/gu)) {
    const key = name === undefined ? { character: character! } : { name } as Key;
    state = fitToList(handleKey(state, key, around).state, around);
  }
  return state;
}

Deno.test("keys in the list: the selected session stays visible", () => {
  const table: [typed: string, index: number, top: number][] = [
    ["", 0, 0],
    ["j", 1, 0],
    ["<down><down>", 2, 1],
    ["<down><down><up>", 1, 1],
    ["<down><down><up><up>", 0, 0],
    ["<pageDown>", 2, 1],
    ["<pageDown><pageDown><pageDown>", 4, 3],
    ["<end>", 4, 3],
    ["G", 4, 3],
    ["<end><home>", 0, 0],
    ["Gg", 0, 0],
    ["<end><pageUp>", 2, 2],
    ["k", 0, 0],
    ["x<tab>", 0, 0],
  ];
  for (const [typed, index, top] of table) {
    const state = after(typed);
    assertDeepStrictEquals([state.index, state.top], [index, top], typed);
  }
  assertStrictEquals(after("j").selected, "1/2");
  assertStrictEquals(after("").selected, undefined, "nobody has moved yet: the first row, whichever it is");
});

Deno.test("the selection follows its session, or stays on its row if the session is gone", () => {
  const state = after("jj");
  const shuffled = { keys: ["1/3", "1/5", "1/2", "1/1", "1/4"], page: 2 };
  assertStrictEquals(fitToList(state, shuffled).index, 0);
  const without = { keys: ["1/1", "1/2", "1/4"], page: 2 };
  assertEquals([fitToList(state, without).index, fitToList(state, without).selected], [2, undefined]);
  const none = fitToList(state, { keys: [], page: 2 });
  assertDeepStrictEquals([none.index, none.top, none.selected], [0, 0, undefined]);
});

Deno.test("keys in the list: order, filter, other screens", () => {
  for (let i = 0; i < SORT_KEYS.length; i++) {
    assertStrictEquals(after("s".repeat(i)).sort, SORT_KEYS[i]);
    assertStrictEquals(after("S".repeat(i)).sort, SORT_KEYS[(SORT_KEYS.length - i) % SORT_KEYS.length]);
  }
  assertStrictEquals(after("r").reversed, true);
  assertStrictEquals(after("rr").reversed, false);
  assertEquals(["p", "?", "h", "<enter>"].map((key) => after(key).mode), [
    "problems",
    "help",
    "help",
    "details",
  ]);
  assertStrictEquals(after("j<enter>").selected, "1/2");
  assertStrictEquals(after("<enter>").selected, "1/1");
  assertStrictEquals(after("<enter>", {}, { keys: [], page: 2 }).mode, "list");
  for (const back of ["q", "<escape>", "<enter>", "<backspace>", "<left>"]) {
    assertStrictEquals(after(`<enter>${back}`).mode, "list", back);
  }
  assertStrictEquals(after("pp").mode, "list");
  assertStrictEquals(after("p?").mode, "help");
});

Deno.test("keys in the filter are text, even those with a meaning elsewhere", () => {
  const typing = after("/qs!p 1");
  assertEquals([typing.filter, typing.isEditing, typing.sort], ["qs!p 1", true, "rate"]);
  assertStrictEquals(after("/ab<enter>s").filter, "ab");
  assertStrictEquals(after("/ab<enter>s").sort, "rx");
  assertEquals([after("/ab<escape>").filter, after("/ab<escape>").isEditing], ["", false]);
  assertStrictEquals(after("/aé🚀<backspace><backspace>").filter, "a");
  assertStrictEquals(after("/ab<deleteLine>c").filter, "c");
  assertStrictEquals(after("/ab<enter><escape>").filter, "");
});

Deno.test("keys outside the list scroll, but not above the top", () => {
  assertStrictEquals(after("pjj<down>k").scroll, 2);
  assertStrictEquals(after("p<pageDown><up>").scroll, 1);
  assertStrictEquals(after("pkk").scroll, 0);
  assertStrictEquals(after("p<end><home>").scroll, 0);
  assertStrictEquals(after("pjjq?").scroll, 0);
});

Deno.test("the keys for quit, suspend and redraw work in every mode", () => {
  for (const state of [after(""), after("/x"), after("p"), after("<enter>")]) {
    for (
      const [name, effect] of [["interrupt", "quit"], ["suspend", "suspend"], ["redraw", "redraw"]] as const
    ) {
      assertDeepStrictEquals(handleKey(state, { name }, AROUND), { state, effect });
    }
  }
  assertStrictEquals(handleKey(after(""), { character: "q" }, AROUND).effect, "quit");
  assertStrictEquals(handleKey(after("p"), { character: "q" }, AROUND).effect, undefined);
  assertStrictEquals(handleKey(after("/"), { character: "q" }, AROUND).effect, undefined);
});
