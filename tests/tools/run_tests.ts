/**
 * Runs every test there is, in stages, and ends with the line `N passed, N failed`: `deno task test`, or
 * `deno task test STAGE…` for some of them. What cannot run on this machine is named loudly; with CI=true that is a
 * failure.
 *
 * @module
 */

import { GuestError, kernelHasL2tp, runInGuest } from "../guest/guest.ts";
import { SPEED_OFFLOADS } from "../../src/model/offloads.ts";
import { pureTestFolders } from "../lint/room_table.ts";
import { EMULATED_TESTS, EMULATOR_PACKAGES, QEMU } from "../arm64/emulator.ts";
import { findRuntime } from "./compile_runtime.ts";
import { targetOf } from "./compile_target.ts";
import { AptError, ensurePackages, PackagesMissingError } from "./debian.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const DENO = Deno.execPath();
const BINARY = `${ROOT}dist/l2tp`;

/** Time limit of the kernel suite in the guest, in seconds. */
const KERNEL_SECONDS = 40 * 60;

/** Result of a stage. */
interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** A part of the tests. */
interface Stage {
  readonly name: string;
  readonly about: string;
  readonly packages?: readonly string[];
  readonly needsRoot?: true;
  /** Runs only when it is asked for by name: it repeats what other stages do, at length. */
  readonly seldom?: true;
  readonly run: () => Promise<Tally>;
}

const STAGES: readonly Stage[] = [
  {
    name: "house",
    about: "format, lint with the room table, types, docs",
    run: async () =>
      sum([
        await command("fmt", "--check", "--quiet"),
        await command("lint", "--quiet"),
        await command("check", "--quiet", "main.ts", "src", "ffi", "tests"),
        await command("run", "--allow-read", "--allow-run", "tests/lint/doc_lint.ts"),
      ]),
  },
  {
    name: "pure",
    about: "codecs, rules and the command line against a kernel that is a function; no privilege",
    run: () =>
      tests("pure", [
        "--no-prompt",
        `--allow-read=${ROOT}`,
        "--allow-env=L2TP_FUZZ_SEED,L2TP_FUZZ_COUNT",
        "--parallel",
      ], testFiles(pureTestFolders()).filter((path) => !isNative(path))),
  },
  {
    name: "docs",
    about: "the examples in the documentation",
    // Without the configuration's sanitizers: an example cannot give the C library back.
    run: () => tests("docs", ["-A", "--doc", "--no-config"], ["src", "ffi"]),
  },
  {
    name: "native",
    about:
      "system calls, struct layouts against C, the worker that moves packets, the journal, the test tools",
    packages: ["iproute2", "iputils-ping", "gcc", "libc6-dev"],
    needsRoot: true,
    run: () =>
      tests("native", ["-A"], [
        ...testFiles(["tests/ffi", "tests/guest"]),
        ...testFiles(pureTestFolders()).filter(isNative),
      ]),
  },
  {
    name: "compile",
    about: "dist/l2tp is made, unpacks safely, and runs as one file",
    packages: ["busybox-static", "dash", "util-linux", "gzip"],
    run: async () =>
      sum([await command("task", "--quiet", "compile"), await tests("compile", ["-A"], ["tests/tools"])]),
  },
  // On an arm64 machine, the other stages run on arm64 anyway.
  ...(Deno.build.arch === "aarch64" ? [] : [
    {
      name: "arm64",
      about:
        "arm64, emulated by qemu: the one-file executable, calls of the C library, layouts and constants, the data path",
      packages: [...EMULATOR_PACKAGES, "iproute2", "iputils-ping"],
      needsRoot: true,
      run: arm64Suite,
    } as const,
  ]),
  {
    name: "process",
    about: "the command line as a process, from source and as dist/l2tp",
    packages: ["iproute2", "jq"],
    needsRoot: true,
    run: async () =>
      sum([
        await tests("process", ["-A"], ["tests/process"]),
        await tests("process of dist/l2tp", ["-A"], ["tests/process"], { L2TP_UNDER_TEST: BINARY }),
      ]),
  },
  {
    name: "user",
    about:
      "the subsystem in userspace, as dist/l2tp: conformance, traffic, kills, leaks, hostile clients; what stands on it",
    packages: [
      ...["iproute2", "iputils-ping", "iperf3", "tmux", "bash", "zsh", "fish"],
      ...["curl", "mandoc", "man-db", "systemd"],
    ],
    needsRoot: true,
    run: async () => {
      const env = { L2TP_UNDER_TEST: BINARY, L2TP_SUBJECT: "user" };
      return sum([
        await tests("conformance, userspace", ["-A"], ["tests/conformance"], env),
        await tests("user", ["-A"], ["tests/userspace", "tests/apply"], env),
        await tests("user, by BPF", ["-A"], [
          "tests/userspace/traffic_test.ts",
          "tests/userspace/topology_test.ts",
        ], {
          ...env,
          L2TP_OFFLOAD: "bpf",
        }),
      ]);
    },
  },
  {
    name: "kernel",
    about: "the real L2TP subsystem, side by side with ip l2tp and with the one in userspace; conformance",
    packages: [
      ...["iproute2", "iputils-ping", "jq", "procps", "util-linux", "kmod", "tmux", "systemd", "ppp"],
      "ethtool",
    ],
    run: () => kernelSuite("kernel", ["tests/kernel", "tests/conformance", "tests/interop", "tests/apply"]),
  },
  {
    name: "offloads",
    about:
      "conformance and traffic in userspace, and interoperation with the kernel, with each offload off in turn",
    packages: ["iproute2", "iputils-ping", "procps", "util-linux", "kmod", "ethtool"],
    needsRoot: true,
    seldom: true,
    run: async () => {
      const tallies: Tally[] = [];
      for (const list of ["all", "bpf", "none", ...SPEED_OFFLOADS.map((offload) => `no-${offload}`)]) {
        const env = { L2TP_UNDER_TEST: BINARY, L2TP_SUBJECT: "user", L2TP_OFFLOAD: list };
        const paths = [
          "conformance",
          "userspace/traffic_test.ts",
          "userspace/sequence_test.ts",
          "userspace/topology_test.ts",
        ];
        tallies.push(
          await tests(`userspace, offload ${list}`, ["-A"], paths.map((path) => `tests/${path}`), env),
          await kernelSuite(`interoperation, offload ${list}`, ["tests/interop"], { L2TP_OFFLOAD: list }),
        );
      }
      return sum(tallies);
    },
  },
];

