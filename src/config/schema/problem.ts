/**
 * Where in a file something stands, and what is wrong there. Pure.
 *
 * @module
 */

/** A place in a text. */
export interface SourcePosition {
  /** The line, from 1. */
  readonly line: number;
  /** The column, from 1, in characters as JavaScript counts them. */
  readonly column: number;
}

/** Something in a file that cannot be as it is. */
export interface ConfigProblem extends SourcePosition {
  /** What is wrong, in one sentence without a full stop. */
  readonly message: string;
  /** What to try: one line each. */
  readonly advice: readonly string[];
}

/** Problems in the order of the file, each one once. */
export function sortProblems(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const byText = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...byText.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}
