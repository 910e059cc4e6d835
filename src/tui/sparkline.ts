/**
 * A line of small bars.
 *
 * @module
 */

const BLOCKS = " ▁▂▃▄▅▆▇█";
/** Bars for terminals without Unicode. */
const ASCII = " .:-=+*%#";

/**
 * Draws values in at most `width` characters, oldest first. Each character shows the maximum of the values it covers,
 * scaled so that the overall maximum is a full bar. A nonzero value is always visible.
 */
export function sparkline(values: readonly number[], width: number, unicode: boolean): string {
  const bars = unicode ? BLOCKS : ASCII;
  const highest = Math.max(0, ...values);
  let line = "";
  for (let i = 0; i < Math.min(width, values.length); i++) {
    const from = Math.floor(i * values.length / Math.min(width, values.length));
    const to = Math.floor((i + 1) * values.length / Math.min(width, values.length));
    const value = Math.max(0, ...values.slice(from, to));
    line += bars[value === 0 ? 0 : Math.max(1, Math.round(value / highest * 8))];
  }
  return line;
}
