import {
  assert,
  assertEquals,
  AssertionError,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { assertDeepStrictEquals, assertFields } from "./assertions.ts";

class Point {
  readonly #scale = 2;
  constructor(readonly x: number) {}
  get twice(): number {
    return this.#scale * this.x;
  }
}

class CallError extends Error {
  override readonly name = "CallError";
  constructor(readonly call: string, readonly errno: number) {
    super(`${call} failed`);
  }
  get code(): string {
    return `E${this.errno}`;
  }
}

const failing = (action: () => unknown): AssertionError => assertThrows(action, AssertionError);
const withoutPrototype = (fields: object): object => Object.assign(Object.create(null), fields);
const longer = (items: unknown[], length: number): unknown[] => Object.assign([...items], { length });

const DIFFERENT: readonly [name: string, a: unknown, b: unknown][] = [
  ["0, -0", 0, -0],
  ["-0 in an object", { a: 0 }, { a: -0 }],
  ["-0 in an array", [0], [-0]],
  ["-0 as a map's value", new Map([[1, 0]]), new Map([[1, -0]])],
  ["-0 among floating-point numbers", Float64Array.of(0), Float64Array.of(-0)],
  ["1, 1n", 1, 1n],
  ["null, undefined", null, undefined],
  ["a member that is undefined, none", { a: undefined }, {}],
  ["undefined members of two names", { a: undefined }, { b: undefined }],
  ["an object without a prototype", { a: 1 }, withoutPrototype({ a: 1 })],
  ["an instance, a plain object", new Point(1), { x: 1 }],
  ["bytes, an instance of a subclass", Uint8Array.of(1), new (class extends Uint8Array {})([1])],
  ["bytes, an array", Uint8Array.of(1), [1]],
  ["bytes with a member", Uint8Array.of(1), Object.assign(Uint8Array.of(1), { a: 1 })],
  ["an array that goes on with holes", [1], longer([1], 3)],
  ["a hole, undefined", [, 1], [undefined, 1]],
  ["an array with a member", [1], Object.assign([1], { a: 1 })],
  ["an object twice in a set", new Set([{ a: 1 }, { a: 1 }]), new Set([{ a: 1 }, { a: 2 }])],
  ["a key twice in a map", new Map([[[1], 1], [[1], 1]]), new Map([[[1], 1], [[2], 1]])],
  ["a map's member", Object.assign(new Map(), { a: 1 }), Object.assign(new Map(), { a: 2 })],
  ["boxed numbers", Object(1), Object(2)],
  ["promises", Promise.resolve(1), Promise.resolve(1)],
  ["where a regular expression goes on", Object.assign(/a/g, { lastIndex: 1 }), /a/g],
  ["a symbol's member", { [Symbol.iterator]: 1 }, {}],
  ["errors", new Error("a"), new Error("b")],
  ["errors of two classes", new Error("a"), new TypeError("a")],
];

const EQUAL: readonly [name: string, a: unknown, b: unknown][] = [
  ["NaN", [NaN], [NaN]],
  ["-0", -0, -0],
  ["members in another order", { a: 1, b: 2 }, { b: 2, a: 1 }],
  ["bytes elsewhere in their buffer", new Uint8Array([9, 1]).subarray(1), Uint8Array.of(1)],
  ["sets of objects", new Set([{ a: 1 }, { a: 2 }]), new Set([{ a: 2 }, { a: 1 }])],
  ["maps in another order", new Map([[1, {}], [2, {}]]), new Map([[2, {}], [1, {}]])],
  ["instances", new Point(1), new Point(1)],
  ["errors made at two places", new Error("a"), new Error("a")],
  ["views elsewhere in their buffer", new DataView(new ArrayBuffer(2), 1), new DataView(new ArrayBuffer(1))],
];

Deno.test("assertDeepStrictEquals() refuses different values, whichever is expected", () => {
  for (const [name, a, b] of DIFFERENT) {
    for (const [one, other] of [[a, b], [b, a]]) {
      const error = failing(() => assertDeepStrictEquals(one, other, name));
      assert(error.message.includes(name), error.message);
    }
    assertDeepStrictEquals(a, a, name);
  }
  for (const [name, a, b] of EQUAL) assertDeepStrictEquals(a, b, name);
});

Deno.test("assertDeepStrictEquals() shows the difference, or says that assertEquals does not compare it", () => {
  assert(failing(() => assertDeepStrictEquals({ a: 1 }, { a: 2 })).message.includes("a: 2"));
  const unseen = failing(() => assertDeepStrictEquals(0, -0));
  assertStrictEquals(unseen.message, "Values differ in what assertEquals does not compare");
});

Deno.test("assertFields(): values, patterns, fields of the prototype, and an error for its fields", () => {
  const error = new CallError("bind", 98);
  assertFields(error, { errno: 98 });
  assertFields(error, { name: "CallError", call: "bind", errno: 98, code: "E98", message: /^bind / });
  assertFields(error, new CallError("bind", 98));
  assertFields({ code: undefined, list: [1, { a: 2 }] }, { code: undefined, list: [1, { a: 2 }] });
  const wrong: readonly object[] = [
    { errno: 97 },
    { errno: "98" },
    { errno: 98, call: "connect" },
    { message: /^connect/ },
    { errno: /98/ },
    { code: undefined },
    { extack: undefined },
    new CallError("bind", 97),
    new Error("bind failed"),
    Object.assign(new Error("bind failed"), { name: "CallError", none: 1 }),
    {},
  ];
  for (const [i, fields] of wrong.entries()) {
    assert(failing(() => assertFields(error, fields, `number ${i}`)).message.includes(`number ${i}`));
  }
  failing(() => assertFields({ list: [1, { a: 2, b: 3 }] }, { list: [1, { a: 2 }] }));
  failing(() => assertFields({ count: -0 }, { count: 0 }));
  for (const none of ["bind failed", undefined, null, 98]) failing(() => assertFields(none, { length: 11 }));
});

Deno.test("assertThrows() and assertRejects() return what is thrown, and refuse another class", async () => {
  const error = assertThrows(() => {
    throw new CallError("bind", 98);
  }, CallError);
  assertStrictEquals(error.errno, 98);
  const thrown = assertThrows(() => {
    const text: unknown = "text";
    throw text;
  });
  assertStrictEquals(thrown, "text");
  assertEquals(await assertRejects(() => Promise.reject([1])), [1]);
  const type = (): never => {
    throw new TypeError("other");
  };
  failing(() => assertThrows(type, CallError));
  failing(() => assertThrows(() => 1));
  await assertRejects(
    () => assertRejects(() => Promise.reject(new TypeError("other")), CallError),
    AssertionError,
  );
  await assertRejects(() => assertRejects(() => Promise.resolve(1)), AssertionError);
});
