/** `src/driver/system/files.ts`, `kernel_release.ts` and `kernel_modules.ts` on real files. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  distributionId,
  forbiddingFile,
  hasKernelModule,
} from "../../../src/driver/system/kernel_modules.ts";
import { kernelRelease } from "../../../src/driver/system/kernel_release.ts";
import { readLines, writeWholeFile } from "../../../src/driver/system/files.ts";
import { readPrivateFile } from "../../../src/driver/system/private_file.ts";
import { Errno } from "../../../src/base/errno.ts";
import { assertNoLeaks } from "../../support/descriptors.ts";
import { assertFields } from "../../support/assertions.ts";
import { runProgram } from "../../support/processes.ts";

/** The lines of a file with this content. */
async function linesOf(content: string | Uint8Array): Promise<string[]> {
  const path = await Deno.makeTempFile({ prefix: "l2tp-lines-" });
  try {
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    return [...readLines(path)].filter((line) => line !== undefined);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("readLines(): lines without their newlines, the last with or without one", async () => {
  await assertNoLeaks(async () => {
    assertEquals(await linesOf(""), []);
    assertEquals(await linesOf("\n"), [""]);
    assertEquals(await linesOf("a"), ["a"]);
    assertEquals(await linesOf("a\n"), ["a"]);
    assertEquals(await linesOf("a\n\nb\r\nc"), ["a", "", "b\r", "c"]);
  });
});

Deno.test("readLines() of a file longer than its buffer, with characters across its end", async () => {
  const line = "é".repeat(1000);
  const lines = Array.from({ length: 200 }, (_, i) => `${i} ${line}`);
  assertEquals(await linesOf(lines.join("\n")), lines);
  assertEquals(await linesOf(`${"x".repeat(200_000)}\ny`), ["x".repeat(200_000), "y"]);
});

Deno.test("readLines() closes the file, also when the reader stops early", async () => {
  await assertNoLeaks(() => {
    for (const line of readLines("/proc/cpuinfo")) if (line !== undefined) break;
  });
});

Deno.test("readLines(): a missing file is reported by errno", () => {
  assertFields(assertThrows(() => [...readLines("/no/such/file")]), {
    name: "SyscallError",
    call: 'open("/no/such/file")',
    errno: Errno.ENOENT,
  });
});

Deno.test("readLines(): a folder, and a path through a file, are reported by errno as well", () => {
  assertFields(assertThrows(() => [...readLines("/tmp")]), { name: "SyscallError", code: "EISDIR" });
  assertFields(assertThrows(() => [...readLines("/dev/null/x")]), { name: "SyscallError", code: "ENOTDIR" });
});

Deno.test("readPrivateFile(): absolute path, and a stamp that changes with the file; nothing of public files and of others than files", async () => {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-secrets-" });
  const before = Deno.cwd();
  try {
    Deno.chdir(folder);
    await Deno.writeTextFile("secrets", "é".repeat(5000), { mode: 0o640 });
    await assertNoLeaks(() => {
      const { path, text, stamp } = readPrivateFile("secrets")!;
      assertEquals([path, text], [`${Deno.cwd()}/secrets`, "é".repeat(5000)]);
      assertStrictEquals(readPrivateFile(path)!.stamp, stamp);
      Deno.writeTextFileSync("secrets", "b");
      assertNotStrictEquals(readPrivateFile(path)!.stamp, stamp);
      Deno.chmodSync("secrets", 0o644);
      assertStrictEquals(readPrivateFile("secrets"), undefined);
      assertFields(assertThrows(() => readPrivateFile("none")), { errno: Errno.ENOENT });
      assertFields(assertThrows(() => readPrivateFile(folder)), { errno: Errno.EISDIR });
      Deno.symlinkSync("loop", "loop");
      assertFields(assertThrows(() => readPrivateFile("loop")), { code: "ELOOP" });
      assertFields(assertThrows(() => readPrivateFile("n".repeat(256))), { code: "ENAMETOOLONG" });
      assertFields(assertThrows(() => readPrivateFile("/proc/self/mem")), { name: "SyscallError" });
      assertFields(assertThrows(() => readPrivateFile("/dev/zero")), { errno: Errno.EINVAL });
      Deno.writeTextFileSync("secrets", "x".repeat(1024 * 1024 + 1), { mode: 0o600 });
      Deno.chmodSync("secrets", 0o600);
      assertFields(assertThrows(() => readPrivateFile("secrets")), { errno: Errno.EFBIG });
    });
  } finally {
    Deno.chdir(before);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("kernelRelease() is what uname prints", async () => {
  const { stdout } = await new Deno.Command("uname", { args: ["-r"] }).output();
  assertStrictEquals(kernelRelease(), new TextDecoder().decode(stdout).trim());
});

Deno.test("distributionId(), hasKernelModule() and forbiddingFile() answer on any machine", () => {
  assertMatch(distributionId(), /^[a-z0-9._-]*$/);
  assertStrictEquals(hasKernelModule("no_such_module_at_all"), false);
  assertStrictEquals(forbiddingFile("no_such_module_at_all"), undefined);
});

Deno.test("hasKernelModule() knows the loaded modules", () => {
  let modules: string[];
  try {
    modules = Deno.readTextFileSync("/proc/modules").split("\n").map((line) => line.split(" ")[0]!);
  } catch {
    // A kernel without modules has none.
    modules = [];
  }
  for (const name of modules.filter((name) => name !== "")) {
    assertStrictEquals(hasKernelModule(name), true, name);
  }
});

Deno.test("writeWholeFile(): devices, FIFOs and symbolic links stay what they are", async () => {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-whole-" });
  try {
    const [link, chain, dangling] = [`${folder}/link`, `${folder}/chain`, `${folder}/dangling`];
    await Deno.writeTextFile(`${folder}/real.toml`, "before");
    await Deno.symlink("real.toml", link);
    await Deno.symlink(link, chain);
    await Deno.symlink("new.toml", dangling);
    await assertNoLeaks(() => {
      writeWholeFile(link, "one");
      writeWholeFile(chain, "two");
      writeWholeFile(dangling, "three");
    });
    assertEquals([link, chain, dangling].map((path) => Deno.lstatSync(path).isSymlink), [true, true, true]);
    assertStrictEquals(await Deno.readTextFile(`${folder}/real.toml`), "two");
    assertStrictEquals(await Deno.readTextFile(`${folder}/new.toml`), "three");
    await Deno.symlink("loop", `${folder}/loop`);
    assertThrows(() => writeWholeFile(`${folder}/loop`, "text"));

    const fifo = `${folder}/fifo`;
    assertStrictEquals((await runProgram(["mkfifo", fifo])).code, 0);
    const reader = new Deno.Command("cat", { args: [fifo], stdin: "null", stdout: "piped" }).spawn();
    await assertNoLeaks(() => writeWholeFile(fifo, "through a pipe"));
    assertStrictEquals(new TextDecoder().decode((await reader.output()).stdout), "through a pipe");
    assert(Deno.lstatSync(fifo).isFifo);

    // A device of its own, and not the machine's.
    if (Deno.uid() !== 0) return;
    const full = `${folder}/full`;
    assertStrictEquals((await runProgram(["mknod", full, "c", "1", "7"])).code, 0);
    assertFields(assertThrows(() => writeWholeFile(full, "text")), { errno: Errno.ENOSPC });
    assert(Deno.lstatSync(full).isCharDevice);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("writeWholeFile(): whole, for its owner only, in place of the old content; or no change", async () => {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-whole-" });
  try {
    const path = `${folder}/l2tp.toml`;
    await Deno.writeTextFile(path, "before", { mode: 0o644 });
    const text = 'cookie = "00112233" # é\n'.repeat(20_000);
    await assertNoLeaks(() => writeWholeFile(path, text));
    assertStrictEquals(await Deno.readTextFile(path), text);
    assertStrictEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    assertFields(assertThrows(() => writeWholeFile(`${folder}/nowhere/l2tp.toml`, text)), {
      errno: Errno.ENOENT,
    });
    await Deno.mkdir(`${folder}/folder`);
    assertThrows(() => writeWholeFile(`${folder}/folder`, text));
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["folder", "l2tp.toml"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
