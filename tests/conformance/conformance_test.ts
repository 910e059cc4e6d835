/**
 * One suite for both subsystems: `L2TP_SUBJECT=kernel` (in the guest) or `user` (the default; as root, natively).
 */

import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc, packetLibc } from "../../ffi/packet_libc.ts";
import { ConformanceFixture } from "./fixture.ts";
import { say } from "../support/say.ts";
import { type Case, Trial } from "./case.ts";
import { CASES } from "./cases.ts";
import { DIFFERENCES } from "./differences.ts";
import { KernelSubject, type Subject } from "./subject.ts";

// Opened once and for good: inside of a test they would count as its leak.
bindLibc();
localLibc();
packetLibc();
daemonLibc();

async function openSubject(): Promise<Subject> {
  const kind = Deno.env.get("L2TP_SUBJECT") ?? "user";
  if (kind === "kernel") return new KernelSubject();
  if (kind !== "user") throw new Error(`L2TP_SUBJECT is "${kind}"; it can be "kernel" or "user"`);
  // Not loaded for the kernel: most of the program stands behind it.
  const { UserSubject } = await import("./user_subject.ts");
  return await UserSubject.start();
}

const subject = await openSubject();
const fixture = await ConformanceFixture.create(subject);
let passed = 0;

Deno.test.afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  await subject[Symbol.asyncDispose]();
  const differences = Object.keys(DIFFERENCES).length;
  const missing = CASES.length - passed;
  say(
    `conformance: ${CASES.length} cases on ${subject.description}, ${differences} differences listed` +
      (missing === 0 ? "" : `, ${missing} failed or left out`),
  );
});

async function run(case_: Case): Promise<void> {
  try {
    using trial = new Trial(fixture);
    await case_.run(trial);
  } finally {
    fixture.flush();
  }
  passed++;
}

for (const case_ of CASES) Deno.test(case_.name, () => run(case_));
