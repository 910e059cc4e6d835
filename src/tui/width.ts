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

/**
 * Characters that take two columns: emoji that are shown as pictures, and what Unicode Standard Annex #11 (17.0) calls
 * wide or fullwidth, in ranges that cross code points without a character.
 */
const WIDE =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u3247\u3250-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18df2}\u{1aff0}-\u{1b2fb}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]/u;

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
    else glyphs.push({ text: segment, width: WIDE.test(segment) ? 2 : 1 });
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
