/**
 * Files of secrets: lines `NAME SECRET`, either in double quotes where it has blanks, `#` before comments. Pure.
 *
 * @module
 */

import { SecretsError } from "../../base/secrets_error.ts";
import type { DesiredPpp, PppSecret } from "../../model/ppp/settings.ts";

/** A request has room for so many bytes of names and secrets, and of little else. */
const SECRETS_BYTES_MAX = 50_000;

/** A word, or text in double quotes, in which `\` escapes quotes and backslashes. */
const WORD = String.raw`(?:"((?:[^"\\]|\\.)*)"|([^\s"#]\S*))`;
const LINE = new RegExp(String.raw`^\s*${WORD}\s+${WORD}\s*(?:#.*)?$`);
const NOTHING = /^\s*(?:#.*)?$/;

/** A file of secrets, as far as plans need it. */
export interface SecretsFile {
  /** Changes with the file. */
  readonly stamp: string;
  /** The names that have secrets in it. */
  readonly names: ReadonlySet<string>;
}

/**
 * The names and secrets in the text of a file.
 *
 * @throws {SecretsError} with the number of a malformed line, and never its text; or if there are too many
 */
export function parseSecrets(text: string, file: string): PppSecret[] {
  const secrets: PppSecret[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (NOTHING.test(line)) continue;
    const match = LINE.exec(line);
    const [name, secret] = match === null ? [] : [word(match[1], match[2]), word(match[3], match[4])];
    if (name === undefined || secret === undefined || name === "" || secret === "") {
      throw new SecretsError(file, { trouble: "malformed", line: i + 1 });
    }
    secrets.push({ name, secret });
  }
  if (new TextEncoder().encode(JSON.stringify(secrets)).length > SECRETS_BYTES_MAX) {
    throw new SecretsError(file, { trouble: "tooLong", most: SECRETS_BYTES_MAX });
  }
  return secrets;
}

function word(quoted: string | undefined, plain: string | undefined): string | undefined {
  return quoted === undefined ? plain : quoted.replace(/\\(.)/g, "$1");
}

/**
 * The problem that keeps PPP from using the file; `undefined` if there is none. An end that authenticates the peer needs no
 * secret of its own: it may have a name only to tell the peer.
 */
export function secretsTrouble(
  { user, secretFile, require = [] }: DesiredPpp,
  file: SecretsFile | SecretsError | undefined,
): SecretsError | undefined {
  if (file instanceof SecretsError) return file;
  if (secretFile === undefined || user === undefined || file?.names.has(user) !== false) return undefined;
  if (require.some((method) => method !== "none")) return undefined;
  return new SecretsError(secretFile, { trouble: "nameless", user });
}
