/**
 * `deno task compile`: creates `dist/l2tp`, a single executable that runs without Deno.
 *
 * It uses `deno compile` if its runtime (denort) is available: from `DENORT_BIN`, Deno's cache or the network. Otherwise
 * it creates a self-extracting executable with the `deno` executable of the npm registry; `unpack_stub.sh` describes it.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./compile_bundle.ts";
import { denoCompile } from "./compile_denort.ts";
import { findRuntime } from "./compile_runtime.ts";
import { targetOf, type Triple } from "./compile_target.ts";
import { selfExtracting } from "./unpack_file.ts";

/** Modules of `main.ts` that share no objects with the rest, by their paths from the project's root. */
export const APART: readonly string[] = [
  "src/driver/data_plane/worker/main.ts",
  "src/driver/metrics/prometheus_text.ts",
  "src/daemon/mod.ts",
  "src/apply/toml.ts",
];

/** What to compile, and into what. */
export interface CompileOptions {
  /** Path of the module to start. */
  readonly entry: string;
  /** Paths of its modules that share no objects with the rest. */
  readonly apart?: readonly string[];
  /** Path of the file to make; its folder is made too. */
  readonly output: string;
  /** The machine it is for; this one by default. */
  readonly target?: Triple;
  /** `"auto"`, the default, makes a self-extracting executable only where `deno compile` cannot. */
  readonly kind?: "auto" | "self-extracting";
  /** Embeds this version of Deno, or this executable, instead of the running one. */
  readonly runtime?: string;
  /** The version that the file names, `"unknown"` by default. */
  readonly version?: string;
  /** Effort of gzip, 1 to 9; 9 by default. Only for a self-extracting executable. */
  readonly level?: number;
}

/** Result of the compilation. */
export interface CompileReport {
  /** Method of the compilation. */
  readonly kind: "deno compile" | "self-extracting";
  /** For a self-extracting executable: where its runtime is from. */
  readonly runtime?: string;
  /** Reason why `deno compile` failed, if it was tried. */
  readonly fallback?: string;
  /** Size in bytes. */
  readonly size: number;
  /** Time it took, in milliseconds. */
  readonly elapsed: number;
}

/**
 * Makes the executable. The file appears whole or not at all, and replaces one that is running without disturbing
 * it.
 *
 * @throws {Error} where the program cannot be bundled, or no runtime for the target can be had.
 */
export async function compile(options: CompileOptions): Promise<CompileReport> {
  const start = performance.now();
  const target = targetOf(options.target ?? Deno.build.target);
  const program = await bundle(options.entry, options.apart);
  const folder = dirname(options.output);
  await Deno.mkdir(folder, { recursive: true });
  const made = await Deno.makeTempFile({ dir: folder, prefix: ".l2tp-" });
  try {
    const fallback = options.kind === "self-extracting"
      ? undefined
      : await denoCompile(program, target, made);
    const compiled = options.kind !== "self-extracting" && fallback === undefined;
    const runtime = compiled ? undefined : await findRuntime(target, options.runtime);
    if (runtime !== undefined) {
      const version = options.version ?? "unknown";
      const level = options.level ?? 9;
      await Deno.writeFile(made, await selfExtracting({ target, runtime, bundle: program, version, level }));
      await Deno.chmod(made, 0o755);
    }
    const { size } = await Deno.stat(made);
    await Deno.rename(made, options.output);
    return {
      kind: compiled ? "deno compile" : "self-extracting",
      ...(runtime === undefined ? {} : { runtime: `Deno ${runtime.version} (${runtime.source})` }),
      ...(fallback === undefined ? {} : { fallback }),
      size,
      elapsed: performance.now() - start,
    };
  } catch (error) {
    await Deno.remove(made);
    throw error;
  }
}

async function versionOf(root: string): Promise<string> {
  const config: unknown = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
  return config instanceof Object && "version" in config ? String(config.version) : "unknown";
}

async function main(): Promise<void> {
  const root = resolve(import.meta.dirname ?? ".", "../..");
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      target: { type: "string", default: Deno.build.target },
      entry: { type: "string", default: `${root}/main.ts` },
      output: { type: "string", default: `${root}/dist/l2tp` },
      runtime: { type: "string" },
      "self-extracting": { type: "boolean", default: false },
    },
  });
  const { triple } = targetOf(values.target);
  const report = await compile({
    entry: values.entry,
    apart: values.entry === `${root}/main.ts` ? APART.map((path) => `${root}/${path}`) : [],
    output: values.output,
    target: triple,
    kind: values["self-extracting"] ? "self-extracting" : "auto",
    ...(values.runtime === undefined ? {} : { runtime: values.runtime }),
    version: await versionOf(root),
  });
  if (report.fallback !== undefined) console.error(`deno compile could not make it: ${report.fallback}.`);
  console.error(
    `Made ${values.output} for ${triple}: ` +
      (report.runtime === undefined ? report.kind : `${report.kind}, with ${report.runtime}`) +
      `, ${(report.size / 1e6).toFixed(1)} MB, ${(report.elapsed / 1e3).toFixed(1)} s.`,
  );
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`compile: ${error instanceof Error ? error.message : String(error)}`);
    Deno.exit(1);
  }
}
