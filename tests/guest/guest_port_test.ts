import { assertEquals, assertStrictEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { EndMark, TextTail } from "./guest_port.ts";

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Returns the output of an end mark for input in pieces of this size. */
function cut(mark: string, stream: string, size: number): { text: string; found: boolean } {
  const end = new EndMark(mark);
  const out: Uint8Array[] = [];
  const all = bytes(stream);
  for (let at = 0; at < all.length; at += size) out.push(end.push(all.subarray(at, at + size)));
  out.push(end.flush());
  return { text: Buffer.concat(out).toString(), found: end.found };
}

Deno.test("the end mark is found and removed in pieces of any size", () => {
  for (let size = 1; size <= 20; size++) {
    assertEquals(cut("--end--", "some --en output\n--end--", size), {
      text: "some --en output\n",
      found: true,
    });
    assertEquals(cut("--end--", "---end--", size), { text: "-", found: true });
  }
});

Deno.test("a stream that ends early loses nothing", () => {
  for (let size = 1; size <= 20; size++) {
    assertEquals(cut("--end--", "output\n--end-", size), { text: "output\n--end-", found: false });
  }
});

Deno.test("only a possible start of the end mark is held back", () => {
  const end = new EndMark("--end--");
  assertStrictEquals(Buffer.from(end.push(bytes("prompt> "))).toString(), "prompt> ");
  assertStrictEquals(Buffer.from(end.push(bytes("x--e"))).toString(), "x");
  assertStrictEquals(Buffer.from(end.push(bytes("cho"))).toString(), "--echo");
});

Deno.test("a text's tail keeps its last characters, without carriage returns", () => {
  const tail = new TextTail(6);
  tail.push(bytes("first\r\nsec"));
  tail.push(bytes("ond\r\n"));
  assertStrictEquals(tail.toString(), "cond\n");
});
