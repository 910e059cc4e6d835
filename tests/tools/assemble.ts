/**
 * `deno task assemble`: makes `src/dataplane/checksum/internet_checksum_wasm.ts` of `internet_checksum.wat` beside it. The
 * result is committed, so that nothing but this needs an assembler.
 *
 * @module
 */

import wabt from "wabt";

const FOLDER = new URL("../../src/dataplane/checksum/", import.meta.url);
const SOURCE = new URL("internet_checksum.wat", FOLDER);

/** The file that holds what the assembler made. */
export const ASSEMBLED = new URL("internet_checksum_wasm.ts", FOLDER);

/** Characters of base64 in a line of source text. */
const LINE = 100;

/**
 * Assembles the source, and gives the text that {@link ASSEMBLED} is to have.
 *
 * @throws {Error} with what the assembler said, where it does not take the source.
 */
export async function assemble(): Promise<string> {
  const { parseWat } = await wabt();
  const module = parseWat("internet_checksum.wat", await Deno.readTextFile(SOURCE), {
    simd: true,
    bulk_memory: true,
  });
  try {
    module.resolveNames();
    module.validate();
    return sourceText(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

/** A module that exports the binary, as `deno fmt` would write it. */
function sourceText(binary: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...binary));
  const lines = base64.match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  return `/**
 * Generated from \`internet_checksum.wat\` by \`deno task assemble\`: do not edit.
 *
 * @module
 */

/** The binary of the WebAssembly module, in base64. */
export const INTERNET_CHECKSUM_WASM: string =
  ${lines.map((line) => `"${line}"`).join(" +\n  ")};
`;
}

if (import.meta.main) await Deno.writeTextFile(ASSEMBLED, await assemble());
