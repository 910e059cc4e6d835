/** `src/driver/bpf/attachment.ts`: programs attached to a device, by link and by filter, and their removal. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { NetlinkError, SyscallError } from "../../../src/base/errors.ts";
import { attachProgram, FilterAttachment } from "../../../src/driver/bpf/attachment.ts";
import { inNamespace } from "../../../src/driver/system/namespace.ts";
import { BpfProgram, R0 } from "../../../src/wire/bpf/instructions.ts";
import { loadBpfProgram } from "../../../ffi/kernel/bpf.ts";
import { bindLibc } from "../../../ffi/libc.ts";
import { lastErrno } from "../../../ffi/errno.ts";
import { daemonLibc } from "../../../ffi/packet_libc.ts";
import { Namespace } from "../../support/namespaces.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

// Opened here, because a library opened within a test counts as a leak.
bindLibc();
lastErrno();
daemonLibc();

const LOOPBACK = 1;
const POINTS = ["ingress", "egress"] as const;

/** A program that passes every packet on. */
function idle(): Uint8Array<ArrayBuffer> {
  return new BpfProgram().move(R0, -1).exit().assemble();
}

/** The handles of these filters, by `tc`. */
async function filters(namespace: Namespace, point: string): Promise<number[]> {
  const shown = await namespace.sh("tc", "filter", "show", "dev", "lo", point);
  return [...shown.matchAll(/handle (0x[0-9a-f]+) l2tp direct-action/g)].map(([, handle]) => Number(handle));
}

Deno.test("clsact is removed with the last filter of the object that added it, and stays for others", async () => {
  await using namespace = await Namespace.create("f");
  using program = loadBpfProgram("test_idle", idle());
  const attach = (): FilterAttachment =>
    inNamespace(namespace.name, () => FilterAttachment.attach(program, LOOPBACK, "ingress"));
  const hasClsact = async (): Promise<boolean> =>
    (await namespace.sh("tc", "qdisc", "show", "dev", "lo")).includes("clsact");
  attach()[Symbol.dispose]();
  assertStrictEquals(await hasClsact(), false);
  {
    using _own = attach();
    await namespace.sh(..."tc filter add dev lo egress protocol ip u32 match u32 0 0 classid 1:1".split(" "));
  }
  assertStrictEquals(await hasClsact(), true);
  await namespace.sh("tc", "qdisc", "del", "dev", "lo", "clsact");
  await namespace.sh("tc", "qdisc", "add", "dev", "lo", "clsact");
  attach()[Symbol.dispose]();
  assertStrictEquals(await hasClsact(), true);
});

Deno.test("filters are added and removed, and those of ended processes are removed, too", async () => {
  await using namespace = await Namespace.create("f");
  using program = loadBpfProgram("test_idle", idle());
  const attach = (point: typeof POINTS[number], process?: number): FilterAttachment =>
    inNamespace(namespace.name, () => FilterAttachment.attach(program, LOOPBACK, point, process));
  for (const point of POINTS) {
    {
      using _own = attach(point);
      assertDeepStrictEquals(await filters(namespace, point), [Deno.pid]);
    }
    assertEquals(await filters(namespace, point), []);
  }
  const ended = new Deno.Command("true").spawn();
  await ended.status;
  using _alive = attach("ingress", Deno.ppid);
  using _left = attach("ingress", ended.pid);
  assertEquals(new Set(await filters(namespace, "ingress")), new Set([Deno.ppid, ended.pid]));
  {
    using _own = attach("ingress");
    assertEquals(new Set(await filters(namespace, "ingress")), new Set([Deno.ppid, Deno.pid]));
  }
  assertDeepStrictEquals(await filters(namespace, "ingress"), [Deno.ppid]);
});

Deno.test("a program is attached and detached without leaving anything", async () => {
  await using namespace = await Namespace.create("f");
  using program = loadBpfProgram("test_idle", idle());
  for (const point of POINTS) {
    for (let again = 0; again < 2; again++) {
      using _attachment = inNamespace(namespace.name, () => attachProgram(program, LOOPBACK, point));
      await namespace.sh("ping", "-c", "1", "127.0.0.1");
    }
    assertEquals(await filters(namespace, point), []);
  }
  const error = assertThrows(() =>
    inNamespace(namespace.name, () => attachProgram(program, 9999, "ingress"))
  );
  assert(error instanceof SyscallError || error instanceof NetlinkError);
});
