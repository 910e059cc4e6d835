/** Both implementations of the Internet checksum, against a slow one. */

import { assert, assertEquals, assertStrictEquals, assertThrows, fail } from "@std/assert";
import {
  type Checksummer,
  foldSum,
  PlainChecksum,
  sumWords,
} from "../../../src/dataplane/checksum/internet_checksum.ts";
import {
  openWasmChecksum,
  WasmChecksum,
  WasmMissingError,
} from "../../../src/dataplane/checksum/wasm_checksum.ts";
import { hexBytes } from "../../support/golden.ts";
import { Random } from "../../support/random.ts";

const PAGE = 65_536;

/** The sum of the big-endian words as in RFC 1071, carries included, converted to a checksummer's byte order. */
function model(bytes: Uint8Array): number {
  let sum = 0n;
  for (let i = 0; i < bytes.length; i += 2) sum += BigInt(bytes[i]!) * 256n + BigInt(bytes[i + 1] ?? 0);
  while (sum > 0xffffn) sum = (sum & 0xffffn) + (sum >> 16n);
  return swapped(Number(sum));
}

function swapped(word: number): number {
  return (word & 0xff) << 8 | word >> 8;
}

/** Memory of that many pages, with both checksummers. */
class Memory {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  readonly summers: readonly Checksummer[];

  constructor(pages: number) {
    this.memory = new WebAssembly.Memory({ initial: pages });
    this.bytes = new Uint8Array(this.memory.buffer);
    this.summers = [new PlainChecksum(this.memory.buffer), new WasmChecksum(this.memory)];
  }

  /** Writes the bytes to the memory, and asserts that both checksummers sum them correctly. */
  check(content: Uint8Array, offset: number): void {
    this.bytes.set(content, offset);
    const expected = model(content);
    for (const summer of this.summers) {
      const sum = summer.sum(offset, content.length);
      if (sum !== expected) {
        fail(`${summer.constructor.name} ${offset}+${content.length}: ${sum} is not ${expected}`);
      }
    }
  }
}

Deno.test("RFC 1071, section 3: the example", () => {
  const memory = new Memory(1);
  const example = hexBytes("0001 f203 f4f5 f6f7");
  memory.check(example, 0);
  for (const summer of memory.summers) assertStrictEquals(swapped(summer.sum(0, example.length)), 0xddf2);
});

Deno.test("the complement stored little-endian is the checksum, and bytes with a checksum sum to 0xffff", () => {
  // The IPv4 header of a common example, whose checksum is 0xb861.
  const header = hexBytes("4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7");
  const view = new DataView(header.buffer);
  view.setUint16(10, ~sumWords(view, 0, 20), true);
  assertStrictEquals(view.getUint16(10), 0xb861);
  assertStrictEquals(sumWords(view, 0, 20), 0xffff);
  assertStrictEquals(foldSum(sumWords(view, 0, 12) + sumWords(view, 12, 8)), 0xffff);
});

Deno.test("every length up to 300 at every offset up to 16, among bytes outside the range", () => {
  const random = new Random(1071);
  const memory = new Memory(1);
  for (let length = 0; length <= 300; length++) {
    const content = random.bytes(length);
    for (let offset = 0; offset <= 16; offset++) {
      memory.bytes.fill(0xff, 0, 400);
      memory.check(content, offset);
    }
  }
});

Deno.test("long random ranges at any offset", () => {
  const random = new Random(1624);
  const memory = new Memory(2);
  for (let i = 0; i < 60; i++) {
    memory.bytes.fill(0xff);
    memory.check(random.bytes(random.below(PAGE)), random.below(PAGE));
  }
});

Deno.test("ranges with the largest sums and with none, at lengths where an addition might overflow", () => {
  // The blocks of one implementation end at 2^17, the chunks of the other at 2^19.
  for (const length of [65_534, 65_535, 2 ** 17 - 1, 2 ** 17, 2 ** 17 + 1, 2 ** 19, 2 ** 20 + 2 ** 17 + 61]) {
    const memory = new Memory(Math.ceil(length / PAGE) + 1);
    const content = new Uint8Array(length);
    memory.check(content, 1);
    memory.check(content.fill(0xff), 3);
    content[0] = 0;
    memory.check(content, 4);
  }
});

