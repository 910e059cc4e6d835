/** `src/wire/l2tpd/declared.ts`: rows of tunnels of the configuration file that are not there. */

import { assert, assertEquals } from "@std/assert";
import { type PendingTunnel, WAITING_FOR } from "../../../src/model/pending_tunnel.ts";
import { decodeDeclared, encodeDeclared } from "../../../src/wire/l2tpd/declared.ts";
import { L2TPD_TEXT_MAX } from "../../../src/wire/l2tpd/family.ts";
import { assertRefused } from "./refusals.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const ROW: PendingTunnel = {
  name: "branch",
  tunnelId: 0xffff_ffff,
  waitsFor: "interface",
  subject: "br0",
  message: "waits for interface br0",
  sinceMs: 1_700_000_000_000,
};

Deno.test("declared: what was encoded comes back", () => {
  for (const waitsFor of [...WAITING_FOR, undefined]) {
    assertDeepStrictEquals(decodeDeclared(encodeDeclared({ ...ROW, waitsFor })), { ...ROW, waitsFor });
  }
  const failed = { ...ROW, waitsFor: undefined, subject: undefined };
  assertDeepStrictEquals(decodeDeclared(encodeDeclared(failed)), failed);
});

Deno.test("declared: the row's members", () => {
  assertEquals(JSON.parse(encodeDeclared(ROW)), {
    name: "branch",
    tunnel_id: 0xffff_ffff,
    waits_for: "interface",
    subject: "br0",
    message: "waits for interface br0",
    since_ms: 1_700_000_000_000,
  });
});

Deno.test("declared: texts that are too long for one message are shortened, whatever is in them", () => {
  for (const unit of ["x", "\u0001", "ü", "\u{1f600}"]) {
    const long = unit.repeat(500);
    const text = encodeDeclared({ ...ROW, name: long, subject: long, message: long });
    assert(new TextEncoder().encode(text).length <= L2TPD_TEXT_MAX, unit);
    const { name, message } = decodeDeclared(text);
    assert(name.endsWith("…") && message.endsWith("…") && name.length === 40);
  }
});

Deno.test("declared: of a newer daemon, further members and something else to wait for", () => {
  const text = JSON.stringify({ ...JSON.parse(encodeDeclared(ROW)), waits_for: "moon", tries: 5 });
  assertDeepStrictEquals(decodeDeclared(text), { ...ROW, waitsFor: undefined });
});

Deno.test("declared: what is refused, and the member that is named", () => {
  const row = JSON.parse(encodeDeclared(ROW));
  assertRefused(decodeDeclared, "L2TPD_CMD_DECLARED", [
    ["", "secret"],
    [".name", { ...row, name: 5 }],
    [".tunnel_id", { ...row, tunnel_id: "secret" }],
    [".waits_for", { ...row, waits_for: 1 }],
    [".subject", { ...row, subject: [] }],
    [".message", { ...row, message: undefined }],
    [".since_ms", { ...row, since_ms: -1 }],
  ]);
});
