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
 * Bundles a program. The names that the source gives to functions and classes do not survive (`minify`), and the
 * result does not depend on where the program's folder lies.
 *
 * The modules are named `.mjs`, since Deno looks for a package.json above a `.js` file to learn its kind, and in
 * somebody's home folder there may be one.
 *
 * @param entry path of the module to start.
 * @throws {Error} with what `deno bundle` printed, where it fails.
 */
export async function bundle(entry: string): Promise<Bundle> {
  const real = await Deno.realPath(entry);
  const folder = await Deno.makeTempDir({ prefix: "l2tp-bundle-" });
  try {
    // esbuild derives the names of the chunks from paths relative to the current folder.
    const result = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--minify", "--code-splitting", "--outdir", folder, basename(real)],
      cwd: dirname(real),
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
    }).output();
    if (!result.success) {
      const said = new TextDecoder().decode(result.stderr).replace(/\nStack backtrace:[^]*/, "");
      throw new Error(`deno bundle ${entry} failed: ${said.trim()}`);
    }
    const first = basename(real).replace(/\.[^.]*$/, ".js");
    const names = [...Deno.readDirSync(folder)].map((item) => item.name).sort();
    const rename = (name: string): string => name === first ? "main.mjs" : name.replace(/\.js$/, ".mjs");
    const modules = new Map<string, string>();
    for (const name of names) {
      let text = await Deno.readTextFile(`${folder}/${name}`);
      for (const other of names) text = text.replaceAll(`"./${other}"`, `"./${rename(other)}"`);
      modules.set(rename(name), text);
    }
    if (!modules.has("main.mjs")) {
      throw new Error(`deno bundle ${entry} made ${names.join(", ") || "nothing"}, and no ${first}.`);
    }
    return { main: "main.mjs", modules };
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

/** The same bundle with a statement that runs before everything else in it. */
export function withFirstStatement(bundle: Bundle, statement: string): Bundle {
  const first = firstEvaluated(bundle);
  const modules = new Map(bundle.modules);
  modules.set(first, `${statement}${modules.get(first) ?? ""}`);
  return { main: bundle.main, modules };
}
