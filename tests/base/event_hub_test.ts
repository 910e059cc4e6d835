/** `src/base/event_hub.ts`: who hears what, in which order. */

import { assertEquals, assertThrows } from "@std/assert";
import { EventHub } from "../../src/base/event_hub.ts";
import { assertFields } from "../support/assertions.ts";

interface Events {
  readonly count: number;
  readonly text: string;
}

Deno.test("EventHub: listeners of the kind hear an event, in order, until they are disposed of", () => {
  const hub = new EventHub<Events>();
  const heard: string[] = [];
  hub.emit("count", 1);
  const first = hub.on("count", (count) => heard.push(`first ${count}`));
  hub.on("count", (count) => heard.push(`second ${count}`));
  hub.on("text", (text) => heard.push(text));
  hub.emit("count", 2);
  hub.emit("text", "a");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  hub.emit("count", 3);
  assertEquals(heard, ["first 2", "second 2", "a", "second 3"]);
});

Deno.test("EventHub.emit() throws what a listener throws", () => {
  const hub = new EventHub<Events>();
  hub.on("text", (text) => {
    throw new RangeError(text);
  });
  assertFields(assertThrows(() => hub.emit("text", "it")), { name: "RangeError", message: "it" });
});
