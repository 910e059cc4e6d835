/**
 * The error for an unusable secrets file.
 *
 * @module
 */

import { errnoText } from "./errno.ts";

/** Defect of a secrets file. Never contains a secret. */
export type SecretsProblem =
  /** The file cannot be read. */
  | { readonly trouble: "unreadable"; readonly errno: number }
  /** Users other than owner and group can read the file. */
  | { readonly trouble: "public" }
  /** A line does not consist of a name and a secret. */
  | { readonly trouble: "malformed"; readonly line: number }
  /** The file has no secret for our own name. */
  | { readonly trouble: "nameless"; readonly user: string }
  /** The file has more names and secrets than one session can hold. `most` is the limit in bytes. */
  | { readonly trouble: "tooLong"; readonly most: number };

/** A secrets file cannot be used. */
export class SecretsError extends Error {
  /** Name of the class, also after minification. */
  override readonly name = "SecretsError";
  /** Path of the file. */
  readonly file: string;
  /** Defect of the file. */
  readonly facts: SecretsProblem;
  /** Advice to the administrator: one line each. */
  readonly advice: readonly string[];

  /** Builds message and advice from the facts and keeps them in the fields. */
  constructor(file: string, facts: SecretsProblem) {
    const [message, ...advice] = inWords(file, facts);
    super(message);
    this.file = file;
    this.facts = facts;
    this.advice = advice;
  }
}

function inWords(file: string, facts: SecretsProblem): [message: string, ...advice: string[]] {
  switch (facts.trouble) {
    case "unreadable":
      return [`secret-file "${file}" cannot be read: ${errnoText(facts.errno)}`];
    case "public":
      return [`secret-file "${file}" is readable by everyone`, `Restrict it: chmod 600 ${file}`];
    case "malformed":
      return [
        `${file}:${facts.line}: expected a name and a secret`,
        'Example: alice "correct horse"',
      ];
    case "nameless":
      return [
        `"${file}" has no secret for ${JSON.stringify(facts.user)}`,
        `Add a line: ${facts.user} SECRET`,
      ];
    case "tooLong":
      return [
        `"${file}" has more names than one session can hold`,
        `Names and secrets may have ${facts.most} bytes in total. Use a file with fewer names.`,
      ];
    default:
      return facts satisfies never;
  }
}
