/**
 * Text of manual pages in roff (`man(7)`).
 *
 * @module
 */

/** Longest line of text, in characters: longer ones are hard to compare and to mail. */
const COLUMNS = 80;

/** Escapes text so that roff prints it as it is. */
export function roffText(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...").replace(
    /^([.'])/gm,
    "\\&$1",
  );
}

/** Breaks roff text into lines between words. No line begins like a request. */
export function roffLines(text: string): string {
  return text.replaceAll(new RegExp(`(?=\\S)(.{1,${COLUMNS - 2}})(?: +|$)`, "g"), "$1\n").trimEnd()
    .replaceAll(/^([.'])/gm, "\\&$1");
}

/** A paragraph of plain text. */
export function roffParagraph(text: string): string {
  return `${roffLines(roffText(text))}\n`;
}

/** A term in bold, with its description indented below. */
export function roffEntry(term: string, text: string): string {
  return `.TP\n.B ${roffText(term.trim())}\n${roffParagraph(text)}`;
}

/** Lines that are printed as they are. */
export function roffExample(text: string): string {
  return `.EX\n${roffText(text.trimEnd())}\n.EE\n`;
}