/** Reports whether the tests of a file need privileges, unlike the others in its folder. */
function isNative(path: string): boolean {
  return path.endsWith("_native_test.ts");
}

/** Paths of the test files below the folders, from the root. */
function testFiles(folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    [...Deno.readDirSync(`${ROOT}${folder}`)].flatMap(({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      return isDirectory ? testFiles([path]) : path.endsWith("_test.ts") ? [path] : [];
    })
  ).sort();
}

function sum(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((total, { passed }) => total + passed, 0),
    failed: tallies.reduce((total, { failed }) => total + failed, 0),
  };
}

/** Runs `deno` with these words: one thing that passes or fails. */
async function command(...args: readonly string[]): Promise<Tally> {
  const { success } = await new Deno.Command(DENO, { args: [...args], cwd: ROOT, stdin: "null" }).spawn()
    .status;
  if (!success) console.error(`FAILED: deno ${args.join(" ")}`);
  return success ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** The words for `deno test` that make it write what passed to a file. */
function testArguments(flags: readonly string[], paths: readonly string[], report: string): string[] {
  // Types are checked once, by the first stage.
  return ["test", "--no-check", "--quiet", "--reporter=dot", `--junit-path=${report}`, ...flags, ...paths];
}

async function tests(
  name: string,
  flags: readonly string[],
  paths: readonly string[],
  env: Record<string, string> = {},
  [program, ...words]: readonly [string, ...string[]] = [DENO],
): Promise<Tally> {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-test." });
  try {
    const report = `${folder}/report.xml`;
    const args = [...words, ...testArguments(flags, paths, report)];
    const { success } = await new Deno.Command(program, { args, cwd: ROOT, env, stdin: "null" }).spawn()
      .status;
    return await readReport(name, report, success);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Counts the test cases in a JUnit report that ran. A run counts as one failure if it failed without a failed test
 * case in its report, or if no test passed.
 */
async function readReport(name: string, path: string, success: boolean): Promise<Tally> {
  let text = "";
  try {
    text = await Deno.readTextFile(path);
  } catch {
    // The run ended before it could write it.
  }
  const number = (key: string): number =>
    Number(new RegExp(`<testsuites [^>]*\\b${key}="(\\d+)"`).exec(text)?.[1] ?? 0);
  const failed = number("failures") + number("errors");
  const ignored = text.split("<skipped/>").length - 1;
  const passed = number("tests") - failed - ignored;
  console.error(
    `${name}: ${passed} passed, ${failed} failed` + (ignored === 0 ? "" : `, ${ignored} left out`),
  );
  return { passed, failed: success && passed > 0 ? failed : Math.max(failed, 1) };
}

/** Tests of calls of the C library and of the kernel, which differ between machines. */
const C_LIBRARY_TESTS = [
  "tests/ffi",
  "tests/driver/netlink/rtnetlink_native_test.ts",
  "tests/driver/daemon_api/connection_native_test.ts",
  "tests/driver/system/files_native_test.ts",
];

/** Runs the tests of arm64 under qemu, two processes at a time, because each of them keeps one CPU busy. */
async function arm64Suite(): Promise<Tally> {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-arm64." });
  try {
    const { bytes } = await findRuntime(targetOf("aarch64-unknown-linux-gnu"));
    await Deno.writeFile(`${folder}/deno`, bytes, { mode: 0o755 });
    const deno = [...QEMU, `${folder}/deno`] as const;
    // Code that V8 compiled for this machine must not end up in the same cache.
    const env = { ...EMULATED_TESTS, DENO_DIR: `${folder}/cache` };
    const executableAndDataPath = async (): Promise<Tally> =>
      sum([
        await tests("executable for arm64", ["-A"], ["tests/arm64"]),
        await tests(
          "data path on arm64",
          ["-A", "--filter", "/^(udp4|udp6|ip4|ip6), (plain|everything): /"],
          ["tests/driver/data_plane/packets_native_test.ts"],
          env,
          deno,
        ),
      ]);
    return sum(
      await Promise.all([
        tests("C library on arm64", ["-A"], C_LIBRARY_TESTS, env, deno),
        executableAndDataPath(),
      ]),
    );
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return { passed: 0, failed: 1 };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function kernelSuite(
  name: string,
  paths: readonly string[],
  more: Record<string, string> = {},
): Promise<Tally> {
  const env = { L2TP_UNDER_TEST: BINARY, L2TP_SUBJECT: "kernel", ...more };
  if (Deno.uid() === 0 && await kernelHasL2tp()) return await tests(`${name}, here`, ["-A"], paths, env);
  console.error("this kernel has no L2TP (or this is not root): the suite runs in the test guest");
  const folder = await Deno.makeTempDir({ prefix: "l2tp-test." });
  try {
    const report = `${folder}/report.xml`;
    const { code } = await runInGuest({
      command: [DENO, ...testArguments(["-A", "--no-lock"], paths, report)],
      cwd: ROOT,
      env,
      writable: [folder],
      timeoutSeconds: KERNEL_SECONDS,
      memoryMib: 3072,
    });
    return await readReport(`${name}, in the guest`, report, code === 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a stage. A missing requirement is reported, and counts as a failure only if everything must run. */
async function runStage(stage: Stage): Promise<Tally> {
  console.error(`\n== ${stage.name}: ${stage.about}`);
  const started = performance.now();
  try {
    if (stage.packages !== undefined) await ensurePackages(stage.packages, `the ${stage.name} tests`);
    if (stage.needsRoot && Deno.uid() !== 0) return cannotRun(stage, "it needs root");
    return await stage.run();
  } catch (error) {
    if (error instanceof PackagesMissingError) return cannotRun(stage, error.message);
    if (error instanceof AptError || error instanceof GuestError) {
      console.error(error.message);
      return { passed: 0, failed: 1 };
    }
    throw error;
  } finally {
    console.error(`== ${stage.name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
}

function cannotRun(stage: Stage, why: string): Tally {
  console.error(`!! NOT RUN: ${stage.name} (${stage.about}): ${why}`);
  return { passed: 0, failed: Deno.env.get("CI") === "true" ? 1 : 0 };
}

const unknown = Deno.args.filter((name) => !STAGES.some((stage) => stage.name === name));
if (unknown.length > 0) {
  console.error(
    `No stage "${unknown.join('", "')}"; there are: ${STAGES.map(({ name }) => name).join(", ")}`,
  );
  Deno.exit(2);
}
const wanted = STAGES.filter(({ name, seldom }) =>
  Deno.args.length === 0 ? seldom !== true : Deno.args.includes(name)
);
const tallies: Tally[] = [];
for (const stage of wanted) tallies.push(await runStage(stage));
const { passed, failed } = sum(tallies);
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 && passed > 0 ? 0 : 1);