Deno.test("memory is summed up to its last byte and no further", () => {
  const random = new Random(1141);
  const memory = new Memory(1);
  for (let length = 0; length <= 300; length++) memory.check(random.bytes(length), PAGE - length);
  memory.check(random.bytes(PAGE), 0);
  const [plain, wasm] = memory.summers as [Checksummer, Checksummer];
  for (const [offset, length] of [[PAGE - 1, 2], [PAGE - 63, 64], [PAGE, 1], [0, PAGE + 1]] as const) {
    assertThrows(() => plain.sum(offset, length), RangeError);
    assertThrows(() => wasm.sum(offset, length), WebAssembly.RuntimeError);
  }
});

Deno.test("a view that begins later in its buffer is summed from there", () => {
  const bytes = new Random(768).bytes(100);
  assertStrictEquals(sumWords(new DataView(bytes.buffer, 7, 80), 3, 41), model(bytes.subarray(10, 51)));
});

Deno.test("WebAssembly sums memory that has grown", () => {
  const memory = new Memory(1);
  memory.memory.grow(1);
  new Uint8Array(memory.memory.buffer).fill(0xab, PAGE - 8, PAGE + 9);
  assertStrictEquals(memory.summers[1]!.sum(PAGE - 8, 17), model(new Uint8Array(17).fill(0xab)));
});

Deno.test("foldSum folds any value of 32 bits", () => {
  const cases = [
    [0, 0],
    [0xffff, 0xffff],
    [0x1_0000, 1],
    [0x1_ffff, 1],
    [0xffff_0000, 0xffff],
    [0xffff_ffff, 0xffff],
  ] as const;
  for (const [sum, folded] of cases) assertStrictEquals(foldSum(sum), folded, sum.toString(16));
});

Deno.test("an engine without WebAssembly or without SIMD throws WasmMissingError; other errors are rethrown", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  assert(openWasmChecksum(memory) instanceof WasmChecksum);
  const real = globalThis.WebAssembly;
  const pretend = (engine: unknown): void => {
    Object.defineProperty(globalThis, "WebAssembly", { value: engine, configurable: true, writable: true });
  };
  class Refusing {
    constructor() {
      throw new real.CompileError("invalid value type 's128'");
    }
  }
  try {
    for (const engine of [undefined, { ...properties(real), Module: Refusing }]) {
      pretend(engine);
      assertThrows(() => new WasmChecksum(memory), WasmMissingError);
      assertStrictEquals(openWasmChecksum(memory), undefined);
    }
  } finally {
    pretend(real);
  }
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  assertThrows(() => openWasmChecksum(shared), WebAssembly.LinkError);
});

/** The properties of a namespace object, which are not enumerable. */
function properties(namespace: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(Object.getOwnPropertyDescriptors(namespace)).map(([name, { value }]) => [name, value]),
  );
}

Deno.test("copy(): returns the sum of the copied bytes, also for overlapping ranges; changes no other byte", () => {
  const memory = new Memory(1);
  const random = new Random(1624);
  for (let round = 0; round < 300; round++) {
    const length = random.below(round % 2 === 0 ? 80 : 1600);
    const from = random.below(4096);
    const to = round % 3 === 0 ? Math.max(0, from + random.below(100) - 50) : 8192 + random.below(4096);
    for (const summer of memory.summers) {
      for (let i = 0; i < 16_384; i++) memory.bytes[i] = random.below(256);
      const expected = memory.bytes.slice(0, 16_384);
      expected.copyWithin(to, from, from + length);
      assertStrictEquals(summer.copy(from, to, length), model(expected.subarray(to, to + length)));
      assertEquals(memory.bytes.subarray(0, 16_384), expected);
    }
  }
  for (const summer of memory.summers) {
    assertThrows(() => summer.copy(0, PAGE - 99, 100));
    assertThrows(() => summer.copy(PAGE - 99, 0, 100));
  }
});
