/**
 * Prometheus' own tool. Debian's package starts a server where it is installed, so that it is unpacked instead.
 *
 * @module
 */

import { type Ended, runProgram, sh } from "./processes.ts";

const FOLDER = "/var/tmp/l2tp-promtool";
const UNPACKED = `${FOLDER}/usr/bin/promtool`;

/** Runs `promtool` with these words. */
export async function promtool(words: readonly string[], stdin?: string): Promise<Ended> {
  return await runProgram([await findPromtool(), ...words], { stdin });
}

async function findPromtool(): Promise<string> {
  for (const folder of ["/usr/bin", "/usr/local/bin"]) {
    if (exists(`${folder}/promtool`)) return `${folder}/promtool`;
  }
  if (exists(UNPACKED)) return UNPACKED;
  const folder = await Deno.makeTempDir({ dir: "/var/tmp" });
  try {
    const fetch = "apt-get -q -o APT::Sandbox::User=root download prometheus";
    await sh(
      "sh",
      "-c",
      `cd ${folder} && (${fetch} || (apt-get -q update && ${fetch})) && dpkg-deb -x *.deb tree`,
    );
    await Deno.rename(`${folder}/tree`, FOLDER);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return UNPACKED;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
