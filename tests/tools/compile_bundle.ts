/**
 * Turns a program into a few JavaScript modules: one for the start, and one for each `import()` that the program
 * makes only when it must.
 *
 * @module
 */

import { basename, dirname } from "node:path";

/** The modules of a bundled program, by file name; all of them lie in one folder. */
export interface Bundle {
  /** The module to start. */
  readonly main: "main.mjs";
  /** Source text by file name, in the order of the names. */
  readonly modules: ReadonlyMap<string, string>;
}

/**
 * Bundles a program. The result does not depend on where the program's folder lies.
 *
 * It is not minified, which would save a millisecond of each start: esbuild's minifier makes
 * `using file = open(); file.sync();` into `open().sync()`, and what `using` was to close stays open.
 *
 * The modules are named `.mjs`, because Deno searches for a package.json above a `.js` file to determine its kind, and
 * a home directory may contain one.
 *
 * @param entry path of the module to start.
 * @param apart paths of modules that share no objects with the rest, such as workers. Each becomes one module of its
 *   own, so that its parts do not scatter over the files of the start.
 * @throws {Error} with the output of `deno bundle` if it fails.
 */
export async function bundle(entry: string, apart: readonly string[] = []): Promise<Bundle> {
  const files = await runBundle(entry, [
    "--code-splitting",
    ...apart.map((path) => `--external=*/${tail(path)}`),
  ]);
  const first = outputName(entry);
  const renamed = (name: string): string => name === first ? "main.mjs" : name.replace(/\.js$/, ".mjs");
  const modules = new Map<string, string>();
  const put = (name: string, source: string): void => {
    let text = source;
    for (const other of files.keys()) text = text.replaceAll(`"./${other}"`, `"./${renamed(other)}"`);
    for (const path of apart) {
      const reference = new RegExp(`"\\./(?:[^"]*/)?${basename(path).replaceAll(".", "\\.")}"`, "g");
      text = text.replaceAll(reference, `"./${apartName(path)}"`);
    }
    // Deno reads at the start whatever it can see that a program may import later. This it does not see.
    modules.set(name, text.replaceAll(/\bimport\(("\.\/[^"]+\.mjs")\)/g, "import(String($1))"));
  };
  for (const [name, source] of files) put(renamed(name), source);
  if (!modules.has("main.mjs")) {
    throw new Error(
      `deno bundle ${entry} made ${[...files.keys()].join(", ") || "nothing"}, and no ${first}.`,
    );
  }
  for (const path of apart) put(apartName(path), (await runBundle(path, [])).get(outputName(path)) ?? "");
  return { main: "main.mjs", modules };
}

/** A module's file in its folder: enough of its path to know it by. */
function tail(path: string): string {
  return path.split("/").slice(-2).join("/");
}

/** Returns the bundle name of a separate module: `daemon_mod.mjs` for `src/daemon/mod.ts`. */
function apartName(path: string): string {
  return tail(path).replace("/", "_").replace(/\.ts$/, ".mjs");
}

function outputName(entry: string): string {
  return basename(entry).replace(/\.[^.]*$/, ".js");
}

/** The files that `deno bundle` makes of a module, in the order of their names. */
async function runBundle(entry: string, flags: readonly string[]): Promise<Map<string, string>> {
  const real = await Deno.realPath(entry);
  const folder = await Deno.makeTempDir({ prefix: "l2tp-bundle-" });
  try {
    // esbuild derives the names of the chunks from paths relative to the current folder.
    const result = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", ...flags, "--outdir", folder, basename(real)],
      cwd: dirname(real),
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
    }).output();
    if (!result.success) {
      const said = new TextDecoder().decode(result.stderr).replace(/\nStack backtrace:[^]*/, "");
      throw new Error(`deno bundle ${entry} failed: ${said.trim()}`);
    }
    const names = [...Deno.readDirSync(folder)].map((item) => item.name).sort();
    return new Map(
      await Promise.all(
        names.map(async (name) => [name, await Deno.readTextFile(`${folder}/${name}`)] as const),
      ),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Of all the modules that the start of a bundle loads, the name of the one that runs before any other. */
export function firstEvaluated({ main, modules }: Bundle): string {
  let name: string = main;
  const seen = new Set<string>();
  for (;;) {
    seen.add(name);
    const imports = /\s*import\s*(?:[^"';]*?from\s*)?"([^"]+)"\s*;?/y;
    let next: string | undefined;
    for (let match; next === undefined && (match = imports.exec(modules.get(name) ?? "")) !== null;) {
      const found = match[1]?.replace(/^\.\//, "") ?? "";
      if (modules.has(found) && !seen.has(found)) next = found;
    }
    if (next === undefined) return name;
    name = next;
  }
}

/** Prepends a statement to the bundle. */
export function withFirstStatement(bundle: Bundle, statement: string): Bundle {
  const first = firstEvaluated(bundle);
  const modules = new Map(bundle.modules);
  modules.set(first, `${statement}${modules.get(first) ?? ""}`);
  return { main: bundle.main, modules };
}
