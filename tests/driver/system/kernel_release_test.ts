/** `src/driver/system/kernel_release.ts` and `streams.ts`, as far as they need no permission. */

import { assertMatch, assertStrictEquals } from "@std/assert";
import { isKernelAtLeast, kernelRelease } from "../../../src/driver/system/kernel_release.ts";
import { writeText } from "../../../src/driver/terminal/streams.ts";

Deno.test("isKernelAtLeast() compares numbers, not strings; an unreadable release counts as later", () => {
  const table: [release: string, major: number, minor: number, expected: boolean][] = [
    ["6.1.0-41-amd64", 6, 10, false],
    ["6.9.12", 6, 10, false],
    ["6.10.0-rc1", 6, 10, true],
    ["6.12.117", 6, 10, true],
    ["5.19.0", 6, 10, false],
    ["5.19.0", 5, 4, true],
    ["7.0.0", 6, 10, true],
    ["10.0", 6, 10, true],
    ["6.10", 6, 10, true],
    ["", 6, 10, true],
    ["unknown", 6, 10, true],
  ];
  for (const [release, major, minor, expected] of table) {
    assertStrictEquals(isKernelAtLeast(release, major, minor), expected, release);
  }
});

Deno.test("kernelRelease() is empty if the file may not be read", () => {
  const { state } = Deno.permissions.querySync({ name: "read", path: "/proc/sys/kernel/osrelease" });
  if (state !== "granted") assertStrictEquals(kernelRelease(), "");
  else assertMatch(kernelRelease(), /^\d+\.\d+/);
});

Deno.test("writeText() writes until all is written, also when a character is split", () => {
  const chunks: number[] = [];
  let calls = 0;
  const writer = {
    writeSync(bytes: Uint8Array): number {
      calls++;
      const count = Math.min(3, bytes.length);
      chunks.push(...bytes.subarray(0, count));
      return count;
    },
  };
  const text = "Tünnel … ends\n";
  writeText(writer, text);
  assertStrictEquals(new TextDecoder().decode(Uint8Array.from(chunks)), text);
  assertStrictEquals(calls, Math.ceil(new TextEncoder().encode(text).length / 3));
  writeText(writer, "");
  assertStrictEquals(calls, Math.ceil(new TextEncoder().encode(text).length / 3));
});
