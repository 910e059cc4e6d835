/**
 * What is wrong with a file of secrets. Pure.
 *
 * @module
 */

import { errnoName } from "./errno.ts";

/** The facts. None of them is what stands in the file. */
export type SecretsTrouble =
  /** It cannot be read. */
  | { readonly trouble: "unreadable"; readonly errno: number }
  /** Others than its owner and group can read it. */
  | { readonly trouble: "public" }
  /** A line is no name with a secret. */
  | { readonly trouble: "malformed"; readonly line: number }
  /** It has no secret of that name, which is ours. */
  | { readonly trouble: "nameless"; readonly user: string }
  /** It has more than one session can take. */
  | { readonly trouble: "tooLong"; readonly most: number };

/** A file of secrets cannot be used. */
export class SecretsError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "SecretsError";
  /** Path of the file. */
  readonly file: string;
  /** What is wrong with it. */
  readonly facts: SecretsTrouble;
  /** What to try: one line each. */
  readonly advice: readonly string[];

  /** Tells the facts in words; they stay in the fields. */
  constructor(file: string, facts: SecretsTrouble) {
    const [message, ...advice] = inWords(file, facts);
    super(message);
    this.file = file;
    this.facts = facts;
    this.advice = advice;
  }
}

function inWords(file: string, facts: SecretsTrouble): [message: string, ...advice: string[]] {
  switch (facts.trouble) {
    case "unreadable":
      return [`secret-file "${file}" cannot be read: ${errnoName(facts.errno)}`];
    case "public":
      return [`secret-file "${file}" can be read by everybody`, `Keep it to yourself: chmod 600 ${file}`];
    case "malformed":
      return [
        `${file}:${facts.line}: a line of a name and a secret is expected`,
        'Such as: alice "correct horse"',
      ];
    case "nameless":
      return [
        `"${file}" has no secret of ${JSON.stringify(facts.user)}`,
        `Its lines are names with their secrets: ${facts.user} SECRET`,
      ];
    case "tooLong":
      return [
        `"${file}" has more names than one session can take`,
        `Names and secrets may have ${facts.most} bytes together; give a file of fewer.`,
      ];
    default:
      return facts satisfies never;
  }
}
