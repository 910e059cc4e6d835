/**
 * Exported names of the project: one name means one thing, so a name is declared in one file.
 *
 * @module
 */

import { sourceFiles } from "./import_graph.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

const DECLARATION =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type|enum) (\w+)/gm;

/** Exported names that more than one file declares, with these files. Overloads within a file count once. */
export function sharedNames(files: ReadonlyMap<string, string>): Map<string, readonly string[]> {
  const places = new Map<string, Set<string>>();
  for (const [path, text] of files) {
    for (const [, name] of text.matchAll(DECLARATION)) {
      const paths = places.get(name!) ?? new Set();
      places.set(name!, paths.add(path));
    }
  }
  const shared = [...places].filter(([, paths]) => paths.size > 1);
  return new Map(shared.map(([name, paths]) => [name, [...paths]]));
}

/** Paths and texts of the project's own files. */
export function sourceTexts(): Map<string, string> {
  const paths = [...sourceFiles("src"), ...sourceFiles("ffi")];
  return new Map(paths.map((path) => [path, Deno.readTextFileSync(`${ROOT}${path}`)]));
}
