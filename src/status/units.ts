/**
 * Formats numbers and durations for display.
 *
 * @module
 */

const UNITS = ["", "k", "M", "G", "T", "P", "E"];

/** Formats a number in at most five characters: `0`, `0.4`, `12`, `999`, `1.2k`, `45k`, `3.1M` (powers of 1000). */
export function shortNumber(value: number): string {
  if (value < 0.05) return "0";
  if (value < 9.95) return trimmed(value.toFixed(1));
  let [scaled, unit] = [value, 0];
  while (Math.round(scaled) >= 1000 && unit < UNITS.length - 1) [scaled, unit] = [scaled / 1000, unit + 1];
  const digits = unit > 0 && scaled < 9.95 ? scaled.toFixed(1) : String(Math.round(scaled));
  return digits + UNITS[unit];
}

function trimmed(text: string): string {
  return text.replace(/\.0$/, "");
}

/** Formats a duration given in milliseconds: `45 s`, `3 min`, `2 h`, `5 d`. */
export function shortDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 120 * 60) return `${Math.floor(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}
