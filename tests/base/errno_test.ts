/** `src/base/errno.ts` and `src/base/errors.ts`: error numbers, names, texts and error classes. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { Errno, errnoName, errnoText } from "../../src/base/errno.ts";
import {
  DecodeError,
  FamilyMissingError,
  NetlinkError,
  NetlinkProtocolError,
  SyscallError,
} from "../../src/base/errors.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

Deno.test("Errno has the numbers of asm-generic/errno.h, and errnoName() their names", () => {
  const numbers = new Set<number>();
  for (const [name, number] of Object.entries(Errno)) {
    assertStrictEquals(errnoName(number), name);
    numbers.add(number);
  }
  assertStrictEquals(numbers.size, Object.keys(Errno).length);
});

Deno.test("errnoText() returns the texts of glibc's strerror", () => {
  const table: [number, string, string][] = [
    [1, "EPERM", "Operation not permitted"],
    [2, "ENOENT", "No such file or directory"],
    [16, "EBUSY", "Device or resource busy"],
    [17, "EEXIST", "File exists"],
    [19, "ENODEV", "No such device"],
    [22, "EINVAL", "Invalid argument"],
    [34, "ERANGE", "Numerical result out of range"],
    [93, "EPROTONOSUPPORT", "Protocol not supported"],
    [95, "EOPNOTSUPP", "Operation not supported"],
    [98, "EADDRINUSE", "Address already in use"],
    [99, "EADDRNOTAVAIL", "Cannot assign requested address"],
    [101, "ENETUNREACH", "Network is unreachable"],
    [105, "ENOBUFS", "No buffer space available"],
    [113, "EHOSTUNREACH", "No route to host"],
    [133 - 1, "ERFKILL", "Operation not possible due to RF-kill"],
  ];
  for (const [errno, name, text] of table) {
    assertStrictEquals(errnoName(errno), name);
    assertStrictEquals(errnoText(errno), text);
  }
});

Deno.test("errnoName() and errnoText() return a fallback for unknown numbers", () => {
  for (const errno of [0, 41, 58, 133, 4000, -1]) {
    assertStrictEquals(errnoName(errno), `E${errno}`);
    assertStrictEquals(errnoText(errno), `Unknown error ${errno}`);
  }
});

Deno.test("errnoName() and errnoText() know every number from 1 to 132 except the two that Linux skips", () => {
  const unknown: number[] = [];
  const names = new Set<string>();
  for (let errno = 1; errno <= 132; errno++) {
    names.add(errnoName(errno));
    if (errnoText(errno).startsWith("Unknown error")) unknown.push(errno);
  }
  assertEquals(unknown, [41, 58]);
  assertStrictEquals(names.size, 132);
});

Deno.test("DecodeError has its facts in fields and message", () => {
  const facts = { field: "nlmsghdr", offset: 4, needed: 16, had: 3 };
  const error = new DecodeError(facts);
  assert(error instanceof Error);
  assertStrictEquals(error.name, "DecodeError");
  assertDeepStrictEquals(
    { field: error.field, offset: error.offset, needed: error.needed, had: error.had },
    facts,
  );
  assertStrictEquals(error.message, "Cannot decode nlmsghdr at byte 4: it needs 16 bytes, 3 are available");
  assertStrictEquals(new DecodeError(facts, "odd").message, "Cannot decode nlmsghdr at byte 4: odd");
});

Deno.test("SyscallError has its facts in fields and message", () => {
  const error = new SyscallError("bind", Errno.EADDRINUSE);
  assertEquals([error.name, error.call, error.errno, error.code], [
    "SyscallError",
    "bind",
    98,
    "EADDRINUSE",
  ]);
  assertStrictEquals(error.message, "bind failed: Address already in use (EADDRINUSE)");
});

Deno.test("NetlinkError has its facts in fields and message", () => {
  const plain = new NetlinkError({ operation: "L2TP_CMD_TUNNEL_GET", errno: Errno.ENODEV });
  assertEquals([plain.name, plain.operation, plain.errno, plain.code], [
    "NetlinkError",
    "L2TP_CMD_TUNNEL_GET",
    19,
    "ENODEV",
  ]);
  assertStrictEquals(plain.extack, undefined);
  assertStrictEquals(plain.attributeOffset, undefined);
  assertStrictEquals(plain.message, "Kernel refused L2TP_CMD_TUNNEL_GET: No such device (ENODEV)");
  const full = new NetlinkError({ operation: "X", errno: 22, extack: "Bad mtu", attributeOffset: 32 });
  assertEquals([full.extack, full.attributeOffset], ["Bad mtu", 32]);
  assertStrictEquals(full.message, "Kernel refused X: Invalid argument (EINVAL): Bad mtu");
});

Deno.test("FamilyMissingError and NetlinkProtocolError have their facts in fields and message", () => {
  const missing = new FamilyMissingError("l2tp");
  assertEquals([missing.name, missing.family], ["FamilyMissingError", "l2tp"]);
  assertMatch(missing.message, /^Kernel has no generic netlink family "l2tp"/);
  const broken = new NetlinkProtocolError("X", "no family in it");
  assertEquals([broken.name, broken.operation], ["NetlinkProtocolError", "X"]);
  assertStrictEquals(broken.message, "Invalid reply to X: no family in it");
});
