/**
 * The configuration file that the daemon is told to apply.
 *
 * @module
 */

import { readConfig } from "../../apply/read_config.ts";
import type { Config } from "../../config/schema/settings.ts";

/** Why a file cannot be applied: lines for the administrator. */
export interface BadFile {
  /** `FILE:LINE:COLUMN: …` for each problem, its advice behind it; or why the file cannot be read. */
  readonly lines: readonly string[];
  /** Whether it was read, and is wrong. */
  readonly read: boolean;
}

/** The configuration in the file, or what is wrong. */
export async function readConfigFile(path: string): Promise<Config | BadFile> {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { lines: [`cannot read ${path}: ${error.message}`], read: false };
  }
  const { config, problems } = await readConfig(text);
  if (problems.length === 0) return config;
  const lines = problems.flatMap(({ line, column, message, advice }) => [
    `${path}:${line}:${column}: ${message}`,
    ...advice.map((each) => `  ${each}`),
  ]);
  return { lines, read: true };
}

/** Whether reading the file gave problems instead of a configuration. */
export function isBadFile(read: Config | BadFile): read is BadFile {
  return "lines" in read;
}
