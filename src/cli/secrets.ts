/**
 * Files of secrets: lines `NAME SECRET`, either in double quotes where it has blanks, `#` before comments.
 *
 * @module
 */

import { SyscallError } from "../base/errors.ts";
import type { PppSecret } from "../model/ppp_settings.ts";
import type { MorePorts } from "./ports.ts";
import { UsageError } from "./usage_error.ts";

/** A word, or anything in double quotes with `\` before quotes and backslashes. */
const WORD = String.raw`(?:"((?:[^"\\]|\\.)*)"|([^\s"#]\S*))`;
const LINE = new RegExp(String.raw`^\s*${WORD}\s+${WORD}\s*(?:#.*)?$`);
const NOTHING = /^\s*(?:#.*)?$/;

/**
 * The names and secrets in the text of a file.
 *
 * @throws {UsageError} naming the line that is none, and never what stands there
 */
export function parseSecrets(text: string, file: string): PppSecret[] {
  const secrets: PppSecret[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (NOTHING.test(line)) continue;
    const match = LINE.exec(line);
    const [name, secret] = match === null ? [] : [word(match[1], match[2]), word(match[3], match[4])];
    if (name === undefined || secret === undefined || name === "" || secret === "") {
      throw new UsageError(`Error: ${file}:${i + 1}: a line of a name and a secret is expected.`, {
        advice: ['Such as: alice "correct horse"'],
      });
    }
    secrets.push({ name, secret });
  }
  return secrets;
}

function word(quoted: string | undefined, plain: string | undefined): string | undefined {
  return quoted === undefined ? plain : quoted.replace(/\\(.)/g, "$1");
}

/**
 * The names and secrets in a file that others than its owner and group must not be able to read.
 *
 * @throws {UsageError} if it cannot be read, others can read it, or it makes no sense
 */
export function readSecrets(
  file: string,
  { readPrivateFile }: Pick<MorePorts, "readPrivateFile">,
): PppSecret[] {
  let text: string | undefined;
  try {
    text = readPrivateFile(file);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new UsageError(`Error: secret-file "${file}" cannot be read: ${error.code}.`, { exitCode: 1 });
  }
  if (text === undefined) {
    throw new UsageError(`Error: secret-file "${file}" can be read by everybody.`, {
      exitCode: 1,
      advice: [`Keep it to yourself: chmod 600 ${file}`],
    });
  }
  return parseSecrets(text, file);
}
