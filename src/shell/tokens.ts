/**
 * The words of a line that is being typed. They are split like lines of a batch, but an open quote is no error. Pure.
 *
 * @module
 */

/** A word of a line. */
export interface Token {
  /** Its text, without quotes. */
  readonly word: string;
  /** Its offset in the line, its quote included. */
  readonly start: number;
  /** Whether it is in quotes. */
  readonly quoted: boolean;
  /** Whether its quote is open. */
  readonly open: boolean;
}

/** Separates a command from its filters. */
const PIPE = "|";

/** The words of a line up to a comment. A bar before a word is a word of its own. */
export function tokensOf(line: string): Token[] {
  const code = withoutComment(line);
  const tokens: Token[] = [];
  const pattern = /[ \t\r]*(?:(["'])((?:(?!\1).)*)(\1?)|(\|(?=[^|])|[^ \t\r]+))/sy;
  for (let match = pattern.exec(code); match !== null; match = pattern.exec(code)) {
    const [whole, quote, inside, end, bare] = match;
    const text = quote === undefined ? bare! : quote + inside + end;
    tokens.push({
      word: bare ?? inside!,
      start: match.index + whole.length - text.length,
      quoted: quote !== undefined,
      open: quote !== undefined && end === "",
    });
  }
  return tokens;
}

/** The line without its comment. */
export function withoutComment(line: string): string {
  const hash = line.indexOf("#");
  return hash < 0 ? line : line.slice(0, hash);
}

/** Whether the token separates a command from a filter. */
function isPipe({ word, quoted }: Token): boolean {
  return word === PIPE && !quoted;
}

/** The words before the first bar, and those after each bar. */
export function splitAtPipes(tokens: readonly Token[]): [command: Token[], ...filters: Token[][]] {
  const parts: [Token[], ...Token[][]] = [[]];
  for (const token of tokens) {
    if (isPipe(token)) parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts;
}

/**
 * The words of a line whose last word is being typed; after a blank it is empty. `undefined` in a comment and in quotes,
 * where no word of the grammar can be.
 */
export function tokensTyped(line: string): Token[] | undefined {
  if (line.includes("#")) return undefined;
  const tokens = tokensOf(line);
  const last = tokens.at(-1);
  if (last?.open) return undefined;
  const hasBlank = /[ \t\r]$/.test(line);
  if (last !== undefined && !hasBlank && last.quoted) return undefined;
  if (last === undefined || hasBlank || isPipe(last)) {
    tokens.push({ word: "", start: line.length, quoted: false, open: false });
  }
  return tokens;
}
