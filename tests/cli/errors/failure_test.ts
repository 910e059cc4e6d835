/**
 * `src/cli/errors/failure.ts`: errors as text and as JSON, and the exit codes: 255 wrong input, 2 the kernel refused a change, 1
 * anything else.
 */

import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { Errno } from "../../../src/base/errno.ts";
import { DecodeError, NetlinkProtocolError, SyscallError } from "../../../src/base/errors.ts";
import { Context } from "../../../src/cli/context.ts";
import { failureOf, failureText } from "../../../src/cli/errors/failure.ts";
import { FakeHost } from "../../support/fake_host.ts";
import { assertFields } from "../../support/assertions.ts";

Deno.test("failure as JSON: one line on standard error with code, number and advice", async () => {
  const host = new FakeHost();
  const refused = await host.run("-json del tunnel tid 9");
  assertEquals(refused, {
    code: 2,
    out: "",
    err: '{"error":"RTNETLINK answers: No such device","exit_code":2,"code":"ENODEV","errno":19,' +
      '"advice":["There is no tunnel 9 in this network namespace.","There are no tunnels."]}\n',
  });
  const wrong = await host.run("-json add tunnel tid abc");
  assertStrictEquals(wrong.code, 255);
  assertStrictEquals(
    wrong.err,
    '{"error":"Error: argument \\"abc\\" is wrong: invalid ID","exit_code":255}\n',
  );
  assertStrictEquals(wrong.out, "");
});

Deno.test("failure as JSON: wherever -json stands, also on a line that cannot be read to its end", async () => {
  const host = new FakeHost();
  for (
    const line of [
      "-j bogus",
      "add tunnel tid abc -json",
      "--json -bogus",
      "-bogus -js",
      "show -n -json bogus",
    ]
  ) {
    const { code, err } = await host.run(line);
    assertStrictEquals(code, 255, line);
    assertStrictEquals(JSON.parse(err).exit_code, 255, line);
    assertStrictEquals(err.indexOf("\n"), err.length - 1, line);
  }
  assertMatch((await host.run("bogus")).err, /^Command "bogus" is unknown/);
});

Deno.test("failure: a kernel without L2TP is told before what is wrong with the line only where the line was read", async () => {
  const host = new FakeHost();
  host.home.l2tp.hasFamily = false;
  assertStrictEquals((await host.run("-dataplane kernel add tunnel tid abc")).code, 255);
  assertStrictEquals((await host.run("-dataplane kernel -j show")).code, 1);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("failureOf(): system calls and broken answers end with 1; defects of this program are not caught", () => {
  const host = new FakeHost();
  using context = new Context(host.ports);
  const socket = failureOf(new SyscallError("socket(16, 3, 16)", Errno.EACCES), {}, context);
  assertEquals([socket.exitCode, socket.message, socket.advice], [
    1,
    "Error: socket(16, 3, 16) failed: Permission denied (EACCES).",
    [],
  ]);
  assertStrictEquals(JSON.parse(failureText(socket, { json: true }, undefined)).code, "EACCES");
  const broken = [
    new DecodeError({ field: "nlmsghdr", offset: 0, needed: 16, had: 3 }),
    new NetlinkProtocolError("X", "nonsense"),
  ];
  for (const error of broken) {
    const failure = failureOf(error, {}, context);
    assertEquals([failure.exitCode, failure.message], [1, `Error: ${error.message}.`]);
    assertMatch(failure.advice[0]!, /Please report it/);
  }
  assertFields(assertThrows(() => failureOf(new TypeError("defect"), {}, context)), { message: "defect" });
  assertStrictEquals(assertThrows(() => failureOf("thrown text", {}, context)), "thrown text");
});

Deno.test("failureText(): place of a batch in JSON, and nothing that is not known", () => {
  const failure = { exitCode: 2, message: "m", advice: [] };
  assertStrictEquals(failureText(failure, {}, { file: "f", line: 3 }), "m\n");
  assertStrictEquals(failureText({ ...failure, advice: ["a", "b"] }, {}, undefined), "m\n  a\n  b\n");
  assertStrictEquals(failureText(failure, { json: true }, undefined), '{"error":"m","exit_code":2}\n');
  assertStrictEquals(
    failureText(failure, { json: true, pretty: true }, { file: "f", line: 3 }),
    '{"error":"m","exit_code":2,"file":"f","line":3}\n',
  );
});
