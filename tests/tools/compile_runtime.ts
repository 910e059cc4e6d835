/**
 * Finds the `deno` executable that goes into a self-extracting file.
 *
 * @module
 */

import { type Target, unfitFor } from "./compile_target.ts";

/** A `deno` executable for a target. */
export interface Runtime {
  /** Version of the runtime, such as `"2.9.6"`. */
  readonly version: string;
  /** The whole ELF file. */
  readonly bytes: Uint8Array;
  /** Origin of the runtime, for display. */
  readonly source: string;
}

async function npm(args: readonly string[], cwd: string): Promise<{ ok: boolean; out: string; err: string }> {
  try {
    const result = await new Deno.Command("npm", { args: [...args], cwd, stdin: "null" }).output();
    const text = new TextDecoder();
    return { ok: result.success, out: text.decode(result.stdout), err: text.decode(result.stderr) };
  } catch (cause) {
    throw new Error(
      "The deno executable for the target comes from the npm registry, and the program npm cannot be started. " +
        "Install npm, or name an executable with --runtime.",
      { cause },
    );
  }
}

/** The last few versions that the registry has, newest last, or none where it does not say. */
async function published(name: string, cwd: string): Promise<readonly string[]> {
  const { ok, out } = await npm(["view", name, "versions", "--json"], cwd);
  if (!ok) return [];
  const versions: unknown = JSON.parse(out);
  return Array.isArray(versions) ? versions.map(String).slice(-3) : [String(versions)];
}

async function fromRegistry(target: Target, version: string): Promise<Runtime> {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-npm-" });
  try {
    const wanted = `${target.npmPackage}@${version}`;
    const packed = await npm(["pack", "--json", "--silent", wanted], folder);
    const archive = [...Deno.readDirSync(folder)].find((entry) => entry.name.endsWith(".tgz"))?.name;
    if (!packed.ok || archive === undefined) {
      if (packed.out.includes("ETARGET")) {
        const there = await published(target.npmPackage, folder);
        throw new Error(
          `The npm registry has no ${wanted}` +
            (there.length > 0 ? `; its newest are ${there.join(", ")}` : "") +
            `. To embed another version than ${Deno.version.deno}, which runs this, name it or a deno executable ` +
            `for ${target.machine}: --runtime ${there.at(-1) ?? "PATH"}`,
        );
      }
      throw new Error(`npm could not fetch ${wanted}: ${(packed.err || packed.out).trim()}`);
    }
    const tar = await new Deno.Command("tar", {
      args: ["-xzf", archive, "package/deno"],
      cwd: folder,
      stdout: "null",
    }).output();
    if (!tar.success) {
      throw new Error(`${wanted} holds no package/deno: ${new TextDecoder().decode(tar.stderr).trim()}`);
    }
    return { version, bytes: await Deno.readFile(`${folder}/package/deno`), source: `npm ${wanted}` };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * The `deno` executable to embed for a target: the running one where it fits, else the one that the npm registry
 * has of the same version.
 *
 * @param wanted another version to embed, or the path of an executable; `undefined` for the version that runs this.
 * @throws {Error} where there is none that fits; the message says what was tried and what else would do.
 */
export async function findRuntime(target: Target, wanted?: string): Promise<Runtime> {
  const isVersion = wanted !== undefined && /^\d+\.\d+\.\d+/.test(wanted);
  if (wanted !== undefined && !isVersion) {
    const bytes = await Deno.readFile(wanted);
    const unfit = unfitFor(target, bytes);
    if (unfit !== undefined) throw new Error(`${wanted} is no deno for ${target.triple}: ${unfit}.`);
    return { version: `of ${wanted}`, bytes, source: wanted };
  }
  const version = wanted ?? Deno.version.deno;
  if (version === Deno.version.deno && !Deno.build.standalone) {
    const bytes = await Deno.readFile(Deno.execPath());
    if (unfitFor(target, bytes) === undefined) return { version, bytes, source: "the running deno" };
  }
  const runtime = await fromRegistry(target, version);
  const unfit = unfitFor(target, runtime.bytes);
  if (unfit !== undefined) throw new Error(`${runtime.source} is no deno for ${target.triple}: ${unfit}.`);
  return runtime;
}
