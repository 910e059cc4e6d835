/**
 * Files of secrets: lines `NAME SECRET`, either in double quotes where it has blanks, `#` before comments. Pure.
 *
 * @module
 */

import { SecretsError } from "../../base/secrets_error.ts";
import type { DesiredPpp, PppSecret } from "../../model/ppp/settings.ts";

/** A request has room for so many bytes of names and secrets, and of little else. */
const SECRETS_BYTES_MAX = 50_000;

/** A word, or anything in double quotes with `\` before quotes and backslashes. */
const WORD = String.raw`(?:"((?:[^"\\]|\\.)*)"|([^\s"#]\S*))`;
const LINE = new RegExp(String.raw`^\s*${WORD}\s+${WORD}\s*(?:#.*)?$`);
const NOTHING = /^\s*(?:#.*)?$/;

/** A file of secrets, as far as plans need it. */
export interface SecretsFile {
  /** Tells the file as it is from what it is after a change. */
  readonly stamp: string;
  /** Whose secrets it has. */
  readonly names: ReadonlySet<string>;
}

/**
 * The names and secrets in the text of a file.
 *
 * @throws {SecretsError} naming the line that is none, and never what stands there; or if there are too many
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
 * What keeps PPP from being run with the file as it is wished; `undefined` if nothing does. Whoever asks the peer for a
 * proof needs no secret of its own: its name may be there to be told only.
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
