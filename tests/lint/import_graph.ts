/**
 * The files of the project and what each imports for its value: type imports are gone at run time and are left out.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url).pathname;

/** Paths of the TypeScript files below a folder, from the project's root, sorted. */
export function sourceFiles(folder: string): string[] {
  const files: string[] = [];
  for (const entry of Deno.readDirSync(`${ROOT}${folder}`)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) files.push(...sourceFiles(path));
    else if (path.endsWith(".ts")) files.push(path);
  }
  return files.sort();
}

/** `import …` and `export …` with their clause and specifier, where a statement begins a line. */
const STATEMENT = /^(?:import|export)\s+(?:([^"';=()]*?)\s+from\s+)?"(\.[^"]+)";/gm;

/** Whether the clause of an import names types alone. */
function isTypeOnly(clause: string): boolean {
  if (/^type\s/.test(clause)) return true;
  const names = /^\{([^}]*)\}$/.exec(clause)?.[1]?.split(",").map((name) => name.trim()).filter((name) =>
    name !== ""
  );
  return names !== undefined && names.every((name) => name.startsWith("type "));
}

/** Paths, from the project's root, that a file with this text imports when it is loaded. */
export function valueImports(path: string, text: string): string[] {
  const imports: string[] = [];
  for (const [, clause, specifier] of text.matchAll(STATEMENT)) {
    if (clause !== undefined && isTypeOnly(clause)) continue;
    imports.push(new URL(specifier!, `file:///${path}`).pathname.slice(1));
  }
  return imports;
}

/** The project's graph: each file of `src/` and `ffi/` with the files that it loads. */
export function importGraph(): ReadonlyMap<string, readonly string[]> {
  const files = [...sourceFiles("src"), ...sourceFiles("ffi"), "main.ts"];
  return new Map(files.map((path) => [path, valueImports(path, Deno.readTextFileSync(`${ROOT}${path}`))]));
}

/** The circles in a graph, each as the files along it; a file is in at most one of them. */
export function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const along: string[] = [];
  function visit(path: string): void {
    const start = along.indexOf(path);
    if (start >= 0) found.push([...along.slice(start), path]);
    if (start >= 0 || done.has(path)) return;
    along.push(path);
    for (const next of graph.get(path) ?? []) visit(next);
    along.pop();
    done.add(path);
  }
  for (const path of graph.keys()) visit(path);
  return found;
}
