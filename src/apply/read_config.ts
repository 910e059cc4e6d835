/**
 * Reads configurations in TOML.
 *
 * @module
 */

import { decodeConfig, type Decoded } from "../config/file/decode.ts";

/** Loads the TOML parser, when there is something to parse. */
export async function loadToml(): Promise<typeof import("./toml.ts")> {
  // Deno resolves imports that it can see at start-up, which would slow down commands without a file.
  return await import(String("./toml.ts"));
}

/** Reads a configuration in TOML, with its problems. */
export async function readConfig(text: string): Promise<Decoded> {
  const { parseToml } = await loadToml();
  const parsed = parseToml(text);
  if ("problem" in parsed) return { config: { tunnels: [] }, problems: [parsed.problem] };
  return decodeConfig(parsed.root, text);
}
