/**
 * The self-extracting executable of `compile.ts`, with a small program: it must behave like any program, and unpack
 * itself only to directories that other users cannot change.
 *
 * Tests that mount file systems or change owners run as root only.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { basename, dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { compile } from "./compile.ts";
import { firstEvaluated } from "./compile_bundle.ts";
import { targetOf, unfitFor } from "./compile_target.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const PROGRAM: Readonly<Record<string, string>> = {
  "main.ts": `
    import { seen } from "./seen.ts";
    const [command, value] = Deno.args;
    if (command === "cat") await Deno.stdin.readable.pipeTo(Deno.stdout.writable);
    else if (command === "exit") Deno.exit(Number(value));
    else if (command === "throw") throw new Error("thrown");
    else if (command === "again") {
      const args = ["run", "-A", "--no-config", "--no-lock", Deno.mainModule, "again and on"];
      const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
      await Deno.stdout.write(stdout);
    } else if (command === "lazy") (await import("./lazy.ts")).print();
    else if (command === "wait") { console.log("waiting"); setTimeout(() => {}, 60_000); }
    else console.log(JSON.stringify({ args: Deno.args, pid: Deno.pid, cwd: Deno.cwd(), seen,
      env: Deno.env.toObject(), from: Deno.execPath() }));`,
  "seen.ts": `export const seen = { home: Deno.env.get("HOME") ?? null };`,
  "lazy.ts": `import { seen } from "./seen.ts";
    export function print(): void { console.log("lazy", seen.home); }`,
};

interface Info {
  readonly args: readonly string[];
  readonly pid: number;
  readonly cwd: string;
  readonly seen: { readonly home: string | null };
  readonly env: Readonly<Record<string, string>>;
  readonly from: string;
}

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const root = Deno.uid() === 0;
const work = await Deno.makeTempDir({ prefix: "l2tp-compile-test-" });
const file = `${work}/l2tp`;
let homes = 0;

/** A new, empty home folder. */
async function home(): Promise<string> {
  const path = `${work}/home${homes++}`;
  await Deno.mkdir(path, { mode: 0o700 });
  return path;
}

async function run(command: readonly string[], env: Record<string, string>, cwd = work): Promise<Result> {
  const [program = "", ...args] = command;
  const result = await new Deno.Command(program, { args, env, cwd, clearEnv: true, stdin: "null" }).output();
  const text = new TextDecoder();
  return { code: result.code, out: text.decode(result.stdout), err: text.decode(result.stderr) };
}

async function info(command: readonly string[], env: Record<string, string>, cwd = work): Promise<Info> {
  const { code, out, err } = await run(command, env, cwd);
  assertDeepStrictEquals({ code, err }, { code: 0, err: "" });
  return JSON.parse(out);
}

/**
 * Runs a shell script in a mount namespace of its own, where every shared candidate folder is an empty and
 * read-only file system; the file is `$FILE`.
 */
function mounted(script: string, env: Record<string, string> = {}): Promise<Result> {
  const away = ["/run", "/var/cache", "/var/tmp", "/tmp"].map((path) => `mount -t tmpfs -o ro none ${path}`);
  // The test's own folder may be below one of these: it stays in reach as /mnt.
  const setUp = ["set -e", `mount --bind ${work} /mnt`, ...away, "set +e", script].join("\n");
  return run(["unshare", "-m", "sh", "-c", setUp], { FILE: "/mnt/l2tp", ...env }, "/");
}

function entries(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
}

Deno.test.beforeAll(async () => {
  await Deno.chmod(work, 0o755);
  await Deno.mkdir(`${work}/program`);
  for (const [name, text] of Object.entries(PROGRAM)) {
    await Deno.writeTextFile(`${work}/program/${name}`, text);
  }
  const entry = `${work}/program/main.ts`;
  const report = await compile({ entry, output: file, kind: "self-extracting", level: 1 });
  assertStrictEquals(report.kind, "self-extracting");
});

Deno.test.afterAll(async () => {
  await Deno.remove(work, { recursive: true });
});

Deno.test("the same inputs yield the same bytes, wherever the program's folder is", async () => {
  await Deno.mkdir(`${work}/elsewhere/deeper`, { recursive: true });
  for (const name of Object.keys(PROGRAM)) {
    await Deno.copyFile(`${work}/program/${name}`, `${work}/elsewhere/deeper/${name}`);
  }
  const entry = `${work}/elsewhere/deeper/main.ts`;
  await compile({ entry, output: `${work}/again`, kind: "self-extracting", level: 1 });
  assert((await run(["cmp", file, `${work}/again`], {})).code === 0);
  await Deno.remove(`${work}/again`);
});

