/**
 * Reading files of secrets.
 *
 * @module
 */

import { SyscallError } from "../base/errors.ts";
import { SecretsError } from "../base/secrets_error.ts";
import type { ReadSecrets } from "../config/ppp_parameters.ts";
import { checkSecrets, parseSecrets } from "../config/secrets.ts";
import type { PppWish } from "../model/ppp_settings.ts";

/** A file that others than its owner and group cannot read. */
export interface PrivateFile {
  /** Its absolute path, as it was named. */
  readonly path: string;
  /** What it says. */
  readonly text: string;
  /** Tells the file as it is from what it is after a change. */
  readonly stamp: string;
}

/** Reads a file; `undefined` if others than its owner and group can read it. Throws `SyscallError` if it cannot. */
export type ReadPrivateFile = (path: string) => PrivateFile | undefined;

/**
 * The secrets that PPP is to have; `undefined` if it is to have none.
 *
 * @throws {SecretsError} if the file cannot be used
 */
export function readSecrets(ppp: PppWish, readPrivateFile: ReadPrivateFile): ReadSecrets | undefined {
  const { secretFile } = ppp;
  if (secretFile === undefined) return undefined;
  let file: PrivateFile | undefined;
  try {
    file = readPrivateFile(secretFile);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new SecretsError(secretFile, { trouble: "unreadable", errno: error.errno });
  }
  if (file === undefined) throw new SecretsError(secretFile, { trouble: "public" });
  const secrets = parseSecrets(file.text, secretFile);
  checkSecrets(secrets, secretFile, ppp);
  return { secrets, secretsFrom: { file: file.path, stamp: file.stamp } };
}
