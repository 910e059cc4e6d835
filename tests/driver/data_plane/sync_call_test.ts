/**
 * `src/driver/data_plane/sync_call.ts`: both sides on one thread, where the signal runs the server; and on two
 * threads.
 */

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { Errno } from "../../../src/base/errno.ts";
import { SyscallError } from "../../../src/base/errors.ts";
import {
  DataPlaneClosed,
  SyncCaller,
  type SyncCallerOptions,
  SyncServer,
} from "../../../src/driver/data_plane/sync_call.ts";
import { assertDeepStrictEquals, assertFields } from "../../support/assertions.ts";

/** A caller whose server executes at once. */
function pairOf(
  execute: (command: unknown) => unknown,
  options: Partial<SyncCallerOptions> = {},
): { caller: SyncCaller; server: SyncServer } {
  const caller: SyncCaller = new SyncCaller({ signal: () => server.serve(execute), ...options });
  const server = new SyncServer(caller.memory);
  return { caller, server };
}

Deno.test("call() returns the answer to each of many commands", () => {
  const { caller } = pairOf((command) => ({ echo: command }));
  for (const command of [null, 1, "ü…🥖", [], { a: { b: [1, 2] } }, "x".repeat(60_000), { n: 2 ** 40 }]) {
    assertDeepStrictEquals(caller.call(command), { echo: command });
  }
  const nothing = pairOf(() => undefined);
  assertStrictEquals(nothing.caller.call({}), undefined);
  assertStrictEquals(nothing.caller.call({}), undefined);
});

Deno.test("serve() does nothing without a command", () => {
  const { server } = pairOf(() => 1);
  server.serve(() => fail("executed"));
});

Deno.test("commands and answers that are too long are refused, and the next ones are not", () => {
  const { caller } = pairOf((command) => command === "much" ? "y".repeat(70_000) : "z");
  assertThrows(() => caller.call("x".repeat(64 * 1024)), RangeError);
  assertStrictEquals(caller.call("little"), "z");
  assertMatch(String(assertThrows(() => caller.call("much"))), /^RangeError: The answer is too long$/);
  assertStrictEquals(caller.call("little"), "z");
});

Deno.test("errors keep their class and fields", () => {
  const { caller } = pairOf((command) => {
    if (command === "syscall") throw new SyscallError("epoll_ctl(EPOLL_CTL_ADD)", Errno.EEXIST);
    if (command === "range") throw new RangeError("Session id 5 is taken");
    throw new TypeError("undefined is not a function");
  });
  assertFields(
    assertThrows(() => caller.call("syscall")),
    new SyscallError("epoll_ctl(EPOLL_CTL_ADD)", Errno.EEXIST),
  );
  assertFields(assertThrows(() => caller.call("range")), new RangeError("Session id 5 is taken"));
  assertFields(assertThrows(() => caller.call("other")), new Error("undefined is not a function"));
  assertStrictEquals(caller.closed, false);
});

Deno.test("a call without an answer in time fails, later ones fail at once, and the server sees it", () => {
  let signals = 0;
  const caller = new SyncCaller({ signal: () => signals++, timeoutMs: 20 });
  const server = new SyncServer(caller.memory);
  const before = performance.now();
  assertThrows(() => caller.call("first"), DataPlaneClosed);
  assert(performance.now() - before >= 19);
  assertMatch(String(assertThrows(() => caller.call("second"))), /has not answered for 20 ms/);
  assertEquals([signals, caller.closed, server.closed], [1, true, true]);
  server.serve(() => fail("executed too late"));
});

Deno.test("an answer that comes too late is dropped", () => {
  const { caller, server } = pairOf(() => {
    // The caller gives up during the execution.
    caller.close("given up");
    return 1;
  });
  assertFields(assertThrows(() => caller.call(1)), new DataPlaneClosed("given up"));
  assertEquals([caller.closed, server.closed], [true, true]);
});

Deno.test("a server that closes gives the reason: before a call, and during one", () => {
  const { caller, server } = pairOf(() => 1);
  server.close("no bread ".repeat(1000));
  assertMatch(String(assertThrows(() => caller.call(1))), /^DataPlaneClosed: no bread no bread /);
  const dying: SyncCaller = new SyncCaller({
    signal: () => new SyncServer(dying.memory).close("crashed"),
  });
  assertFields(assertThrows(() => dying.call(1)), new DataPlaneClosed("crashed"));
  assertFields(assertThrows(() => dying.call(1)), new DataPlaneClosed("crashed"));
  dying.close("buried");
  assertFields(assertThrows(() => dying.call(1)), new DataPlaneClosed("crashed"), "the first reason stays");
});

Deno.test("a waiting thread is woken by the other one", async () => {
  const text = `
    import { SyncServer } from ${
    JSON.stringify(new URL("../../../src/driver/data_plane/sync_call.ts", import.meta.url).href)
  };
    onmessage = ({ data }) => {
      const server = new SyncServer(data);
      const words = new Int32Array(data);
      postMessage("ready");
      for (let count = 0; !server.closed;) {
        Atomics.wait(words, 0, 0, 1);
        // Not before the next command: closing would discard an unread answer.
        server.serve((command) => {
          if (++count > 100) server.close("that was all");
          return command + 1;
        });
      }
      close();
    };`;
  const worker = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })), {
    type: "module",
  });
  const caller = new SyncCaller({ signal: () => {} });
  await new Promise((resolve) => {
    worker.onmessage = resolve;
    worker.postMessage(caller.memory);
  });
  for (let i = 0; i < 100; i++) assertStrictEquals(caller.call(i), i + 1);
  assertFields(assertThrows(() => caller.call(0)), new DataPlaneClosed("that was all"));
  worker.terminate();
});
