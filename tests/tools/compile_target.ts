/**
 * The two kinds of machine that `dist/l2tp` is made for, and how to recognise a runtime that fits one.
 *
 * @module
 */

/** Deno's names of the supported targets. */
export type Triple = "x86_64-unknown-linux-gnu" | "aarch64-unknown-linux-gnu";

/** Facts about one of the machines. */
export interface Target {
  /** The name that `--target` takes. */
  readonly triple: Triple;
  /** Output of `uname -m` on the target. */
  readonly machine: string;
  /** `e_machine` of ELF files for it. */
  readonly elfMachine: number;
  /** The C library's loader that Deno's own builds ask for. */
  readonly loader: string;
  /** The npm package with Deno's own build for it. */
  readonly npmPackage: string;
}

const TARGETS: Readonly<Record<Triple, Target>> = {
  "x86_64-unknown-linux-gnu": {
    triple: "x86_64-unknown-linux-gnu",
    machine: "x86_64",
    elfMachine: 62,
    loader: "/lib64/ld-linux-x86-64.so.2",
    npmPackage: "@deno/linux-x64-glibc",
  },
  "aarch64-unknown-linux-gnu": {
    triple: "aarch64-unknown-linux-gnu",
    machine: "aarch64",
    elfMachine: 183,
    loader: "/lib/ld-linux-aarch64.so.1",
    npmPackage: "@deno/linux-arm64-glibc",
  },
};

/** Every name that `--target` takes. */
export const TRIPLES = Object.keys(TARGETS) as readonly Triple[];

/**
 * The facts about a target.
 *
 * @throws {Error} for a name that is no target; the message lists those that are.
 */
export function targetOf(triple: string): Target {
  const target = (TARGETS as Readonly<Record<string, Target | undefined>>)[triple];
  if (target === undefined) throw new Error(`Unknown target ${triple}. Use one of: ${TRIPLES.join(", ")}.`);
  return target;
}

const PT_INTERP = 3;

/**
 * Says why these bytes, the start of a file, are not those of an executable that runs on the target with nothing
 * but its C library, or `undefined` where they are. A distribution's own build of Deno (another loader, as on Nix
 * or Alpine) would not start on other machines.
 */
export function unfitFor(target: Target, bytes: Uint8Array): string | undefined {
  const isElf64 = bytes.length >= 64 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c &&
    bytes[3] === 0x46 && bytes[4] === 2 && bytes[5] === 1;
  if (!isElf64) return "it is no 64-bit little-endian ELF file";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine = view.getUint16(18, true);
  if (machine !== target.elfMachine) {
    return `it is for ELF machine ${machine}, ${target.machine} is ${target.elfMachine}`;
  }
  const headers = Number(view.getBigUint64(32, true));
  const headerSize = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  for (let at = headers, left = count; left > 0 && at + 40 <= bytes.length; at += headerSize, left--) {
    if (view.getUint32(at, true) !== PT_INTERP) continue;
    const offset = Number(view.getBigUint64(at + 8, true));
    const size = Number(view.getBigUint64(at + 32, true));
    const loader = new TextDecoder().decode(bytes.subarray(offset, offset + size - 1));
    return loader === target.loader ? undefined : `it asks for the loader ${loader}, not ${target.loader}`;
  }
  return "it names no loader";
}
