/**
 * Positions in a file, and problems. Pure.
 *
 * @module
 */

/** A position in a text. */
export interface SourcePosition {
  /** The line, from 1. */
  readonly line: number;
  /** The column, from 1, in characters as JavaScript counts them. */
  readonly column: number;
}

/** A problem of a file. */
export interface ConfigProblem extends SourcePosition {
  /** The problem, in one sentence without a full stop. */
  readonly message: string;
  /** Advice, one line each. */
  readonly advice: readonly string[];
}

/** Problems in the order of the file, without duplicates. */
export function sortProblems(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const byText = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...byText.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}
