/**
 * `version`: the program's name and version.
 *
 * @module
 */

import { PROGRAM_VERSION } from "../../model/version.ts";
import type { Options } from "../grammar/options.ts";

/** The text of `version`. */
export function version({ json }: Options): string {
  return json ? `{"program":"l2tp","version":"${PROGRAM_VERSION}"}\n` : `l2tp ${PROGRAM_VERSION}\n`;
}
