/**
 * Reading configurations from TOML.
 *
 * @module
 */

import { decodeConfig, type Decoded } from "../config/file/decode.ts";

/** The TOML parser, which is loaded when there is something to parse. */
export async function loadToml(): Promise<typeof import("./toml.ts")> {
  // What Deno sees that a program may import it reads at the start, and would look for the library then.
  return await import(String("./toml.ts"));
}

/** A configuration in TOML, with what is wrong with it. */
export async function readConfig(text: string): Promise<Decoded> {
  const { parseToml } = await loadToml();
  const parsed = parseToml(text);
  if ("problem" in parsed) return { config: { tunnels: [] }, problems: [parsed.problem] };
  return decodeConfig(parsed.root, text);
}
