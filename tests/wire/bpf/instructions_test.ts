/** `src/wire/bpf/instructions.ts` against what LLVM 14 assembles (`llvm-mc -triple=bpfel`), and RFC 9669. */

import { assertStrictEquals, assertThrows } from "@std/assert";
import { formatHex } from "../../../src/base/hex.ts";
import { BpfProgram, FP, R0, R1, R2, R3, R4, R6, R7, R8, R9 } from "../../../src/wire/bpf/instructions.ts";

Deno.test("instructions equal LLVM's", () => {
  const cases: [llvm: string, bytes: string, add: (program: BpfProgram) => void][] = [
    ["r6 = r1", "bf16000000000000", (p) => p.move(R6, R1)],
    ["r0 = -1", "b7000000ffffffff", (p) => p.move(R0, -1)],
    ["r1 += 14", "070100000e000000", (p) => p.compute("add", R1, 14)],
    ["r3 -= r1", "1f13000000000000", (p) => p.compute("sub", R3, R1)],
    ["r4 *= r1", "2f14000000000000", (p) => p.compute("mul", R4, R1)],
    ["r4 /= r2", "3f24000000000000", (p) => p.compute("div", R4, R2)],
    ["r1 &= 0xf", "570100000f000000", (p) => p.compute("and", R1, 0xf)],
    ["r1 <<= 2", "6701000002000000", (p) => p.compute("lsh", R1, 2)],
    ["r1 >>= 4", "7701000004000000", (p) => p.compute("rsh", R1, 4)],
    ["r1 |= r2", "4f21000000000000", (p) => p.compute("or", R1, R2)],
    ["r2 ^= 0xffff", "a7020000ffff0000", (p) => p.compute("xor", R2, 0xffff)],
    ["r1 = be16 r1", "dc01000010000000", (p) => p.networkOrder(R1, 16)],
    ["r1 = be32 r1", "dc01000020000000", (p) => p.networkOrder(R1, 32)],
    ["r1 = be64 r1", "dc01000040000000", (p) => p.networkOrder(R1, 64)],
    ["r1 = *(u8 *)(r10 - 48)", "71a1d0ff00000000", (p) => p.load("b", R1, FP, -48)],
    ["r1 = *(u16 *)(r10 - 50)", "69a1ceff00000000", (p) => p.load("h", R1, FP, -50)],
    ["r1 = *(u32 *)(r6 + 40)", "6161280000000000", (p) => p.load("w", R1, R6, 40)],
    ["r1 = *(u64 *)(r7 + 16)", "7971100000000000", (p) => p.load("dw", R1, R7, 16)],
    ["*(u32 *)(r10 - 4) = r1", "631afcff00000000", (p) => p.store("w", FP, -4, R1)],
    ["*(u16 *)(r10 - 132) = r1", "6b1a7cff00000000", (p) => p.store("h", FP, -132, R1)],
    ["*(u8 *)(r10 - 1) = r9", "739affff00000000", (p) => p.store("b", FP, -1, R9)],
    ["*(u64 *)(r10 - 16) = r4", "7b4af0ff00000000", (p) => p.store("dw", FP, -16, R4)],
    // LLVM 14 supports neither stores of immediates nor JSET; these are by RFC 9669, sections 5.2 and 4.3.
    ["*(u64 *)(r9 + 80) = 1", "7a09500001000000", (p) => p.store("dw", R9, 80, 1)],
    ["lock *(u64 *)(r9 + 8) += r1", "db19080000000000", (p) => p.atomicAdd(R9, 8, R1)],
    ["call 26", "850000001a000000", (p) => p.call("skb_load_bytes")],
    ["exit", "9500000000000000", (p) => p.exit()],
    ["the map of descriptor 5", "18110000050000000000000000000000", (p) => p.map(R1, 5)],
  ];
  for (const [llvm, bytes, add] of cases) {
    const program = new BpfProgram();
    add(program);
    assertStrictEquals(formatHex(program.assemble()), bytes, llvm);
  }
});

Deno.test("jump offsets count instructions; the load of a map's address takes two", () => {
  const program = new BpfProgram()
    .jumpIf(R0, "!=", 0, "two").map(R1, 5)
    .label("two").jumpIf(R1, ">", R2, "one").exit()
    .label("one").jumpIf(R1, "<", 1, "next")
    .label("next").jumpIf(R8, "<=", R1, "last").jumpIf(R1, "&", 64, "last").jump("last")
    .label("last").exit();
  assertStrictEquals(
    formatHex(program.assemble()),
    [
      ...["5500020000000000", "18110000050000000000000000000000", "2d21010000000000", "9500000000000000"],
      ...["a501000001000000", "bd18020000000000", "4501010040000000", "0500000000000000", "9500000000000000"],
    ].join(""),
  );
});

Deno.test("labels are defined once, and after the jumps to them", () => {
  assertThrows(() => new BpfProgram().label("a").label("a"), RangeError);
  assertThrows(() => new BpfProgram().jump("a").exit().assemble(), RangeError);
  assertThrows(() => new BpfProgram().label("a").jump("a").assemble(), RangeError);
});
