/**
 * Reads secret files.
 *
 * @module
 */

import { SyscallError } from "../base/errors.ts";
import { SecretsError } from "../base/secrets_error.ts";
import type { ReadSecrets } from "../config/plan/ppp_parameters.ts";
import { parseSecrets, type SecretsFile, secretsTrouble } from "../config/plan/secrets.ts";
import type { DesiredPpp } from "../model/ppp/settings.ts";

/** A file that only its owner and group can read. */
export interface PrivateFile {
  /** Its absolute path, as it was named. */
  readonly path: string;
  /** Its content. */
  readonly text: string;
  /** Differs after every change of the file. */
  readonly stamp: string;
}

/** Reads a file; `undefined` if others than its owner and group can read it. Throws `SyscallError` on failure. */
export type ReadPrivateFile = (path: string) => PrivateFile | undefined;

/**
 * Reads the secrets for PPP; `undefined` if it is configured without.
 *
 * @throws {SecretsError} if the file cannot be used
 */
export function readSecrets(ppp: DesiredPpp, readPrivateFile: ReadPrivateFile): ReadSecrets | undefined {
  if (ppp.secretFile === undefined) return undefined;
  const read = readFile(ppp.secretFile, readPrivateFile);
  const trouble = secretsTrouble(ppp, summary(read));
  if (trouble !== undefined) throw trouble;
  return read;
}

/** Summarizes the file for plans, or returns its problem. */
export function lookAtSecrets(secretFile: string, read: ReadPrivateFile): SecretsFile | SecretsError {
  try {
    return summary(readFile(secretFile, read));
  } catch (error) {
    if (error instanceof SecretsError) return error;
    throw error;
  }
}

function summary({ secrets, secretsFrom: { stamp } }: ReadSecrets): SecretsFile {
  return { stamp, names: new Set(secrets.map(({ name }) => name)) };
}

function readFile(secretFile: string, readPrivateFile: ReadPrivateFile): ReadSecrets {
  let file: PrivateFile | undefined;
  try {
    file = readPrivateFile(secretFile);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new SecretsError(secretFile, { trouble: "unreadable", errno: error.errno });
  }
  if (file === undefined) throw new SecretsError(secretFile, { trouble: "public" });
  const secrets = parseSecrets(file.text, secretFile);
  return { secrets, secretsFrom: { file: file.path, stamp: file.stamp } };
}
