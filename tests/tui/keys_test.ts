/** `src/tui/keys.ts` and `state.ts`: terminal input and its effect on the state. */

import assert from "node:assert/strict";
import { type Key, KeyReader } from "../../src/tui/keys.ts";
import { fitToList, handleKey, INITIAL_STATE, SORT_KEYS, type ViewState } from "../../src/tui/state.ts";

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
    assert.deepEqual(names(new KeyReader().push(typed)), keys, JSON.stringify(typed));
    const reader = new KeyReader();
    const single = [...typed].flatMap((character) => reader.push(character));
    assert.deepEqual(names(single), keys, `${JSON.stringify(typed)} in pieces`);
  }
});

Deno.test("KeyReader: Escape alone is a key once nothing follows", () => {
  const reader = new KeyReader();
  assert.deepEqual(reader.push("\x1b"), []);
  assert.equal(reader.isPending, true);
  assert.deepEqual(names(reader.flush()), ["<escape>"]);
  assert.equal(reader.isPending, false);
  assert.deepEqual(reader.flush(), []);
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
    assert.deepEqual([state.index, state.top], [index, top], typed);
  }
  assert.equal(after("j").selected, "1/2");
  assert.equal(after("").selected, undefined, "nobody has moved yet: the first row, whichever it is");
});

Deno.test("the selection follows its session, or stays on its row if the session is gone", () => {
  const state = after("jj");
  const shuffled = { keys: ["1/3", "1/5", "1/2", "1/1", "1/4"], page: 2 };
  assert.deepEqual(fitToList(state, shuffled).index, 0);
  const without = { keys: ["1/1", "1/2", "1/4"], page: 2 };
  assert.deepEqual([fitToList(state, without).index, fitToList(state, without).selected], [2, undefined]);
  const none = fitToList(state, { keys: [], page: 2 });
  assert.deepEqual([none.index, none.top, none.selected], [0, 0, undefined]);
});

Deno.test("keys in the list: order, filter, other screens", () => {
  for (let i = 0; i < SORT_KEYS.length; i++) {
    assert.equal(after("s".repeat(i)).sort, SORT_KEYS[i]);
    assert.equal(after("S".repeat(i)).sort, SORT_KEYS[(SORT_KEYS.length - i) % SORT_KEYS.length]);
  }
  assert.equal(after("r").reversed, true);
  assert.equal(after("rr").reversed, false);
  assert.deepEqual(["p", "?", "h", "<enter>"].map((key) => after(key).mode), [
    "problems",
    "help",
    "help",
    "details",
  ]);
  assert.equal(after("j<enter>").selected, "1/2");
  assert.equal(after("<enter>").selected, "1/1");
  assert.equal(after("<enter>", {}, { keys: [], page: 2 }).mode, "list");
  for (const back of ["q", "<escape>", "<enter>", "<backspace>", "<left>"]) {
    assert.equal(after(`<enter>${back}`).mode, "list", back);
  }
  assert.equal(after("pp").mode, "list");
  assert.equal(after("p?").mode, "help");
});

Deno.test("keys in the filter are text, even those with a meaning elsewhere", () => {
  const typing = after("/qs!p 1");
  assert.deepEqual([typing.filter, typing.isEditing, typing.sort], ["qs!p 1", true, "rate"]);
  assert.deepEqual(after("/ab<enter>s").filter, "ab");
  assert.deepEqual(after("/ab<enter>s").sort, "rx");
  assert.deepEqual([after("/ab<escape>").filter, after("/ab<escape>").isEditing], ["", false]);
  assert.equal(after("/aé🚀<backspace><backspace>").filter, "a");
  assert.equal(after("/ab<deleteLine>c").filter, "c");
  assert.equal(after("/ab<enter><escape>").filter, "");
});

Deno.test("keys outside the list scroll, but not above the top", () => {
  assert.equal(after("pjj<down>k").scroll, 2);
  assert.equal(after("p<pageDown><up>").scroll, 1);
  assert.equal(after("pkk").scroll, 0);
  assert.equal(after("p<end><home>").scroll, 0);
  assert.equal(after("pjjq?").scroll, 0);
});

Deno.test("the keys for quit, suspend and redraw work in every mode", () => {
  for (const state of [after(""), after("/x"), after("p"), after("<enter>")]) {
    for (
      const [name, effect] of [["interrupt", "quit"], ["suspend", "suspend"], ["redraw", "redraw"]] as const
    ) {
      assert.deepEqual(handleKey(state, { name }, AROUND), { state, effect });
    }
  }
  assert.equal(handleKey(after(""), { character: "q" }, AROUND).effect, "quit");
  assert.equal(handleKey(after("p"), { character: "q" }, AROUND).effect, undefined);
  assert.equal(handleKey(after("/"), { character: "q" }, AROUND).effect, undefined);
});
