/**
 * Prints what is measured of the project's structure: `deno run --allow-read tests/lint/house.ts`. In how many files
 * one attribute of a session or tunnel is named, how many files the largest folders have, and the longest files.
 *
 * @module
 */

import { sourceTexts } from "./names.ts";

/** Attributes that stand for all others: they pass through every layer. */
const ATTRIBUTES = ["lnsMode", "l2spec", "checksumTx"];

/** A file longer than this is perhaps two. */
const LINES_MAX = 500;

/** Paths of the files of `src/` that have the name, also as part of a longer one (`grep -rl NAME src`). */
function filesNaming(name: string, texts: ReadonlyMap<string, string>): string[] {
  return [...texts].filter(([path, text]) => path.startsWith("src/") && text.includes(name)).map(([path]) =>
    path
  );
}

/** Number of files in each folder, the largest first. */
function folderSizes(texts: ReadonlyMap<string, string>): [folder: string, files: number][] {
  const sizes = new Map<string, number>();
  for (const path of texts.keys()) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    sizes.set(folder, (sizes.get(folder) ?? 0) + 1);
  }
  return [...sizes].sort(([, a], [, b]) => b - a);
}

if (import.meta.main) {
  const texts = sourceTexts();
  const verbose = Deno.args.includes("--files");
  for (const attribute of ATTRIBUTES) {
    const files = filesNaming(attribute, texts);
    console.log(`${attribute}: named in ${files.length} files of src/`);
    if (verbose) { for (const path of files) console.log(`  ${path}`); }
  }
  console.log("files in the largest folders:");
  for (const [folder, files] of folderSizes(texts).slice(0, 5)) console.log(`  ${files} ${folder}`);
  const long = [...texts].map(([path, text]) => [path, text.split("\n").length - 1] as const)
    .filter(([, lines]) => lines > LINES_MAX);
  console.log(`files of more than ${LINES_MAX} lines: ${long.length === 0 ? "none" : ""}`);
  for (const [path, lines] of long) console.log(`  ${lines} ${path}`);
}
