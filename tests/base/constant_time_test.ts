import { assertStrictEquals } from "@std/assert";
import { equalInConstantTime } from "../../src/base/constant_time.ts";

Deno.test("equalInConstantTime() compares all bytes, and lengths", () => {
  const table: [a: number[], b: number[], expected: boolean][] = [
    [[], [], true],
    [[1, 2, 3], [1, 2, 3], true],
    [[1, 2, 3], [9, 2, 3], false],
    [[1, 2, 3], [1, 2, 9], false],
    [[1, 2], [1, 2, 3], false],
    [[1, 2, 3], [1, 2], false],
    // Differences that would cancel each other in a sum or XOR.
    [[1, 2], [2, 1], false],
    [[], [0], false],
  ];
  for (const [a, b, expected] of table) {
    assertStrictEquals(
      equalInConstantTime(Uint8Array.from(a), Uint8Array.from(b)),
      expected,
      `${a} and ${b}`,
    );
  }
});