Deno.test("arguments reach the program unchanged, and are never Deno's", async () => {
  const HOME = await home();
  const ascii = Array.from({ length: 127 }, (_, code) => String.fromCharCode(code + 1)).join("");
  const args = [
    "",
    ascii,
    "a\n\nb\n",
    `'"$(id)\`id\`\\`,
    " ",
    "é😀",
    "--",
    "-h",
    "--help",
    "-V",
    "--v8-flags=--x",
    "",
  ];
  for (const shell of [[], ["dash"], ["bash"], ["busybox", "ash"]]) {
    assertEquals((await info([...shell, file, ...args], { HOME })).args, args);
  }
});

Deno.test("stdin, stdout, exit status and a thrown error are the program's own, from the first start on", async () => {
  const HOME = await home();
  const bytes = crypto.getRandomValues(new Uint8Array(50_000));
  for (let start = 0; start < 2; start++) {
    const child = new Deno.Command(file, {
      args: ["cat"],
      env: { HOME },
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = child.output();
    const writer = child.stdin.getWriter();
    await writer.write(bytes);
    await writer.close();
    assertEquals((await output).stdout, bytes);
  }
  for (const code of [0, 1, 7, 126, 255]) {
    assertStrictEquals((await run([file, "exit", String(code)], { HOME })).code, code);
  }
  const thrown = await run([file, "throw"], { HOME });
  assertStrictEquals(thrown.code, 1);
  assertMatch(thrown.err, /Error: thrown/);
});

Deno.test("signals end the program with the right status, and its pid stays the same", async () => {
  const HOME = await home();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const) {
    const child = new Deno.Command(file, { args: ["wait"], env: { HOME }, clearEnv: true, stdout: "piped" })
      .spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    assertStrictEquals(await Deno.readTextFile(`/proc/${child.pid}/comm`), "l2tp\n");
    child.kill(signal);
    assertStrictEquals((await child.status).signal, signal);
    await reader.cancel();
  }
  const command = new Deno.Command(file, { env: { HOME: await home() }, clearEnv: true, stdout: "piped" });
  const first = command.spawn();
  const pid = JSON.parse(new TextDecoder().decode((await first.output()).stdout)).pid;
  assertStrictEquals(pid, first.pid);
});

Deno.test("compiled code is cached from the first start on, separately for other settings", async () => {
  const HOME = await home();
  // Of a program that ends at once Deno would keep none.
  assertStrictEquals((await run([file, "exit", "0"], { HOME })).code, 0);
  const [key = ""] = entries(`${HOME}/.cache/l2tp`);
  const cache = `${HOME}/.cache/l2tp/${key}/cache`;
  const compiled = (): string => {
    using database = new DatabaseSync(`${cache}/v8_code_cache_v2`, { readOnly: true });
    const rows = database.prepare("SELECT specifier, hex(data) AS code FROM codecache ORDER BY 1").all();
    return rows.map(({ specifier, code }) => `${basename(String(specifier))} ${code}`).join("\n");
  };
  const before = compiled();
  assertMatch(before, /^main\.mjs [0-9A-F]{100}/m);
  for (const words of [["-batch", "file"], ["monitor"], ["-dataplane", "user", "daemon"], ["exit", "0"]]) {
    assertStrictEquals((await run([file, ...words], { HOME })).code, 0, words.join(" "));
    assertStrictEquals(compiled(), before, words.join(" "));
  }
  assert(entries(`${cache}/long`).includes("v8_code_cache_v2"));
});

Deno.test("a start that is killed while unpacking does not affect the next", async () => {
  const HOME = await home();
  const child = new Deno.Command(file, { env: { HOME }, clearEnv: true, stdout: "null" }).spawn();
  await new Promise((resolve) => setTimeout(resolve, 200));
  child.kill("SIGTERM");
  assertStrictEquals((await child.status).signal, "SIGTERM");
  assert((await info([file], { HOME })).from.startsWith(`${HOME}/.cache/l2tp/`));
});

Deno.test("the environment is the caller's, without what is meant for Deno", async () => {
  const HOME = await home();
  await Deno.writeTextFile(`${HOME}/.npmrc`, "registry=${NOWHERE}\n");
  const env = {
    HOME,
    A: "b\nc",
    DENO_V8_FLAGS: "--nonsense",
    NODE_OPTIONS: "--x",
    NO_COLOR: "1",
    DENO_DIR: "/x",
  };
  const shown = await info([file], env);
  assertStrictEquals(shown.env.A, env.A);
  assertEquals(shown.seen, { home: HOME });
  for (const name of ["PWD", "OLDPWD", "SHLVL", "_"]) delete (shown.env as Record<string, string>)[name];
  const DENO_DIR = `${dirname(shown.from)}/cache`;
  const set = { DENO_DIR, DENO_NO_UPDATE_CHECK: "1", DENO_DISABLE_NODE_SHIM: "1" };
  assertEquals(shown.env, { HOME, A: "b\nc", NO_COLOR: "1", ...set });
  assertEquals((await info([file], { XDG_CACHE_HOME: await home() })).seen, { home: null });
  assertStrictEquals((await run([file, "lazy"], { HOME })).out, `lazy ${HOME}\n`);
});

Deno.test("the program can start itself again as Deno programs do", async () => {
  const HOME = await home();
  const [once, again] = [await info([file], { HOME }), await info([file, "again"], { HOME })];
  assertEquals(again.args, ["again and on"]);
  assertEquals({ ...again.env, _: "" }, { ...once.env, _: "" });
  assertEquals(again.seen, once.seen);
});

Deno.test("broken files of other tools in the current folder change nothing, and the folder stays current", async () => {
  const cwd = await home();
  for (
    const name of [
      "deno.json",
      "deno.jsonc",
      "package.json",
      "deno.lock",
      ".npmrc",
      ".env",
      "import_map.json",
    ]
  ) {
    await Deno.writeTextFile(`${cwd}/${name}`, "{{{ broken");
  }
  await Deno.mkdir(`${cwd}/node_modules`);
  const shown = await info([file], { HOME: await home() }, cwd);
  assertStrictEquals(shown.cwd, cwd);
  assertStrictEquals(entries(cwd).length, 8);
});

Deno.test("it still runs from a cache that has become read-only", { ignore: !root }, async () => {
  const script = `$FILE exit 0 && mount -o bind,remount,ro /mnt && $FILE lazy`;
  await Deno.mkdir(`${work}/fixed`, { mode: 0o700 });
  assertDeepStrictEquals(await mounted(script, { HOME: "/mnt/fixed" }), {
    code: 0,
    out: "lazy /mnt/fixed\n",
    err: "",
  });
});

Deno.test(
  "without a home or with a read-only one, the next folder is used",
  { ignore: !root },
  async () => {
    const script = `mount -t tmpfs none /var/cache
    $FILE | grep -o '"from":"[^"]*l2tp/' || exit
    mount -t tmpfs -o ro,mode=700 none /root && HOME=/root $FILE | grep -o '"from":"[^"]*l2tp/'`;
    const there = '"from":"/var/cache/l2tp/\n';
    assertDeepStrictEquals(await mounted(script), { code: 0, out: there + there, err: "" });
  },
);

Deno.test("if no folder is usable, the error lists those tried with reasons, and nothing is left behind", {
  ignore: !root,
}, async () => {
  const script = `mount -t tmpfs -o size=20m,mode=700 none /root
    mount -t tmpfs -o noexec none /var/cache
    HOME=/root XDG_CACHE_HOME=relative $FILE; echo "status $?"
    ls -A /root/.cache/l2tp /var/cache/l2tp`;
  const { out, err } = await mounted(script);
  assertStrictEquals(out, "status 126\n/root/.cache/l2tp:\n\n/var/cache/l2tp:\n");
  assertMatch(err, /^l2tp: found no folder to unpack the program into \(\d+ MB\)\. Tried:\n/);
  assertMatch(
    err,
    /l2tp: {3}\/root\/\.cache\/l2tp: unpacking failed \(no room\?\): tar: l2tp: .* tar failed\n/,
  );
  assertMatch(err, /l2tp: {3}\/var\/cache\/l2tp: programs cannot run there \(mounted noexec\?\)\n/);
  assertMatch(err, /l2tp: {3}\/var\/tmp\/l2tp-0: it cannot be made/);
  assertMatch(err, /Set XDG_CACHE_HOME to a folder of your own/);
});

Deno.test("a cache folder that other users could change is not used", async () => {
  const tricks: Record<string, (path: string) => Promise<void>> = {
    "a symbolic link": async (path) => {
      await Deno.mkdir(`${path}-real`, { mode: 0o700 });
      await Deno.symlink(`${path}-real`, path);
    },
    "open to others": async (path) => {
      await Deno.mkdir(path);
      await Deno.chmod(path, 0o777);
    },
    "open to the group": async (path) => {
      await Deno.mkdir(path);
      await Deno.chmod(path, 0o770);
    },
    "a file": (path) => Deno.writeTextFile(path, ""),
  };
  if (root) {
    tricks["another owner"] = async (path) => {
      await Deno.mkdir(path, { mode: 0o700 });
      await Deno.chown(path, 65534, 65534);
    };
  }
  const HOME = await home();
  for (const [trick, plant] of Object.entries(tricks)) {
    const XDG_CACHE_HOME = await home();
    await plant(`${XDG_CACHE_HOME}/l2tp`);
    const { from } = await info([file], { HOME, XDG_CACHE_HOME });
    assert(from.startsWith(`${HOME}/.cache/l2tp/`), `${trick}: ${from}`);
  }
});

Deno.test("planted or changed files below the cache folder are replaced", async () => {
  const HOME = await home();
  const cache = `${HOME}/.cache/l2tp`;
  await run([file, "exit", "0"], { HOME });
  const [key = ""] = entries(cache);
  assertMatch(key, /^[0-9a-f]{32}$/);
  const planted = `#!/bin/sh\necho planted\n`;
  const tricks: Record<string, () => Promise<void>> = {
    "an open folder": () => Deno.chmod(`${cache}/${key}`, 0o777),
    "an executable of another mode": async () => {
      await Deno.remove(`${cache}/${key}/l2tp`);
      await Deno.writeTextFile(`${cache}/${key}/l2tp`, planted, { mode: 0o700 });
    },
    "an empty executable": async () => {
      await Deno.chmod(`${cache}/${key}/l2tp`, 0o700);
      await Deno.truncate(`${cache}/${key}/l2tp`);
    },
    "a symbolic link": async () => {
      await Deno.rename(`${cache}/${key}`, `${cache}/real`);
      await Deno.symlink(`${cache}/real`, `${cache}/${key}`);
    },
  };
  if (root) {
    tricks["another owner"] = () => Deno.chown(`${cache}/${key}`, 65534, 65534);
    tricks["an executable of another owner"] = () => Deno.chown(`${cache}/${key}/l2tp`, 65534, 65534);
  }
  for (const [trick, plant] of Object.entries(tricks)) {
    await plant();
    const { from } = await info([file], { HOME });
    assertStrictEquals(from, `${cache}/${key}/l2tp`, trick);
    assertStrictEquals((await Deno.lstat(`${cache}/${key}`)).mode, 0o41700, trick);
    assertEquals(entries(cache).filter((name) => name !== "real"), [key], trick);
  }
});

Deno.test("another user's home is not used", { ignore: !root }, async () => {
  const [HOME, XDG_CACHE_HOME] = [await home(), await home()];
  await Deno.chown(HOME, 65534, 65534);
  await Deno.symlink(`..${XDG_CACHE_HOME.slice(work.length)}`, `${HOME}/.cache`);
  const { err } = await mounted(`HOME=/mnt${HOME.slice(work.length)} $FILE`);
  assertMatch(err, /the home folder it is in, belongs to another user/);
  assertEquals(entries(XDG_CACHE_HOME), []);
});

Deno.test("a user without privileges can unpack and run it", { ignore: !root }, async () => {
  const HOME = await home();
  await Deno.chown(HOME, 65534, 65534);
  const user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  for (const shell of [[], ["busybox", "ash"]]) {
    const { from } = await info([...user, ...shell, file], { HOME });
    assert(from.startsWith(`${HOME}/.cache/l2tp/`), from);
    await Deno.remove(`${HOME}/.cache`, { recursive: true });
  }
});

Deno.test("eight first starts at once all run, and leave one copy", async () => {
  for (const shell of [["sh"], ["busybox", "ash"]]) {
    const HOME = await home();
    const started = await Promise.all(
      Array.from({ length: 8 }, () => run([...shell, file, "lazy"], { HOME })),
    );
    for (const result of started) assertDeepStrictEquals(result, { code: 0, out: `lazy ${HOME}\n`, err: "" });
    assertStrictEquals(entries(`${HOME}/.cache/l2tp`).length, 1);
    await Deno.remove(HOME, { recursive: true });
  }
});

Deno.test("a truncated or changed file is detected", async () => {
  const HOME = await home();
  const bytes = await Deno.readFile(file);
  const damaged = `${work}/damaged`;
  await Deno.writeFile(damaged, bytes.subarray(0, bytes.length - 1000), { mode: 0o755 });
  const short = await run([damaged], { HOME });
  assertStrictEquals(short.code, 126);
  assertMatch(short.err, /is damaged: it has \d+ bytes instead of \d+\.\nl2tp: Was copying it cut short\?/);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  await Deno.writeFile(damaged, bytes, { mode: 0o755 });
  const changed = await run([damaged], { HOME });
  assertStrictEquals(changed.code, 126);
  assertMatch(changed.err, /^l2tp: this file \(.*\) is damaged\.\n/);
  assertEquals(entries(`${HOME}/.cache/l2tp`), []);
});

Deno.test("busybox alone is enough: its shell and its tools, no Deno, no environment", async () => {
  const { out: busybox } = await run(["sh", "-c", "command -v busybox"], {});
  const PATH = `${work}/applets`;
  await Deno.mkdir(PATH);
  const names = "chmod find gzip id ls mkdir mv rm sync tail tar touch tr uname";
  for (const name of names.split(" ")) await Deno.symlink(busybox.trim(), `${PATH}/${name}`);
  const HOME = await home();
  for (let start = 0; start < 2; start++) {
    const { seen, from } = await info([busybox.trim(), "sh", file], { HOME, PATH });
    assertStrictEquals(seen.home, HOME);
    assert(from.startsWith(`${HOME}/.cache/l2tp/`), from);
  }
});

Deno.test("a new version removes versions that were not read for 30 days, and no other", async () => {
  const HOME = await home();
  const cache = `${HOME}/.cache/l2tp`;
  const day = 86_400_000;
  for (const [letter, age] of [["a", 40], ["b", 3]] as const) {
    const folder = `${cache}/${letter.repeat(32)}`;
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(`${folder}/l2tp`, "");
    await Deno.utime(`${folder}/l2tp`, new Date(Date.now() - age * day), new Date());
  }
  await Deno.chmod(cache, 0o700);
  await run([file, "exit", "0"], { HOME });
  assertEquals(entries(cache).filter((name) => /^[ab]*$/.test(name)), ["b".repeat(32)]);
});

Deno.test("deno compile is used if its runtime is available; otherwise one line says why not", async () => {
  const entry = `${work}/program/main.ts`;
  const output = `${work}/compiled`;
  Deno.env.set("DENORT_BIN", Deno.execPath());
  try {
    assertStrictEquals((await compile({ entry, output })).kind, "deno compile");
    Deno.env.set("DENORT_BIN", `${work}/absent`);
    const { kind, fallback } = await compile({ entry, output, level: 1 });
    assertStrictEquals(kind, "self-extracting");
    assertMatch(fallback ?? "", /^No such file or directory.*$/);
  } finally {
    Deno.env.delete("DENORT_BIN");
    await Deno.remove(output);
  }
});

Deno.test("the module that runs first is found", () => {
  const modules = new Map([
    ["main.mjs", `import"node:fs";import{a as b}from"./x.mjs";import"./y.mjs";await import("./z.mjs")`],
    ["x.mjs", `import{\n  c\n} from "./y.mjs";\nexport{c as a}`],
    ["y.mjs", `import "./x.mjs";\nconst c = 'import "./z.mjs"';`],
    ["z.mjs", ""],
  ]);
  assertStrictEquals(firstEvaluated({ main: "main.mjs", modules }), "y.mjs");
});

Deno.test("an executable of another architecture, or none, is not embedded", async () => {
  const start = (await Deno.readFile(Deno.execPath())).subarray(0, 1 << 16);
  assertStrictEquals(unfitFor(targetOf(Deno.build.target), start), undefined);
  const other = Deno.build.arch === "x86_64" ? "aarch64" : "x86_64";
  assertMatch(unfitFor(targetOf(`${other}-unknown-linux-gnu`), start) ?? "", /it is for ELF machine/);
  assertMatch(
    unfitFor(targetOf(Deno.build.target), new TextEncoder().encode(PROGRAM["main.ts"])) ?? "",
    /no .* ELF/,
  );
});
