/** `src/model/offloads.ts`: lists of offloads as people write them. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { DEFAULT_OFFLOADS, OFFLOADS, parseOffloads, SPEED_OFFLOADS } from "../../src/model/offloads.ts";

Deno.test("parseOffloads(): words change what those before them said, and all but bpf are on at first", () => {
  const cases: [text: string, on: string[]][] = [
    ["all", [...SPEED_OFFLOADS]],
    ["bpf", [...OFFLOADS]],
    ["bpf,all", [...SPEED_OFFLOADS]],
    ["none,bpf", ["bpf"]],
    ["none", []],
    ["no-gro", SPEED_OFFLOADS.filter((each) => each !== "gro")],
    ["no-gro,no-uso", SPEED_OFFLOADS.filter((each) => each !== "gro" && each !== "uso")],
    [" no-gro , gro ", [...SPEED_OFFLOADS]],
    ["none,tap,tso", ["tap", "tso"]],
    ["tap,none", []],
  ];
  for (const [text, on] of cases) {
    const offloads = parseOffloads(text);
    assert(typeof offloads !== "string", text);
    assertEquals(OFFLOADS.filter((each) => offloads[each]), on, text);
  }
  assertEquals(parseOffloads("all"), DEFAULT_OFFLOADS);
});

Deno.test("parseOffloads() names the word that is none", () => {
  for (
    const [text, word] of [["", ""], ["gro,lro", "lro"], ["no-", "no-"], ["no-all", "no-all"], ["GRO", "GRO"]]
  ) {
    assertStrictEquals(parseOffloads(text!), word, text);
  }
});
