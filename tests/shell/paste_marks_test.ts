/** `src/shell/paste_marks.ts`: marks are found wherever the bytes are cut, and nothing else is changed. */

import { assertEquals } from "@std/assert";
import { PasteMarks } from "../../src/shell/paste_marks.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What comes out, joined where it was cut only by the pieces. */
function through(pieces: readonly Uint8Array[]): string[] {
  const marks = new PasteMarks();
  const out: string[] = [];
  let text = new Uint8Array(0);
  for (const piece of pieces) {
    for (const part of marks.split(piece)) {
      if (typeof part !== "string") {
        text = new Uint8Array([...text, ...part]);
        continue;
      }
      if (text.length > 0) out.push(decoder.decode(text));
      text = new Uint8Array(0);
      out.push(part);
    }
  }
  return text.length > 0 ? [...out, decoder.decode(text)] : out;
}

Deno.test("PasteMarks: marks and what is between them, cut anywhere behind what tells a mark", () => {
  const bytes = encoder.encode("a\x1b[Aé\x1b[200~show\n\x1b[3~\x1b[201~\x1b");
  const expected = ["a\x1b[Aé", "pasteBegins", "show\n\x1b[3~", "pasteEnds", "\x1b"];
  assertEquals(through([bytes]), expected);
  const mark = bytes.indexOf(0x7e) - 5;
  for (let at = 1; at < bytes.length; at++) {
    const inMark = [mark, bytes.lastIndexOf(0x7e) - 5].some((begin) => at > begin && at < begin + 4);
    if (!inMark) assertEquals(through([bytes.slice(0, at), bytes.slice(at)]), expected, `cut at ${at}`);
  }
});

Deno.test("PasteMarks: a key of its own is not held back", () => {
  for (const key of ["\x1b", "\x1b[", "\x1b[2", "\x1b[2~", "\x1b[20~", "x"]) {
    assertEquals(through([encoder.encode(key)]), [key]);
  }
});
