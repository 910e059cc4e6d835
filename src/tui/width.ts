/**
 * Display width of text on a terminal, by the runtime's Unicode tables.
 *
 * @module
 */

/** A grapheme cluster and its display width. */
export interface Glyph {
  /** The characters; `?` in place of a control character. */
  readonly text: string;
  /** Width in columns. */
  readonly width: 1 | 2;
}

const ASCII = /^[\x20-\x7e]*$/;

/** Characters that terminals interpret. Interface names may contain them, so they must never be printed. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** Characters two columns wide, apart from half-width forms. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Bopomofo}\p{sc=Yi}\u3001-\u303e\u3000\uff01-\uff60\uffe0-\uffe6])/u;
const HALF_WIDE = /^[\uff61-\uffdc]/u;

/** Combining marks and joiners without a base character. */
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** Created on first use: the constructor takes longer than most commands, which share the executable. */
let segmenter: Intl.Segmenter | undefined;

/** Splits text into grapheme clusters. */
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

/** Returns the display width of text, in columns. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  return glyphsOf(text).reduce((sum, { width }) => sum + width, 0);
}

/** Truncates text to at most `columns`. Truncated text ends with `mark`. */
export function truncated(text: string, columns: number, mark = "…"): string {
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
