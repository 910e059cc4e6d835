/**
 * `deno doc --lint` of the library's door, but for missing comments: the lint plugin asks for those of functions and
 * classes, and a field whose name says everything needs none.
 *
 * @module
 */

const DOOR = "src/client/mod.ts";

/** Diagnostics of `deno doc --lint`, by the codes in its output; a failure without a code is one, too. */
export function seriousCodes(output: string, success: boolean): string[] {
  // deno-lint-ignore no-control-regex -- colours
  const plain = output.replaceAll(/\x1b\[[\d;]*m/g, "");
  const codes = [...plain.matchAll(/^error\[([\w-]+)\]/gm)].map(([, code]) => code!);
  if (!success && codes.length === 0) return ["failed"];
  return codes.filter((code) => code !== "missing-jsdoc");
}

if (import.meta.main) {
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", DOOR],
    cwd: new URL("../../", import.meta.url).pathname,
  }).outputSync();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const codes = seriousCodes(output, success);
  if (codes.length > 0) {
    console.error(output);
    Deno.exit(1);
  }
}
