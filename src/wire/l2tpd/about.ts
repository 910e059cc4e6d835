/**
 * The answer to ABOUT: what the daemon is, one JSON object. Pure.
 *
 * @module
 */

import { JsonObjectReader } from "../../base/json_reader.ts";

const VERSION_MAX = 255;

/** Facts about the daemon. */
export interface DaemonAbout {
  /** Version of the program. */
  readonly version: string;
}

/** The answer in JSON. */
export function encodeAbout({ version }: DaemonAbout): string {
  return JSON.stringify({ version });
}

/**
 * The answer in the text. A newer daemon may have more members.
 *
 * @throws {DecodeError} naming the member that is wrong
 */
export function decodeAbout(text: string): DaemonAbout {
  const about = JsonObjectReader.parse(text, "L2TPD_CMD_ABOUT");
  return { version: about.text("version", VERSION_MAX) };
}
