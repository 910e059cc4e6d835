/**
 * How many columns text takes on a terminal, by the Unicode tables of the runtime. Pure.
 *
 * @module
 */

/** A character as people see it, and its columns. */
export interface Glyph {
  /** The character; what terminals would obey instead of show is replaced. */
  readonly text: string;
  /** 1 or 2. */
  readonly width: 1 | 2;
}

const ASCII = /^[\x20-\x7e]*$/;

/** Terminals act on these, so that the name of an interface must not have them. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** Scripts whose characters are as wide as two; half-wide forms are apart. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Bopomofo}\p{sc=Yi}\u3001-\u303e\u3000\uff01-\uff60\uffe0-\uffe6])/u;
const HALF_WIDE = /^[\uff61-\uffdc]/u;

/** Marks and joiners that stand alone have nothing to stand on. */
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** Made at the first need: it takes longer than most commands, which are in the same file of the program. */
let segmenter: Intl.Segmenter | undefined;

/** The characters of the text. */
export function glyphsOf(text: string): Glyph[] {
  if (ASCII.test(text)) return Array.from(text, (character) => ({ text: character, width: 1 }));
  const glyphs: Glyph[] = [];
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  for (const { segment } of segmenter.segment(text)) {
    if (CONTROL.test(segment)) glyphs.push({ text: "?", width: 1 });
    else if (INVISIBLE.test(segment)) continue;
    else glyphs.push({ text: segment, width: WIDE.test(segment) && !HALF_WIDE.test(segment) ? 2 : 1 });
  }
  return glyphs;
}

/** Columns that the text takes. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  return glyphsOf(text).reduce((sum, { width }) => sum + width, 0);
}

/** The text cut so that it takes at most so many columns; what was cut is marked. */
export function fitted(text: string, columns: number, mark = "…"): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return "";
  let left = columns - 1;
  let kept = "";
  for (const { text: glyph, width } of glyphsOf(text)) {
    if (width > left) break;
    left -= width;
    kept += glyph;
  }
  return kept + mark;
}
