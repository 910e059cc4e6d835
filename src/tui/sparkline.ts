/**
 * A row of small bars. Pure.
 *
 * @module
 */

const BLOCKS = " ▁▂▃▄▅▆▇█";
/** For terminals without Unicode. */
const ASCII = " .:-=+*%#";

/**
 * The values in so many characters, oldest first, each as high as the largest value it stands for; the highest of all
 * is a full bar, and what is not nothing can be seen.
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
