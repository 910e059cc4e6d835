/**
 * Reads the daemon's configuration file.
 *
 * @module
 */

import { errnoNamed, errnoText } from "../../base/errno.ts";
import { readConfig } from "../../apply/read_config.ts";
import type { Config } from "../../config/schema/settings.ts";

/** A file that cannot be applied. */
export interface BadFile {
  /** Lines for the log: `FILE:LINE:COLUMN: …` for each problem, followed by advice; or why the file cannot be read. */
  readonly lines: readonly string[];
  /** Whether it could be read, and has problems. */
  readonly read: boolean;
}

/** Reads the configuration in the file, or the problems of the file. */
export async function readConfigFile(path: string): Promise<Config | BadFile> {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const errno = "code" in error ? errnoNamed(String(error.code)) : undefined;
    const reason = errno === undefined ? error.message : errnoText(errno);
    return { lines: [`cannot read ${path}: ${reason}`], read: false };
  }
  const { config, problems } = await readConfig(text);
  if (problems.length === 0) return config;
  const lines = problems.flatMap(({ line, column, message, advice }) => [
    `${path}:${line}:${column}: ${message}`,
    ...advice.map((each) => `  ${each}`),
  ]);
  return { lines, read: true };
}

/** Reports whether reading returned problems instead of a configuration. */
export function isBadFile(read: Config | BadFile): read is BadFile {
  return "lines" in read;
}
